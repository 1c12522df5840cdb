/**
 * What stays of a maintenance that has ended: whether its reason still held then. While it does, the node is not taken again by
 * itself; otherwise one that failed, or that a person cancelled, would begin anew at once.
 */
import type { NodeMaintenanceStatus } from '../api/resources.ts';
import { isoSeconds } from '../engine/journal.ts';
import { type MaintenanceState, terminalPhases } from '../engine/maintenance.ts';
import type { Millis } from '../lib/clock.ts';

/** Ended maintenances are kept for people to look at, longer than events are. */
const KEEP_ENDED_MS = 7 * 24 * 3_600_000;
const CAUSE_HOLDS = 'CauseHolds';

/** Did the reason still hold when it ended, and ever since? */
export function causeHeld(status: NodeMaintenanceStatus | undefined): boolean {
  return status?.conditions?.find((each) => each.type === CAUSE_HOLDS)?.status === 'True';
}

/** The status with the condition CauseHolds. Its time changes only with its status. */
export function withCause(status: NodeMaintenanceStatus, holds: boolean, now: Millis): NodeMaintenanceStatus {
  const others = (status.conditions ?? []).filter((each) => each.type !== CAUSE_HOLDS);
  const condition = {
    type: CAUSE_HOLDS,
    status: holds ? ('True' as const) : ('False' as const),
    lastTransitionTime: isoSeconds(now),
    reason: holds ? 'StillMatches' : 'NoLongerMatches',
    message: holds
      ? 'Its reason still held when it ended; delete this object to have the node taken again'
      : 'Its reason no longer holds',
  };
  return { ...status, conditions: [...others, condition] };
}

/** When it is stale: later than 7 days after its end. Never, while it has not ended. */
export function staleAt({ phase, finishedAt }: MaintenanceState): Millis {
  const ended = terminalPhases.has(phase) || phase === 'Drained';
  return ended && finishedAt !== undefined ? finishedAt + KEEP_ENDED_MS : Number.POSITIVE_INFINITY;
}

/** Ended more than 7 days ago. */
export function isStale(state: MaintenanceState, now: Millis): boolean {
  return now > staleAt(state);
}

/** When it failed, for the breaker of its policy; null: it has not. */
export function failedAt({ phase, phaseSince, finishedAt, action }: MaintenanceState): Millis | null {
  if (phase === 'Failed') return finishedAt ?? phaseSince;
  if (phase === 'ActionFailed') return phaseSince;
  // A person has ended it since. Not later than it failed: what was resumed after that is not to count again.
  return action?.failure ? action.since : null;
}
