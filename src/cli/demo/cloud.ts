/**
 * What the demo does beside Drover: it marks the nodes, and plays the cloud that deletes a drained node and boots another, or the people
 * who work on it and give it back. Drover's own action for that does not exist yet.
 */
import type { NodeMaintenance } from '../../api/resources.ts';
import type { Clock, Millis } from '../../lib/clock.ts';
import { nodes } from '../../sim/apiserver/kinds.ts';
import type { SimulatedCluster } from '../../sim/cluster.ts';
import { POOL_LABEL } from '../../sim/autoscaler/node-pool.ts';
import { isNodeReady } from '../../sim/conditions.ts';
import { NEW_POOL, OLD_POOL, retiredTaint, type Scene } from './scene.ts';

export interface Cloud {
  /** Boots the new machines that are there before the first old one goes. */
  surge(): void;
  /** The maintenance begins. */
  mark(): void;
  /** A status of a maintenance has changed. */
  see(maintenance: NodeMaintenance): void;
  /** Nodes that Drover has drained, and when. */
  readonly drained: ReadonlyMap<string, Millis>;
  /** Nodes with which everything is over: deleted, or back in service. */
  readonly done: ReadonlySet<string>;
  /** Every new machine that was asked for is a Ready node. */
  hasJoined(): boolean;
  stop(): void;
}

/** New machines before the first old ones go, for each that may be out: their pods must have where to go. */
const SURGE = 2;
const DELETE_AFTER: Millis = 2_000;
/** What the people need on the node. */
const WORK_FOR: Millis = 10_000;

/** @param old the nodes to work on, with their zones. @param say what is done, in a line. */
export function createCloud(
  cluster: SimulatedCluster,
  scene: Scene,
  old: ReadonlyMap<string, string>,
  say: (line: string) => void,
): Cloud {
  const { api, machines } = cluster;
  const clock: Clock = cluster.clock;
  const drained = new Map<string, Millis>();
  const done = new Set<string>();
  const timers = new Set<() => void>();
  /** Machines asked for, by zone. */
  const asked = new Map<string, number>();
  const wanted = (zone: string) => [...old.values()].filter((each) => each === zone).length;

  function boot(zone: string): void {
    const before = asked.get(zone) ?? 0;
    if (before >= wanted(zone)) return;
    const machine = machines.boot(NEW_POOL, zone);
    if (!machine) return;
    asked.set(zone, before + 1);
    say(`the cloud boots ${machine.name} in ${zone}`);
  }

  function later(delay: Millis, act: () => void): void {
    const cancel = clock.after(delay, () => {
      timers.delete(cancel);
      act();
    });
    timers.add(cancel);
  }

  function remove(name: string): void {
    if (machines.deleteNode(name)) say(`the cloud deletes ${name}`);
    done.add(name);
    boot(old.get(name) ?? '');
  }

  function unmark(name: string): void {
    say(`the work on ${name} is done: its mark is taken off`);
    api.modify(nodes, '', name, (node) => {
      const taints = node.spec.taints ?? [];
      return { ...node, spec: { ...node.spec, taints: taints.filter(({ key }) => key !== retiredTaint.key) } };
    });
  }

  return {
    drained,
    done,
    surge() {
      if (scene.action === 'replace') for (const zone of scene.zones) for (let n = 0; n < SURGE * scene.perZone; n++) boot(zone);
    },
    mark() {
      say(`all ${old.size} nodes of pool ${OLD_POOL} get the taint ${retiredTaint.key}`);
      for (const name of old.keys())
        api.modify(nodes, '', name, (node) => ({
          ...node,
          spec: { ...node.spec, taints: [...(node.spec.taints ?? []), retiredTaint] },
        }));
    },
    see({ spec, status }) {
      const name = spec.nodeName;
      if (!old.has(name)) return;
      if (status?.phase === 'HandedBack' && drained.has(name)) done.add(name);
      if (status?.phase !== 'Drained' || drained.has(name)) return;
      drained.set(name, clock.now());
      if (scene.action === 'replace') later(DELETE_AFTER, () => remove(name));
      else later(WORK_FOR, () => unmark(name));
    },
    hasJoined() {
      if (scene.action !== 'replace') return true;
      const ready = api.list(nodes, { labels: { matchLabels: { [POOL_LABEL]: NEW_POOL } } }).filter(isNodeReady);
      return ready.length === [...asked.values()].reduce((sum, each) => sum + each, 0);
    },
    stop() {
      for (const cancel of timers) cancel();
    },
  };
}
