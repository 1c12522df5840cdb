/**
 * What clocks show in a time zone, and when they show it. Wall times are milliseconds as if what is shown were UTC. When clocks change,
 * a wall time may come twice or never; each question here says which moment it wants.
 */
import type { Millis } from '../../lib/clock.ts';

export interface WallClock {
  readonly timeZone: string;
  /** What clocks show at an instant. */
  at(instant: Millis): Millis;
  /** The latest that clocks have shown up to an instant: after they were set back, more than they show now. */
  latest(instant: Millis): Millis;
  /** The first instant at which clocks show `wall`: of two the earlier, and the end of the gap for one that never comes. */
  first(wall: Millis): Millis;
  /** The last instant at which clocks show `wall`: of two the later, and the end of the gap for one that never comes. */
  last(wall: Millis): Millis;
}

/** Clocks are set at most once within so long, and by less than it. */
const DAY = 86_400_000;

/** @throws RangeError for a zone that is not known */
export function openWallClock(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const at = (instant: Millis): Millis => {
    const part = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of format.formatToParts(instant))
      if (type in part) part[type as keyof typeof part] = Number(value);
    const { year, month, day, hour, minute, second } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((instant % 1_000) + 1_000) % 1_000);
  };
  const offset = (instant: Millis) => at(instant) - instant;

  /** The instants that show `wall`, or the end of the gap that it falls into. */
  const instants = (wall: Millis): Millis[] => {
    const [before, after] = [offset(wall - DAY), offset(wall + DAY)];
    if (before === after) return [wall - before];
    const shown = [wall - before, wall - after].filter((instant) => at(instant) === wall);
    return shown.length > 0 ? shown : [changeBetween(wall - after, wall - before)];
  };
  const changeBetween = (from: Millis, to: Millis): Millis => {
    let [low, high] = [from, to]; // the offset of `from` holds at low, no longer at high
    const old = offset(low);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offset(middle) === old) low = middle;
      else high = middle;
    }
    return high;
  };
  return {
    timeZone,
    at,
    latest: (instant) => instant + Math.max(offset(instant), offset(instant - DAY)),
    first: (wall) => Math.min(...instants(wall)),
    last: (wall) => Math.max(...instants(wall)),
  };
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** "Sat 2026-11-21 22:00 Europe/Amsterdam": as the people who wrote the schedule read it. */
export function localTime(instant: Millis, timeZone: string): string {
  const shown = new Date(openWallClock(timeZone).at(instant));
  return `${weekdays[shown.getUTCDay()]} ${shown.toISOString().slice(0, 16).replace('T', ' ')} ${timeZone}`;
}
