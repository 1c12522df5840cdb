/** How the reboots stand, in lines: for a terminal all of them each time, for a log one per change. Pure. */
import type { MaintenancePhase, NodeMaintenance } from '../../api/resources.ts';
import type { Millis } from '../../lib/clock.ts';
import { elapsed } from '../elapsed.ts';
import type { Screen, Tone } from '../screen.ts';

/** One node of the command line. */
export interface Asked {
  readonly node: string;
  /** undefined: not asked for yet. */
  readonly maintenance: NodeMaintenance | undefined;
  readonly askedAt: Millis | null;
}

// A controller takes a request up within a moment of its creation.
const UNHEARD_MS = 15_000;

const words: Readonly<Record<MaintenancePhase, string>> = {
  Pending: 'waits for its turn',
  Draining: 'draining',
  Settling: 'empty',
  BeforeHook: 'drained, the Job before the reboot runs',
  Rebooting: 'drained, rebooting',
  Deleting: 'being deleted',
  Verifying: 'rebooted, being verified',
  AfterHook: 'verified, the Job after the reboot runs',
  Drained: 'rebooted, stays cordoned',
  ActionFailed: 'FAILED, stays cordoned',
  BackOff: 'handed back for a while',
  Undoing: 'being handed back',
  HandedBack: 'back in service',
  Cancelled: 'not rebooted',
  Failed: 'not rebooted',
};

const tones: Readonly<Partial<Record<MaintenancePhase, Tone>>> = {
  HandedBack: 'good',
  ActionFailed: 'bad',
  Failed: 'bad',
  Cancelled: 'bad',
  Pending: 'quiet',
};

/** null: it has not ended. True: rebooted, verified and handed back. */
export function hasSucceeded(maintenance: NodeMaintenance | undefined): boolean | null {
  const { phase, finishedAt, action } = maintenance?.status ?? {};
  switch (phase) {
    case 'HandedBack':
    case 'Drained':
      return action?.doneAt !== undefined ? true : finishedAt === undefined ? null : false;
    case 'ActionFailed':
    case 'Cancelled':
    case 'Failed':
      return false;
    default:
      return null;
  }
}

/** What a node waits for, or why it has ended; empty where the phase says all. */
export function because({ maintenance, askedAt }: Asked, now: Millis): string {
  const { status } = maintenance ?? {};
  if (askedAt !== null && status === undefined)
    return now - askedAt > UNHEARD_MS ? 'no controller has taken it up; is one running? (drover controller)' : '';
  if (status?.waitingFor) return `${status.waitingFor.pod ? `${status.waitingFor.pod}: ` : ''}${status.waitingFor.message}`;
  return hasSucceeded(maintenance) === false ? (status?.message ?? '') : '';
}

export function liveLines(
  all: readonly Asked[],
  now: Millis,
  { paint, columns, rows }: Pick<Screen, 'paint' | 'columns' | 'rows'>,
): string[] {
  const begun = all.filter(({ askedAt }) => askedAt !== null);
  const shown = begun.slice(Math.max(0, begun.length - Math.max(1, rows - 3)));
  const width = Math.max(...all.map(({ node }) => node.length));
  const lines = shown.map((each) => {
    const phase = each.maintenance?.status?.phase ?? 'Pending';
    const { progress } = each.maintenance?.status ?? {};
    const pods = phase === 'Draining' && progress ? ` ${progress.summary}` : '';
    const head = `${each.node.padEnd(width)}  ${paint(tones[phase] ?? 'busy', words[phase])}${pods}`;
    const time = each.askedAt === null ? '' : `  ${elapsed(now - each.askedAt)}`;
    const why = because(each, now);
    return `${head}${hasSucceeded(each.maintenance) === null ? time : ''}${why ? `  ${why}` : ''}`.slice(
      0,
      Math.max(20, columns * 2),
    );
  });
  const left = all.length - begun.length;
  if (left > 0) lines.push(paint('quiet', `and ${left} more to come`));
  return lines;
}

/** Answers with the new lines, of which a log has one per change. */
export function createPlainProgress(): (all: readonly Asked[], now: Millis) => string[] {
  const told = new Map<string, string>();
  return (all, now) =>
    all.flatMap((each) => {
      if (each.askedAt === null) return [];
      const phase = each.maintenance?.status?.phase ?? 'Pending';
      const cause = each.maintenance?.status?.waitingFor?.cause ?? '';
      const why = because(each, now);
      const key = `${phase} ${cause} ${why === '' ? '' : 'why'}`;
      if (told.get(each.node) === key) return [];
      told.set(each.node, key);
      return [`${each.node}: ${words[phase]}${why ? `: ${why}` : ''}`];
    });
}
