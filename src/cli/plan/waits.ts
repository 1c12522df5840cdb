/** What was waited for, for how long, and which pods never could go: from the engine's own decisions, pass by pass. */
import { stuckCauses } from '../../controller/status.ts';
import type { Decision } from '../../engine/decide.ts';
import type { Blocker } from '../../engine/blocker.ts';
import { explain } from '../../engine/explain.ts';
import { ownerKey, podKey } from '../../engine/pods.ts';
import type { Millis } from '../../lib/clock.ts';
import type { BlockedPod } from './simulate.ts';

export interface Wait {
  readonly cause: string;
  /** Over all nodes together. */
  readonly totalMs: Millis;
  readonly nodes: number;
  /** The longest of them, in words. */
  readonly longestMs: Millis;
  readonly longestNode: string;
  readonly message: string;
}

interface Current {
  readonly cause: string;
  readonly since: Millis;
  blocker: Blocker;
}

export interface Waits {
  see(decisions: readonly Decision[], now: Millis): void;
  /** Ends what is still going on. */
  stop(now: Millis): void;
  longest(): Wait[];
  blocked(): BlockedPod[];
}

interface Sum {
  totalMs: Millis;
  readonly nodes: Set<string>;
  longestMs: Millis;
  longestNode: string;
  message: string;
}

export function createWaits(): Waits {
  const current = new Map<string, Current>(); // by node
  const sums = new Map<string, Sum>(); // by cause
  /** The last reports of each node, with those of its last try that stood still. */
  const stuck = new Map<string, Map<string, BlockedPod>>();

  const end = (node: string, now: Millis) => {
    const last = current.get(node);
    if (!last) return;
    current.delete(node);
    const ms = now - last.since;
    if (ms <= 0) return;
    let sum = sums.get(last.cause);
    if (!sum) sums.set(last.cause, (sum = { totalMs: 0, nodes: new Set(), longestMs: 0, longestNode: '', message: '' }));
    sum.totalMs += ms;
    sum.nodes.add(node);
    if (ms > sum.longestMs)
      Object.assign(sum, { longestMs: ms, longestNode: node, message: explain(last.blocker, last.since).message });
  };

  return {
    see(decisions, now) {
      for (const { maintenance, waitingFor, phase, pods } of decisions) {
        const node = maintenance.nodeName;
        const last = current.get(node);
        if (last?.cause !== waitingFor?.cause) {
          end(node, now);
          if (waitingFor) current.set(node, { cause: waitingFor.cause, since: now, blocker: waitingFor });
        } else if (last && waitingFor) last.blocker = waitingFor;
        if (phase === 'Drained') stuck.delete(node);
        else if (pods && phase === 'Draining') {
          const blocked = new Map<string, BlockedPod>();
          for (const { pod, blocker } of pods) {
            if (!blocker || !stuckCauses.has(blocker.cause)) continue;
            const { message, unblock } = explain(blocker, now);
            blocked.set(pod.uid, { pod: podKey(pod), node, owner: ownerKey(pod), cause: blocker.cause, message, unblock });
          }
          if (blocked.size > 0) stuck.set(node, blocked);
          else stuck.delete(node);
        }
      }
    },
    stop(now) {
      for (const node of current.keys()) end(node, now);
    },
    longest: () =>
      [...sums].map(([cause, { nodes, ...sum }]) => ({ cause, ...sum, nodes: nodes.size })).sort((a, b) => b.totalMs - a.totalMs),
    blocked: () =>
      [...stuck.values()]
        .flatMap((pods) => [...pods.values()])
        .sort((a, b) => (a.node < b.node ? -1 : a.node > b.node ? 1 : a.pod < b.pod ? -1 : 1)),
  };
}
