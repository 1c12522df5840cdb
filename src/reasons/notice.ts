/** What was announced for a machine, as a drain needs it: its kind, its time, whether it may be taken back, and when to begin. */
import { leastNotice, profileFor, profileOf, type ProfileName } from '../engine/deadline-profile.ts';
import type { Millis } from '../lib/clock.ts';
import type { ReasonMatch, ReasonRule } from './reason.ts';

export interface Announcement {
  readonly kind: string;
  readonly source: string;
  /** Tells one event from the next of its kind. */
  readonly id: string;
  readonly since?: Millis;
  readonly notBefore?: Millis;
  readonly goneAt?: Millis;
  readonly revocable: boolean;
  readonly message: string;
}

/** An announcement that is a reason now. */
export interface Notice {
  readonly kind: string;
  readonly source: string;
  readonly id: string;
  readonly profile: ProfileName;
  readonly revocable: boolean;
  readonly since?: Millis;
  /** Absent where the profile makes no deadline of it. */
  readonly goneAt?: Millis;
  /** Windows and limits hold it back until then; absent: not at all. */
  readonly heldUntil?: Millis;
}

/** A machine that goes is taken so long before at the latest, window or not. */
const LAST_CALL_MS = 3_600_000;

export function judgeAnnouncement(rule: ReasonRule, told: Announcement, now: Millis): ReasonMatch {
  const { kind, source, id, since, revocable, message } = told;
  const least = leastNotice(kind);
  const end = told.goneAt ?? told.notBefore ?? (least === null || since === undefined ? undefined : since + least);
  const profile = rule.profile ?? profileFor(kind, end === undefined ? null : end - (since ?? now));
  const what = `${kind} (${source})${message ? `: ${message}` : ''}`;
  if (rule.when === 'Before' && rule.beforeMs !== undefined && end !== undefined && now < end - rule.beforeMs)
    return { pass: false, at: end - rule.beforeMs, because: `${what} is still a while off` };
  const goneAt = profileOf(profile).machineGoes ? end : undefined;
  const waits = rule.when === undefined ? profileOf(profile).waitsForWindow : rule.when === 'NextWindow';
  return {
    pass: true,
    message: what,
    notice: {
      kind,
      source,
      id,
      profile,
      revocable,
      ...(since !== undefined && { since }),
      ...(goneAt !== undefined && { goneAt }),
      ...(goneAt !== undefined && waits && { heldUntil: goneAt - LAST_CALL_MS }),
    },
  };
}

/** The one that leaves the least time; of several without a time, the first. */
export function mostPressing(rule: ReasonRule, announced: readonly Announcement[], now: Millis, none: string): ReasonMatch {
  let found: ReasonMatch | null = null;
  for (const each of announced) {
    const match = judgeAnnouncement(rule, each, now);
    if (found === null || rank(match) < rank(found)) found = match;
  }
  return found ?? { pass: false, because: none };
}

function rank(match: ReasonMatch): number {
  if (!match.pass) return match.at ?? Number.POSITIVE_INFINITY;
  return match.notice?.goneAt === undefined ? Number.MAX_SAFE_INTEGER - 1 : match.notice.goneAt - Number.MAX_SAFE_INTEGER;
}
