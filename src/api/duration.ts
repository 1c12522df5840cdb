/**
 * Durations as people write them in our resources and flags: Go's form without signs and fractions, the subset that
 * Gateway API settled on (GEP-2257), so that every accepted text also parses with Go's time.ParseDuration and CEL's duration().
 */
import type { Millis } from '../lib/clock.ts';

/** Up to four groups of a number (at most five digits) and a unit h, m, s or ms. */
export const DURATION_PATTERN = '^([0-9]{1,5}(h|m|s|ms)){1,4}$';

const wholeText = new RegExp(DURATION_PATTERN);
const group = /([0-9]+)(ms|h|m|s)/g;
const unitMs: Readonly<Record<string, Millis>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

export function isDuration(text: string): boolean {
  return wholeText.test(text);
}

/** "1h30m" -> 5400000. Throws a RangeError for anything that `isDuration` refuses. */
export function parseDuration(text: string): Millis {
  if (!isDuration(text)) throw new RangeError(`"${text}" is not a duration; write it like 30s, 10m or 1h30m`);
  let total = 0;
  for (const [, digits, unit] of text.matchAll(group)) total += Number(digits) * (unitMs[unit ?? ''] ?? 0);
  return total;
}

/** The shortest text that `parseDuration` reads back; whole milliseconds, below 100,000 hours, never negative (RangeError). */
export function formatDuration(ms: Millis): string {
  if (!(ms >= 0 && ms < 100_000 * 3_600_000)) throw new RangeError(`${ms} ms cannot be written as a duration`);
  let rest = Math.round(ms);
  let text = '';
  for (const [unit, size] of Object.entries(unitMs)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}
