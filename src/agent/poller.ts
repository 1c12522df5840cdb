/** Reads every source again and again, each in its own time: one that hangs or fails delays no other, and nothing ends the agent. */
import type { NodeSignal } from '../api/node-signal.ts';
import { fullJitter, type Random } from '../lib/backoff.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Reading, Source } from './source.ts';

export interface SourceHealth {
  readonly name: string;
  /** null: not yet, in this process. */
  readonly lastSuccess: Millis | null;
  /** What is wrong, one line; null while its last reading was good. */
  readonly failure: string | null;
  /** It has been without a good reading for so long that people should know. */
  readonly degraded: boolean;
}

export interface PollerOptions {
  readonly sources: readonly Source[];
  readonly clock: Clock;
  readonly random: Random;
  readonly earlier: (source: Source) => readonly NodeSignal[];
  readonly onReading: (source: Source, reading: Reading) => void;
  readonly onFailure: (source: Source, message: string) => void;
}

export interface Poller {
  health(): readonly SourceHealth[];
  /** Gives up what is being read and reads nothing more. */
  stop(): void;
}

const MAX_BACK_OFF_MS = 30_000;
/** A metadata service that is busy for a moment is no news; the poll period of a slow source counts three times. */
const DEGRADED_AFTER_MS = 15_000;

interface State {
  lastSuccess: Millis | null;
  failure: string | null;
  failures: number;
}

export function startPoller({ sources, clock, random, earlier, onReading, onFailure }: PollerOptions): Poller {
  const startedAt = clock.now();
  const states = new Map<Source, State>();
  const stopping = new AbortController();
  const pending = new Set<() => void>();

  const later = (delayMs: Millis, source: Source) => {
    if (stopping.signal.aborted) return;
    const cancel = clock.after(delayMs, () => {
      pending.delete(cancel);
      void poll(source);
    });
    pending.add(cancel);
  };

  async function poll(source: Source): Promise<void> {
    const state = stateOf(source);
    try {
      const reading = await within(source, earlier(source));
      if (stopping.signal.aborted) return;
      state.lastSuccess = clock.now();
      state.failure = null;
      state.failures = 0;
      onReading(source, reading);
      later(source.everyMs, source);
    } catch (error) {
      if (stopping.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      state.failure = message;
      onFailure(source, message);
      // Never sooner than in good times: a metadata service that answers 429 must not be asked more.
      later(source.everyMs + fullJitter(state.failures, random, source.everyMs, MAX_BACK_OFF_MS), source);
      state.failures += 1;
    }
  }

  /** A source that does not heed its signal is left behind all the same. */
  function within(source: Source, known: readonly NodeSignal[]): Promise<Reading> {
    const reading = new AbortController();
    return new Promise((resolve, reject) => {
      const giveUp = (reason: Error) => {
        reading.abort(reason);
        reject(reason);
      };
      const cancel = clock.after(source.timeoutMs, () => giveUp(new Error(`no answer within ${source.timeoutMs / 1_000} s`)));
      const onStop = () => giveUp(new Error('stopped'));
      stopping.signal.addEventListener('abort', onStop, { once: true });
      const release = () => {
        cancel();
        stopping.signal.removeEventListener('abort', onStop);
      };
      // Not called here: what it throws at once must be a rejection, too.
      Promise.resolve()
        .then(() => source.read(known, reading.signal))
        .then(resolve, reject)
        .finally(release);
    });
  }

  const stateOf = (source: Source): State => {
    const state = states.get(source) ?? { lastSuccess: null, failure: null, failures: 0 };
    states.set(source, state);
    return state;
  };

  for (const source of sources) {
    stateOf(source);
    // The first look is at once: an agent that was restarted in the middle of a notice has lost time already.
    void poll(source);
  }

  return {
    health: () =>
      sources.map((source) => {
        const { lastSuccess, failure } = stateOf(source);
        const silent = clock.now() - (lastSuccess ?? startedAt);
        return { name: source.name, lastSuccess, failure, degraded: failure !== null && silent >= patience(source) };
      }),
    stop() {
      stopping.abort();
      for (const cancel of pending) cancel();
      pending.clear();
    },
  };
}

function patience({ everyMs }: Source): Millis {
  return Math.max(DEGRADED_AFTER_MS, 3 * everyMs);
}
