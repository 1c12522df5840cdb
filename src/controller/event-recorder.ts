/**
 * Writes events, at leisure: nothing waits for them, and when there are too many the oldest are lost, counted and said so. They go
 * out as core/v1 with `count` and the two timestamps: every reader knows these, and `kubectl describe node` finds them by the uid of
 * the node in namespace default (kubectl describe.go searches both uid = the uid and uid = the name; the kubelet uses the latter).
 */
import { createHash } from 'node:crypto';
import { isoSeconds } from '../engine/journal.ts';
import { type KubeClient, KubeError, pathOf } from '../kube/client.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { EventSpec } from './events.ts';
import { cut } from './status.ts';

export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** "drover": kubectl's column "From". */
  readonly component: string;
  /** Name of this replica; at most 128 characters are kept. */
  readonly instance: string;
}

export interface EventRecorder {
  /** Queues it, unless its dedupKey was seen in the last 5 minutes. Never throws. */
  record(event: EventSpec): void;
  /** Waiting to be written. */
  readonly queued: number;
  /** Written, lost from a full queue or at the stop, and refused by the API server. */
  readonly totals: { readonly written: number; readonly dropped: number; readonly failed: number };
  /** Writes what is queued for at most `graceMs` (default 2 s) and drops the rest. */
  stop(graceMs?: Millis): Promise<void>;
}

const MAX_QUEUED = 1_000;
const MAX_REMEMBERED = 10_000;
const REPEAT_AFTER_MS = 300_000;
const SPACING_MS = 100;
const REQUEST_TIMEOUT_MS = 10_000;
const RETRY_AFTER_MS = 1_000;
const MAX_RETRY_AFTER_MS = 30_000;
const WARN_EVERY_MS = 60_000;
const MAX_MESSAGE = 1_024;
const MAX_NAME = 253;

interface Queued {
  readonly event: EventSpec;
  readonly at: Millis;
}

export function createEventRecorder({ client, clock, log, component, instance }: EventRecorderOptions): EventRecorder {
  const queue: Queued[] = [];
  const seen = new Map<string, Millis>(); // in the order of their times
  const totals = { written: 0, dropped: 0, failed: 0 };
  const aborter = new AbortController();
  let sending = false;
  let stopping = false;
  let idle: () => void = () => {};
  const warn = occasionally(clock, log);

  const isRepeat = (key: string, now: Millis): boolean => {
    for (const [oldest, at] of seen) {
      if (now - at < REPEAT_AFTER_MS && seen.size <= MAX_REMEMBERED) break;
      seen.delete(oldest);
    }
    if (seen.has(key)) return true;
    seen.set(key, now);
    return false;
  };

  const send = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const startedAt = clock.now();
      try {
        await write(next);
        totals.written += 1;
      } catch (error) {
        if (aborter.signal.aborted) {
          totals.dropped += 1;
          break;
        }
        totals.failed += 1;
        seen.delete(next.event.dedupKey);
        warn(`cannot write an event: ${error instanceof Error ? error.message : String(error)}`);
      }
      const rest = startedAt + SPACING_MS - clock.now();
      if (rest > 0) await clock.sleep(rest, aborter.signal).catch(() => {}); // aborted: the loop ends with the queue
    }
    sending = false;
    idle();
  };

  const write = async (item: Queued) => {
    const body = eventBody(item.event, item.at, component, instance);
    const path = pathOf('api/v1/namespaces', body.metadata.namespace, 'events');
    // Its name follows from what it tells, so that a repeated request cannot make a second one.
    const post = () =>
      client.json({ method: 'POST', path, body, idempotent: true, timeoutMs: REQUEST_TIMEOUT_MS, signal: aborter.signal });
    try {
      await post();
    } catch (error) {
      if (isThere(error)) return;
      const wait = retryAfter(error);
      if (wait === null) throw error;
      await clock.sleep(wait, aborter.signal);
      await post().catch((again: unknown) => {
        if (!isThere(again)) throw again;
      });
    }
  };

  return {
    record(event) {
      const now = clock.now();
      if (stopping || isRepeat(event.dedupKey, now)) return;
      queue.push({ event, at: now });
      if (queue.length > MAX_QUEUED) {
        queue.shift();
        totals.dropped += 1;
        warn('more events than can be written: the oldest are dropped');
      }
      if (sending) return;
      sending = true;
      void send();
    },
    get queued() {
      return queue.length;
    },
    totals,
    async stop(graceMs = 2_000) {
      stopping = true;
      if (!sending) return;
      const done = new Promise<void>((resolve) => (idle = resolve));
      const cancel = clock.after(graceMs, () => {
        totals.dropped += queue.splice(0).length;
        aborter.abort();
      });
      await done;
      cancel();
    },
  };
}

/** The first of a kind of trouble is said at once, what follows within a minute is counted: a missing right would say it 10 times a second. */
function occasionally(clock: Clock, log: Log): (message: string) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  let unsaid = 0;
  return (message) => {
    const now = clock.now();
    if (now - saidAt < WARN_EVERY_MS) {
      unsaid += 1;
      return;
    }
    log.warn(message, { since_last_warning: unsaid });
    saidAt = now;
    unsaid = 0;
  };
}

function isThere(error: unknown): boolean {
  return error instanceof KubeError && error.code === 409;
}

/** null: a second try would be answered alike. */
function retryAfter(error: unknown): Millis | null {
  if (!(error instanceof KubeError)) return null;
  if (error.code !== 0 && error.code !== 429 && error.code < 500) return null;
  return Math.min(error.retryAfterMs ?? RETRY_AFTER_MS, MAX_RETRY_AFTER_MS);
}

/** The Event object. Events on cluster-scoped objects live in namespace default. */
export function eventBody(event: EventSpec, now: Millis, component: string, instance: string) {
  const { regarding, type, reason, message } = event;
  const hash = createHash('sha256').update([regarding.uid, event.dedupKey, now].join('\n')).digest('hex').slice(0, 16);
  const namespace = regarding.namespace ?? 'default';
  const at = isoSeconds(now);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    // A name cut at a dot or a dash would be refused.
    metadata: { namespace, name: `${regarding.name.slice(0, MAX_NAME - hash.length - 1).replace(/[^a-z0-9]+$/, '')}.${hash}` },
    involvedObject: regarding,
    type,
    reason,
    message: cut(message, MAX_MESSAGE),
    source: { component },
    reportingComponent: component,
    reportingInstance: instance.slice(0, 128),
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
}
