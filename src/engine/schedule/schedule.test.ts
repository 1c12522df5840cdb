import { describe, expect, it } from 'vitest';
import { scheduleSpec } from '../../api/schedule.ts';
import { compileSchedule, type Schedule } from './schedule.ts';
import { localTime } from './wall-clock.ts';

type Written = Parameters<typeof scheduleSpec.parse>[0];

const scheduleOf = (spec: Written): Schedule => compileSchedule(scheduleSpec.parse(spec));
const iso = (at: number | null) => (at === null ? 'never' : new Date(at).toISOString().slice(0, 16));

/** "open until ..." or "closed until ...", in UTC as is `at`. */
function look(schedule: Schedule, at: string): string {
  const state = schedule.at(Date.parse(`${at}:00Z`));
  return state.open ? `open until ${iso(state.until)}` : `closed until ${iso(state.opensAt)}`;
}

describe('a window of days and times', () => {
  // 2026-11-21 is a Saturday.
  const overnight = scheduleOf({ windows: [{ days: ['Sat'], start: '22:00', end: '04:00' }] });

  it('belongs to the day on which it begins: Saturday night is open on Sunday at one, and not on Saturday at one', () => {
    expect(look(overnight, '2026-11-21T01:00')).toBe('closed until 2026-11-21T22:00');
    expect(look(overnight, '2026-11-21T22:00')).toBe('open until 2026-11-22T04:00');
    expect(look(overnight, '2026-11-22T01:00')).toBe('open until 2026-11-22T04:00');
    expect(look(overnight, '2026-11-22T04:00')).toBe('closed until 2026-11-28T22:00');
    expect(look(overnight, '2026-11-22T22:30')).toBe('closed until 2026-11-28T22:00');
  });

  it('is open for a whole day where it ends when it starts', () => {
    const schedule = scheduleOf({ windows: [{ days: ['Sat'], start: '08:00', end: '08:00' }] });
    expect(look(schedule, '2026-11-21T07:59')).toBe('closed until 2026-11-21T08:00');
    expect(look(schedule, '2026-11-22T07:59')).toBe('open until 2026-11-22T08:00');
  });

  it('may end at the end of the day, written as 24:00 or 00:00', () => {
    for (const end of ['24:00', '00:00'])
      expect(look(scheduleOf({ windows: [{ start: '20:00', end }] }), '2026-11-21T23:59')).toBe('open until 2026-11-22T00:00');
  });

  it('is daily without days', () => {
    const schedule = scheduleOf({ windows: [{ start: '09:00', end: '17:00' }] });
    expect(look(schedule, '2026-11-21T17:00')).toBe('closed until 2026-11-22T09:00');
  });

  it('never closes where every day is open', () => {
    const state = scheduleOf({ windows: [{ start: '00:00', end: '24:00' }] }).at(Date.UTC(2026, 10, 21));
    // It is not followed for ever.
    expect(state).toMatchObject({ open: true, until: expect.any(Number) });
    expect(state.open && state.until).toBeGreaterThan(Date.UTC(2027, 10, 21));
  });
});

describe('a window by cron', () => {
  it('opens by its expression and stays open for its duration', () => {
    const schedule = scheduleOf({ timeZone: 'Europe/Amsterdam', windows: [{ cron: '0 2 * * SAT#1', duration: '4h' }] });
    expect(look(schedule, '2026-11-21T12:00')).toBe('closed until 2026-12-05T01:00');
    expect(look(schedule, '2026-12-05T04:59')).toBe('open until 2026-12-05T05:00');
  });

  it('joins openings that overlap or touch', () => {
    const schedule = scheduleOf({
      windows: [
        { cron: '0 1 * * *', duration: '2h' },
        { cron: '0 2 * * *', duration: '30m' },
        { start: '03:00', end: '04:00' },
      ],
    });
    expect(look(schedule, '2026-11-21T01:00')).toBe('open until 2026-11-21T04:00');
  });
});

describe('when clocks are set forward', () => {
  // New York, 2026-03-08: after 01:59 EST (06:59Z) comes 03:00 EDT.
  const on = (start: string, end: string) =>
    scheduleOf({ timeZone: 'America/New_York', windows: [{ days: ['Sun'], start, end }] });

  it('a start that does not come opens at the first moment after the gap', () => {
    expect(look(on('02:15', '05:00'), '2026-03-08T06:59')).toBe('closed until 2026-03-08T07:00');
    expect(look(on('02:15', '05:00'), '2026-03-08T07:00')).toBe('open until 2026-03-08T09:00');
  });

  it('an end that does not come closes there', () => {
    expect(look(on('01:00', '02:30'), '2026-03-08T06:30')).toBe('open until 2026-03-08T07:00');
  });

  it('a window that lies in the gap does not open on that day, and never at another hour', () => {
    expect(look(on('02:15', '02:45'), '2026-03-08T06:30')).toBe('closed until 2026-03-15T06:15');
  });

  it('a cron time in the gap is not left out', () => {
    const schedule = scheduleOf({ timeZone: 'America/New_York', windows: [{ cron: '30 2 * * *', duration: '1h' }] });
    expect(look(schedule, '2026-03-08T07:00')).toBe('open until 2026-03-08T08:00');
  });
});

describe('when clocks are set back', () => {
  // New York, 2026-11-01: 01:00 to 01:59 come twice, from 05:00Z (EDT) and from 06:00Z (EST).
  const on = (start: string, end: string) => scheduleOf({ timeZone: 'America/New_York', windows: [{ start, end }] });

  it('a start that comes twice opens once, at the first, and an end that comes twice closes at the last', () => {
    expect(look(on('01:15', '01:45'), '2026-11-01T05:14')).toBe('closed until 2026-11-01T05:15');
    expect(look(on('01:15', '01:45'), '2026-11-01T05:50')).toBe('open until 2026-11-01T06:45');
    expect(look(on('01:15', '01:45'), '2026-11-01T06:45')).toBe('closed until 2026-11-02T06:15');
  });

  it('a cron time that comes twice opens once', () => {
    const schedule = scheduleOf({ timeZone: 'America/New_York', windows: [{ cron: '*/30 1 * * *', duration: '20m' }] });
    expect(look(schedule, '2026-11-01T05:55')).toBe('closed until 2026-11-02T06:00');
  });

  it('a window whose end equals its start lasts from time to time, an hour longer', () => {
    expect(look(on('00:30', '00:30'), '2026-11-01T12:00')).toMatch(/^open/);
    const once = scheduleOf({ timeZone: 'America/New_York', windows: [{ days: ['Sun'], start: '00:30', end: '00:30' }] });
    expect(look(once, '2026-11-01T04:30')).toBe('open until 2026-11-02T05:30');
  });
});

describe('excluded dates', () => {
  const frozen = scheduleOf({
    timeZone: 'Europe/Amsterdam',
    windows: [{ days: ['Sat'], start: '22:00', end: '04:00' }],
    exclude: [
      { from: '2026-11-22', to: '2026-11-29', reason: 'sale' },
      { from: '2026-12-24', to: '2026-12-24' },
    ],
  });

  it('are closed from midnight to midnight of the zone, whatever window would be open', () => {
    expect(look(frozen, '2026-11-21T21:30')).toBe('open until 2026-11-21T23:00');
    expect(look(frozen, '2026-11-21T23:00')).toBe('closed until 2026-12-05T21:00');
  });

  it('say why', () => {
    expect(frozen.at(Date.UTC(2026, 10, 25))).toMatchObject({ because: '2026-11-22 to 2026-11-29 are excluded: sale' });
    expect(frozen.at(Date.UTC(2026, 11, 24, 12))).toMatchObject({ because: '2026-12-24 is excluded' });
    expect(frozen.at(Date.UTC(2026, 10, 20))).toMatchObject({ because: '' });
  });

  it('are all that is closed where there are no windows', () => {
    const schedule = scheduleOf({ exclude: [{ from: '2026-12-20', to: '2027-01-02' }] });
    expect(look(schedule, '2026-12-01T00:00')).toBe('open until 2026-12-20T00:00');
    expect(look(schedule, '2026-12-31T00:00')).toBe('closed until 2027-01-03T00:00');
    expect(look(schedule, '2027-01-03T00:00')).toBe('open until never');
  });

  it('that have no end leave nothing', () => {
    const schedule = scheduleOf({
      windows: [{ cron: '0 2 31 12 *', duration: '1h' }],
      exclude: [{ from: '2026-01-01', to: '9999-12-31' }],
    });
    expect(look(schedule, '2026-11-21T00:00')).toBe('closed until never');
  });
});

describe('a drain that has to fit', () => {
  const schedule = scheduleOf({
    windows: [
      { start: '01:00', end: '02:00' },
      { days: ['Sun'], start: '01:00', end: '05:00' },
    ],
  });
  const fits = (at: string, minutes: number) => iso(schedule.fits(Date.parse(`${at}:00Z`), minutes * 60_000));

  it('fits now, or when the first window begins that is long enough', () => {
    expect(fits('2026-11-21T01:00', 60)).toBe('2026-11-21T01:00');
    expect(fits('2026-11-21T01:01', 60)).toBe('2026-11-22T01:00');
    expect(fits('2026-11-23T01:00', 90)).toBe('2026-11-29T01:00');
  });

  it('never fits where no window is as long', () => {
    expect(fits('2026-11-21T01:00', 241)).toBe('never');
  });

  it('fits into many short ones that follow each other without a break', () => {
    const minutely = scheduleOf({ windows: [{ cron: '* * * * *', duration: '1m' }] });
    const now = Date.UTC(2026, 10, 21);
    expect(minutely.fits(now, 30 * 3_600_000)).toBe(now);
  });
});

it('answers alike when time goes back', () => {
  const schedule = scheduleOf({ windows: [{ start: '01:00', end: '02:00' }] });
  const times = ['2026-11-21T01:30', '2026-11-25T03:00', '2026-11-21T01:30', '2026-11-20T00:30'];
  expect(times.map((at) => look(schedule, at))).toEqual([
    'open until 2026-11-21T02:00',
    'closed until 2026-11-26T01:00',
    'open until 2026-11-21T02:00',
    'closed until 2026-11-20T01:00',
  ]);
});

it('tells times as they are read where they were written', () => {
  expect(localTime(Date.UTC(2026, 10, 21, 21), 'Europe/Amsterdam')).toBe('Sat 2026-11-21 22:00 Europe/Amsterdam');
});
