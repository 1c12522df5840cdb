/** The cloud: machines of the pools, those that boot, those that never come up, zones that have none left. It knows no pods. */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Latency } from '../apiserver/api.ts';
import { nodes } from '../apiserver/kinds.ts';
import { POOL_LABEL, type NodePool, nodeOf } from './node-pool.ts';

export interface Machine {
  readonly name: string;
  readonly pool: string;
  readonly zone: string;
  readonly since: Millis;
  /** A machine that failed to come up is still asked for until somebody deletes it. */
  state: 'booting' | 'running' | 'failed';
}

export interface Machines {
  pools(): readonly NodePool[];
  pool(name: string): NodePool | undefined;
  /** Makes the pool known, with `count` nodes that are there at once and those that carry its label already. */
  add(pool: NodePool, count: number): void;
  /** All of a pool: running, booting and failed. */
  of(pool: string): readonly Machine[];
  machine(name: string): Machine | undefined;
  /** Asks for one more. Undefined when the zone has none left. */
  boot(pool: string, zone: string): Machine | undefined;
  /** As a cloud does it: new machines in the emptiest zones, or the newest go at once, pods and all. */
  resizePool(pool: string, count: number): void;
  /** The machine and its Node go at once, and another of the same zone boots. Undefined when it is no machine, or the zone has none left. */
  replaceNode(name: string): Machine | undefined;
  /** The machine and its Node go at once; the pool is one smaller. False when it is no machine. */
  deleteNode(name: string): boolean;
  /** From now on this share of the pool's machines never comes up. */
  failBoots(pool: string, share: number): void;
  stop(): void;
}

const USUAL_BOOT: Latency = { least: 45_000, spread: 45_000 };

interface Known {
  readonly pool: NodePool;
  failingBoots: number;
  lastNumber: number;
  readonly left: Map<string, number>;
}

/** Who asks for a pool that is not known gets a RangeError that names those that are. */
export function createMachines(api: Api): Machines {
  const { clock, random } = api;
  const known = new Map<string, Known>();
  const machines = new Map<string, Machine>();
  const pending = new Map<string, () => void>();

  function demand(name: string): Known {
    const found = known.get(name);
    if (!found) throw new RangeError(`there is no node pool "${name}"; there are ${[...known.keys()].join(', ') || 'none'}`);
    return found;
  }

  const of = (pool: string) => [...machines.values()].filter((machine) => machine.pool === pool);

  function nextName(entry: Known): string {
    let name = '';
    do name = `${entry.pool.name}-${++entry.lastNumber}`;
    while (machines.has(name) || api.get(nodes, '', name));
    return name;
  }

  function emptiestZone({ pool, left }: Known): string | undefined {
    const counts = new Map(pool.zones.map((zone) => [zone, 0]));
    for (const { zone } of of(pool.name)) counts.set(zone, (counts.get(zone) ?? 0) + 1);
    const open = pool.zones.filter((zone) => (left.get(zone) ?? Number.POSITIVE_INFINITY) > 0);
    return open.reduce<string | undefined>(
      (best, zone) => (best === undefined || (counts.get(zone) ?? 0) < (counts.get(best) ?? 0) ? zone : best),
      undefined,
    );
  }

  function boot(poolName: string, zone: string): Machine | undefined {
    const entry = demand(poolName);
    const left = entry.left.get(zone);
    if (left === 0) return undefined;
    if (left !== undefined) entry.left.set(zone, left - 1);
    const machine: Machine = { name: nextName(entry), pool: poolName, zone, since: clock.now(), state: 'booting' };
    machines.set(machine.name, machine);
    const { least, spread } = entry.pool.boot ?? USUAL_BOOT;
    const takes = least + random() * spread;
    const fails = entry.failingBoots > 0 && random() < entry.failingBoots;
    const arrive = () => {
      pending.delete(machine.name);
      machine.state = fails ? 'failed' : 'running';
      if (!fails) api.create(nodes, nodeOf(entry.pool, machine.name, zone));
    };
    pending.set(machine.name, clock.after(takes, arrive));
    return machine;
  }

  function forget(machine: Machine): void {
    if (!machines.delete(machine.name)) return;
    pending.get(machine.name)?.();
    pending.delete(machine.name);
    const left = known.get(machine.pool)?.left;
    const rest = left?.get(machine.zone);
    if (rest !== undefined) left?.set(machine.zone, rest + 1);
  }

  function discard(machine: Machine): void {
    forget(machine);
    if (api.get(nodes, '', machine.name)) api.remove(nodes, '', machine.name);
  }

  // Who deletes the Node alone is taken to have deleted the machine: a kubelet that registers anew is not played here.
  const stopWatch = api.watch(nodes, ({ type, object }) => {
    const machine = type === 'DELETED' ? machines.get(object.metadata.name) : undefined;
    if (machine?.state === 'running') forget(machine);
  });

  return {
    pools: () => [...known.values()].map(({ pool }) => pool),
    pool: (name) => known.get(name)?.pool,
    of,
    machine: (name) => machines.get(name),
    boot,
    add(pool, count) {
      const left = new Map(Object.entries(pool.capacity ?? {}));
      const entry: Known = { pool, failingBoots: pool.failingBoots ?? 0, lastNumber: 0, left };
      known.set(pool.name, entry);
      const since = clock.now();
      const label = pool.poolLabel ?? POOL_LABEL;
      for (const { metadata } of api.list(nodes, { labels: { matchLabels: { [label]: pool.name } } })) {
        const zone = metadata.labels?.['topology.kubernetes.io/zone'] ?? pool.zones[0] ?? '';
        machines.set(metadata.name, { name: metadata.name, pool: pool.name, zone, since, state: 'running' });
      }
      for (let n = 0; n < count; n++) {
        const name = nextName(entry);
        const zone = pool.zones[n % pool.zones.length] ?? '';
        machines.set(name, { name, pool: pool.name, zone, since, state: 'running' });
        api.create(nodes, nodeOf(pool, name, zone));
      }
    },
    resizePool(name, count) {
      const entry = demand(name);
      const all = of(name);
      for (const machine of all.slice(Math.max(0, count))) discard(machine);
      for (let more = count - all.length; more > 0; more--) {
        const zone = emptiestZone(entry);
        if (zone === undefined || !boot(name, zone)) return;
      }
    },
    replaceNode(name) {
      const machine = machines.get(name);
      if (!machine) return undefined;
      discard(machine);
      return boot(machine.pool, machine.zone);
    },
    deleteNode(name) {
      const machine = machines.get(name);
      if (machine) discard(machine);
      return machine !== undefined;
    },
    failBoots(pool, share) {
      demand(pool).failingBoots = share;
    },
    stop() {
      stopWatch();
      for (const cancel of pending.values()) cancel();
      pending.clear();
    },
  };
}
