/** The schedule against a slow model that knows of dates and zones only what luxon says, quarter of an hour by quarter of an hour. */
import fc from 'fast-check';
import { DateTime, Settings } from 'luxon';
import { expect, it } from 'vitest';
import { scheduleSpec } from '../../api/schedule.ts';
import type { ScheduleSpec } from '../../api/resources.ts';
import { compileSchedule } from './schedule.ts';

Settings.defaultZone = 'UTC';

const QUARTER = 900_000;
const DAY = 86_400_000;
const zones = [
  'UTC',
  'Europe/Amsterdam',
  'America/New_York',
  'America/Havana', // midnight comes twice
  'America/Santiago', // clocks change at midnight: 00:00 does not come, or the hour before it comes twice
  'Australia/Lord_Howe', // by half an hour
  'Asia/Kathmandu', // three quarters past
  'Africa/Casablanca', // set back for Ramadan
];
const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** The moments of 2026 at which the clocks of a zone change; one day of the year where they never do. */
function changesOf(zone: string): number[] {
  const begin = Date.UTC(2026, 0, 1);
  const offset = (at: number) => DateTime.fromMillis(at, { zone }).offset;
  const found: number[] = [];
  for (let day = begin; day < begin + 365 * DAY; day += DAY) {
    if (offset(day) === offset(day + DAY)) continue;
    for (let at = day + QUARTER; at <= day + DAY; at += QUARTER) if (offset(at) !== offset(at - QUARTER)) found.push(at);
  }
  return found.length > 0 ? found : [Date.UTC(2026, 5, 15)];
}
const moments = zones.flatMap((zone) => changesOf(zone).map((change) => ({ zone, change })));

interface Grid {
  readonly begin: number;
  /** What clocks show at each quarter: "2026-03-29T03:15". */
  readonly shown: readonly string[];
  readonly firstShown: ReadonlyMap<string, number>;
  readonly lastShown: ReadonlyMap<string, number>;
}

const grids = new Map<string, Grid>();

/** From 8 days before the change to 24 after. */
function gridOf(zone: string, change: number): Grid {
  const key = `${zone} ${change}`;
  let grid = grids.get(key);
  if (!grid) {
    const begin = change - 8 * DAY;
    const at = (index: number) => DateTime.fromMillis(begin + index * QUARTER, { zone }).toFormat("yyyy-MM-dd'T'HH:mm");
    const shown = Array.from({ length: (32 * DAY) / QUARTER }, (_, index) => at(index));
    const lastShown = new Map(shown.map((wall, index) => [wall, index]));
    const firstShown = new Map(shown.map((wall, index) => [wall, index] as const).reverse());
    grids.set(key, (grid = { begin, shown, firstShown, lastShown }));
  }
  return grid;
}

/** At which quarters it is open. */
function model({ windows, exclude }: ScheduleSpec, { shown, firstShown, lastShown }: Grid): boolean[] {
  const isOpen = shown.map(() => windows === undefined);
  // One that never comes is in a gap, and stands for the end of it.
  const first = (wall: string) => firstShown.get(wall) ?? shown.findIndex((each) => each >= wall);
  const last = (wall: string) => lastShown.get(wall) ?? first(wall);
  for (const date of new Set(shown.map((each) => each.slice(0, 10)))) {
    const day = DateTime.fromISO(date);
    for (const { days, start, end, cron, duration } of windows ?? []) {
      const weekday = weekdays[day.weekday - 1] ?? 'Mon';
      let from: number;
      let to: number;
      if (start !== undefined && end !== undefined) {
        if (days && !days.includes(weekday)) continue;
        const later = end > start ? day : day.plus({ days: 1 });
        from = first(`${date}T${start}`);
        to = end === '24:00' ? last(`${day.plus({ days: 1 }).toISODate()}T00:00`) : last(`${later.toISODate()}T${end}`);
      } else {
        const [minute = '', hour = '', , , on = ''] = (cron ?? '').split(' ');
        const [name = '', nth] = on.split('#');
        if (name !== '*' && name !== weekday.toUpperCase()) continue;
        if (nth !== undefined && Math.ceil(day.day / 7) !== Number(nth)) continue;
        from = first(`${date}T${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`);
        to = from + (Number.parseInt(duration ?? '', 10) * 60_000) / QUARTER;
      }
      if (from >= 0) isOpen.fill(true, from, Math.max(from, to));
    }
  }
  for (const { from, to } of exclude)
    shown.forEach((each, index) => {
      if (each.slice(0, 10) >= from && each.slice(0, 10) <= to) isOpen[index] = false;
    });
  return isOpen;
}

const quarter = fc.constantFrom('00', '15', '30', '45');
const hour = fc.oneof(fc.constantFrom(0, 1, 2, 3, 23), fc.integer({ min: 0, max: 23 }));
const time = fc.tuple(hour, quarter).map(([hours, minutes]) => `${String(hours).padStart(2, '0')}:${minutes}`);
const daily = fc.record(
  {
    start: time,
    end: fc.oneof({ weight: 9, arbitrary: time }, fc.constant('24:00')),
    days: fc.subarray([...weekdays], { minLength: 1 }),
  },
  { requiredKeys: ['start', 'end'] },
);
const byCron = fc
  .tuple(
    hour,
    quarter,
    fc.constantFrom('*', ...weekdays),
    fc.option(fc.integer({ min: 1, max: 5 })),
    fc.integer({ min: 1, max: 200 }),
  )
  .map(([hours, minutes, day, nth, quarters]) => ({
    cron: `${Number(minutes)} ${hours} * * ${day.toUpperCase()}${day === '*' || nth === null ? '' : `#${nth}`}`,
    duration: `${quarters * 15}m`,
  }));

const situation = fc.constantFrom(...moments).chain(({ zone, change }) => {
  const date = fc
    .integer({ min: -3, max: 6 })
    .map((days) => DateTime.fromMillis(change + days * DAY, { zone }).toISODate() ?? '');
  const excluded = fc.tuple(date, date).map(([a, b]) => ({ from: a < b ? a : b, to: a < b ? b : a }));
  return fc.record({
    zone: fc.constant(zone),
    change: fc.constant(change),
    windows: fc.option(fc.array(fc.oneof(daily, byCron), { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 10 }),
    exclude: fc.oneof(fc.constant([]), fc.array(excluded, { minLength: 1, maxLength: 2 })),
    quarters: fc.array(fc.integer({ min: -192, max: 192 }), { minLength: 1, maxLength: 6 }),
    fits: fc.integer({ min: 1, max: 120 }),
  });
});

it('is open, opens and closes when luxon says so, around the days on which clocks change', () => {
  let beyond = 0;
  fc.assert(
    fc.property(situation, ({ zone, change, windows, exclude, quarters, fits }) => {
      fc.pre(windows !== undefined || exclude.length > 0);
      const spec = scheduleSpec.parse({ timeZone: zone, ...(windows && { windows }), exclude });
      const schedule = compileSchedule(spec);
      const grid = gridOf(zone, change);
      const isOpen = model(spec, grid);
      /** For how many quarters it is open from each on. */
      const stays = [...isOpen, false].map(() => 0);
      for (let at = isOpen.length - 1; at >= 0; at -= 1) stays[at] = isOpen[at] ? (stays[at + 1] ?? 0) + 1 : 0;
      // The last days of the grid do not see windows of later ones, nor their ends.
      const end = grid.shown.length - (4 * DAY) / QUARTER;
      const instant = (index: number) => (index < 0 || index >= end ? 'beyond' : grid.begin + index * QUARTER);
      const told = (at: number | null) => (at === null || at >= grid.begin + end * QUARTER ? 'beyond' : at);
      // One after the other, in any order: what is remembered of one answer must not spoil the next.
      for (const offset of quarters) {
        const now = change + offset * QUARTER;
        const index = (now - grid.begin) / QUARTER;
        const state = schedule.at(now + 1_234);
        const changesAt = instant(isOpen.findIndex((each, at) => at > index && each !== isOpen[index]));
        expect([state.open, told(state.open ? state.until : state.opensAt)]).toEqual([isOpen[index], changesAt]);
        if (changesAt === 'beyond') beyond += 1;

        const fit = stays.findIndex((quarters, at) => at >= index && quarters >= fits);
        expect(told(schedule.fits(now, fits * QUARTER))).toBe(instant(fit));
      }
    }),
    { numRuns: 200 },
  );
  // Most of what was asked had an answer to compare.
  expect(beyond).toBeLessThan(200);
});
