/** Cron expressions of five fields, on the wall clock: a time here is what clocks show, in milliseconds as if that were UTC. */
import { Cron } from 'croner';
import type { Millis } from '../lib/clock.ts';

/** What a text must look like; whether it means something, `parseCron` knows. No `?` and no nicknames. */
export const CRON_PATTERN = '^[-0-9A-Za-z*,/#]+( [-0-9A-Za-z*,/#]+){4}$';

export interface CronTimes {
  /** The first after `wall`; null: there is none any more. */
  next(wall: Millis): Millis | null;
  /** The last at or before `wall`. */
  last(wall: Millis): Millis | null;
}

const SECOND = 1_000;
const SOME_TIME = Date.UTC(2024, 0, 1);

/** @throws RangeError saying what is wrong, also for an expression that never comes, like 30 February. */
export function parseCron(text: string): CronTimes {
  if (!new RegExp(CRON_PATTERN).test(text)) throw new RangeError('it must have five fields: minute hour day month weekday');
  const cron = open(text);
  const times: CronTimes = {
    next: (wall) => cron.nextRun(new Date(wall))?.getTime() ?? null,
    // croner looks before the given second.
    last: (wall) => cron.previousRuns(1, new Date(Math.floor(wall / SECOND) * SECOND + SECOND))[0]?.getTime() ?? null,
  };
  if (times.next(SOME_TIME) === null) throw new RangeError('it names a time that never comes');
  return times;
}

/** Its own rules for the change of clocks are kept out: at offset 0 there is none. What happens then is the schedule's to say. */
function open(text: string): Cron {
  try {
    return new Cron(text, { utcOffset: 0, mode: '5-part' });
  } catch (error) {
    throw new RangeError(error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error), { cause: error });
  }
}
