/** Jobs and CronJobs (kubernetes pkg/apis/batch/v1/defaults.go, pkg/registry/batch). */
import type { Affinity, Job, KubeObject, PodTemplate } from '../../kubernetes.ts';
import { same } from '../../store/same.ts';
import { immutable, notSupported, required, type FieldError } from '../refusals.ts';
import { changing, filled, type Loose } from './fill.ts';
import type { Strategy } from './strategy.ts';
import { nonNegative, templateErrors } from './workload-validation.ts';
import { newSpec, withTemplate } from './workloads.ts';

function jobSpec(given: Loose): Loose {
  const counts =
    unsetField(given.completions) && unsetField(given.parallelism) ? { completions: 1, parallelism: 1 } : { parallelism: 1 };
  const spec = filled(given, {
    ...counts,
    backoffLimit: given.backoffLimitPerIndex === undefined ? 6 : 2147483647,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: given.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
    manualSelector: false,
  });
  return withTemplate(spec);
}

const unsetField = (value: unknown) => value === undefined || value === null;

/** Names its pods by its own uid, so that no two jobs can select each other's. */
function withSelector(job: Job): Job {
  const { uid, name } = job.metadata;
  const { template, selector } = job.spec;
  const own = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const labels = { ...own, ...template?.metadata?.labels };
  const matchLabels = { 'batch.kubernetes.io/controller-uid': uid, ...selector?.matchLabels };
  return {
    ...job,
    spec: {
      ...job.spec,
      selector: { ...selector, matchLabels },
      template: { ...template, metadata: { ...template?.metadata, labels } },
    },
  };
}

function jobErrors({ spec }: Job): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'])
    errors.push(...nonNegative(`spec.${field}`, (spec as Loose)[field]));
  errors.push(...templateErrors(spec.template, 'spec.template'));
  const path = 'spec.template.spec.restartPolicy';
  const policy = spec.template?.spec?.restartPolicy ?? 'Always';
  if (policy === 'Always') errors.push(required(path, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.push(notSupported(path, policy, ['OnFailure', 'Never']));
  return errors;
}

/** The old template with what may change of it taken from the new one. */
function steered(old: PodTemplate, next: PodTemplate): PodTemplate {
  const { nodeSelector, tolerations, schedulingGates } = next.spec;
  const nodeAffinity = next.spec.affinity?.nodeAffinity;
  const affinity = { ...old.spec.affinity, nodeAffinity } as Affinity;
  const empty = Object.values(affinity).every((value) => value === undefined);
  const spec = { ...old.spec, nodeSelector, tolerations, schedulingGates, affinity: empty ? undefined : affinity };
  const { labels, annotations } = next.metadata ?? {};
  return { ...old, metadata: { ...old.metadata, labels, annotations }, spec } as unknown as PodTemplate;
}

function jobUpdateErrors(next: Job, current: Job): FieldError[] {
  if (next.spec === current.spec) return [];
  const errors = jobErrors(next);
  const [to, from] = [next.spec as Loose, current.spec as Loose];
  const fixed = ['selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'];
  if (to.completionMode !== 'Indexed') fixed.unshift('completions');
  for (const field of fixed) if (!same(to[field], from[field])) errors.push(immutable(`spec.${field}`, to[field]));
  // A suspended job that has not begun may still be told where to run.
  const steerable = from.suspend === true && !current.status?.startTime;
  const template = steerable ? steered(current.spec.template, next.spec.template) : current.spec.template;
  if (!same(next.spec.template, template)) errors.push(immutable('spec.template', next.spec.template));
  return errors;
}

export const jobs: Strategy<Job> = {
  // For old clients batch/v1 leaves the pods behind unless the deletion says otherwise; kubectl always says.
  orphansByDefault: true,
  newGeneration: newSpec,
  newStatus: () => ({}),
  defaults: (given) => {
    const job = changing(given, 'spec', jobSpec);
    const labels = job.spec?.template?.metadata?.labels;
    if (!labels || Object.keys(job.metadata.labels ?? {}).length > 0) return job;
    return { ...job, metadata: { ...job.metadata, labels } };
  },
  prepareCreate: (job) => ((job.spec as Loose).manualSelector ? job : withSelector(job)),
  validate: jobErrors,
  validateUpdate: jobUpdateErrors,
};

export const cronJobs: Strategy = {
  newGeneration: newSpec,
  newStatus: () => ({}),
  defaults: (job: KubeObject) =>
    changing(job, 'spec', (given: Loose) => {
      const spec = filled(given, {
        concurrencyPolicy: 'Allow',
        suspend: false,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 1,
      });
      return changing(spec, 'jobTemplate', (template: Loose) => changing(template, 'spec', withTemplate));
    }),
};
