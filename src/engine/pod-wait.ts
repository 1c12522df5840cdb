/** What a pod waits for that has been asked to leave already: the answer, what refused it, or its own end. */
import type { Pod } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Blocker } from './blocker.ts';
import { budgetKey, budgetNumbers } from './budgets.ts';
import type { Pass, PodDecision } from './drain.ts';
import type { LadderState } from './ladder.ts';
import { ownerKey, podKey } from './pods.ts';
import type { Attempt } from './world.ts';

// How long an answered eviction may stay without a deletionTimestamp before it is sent again: some webhooks answer 201 and
// move the workload themselves (KubeVirt), and they may forget.
const EVICTED_BUT_STAYS_MS = 30_000;
// A pod past its grace by this much has a kubelet that does not answer, or a container that cannot be killed.
const OVERDUE_MS = 30_000;
/** A pod whose last try was refused waits for what refused it, not for a timer. */
export function heldBack(pod: Pod, attempt: Attempt | undefined, pass: Pass): PodDecision | null {
  if (!attempt?.answer) return null;
  const key = podKey(pod);
  if (attempt.answer === 'Done') {
    const until = attempt.startedAt + EVICTED_BUT_STAYS_MS;
    const waits = attempt.effect === 'Evict' || attempt.effect === 'Delete' || attempt.podVersion === pod.resourceVersion;
    const state = attempt.effect === 'Evict' || attempt.effect === 'Delete' ? 'Evicting' : 'HandingOver';
    return waits && pass.now < until ? { state, blocker: { cause: 'InFlight', pod: key }, wakeAt: until } : null;
  }
  if (attempt.retryAt === undefined || pass.now >= attempt.retryAt) return null;
  const message = attempt.message ?? '';
  const wait = (blocker: Blocker): PodDecision => ({ state: 'Waiting', blocker, wakeAt: attempt.retryAt ?? pass.now });
  switch (attempt.answer) {
    case 'BudgetRefused':
    case 'BudgetStale': {
      const budget = pass.budgets.of(pod)[0];
      if (budget?.resourceVersion !== attempt.budgetVersion) return null;
      // The server knows a budget that the cache does not.
      if (!budget) return wait({ cause: 'EvictionRefused', pod: key, message });
      const cause = attempt.answer === 'BudgetStale' ? 'BudgetStale' : 'BudgetExhausted';
      return wait({ cause, pod: key, owner: ownerKey(pod), budget: budgetNumbers(budget) });
    }
    case 'Throttled':
      return wait({ cause: 'Throttled', pod: key, until: attempt.retryAt });
    case 'NamespaceTerminating':
      return wait({ cause: 'NamespaceTerminating', pod: key, message });
    case 'Forbidden':
      return wait({ cause: 'Forbidden', pod: key, message });
    case 'SeveralBudgets':
      return wait({ cause: 'SeveralBudgets', pod: key, owner: ownerKey(pod), budgets: pass.budgets.of(pod).map(budgetKey) });
    case 'Unavailable':
      return wait({ cause: 'ApiUnavailable', pod: key, message });
    default:
      return wait({ cause: 'EvictionRefused', pod: key, message });
  }
}

/** A terminating pod is waited for; the ladder may shorten its grace. */
export function decideTerminating(
  pod: Pod,
  deletedAt: Millis,
  ladder: LadderState,
  attempt: Attempt | undefined,
  now: Millis,
): PodDecision {
  const key = podKey(pod);
  // A Delete that was answered shows as a new version of the pod; one that failed is repeated when it may be.
  const asked =
    attempt?.effect === 'Delete' &&
    (attempt.retryAt === undefined ? attempt.podVersion === pod.resourceVersion : now < attempt.retryAt);
  if (ladder.shortGrace !== undefined && !attempt?.inFlight && !asked && (pod.deletionGraceSeconds ?? 0) > ladder.shortGrace) {
    const because = 'the policy’s ladder reached ShortenGrace';
    return {
      state: 'Terminating',
      effect: { do: 'Delete', pod, graceSeconds: ladder.shortGrace, because },
      blocker: { cause: 'InFlight', pod: key },
    };
  }
  if (now < deletedAt)
    return {
      state: 'Terminating',
      blocker: { cause: 'Terminating', pod: key, owner: ownerKey(pod), until: deletedAt },
      wakeAt: deletedAt,
    };
  if (pod.finalizers.length > 0)
    return { state: 'Terminating', blocker: { cause: 'Finalizer', pod: key, finalizers: pod.finalizers } };
  if (now < deletedAt + OVERDUE_MS) {
    const blocker: Blocker = { cause: 'Terminating', pod: key, owner: ownerKey(pod), until: deletedAt };
    return { state: 'Terminating', blocker, wakeAt: deletedAt + OVERDUE_MS };
  }
  return { state: 'Terminating', blocker: { cause: 'TerminatingOverdue', pod: key, owner: ownerKey(pod), since: deletedAt } };
}
