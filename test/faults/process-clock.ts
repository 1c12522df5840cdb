/** The clock of one process of Drover: it dies with the process, stands still while the process is frozen, and may go wrong. */
import { type Clock, createSleep, type Millis } from '../../src/lib/clock.ts';

export interface ProcessClock extends Clock {
  /** No callback comes any more. */
  kill(): void;
  /** Callbacks are held back until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Resolves at once, or when the process is thawed; never in a process that is dead. */
  thawed(): Promise<void>;
  /** Adds to what `now` says; timers go on as before, as those of an operating system do. */
  shift(by: Millis): void;
}

export function createProcessClock(clock: Clock): ProcessClock {
  let skew = 0;
  let alive = true;
  let frozen = false;
  let held: (() => void)[] = [];
  const pass = (callback: () => void) => {
    if (!alive) return;
    if (frozen) held.push(callback);
    else callback();
  };
  const after: Clock['after'] = (delayMs, callback) => {
    let wanted = true;
    const cancel = clock.after(delayMs, () => pass(() => wanted && callback()));
    return () => {
      wanted = false;
      cancel();
    };
  };
  return {
    now: () => clock.now() + skew,
    after,
    soon: (callback) => clock.soon(() => pass(callback)),
    sleep: createSleep(after),
    kill() {
      alive = false;
      held = [];
    },
    freeze() {
      frozen = true;
    },
    thaw() {
      if (!frozen) return;
      frozen = false;
      const waiting = held;
      held = [];
      for (const callback of waiting) pass(callback);
    },
    thawed() {
      if (alive && !frozen) return Promise.resolve();
      return new Promise((resolve) => void (alive && held.push(resolve)));
    },
    shift(by) {
      skew += by;
    },
  };
}
