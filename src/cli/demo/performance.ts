/** The course of the demo, from the empty cluster to the report. */
import type { NodeMaintenance } from '../../api/resources.ts';
import type { Clock, Millis } from '../../lib/clock.ts';
import { nodes, pods } from '../../sim/apiserver/kinds.ts';
import { POOL_LABEL } from '../../sim/autoscaler/node-pool.ts';
import { type BudgetObserver, observeBudgets } from './budget-observer.ts';
import { type Cloud, createCloud } from './cloud.ts';
import { type LowerBound, lowerBound, type PlacedPod } from './lower-bound.ts';
import { createNarrator } from './narrator.ts';
import { type KnownNodes, type Picture, viewNodes, viewRequests, viewWaits } from './picture.ts';
import type { DemoReport } from './report.ts';
import { OLD_POOL, type Scene } from './scene.ts';
import type { Stage } from './stage.ts';

export interface Performance {
  /** Resolves when all is done, or nothing moves any more. Rejects when `signal` aborts. */
  perform(signal: AbortSignal): Promise<void>;
  picture(): Picture;
  report(): DemoReport;
  stop(): void;
}

const LOOK_EVERY: Millis = 250;
/** Nothing left, nothing drained, nothing joined for so long: it waits for somebody who will not come. */
const STUCK_AFTER: Millis = 60_000;
/** Until what was under way when the last node was done has been answered. */
const AFTERMATH: Millis = 5_000;

/** @param say what the demo itself does, in a line. */
export function createPerformance(stage: Stage, scene: Scene, say: (line: string) => void): Performance {
  const { cluster, maintenances } = stage;
  const { api } = cluster;
  const clock: Clock = cluster.clock;
  const startedAt = clock.now();
  const known: KnownNodes = new Map();
  const narrator = createNarrator(say);
  const latest = new Map<string, NodeMaintenance>(); // by node
  const moved = new Map<string, number>(); // by maintenance
  const zoneOf = new Map<string, string>();
  let observer: BudgetObserver | undefined;
  let bound: LowerBound | undefined;
  let markedAt: Millis | null = null;

  const stopNodes = api.watch(
    nodes,
    ({ type, object: { metadata } }) => {
      const { 'topology.kubernetes.io/zone': zone = '', [POOL_LABEL]: pool = '' } = metadata.labels ?? {};
      if (type === 'ADDED' && !known.has(metadata.name)) known.set(metadata.name, { zone, pool });
    },
    { replay: true },
  );
  for (const [name, { zone, pool }] of known) if (pool === OLD_POOL) zoneOf.set(name, zone);
  const cloud: Cloud = createCloud(cluster, scene, zoneOf, say);
  const stopMaintenances = api.watch(maintenances, ({ type, object }) => {
    if (type === 'DELETED') return;
    latest.set(object.spec.nodeName, object);
    moved.set(object.metadata.name, object.status?.progress?.gone ?? 0);
    narrator.see(object);
    cloud.see(object);
  });

  async function until(signal: AbortSignal, isReached: () => boolean): Promise<boolean> {
    let seen = '';
    let since = clock.now();
    for (;;) {
      if (isReached()) return true;
      const now = clock.now();
      narrator.tick(now);
      const state = JSON.stringify([
        api.count(nodes),
        cloud.drained.size,
        cloud.done.size,
        [...moved.values()],
        [...latest.values()].map(({ status }) => status?.phase),
        observer?.records().map(({ ready }) => ready),
      ]);
      if (state !== seen) [seen, since] = [state, now];
      else if (now - since >= STUCK_AFTER) return false;
      await clock.sleep(LOOK_EVERY, signal);
    }
  }

  /** When the last node was drained; null before. */
  const endedAt = () => (cloud.drained.size === zoneOf.size ? Math.max(...cloud.drained.values()) : null);

  const isUp = () => observer?.records().every(({ ready, replicas }) => ready >= replicas) ?? false;

  function placed(): PlacedPod[] {
    return api.list(pods).flatMap(({ spec, metadata: { namespace = '', labels, ownerReferences } }) => {
      const zone = zoneOf.get(spec.nodeName ?? '');
      if (zone === undefined || ownerReferences?.some(({ kind }) => kind === 'DaemonSet')) return [];
      return [{ node: spec.nodeName ?? '', zone, namespace, app: labels?.['app'] ?? '' }];
    });
  }

  function stuckLines(): string[] {
    const left = [...latest.values()].filter(({ spec }) => zoneOf.has(spec.nodeName) && !cloud.drained.has(spec.nodeName));
    const waiting = left.filter(({ status }) => status?.phase === 'Pending').length;
    return [
      ...left.flatMap(({ spec, status: { phase, waitingFor } = {} }) =>
        !waitingFor || phase === 'Pending'
          ? []
          : [`${spec.nodeName}: ${waitingFor.pod === undefined ? '' : `${waitingFor.pod}: `}${waitingFor.message}`],
      ),
      ...(waiting > 0 ? [`${waiting} more ${waiting === 1 ? 'waits for its turn' : 'wait for their turn'} behind it`] : []),
    ];
  }

  return {
    async perform(signal) {
      say(`the application starts: ${scene.scenario.workloads.map(({ name }) => name).join(', ')}`);
      cloud.surge();
      observer = observeBudgets(api);
      await stage.startController();
      const isReady = await until(signal, () => isUp() && cloud.hasJoined());
      observer.stop();
      if (!isReady) throw new Error('the application of the demo did not come up');
      observer = observeBudgets(api);
      bound = lowerBound(scene.scenario, scene, zoneOf, placed());
      markedAt = clock.now();
      cloud.mark();
      await until(signal, () => cloud.done.size === zoneOf.size && cloud.hasJoined());
      await clock.sleep(AFTERMATH, signal);
    },
    picture: () => ({
      now: clock.now(),
      startedAt,
      markedAt,
      endedAt: endedAt(),
      boundMs: bound?.ms ?? null,
      nodes: viewNodes(cluster, known, latest, markedAt !== null),
      old: zoneOf.size,
      drained: cloud.drained.size,
      done: cloud.done.size,
      requests: viewRequests(cluster, clock.now()),
      budgets: observer?.records() ?? [],
      waits: viewWaits(latest.values()),
    }),
    report() {
      const budgets = observer?.records() ?? [];
      const { sent, failed, failures } = viewRequests(cluster, clock.now());
      const drainedAt = endedAt();
      return {
        action: scene.action,
        handover: scene.handover,
        seed: scene.seed,
        nodes: scene.nodes,
        nodesToDrain: zoneOf.size,
        nodesDrained: cloud.drained.size,
        nodesDone: cloud.done.size,
        podsMoved: [...moved.values()].reduce((sum, each) => sum + each, 0),
        tookMs: drainedAt !== null && markedAt !== null ? drainedAt - markedAt : null,
        lowerBound: bound ?? { ms: 0, because: 'it did not begin' },
        budgetViolations: budgets.reduce((sum, { violations }) => sum + violations, 0),
        budgets,
        requests: {
          sent,
          failed,
          failures,
          services: cluster.traffic
            .report()
            .map((each) => ({ service: `${each.namespace}/${each.service}`, sent: each.sent, failed: each.failed })),
        },
        stuck: drainedAt === null ? stuckLines() : [],
      };
    },
    stop() {
      observer?.stop();
      stopNodes();
      stopMaintenances();
      cloud.stop();
    },
  };
}
