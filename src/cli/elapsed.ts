import type { Millis } from '../lib/clock.ts';

/** "40s", "2m5s", "3h2m", "4d3h": two units, rounded down to seconds. */
export function elapsed(ms: Millis): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0s';
  let rest = seconds;
  let text = '';
  for (const [unit, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}
