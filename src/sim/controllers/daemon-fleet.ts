/**
 * What is known of one DaemonSet between two looks at it: its pods by node, and what each node counts for. A look costs what changed since
 * the last one, not the number of nodes: a rotation of 5,000 nodes changes each daemon pod a dozen times.
 */
import type { Millis } from '../../lib/clock.ts';
import { NO_TALLY, type NodeTally } from './daemon-node.ts';

// client-go util/flowcontrol/backoff.go with the daemon controller's limits: 1 s to 15 minutes.
const FIRST_BACKOFF = 1000;
const LAST_BACKOFF = 900_000;

interface Backoff {
  readonly generation: number;
  readonly delay: Millis;
  readonly at: Millis;
}

export interface Fleet {
  /** To look at again. */
  readonly dirty: Set<string>;
  /** The spec and revision that the clean nodes were judged by. */
  judgedBy: { readonly spec: unknown; readonly hash: string } | undefined;
  total: NodeTally;
  podsOn(node: string): Iterable<string>;
  /** Nodes that count for something or have pods. */
  nodes(): Iterable<string>;
  tallyOf(node: string): NodeTally;
  setTally(node: string, tally: NodeTally): void;
  put(uid: string, node: string): void;
  take(uid: string): void;
  /** Looks at the node again at this time, or at an earlier one that was asked for. */
  wake(node: string, at: Millis): void;
  /** Marks the nodes whose time has come. */
  wakeDue(now: Millis): void;
  /** The earliest time that a node is to be looked at again. */
  nextWake(): Millis | undefined;
  /** 0 when a failed pod there may be deleted now, which starts the next back-off; else how long to wait. */
  backOff(node: string, generation: number, now: Millis): Millis;
}

export function createFleet(): Fleet {
  const pods = new Map<string, Set<string>>();
  const nodeOf = new Map<string, string>();
  const tallies = new Map<string, NodeTally>();
  const waking = new Map<string, Millis>();
  const backoffs = new Map<string, Backoff>();
  const none = new Set<string>();
  const fleet: Fleet = {
    dirty: new Set(),
    judgedBy: undefined,
    total: NO_TALLY,
    podsOn: (node) => pods.get(node) ?? none,
    nodes: () => new Set([...tallies.keys(), ...pods.keys()]),
    tallyOf: (node) => tallies.get(node) ?? NO_TALLY,
    setTally(node, tally) {
      const before = fleet.tallyOf(node);
      const { total } = fleet;
      fleet.total = {
        desired: total.desired + tally.desired - before.desired,
        scheduled: total.scheduled + tally.scheduled - before.scheduled,
        misscheduled: total.misscheduled + tally.misscheduled - before.misscheduled,
        ready: total.ready + tally.ready - before.ready,
        available: total.available + tally.available - before.available,
        updated: total.updated + tally.updated - before.updated,
        outdated: total.outdated + tally.outdated - before.outdated,
      };
      if (tally === NO_TALLY) tallies.delete(node);
      else tallies.set(node, tally);
    },
    put(uid, node) {
      const before = nodeOf.get(uid);
      if (before !== undefined && before !== node) fleet.take(uid);
      nodeOf.set(uid, node);
      const there = pods.get(node);
      if (there) there.add(uid);
      else pods.set(node, new Set([uid]));
      fleet.dirty.add(node);
    },
    take(uid) {
      const node = nodeOf.get(uid);
      if (node === undefined) return;
      nodeOf.delete(uid);
      const there = pods.get(node);
      if (there?.delete(uid) && there.size === 0) pods.delete(node);
      fleet.dirty.add(node);
    },
    wake: (node, at) => void waking.set(node, Math.min(at, waking.get(node) ?? at)),
    nextWake: () => (waking.size > 0 ? Math.min(...waking.values()) : undefined),
    wakeDue(now) {
      for (const [node, at] of waking) {
        if (at > now) continue;
        waking.delete(node);
        fleet.dirty.add(node);
      }
    },
    backOff(node, generation, now) {
      const before = backoffs.get(node);
      const known = before?.generation === generation && now - before.at <= 2 * LAST_BACKOFF ? before : undefined;
      if (known && now - known.at < known.delay) return known.delay;
      const delay = known ? Math.min(LAST_BACKOFF, known.delay * 2) : FIRST_BACKOFF;
      backoffs.set(node, { generation, delay, at: now });
      return 0;
    },
  };
  return fleet;
}
