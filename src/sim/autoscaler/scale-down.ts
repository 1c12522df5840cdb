/** Nodes that nobody needs: found, waited for, emptied, deleted (cluster-autoscaler core/scaledown, in outline). */
import type { Millis } from '../../lib/clock.ts';
import type { Api } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { nodes } from '../apiserver/kinds.ts';
import { isNodeReady } from '../conditions.ts';
import type { Node } from '../kubernetes.ts';
import type { PodEntry } from '../scheduler/cluster-view.ts';
import { createNodeFinder } from '../scheduler/find-node.ts';
import { CPU, MEMORY, ROW, USED_CPU, USED_MEMORY } from '../scheduler/node-table.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Machines } from './machines.ts';
import { holdsNode, needsNoMove, tryMove } from './removable.ts';

export interface ScaleDownOptions {
  readonly api: Api;
  readonly scheduler: Scheduler;
  readonly machines: Machines;
  /** Requested share of cpu or memory, whichever is more, below which a node may go. */
  readonly utilisation: number;
  /** How long it has to be unneeded. */
  readonly unneededFor: Millis;
}

export interface ScaleDown {
  /** Looks at every node of the autoscaled pools; starts removals when `mayStart`. True while one is under way or a node is unneeded. */
  run(mayStart: boolean): boolean;
  stop(): void;
}

export const DELETION_TAINT = 'ToBeDeletedByClusterAutoscaler';
export const DISABLED = 'cluster-autoscaler.kubernetes.io/scale-down-disabled';

// cluster-autoscaler main flags: max-pod-eviction-time, max-graceful-termination-sec, max-scale-down-parallelism, max-drain-parallelism,
// unremovable-node-recheck-timeout.
const EVICT_FOR_MS = 2 * 60_000;
const WAIT_FOR_MS = 10 * 60_000;
const EVICT_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 5_000;
const MOST_AT_ONCE = 10;
const MOST_DRAINS = 1;
const RECHECK_MS = 5 * 60_000;

export function createScaleDown({ api, scheduler, machines, utilisation, unneededFor }: ScaleDownOptions): ScaleDown {
  const { clock } = api;
  const { view } = scheduler;
  const finder = createNodeFinder(view, api.random);
  const unneeded = new Map<string, Millis>();
  const unremovable = new Map<string, Millis>();
  const removing = new Map<string, { readonly drains: boolean; cancel: () => void }>();

  const entriesAt = (slot: number): PodEntry[] => [...view.podsAt(slot)].filter(({ pod }) => !needsNoMove(pod));

  function share(slot: number): number {
    const row = view.nodes.rows.subarray(slot * ROW, (slot + 1) * ROW);
    const part = (used = 0, all = 0) => (all > 0 ? used / all : 0);
    return Math.max(part(row[USED_CPU], row[CPU]), part(row[USED_MEMORY], row[MEMORY]));
  }

  function candidates(): { readonly name: string; readonly slot: number; readonly pool: string }[] {
    const found = [];
    for (const { name: pool, autoscale } of machines.pools()) {
      if (!autoscale) continue;
      for (const { name, state } of machines.of(pool)) {
        const slot = state === 'running' && !removing.has(name) ? view.nodes.slotOf(name) : undefined;
        const node = slot === undefined ? undefined : api.get(nodes, '', name);
        if (slot === undefined || !node || !isNodeReady(node) || node.metadata.annotations?.[DISABLED] === 'true') continue;
        if (share(slot) >= utilisation || (unremovable.get(name) ?? 0) > clock.now()) continue;
        found.push({ name, slot, pool });
      }
    }
    return found;
  }

  /** Nodes that could go all at once, those that are empty first. */
  function findUnneeded(): { readonly name: string; readonly pool: string; readonly empty: boolean }[] {
    const found: { name: string; pool: string; empty: boolean }[] = [];
    const gone = new Set([...removing.keys()].flatMap((name) => view.nodes.slotOf(name) ?? []));
    const undos: (() => void)[] = [];
    const shares = new Map(
      candidates().map((candidate) => [candidate, { entries: entriesAt(candidate.slot), share: share(candidate.slot) }]),
    );
    const order = [...shares].sort(([, a], [, b]) => a.entries.length - b.entries.length || a.share - b.share);
    const targets = new Set<number>();
    for (const [{ name, slot, pool }, { entries }] of order) {
      // A node that is to take in another one's pods is needed itself.
      if (targets.has(slot)) continue;
      if (entries.length > 0) {
        if (
          holdsNode(
            api,
            entries.map(({ pod }) => pod),
          ) !== undefined
        ) {
          unremovable.set(name, clock.now() + RECHECK_MS);
          continue;
        }
        const undo = tryMove(api, view, finder, entries, new Set([...gone, slot]));
        if (!undo) continue;
        undos.push(undo);
        for (const entry of entries) targets.add(entry.slot);
      }
      gone.add(slot);
      found.push({ name, pool, empty: entries.length === 0 });
    }
    for (const undo of undos.reverse()) undo();
    return found;
  }

  function taint(name: string, on: boolean): void {
    const value = String(Math.floor(clock.now() / 1000));
    const others = ({ spec }: Node) => (spec.taints ?? []).filter(({ key }) => key !== DELETION_TAINT);
    api.modify(nodes, '', name, (node) => {
      const taints = on ? [...others(node), { key: DELETION_TAINT, value, effect: 'NoSchedule' as const }] : others(node);
      return { ...node, spec: { ...node.spec, taints } };
    });
  }

  function start(name: string, drains: boolean): void {
    const began = clock.now();
    const removal = { drains, cancel: () => {} };
    removing.set(name, removal);
    unneeded.delete(name);
    taint(name, true);
    let lastTry = Number.NEGATIVE_INFINITY;

    const giveUp = () => {
      removing.delete(name);
      unremovable.set(name, clock.now() + RECHECK_MS);
      taint(name, false);
    };
    const look = () => {
      const slot = view.nodes.slotOf(name);
      if (slot === undefined || !machines.machine(name)) return void removing.delete(name);
      const now = clock.now();
      const left = entriesAt(slot);
      const stopping = [...view.podsAt(slot)].some(({ pod }) => pod.metadata.deletionTimestamp !== undefined);
      if (left.length > 0 && now - began > EVICT_FOR_MS) return giveUp();
      if ((left.length === 0 && !stopping) || now - began > WAIT_FOR_MS) {
        removing.delete(name);
        machines.deleteNode(name);
        return;
      }
      if (left.length > 0 && now - lastTry >= EVICT_EVERY_MS) {
        lastTry = now;
        for (const { pod } of left) evict(pod.metadata.namespace ?? '', pod.metadata.name);
      }
      removal.cancel = clock.after(LOOK_EVERY_MS, look);
    };
    look();
  }

  function evict(namespace: string, name: string): void {
    try {
      api.evict(namespace, name);
    } catch (error) {
      // A budget that is used up, or a pod that is gone: tried again, or not there any more, at the next look.
      if (!(error instanceof Failure) || (error.code !== 429 && error.code !== 404)) throw error;
    }
  }

  return {
    run(mayStart) {
      const now = clock.now();
      const found = findUnneeded();
      const names = new Set(found.map(({ name }) => name));
      for (const name of unneeded.keys()) if (!names.has(name)) unneeded.delete(name);
      for (const { name } of found) if (!unneeded.has(name)) unneeded.set(name, now);
      if (mayStart) {
        for (const { name, pool, empty } of found) {
          const drains = [...removing.values()].filter((removal) => removal.drains).length;
          if (removing.size >= MOST_AT_ONCE || (!empty && drains >= MOST_DRAINS)) continue;
          if (now - (unneeded.get(name) ?? now) < unneededFor) continue;
          const leaving = machines.of(pool).filter((machine) => removing.has(machine.name)).length;
          if (machines.of(pool).length - leaving <= (machines.pool(pool)?.autoscale?.min ?? 0)) continue;
          start(name, !empty);
        }
      }
      return removing.size > 0 || unneeded.size > 0;
    },
    stop() {
      for (const { cancel } of removing.values()) cancel();
    },
  };
}
