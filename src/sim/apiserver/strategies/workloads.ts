/** Deployments, ReplicaSets, StatefulSets, DaemonSets (kubernetes pkg/apis/apps/v1/defaults.go, pkg/registry/apps). */
import type { ClaimSpec, DaemonSet, Deployment, KubeObject, PodTemplate, ReplicaSet, StatefulSet } from '../../kubernetes.ts';
import { same } from '../../store/same.ts';
import { dnsLabel } from '../names.ts';
import { forbiddenField, immutable, invalidValue, notSupported, required, type FieldError } from '../refusals.ts';
import { changing, filled, mapped, type Loose } from './fill.ts';
import { templateSpec } from './pod-defaults.ts';
import type { Strategy } from './strategy.ts';
import { amountOf, intOrPercentErrors, nonNegative, selectionErrors } from './workload-validation.ts';

export const newSpec = (next: KubeObject, current: KubeObject) => !same(next.spec, current.spec);

export const withTemplate = <T extends object>(spec: T): T =>
  changing(spec, 'template', (template: PodTemplate) => changing(template, 'spec', templateSpec));

const rolling = (strategy: Loose, defaults: Loose): Loose => {
  const typed = filled(strategy, { type: 'RollingUpdate' });
  if (typed.type !== 'RollingUpdate') return typed;
  return changing(filled(typed, { rollingUpdate: {} }), 'rollingUpdate', (parameters: Loose) => filled(parameters, defaults));
};

const immutableSelector = (next: { spec: { selector?: unknown } }, current: { spec: { selector?: unknown } }) =>
  same(next.spec.selector, current.spec.selector) ? [] : [immutable('spec.selector', next.spec.selector)];

// The server shows its internal type, whose fields have no JSON names.
const shownStrategy = (type: string | undefined, parameters: object | undefined) => ({
  Type: type ?? '',
  RollingUpdate: parameters ?? null,
});

const quarter = { maxUnavailable: '25%', maxSurge: '25%' };

function deploymentErrors({ spec }: Deployment): FieldError[] {
  const errors = [...nonNegative('spec.replicas', spec.replicas), ...selectionErrors(spec, 'deployment', 'ReplicaSet')];
  const { type, rollingUpdate } = spec.strategy ?? {};
  if (type === 'Recreate') {
    if (rollingUpdate)
      errors.push(forbiddenField('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type === 'RollingUpdate') {
    const path = 'spec.strategy.rollingUpdate';
    errors.push(...intOrPercentErrors(`${path}.maxUnavailable`, rollingUpdate?.maxUnavailable, false));
    errors.push(...intOrPercentErrors(`${path}.maxSurge`, rollingUpdate?.maxSurge, false));
    if (amountOf(rollingUpdate?.maxUnavailable) === 0 && amountOf(rollingUpdate?.maxSurge) === 0)
      errors.push(invalidValue(`${path}.maxUnavailable`, rollingUpdate?.maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
    if (typeof rollingUpdate?.maxUnavailable === 'string' && amountOf(rollingUpdate.maxUnavailable) > 100)
      errors.push(invalidValue(`${path}.maxUnavailable`, rollingUpdate.maxUnavailable, 'must not be greater than 100%'));
  } else errors.push(notSupported('spec.strategy', shownStrategy(type, rollingUpdate), ['Recreate', 'RollingUpdate']));
  errors.push(...nonNegative('spec.minReadySeconds', spec.minReadySeconds));
  errors.push(...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit));
  const deadline = spec.progressDeadlineSeconds;
  errors.push(...nonNegative('spec.progressDeadlineSeconds', deadline));
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0))
    errors.push(invalidValue('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  return errors;
}

export const deployments: Strategy<Deployment> = {
  // Annotations count too: they are copied to the ReplicaSets.
  newGeneration: (next, current) =>
    newSpec(next, current) || !same(next.metadata.annotations ?? {}, current.metadata.annotations ?? {}),
  newStatus: () => ({}),
  statusProtects: ['labels'],
  defaults: (deployment) =>
    changing(deployment, 'spec', (given: Loose) => {
      const spec = filled(given, { replicas: 1, strategy: {}, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
      return withTemplate(changing(spec, 'strategy', (strategy: Loose) => rolling(strategy, quarter)));
    }),
  validate: deploymentErrors,
  validateUpdate: (next, current) =>
    next.spec === current.spec ? [] : [...deploymentErrors(next), ...immutableSelector(next, current)],
};

function replicaSetErrors({ spec }: ReplicaSet): FieldError[] {
  return [
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...selectionErrors(spec, 'deployment', 'ReplicaSet'),
  ];
}

export const replicaSets: Strategy<ReplicaSet> = {
  newGeneration: newSpec,
  newStatus: () => ({ replicas: 0 }),
  defaults: (set) => changing(set, 'spec', (spec: Loose) => withTemplate(filled(spec, { replicas: 1 }))),
  validate: replicaSetErrors,
  validateUpdate: (next, current) =>
    next.spec === current.spec ? [] : [...replicaSetErrors(next), ...immutableSelector(next, current)],
};

function statefulSetErrors({ spec }: StatefulSet): FieldError[] {
  const { podManagementPolicy: policy = '', updateStrategy } = spec;
  const errors: FieldError[] = [];
  if (!['OrderedReady', 'Parallel'].includes(policy))
    errors.push(invalidValue('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  const type = updateStrategy?.type;
  if (type === 'OnDelete') {
    if (updateStrategy?.rollingUpdate)
      errors.push(
        invalidValue(
          'spec.updateStrategy.rollingUpdate',
          updateStrategy.rollingUpdate,
          "only allowed for updateStrategy 'RollingUpdate'",
        ),
      );
  } else if (type === 'RollingUpdate')
    errors.push(...nonNegative('spec.updateStrategy.rollingUpdate.partition', updateStrategy?.rollingUpdate?.partition));
  else errors.push(invalidValue('spec.updateStrategy', updateStrategy, "must be 'RollingUpdate' or 'OnDelete'"));
  errors.push(...nonNegative('spec.replicas', spec.replicas), ...nonNegative('spec.minReadySeconds', spec.minReadySeconds));
  errors.push(...nonNegative('spec.ordinals.start', spec.ordinals?.start));
  return [...errors, ...selectionErrors(withClaimVolumes(spec), 'statefulset', 'StatefulSet')];
}

/** The volumes of the claim templates are there for the mounts, though the template does not name them. */
function withClaimVolumes(spec: StatefulSet['spec']): StatefulSet['spec'] {
  const claims = spec.volumeClaimTemplates ?? [];
  if (claims.length === 0) return spec;
  const names = new Set(claims.map(({ metadata }) => metadata.name));
  const volumes = [
    ...(spec.template.spec.volumes ?? []).filter(({ name }) => !names.has(name)),
    ...[...names].map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
  ];
  return { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, volumes } } };
}

const CHANGEABLE_OF_STATEFUL = [
  'replicas',
  'template',
  'updateStrategy',
  'minReadySeconds',
  'ordinals',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
];

function statefulUpdateErrors(next: StatefulSet, current: StatefulSet): FieldError[] {
  if (next.spec === current.spec) return [];
  const errors = statefulSetErrors(next);
  const fixed = (spec: object) =>
    Object.fromEntries(Object.entries(spec).filter(([field]) => !CHANGEABLE_OF_STATEFUL.includes(field)));
  if (!same(fixed(next.spec), fixed(current.spec)))
    errors.push(
      forbiddenField(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    );
  return errors;
}

interface ClaimTemplate {
  readonly spec: ClaimSpec;
}

const claimTemplate = (template: ClaimTemplate & Loose) =>
  changing(
    filled(template, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', status: { phase: 'Pending' } }),
    'spec',
    (spec: Loose) => filled(spec, { volumeMode: 'Filesystem' }),
  );

export const statefulSets: Strategy<StatefulSet> = {
  validName: dnsLabel,
  newGeneration: newSpec,
  newStatus: () => ({ replicas: 0, availableReplicas: 0 }),
  defaults: (set) =>
    changing(set, 'spec', (given: Loose) => {
      let spec = filled(given, {
        podManagementPolicy: 'OrderedReady',
        replicas: 1,
        revisionHistoryLimit: 10,
        updateStrategy: {},
        persistentVolumeClaimRetentionPolicy: {},
      });
      spec = changing(spec, 'updateStrategy', (strategy: Loose) => {
        // Partition is filled in where there are parameters; a bare "RollingUpdate" gets none (defaults.go).
        const whole = strategy.type ? strategy : filled(strategy, { type: 'RollingUpdate', rollingUpdate: {} });
        if (whole.type !== 'RollingUpdate') return whole;
        return changing(whole, 'rollingUpdate', (parameters: Loose) => filled(parameters, { partition: 0 }));
      });
      spec = changing(spec, 'persistentVolumeClaimRetentionPolicy', (policy: Loose) =>
        filled(policy, { whenDeleted: 'Retain', whenScaled: 'Retain' }),
      );
      spec = changing(spec, 'volumeClaimTemplates', (list: readonly (ClaimTemplate & Loose)[]) => mapped(list, claimTemplate));
      return withTemplate(spec);
    }),
  validate: statefulSetErrors,
  validateUpdate: statefulUpdateErrors,
};

function daemonSetErrors({ spec }: DaemonSet): FieldError[] {
  const errors = [...selectionErrors(spec, 'daemonset', 'DaemonSet')];
  errors.push(...nonNegative('spec.minReadySeconds', spec.minReadySeconds));
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  const path = 'spec.updateStrategy.rollingUpdate';
  if (type === 'RollingUpdate') {
    errors.push(...intOrPercentErrors(`${path}.maxUnavailable`, rollingUpdate?.maxUnavailable));
    errors.push(...intOrPercentErrors(`${path}.maxSurge`, rollingUpdate?.maxSurge));
    const [unavailable, surge] = [amountOf(rollingUpdate?.maxUnavailable), amountOf(rollingUpdate?.maxSurge)];
    if (unavailable !== 0 && surge !== 0)
      errors.push(invalidValue(`${path}.maxSurge`, rollingUpdate?.maxSurge, 'may not be set when maxUnavailable is non-zero'));
    if (unavailable === 0 && surge === 0) errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  } else if (type !== 'OnDelete')
    errors.push(notSupported('spec.updateStrategy', shownStrategy(type, rollingUpdate), ['RollingUpdate', 'OnDelete']));
  return errors;
}

export const daemonSets: Strategy<DaemonSet> = {
  newGeneration: newSpec,
  newStatus: () => ({ currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }),
  defaults: (set) =>
    changing(set, 'spec', (given: Loose) => {
      const spec = filled(given, { updateStrategy: {}, revisionHistoryLimit: 10 });
      return withTemplate(
        changing(spec, 'updateStrategy', (strategy: Loose) => rolling(strategy, { maxUnavailable: 1, maxSurge: 0 })),
      );
    }),
  validate: daemonSetErrors,
  validateUpdate: (next, current) =>
    next.spec === current.spec ? [] : [...daemonSetErrors(next), ...immutableSelector(next, current)],
};
