/** The breakers of all policies: turned in each pass, remembered in the policies' condition BreakerOpen. */
import { annotations } from '../../api/names.ts';
import type { Condition, MaintenancePolicy } from '../../api/resources.ts';
import { type Breaker, turnBreaker } from '../../engine/gates/breaker.ts';
import { isoSeconds } from '../../engine/journal.ts';
import type { Millis } from '../../lib/clock.ts';
import type { Policy } from '../compile.ts';
import { markOf } from './marks.ts';

export const BREAKER_OPEN = 'BreakerOpen';

export interface Breakers {
  /** null: the policy has none. @param source the policy as it was last seen, with its status and annotations */
  turn(
    policy: Policy,
    source: MaintenancePolicy,
    failures: readonly Millis[],
    now: Millis,
  ): (Breaker & { failures: number }) | null;
  /** As it was turned last; null: the policy has none. */
  condition(policy: string): Condition | null;
  /** Forgets what this process knows: another leader may have turned them. */
  reset(): void;
  forget(policy: string): void;
}

type Turned = Pick<Breaker, 'open'> & { readonly failures: number };

/** @param onTurned after it has opened or closed, or (`isNews` false) was found open, or gone */
export function createBreakers(
  onTurned: (policy: Pick<Policy, 'name' | 'uid'>, breaker: Turned, isNews: boolean) => void,
): Breakers {
  const known = new Map<string, Breaker & { readonly failures: number }>();
  const forget = (name: string) => {
    if (known.get(name)?.open) onTurned({ name, uid: '' }, { open: false, failures: 0 }, false);
    known.delete(name);
  };
  return {
    turn(policy, source, failures, now) {
      const { name, breaker: rule } = policy;
      if (!rule) {
        forget(name);
        return null;
      }
      const isKnown = known.has(name);
      const before = known.get(name) ?? read(source);
      const resumedAt = markOf(source.metadata, annotations.resumed)?.at ?? null;
      const facts = { generation: policy.generation, resumedAt, failures, now };
      // Without anything known it counts from the beginning: failures are few, and forgotten after a week.
      const turned = turnBreaker(rule, before, facts);
      const next = { ...turned, failures: rule.failures };
      known.set(name, next);
      const isNews = turned.open !== (before?.open ?? false);
      if (isNews || (turned.open && !isKnown)) onTurned(policy, next, isNews);
      return next;
    },
    condition(policy) {
      const breaker = known.get(policy);
      // It has never turned: there is nothing to remember.
      return breaker && Number.isFinite(breaker.since) ? conditionOf(breaker) : null;
    },
    reset: () => known.clear(),
    forget,
  };
}

function read({ status }: MaintenancePolicy): Breaker | null {
  const condition = status?.conditions?.find(({ type }) => type === BREAKER_OPEN);
  const since = Date.parse(condition?.lastTransitionTime ?? '');
  if (!condition || Number.isNaN(since)) return null;
  return { open: condition.status === 'True', since, generation: condition.observedGeneration ?? 0 };
}

function conditionOf({ open, since, generation, failures }: Breaker & { readonly failures: number }): Condition {
  return {
    type: BREAKER_OPEN,
    status: open ? 'True' : 'False',
    observedGeneration: generation,
    lastTransitionTime: isoSeconds(since),
    reason: open ? 'MaintenancesFailed' : 'Closed',
    message: open
      ? `${failures === 1 ? 'a maintenance has' : `${failures} maintenances have`} failed; nothing new is started until \`drover resume\``
      : '',
  };
}
