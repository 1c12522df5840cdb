/**
 * Asks what gates ask, only while a pass needs the answer: again after each interval, and at once when the need is new. Policies that ask
 * the same share one answer.
 */
import type { AskedQuestion, GateAnswer, GateNeeds, Verdict } from '../../engine/gates/gate.ts';
import type { Clock, Millis } from '../../lib/clock.ts';

export interface PollerOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** @throws Error in one line: there is no answer */
  readonly ask: (asked: AskedQuestion) => Promise<Verdict>;
  /** An answer says something else than the one before. */
  readonly onChange: () => void;
  readonly onAnswer: (asked: AskedQuestion, verdict: Verdict) => void;
}

export interface Poller {
  answer(asked: AskedQuestion, now: Millis): GateAnswer | undefined;
  /** What the last pass looked at. */
  provide(asked: GateNeeds['asked']): void;
  stop(): void;
}

interface Entry {
  readonly asked: AskedQuestion;
  needed: boolean;
  inFlight: boolean;
  answer: GateAnswer | null;
  cancelTimer: () => void;
}

/**
 * An answer from before the need is relied on for so long only: what has been started with it may be what closes the gate now, and a
 * pass or two later that must be seen.
 */
const FRESH_MS = 2_000;
/** Replicas and policies do not ask in the same moment. */
const JITTER = 0.1;
const FORGET_AFTER_MS = 600_000;

export function createPoller({ clock, random, ask, onChange, onAnswer }: PollerOptions): Poller {
  const entries = new Map<string, Entry>();
  let stopped = false;

  const isFresh = ({ at }: GateAnswer, now: Millis) => now - at <= FRESH_MS && now >= at;

  const request = (entry: Entry) => {
    entry.cancelTimer();
    if (entry.inFlight || stopped) return;
    entry.inFlight = true;
    ask(entry.asked)
      .catch((error: unknown): Verdict => ({ is: 'Unanswered', message: error instanceof Error ? error.message : String(error) }))
      .then((verdict) => {
        entry.inFlight = false;
        if (stopped) return;
        const at = clock.now();
        const before = entry.answer;
        const same = before?.verdict.is === verdict.is;
        entry.answer = { verdict, at, since: same ? before.since : at };
        onAnswer(entry.asked, verdict);
        if (entry.needed) wait(entry, verdict, at);
        if (!before || JSON.stringify(before.verdict) !== JSON.stringify(verdict)) onChange();
      });
  };

  const wait = (entry: Entry, verdict: Verdict, now: Millis) => {
    const interval = entry.asked.intervalMs * (1 + JITTER * (random() * 2 - 1));
    const due = verdict.is === 'Settling' ? Math.min(interval, Math.max(1, verdict.until - now)) : interval;
    entry.cancelTimer = clock.after(due, () => request(entry));
  };

  return {
    answer(asked, now) {
      const entry = entries.get(asked.key);
      if (!entry?.answer) return undefined;
      return entry.needed || isFresh(entry.answer, now) ? entry.answer : undefined;
    },
    provide(needed) {
      const now = clock.now();
      for (const [key, entry] of entries) {
        if (needed.has(key)) continue;
        entry.needed = false;
        entry.cancelTimer();
        if (!entry.inFlight && now - (entry.answer?.at ?? now) > FORGET_AFTER_MS) entries.delete(key);
      }
      for (const [key, asked] of needed) {
        let entry = entries.get(key);
        if (!entry) entries.set(key, (entry = { asked, needed: false, inFlight: false, answer: null, cancelTimer: () => {} }));
        if (entry.needed) continue;
        entry.needed = true;
        if (entry.answer && isFresh(entry.answer, now)) wait(entry, entry.answer.verdict, entry.answer.at);
        else {
          entry.answer = null;
          request(entry);
        }
      }
    },
    stop() {
      stopped = true;
      for (const entry of entries.values()) entry.cancelTimer();
    },
  };
}
