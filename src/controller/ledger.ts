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
}

// The status of the budget is written before the eviction is answered, so its watch event is at most a network delay behind.
const CHARGE_OUTLIVES_ANSWER_MS = 2_000;

interface Charge {
  readonly budget: string;
  readonly podName: string;
  answeredAt: Millis | null;
}

export function createLedger(clock: Clock): Ledger {
  const attempts = new Map<string, Attempt>();
  const charged = new Map<string, Charge>(); // by pod uid
  const perBudget = new Map<string, Set<string>>(); // budget -> pod uids

  const release = (uid: string) => {
    const charge = charged.get(uid);
    if (!charge) return;
    charged.delete(uid);
    const uids = perBudget.get(charge.budget);
    uids?.delete(uid);
    if (uids?.size === 0) perBudget.delete(charge.budget);
  };

  return {
    attempts,
    charges(budget) {
      const uids = perBudget.get(budget);
      if (!uids) return 0;
      const now = clock.now();
      for (const uid of uids) {
        const answeredAt = charged.get(uid)?.answeredAt;
        if (answeredAt != null && now - answeredAt > CHARGE_OUTLIVES_ANSWER_MS) release(uid);
      }
      return uids.size;
    },
    begin(pod, effect, budget) {
      attempts.set(pod.uid, { effect, startedAt: clock.now(), inFlight: true, podVersion: pod.resourceVersion });
      if (budget === undefined) return;
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
  };
}
