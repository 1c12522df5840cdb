/** The deadline ladder of a policy: which steps have been reached. wait -> tell the owner -> hand over -> shorten grace -> delete. */
import type { Millis } from '../lib/clock.ts';
import type { Drain } from './world.ts';

export interface LadderState {
  readonly tell: boolean;
  /** Hand every eligible pod over, whatever `handover` says. */
  readonly handover: boolean;
  readonly shortGrace?: number;
  /** Present: delete what still blocks; null: with the pod's own grace. */
  readonly deleteGrace?: number | null;
  readonly nextAt: Millis | null;
}

export function ladderAt(drain: Drain, now: Millis): LadderState {
  const steps = drain.settings.ladder;
  const reached = steps.filter((step) => drain.startedAt + step.afterMs <= now);
  const next = steps.find((step) => drain.startedAt + step.afterMs > now);
  const last = (kind: string) => reached.findLast((step) => step.do === kind);
  const short = last('ShortenGrace');
  const del = last('Delete');
  return {
    tell: last('TellOwner') !== undefined,
    handover: last('Handover') !== undefined,
    ...(short && { shortGrace: Math.max(1, short.graceSeconds ?? 1) }),
    ...(del && { deleteGrace: del.graceSeconds ?? null }),
    nextAt: next ? drain.startedAt + next.afterMs : null,
  };
}
