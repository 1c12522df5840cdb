/**
 * The only source of time. Everything that waits or looks at the time gets a Clock handed in, so that tests and the
 * simulated cluster can run the same code in virtual time.
 */
import { createTimerHeap } from './timer-heap.ts';

export type Millis = number;

export interface Clock {
  /** Milliseconds since the epoch; what is written into objects. */
  now(): Millis;
  /** Calls back once after `delayMs` (at least 0); returns the cancel function. A pending timer keeps the process alive. */
  after(delayMs: Millis, callback: () => void): () => void;
  /** Calls back at this same time, but only when what is running now, and what it has resolved, is done: setImmediate of the wall clock. */
  soon(callback: () => void): void;
  /** Resolves after `delayMs`, or at once with an AbortError rejection when the signal aborts. */
  sleep(delayMs: Millis, signal?: AbortSignal): Promise<void>;
}

// setTimeout overflows beyond 2^31-1 ms and fires at once; a long wait is cut into hops.
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export function createSleep(after: Clock['after']): Clock['sleep'] {
  return (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
}

export function createWallClock(): Clock {
  const after: Clock['after'] = (delayMs, callback) => {
    let timer: NodeJS.Timeout;
    const arm = (rest: Millis) => {
      timer =
        rest > MAX_TIMEOUT_MS
          ? setTimeout(() => arm(rest - MAX_TIMEOUT_MS), MAX_TIMEOUT_MS)
          : setTimeout(callback, Math.max(0, rest));
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  };
  return { now: () => Date.now(), after, soon: (callback) => void setImmediate(callback), sleep: createSleep(after) };
}

/** A clock that moves only when told to. Callbacks fire in order of their time, then of their registration. */
export interface VirtualClock extends Clock {
  /** Moves to `now + ms`, firing every timer on the way, and lets promises settle between two instants. Rejects with what a callback throws. */
  advance(ms: Millis): Promise<void>;
  /**
   * Fires timer after timer as fast as it computes, until none is left, or the next one is later than `until` (the clock then stands at
   * `until`), or `stop` says so (asked after each instant; the clock stays there). Without either it may never end. Rejects as `advance`.
   */
  run(options?: { readonly until?: Millis; readonly stop?: () => boolean }): Promise<void>;
  /** Time of the next timer, if any. */
  next(): Millis | undefined;
}

// Whatever was made to run by the timers of one instant - promises, ticks, streams in this process - has run when the next turn of the
// event loop comes. One turn costs about two microseconds; what waits for the outside (a socket) is not waited for.

export function createVirtualClock(start: Millis = 0): VirtualClock {
  let now = start;
  const timers = createTimerHeap();
  const after: Clock['after'] = (delayMs, callback) => {
    const timer = timers.add(now + Math.max(0, delayMs), callback);
    return () => timers.cancel(timer);
  };
  let soon = 0;
  // One function that puts itself off from turn to turn: a promise for each of a million instants would be an eighth of what a long run throws
  // away.
  const run: VirtualClock['run'] = ({ until = Infinity, stop } = {}) =>
    new Promise((resolve, reject) => {
      const step = (): void => {
        if (soon > 0) return void setImmediate(step);
        try {
          const due = timers.first();
          if (due && due.at <= until) {
            if (stop?.()) return resolve();
            now = Math.max(now, due.at);
            for (let fire = timers.take(now); fire; fire = timers.take(now)) fire();
          } else {
            if (until !== Infinity && !stop?.()) now = Math.max(now, until);
            return resolve();
          }
        } catch (error) {
          return reject(error);
        }
        setImmediate(step);
      };
      setImmediate(step);
    });
  return {
    now: () => now,
    after,
    soon(callback) {
      soon += 1;
      setImmediate(() => {
        soon -= 1;
        callback();
      });
    },
    sleep: createSleep(after),
    next: () => timers.first()?.at,
    run,
    async advance(ms) {
      await run({ until: now + ms });
      // Who moves the clock step by step wants to see what the last instant did, and a socket needs a turn more than a promise.
      await new Promise<void>((resolve) => {
        const look = () => void (soon > 0 ? setImmediate(look) : resolve());
        setImmediate(look);
      });
    },
  };
}

/**
 * A clock that runs `speed` times as fast as the wall, from `start` (default: the wall's time) on. Timers fire in order, each at its own
 * time: time does not pass a timer that has not fired, so where the process cannot keep up, the clock falls behind and catches up later.
 * @throws RangeError when the speed is not above 0.
 */
export function createScaledClock(speed: number, start?: Millis, wall: Clock = createWallClock()): Clock {
  if (!(speed > 0)) throw new RangeError(`a clock cannot run ${speed} times as fast as the wall`);
  const began = wall.now();
  const origin = start ?? began;
  const timers = createTimerHeap();
  let latest = origin;
  let alarm: { readonly at: Millis; readonly cancel: () => void } | undefined;
  let state: 'waiting' | 'firing' | 'settling' = 'waiting';
  const scaled = (): Millis => origin + (wall.now() - began) * speed;
  const now = (): Millis => {
    if (state !== 'firing') latest = Math.max(latest, Math.min(scaled(), timers.first()?.at ?? Infinity));
    return latest;
  };

  function setAlarm(): void {
    const at = timers.first()?.at;
    if (state !== 'waiting' || at === alarm?.at) return;
    alarm?.cancel();
    alarm = at === undefined ? undefined : { at, cancel: wall.after((at - scaled()) / speed, ring) };
  }

  function ring(): void {
    alarm = undefined;
    const due = timers.first();
    state = 'waiting';
    // A wall timer may fire a little early; the alarm is then set anew.
    if (!due || due.at > scaled()) return setAlarm();
    latest = Math.max(latest, due.at);
    state = 'firing';
    try {
      for (let fire = timers.take(latest); fire; fire = timers.take(latest)) fire();
    } finally {
      // Not by the wall's timer, which takes at least a millisecond: there may be thousands of instants in one.
      state = 'settling';
      setImmediate(ring);
    }
  }

  const after: Clock['after'] = (delayMs, callback) => {
    const timer = timers.add(now() + Math.max(0, delayMs), callback);
    setAlarm();
    return () => {
      timers.cancel(timer);
      setAlarm();
    };
  };
  return { now, after, soon: (callback) => void setImmediate(callback), sleep: createSleep(after) };
}
