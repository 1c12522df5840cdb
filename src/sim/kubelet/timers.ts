/** The pending timers of each pod, so that all of them can be dropped when it is deleted, or its node fails. */
import type { Clock, Millis } from '../../lib/clock.ts';
import { createMultiMap } from '../store/multi-map.ts';

export interface Timers {
  after(uid: string, delayMs: Millis, callback: () => void): void;
  /** Drops all of one pod. */
  cancel(uid: string): void;
  /** Drops all of all pods. */
  stop(): void;
}

export function createTimers(clock: Clock): Timers {
  // Most have one at a time, and of 150,000 pods most have none.
  const pending = createMultiMap<() => void>();
  const cancel = (uid: string) => {
    for (const drop of pending.take(uid)) drop();
  };
  return {
    cancel,
    stop() {
      for (const uid of pending.keys()) cancel(uid);
    },
    after(uid, delayMs, callback) {
      const drop = clock.after(delayMs, () => {
        pending.delete(uid, drop);
        callback();
      });
      pending.add(uid, drop);
    },
  };
}
