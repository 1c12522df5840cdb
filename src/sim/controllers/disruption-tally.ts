/** What a disruption budget counts, kept up pod by pod: a sync costs the number of owners, not of pods. */
import { isPodReady } from '../conditions.ts';
import { emptyNameMap } from '../copy.ts';
import type { DisruptionBudget, OwnerReference, Pod } from '../kubernetes.ts';
import { controllerOf } from './controller-ref.ts';
import { scaledValue } from './scaled-value.ts';

/** What of a pod counts; many pods share one. */
interface Counted {
  /** Ready and not being deleted: 1, else 0. */
  readonly healthy: number;
  readonly leaving: boolean;
  readonly ref: OwnerReference | undefined;
}

export interface Owner {
  readonly ref: OwnerReference;
  readonly pods: number;
}

export interface Tally {
  /** By name. Not the pods themselves: their old versions would be kept for it. */
  readonly pods: ReadonlyMap<string, Counted>;
  /** Ready and not being deleted. */
  readonly healthy: number;
  /** The controllers of the pods, by uid, in the order in which they were first seen. */
  readonly owners: ReadonlyMap<string, Owner>;
  put(pod: Pod): void;
  drop(name: string): void;
  /** Whether something that a sync reckons with has changed since it was last read. */
  hasNews(): boolean;
  read(): void;
}

export function createTally(): Tally {
  const pods = new Map<string, Counted>();
  const owners = new Map<string, { readonly ref: OwnerReference; pods: number }>();
  let healthy = 0;
  let news = true;
  // Pods come owner by owner, and most are well.
  let last: Counted | undefined;

  function drop(name: string): void {
    const before = pods.get(name);
    if (!before) return;
    pods.delete(name);
    news = true;
    healthy -= before.healthy;
    const owner = before.ref && owners.get(before.ref.uid);
    if (owner && --owner.pods === 0) owners.delete(owner.ref.uid);
  }

  return {
    pods,
    owners,
    get healthy() {
      return healthy;
    },
    hasNews: () => news,
    read: () => void (news = false),
    drop,
    put(pod) {
      const { name, deletionTimestamp } = pod.metadata;
      const leaving = deletionTimestamp !== undefined;
      const counts = !leaving && isPodReady(pod) ? 1 : 0;
      const ref = controllerOf(pod);
      const before = pods.get(name);
      // A deletion counts even where nothing was healthy: it ends the wait for a granted eviction.
      if (before && before.healthy === counts && before.leaving === leaving && before.ref?.uid === ref?.uid) return;
      drop(name);
      if (last?.healthy !== counts || last.leaving !== leaving || last.ref?.uid !== ref?.uid)
        last = { healthy: counts, leaving, ref };
      pods.set(name, last);
      news = true;
      healthy += counts;
      if (!ref) return;
      const owner = owners.get(ref.uid);
      if (owner) owner.pods += 1;
      else owners.set(ref.uid, { ref, pods: 1 });
    },
  };
}

/** How long a granted eviction may take to show as a deletion before the grant is taken back: disruption.go, DeletionTimeout. */
export const DELETION_TIMEOUT_MS = 120_000;

export interface Grants {
  /** Those still to be waited for; undefined: none. */
  readonly pods: Readonly<Record<string, string>> | undefined;
  /** How many of the healthy pods are promised away. */
  readonly healthy: number;
  /** When the first of them runs out. */
  readonly until: number | undefined;
}

/** `status.disruptedPods` without the pods that are gone, going, or should have gone two minutes ago. */
export function openGrants(tally: Tally, granted: Readonly<Record<string, string>> | undefined, now: number): Grants {
  let pods: Record<string, string> | undefined;
  let healthy = 0;
  let until: number | undefined;
  for (const name in granted) {
    const at = granted[name];
    const pod = tally.pods.get(name);
    if (at === undefined || !pod || pod.leaving) continue;
    const end = Date.parse(at) + DELETION_TIMEOUT_MS;
    if (end < now) continue;
    (pods ??= emptyNameMap<string>())[name] = at;
    if (end > now) healthy += pod.healthy;
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
