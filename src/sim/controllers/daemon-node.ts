/** One DaemonSet on one node: what to make, what to delete, what it counts for. Pure (pkg/controller/daemon/daemon_controller.go). */
import type { Millis } from '../../lib/clock.ts';
import { isPodReady } from '../conditions.ts';
import type { Pod } from '../kubernetes.ts';
import { isUpdated, type Placement } from './daemon-pods.ts';
import { availableIn, isAvailable } from './pod-state.ts';

/** The set as its pods are judged by. */
export interface DaemonView {
  readonly hash: string;
  readonly generation: string | undefined;
  readonly minReadySeconds: number;
  readonly surges: boolean;
  readonly now: Millis;
}

/** What a node adds to the set's status; each 0 or 1. */
export interface NodeTally {
  readonly desired: number;
  readonly scheduled: number;
  readonly misscheduled: number;
  readonly ready: number;
  readonly available: number;
  readonly updated: number;
  /** A pod of another revision is there and not being deleted. */
  readonly outdated: number;
}

export const NO_TALLY: NodeTally = { desired: 0, scheduled: 0, misscheduled: 0, ready: 0, available: 0, updated: 0, outdated: 0 };

const text = (a: string, b: string) => (a < b ? -1 : Number(a > b));

/** Those on a node first, then the oldest. */
export function daemonPodOrder(a: Pod, b: Pod): number {
  return (
    Number(!a.spec.nodeName) - Number(!b.spec.nodeName) ||
    text(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
    text(a.metadata.name, b.metadata.name)
  );
}

export const isUpdatedIn = ({ hash, generation }: DaemonView, pod: Pod): boolean => isUpdated(pod, hash, generation);
export const isAvailableIn = ({ minReadySeconds, now }: DaemonView, pod: Pod): boolean => isAvailable(pod, minReadySeconds, now);

export interface NodeNeeds {
  readonly create: boolean;
  readonly remove: readonly Pod[];
}

const NOTHING: NodeNeeds = { create: false, remove: [] };

/** With surge two pods may run: an old one that is ready, and a new one that is not available yet. Everything else goes. */
function surplusWhileSurging(view: DaemonView, running: readonly Pod[]): Pod[] {
  const isNew = (pod: Pod) => pod.metadata.labels?.['controller-revision-hash'] === view.hash;
  const fresh = running.find(isNew);
  const stale = running.find((pod) => !isNew(pod));
  const surplus = running.filter((pod) => pod !== fresh && pod !== stale);
  if (fresh && stale && (!isPodReady(stale) || isAvailableIn(view, fresh))) surplus.push(stale);
  return surplus;
}

/**
 * What a node needs. `pods` are those of the set on it, without the finished ones that are being deleted; `mayRemove` holds a failed pod
 * back while its node is in back-off.
 */
export function nodeNeeds(
  view: DaemonView,
  placement: Placement,
  pods: readonly Pod[],
  mayRemove: (failed: Pod) => boolean,
): NodeNeeds {
  if (placement.run && pods.length === 0) return { create: true, remove: [] };
  const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (!placement.stay) return alive.length > 0 ? { create: false, remove: alive } : NOTHING;
  const running: Pod[] = [];
  const remove: Pod[] = [];
  for (const pod of alive) {
    if (pod.status?.phase === 'Failed') {
      if (mayRemove(pod)) remove.push(pod);
    } else if (pod.status?.phase === 'Succeeded') remove.push(pod);
    else running.push(pod);
  }
  running.sort(daemonPodOrder);
  if (!view.surges) return { create: false, remove: [...remove, ...running.slice(1)] };
  if (running.length === 0) return { create: placement.run, remove };
  return { create: false, remove: running.length === 1 ? remove : [...remove, ...surplusWhileSurging(view, running)] };
}

export function nodeTally(view: DaemonView, { run }: Placement, pods: readonly Pod[]): NodeTally {
  const [first] = pods.toSorted(daemonPodOrder);
  const outdated = Number(pods.some((pod) => pod.metadata.deletionTimestamp === undefined && !isUpdatedIn(view, pod)));
  if (!run) return first ? { ...NO_TALLY, misscheduled: 1, outdated } : NO_TALLY;
  if (!first) return { ...NO_TALLY, desired: 1 };
  return {
    desired: 1,
    scheduled: 1,
    misscheduled: 0,
    ready: Number(isPodReady(first)),
    available: Number(isAvailableIn(view, first)),
    updated: Number(isUpdatedIn(view, first)),
    outdated,
  };
}

/** Until one of these pods becomes available on its own; undefined when none does. */
export function nextAvailable({ minReadySeconds, now }: DaemonView, pods: readonly Pod[]): Millis | undefined {
  const waits = pods.flatMap((pod) => availableIn(pod, minReadySeconds, now) || []);
  return waits.length > 0 ? Math.min(...waits) : undefined;
}
