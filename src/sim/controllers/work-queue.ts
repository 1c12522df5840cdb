/** The queue between what a controller watches and what it does: keys, each at most once, worked on by the clock. */
import type { Clock, Millis } from '../../lib/clock.ts';
import type { Latency } from '../apiserver/api.ts';
import { drawLatency } from '../latency.ts';
import { Failure } from '../apiserver/failure.ts';
import type { KubeObject } from '../kubernetes.ts';

export interface WorkQueue {
  /** Has the key processed after the latency. A key that waits already is not queued again; one being processed is. */
  add(key: string): void;
  /** The same after a delay; of several delays for one key the earliest counts. */
  addAfter(key: string, delayMs: Millis): void;
  /** The same after a delay that doubles with each call until the key is processed without one: 5 ms to 1,000 s. */
  retry(key: string): void;
  /** Forgets everything; nothing is processed any more. */
  stop(): void;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** A thrown 409 or 404 retries the key, as upstream's workers do; anything else is a defect and goes to whoever drives the clock. */
  readonly process: (key: string) => void;
  /** From being queued to being processed. Default: 0 ms, still by a timer of the clock. */
  readonly latency?: Latency | undefined;
  /** 0 <= x < 1; needed when the latency has a spread. */
  readonly random?: (() => number) | undefined;
}

// client-go util/workqueue/default_rate_limiters.go, DefaultTypedControllerRateLimiter.
const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 1_000_000;

const NONE: Latency = { least: 0, spread: 0 };

/** Keys whose time comes at the same instant share a timer. */
interface Due {
  readonly keys: string[];
  readonly cancel: () => void;
}

interface Waiting {
  readonly at: Millis;
  readonly cancel: () => void;
}

export function createWorkQueue({ clock, process, latency, random }: WorkQueueOptions): WorkQueue {
  const queued = new Set<string>();
  const due = new Map<Millis, Due>();
  const delayed = new Map<string, Waiting>();
  const failures = new Map<string, number>();
  let stopped = false;
  const { least, spread } = latency ?? NONE;

  function add(key: string): void {
    if (stopped || queued.has(key)) return;
    queued.add(key);
    const wait = random ? drawLatency(least, spread, random) : least;
    const at = clock.now() + wait;
    const same = due.get(at);
    if (same) same.keys.push(key);
    else due.set(at, { keys: [key], cancel: clock.after(wait, () => workOff(at)) });
  }

  function addAfter(key: string, delayMs: Millis): void {
    if (stopped) return;
    if (delayMs <= 0) return add(key);
    const at = clock.now() + delayMs;
    const waiting = delayed.get(key);
    if (waiting && waiting.at <= at) return;
    waiting?.cancel();
    const cancel = clock.after(delayMs, () => {
      delayed.delete(key);
      add(key);
    });
    delayed.set(key, { at, cancel });
  }

  function retry(key: string): void {
    const failed = failures.get(key) ?? 0;
    failures.set(key, failed + 1);
    addAfter(key, Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failed));
  }

  function workOff(at: Millis): void {
    const keys = due.get(at)?.keys ?? [];
    due.delete(at);
    let next = 0;
    try {
      while (next < keys.length) {
        if (stopped) return;
        work(keys[next++] as string);
      }
    } finally {
      // Whoever drives the clock has heard of a defect, and may go on: the others are not lost with it.
      for (let left = next; left < keys.length; left++) queued.delete(keys[left] as string);
      while (next < keys.length) add(keys[next++] as string);
    }
  }

  function work(key: string): void {
    queued.delete(key);
    const failed = failures.get(key);
    try {
      process(key);
    } catch (error) {
      if (!(error instanceof Failure) || (error.code !== 409 && error.code !== 404)) throw error;
      return retry(key);
    }
    if (failed !== undefined && failures.get(key) === failed) failures.delete(key);
  }

  return {
    add,
    addAfter,
    retry,
    stop() {
      stopped = true;
      for (const { cancel } of due.values()) cancel();
      due.clear();
      for (const { cancel } of delayed.values()) cancel();
      queued.clear();
      delayed.clear();
    },
  };
}

/** "namespace/name", or the name of a cluster-scoped object: client-go's MetaNamespaceKey. */
export function keyOf({ metadata }: Pick<KubeObject, 'metadata'>): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** The parts of a key; the namespace is '' for a cluster-scoped object. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
