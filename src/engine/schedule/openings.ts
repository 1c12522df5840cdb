/** When one window of a schedule opens, and when that opening closes. */
import { parseCron } from '../../api/cron.ts';
import { parseDuration } from '../../api/duration.ts';
import type { ScheduleSpec } from '../../api/resources.ts';
import type { Millis } from '../../lib/clock.ts';
import type { WallClock } from './wall-clock.ts';

export type WindowSpec = NonNullable<ScheduleSpec['windows']>[number];

export interface Openings {
  /** When the last one that has begun by then closes, or has closed; it closes no earlier than those before it. null: none has begun. */
  lastCloses(instant: Millis): Millis | null;
  /** When the next one begins, later than `instant`. null: never. */
  next(instant: Millis): Millis | null;
}

const SECOND = 1_000;
const NEAR = 4;
const MINUTE = 60_000;
const DAY = 86_400_000;

/** One opening, and the time until the next. */
interface Spell {
  /** null: before the first of all. */
  readonly wall: Millis | null;
  readonly from: Millis;
  readonly closes: Millis | null;
  readonly nextWall: Millis | null;
  readonly to: Millis;
}

/** Both forms are a cron expression for the beginning, and an end that follows from it. */
export function openingsOf(window: WindowSpec, clock: WallClock): Openings {
  const { opens, closes } = window.cron === undefined ? byTimeOfDay(window, clock) : byCron(window, clock);
  const cron = parseCron(opens);

  const spell = (wall: Millis | null, from: Millis, nextWall: Millis | null): Spell => ({
    wall,
    from,
    closes: wall === null ? null : closes(wall),
    nextWall,
    to: nextWall === null ? Number.POSITIVE_INFINITY : clock.first(nextWall),
  });
  const seek = (instant: Millis): Spell => {
    let wall = cron.last(clock.latest(instant));
    while (wall !== null && clock.first(wall) > instant) wall = cron.last(wall - SECOND);
    if (wall === null) return spell(null, Number.NEGATIVE_INFINITY, cron.next(clock.at(instant)));
    return spell(wall, clock.first(wall), cron.next(wall));
  };
  // Whoever looks ahead goes from one to the next; to look back is dear.
  const after = ({ nextWall, to }: Spell): Spell => spell(nextWall, to, nextWall === null ? null : cron.next(nextWall));
  let current: Spell | null = null;
  const at = (instant: Millis): Spell => {
    // Of several that fall into a gap all open when it ends: hence more than one step.
    for (let steps = 0; current && instant >= current.to && steps < NEAR; steps += 1) current = after(current);
    if (!current || instant < current.from || instant >= current.to) current = seek(instant);
    return current;
  };
  return {
    lastCloses: (instant) => at(instant).closes,
    next(instant) {
      const { to } = at(instant);
      return Number.isFinite(to) ? to : null;
    },
  };
}

interface Form {
  readonly opens: string;
  /** @param wall when it opened */
  readonly closes: (wall: Millis) => Millis;
}

function byTimeOfDay({ days, start = '', end = '' }: WindowSpec, clock: WallClock): Form {
  const [from, to] = [minutesOf(start), minutesOf(end)];
  const lasts = (to > from ? to : to + DAY / MINUTE) - from;
  const weekdays = days?.map((day) => day.toUpperCase()).join(',') ?? '*';
  return {
    opens: `${from % 60} ${Math.floor(from / 60)} * * ${weekdays}`,
    closes: (wall) => clock.last(wall + lasts * MINUTE),
  };
}

function minutesOf(time: string): number {
  const [hours = '', minutes = ''] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

function byCron({ cron = '', duration = '' }: WindowSpec, clock: WallClock): Form {
  const lasts = parseDuration(duration);
  return { opens: cron, closes: (wall) => clock.first(wall) + lasts };
}
