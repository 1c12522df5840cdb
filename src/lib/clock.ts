/**
 * The only source of time. Everything that waits or looks at the time gets a Clock handed in, so that tests and the
 * simulated cluster can run the same code in virtual time.
 */
export type Millis = number;

export interface Clock {
  /** Milliseconds since the epoch; what is written into objects. */
  now(): Millis;
  /** Calls back once after `delayMs` (at least 0); returns the cancel function. A pending timer keeps the process alive. */
  after(delayMs: Millis, callback: () => void): () => void;
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
  return { now: () => Date.now(), after, sleep: createSleep(after) };
}

/** A clock that moves only when told to. Callbacks fire in order of their time, then of their registration. */
export interface VirtualClock extends Clock {
  /** Moves to `now + ms`, firing every timer on the way, and lets promises settle between them. */
  advance(ms: Millis): Promise<void>;
  /** Time of the next timer, if any. */
  next(): Millis | undefined;
}

export function createVirtualClock(start: Millis = 0): VirtualClock {
  let now = start;
  let sequence = 0;
  const timers = new Map<number, { at: Millis; callback: () => void }>();
  const after: Clock['after'] = (delayMs, callback) => {
    const id = sequence++;
    timers.set(id, { at: now + Math.max(0, delayMs), callback });
    return () => void timers.delete(id);
  };
  const earliest = () => {
    let found: [number, { at: Millis; callback: () => void }] | undefined;
    for (const entry of timers) if (!found || entry[1].at < found[1].at) found = entry;
    return found;
  };
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    after,
    sleep: createSleep(after),
    next: () => earliest()?.[1].at,
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (let due = earliest(); due && due[1].at <= until; due = earliest()) {
        timers.delete(due[0]);
        now = Math.max(now, due[1].at);
        due[1].callback();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}
