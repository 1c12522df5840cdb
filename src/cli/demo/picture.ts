/** What is to be seen of the scene at one moment, as data. */
import type { MaintenancePhase, NodeMaintenance } from '../../api/resources.ts';
import type { Millis } from '../../lib/clock.ts';
import { nodes, pods } from '../../sim/apiserver/kinds.ts';
import type { SimulatedCluster } from '../../sim/cluster.ts';
import { isNodeReady, isPodFinished } from '../../sim/conditions.ts';
import type { Pod } from '../../sim/kubernetes.ts';
import type { FailureCounts } from '../../sim/traffic/failure-causes.ts';
import { totalOf } from '../../sim/traffic/tally.ts';
import type { BudgetRecord } from './budget-observer.ts';
import { NEW_POOL, OLD_POOL } from './scene.ts';

export type NodeState =
  | 'booting'
  | 'starting'
  | 'serving'
  /** Its turn comes. */
  | 'marked'
  | 'draining'
  | 'settling'
  | 'drained'
  /** Back in service after it was drained. */
  | 'back'
  | 'stopped'
  | 'gone';

export interface NodeView {
  readonly name: string;
  readonly zone: string;
  readonly pool: string;
  readonly state: NodeState;
  /** Without those of DaemonSets. */
  readonly pods: number;
}

export interface Wait {
  readonly node: string;
  /** Pods that left, like 3/7. */
  readonly progress: string;
  /** The engine's words; empty while nothing keeps it. */
  readonly message: string;
  readonly pod: string;
}

export interface Picture {
  readonly now: Millis;
  readonly startedAt: Millis;
  /** When the maintenance began, and ended. */
  readonly markedAt: Millis | null;
  readonly endedAt: Millis | null;
  readonly boundMs: Millis | null;
  readonly nodes: readonly NodeView[];
  /** Nodes to work on, those drained, and those with which all is over. */
  readonly old: number;
  readonly drained: number;
  readonly done: number;
  readonly requests: {
    /** In each of the last seconds, oldest first. */
    readonly seconds: readonly { readonly sent: number; readonly failed: number }[];
    readonly sent: number;
    readonly failed: number;
    readonly failures: FailureCounts;
  };
  readonly budgets: readonly BudgetRecord[];
  readonly waits: readonly Wait[];
}

const SECONDS_SHOWN = 40;

const states: Readonly<Record<MaintenancePhase, NodeState>> = {
  Pending: 'marked',
  Draining: 'draining',
  Settling: 'settling',
  BeforeHook: 'drained',
  Rebooting: 'drained',
  Deleting: 'drained',
  Verifying: 'drained',
  AfterHook: 'drained',
  ActionFailed: 'stopped',
  Drained: 'drained',
  Undoing: 'settling',
  HandedBack: 'back',
  BackOff: 'stopped',
  Cancelled: 'stopped',
  Failed: 'stopped',
};

/** Every node that there has been, in the order in which they came. */
export type KnownNodes = Map<string, { readonly zone: string; readonly pool: string }>;

/** @param of the latest maintenance of each node. */
export function viewNodes(
  { api, machines }: SimulatedCluster,
  known: KnownNodes,
  of: ReadonlyMap<string, NodeMaintenance>,
  isMarked: boolean,
): NodeView[] {
  if (machines.pool(NEW_POOL))
    for (const { name, zone, pool } of machines.of(NEW_POOL)) if (!known.has(name)) known.set(name, { zone, pool });
  const counts = new Map<string, number>();
  for (const pod of api.list(pods)) {
    const { nodeName } = pod.spec;
    if (nodeName && mustLeave(pod)) counts.set(nodeName, (counts.get(nodeName) ?? 0) + 1);
  }
  return [...known].map(([name, { zone, pool }]) => {
    const node = api.get(nodes, '', name);
    const phase = of.get(name)?.status?.phase;
    const state = ((): NodeState => {
      if (!node) return machines.machine(name)?.state === 'booting' ? 'booting' : 'gone';
      if (phase) return states[phase];
      if (pool === OLD_POOL && isMarked) return 'marked';
      return isNodeReady(node) ? 'serving' : 'starting';
    })();
    return { name, zone, pool, state, pods: counts.get(name) ?? 0 };
  });
}

/** One that has to leave when its node is drained. */
function mustLeave(pod: Pod): boolean {
  return !isPodFinished(pod) && !pod.metadata.ownerReferences?.some(({ kind }) => kind === 'DaemonSet');
}

export function viewRequests({ traffic }: SimulatedCluster, now: Millis): Picture['requests'] {
  const report = traffic.report();
  const last = Math.floor(now / 1_000) - 1;
  const from = last - SECONDS_SHOWN + 1;
  const seconds = Array.from({ length: SECONDS_SHOWN }, () => ({ sent: 0, failed: 0 }));
  for (const { namespace, service } of report)
    for (const { second, sent, failed } of traffic.seconds(namespace, service, from)) {
      const slot = seconds[second - from];
      if (!slot) continue;
      slot.sent += sent;
      slot.failed += failed;
    }
  const { sent, failed, failures } = totalOf(report);
  return { seconds, sent, failed, failures };
}

export function viewWaits(of: Iterable<NodeMaintenance>): Wait[] {
  return [...of].flatMap(({ spec, status }) => {
    if (status?.phase !== 'Draining' && status?.phase !== 'Settling') return [];
    const { waitingFor, progress } = status;
    return [
      { node: spec.nodeName, progress: progress?.summary ?? '', message: waitingFor?.message ?? '', pod: waitingFor?.pod ?? '' },
    ];
  });
}
