/** What the windows of a policy say now, to every node that waits for it. */
import type { Millis } from '../../lib/clock.ts';
import type { Blocker } from '../blocker.ts';
import type { Schedule } from './schedule.ts';

export interface Hold {
  /** null: they hold nothing back. */
  readonly blocker: Blocker | null;
  /** When time alone changes that. */
  readonly changesAt: Millis | null;
}

export const noHold: Hold = { blocker: null, changesAt: null };

/** The causes by which windows hold a node back. */
export const windowCauses: ReadonlySet<Blocker['cause']> = new Set(['OutsideWindow', 'WindowTooShort', 'NoWindow']);

export interface ScheduledPolicy {
  readonly name: string;
  /** When it may start anything; null: at any time. */
  readonly schedule: Schedule | null;
  /** How long a drain is expected to take, where it has to end before the window does; null: it may run on. */
  readonly expectMs: Millis | null;
}

export function holdOf({ name: policy, schedule, expectMs }: ScheduledPolicy, now: Millis): Hold {
  if (schedule === null) return noHold;
  const { timeZone } = schedule;
  const state = schedule.at(now);
  if (!state.open) {
    const { opensAt, because } = state;
    if (opensAt === null) return { blocker: { cause: 'NoWindow', policy, expectMs: null }, changesAt: null };
    return { blocker: { cause: 'OutsideWindow', policy, opensAt, timeZone, because }, changesAt: opensAt };
  }
  const { until } = state;
  if (until === null || expectMs === null) return { blocker: null, changesAt: until };
  const fitsAt = schedule.fits(now, expectMs);
  if (fitsAt === now) return { blocker: null, changesAt: now + expectMs > until ? until : until - expectMs + 1 };
  if (fitsAt === null) return { blocker: { cause: 'NoWindow', policy, expectMs }, changesAt: until };
  return { blocker: { cause: 'WindowTooShort', policy, until, timeZone, expectMs, fitsAt }, changesAt: until };
}
