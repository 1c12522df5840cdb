/** The arithmetic of a roll-out, without a cluster (pkg/controller/deployment/util/deployment_util.go). */
import type { Deployment, ReplicaSet } from '../kubernetes.ts';
import { scaledValue } from './scaled-value.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

export const wanted = ({ spec }: Deployment | ReplicaSet): number => spec.replicas ?? 1;
export const available = ({ status }: ReplicaSet): number => status?.availableReplicas ?? 0;
export const total = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number =>
  sets.length === 1 ? count(sets[0] as ReplicaSet) : sets.reduce((sum, set) => sum + count(set), 0);

export const isRollingUpdate = ({ spec }: Deployment): boolean => (spec.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';

interface Limits {
  readonly surge: number;
  readonly unavailable: number;
}

/** How many pods more, and how many fewer available, a rolling update may make; both 0 under Recreate. */
export function rollingLimits(deployment: Deployment): Limits {
  if (!isRollingUpdate(deployment)) return { surge: 0, unavailable: 0 };
  const replicas = wanted(deployment);
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, replicas, 'up');
  const unavailable = scaledValue(maxUnavailable, replicas, 'down');
  // Both may round to nothing; then one pod goes first, since surge might not fit into a quota (ResolveFenceposts).
  const least = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { surge, unavailable: replicas === 0 ? 0 : Math.min(least, replicas) };
}

/** How large the new ReplicaSet may be now. `all` includes it. */
export function newSize(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const replicas = wanted(deployment);
  if (!isRollingUpdate(deployment)) return replicas;
  const room = replicas + rollingLimits(deployment).surge - total(all, wanted);
  return room <= 0 ? current : current + Math.min(room, replicas - current);
}

/** Whether this set owns every replica that is wanted, knows it, and all are available. */
export function isSaturated(deployment: Deployment, set: ReplicaSet | undefined): boolean {
  if (!set) return false;
  const replicas = wanted(deployment);
  return (
    wanted(set) === replicas && set.metadata.annotations?.[DESIRED_REPLICAS] === String(replicas) && available(set) === replicas
  );
}

/** A count that a ReplicaSet carries as an annotation; undefined when missing or no number. */
export function countAnnotation(set: ReplicaSet, key: string): number | undefined {
  const text = set.metadata.annotations?.[key];
  return text !== undefined && /^\d+$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : undefined;
}

const created = ({ metadata }: ReplicaSet) => metadata.creationTimestamp;
const text = (a: string, b: string) => (a < b ? -1 : Number(a > b));

export const byAge = (a: ReplicaSet, b: ReplicaSet): number =>
  text(created(a), created(b)) || text(a.metadata.name, b.metadata.name);

/** The revision a ReplicaSet stands for; 0 when it has none. */
export const revisionOf = ({ metadata }: ReplicaSet): number => Number.parseInt(metadata.annotations?.[REVISION] ?? '0', 10) || 0;

function fraction(deployment: Deployment, set: ReplicaSet): number {
  const size = wanted(set);
  if (wanted(deployment) === 0) return -size;
  const before = countAnnotation(set, MAX_REPLICAS) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  const exact = (size * (wanted(deployment) + rollingLimits(deployment).surge)) / before;
  return (exact < 0 ? Math.ceil(exact - 0.5) : Math.floor(exact + 0.5)) - size;
}

/**
 * Sizes for the active sets when a Deployment is scaled in the middle of a roll: each by its share, the largest first, what rounding leaves
 * to the largest.
 */
export function proportionalSizes(deployment: Deployment, active: readonly ReplicaSet[]): ReadonlyMap<ReplicaSet, number> {
  const replicas = wanted(deployment);
  const allowed = replicas > 0 ? replicas + rollingLimits(deployment).surge : 0;
  const toAdd = allowed - total(active, wanted);
  const sets = active.toSorted((a, b) => wanted(b) - wanted(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)));
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const set of sets) {
    const rest = toAdd - added;
    const share =
      rest === 0 ? 0 : toAdd > 0 ? Math.min(fraction(deployment, set), rest) : Math.max(fraction(deployment, set), rest);
    sizes.set(set, wanted(set) + share);
    added += share;
  }
  const largest = sets[0];
  if (largest) sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added));
  return sizes;
}

/** How far the old sets that have pods may shrink now: first what is unhealthy, then what availability allows; the oldest first. */
export function oldSizes(
  deployment: Deployment,
  newSet: ReplicaSet,
  old: readonly ReplicaSet[],
): ReadonlyMap<ReplicaSet, number> {
  const sizes = new Map<ReplicaSet, number>();
  const minAvailable = wanted(deployment) - rollingLimits(deployment).unavailable;
  const unavailableNew = wanted(newSet) - available(newSet);
  let removable = total(old, wanted) + wanted(newSet) - minAvailable - unavailableNew;
  if (removable <= 0) return sizes;
  const oldest = old.toSorted(byAge);
  // Unhealthy replicas go first: they would block the roll, and their going takes nothing away (issue 16737).
  for (const set of oldest) {
    if (removable <= 0) break;
    const unhealthy = wanted(set) - available(set);
    // A set that was told to shrink and has not yet: what it counts as available is on its way out. Upstream fails on the negative
    // number and so waits for the status (rolling.go, cleanupUnhealthyReplicas); going on would take away too many.
    if (unhealthy < 0) return sizes;
    const going = Math.min(removable, unhealthy);
    if (going === 0) continue;
    sizes.set(set, wanted(set) - going);
    removable -= going;
  }
  let spare = total(old, available) + available(newSet) - minAvailable;
  for (const set of oldest) {
    if (spare <= 0) break;
    const size = sizes.get(set) ?? wanted(set);
    const going = Math.min(size, spare);
    sizes.set(set, size - going);
    spare -= going;
  }
  return sizes;
}
