import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../kubernetes.ts';
import type { Kind } from '../api.ts';
import { budgets, cronJobs, daemonSets, deployments, jobs, replicaSets, statefulSets } from '../kinds.ts';
import { createApiBed, refusal } from '../testing/api-bed.ts';

const pod = { containers: [{ name: 'c', image: 'i' }] };
const selector = { matchLabels: { app: 'web' } };
const template = { metadata: { labels: { app: 'web' } }, spec: pod };
const spec = { selector, template };
const jobSpec = { template: { spec: { ...pod, restartPolicy: 'Never' } } };

describe('the defaults of workloads', () => {
  it.each<[string, Kind, object, object]>([
    [
      'Deployment',
      deployments,
      spec,
      {
        replicas: 1,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      },
    ],
    ['Deployment that recreates', deployments, { ...spec, strategy: { type: 'Recreate' } }, { strategy: { type: 'Recreate' } }],
    [
      'Deployment with a surge of none',
      deployments,
      { ...spec, replicas: 0, strategy: { rollingUpdate: { maxSurge: 0 } } },
      { replicas: 0, strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: 0 } } },
    ],
    ['ReplicaSet', replicaSets, spec, { replicas: 1 }],
    [
      'StatefulSet',
      statefulSets,
      { ...spec, volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }] },
      {
        replicas: 1,
        podManagementPolicy: 'OrderedReady',
        revisionHistoryLimit: 10,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        volumeClaimTemplates: [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { name: 'data' },
            spec: { volumeMode: 'Filesystem' },
            status: { phase: 'Pending' },
          },
        ],
      },
    ],
    [
      'StatefulSet that says RollingUpdate',
      statefulSets,
      { ...spec, updateStrategy: { type: 'RollingUpdate' } },
      { updateStrategy: { type: 'RollingUpdate' } },
    ],
    [
      'DaemonSet',
      daemonSets,
      spec,
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }, revisionHistoryLimit: 10 },
    ],
    [
      'Job',
      jobs,
      jobSpec,
      { completions: 1, parallelism: 1, backoffLimit: 6, completionMode: 'NonIndexed', suspend: false, manualSelector: false },
    ],
    [
      'CronJob',
      cronJobs,
      { schedule: '* * * * *', jobTemplate: { spec: jobSpec } },
      { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 },
    ],
  ])('%s', (_, kind, given, expected) => {
    const { make } = createApiBed();
    const { metadata, spec: made } = make(kind, 'x', { spec: given }) as KubeObject & { spec: object };
    expect(made).toMatchObject(expected);
    expect(metadata.generation).toBe(1);
  });

  it('a Job selects its pods by its uid, and passes its template`s labels on to itself', () => {
    const { make } = createApiBed();
    const job = make(jobs, 'x', { spec: { template: { ...jobSpec.template, metadata: { labels: { app: 'batch' } } } } });
    const { uid } = job.metadata;
    expect(job.spec.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': uid } });
    expect(job.spec.template.metadata?.labels).toEqual({
      app: 'batch',
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': 'x',
      'controller-uid': uid,
      'job-name': 'x',
    });
    expect(job.metadata.labels).toEqual({ app: 'batch' });
  });
});

describe('a workload is refused', () => {
  it.each<[string, Kind, object, string]>([
    [
      'without a selector',
      deployments,
      { template },
      '[spec.selector: Required value, spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`]',
    ],
    [
      'with a selector of nothing',
      daemonSets,
      { template, selector: {} },
      'spec.selector: Invalid value: {}: empty selector is invalid for daemonset',
    ],
    [
      'with another template',
      statefulSets,
      { selector: { matchLabels: { app: 'other' } }, template },
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
    [
      'with pods that do not restart',
      replicaSets,
      { selector, template: { ...template, spec: { ...pod, restartPolicy: 'Never' } } },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
    [
      'with fewer than none',
      deployments,
      { ...spec, replicas: -1 },
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      'that could never roll',
      deployments,
      { ...spec, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
    [
      'that recreates and rolls',
      deployments,
      { ...spec, strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } },
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
    [
      'that surges and makes unavailable',
      daemonSets,
      { ...spec, updateStrategy: { rollingUpdate: { maxSurge: 1 } } },
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ],
    [
      'that always restarts a job',
      jobs,
      { template: { spec: pod } },
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
    [
      'with both figures of a budget',
      budgets,
      { minAvailable: 1, maxUnavailable: 1 },
      'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
    ],
    [
      'with more than all',
      budgets,
      { maxUnavailable: '101%' },
      'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
    [
      'with a budget of a word',
      budgets,
      { minAvailable: 'half' },
      "spec.minAvailable: Invalid value: \"half\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
    [
      'with an unknown policy',
      budgets,
      { unhealthyPodEvictionPolicy: 'Never' },
      'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
    ],
    [
      'with an empty set in a selector',
      budgets,
      { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
  ])('%s', (_, kind, given, expected) => {
    const { make } = createApiBed();
    const name = kind.group ? `${kind.kind}.${kind.group}` : kind.kind;
    expect(refusal(() => make(kind, 'x', { spec: given }))).toBe(`422 Invalid: ${name} "x" is invalid: ${expected}`);
  });
});

describe('what a workload may not change', () => {
  it.each<[string, Kind, object, object, string]>([
    [
      'the selector of a Deployment',
      deployments,
      spec,
      {
        selector: { matchLabels: { app: 'web', more: 'x' } },
        template: { metadata: { labels: { app: 'web', more: 'x' } }, spec: pod },
      },
      'spec.selector: Invalid value: {"matchLabels":{"app":"web","more":"x"}}: field is immutable',
    ],
    [
      'the service of a StatefulSet',
      statefulSets,
      spec,
      { serviceName: 'other' },
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ],
    ['the completions of a Job', jobs, jobSpec, { completions: 5 }, 'spec.completions: Invalid value: 5: field is immutable'],
  ])('%s', (_, kind, given, changes, expected) => {
    const { api, make } = createApiBed();
    make(kind, 'x', { spec: given });
    const write = () => api.modify(kind, 'default', 'x', (one) => ({ ...one, spec: { ...(one.spec as object), ...changes } }));
    expect(refusal(write)).toBe(`422 Invalid: ${kind.kind}.${kind.group} "x" is invalid: ${expected}`);
  });

  it('the template of a Job, but for where a suspended one is to run', () => {
    const { api, make } = createApiBed();
    make(jobs, 'x', { spec: { ...jobSpec, suspend: true } });
    make(jobs, 'y', { spec: jobSpec });
    const change = (name: string, to: object) => () =>
      api.modify(jobs, 'default', name, (one) => ({
        ...one,
        spec: { ...one.spec, template: { ...one.spec.template, spec: { ...one.spec.template.spec, ...to } } },
      }));
    expect(change('x', { nodeSelector: { zone: 'a' } })()?.metadata.generation).toBe(2);
    expect(refusal(change('y', { nodeSelector: { zone: 'a' } }))).toMatch(
      /: spec\.template: Invalid value: .*: field is immutable$/,
    );
    expect(refusal(change('x', { terminationGracePeriodSeconds: 1 }))).toMatch(
      /: spec\.template: Invalid value: .*: field is immutable$/,
    );
  });

  it('but replicas, template and partition of a StatefulSet it may', () => {
    const { api, make } = createApiBed();
    make(statefulSets, 'x', { spec });
    const next = api.modify(statefulSets, 'default', 'x', (one) => ({
      ...one,
      spec: { ...one.spec, replicas: 3, updateStrategy: { type: 'RollingUpdate' as const, rollingUpdate: { partition: 2 } } },
    }));
    expect(next?.metadata.generation).toBe(2);
  });
});
