/** A pod's phase from its containers. */
import type { Container, ContainerStatus, Pod, PodSpec } from '../kubernetes.ts';

export type Phase = NonNullable<NonNullable<Pod['status']>['phase']>;

/** An init container that stays up beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

interface Tally {
  initializing: number;
  failedInit: number;
  running: number;
  waiting: number;
  stopped: number;
  succeeded: number;
  unknown: number;
}

function countInit(tally: Tally, container: Container, status: ContainerStatus | undefined, initialized: boolean): void {
  if (isSidecar(container)) {
    if (!status) tally.unknown++;
    else if (status.state?.running) {
      tally.running++;
      if (!status.started && !initialized) tally.initializing++;
    } else if (status.state?.waiting && !status.lastState?.terminated) {
      tally.waiting++;
      if (!initialized) tally.initializing++;
    }
    return;
  }
  const ended = status?.state?.terminated ?? (status?.state?.waiting && status.lastState?.terminated);
  if (!ended) tally.initializing++;
  else if (ended.exitCode !== 0) tally.failedInit++;
}

function countMain(tally: Tally, status: ContainerStatus | undefined): void {
  const state = status?.state;
  if (state?.running) tally.running++;
  else if (state?.terminated) {
    tally.stopped++;
    if (state.terminated.exitCode === 0) tally.succeeded++;
  } else if (!state?.waiting) tally.unknown++;
  else if (status?.lastState?.terminated) tally.stopped++;
  else tally.waiting++;
}

/**
 * `over`: its containers are stopped for good, whatever the restart policy says. A container that waits for its restart counts as stopped, so
 * a crash loop stays Running (pkg/kubelet/kubelet_pods.go, getPhase).
 */
export function phaseOf(spec: PodSpec, statuses: ReadonlyMap<string, ContainerStatus>, over: boolean): Phase {
  const tally: Tally = { initializing: 0, failedInit: 0, running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0 };
  for (const container of spec.containers) countMain(tally, statuses.get(container.name));
  const initialized = spec.containers.some(({ name }) => {
    const status = statuses.get(name);
    return (
      status?.state?.running !== undefined ||
      status?.state?.terminated !== undefined ||
      status?.lastState?.terminated !== undefined
    );
  });
  for (const container of spec.initContainers ?? []) countInit(tally, container, statuses.get(container.name), initialized);

  if (tally.failedInit > 0 && spec.restartPolicy === 'Never') return 'Failed';
  if (tally.initializing > 0 || tally.waiting > 0) return 'Pending';
  if (tally.running > 0 && tally.unknown === 0) return 'Running';
  if (tally.running > 0 || tally.stopped === 0 || tally.unknown > 0) return 'Pending';
  const allSucceeded = tally.stopped === tally.succeeded;
  if (over) return allSucceeded ? 'Succeeded' : 'Failed';
  if ((spec.restartPolicy ?? 'Always') === 'Always') return 'Running';
  if (allSucceeded) return 'Succeeded';
  return spec.restartPolicy === 'Never' ? 'Failed' : 'Running';
}
