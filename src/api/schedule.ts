/** When a policy may start something: windows, dates without any, and the time zone that both are in. */
import * as z from 'zod';
import { withRules } from './cel-rule.ts';
import { CRON_PATTERN, parseCron } from './cron.ts';
import { duration, matching } from './scalars.ts';
import { isTimeZone } from './time-zone.ts';

const TIME = '([01][0-9]|2[0-3]):[0-5][0-9]';

const startTime = matching(`^${TIME}$`, 'must be a time like 22:00').max(5).meta({ title: 'time of day' });
const endTime = matching(`^(${TIME}|24:00)$`, 'must be a time like 04:00, or 24:00').max(5).meta({ title: 'time of day' });

const cron = matching(CRON_PATTERN, 'must be a cron expression of five fields like 0 2 * * SAT#1')
  .max(128)
  .superRefine((text, context) => {
    if (context.issues.length > 0) return;
    try {
      parseCron(text);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', message: `must be a cron expression like 0 2 * * SAT#1: ${error.message}` });
    }
  })
  .meta({ title: 'cron expression' });

// The server knows the form only: which zones there are depends on the machine that it runs on.
const timeZone = matching('^[A-Za-z][-A-Za-z0-9_+/]*$', 'must be a time zone like Europe/Amsterdam or UTC')
  .max(64)
  .superRefine((name, context) => {
    if (context.issues.length > 0 || isTimeZone(name)) return;
    context.addIssue({
      code: 'custom',
      message: `"${name}" is not a time zone that is known here; write it like Europe/Amsterdam`,
    });
  });

const date = matching(z.regexes.date.source, 'must be a date like 2026-12-24').max(10).meta({ title: 'date' });

const window = withRules(
  z.strictObject({
    days: z
      .array(z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']))
      .min(1)
      .max(7)
      .exactOptional()
      .describe('With start and end: the days on which the window begins. Absent: every day.'),
    start: startTime.exactOptional().describe('When it opens.'),
    end: endTime
      .exactOptional()
      .describe(
        'When it closes. Not after start: on the next day; the same as start: a whole day later. 24:00 is the end of the day.',
      ),
    cron: cron
      .exactOptional()
      .describe(
        'Instead of start and end: when it opens, as minute, hour, day, month and weekday. SAT#1 is the first Saturday, L the last day of the month.',
      ),
    duration: duration('1m', '744h').exactOptional().describe('With cron: how long it stays open.'),
  }),
  [
    {
      cel: 'has(self.cron) != has(self.start)',
      message: 'give either start and end, or cron and duration',
      holds: (value) => (value.cron !== undefined) !== (value.start !== undefined),
    },
    {
      cel: 'has(self.start) == has(self.end)',
      message: 'start and end belong together',
      field: 'end',
      holds: (value) => (value.start !== undefined) === (value.end !== undefined),
    },
    {
      cel: 'has(self.cron) == has(self.duration)',
      message: 'cron and duration belong together',
      field: 'duration',
      holds: (value) => (value.cron !== undefined) === (value.duration !== undefined),
    },
    {
      cel: '!has(self.days) || has(self.start)',
      message: 'days belong to start and end; a cron expression names its own',
      field: 'days',
      holds: (value) => value.days === undefined || value.start !== undefined,
    },
  ],
);

const exclusion = withRules(
  z.strictObject({
    from: date.describe('The first day.'),
    to: date.describe('The last day; it is excluded, too.'),
    reason: z.string().min(1).max(256).exactOptional().describe('Why, for people.'),
  }),
  [{ cel: 'self.from <= self.to', message: 'to must not lie before from', field: 'to', holds: ({ from, to }) => from <= to }],
);

export const scheduleSpec = withRules(
  z.strictObject({
    timeZone: timeZone
      .default('UTC')
      .describe('The time zone of all times and dates here, by its IANA name like Europe/Amsterdam.'),
    windows: z
      .array(window)
      .min(1)
      .max(32)
      .exactOptional()
      .describe('A node is started while one of them is open. Absent: always, but for the excluded dates.'),
    exclude: z.array(exclusion).max(64).default([]).describe('Dates on which nothing is started, from midnight to midnight.'),
    finishInside: z
      .boolean()
      .default(false)
      .describe(
        'Start a node only where it is expected to be drained before the window closes: in as long as the slowest of the last 10 drains of this policy took, and at least `expect`.',
      ),
    expect: duration('1s', '744h').exactOptional().describe('With finishInside: how long a drain is expected to take at least.'),
  }),
  [
    {
      cel: 'has(self.windows) || size(self.exclude) > 0',
      message: 'a schedule needs windows, or dates to exclude; leave it out to start at any time',
      field: 'windows',
      holds: (value) => value.windows !== undefined || value.exclude.length > 0,
    },
    {
      cel: '!has(self.expect) || self.finishInside',
      message: 'expect belongs to finishInside only',
      field: 'expect',
      holds: (value) => value.expect === undefined || value.finishInside,
    },
  ],
);
