/** The status that a kubelet writes: containers in, phase and conditions out. */
import { conditionOf, withCondition } from '../conditions.ts';
import { copyOf, type Writable } from '../copy.ts';
import type { Condition, Container, ContainerStatus, Pod, PodSpec } from '../kubernetes.ts';
import { isSidecar, phaseOf } from './phase.ts';

export type PodStatus = NonNullable<Pod['status']>;

const OWN_CONDITIONS = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']);

/** What is known of a container that has not run yet. */
export function waitingStatus(container: Container, reason: string): ContainerStatus {
  return {
    name: container.name,
    state: { waiting: { reason } },
    lastState: {},
    ready: false,
    restartCount: 0,
    image: container.image ?? '',
    imageID: '',
    started: false,
  };
}

/** Every container waiting, as before the sandbox is there. */
export function creatingStatuses(spec: PodSpec): Pick<PodStatus, 'containerStatuses' | 'initContainerStatuses'> {
  const reason = spec.initContainers?.length ? 'PodInitializing' : 'ContainerCreating';
  return {
    ...(spec.initContainers?.length && { initContainerStatuses: spec.initContainers.map((each) => waitingStatus(each, reason)) }),
    containerStatuses: spec.containers.map((each) => waitingStatus(each, reason)),
  };
}

interface Judgement {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

const yes: Judgement = { status: 'True' };
const no: Judgement = { status: 'False' };
const unknownContainers: Judgement = { status: 'False', reason: 'UnknownContainerStatuses' };
const list = (names: readonly string[]) => `[${names.join(' ')}]`;

function containersReady(spec: PodSpec, statuses: ReadonlyMap<string, ContainerStatus>, phase: string): Judgement {
  if (statuses.size === 0) return unknownContainers;
  const unknown: string[] = [];
  const unready: string[] = [];
  const sidecars = spec.initContainers?.filter(isSidecar) ?? [];
  for (const container of sidecars.length > 0 ? [...sidecars, ...spec.containers] : spec.containers) {
    const status = statuses.get(container.name);
    if (!status) unknown.push(container.name);
    else if (!status.ready) unready.push(container.name);
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const messages: string[] = [];
  if (unknown.length > 0) messages.push(`containers with unknown status: ${list(unknown)}`);
  if (unready.length > 0) messages.push(`containers with unready status: ${list(unready)}`);
  return messages.length === 0 ? yes : { status: 'False', reason: 'ContainersNotReady', message: messages.join(', ') };
}

function gatesPassed(spec: PodSpec, conditions: readonly Condition[]): Judgement {
  if (!spec.readinessGates) return yes;
  const messages: string[] = [];
  for (const { conditionType } of spec.readinessGates) {
    const condition = conditionOf(conditions, conditionType);
    if (!condition) messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (condition.status !== 'True')
      messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`);
  }
  return messages.length === 0 ? yes : { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

function initialized(spec: PodSpec, statuses: ReadonlyMap<string, ContainerStatus>, phase: string): Judgement {
  if (!spec.initContainers?.length) return yes;
  if (statuses.size === 0) return unknownContainers;
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  const begun = spec.containers.some(({ name }) => {
    const status = statuses.get(name);
    return status?.state?.running ?? status?.state?.terminated ?? status?.lastState?.terminated;
  });
  if (begun) return yes;
  const open = spec.initContainers.filter((each) => {
    const status = statuses.get(each.name);
    return isSidecar(each) ? !status?.started : !status?.ready;
  });
  if (open.length === 0) return yes;
  const names = list(open.map(({ name }) => name));
  return { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: ${names}` };
}

export interface Observation {
  readonly containerStatuses: readonly ContainerStatus[] | undefined;
  readonly initContainerStatuses?: readonly ContainerStatus[] | undefined;
  /** The sandbox with its network stands. */
  readonly sandbox: boolean;
  /** Stopped for good; a pod that never started is Failed then. */
  readonly over?: boolean | undefined;
  /** RFC 3339. */
  readonly now: string;
  readonly hostIP?: string | undefined;
  readonly podIP?: string | undefined;
  /** For a pod that the kubelet itself ended: phase Failed with this. */
  readonly ended?: { readonly reason: string; readonly message: string } | undefined;
  /** It was the kubelet that made the pod go: DisruptionTarget with this message. */
  readonly disrupted?: string | undefined;
}

function terminatedHere(message: string): Condition {
  return { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message };
}

/**
 * The pod's next status: conditions of others are kept and stand first, the kubelet's own follow in its order
 * (pkg/kubelet/kubelet_pods.go, generateAPIPodStatus; status/generate.go; status/status_manager.go, mergePodStatus).
 */
export function podStatus(pod: Pod, seen: Observation): PodStatus {
  const { spec, metadata } = pod;
  const old: PodStatus = pod.status ?? {};
  const statuses = new Map<string, ContainerStatus>();
  if (seen.initContainerStatuses) for (const status of seen.initContainerStatuses) statuses.set(status.name, status);
  if (seen.containerStatuses) for (const status of seen.containerStatuses) statuses.set(status.name, status);

  let phase = seen.ended ? ('Failed' as const) : phaseOf(spec, statuses, seen.over === true);
  if (seen.over && (phase === 'Pending' || phase === 'Running')) phase = 'Failed';
  const foreign = (old.conditions ?? []).filter(({ type }) => !OWN_CONDITIONS.has(type));
  const others = seen.disrupted === undefined ? foreign : withCondition(foreign, terminatedHere(seen.disrupted), seen.now);
  const ready = containersReady(spec, statuses, phase);
  const own = (type: string, judged: Judgement): Condition => {
    const before = conditionOf(old.conditions, type);
    const kept = before?.status === judged.status ? before.lastTransitionTime : undefined;
    const same = before?.reason === judged.reason && before?.message === judged.message;
    // The same object where nothing has changed: five conditions a pod, written again and again, are most of what would be thrown away.
    if (before && kept && same && before.observedGeneration === metadata.generation) return before;
    const next = { type } as Writable<Condition>;
    if (metadata.generation !== undefined) next.observedGeneration = metadata.generation;
    next.status = judged.status;
    if (judged.reason !== undefined) next.reason = judged.reason;
    if (judged.message !== undefined) next.message = judged.message;
    next.lastProbeTime = null;
    next.lastTransitionTime = kept ?? seen.now;
    return next;
  };
  const podIP = seen.podIP ?? old.podIP;
  const status: Writable<PodStatus> = copyOf(old);
  if (metadata.generation !== undefined) status.observedGeneration = metadata.generation;
  status.phase = phase;
  if (seen.ended) {
    status.reason = seen.ended.reason;
    status.message = seen.ended.message;
  }
  status.conditions = [
    ...others,
    own('PodReadyToStartContainers', seen.sandbox ? yes : no),
    own('Initialized', initialized(spec, statuses, phase)),
    own('Ready', ready.status === 'True' ? gatesPassed(spec, others) : ready),
    own('ContainersReady', ready),
    own('PodScheduled', yes),
  ];
  if (seen.hostIP !== undefined && seen.hostIP !== old.hostIP) {
    status.hostIP = seen.hostIP;
    status.hostIPs = [{ ip: seen.hostIP }];
  }
  if (podIP !== undefined && podIP !== old.podIP) {
    status.podIP = podIP;
    status.podIPs = [{ ip: podIP }];
  }
  status.startTime = old.startTime ?? seen.now;
  if (seen.initContainerStatuses) status.initContainerStatuses = seen.initContainerStatuses;
  if (seen.containerStatuses) status.containerStatuses = seen.containerStatuses;
  return status;
}
