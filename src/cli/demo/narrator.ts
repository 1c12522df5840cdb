/** What becomes of each node, as lines: from the statuses that anybody can read, each change once. */
import type { NodeMaintenance } from '../../api/resources.ts';
import type { Millis } from '../../lib/clock.ts';
import { elapsed } from '../elapsed.ts';

export interface Narrator {
  /** A status has changed. */
  see(maintenance: NodeMaintenance): void;
  /** Time has passed. */
  tick(now: Millis): void;
}

/** What passes by itself within moments is not worth a line. */
const LASTS: Millis = 8_000;

interface Seen {
  phase: string | undefined;
  wait: string;
  since: Millis;
  told: boolean;
}

export function createNarrator(say: (line: string) => void): Narrator {
  const nodes = new Map<string, Seen>();
  return {
    see({ metadata, spec, status }) {
      const { phase, waitingFor, startedAt, phaseSince, message } = status ?? {};
      const seen = nodes.get(spec.nodeName) ?? { phase: undefined, wait: '', since: 0, told: false };
      nodes.set(spec.nodeName, seen);
      const isWorked = phase === 'Draining' || phase === 'Settling';
      const about = waitingFor?.pod === undefined ? '' : `${waitingFor.pod}: `;
      const wait = isWorked && waitingFor ? `${spec.nodeName} waits: ${about}${waitingFor.message}` : '';
      if (waitKey(wait) !== waitKey(seen.wait)) Object.assign(seen, { since: Date.parse(waitingFor?.since ?? ''), told: false });
      seen.wait = wait;
      if (phase === seen.phase) return;
      seen.phase = phase;
      const after = startedAt && phaseSince ? ` after ${elapsed(Date.parse(phaseSince) - Date.parse(startedAt))}` : '';
      const name = spec.nodeName;
      if (phase === 'Draining') say(`${name} is cordoned and drained (NodeMaintenance ${metadata.name})`);
      else if (phase === 'Settling') say(`${name} is empty${after}`);
      else if (phase === 'Drained') say(`${name} is drained${after}`);
      else if (phase === 'HandedBack') say(`${name} is handed back: as it was before`);
      else if (phase && phase !== 'Pending') say(`${name}: ${phase}${message === undefined ? '' : `: ${message}`}`);
    },
    tick(now) {
      for (const seen of nodes.values()) {
        if (seen.wait === '' || seen.told || now - seen.since < LASTS) continue;
        seen.told = true;
        say(seen.wait);
      }
    },
  };
}

/** Times and counts in the sentence go on; the wait is the same. */
function waitKey(wait: string): string {
  return wait.replaceAll(/\d+[smh]\w*/g, '');
}
