/** Only for tests of machines that go: the whole controller on a simulated cluster, in virtual time, and agents that are told things. */
import { noClusterLimits } from '../src/engine/admission.ts';
import { planCluster } from '../bench/plan-cluster.ts';
import { annotations, GROUP_VERSION } from '../src/api/names.ts';
import type { MaintenancePolicyInput, NodeMaintenance } from '../src/api/resources.ts';
import { installDrover } from '../src/cli/drover-in-simulation.ts';
import { createVirtualClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { createInProcessClient } from '../src/sim/apiserver/in-process.ts';
import { budgets, nodes as nodeKind } from '../src/sim/apiserver/kinds.ts';
import { createSimulatedCluster } from '../src/sim/cluster.ts';
import { createSeededRandom } from '../src/sim/seeded-random.ts';
import { runController } from '../src/controller/controller.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
const NOON = Date.parse('2026-06-01T12:00:00Z');
const iso = (at: number) => new Date(at).toISOString();
export const nameOf = (index: number) => `node-${String(index).padStart(5, '0')}`;

/** Nodes with three pods each, whose budgets are shut, a policy of one node at a time for a label, and one for what the agents are told. */
export async function startSpotBed(nodes: number, spot: Partial<MaintenancePolicyInput['spec']> = {}) {
  const clock = createVirtualClock(NOON);
  const cluster = createSimulatedCluster({ clock, seed: 7, without: ['autoscaler'], kubelets: { heartbeats: false } });
  const { api } = cluster;
  const kinds = installDrover(api);
  api.load(planCluster({ nodes, podsPerNode: nodes > 100 ? 1 : 3 }).objects);
  const policy = (name: string, spec: Partial<MaintenancePolicyInput['spec']>) =>
    api.create(kinds.policies, {
      apiVersion: GROUP_VERSION,
      kind: 'MaintenancePolicy',
      metadata: { name },
      spec: { nodeSelector: { matchLabels: { pool: 'all' } }, drain: { handover: 'Never' }, ...spec },
    });
  policy('rotation', { reasons: [{ type: 'Label', label: { key: 'maintenance' } }], priority: 10 });
  policy('leaving', {
    reasons: [{ type: 'Signal', signal: { kinds: ['SpotInterruption', 'Redeploy'] } }],
    ...spot,
  });
  const setBudgets = (maxUnavailable: number) => {
    for (const { metadata } of api.list(budgets))
      api.modify(budgets, metadata.namespace ?? '', metadata.name, (budget) => ({
        ...budget,
        spec: { ...budget.spec, maxUnavailable },
      }));
  };
  setBudgets(0);
  /** "cordoned node-1", "emptied node-1", in their order. */
  const story: string[] = [];
  api.watch(nodeKind, ({ type, object, previous }) => {
    if (type === 'MODIFIED' && object.spec?.unschedulable && !previous.spec?.unschedulable)
      story.push(`cordoned ${object.metadata.name}`);
    if (type === 'MODIFIED' && !object.spec?.unschedulable && previous.spec?.unschedulable)
      story.push(`opened ${object.metadata.name}`);
  });
  api.watch(kinds.maintenances, ({ type, object, previous }) => {
    if (type === 'MODIFIED' && object.status?.phase === 'Settling' && previous.status?.phase !== 'Settling')
      story.push(`emptied ${object.spec.nodeName}`);
  });
  const controller = runController({
    client: createInProcessClient({ handle: cluster.handle, clock, userAgent: 'drover/test' }),
    clock,
    log: silentLog,
    random: createSeededRandom(7),
    identity: 'test',
    leaderElect: false,
    leaseNamespace: 'default',
    askGates: 'TakenAsOpen',
    limits: noClusterLimits,
    observer: { leading() {}, watchRestarted() {}, passed() {}, answered() {} },
    restMs: Math.min(100, 20 + nodes / 10), // as in a plan
  });
  await clock.run({ until: NOON + 10 * SECOND });
  await controller.ready;
  const change = (name: string, metadata: { labels?: object; annotations?: object }) =>
    api.modify(nodeKind, '', name, (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        labels: { ...node.metadata.labels, ...metadata.labels },
        annotations: { ...node.metadata.annotations, ...metadata.annotations },
      } as typeof node.metadata,
    }));
  const of = (name: string): NodeMaintenance | undefined =>
    api.list(kinds.maintenances).findLast(({ spec }) => spec.nodeName === name);
  return {
    story,
    setBudgets,
    of,
    pass: (ms: number) => clock.run({ until: clock.now() + ms }),
    label: (name: string) => change(name, { labels: { maintenance: 'yes' } }),
    tell: (name: string, ...signals: readonly object[]) =>
      change(name, {
        annotations: {
          [annotations.signals]: JSON.stringify(signals.map((each) => ({ since: iso(clock.now()), message: '', ...each }))),
        },
      }),
    cancel(name: string) {
      const id = of(name)?.metadata.name ?? '';
      api.modify(kinds.maintenances, '', id, (object) => ({ ...object, spec: { ...object.spec, cancelled: true } }));
    },
    inMs: (ms: number) => iso(clock.now() + ms),
    node: (name: string) => api.get(nodeKind, '', name),
    async end() {
      const stopped = controller.stop();
      await Promise.all([stopped, clock.run({ until: clock.now() + 10 * SECOND })]);
      cluster.stop();
    },
  };
}

export const spotNotice = (goneAt: string) => ({ kind: 'SpotInterruption', source: 'aws', id: 'spot', goneAt, revocable: false });
