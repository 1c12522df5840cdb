/** Times as they stand in objects. */
import type { Millis } from '../lib/clock.ts';

let lastSecond = Number.NaN;
let lastText = '';

/** RFC 3339 with whole seconds (metav1.Time); a part of a second is cut off. Writers of one instant share one string. */
export function timestamp(ms: Millis): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
  }
  return lastText;
}

/** RFC 3339 with microseconds (metav1.MicroTime), as in a Lease. */
export function microTimestamp(ms: Millis): string {
  return `${new Date(Math.floor(ms)).toISOString().slice(0, 23)}000Z`;
}
