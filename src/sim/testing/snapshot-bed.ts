/** A settled cluster with one workload of each kind, its snapshot, and a cluster into which that is loaded. */
import type { KubeRequest } from '../../kube/client.ts';
import { createVirtualClock, type VirtualClock } from '../../lib/clock.ts';
import type { Api } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { createInProcessClient } from '../apiserver/in-process.ts';
import * as kinds from '../apiserver/kinds.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../cluster.ts';
import { loadScenario } from '../scenario/load.ts';
import { readScenario } from '../scenario/read.ts';
import { readCluster } from '../snapshot/read-cluster.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

export const START = Date.parse('2026-11-21T12:00:00Z');
export const MINUTE = 60_000;

export const scenario = {
  pools: [{ name: 'web', count: 6, zones: ['a', 'b', 'c'] }],
  workloads: [
    { name: 'shop', replicas: 8, budget: { maxUnavailable: 1 }, service: { rate: 0 }, spread: { over: 'zone' as const } },
    { name: 'api', namespace: 'backend', replicas: 3, apart: 'node' as const, budget: { minAvailable: '50%' } },
    {
      name: 'db',
      kind: 'StatefulSet' as const,
      replicas: 3,
      storage: '1Gi',
      budget: { maxUnavailable: 1 },
      service: { rate: 0 },
    },
    { name: 'agent', kind: 'DaemonSet' as const },
    { name: 'batch', kind: 'Job' as const, replicas: 2, runFor: '2h' },
  ],
};

export interface Bed {
  readonly clock: VirtualClock;
  readonly cluster: SimulatedCluster;
  readonly api: Api;
  /** Writes since the last call, but for those that time brings: "MODIFIED Pod shop/x". */
  written(): string[];
}

/** Heartbeats, and how long ago something was. */
const TIMELY = new Set(['Lease', 'Event']);

/** @param seed not that of the cluster that was read: uids are drawn from it, and would come a second time. */
export function clusterAt(start: number, seed: number): Bed {
  const clock = createVirtualClock(start);
  const cluster = createSimulatedCluster({ clock, seed, kubelets: { heartbeats: false } });
  const seen: string[] = [];
  for (const kind of kinds.builtInKinds) {
    if (TIMELY.has(kind.kind)) continue;
    cluster.api.watch(kind, ({ type, object }) => seen.push(`${type} ${object.kind} ${object.metadata.name}`));
  }
  return { clock, cluster, api: cluster.api, written: () => seen.splice(0) };
}

export function read({ cluster, clock }: Bed, unreadable?: string): Promise<Snapshot> {
  const before = ({ path }: KubeRequest) => {
    if (path.endsWith(`/${unreadable}`)) throw new Failure(403, 'Forbidden', 'no');
  };
  return readCluster(createInProcessClient({ handle: cluster.handle, clock, userAgent: 'test', before }), { clock });
}

/** @param unreadable a kind that may not be listed, by its plural name. */
export async function settled(
  prepare: (from: Bed) => void | Promise<void> = () => {},
  unreadable?: string,
  given: object = scenario,
): Promise<Snapshot> {
  const from = clusterAt(START, 1);
  loadScenario(from.cluster, readScenario(given, 'x'), 'x');
  await from.clock.advance(5 * MINUTE);
  await prepare(from);
  const snapshot = await read(from, unreadable);
  from.cluster.stop();
  return snapshot;
}

/** Puts it in, without counting that as written. */
export function loaded(snapshot: Snapshot): Bed {
  const to = clusterAt(snapshot.takenAt, 2);
  to.api.load(snapshot.objects);
  to.written();
  return to;
}
