/**
 * Short-lived memory of what has been asked of the API server: which pods have a request under way or were just refused, and which
 * evictions a budget's status does not show yet. Losing it costs a repeated request, never a wrong one.
 */
import type { Budget, Pod } from '../api/objects.ts';
import { budgetKey } from '../engine/budgets.ts';
import type { Attempt, PodEffectKind } from '../engine/world.ts';
import type { Clock, Millis } from '../lib/clock.ts';

export interface Ledger {
  readonly attempts: ReadonlyMap<string, Attempt>;
  charges(budget: string): number;
  begin(pod: Pod, effect: PodEffectKind, budget?: string): void;
  end(pod: Pod, result: Pick<Attempt, 'answer' | 'message' | 'retryAt' | 'budgetVersion'>): void;
  /** A pod is gone: nothing about it matters any more. */
  forget(uid: string): void;
  /** Every version of a budget: what it lists among its disrupted pods is no longer charged by us. */
  see(budget: Budget): void;
  /** True once per pod and hour: its owner has not been told yet. */
  tell(pod: Pod): boolean;
  /** Drops what is past. Returns when the next charge lapses, if nothing else releases it: its budget allows one more then. */
  sweep(): Millis | null;
}

// The status of the budget is written before the eviction is answered, so its watch event is at most a network delay behind.
const CHARGE_OUTLIVES_ANSWER_MS = 2_000;
// A pod whose watch was closed before it was seen going is never forgotten otherwise; nothing waits for an attempt so long.
const ATTEMPT_LASTS_MS = 600_000;
// An owner that has not acted for so long hears it again.
const TOLD_LASTS_MS = 3_600_000;

interface Charge {
  readonly budget: string;
  readonly podName: string;
  answeredAt: Millis | null;
}

export function createLedger(clock: Clock): Ledger {
  const attempts = new Map<string, Attempt>();
  const charged = new Map<string, Charge>(); // by pod uid
  const perBudget = new Map<string, Set<string>>(); // budget -> pod uids
  const told = new Map<string, Millis>(); // by pod uid

  const release = (uid: string) => {
    const charge = charged.get(uid);
    if (!charge) return;
    charged.delete(uid);
    const uids = perBudget.get(charge.budget);
    uids?.delete(uid);
    if (uids?.size === 0) perBudget.delete(charge.budget);
  };

  /** An answer from the future comes of a clock that was set back: waiting for it could take hours. */
  const lapsesAt = ({ answeredAt }: Charge, now: Millis): Millis => {
    if (answeredAt === null) return Number.POSITIVE_INFINITY;
    return answeredAt > now ? now : answeredAt + CHARGE_OUTLIVES_ANSWER_MS;
  };

  return {
    attempts,
    charges(budget) {
      const uids = perBudget.get(budget);
      if (!uids) return 0;
      const now = clock.now();
      for (const uid of uids) {
        const charge = charged.get(uid);
        if (!charge || lapsesAt(charge, now) <= now) release(uid);
      }
      return uids.size;
    },
    begin(pod, effect, budget) {
      attempts.set(pod.uid, { effect, startedAt: clock.now(), inFlight: true, podVersion: pod.resourceVersion });
      if (budget === undefined) return;
      release(pod.uid); // asked again, and perhaps another budget's by now
      charged.set(pod.uid, { budget, podName: pod.name, answeredAt: null });
      const uids = perBudget.get(budget);
      if (uids) uids.add(pod.uid);
      else perBudget.set(budget, new Set([pod.uid]));
    },
    end(pod, result) {
      const attempt = attempts.get(pod.uid);
      if (!attempt) return; // its pod was seen going before the answer came
      attempts.set(pod.uid, { ...attempt, inFlight: false, ...result });
      const charge = charged.get(pod.uid);
      if (!charge) return;
      if (result.answer === 'Done') charge.answeredAt = clock.now();
      else release(pod.uid);
    },
    forget(uid) {
      attempts.delete(uid);
      told.delete(uid);
      // The charge stays: the budget's own event may be the slower of the two.
      const charge = charged.get(uid);
      if (charge) charge.answeredAt ??= clock.now();
    },
    see(budget) {
      const uids = perBudget.get(budgetKey(budget));
      if (!uids) return;
      const shown = new Set(budget.disruptedPods);
      for (const uid of uids) {
        const name = charged.get(uid)?.podName;
        if (name !== undefined && shown.has(name)) release(uid);
      }
    },
    tell(pod) {
      if (told.has(pod.uid)) return false;
      told.set(pod.uid, clock.now());
      return true;
    },
    sweep() {
      const now = clock.now();
      for (const [uid, { inFlight, startedAt }] of attempts)
        if (!inFlight && now - startedAt > ATTEMPT_LASTS_MS) attempts.delete(uid);
      for (const [uid, at] of told) if (now - at > TOLD_LASTS_MS) told.delete(uid);
      let next: Millis | null = null;
      for (const [uid, charge] of charged) {
        const at = lapsesAt(charge, now);
        if (at <= now) release(uid);
        else if (at < (next ?? Number.POSITIVE_INFINITY)) next = at;
      }
      return next;
    },
  };
}
