/** `kubectl get pods`: the status cell has rules of its own (printers.go `printPod`). */
import type { Millis } from '../../../lib/clock.ts';
import type { ContainerStatus, Pod } from '../../kubernetes.ts';
import { age, type Cell, printer, since } from './cell.ts';

interface Told {
  reason: string;
  ready: number;
  restarts: number;
  /** RFC 3339, or empty. */
  lastRestart: string;
}

const isSidecar = (pod: Pod, name: string) =>
  pod.spec.initContainers?.some((container) => container.name === name && container.restartPolicy === 'Always') === true;

const later = (a: string, b: string | undefined) => (b !== undefined && b > a ? b : a);

type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;
const endOf = ({ reason, exitCode }: Terminated) => reason || `ExitCode:${exitCode}`;

/** True when the pod is still in its init containers. */
function readInitContainers(pod: Pod, told: Told, sidecars: { restarts: number; lastRestart: string }): boolean {
  const statuses = pod.status?.initContainerStatuses ?? [];
  for (const [index, status] of statuses.entries()) {
    const finished = status.lastState?.terminated?.finishedAt;
    told.restarts += status.restartCount;
    told.lastRestart = later(told.lastRestart, finished);
    const sidecar = isSidecar(pod, status.name);
    if (sidecar) {
      sidecars.restarts += status.restartCount;
      sidecars.lastRestart = later(sidecars.lastRestart, finished);
    }
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecar && status.started) {
      if (status.ready) told.ready++;
      continue;
    }
    if (terminated) told.reason = `Init:${endOf(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') told.reason = `Init:${waiting.reason}`;
    else told.reason = `Init:${index}/${pod.spec.initContainers?.length ?? 0}`;
    return true;
  }
  return false;
}

function readContainers(pod: Pod, told: Told): void {
  let running = false;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    told.restarts += status.restartCount;
    told.lastRestart = later(told.lastRestart, status.lastState?.terminated?.finishedAt);
    const { waiting, terminated, running: runs } = status.state ?? {};
    if (waiting?.reason) told.reason = waiting.reason;
    else if (terminated) told.reason = endOf(terminated);
    else if (status.ready && runs) {
      running = true;
      told.ready++;
    }
  }
  if (told.reason === 'Completed' && running) {
    told.reason = hasTrue(pod, 'Ready') ? 'Running' : 'NotReady';
  }
}

const hasTrue = (pod: Pod, type: string) =>
  pod.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;

function statusOf(pod: Pod): Told {
  const { phase = '', reason } = pod.status ?? {};
  const gated = pod.status?.conditions?.some((it) => it.type === 'PodScheduled' && it.reason === 'SchedulingGated');
  const told: Told = { reason: gated ? 'SchedulingGated' : reason || phase, ready: 0, restarts: 0, lastRestart: '' };
  const sidecars = { restarts: 0, lastRestart: '' };
  const initializing = readInitContainers(pod, told, sidecars);
  if (!initializing || hasTrue(pod, 'Initialized')) {
    Object.assign(told, sidecars);
    readContainers(pod, told);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (reason === 'NodeLost') told.reason = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') told.reason = 'Terminating';
  }
  return told;
}

function gatesCell(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter((gate) => hasTrue(pod, gate.conditionType)).length}/${gates.length}`;
}

function cells(pod: Pod, now: Millis): Cell[] {
  const { reason, ready, restarts, lastRestart } = statusOf(pod);
  const sidecars = pod.spec.initContainers?.filter((container) => container.restartPolicy === 'Always').length ?? 0;
  return [
    `${ready}/${pod.spec.containers.length + sidecars}`,
    reason,
    restarts > 0 && lastRestart !== '' ? `${restarts} (${since(lastRestart, now)} ago)` : String(restarts),
    age(pod, now),
    pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>',
    pod.spec.nodeName || '<none>',
    pod.status?.nominatedNodeName || '<none>',
    gatesCell(pod),
  ];
}

export const podTable = printer<Pod>('Ready Status Restarts Age IP* Node* Nominated_Node* Readiness_Gates*', cells);
