/** The circuit breaker of a policy: after some failures it starts nothing new until a person says so. */
import type { Millis } from '../../lib/clock.ts';

export interface BreakerRule {
  readonly failures: number;
  readonly withinMs: Millis;
}

/** Kept in the policy's condition BreakerOpen, so that it outlives the process and the failures. */
export interface Breaker {
  readonly open: boolean;
  /** When it opened, or when it was closed last; failures up to then do not count any more. Whole seconds count: conditions have no finer times. */
  readonly since: Millis;
  /** metadata.generation of the policy that it was judged on. */
  readonly generation: number;
}

export interface BreakerFacts {
  readonly generation: number;
  /** When a person last closed it; null: never. */
  readonly resumedAt: Millis | null;
  /** When maintenances of the policy failed. */
  readonly failures: readonly Millis[];
  readonly now: Millis;
}

const second = (at: Millis) => Math.floor(at / 1_000);

/** @param before null: nothing is known of it. @returns the very `before` where nothing changes */
export function turnBreaker(rule: BreakerRule, before: Breaker | null, facts: BreakerFacts): Breaker {
  const { generation, resumedAt, failures, now } = facts;
  if (before && before.generation !== generation) return { open: false, since: now, generation };
  const known = before ?? { open: false, since: Number.NEGATIVE_INFINITY, generation };
  if (known.open) {
    if (resumedAt === null || second(resumedAt) < second(known.since)) return known;
    return { open: false, since: Math.max(resumedAt, known.since), generation };
  }
  const after = Math.max(known.since, resumedAt ?? Number.NEGATIVE_INFINITY);
  const counted = failures.filter((at) => second(at) > second(after) && at > now - rule.withinMs);
  return counted.length >= rule.failures ? { open: true, since: now, generation } : known;
}
