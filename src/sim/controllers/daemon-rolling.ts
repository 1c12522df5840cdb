/** A DaemonSet's rolling update: which old pods go now, and where new ones come beside them. Pure (pkg/controller/daemon/update.go). */
import type { DaemonSet, Pod } from '../kubernetes.ts';
import { type DaemonView, isAvailableIn, isUpdatedIn } from './daemon-node.ts';
import { scaledValue } from './scaled-value.ts';

export interface RollingLimits {
  readonly surge: number;
  readonly unavailable: number;
}

/** Both rounded up, of the number of nodes that should run a pod; never nothing at all. */
export function daemonLimits({ spec }: DaemonSet, desired: number): RollingLimits {
  const { type = 'RollingUpdate', rollingUpdate } = spec.updateStrategy ?? {};
  if (type !== 'RollingUpdate' || !rollingUpdate) return { surge: 0, unavailable: desired > 0 ? 1 : 0 };
  const surge = scaledValue(rollingUpdate.maxSurge ?? 0, desired, 'up');
  const unavailable = scaledValue(rollingUpdate.maxUnavailable ?? 1, desired, 'up');
  return { surge, unavailable: surge === 0 && unavailable === 0 && desired > 0 ? 1 : unavailable };
}

export const surges = (set: DaemonSet): boolean => daemonLimits(set, 1).surge > 0;

export interface RollingNode {
  readonly name: string;
  /** Whether the set still wants a pod there. */
  readonly run: boolean;
  readonly pods: readonly Pod[];
}

export interface RollingStep {
  readonly remove: readonly Pod[];
  readonly create: readonly string[];
}

interface Pair {
  readonly fresh: Pod | undefined;
  readonly stale: Pod | undefined;
}

/** The new and the old pod that are not being deleted; undefined when there are several of one kind, which is cleaned up elsewhere. */
function pairOf(view: DaemonView, pods: readonly Pod[]): Pair | undefined {
  let fresh: Pod | undefined;
  let stale: Pod | undefined;
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    if (isUpdatedIn(view, pod)) {
      if (fresh) return undefined;
      fresh = pod;
    } else {
      if (stale) return undefined;
      stale = pod;
    }
  }
  return { fresh, stale };
}

/** Old pods that are down are replaced at once; of the others as many as may be unavailable. */
function replaceInPlace(view: DaemonView, nodes: Iterable<RollingNode>, unavailable: number): RollingStep {
  const down: Pod[] = [];
  const candidates: Pod[] = [];
  let missing = 0;
  for (const { pods } of nodes) {
    const pair = pairOf(view, pods);
    if (!pair || (pair.fresh && pair.stale)) missing += 1;
    else if (pair.fresh) missing += Number(!isAvailableIn(view, pair.fresh));
    else if (!pair.stale) missing += 1;
    else if (isAvailableIn(view, pair.stale)) candidates.push(pair.stale);
    else {
      down.push(pair.stale);
      missing += 1;
    }
  }
  return { remove: [...down, ...candidates.slice(0, Math.max(0, unavailable - missing))], create: [] };
}

/** New pods come beside old ones, which go when theirs is available. */
function replaceBeside(view: DaemonView, nodes: Iterable<RollingNode>, surge: number, desired: number): RollingStep {
  const remove: Pod[] = [];
  const unwanted: Pod[] = [];
  const create: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  let available = 0;
  for (const { name, run, pods } of nodes) {
    const pair = pairOf(view, pods);
    if (!pair) {
      surging += 1;
      continue;
    }
    const { fresh, stale } = pair;
    const counted = stale ?? fresh;
    if (counted && isAvailableIn(view, counted)) available += 1;
    if (!stale) continue;
    if (fresh) {
      if (isAvailableIn(view, fresh)) remove.push(stale);
      else surging += 1;
    } else if (isAvailableIn(view, stale)) {
      if (run) candidates.push(name);
      else unwanted.push(stale);
    } else if (run) create.push(name);
    else remove.push(stale);
  }
  // Where the set left a node for another, the old pod goes only when enough others are available.
  remove.push(...unwanted.slice(0, Math.max(0, available - desired)));
  create.push(...candidates.slice(0, Math.max(0, surge - surging)));
  return { remove, create };
}

/** `nodes`: every node that should run a pod or has one. */
export function rollingStep(view: DaemonView, limits: RollingLimits, desired: number, nodes: Iterable<RollingNode>): RollingStep {
  return limits.surge === 0 ? replaceInPlace(view, nodes, limits.unavailable) : replaceBeside(view, nodes, limits.surge, desired);
}
