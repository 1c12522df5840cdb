/** Of all that the pods of a node wait for, the one thing to tell. */
import type { Blocker } from './blocker.ts';

// What a person should hear first: what never ends by itself, then what is somebody's to fix, then what passes.
const urgency: Partial<Record<Blocker['cause'], number>> = {
  SeveralBudgets: 0,
  BudgetNeverAllows: 0,
  BudgetNotComputed: 0,
  ProtectedPod: 0,
  Forbidden: 0,
  EvictionRefused: 1,
  ReplacementNoRoom: 1,
  ReplacementNotReady: 2,
  ReplacementMissing: 2,
  Finalizer: 1,
  TerminatingOverdue: 1,
  ApiUnavailable: 2,
  NamespaceTerminating: 2,
  BudgetExhausted: 3,
  BudgetStale: 4,
  WaitCompleted: 4,
  Throttled: 5,
  Terminating: 7,
  EarlierTier: 8,
  InFlight: 9,
};

export function foremost(reports: Iterable<{ readonly blocker?: Blocker }>): Blocker | null {
  let found: Blocker | null = null;
  let best = Number.POSITIVE_INFINITY;
  for (const { blocker } of reports) {
    if (!blocker) continue;
    const rank = urgency[blocker.cause] ?? 6;
    if (rank < best) [found, best] = [blocker, rank];
  }
  return found;
}
