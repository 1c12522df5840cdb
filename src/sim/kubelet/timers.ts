/** The pending timers of each pod, so that all of them can be dropped when it is deleted, or its node fails. */
import type { Clock, Millis } from '../../lib/clock.ts';

export interface Timers {
  after(uid: string, delayMs: Millis, callback: () => void): void;
  /** Drops all of one pod. */
  cancel(uid: string): void;
  /** Drops all of all pods. */
  stop(): void;
}

export function createTimers(clock: Clock): Timers {
  const pending = new Map<string, Set<() => void>>();
  const cancel = (uid: string) => {
    for (const drop of pending.get(uid) ?? []) drop();
    pending.delete(uid);
  };
  return {
    cancel,
    stop() {
      for (const uid of pending.keys()) cancel(uid);
    },
    after(uid, delayMs, callback) {
      let own = pending.get(uid);
      if (!own) pending.set(uid, (own = new Set()));
      const drop = clock.after(delayMs, () => {
        own.delete(drop);
        if (own.size === 0 && pending.get(uid) === own) pending.delete(uid);
        callback();
      });
      own.add(drop);
    },
  };
}
