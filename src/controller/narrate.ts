/** What the log says of each node: a line per phase, and one per wait that lasts. Pure. The events say more, and are for others. */
import type { Decision } from '../engine/decide.ts';
import type { Millis } from '../lib/clock.ts';
import type { EventSpec } from './events.ts';

export interface Line {
  readonly level: 'info' | 'warn';
  readonly message: string;
}

/** null while its phase stays. */
export function phaseLine({ maintenance, phase, change }: Decision, now: Millis): Line | null {
  const { nodeName, state, reason, policy, id } = maintenance;
  if (phase === state.phase) return null;
  const startedAt = change?.startedAt ?? state.startedAt;
  const after = startedAt === undefined ? '' : ` after ${Math.round((now - startedAt) / 1_000)}s`;
  const said = change?.message ?? state.message ?? '';
  const because = said === phase.toLowerCase() ? '' : said;
  const line = (text: string, level: Line['level'] = 'info'): Line => ({ level, message: `node ${nodeName}: ${phase}${text}` });
  switch (phase) {
    case 'Draining':
      if (state.phase === 'Settling') return line(' again: pods came back');
      return line(`: ${reason} (NodeMaintenance ${id}${policy === null ? '' : `, policy ${policy}`})`);
    case 'Settling':
      return line(`: empty${after}`);
    case 'BeforeHook':
    case 'Rebooting':
    case 'Deleting':
    case 'Verifying':
    case 'AfterHook':
      return line(state.phase === 'Settling' ? `: drained${after}` : after);
    case 'Drained':
      return line(after);
    case 'ActionFailed':
    case 'BackOff':
    case 'Failed':
      return line(because && `: ${because}`, 'warn');
    case 'Pending':
    case 'Undoing':
    case 'HandedBack':
    case 'Cancelled':
      return line(because && `: ${because}`);
  }
}

/** The waits among the events; a Warning is one that a person has to end. null: the phases, told above, and single pods. */
export function waitLine({ reason, type, message, regarding }: EventSpec): Line | null {
  if (reason !== 'Waiting' && reason !== 'MaintenancePlanned') return null;
  const what = reason === 'Waiting' ? 'waits' : 'Pending';
  return { level: type === 'Warning' ? 'warn' : 'info', message: `node ${regarding.name}: ${what}: ${message}` };
}
