/** What was announced for the machine of a node that is worked on already: it is written into its maintenance, and taken out again. */
import type { Maintenance } from '../engine/maintenance.ts';
import type { Millis } from '../lib/clock.ts';
import type { Match } from './matcher.ts';
import { noticeFields } from './new-maintenance.ts';

/** As in a merge patch: null takes the field away. */
export interface NoticeChange {
  readonly deadline?: string | null;
  readonly notice: object | null;
}

const seconds = (at: Millis | undefined) => (at === undefined ? null : Math.floor(at / 1_000)); // times are written in seconds

/** null: it stays as it is. */
export function noticeChange({ goneAt, notice, cancelled }: Maintenance, match: Match | undefined): NoticeChange | null {
  const told = match?.notice;
  if (cancelled) return null;
  if (told?.goneAt === undefined) {
    // Taken back, while the node has another reason to go: it goes on, but no longer in a hurry.
    const takenBack = match !== undefined && notice?.revocable === true && goneAt !== undefined;
    return takenBack ? { deadline: null, notice: null } : null;
  }
  const isSame = notice?.id === told.id.slice(0, 256) && notice.kind === told.kind;
  if (isSame && seconds(goneAt) === seconds(told.goneAt)) return null;
  // What a person has set, and what cannot be taken back, gives way only to what is sooner.
  const isKept = notice === undefined || !notice.revocable;
  if (isKept && !isSame && goneAt !== undefined && goneAt <= told.goneAt) return null;
  const { deadline, notice: next } = noticeFields(told);
  return { deadline: deadline ?? null, notice: { since: null, heldUntil: null, ...next } };
}
