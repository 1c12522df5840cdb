/** Waiting times between tries, spread by full jitter so that clients cut at one instant do not come back at one instant. */
import type { Millis } from './clock.ts';

/** Draws from [0, 1). Injected, so that a run can be repeated. */
export type Random = () => number;

/**
 * A wait drawn evenly from zero up to `baseMs` x 2^`attempt` (attempt 0 is the first retry), capped at `capMs`.
 * Why full jitter: of the common schemes it asks least of a server that many clients lost together.
 */
export function fullJitter(attempt: number, random: Random, baseMs: Millis = 800, capMs: Millis = 30_000): Millis {
  return Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30)) * random();
}
