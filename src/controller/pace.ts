/** A token bucket: at most `perSecond` on average, `burst` at once. Counts only; whoever takes from it decides when to look again. */
import type { Clock, Millis } from '../lib/clock.ts';

export interface Pace {
  available(): number;
  take(count?: number): void;
  /** Time until nothing is owed any more; 0 when less was taken than there was. */
  owedMs(): Millis;
}

export function createPace(clock: Clock, perSecond: number, burst: number): Pace {
  let tokens = burst;
  let filledAt = clock.now();
  const fill = () => {
    const now = clock.now();
    // A clock that is set back must not cost the tokens of the time that it lost.
    tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) / 1_000) * perSecond);
    filledAt = now;
  };
  return {
    available() {
      fill();
      return Math.floor(tokens);
    },
    take(count = 1) {
      fill();
      tokens -= count;
    },
    owedMs() {
      fill();
      return tokens < 0 ? (-tokens / perSecond) * 1_000 : 0;
    },
  };
}
