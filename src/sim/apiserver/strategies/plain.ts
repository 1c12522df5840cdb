/** Kinds with few rules of their own. */
import type { HorizontalPodAutoscaler, KubeObject, Lease, Namespace } from '../../kubernetes.ts';
import { same } from '../../store/same.ts';
import { dnsLabel, pathSegment } from '../names.ts';
import { forbiddenField, immutable, invalidValue, type FieldError } from '../refusals.ts';
import { changing, filled, mapped, type Loose } from './fill.ts';
import type { Strategy } from './strategy.ts';
import { newSpec } from './workloads.ts';

const NAME_LABEL = 'kubernetes.io/metadata.name';

export const namespaces: Strategy<Namespace> = {
  validName: dnsLabel,
  newStatus: () => ({ phase: 'Active' }),
  defaults: (namespace) => {
    const { name, labels } = namespace.metadata;
    if (labels?.[NAME_LABEL] === name) return namespace;
    return { ...namespace, metadata: { ...namespace.metadata, labels: { ...labels, [NAME_LABEL]: name } } };
  },
  prepareCreate: (namespace) => {
    const finalizers = namespace.spec?.finalizers ?? [];
    if (finalizers.includes('kubernetes')) return namespace;
    return { ...namespace, spec: { ...namespace.spec, finalizers: [...finalizers, 'kubernetes'] } };
  },
  // Only the finalize subresource changes them.
  prepareUpdate: (next, current) =>
    same(next.spec?.finalizers, current.spec?.finalizers) ? next : { ...next, ...(current.spec && { spec: current.spec }) },
};

/** `data` and the like of an object that says it is immutable. */
const frozen =
  (...fields: readonly string[]) =>
  (next: KubeObject, current: KubeObject): FieldError[] => {
    if (current.immutable !== true) return [];
    const because = 'field is immutable when `immutable` is set';
    const errors = next.immutable === true ? [] : [forbiddenField('immutable', because)];
    for (const field of fields) if (!same(next[field], current[field])) errors.push(forbiddenField(field, because));
    return errors;
  };

export const configMaps: Strategy = { validateUpdate: frozen('data', 'binaryData') };

/** Written as text, kept as base64. */
function encoded(secret: KubeObject): KubeObject {
  const { stringData, ...rest } = secret;
  if (!stringData) return secret;
  const texts = Object.entries(stringData as Record<string, string>).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  return { ...rest, data: { ...(secret.data as object | undefined), ...Object.fromEntries(texts) } };
}

export const secrets: Strategy = {
  defaults: (secret) => filled(encoded(secret), { type: 'Opaque' }),
  validateUpdate: (next, current) => [
    ...(next.type === current.type ? [] : [immutable('type', next.type)]),
    ...frozen('data')(next, current),
  ],
};

export const priorityClasses: Strategy = {
  newGeneration: () => false,
  defaults: (priorityClass) => filled(priorityClass, { preemptionPolicy: 'PreemptLowerPriority' }),
  validate: (priorityClass) => {
    const { name } = priorityClass.metadata;
    const value = Number(priorityClass.value ?? 0);
    if (name.startsWith('system-') && SYSTEM_PRIORITIES[name] !== value)
      return [
        forbiddenField(
          'metadata.name',
          `priority class names with 'system-' prefix are reserved for system use only. error: ${name} is not a known system priority class`,
        ),
      ];
    if (!name.startsWith('system-') && value > 1_000_000_000)
      return [forbiddenField('value', 'maximum allowed value of a user defined priority is 1000000000')];
    return [];
  },
  validateUpdate: (next, current) => [
    ...(next.value === current.value ? [] : [forbiddenField('value', 'may not be changed in an update.')]),
    ...(next.preemptionPolicy === current.preemptionPolicy ? [] : [immutable('preemptionPolicy', next.preemptionPolicy)]),
  ],
};

/** The two that every cluster has. */
export const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

export const leases: Strategy<Lease> = {
  unconditionalUpdate: false,
  createOnUpdate: true,
  validate: leaseErrors,
  validateUpdate: (next, current) => (next.spec === current.spec ? [] : leaseErrors(next)),
};

function leaseErrors({ spec }: Lease): FieldError[] {
  const seconds = spec?.leaseDurationSeconds;
  return seconds !== undefined && seconds !== null && seconds <= 0
    ? [invalidValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0')]
    : [];
}

const hpaMetrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];

export const autoscalers: Strategy<HorizontalPodAutoscaler> = {
  newStatus: () => ({ currentMetrics: null, desiredReplicas: 0 }),
  defaults: (autoscaler) => changing(autoscaler, 'spec', (spec: Loose) => filled(spec, { minReplicas: 1, metrics: hpaMetrics })),
  validate: ({ spec }) => autoscalerErrors(spec),
  validateUpdate: (next, current) => (next.spec === current.spec ? [] : autoscalerErrors(next.spec)),
};

function autoscalerErrors({ minReplicas = 1, maxReplicas }: HorizontalPodAutoscaler['spec']): FieldError[] {
  const errors: FieldError[] = [];
  if (minReplicas < 1) errors.push(invalidValue('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  if (!(maxReplicas >= 1)) errors.push(invalidValue('spec.maxReplicas', maxReplicas ?? 0, 'must be greater than 0'));
  if (maxReplicas < minReplicas)
    errors.push(invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  return errors;
}

export const endpointSlices: Strategy = {
  // Everything but the metadata counts, and of that the labels.
  newGeneration: (next, current) =>
    !same(next.metadata.labels, current.metadata.labels) ||
    ['endpoints', 'ports', 'addressType'].some((field) => !same(next[field], current[field])),
  defaults: (slice) =>
    changing(slice, 'ports', (ports: readonly Loose[]) =>
      mapped(ports, (port) => ('name' in port && port.protocol ? port : { name: '', protocol: 'TCP', ...port })),
    ),
  validateUpdate: (next, current) =>
    next.addressType === current.addressType ? [] : [immutable('addressType', next.addressType)],
};

export const roles: Strategy = { validName: pathSegment, createOnUpdate: true };

export const roleBindings: Strategy = {
  validName: pathSegment,
  createOnUpdate: true,
  validateUpdate: (next, current) =>
    same(next.roleRef, current.roleRef) ? [] : [invalidValue('roleRef', next.roleRef, 'cannot change roleRef')],
};

export const counted: Strategy = { newGeneration: newSpec };
