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

/** So often a process may begin anew at one instant: virtual time stands still meanwhile, and would for ever. */
const MOST_AT_ONCE = 5_000;

/** @param onSpin it begins anew and anew without letting time pass; it is dead by then */
export function createProcessClock(clock: Clock, onSpin: () => void): ProcessClock {
  let skew = 0;
  let instant = clock.now();
  let atOnce = 0;
  let alive = true;
  let frozen = false;
  let held: (() => void)[] = [];
  const kill = () => {
    alive = false;
    held = [];
  };
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
    soon(callback) {
      if (clock.now() !== instant) [instant, atOnce] = [clock.now(), 0];
      if (++atOnce < MOST_AT_ONCE) return clock.soon(() => pass(callback));
      if (alive) onSpin();
      kill();
    },
    sleep: createSleep(after),
    kill,
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
