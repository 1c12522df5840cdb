/**
 * What waits to be sent through one channel, one at a time and in order. Nothing that is drained waits for it: it is bounded, and what is
 * newer about the same thing takes the place of what has not been sent.
 */
import { fullJitter, type Random } from '../lib/backoff.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import { type Channel, DeliveryError } from './channel.ts';
import type { Notice } from './notice.ts';

/** Delivered. Refused: another try would be answered alike. Failed: tried as often as it may be. Dropped: for lack of room or time. Coalesced: told by a later one. */
export type Answer = 'Delivered' | 'Refused' | 'Failed' | 'Dropped' | 'Coalesced';

export interface QueueOptions {
  readonly channel: Channel;
  readonly clock: Clock;
  readonly random: Random;
  readonly retries: number;
  readonly perMinute: number;
  /** How the service named the message of a thread. */
  readonly messageOf: (thread: string) => string | null;
  readonly onDelivered: (notice: Notice, message: string | null) => void;
  /** Of every notice once, at its end. @param why empty unless Refused or Failed */
  readonly onAnswer: (notice: Notice, answer: Answer, why: string) => void;
  /** A try has failed, and another one follows. */
  readonly onTry?: (notice: Notice, why: string, waitMs: Millis) => void;
}

export interface Queue {
  /** Never throws, never waits. */
  put(notice: Notice): void;
  /** Waiting or being sent. */
  readonly length: number;
  /** Drops what waits: another process goes on. What is on its way arrives. */
  abandon(): void;
  /** Sends what there is for at most `graceMs` and drops the rest. */
  stop(graceMs: Millis): Promise<void>;
}

const MAX_PENDING = 100;
const RETRY_BASE_MS = 1_000;
const RETRY_CAP_MS = 60_000;
/** A service that asks for more is tried earlier: it may have meant somebody else. */
const MAX_RETRY_AFTER_MS = 600_000;
/** So many may follow each other at once after a quiet time. */
const BURST = 5;

export function createQueue(options: QueueOptions): Queue {
  const { channel, clock, random, retries, perMinute, messageOf, onDelivered, onAnswer } = options;
  const pending: Notice[] = [];
  const spacing = 60_000 / perMinute;
  let paidUntil = Number.NEGATIVE_INFINITY; // where a steady stream of requests would be
  let sending: Notice | null = null;
  let running: Promise<void> | null = null;
  let aborter = new AbortController();
  let stopped = false;

  const sameState = (a: Notice, b: Notice) => a.thread === b.thread && a.kind === 'State' && b.kind === 'State';
  const later = (notice: Notice) => pending.some((each) => sameState(each, notice));

  const pause = async (ms: Millis): Promise<boolean> => {
    if (ms <= 0) return true;
    return clock.sleep(ms, aborter.signal).then(
      () => true,
      () => false,
    );
  };
  const turn = (): Promise<boolean> => {
    const now = clock.now();
    paidUntil = Math.max(paidUntil, now - BURST * spacing) + spacing;
    return pause(paidUntil - now);
  };

  /** Until it has an answer. */
  const send = async (notice: Notice): Promise<void> => {
    for (let failures = 0; ; failures += 1) {
      try {
        const message = await channel.deliver(notice, messageOf(notice.thread));
        onDelivered(notice, message);
        return onAnswer(notice, 'Delivered', '');
      } catch (error) {
        if (!(error instanceof DeliveryError)) throw error;
        if (!error.again) return onAnswer(notice, 'Refused', error.message);
        if (failures >= retries) return onAnswer(notice, 'Failed', error.message);
        // At least half of it: a queue has nobody to make way for, and ten tries are to last some minutes.
        const backoff = RETRY_BASE_MS * 2 ** Math.min(failures, 6);
        const jittered =
          Math.min(RETRY_CAP_MS, backoff) / 2 + fullJitter(0, random, Math.min(RETRY_CAP_MS, backoff) / 2, RETRY_CAP_MS);
        const wait = Math.max(jittered, Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
        options.onTry?.(notice, error.message, wait);
        if (!(await pause(wait))) return onAnswer(notice, 'Dropped', '');
        if (later(notice)) return onAnswer(notice, 'Coalesced', '');
      }
    }
  };

  const run = async () => {
    while (pending.length > 0 && (await turn())) {
      const notice = pending.shift(); // only now: what came while it waited for its turn has replaced it
      if (!notice) break;
      sending = notice;
      await send(notice);
      sending = null;
    }
    for (const each of aborter.signal.aborted ? pending.splice(0) : []) onAnswer(each, 'Dropped', '');
  };
  const start = () => {
    running ??= run().finally(() => {
      running = null;
      sending = null;
      if (pending.length > 0) start();
    });
  };

  return {
    put(notice) {
      if (stopped) return onAnswer(notice, 'Dropped', '');
      const place = pending.findIndex((each) => sameState(each, notice));
      const replaced = pending[place];
      if (replaced) {
        pending[place] = notice;
        onAnswer(replaced, 'Coalesced', '');
      } else pending.push(notice);
      if (pending.length > MAX_PENDING) {
        // What has failed is told before how something else stands.
        const oldest = pending.findIndex(({ kind }) => kind === 'State');
        for (const each of pending.splice(Math.max(0, oldest), 1)) onAnswer(each, 'Dropped', '');
      }
      start();
    },
    get length() {
      return pending.length + (sending ? 1 : 0);
    },
    abandon() {
      pending.splice(0);
      aborter.abort();
      aborter = new AbortController();
    },
    async stop(graceMs) {
      stopped = true;
      const cancel = clock.after(graceMs, () => {
        aborter.abort();
        for (const each of pending.splice(0)) onAnswer(each, 'Dropped', '');
        void channel.close(); // ends the request that is on its way
      });
      await running;
      cancel();
      await channel.close();
    },
  };
}
