/** Which machines to ask for so that waiting pods find room (cluster-autoscaler core/scaleup/orchestrator, in outline). */
import type { Millis } from '../../lib/clock.ts';
import type { Api } from '../apiserver/api.ts';
import { nodes } from '../apiserver/kinds.ts';
import { isNodeReady } from '../conditions.ts';
import { claimNames, volumeDemand } from '../scheduler/volumes.ts';
import type { PodClass } from '../scheduler/pod-registry.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import {
  allowed,
  amounts,
  type Bin,
  createBin,
  fitsBin,
  putIntoBin,
  type Shape,
  shapeOf,
  type WaitingPod,
  wasteOf,
} from './bins.ts';
import type { Machines } from './machines.ts';
import type { NodePool } from './node-pool.ts';

export interface ScaleUpOptions {
  readonly api: Api;
  readonly scheduler: Scheduler;
  readonly machines: Machines;
  readonly expander: 'least-waste' | 'random';
  /** After so long without a Node a machine is deleted and its pool and zone rest. */
  readonly provisionLimit: Millis;
}

export interface ScaleUp {
  /** Asks for machines of one pool at most; how many. */
  run(): number;
  /** Deletes machines that did not come up in time. */
  giveUp(): void;
}

// cluster-autoscaler main flags: initial-node-group-backoff-duration, max-node-group-backoff-duration.
const FIRST_REST_MS = 5 * 60_000;
const LONGEST_REST_MS = 30 * 60_000;
const HOSTNAME = 'kubernetes.io/hostname';

export function createScaleUp({ api, scheduler, machines, expander, provisionLimit }: ScaleUpOptions): ScaleUp {
  const { clock, random } = api;
  const { view } = scheduler;
  const resting = new Map<string, { readonly until: Millis; readonly length: Millis }>();

  function rest(pool: string, zone: string): void {
    const key = `${pool}/${zone}`;
    const length = Math.min(LONGEST_REST_MS, (resting.get(key)?.length ?? FIRST_REST_MS / 2) * 2);
    resting.set(key, { until: clock.now() + length, length });
  }
  const rests = (pool: string, zone: string) => (resting.get(`${pool}/${zone}`)?.until ?? 0) > clock.now();

  /** Rules that reach beyond one node, asked of the nodes that the zone has; a zone without nodes is let pass. */
  function zoneAllows(kind: PodClass, zone: string): boolean {
    const { hardSpread, affinity, antiAffinity, placement } = kind.traits;
    const keys = [...hardSpread, ...affinity, ...antiAffinity].map(({ topologyKey }) => topologyKey);
    // Where a rule goes by the node as well, the nodes there are say nothing about a new one.
    if (keys.length === 0 || keys.includes(HOSTNAME)) return true;
    const filter = view.filterOf(placement);
    const spread = view.spread.filter(kind, filter);
    const near = view.affinity.filter(kind);
    let any = false;
    for (const [slot, node] of view.nodes.nodes.entries()) {
      if (node?.metadata.labels?.['topology.kubernetes.io/zone'] !== zone) continue;
      any = true;
      if ((spread?.check(slot) ?? 0) === 0 && (near?.check(slot) ?? 0) === 0) return true;
    }
    return !any;
  }

  function waitingPods(): WaitingPod[] {
    const waiting: WaitingPod[] = [];
    for (const { kind, pin, pod } of scheduler.waiting()) {
      // The pods of a DaemonSet get no node: they come with one.
      if (pin !== undefined) continue;
      const names = claimNames(pod);
      const demand = names.length > 0 ? volumeDemand(api, pod, names) : undefined;
      if (demand?.problem === undefined) waiting.push({ kind, volumes: demand?.rules });
    }
    return waiting;
  }

  /** Nodes that are asked for but take no pods yet; that a machine will never come up nobody knows before its time is over. */
  function upcoming(shapes: (pool: NodePool, zone: string) => Shape): Bin[] {
    const bins: Bin[] = [];
    for (const pool of machines.pools()) {
      for (const { name, zone, state } of machines.of(pool.name)) {
        const node = state === 'running' ? api.get(nodes, '', name) : undefined;
        if (state !== 'running' || (node && !isNodeReady(node) && !node.spec.unschedulable))
          bins.push(createBin(shapes(pool, zone)));
      }
    }
    return bins;
  }

  function weight({ kind }: WaitingPod, { free }: Shape): number {
    let sum = 0;
    for (const [name, amount] of amounts(kind.traits.requests))
      if (name === 'cpu' || name === 'memory') sum += amount / (free.get(name) || 1);
    return sum;
  }

  /** The new nodes of one pool that would take the most of these pods. */
  function estimate(pool: NodePool, waiting: readonly WaitingPod[], shapes: (pool: NodePool, zone: string) => Shape): Bin[] {
    const all = machines.of(pool.name);
    let room = (pool.autoscale?.max ?? 0) - all.length;
    const zones = new Map(
      pool.zones
        .filter((zone) => !rests(pool.name, zone))
        .map((zone) => [zone, all.filter((machine) => machine.zone === zone).length]),
    );
    const first = shapes(pool, pool.zones[0] ?? '');
    const verdicts = new Map<string, boolean>();
    const welcome = (pod: WaitingPod, zone: string) => {
      const key = `${pod.kind.id} ${zone}`;
      let verdict = verdicts.get(key);
      if (verdict === undefined) verdicts.set(key, (verdict = zoneAllows(pod.kind, zone)));
      return verdict && allowed(shapes(pool, zone), pod);
    };
    const bins: Bin[] = [];
    const order = waiting.map((pod) => ({ pod, weight: weight(pod, first) })).sort((a, b) => b.weight - a.weight);
    // Pods alike that found no place find none after either: one of a class is asked, not thousands.
    const hopeless = new Set<string>();
    // Bins only fill up: one that refused a pod refuses those like it.
    const refused = new Map<string, number>();
    for (const { pod } of order) {
      const sort = `${pod.kind.id} ${pod.volumes?.key ?? ''}`;
      if (hopeless.has(sort)) continue;
      let at = refused.get(sort) ?? 0;
      while (at < bins.length && !takes(bins[at], pod)) at++;
      refused.set(sort, at);
      const bin = bins[at] ?? open(pod);
      if (bin) putIntoBin(bin, pod);
      else hopeless.add(sort);
    }
    return bins;

    function takes(bin: Bin | undefined, pod: WaitingPod): boolean {
      return bin !== undefined && welcome(pod, bin.shape.zone) && fitsBin(bin, pod);
    }

    function open(pod: WaitingPod): Bin | undefined {
      if (room <= 0) return undefined;
      const fitting = [...zones].filter(([zone]) => welcome(pod, zone) && fitsBin(createBin(shapes(pool, zone)), pod));
      const [zone] = fitting.sort(([, a], [, b]) => a - b)[0] ?? [];
      if (zone === undefined) return undefined;
      room--;
      zones.set(zone, (zones.get(zone) ?? 0) + 1);
      const bin = createBin(shapes(pool, zone));
      bins.push(bin);
      return bin;
    }
  }

  function choose(options: readonly Bin[][]): Bin[] {
    const [firstOption = []] = options;
    if (expander === 'random') return options[Math.floor(random() * options.length)] ?? firstOption;
    const waste = options.map(wasteOf);
    const least = Math.min(...waste);
    const best = options.filter((_, index) => waste[index] === least);
    return (best.length > 1 ? best[Math.floor(random() * best.length)] : best[0]) ?? firstOption;
  }

  return {
    run() {
      const known = new Map<string, Shape>();
      const shapes = (pool: NodePool, zone: string) => {
        const key = `${pool.name}/${zone}`;
        let shape = known.get(key);
        if (!shape) known.set(key, (shape = shapeOf(api, pool, zone)));
        return shape;
      };
      let waiting = waitingPods();
      if (waiting.length === 0) return 0;
      const coming = upcoming(shapes);
      waiting = waiting.filter((pod) => {
        const bin = coming.find((other) => fitsBin(other, pod));
        if (bin) putIntoBin(bin, pod);
        return !bin;
      });
      if (waiting.length === 0) return 0;
      const options = machines
        .pools()
        .filter(({ autoscale }) => autoscale)
        .map((pool) => estimate(pool, waiting, shapes))
        .filter((bins) => bins.length > 0);
      if (options.length === 0) return 0;
      let asked = 0;
      for (const { shape } of choose(options)) {
        if (machines.boot(shape.pool.name, shape.zone)) asked++;
        else if (!rests(shape.pool.name, shape.zone)) rest(shape.pool.name, shape.zone);
      }
      return asked;
    },
    giveUp() {
      const now = clock.now();
      for (const pool of machines.pools()) {
        for (const machine of machines.of(pool.name)) {
          if (machine.state === 'running' || now - machine.since < provisionLimit) continue;
          machines.deleteNode(machine.name);
          if (!rests(pool.name, machine.zone)) rest(pool.name, machine.zone);
        }
      }
    },
  };
}
