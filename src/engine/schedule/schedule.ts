/** When a policy may start something: its windows together, without its excluded dates. Pure: the time is handed in. */
import type { ScheduleSpec } from '../../api/resources.ts';
import type { Millis } from '../../lib/clock.ts';
import { type Openings, openingsOf } from './openings.ts';
import { openWallClock, type WallClock } from './wall-clock.ts';

export type ScheduleState =
  /** until: when it closes; null: never. */
  | { readonly open: true; readonly until: Millis | null }
  /** opensAt: null for never. because: the dates that are excluded now, or empty. */
  | { readonly open: false; readonly opensAt: Millis | null; readonly because: string };

export interface Schedule {
  readonly timeZone: string;
  /** Costs nothing while the answer is that of the last call. */
  at(now: Millis): ScheduleState;
  /** From when on it is open for `ms` without a break: now, or the beginning of a later window. null: no window is as long. */
  fits(now: Millis, ms: Millis): Millis | null;
}

interface Exclusion {
  readonly from: Millis;
  readonly to: Millis;
  readonly because: string;
}

// Of windows that follow each other closely so many are joined: those of one minute for 16 hours, those of an hour for weeks.
const JOINED = 1_000;
// So many steps ahead it is looked for a window that opens, or is long enough: half a year of daily ones.
const AHEAD = 400;
const DAY = 86_400_000;

/** @throws RangeError for what the schema would refuse */
export function compileSchedule(spec: ScheduleSpec): Schedule {
  const clock = openWallClock(spec.timeZone);
  const windows = spec.windows?.map((window) => openingsOf(window, clock)) ?? null;
  const exclusions = spec.exclude.map((each) => exclusionOf(each, clock));
  const look = (now: Millis) => stateAt(now, windows, exclusions);
  const known = remember<null, ScheduleState>(look, (state) => (state.open ? state.until : state.opensAt));
  const knownFit = remember<Millis, Millis | null>(
    (now, ms) => firstFit(now, ms, look),
    (fitsAt) => fitsAt,
  );
  return {
    timeZone: spec.timeZone,
    at: (now) => known(now, null),
    fits: (now, ms) => {
      const state = known(now, null);
      if (state.open && lasts(state, now, ms)) return now;
      return knownFit(now, ms);
    },
  };
}

/** Gives the last answer again, for the same question, until its end; "never" is looked at again after a day. */
function remember<Q, A>(ask: (now: Millis, question: Q) => A, endOf: (answer: A) => Millis | null) {
  let last: { readonly question: Q; readonly from: Millis; readonly to: Millis; readonly answer: A } | null = null;
  return (now: Millis, question: Q): A => {
    if (last?.question === question && now >= last.from && now < last.to) return last.answer;
    const answer = ask(now, question);
    last = { question, from: now, to: endOf(answer) ?? now + DAY, answer };
    return answer;
  };
}

function exclusionOf({ from, to, reason }: ScheduleSpec['exclude'][number], clock: WallClock): Exclusion {
  const dates = from === to ? `${from} is` : `${from} to ${to} are`;
  return {
    from: clock.first(Date.parse(from)),
    to: clock.first(Date.parse(to) + DAY),
    because: `${dates} excluded${reason === undefined ? '' : `: ${reason}`}`,
  };
}

type Windows = readonly Openings[] | null;

function stateAt(now: Millis, windows: Windows, exclusions: readonly Exclusion[]): ScheduleState {
  const excluded = exclusions.find(({ from, to }) => from <= now && now < to);
  const until = excluded ? null : openUntil(now, windows, exclusions);
  if (until !== null) return { open: true, until: Number.isFinite(until) ? until : null };
  return { open: false, opensAt: opensAfter(now, windows, exclusions), because: excluded?.because ?? '' };
}

/** null: it is not open; Infinity: for ever. Not for an instant that is excluded. */
function openUntil(now: Millis, windows: Windows, exclusions: readonly Exclusion[]): Millis | null {
  const cut = Math.min(...exclusions.filter(({ from }) => from > now).map(({ from }) => from));
  if (windows === null) return cut;
  let until = now;
  for (let joined = 0; joined < JOINED && until < cut; joined += 1) {
    const next = Math.max(...windows.map((window) => window.lastCloses(until) ?? until));
    if (next <= until) break;
    until = next;
  }
  return until > now ? Math.min(until, cut) : null;
}

function opensAfter(now: Millis, windows: Windows, exclusions: readonly Exclusion[]): Millis | null {
  let at = now;
  for (let looked = 0; looked < AHEAD; looked += 1) {
    const excluded = exclusions.find(({ from, to }) => from <= at && at < to);
    if (excluded) at = excluded.to;
    else if (openUntil(at, windows, exclusions) !== null) return at;
    else {
      const next = (windows ?? []).flatMap((window) => window.next(at) ?? []);
      if (next.length === 0) return null;
      at = Math.min(...next);
    }
  }
  return null;
}

function firstFit(now: Millis, ms: Millis, look: (at: Millis) => ScheduleState): Millis | null {
  let at = now;
  let since: Millis | null = null;
  for (let looked = 0; looked < AHEAD; looked += 1) {
    const state = look(at);
    // Where it closes it may be open at once again: only so much is joined at a time.
    since = state.open ? (since ?? at) : null;
    if (state.open && since !== null && lasts(state, since, ms)) return since;
    const next = state.open ? state.until : state.opensAt;
    if (next === null) return null;
    at = next;
  }
  return null;
}

function lasts({ until }: Extract<ScheduleState, { open: true }>, from: Millis, ms: Millis): boolean {
  return until === null || from + ms <= until;
}
