/**
 * Asks what gates ask, only while a pass needs the answer: again after each interval, and at once when the need is new. Policies that ask
 * the same share one answer.
 */
import { type AskedQuestion, FRESH_MS, type GateAnswer, type GateNeeds, type Verdict } from '../../engine/gates/gate.ts';
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
  answer(asked: AskedQuestion): GateAnswer | undefined;
  /** What the last pass looked at. */
  provide(needs: Pick<GateNeeds, 'asked' | 'anew'>): void;
  stop(): void;
}

interface Entry {
  readonly asked: AskedQuestion;
  needed: boolean;
  inFlight: boolean;
  askedAt: Millis;
  /** Somebody waits for the next answer, also when it is the same. */
  awaited: boolean;
  answer: GateAnswer | null;
  cancelTimer: () => void;
}

/** Replicas and policies do not ask in the same moment. */
const JITTER = 0.1;
/** However often it is needed anew. */
const LEAST_GAP_MS = 1_000;
const FORGET_AFTER_MS = 600_000;

export function createPoller({ clock, random, ask, onChange, onAnswer }: PollerOptions): Poller {
  const entries = new Map<string, Entry>();
  let stopped = false;

  const request = (entry: Entry) => {
    entry.cancelTimer();
    if (entry.inFlight || stopped) return;
    entry.inFlight = true;
    entry.askedAt = clock.now();
    void ask(entry.asked)
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
        const isNews = entry.awaited || !before || JSON.stringify(before.verdict) !== JSON.stringify(verdict);
        entry.awaited = false;
        if (isNews) onChange();
      });
  };

  const wait = (entry: Entry, verdict: Verdict, now: Millis) => {
    const interval = entry.asked.intervalMs * (1 + JITTER * (random() * 2 - 1));
    const due = verdict.is === 'Settling' ? Math.min(interval, Math.max(1, verdict.until - now)) : interval;
    entry.cancelTimer = clock.after(due, () => request(entry));
  };

  const requestSoon = (entry: Entry) => {
    entry.awaited = true;
    if (entry.inFlight) return;
    const wait = entry.askedAt + LEAST_GAP_MS - clock.now();
    entry.cancelTimer();
    if (wait <= 0 || wait > LEAST_GAP_MS) request(entry);
    else entry.cancelTimer = clock.after(wait, () => request(entry));
  };

  return {
    answer: ({ key }) => entries.get(key)?.answer ?? undefined,
    provide({ asked: needed, anew }) {
      const now = clock.now();
      for (const [key, entry] of entries) {
        if (needed.has(key)) continue;
        entry.needed = false;
        entry.cancelTimer();
        if (!entry.inFlight && now - (entry.answer?.at ?? now) > FORGET_AFTER_MS) entries.delete(key);
      }
      for (const [key, asked] of needed) {
        let entry = entries.get(key);
        if (!entry) entries.set(key, (entry = newEntry(asked)));
        const isOld = Math.abs(now - (entry.answer?.at ?? Number.NEGATIVE_INFINITY)) > FRESH_MS;
        if (!entry.needed || (anew.has(key) && isOld && !entry.awaited)) requestSoon(entry);
        entry.needed = true;
      }
    },
    stop() {
      stopped = true;
      for (const entry of entries.values()) entry.cancelTimer();
    },
  };
}

function newEntry(asked: AskedQuestion): Entry {
  return {
    asked,
    needed: false,
    inFlight: false,
    askedAt: Number.NEGATIVE_INFINITY,
    awaited: false,
    answer: null,
    cancelTimer: () => {},
  };
}
