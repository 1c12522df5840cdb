/** The whole controller on a simulated cluster of six nodes, in virtual time. */
import { noClusterLimits } from '../src/engine/admission.ts';
import { planCluster } from '../bench/plan-cluster.ts';
import type { MaintenancePolicyInput, NodeMaintenance } from '../src/api/resources.ts';
import { GROUP_VERSION } from '../src/api/names.ts';
import { installDrover } from '../src/cli/drover-in-simulation.ts';
import type { Decision } from '../src/engine/decide.ts';
import { createVirtualClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { createInProcessClient } from '../src/sim/apiserver/in-process.ts';
import { budgets, nodes as nodeKind } from '../src/sim/apiserver/kinds.ts';
import { createSimulatedCluster } from '../src/sim/cluster.ts';
import { createSeededRandom } from '../src/sim/seeded-random.ts';
import { runController } from '../src/controller/controller.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** A Monday. */
const NOON = Date.parse('2026-06-01T12:00:00Z');
export const [first, second] = ['node-00000', 'node-00001'] as const;

export interface SimulationOptions {
  readonly schedule?: NonNullable<MaintenancePolicyInput['spec']['schedule']>;
  /** Default false: kubelets write nothing while nothing changes. */
  readonly heartbeats?: boolean;
}

/** Six nodes at noon, all budgets shut, and a policy for what is labelled, with windows or without. */
export async function startOnSimulation({ schedule, heartbeats = false }: SimulationOptions) {
  const clock = createVirtualClock(NOON);
  const cluster = createSimulatedCluster({ clock, seed: 7, without: ['autoscaler'], kubelets: { heartbeats } });
  const { api } = cluster;
  const kinds = installDrover(api);
  api.load(planCluster({ nodes: 6, podsPerNode: 10 }).objects);
  api.create(kinds.policies, {
    apiVersion: GROUP_VERSION,
    kind: 'MaintenancePolicy',
    metadata: { name: 'nightly' },
    spec: {
      nodeSelector: { matchLabels: { pool: 'all' } },
      reasons: [{ type: 'Label', label: { key: 'maintenance' } }],
      drain: { handover: 'Never' },
      ...(schedule && { schedule }),
    },
  });
  const setBudgets = (maxUnavailable: number) => {
    for (const { metadata } of api.list(budgets))
      api.modify(budgets, metadata.namespace ?? '', metadata.name, (budget) => ({
        ...budget,
        spec: { ...budget.spec, maxUnavailable },
      }));
  };
  let passes = 0;
  let conflicts = 0;
  let decisions: readonly Decision[] = [];
  const controller = runController({
    client: createInProcessClient({
      handle(request) {
        const answer = cluster.handle(request);
        if (answer.code === 409) conflicts += 1;
        return answer;
      },
      clock,
      userAgent: 'drover/test',
    }),
    clock,
    log: silentLog,
    random: createSeededRandom(7),
    identity: 'test',
    leaderElect: false,
    leaseNamespace: 'default',
    askGates: 'TakenAsOpen',
    limits: noClusterLimits,
    observer: {
      leading() {},
      watchRestarted() {},
      passed(made) {
        passes += 1;
        decisions = made;
      },
      answered() {},
    },
  });
  const to = (time: string) => clock.run({ until: Date.parse(`2026-06-${time}Z`) });
  await clock.run({ until: NOON + 10 * SECOND });
  await controller.ready;
  const of = (node: string): NodeMaintenance | undefined =>
    api.list(kinds.maintenances).find(({ spec }) => spec.nodeName === node);
  return {
    to,
    setBudgets,
    passes: () => passes,
    conflicts: () => conflicts,
    decisions: () => decisions,
    node: (name: string) => api.get(nodeKind, '', name),
    status: (node: string) => of(node)?.status ?? {},
    label(node: string) {
      api.modify(nodeKind, '', node, (object) => ({
        ...object,
        metadata: { ...object.metadata, labels: { ...object.metadata.labels, maintenance: 'yes' } },
      }));
    },
    runNow(node: string) {
      api.modify(kinds.maintenances, '', of(node)?.metadata.name ?? '', (object) => ({
        ...object,
        spec: { ...object.spec, runNow: true },
      }));
    },
    async stop() {
      await Promise.all([controller.stop(), clock.run({ until: clock.now() + MINUTE })]);
      cluster.stop();
    },
  };
}
