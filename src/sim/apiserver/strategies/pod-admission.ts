/** What admission puts into a new pod: tolerations, priority, service account; and its quality of service. */
import type { Container, KubeObject, Pod, PodSpec, Toleration } from '../../kubernetes.ts';
import { milliOf, unitsOf } from '../../quantity.ts';
import { pods, priorityClasses } from '../kinds.ts';
import { forbidden } from '../refusals.ts';
import { filled, memo } from './fill.ts';
import type { Server } from './strategy.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';

const patience = (key: string): Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
const notReady = patience(NOT_READY);
const unreachable = patience(UNREACHABLE);
const both: readonly Toleration[] = [notReady, unreachable];

const tolerates = (list: readonly Toleration[], key: string) =>
  list.some((one) => (!one.key || one.key === key) && (!one.effect || one.effect === 'NoExecute'));

const withPatience = memo((list: readonly Toleration[]): readonly Toleration[] => {
  const added = both.filter(({ key }) => !tolerates(list, key as string));
  return added.length > 0 ? [...list, ...added] : list;
});

/** Every pod stands a node that is not ready or unreachable for 300 s (plugin/pkg/admission/defaulttolerationseconds). */
export const defaultTolerations = (list: readonly Toleration[] | undefined) => (list?.length ? withPatience(list) : both);

interface PriorityClass extends KubeObject {
  readonly value: number;
  readonly globalDefault?: boolean;
  readonly preemptionPolicy?: 'PreemptLowerPriority' | 'Never';
}

const unasked = ({ priority, preemptionPolicy }: PodSpec) =>
  !priority && (!preemptionPolicy || preemptionPolicy === 'PreemptLowerPriority');

const withoutClass = memo((spec: PodSpec): PodSpec => ({ ...spec, priority: 0, preemptionPolicy: 'PreemptLowerPriority' }));

/** Resolves the class to a number (plugin/pkg/admission/priority). */
function withPriority(pod: Pod, server: Server): PodSpec {
  const { spec } = pod;
  const name = spec.priorityClassName;
  const found = name
    ? server.get(priorityClasses, '', name)
    : server.list(priorityClasses).find((each) => (each as PriorityClass).globalDefault);
  if (!found && !name && unasked(spec)) return withoutClass(spec);
  const podName = pod.metadata.name;
  if (name && !found) throw forbidden(pods, podName, `no PriorityClass with name ${name} was found`);
  const chosen = found as PriorityClass | undefined;
  const priority = chosen?.value ?? 0;
  const preemptionPolicy = chosen ? (chosen.preemptionPolicy ?? 'PreemptLowerPriority') : 'PreemptLowerPriority';
  if (spec.priority !== undefined && spec.priority !== null && spec.priority !== priority)
    throw forbidden(
      pods,
      podName,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
    );
  if (spec.preemptionPolicy && spec.preemptionPolicy !== preemptionPolicy)
    throw forbidden(
      pods,
      podName,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    );
  return {
    ...spec,
    ...(chosen && { priorityClassName: chosen.metadata.name }),
    priority,
    preemptionPolicy,
  };
}

/** The same for all pods of one template, so it is worked out once for each spec. */
const accounted = memo((spec: PodSpec): PodSpec => {
  const account = (spec as { serviceAccountName?: string }).serviceAccountName || 'default';
  const tolerations = defaultTolerations(spec.tolerations);
  const out = filled(spec, { serviceAccountName: account, serviceAccount: account });
  return tolerations === spec.tolerations ? out : { ...out, tolerations };
});

export function admittedSpec(pod: Pod, server: Server): PodSpec {
  return withPriority({ ...pod, spec: accounted(pod.spec) }, server);
}

const COMPUTED = ['cpu', 'memory'] as const;

const amount = (name: string, quantity: string | number | undefined) => (name === 'cpu' ? milliOf(quantity) : unitsOf(quantity));

/** kubernetes pkg/apis/core/helper/qos/qos.go. */
export function qualityOfService(spec: PodSpec): string {
  const requests = new Map<string, number>();
  const limits = new Map<string, number>();
  let guaranteed = true;
  const add = (sums: Map<string, number>, name: string, quantity: string | number | undefined) => {
    const value = amount(name, quantity);
    if (value > 0) sums.set(name, (sums.get(name) ?? 0) + value);
    return value > 0;
  };
  const look = ({ resources }: Container) => {
    for (const name of COMPUTED) {
      add(requests, name, resources?.requests?.[name]);
      if (!add(limits, name, resources?.limits?.[name])) guaranteed = false;
    }
  };
  spec.containers?.forEach(look);
  spec.initContainers?.forEach(look);
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  if (guaranteed && requests.size === limits.size && [...requests].every(([name, value]) => limits.get(name) === value))
    return 'Guaranteed';
  return 'Burstable';
}

export const qualityOf = memo((containers: readonly Container[]) => qualityOfService({ containers }));
