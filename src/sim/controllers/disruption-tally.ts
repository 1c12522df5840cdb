/** What a disruption budget counts, kept up pod by pod: a sync costs the number of owners, not of pods. */
import { isPodReady } from '../conditions.ts';
import type { DisruptionBudget, OwnerReference, Pod } from '../kubernetes.ts';
import { controllerOf } from './controller-ref.ts';
import { scaledValue } from './scaled-value.ts';

export interface Tally {
  readonly pods: ReadonlyMap<string, Pod>;
  /** Ready and not being deleted. */
  readonly healthy: number;
  /** The controllers of the pods, by uid, in the order in which they were first seen. */
  readonly owners: ReadonlyMap<string, { readonly ref: OwnerReference; readonly pods: ReadonlySet<string> }>;
  put(pod: Pod): void;
  drop(name: string): void;
}

function counts(pod: Pod): number {
  return pod.metadata.deletionTimestamp === undefined && isPodReady(pod) ? 1 : 0;
}

export function createTally(): Tally {
  const pods = new Map<string, Pod>();
  const owners = new Map<string, { readonly ref: OwnerReference; readonly pods: Set<string> }>();
  let healthy = 0;

  function drop(name: string): void {
    const pod = pods.get(name);
    if (!pod) return;
    pods.delete(name);
    healthy -= counts(pod);
    const ref = controllerOf(pod);
    const owner = ref && owners.get(ref.uid);
    if (!owner) return;
    owner.pods.delete(name);
    if (owner.pods.size === 0) owners.delete(owner.ref.uid);
  }

  return {
    pods,
    owners,
    get healthy() {
      return healthy;
    },
    drop,
    put(pod) {
      const { name } = pod.metadata;
      const before = pods.get(name);
      if (before && counts(before) === counts(pod) && before.metadata.ownerReferences === pod.metadata.ownerReferences)
        return void pods.set(name, pod);
      drop(name);
      pods.set(name, pod);
      healthy += counts(pod);
      const ref = controllerOf(pod);
      if (!ref) return;
      const owner = owners.get(ref.uid);
      if (owner) owner.pods.add(name);
      else owners.set(ref.uid, { ref, pods: new Set([name]) });
    },
  };
}

/** How long a granted eviction may take to show as a deletion before the grant is taken back: disruption.go, DeletionTimeout. */
export const DELETION_TIMEOUT_MS = 120_000;

export interface Grants {
  /** Those still to be waited for. */
  readonly pods: Readonly<Record<string, string>>;
  /** How many of the healthy pods are promised away. */
  readonly healthy: number;
  /** When the first of them runs out. */
  readonly until: number | undefined;
}

/** `status.disruptedPods` without the pods that are gone, going, or should have gone two minutes ago. */
export function openGrants(tally: Tally, granted: Readonly<Record<string, string>> | undefined, now: number): Grants {
  const pods: Record<string, string> = {};
  let healthy = 0;
  let until: number | undefined;
  for (const name in granted) {
    const at = granted[name];
    const pod = tally.pods.get(name);
    if (at === undefined || !pod || pod.metadata.deletionTimestamp !== undefined) continue;
    const end = Date.parse(at) + DELETION_TIMEOUT_MS;
    if (end < now) continue;
    pods[name] = at;
    if (end > now) healthy += counts(pod);
    if (until === undefined || end < until) until = end;
  }
  return { pods, healthy, until };
}

/**
 * How many pods the budget reckons with and how many must stay healthy. `scale` adds up the owners' replicas; it is asked only where the
 * budget needs it, and may throw. Percentages round up, even of maxUnavailable: disruption.go, getExpectedPodCount.
 */
export function expectation(
  { minAvailable, maxUnavailable }: DisruptionBudget['spec'],
  selected: number,
  scale: () => number,
): { readonly expected: number; readonly desired: number } {
  if (maxUnavailable !== undefined) {
    const expected = scale();
    return { expected, desired: Math.max(0, expected - scaledValue(maxUnavailable, expected, 'up')) };
  }
  if (typeof minAvailable === 'number') return { expected: selected, desired: minAvailable };
  if (minAvailable === undefined) return { expected: 0, desired: 0 };
  const expected = scale();
  return { expected, desired: scaledValue(minAvailable, expected, 'up') };
}
