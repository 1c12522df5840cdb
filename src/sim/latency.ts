/** How long something takes, drawn anew each time. */
import type { Millis } from '../lib/clock.ts';

/**
 * In whole milliseconds, so that what happens to thousands of pods at about the same time happens in hundreds of instants: each instant costs
 * the virtual clock a turn of the event loop, in which promises settle. `random`: 0 <= x < 1; asked only where there is a spread.
 */
export function drawLatency(least: Millis, spread: Millis, random: () => number): Millis {
  return Math.round(spread > 0 ? least + random() * spread : least);
}
