/** Gates from the label to the drained node: the whole controller on a simulated cluster, in virtual time, and a Prometheus of words. */
import { expect, it } from 'vitest';
import { planCluster } from '../../../bench/plan-cluster.ts';
import type { MaintenancePolicyInput, NodeMaintenance } from '../../api/resources.ts';
import { GROUP_VERSION } from '../../api/names.ts';
import { installDrover } from '../../cli/drover-in-simulation.ts';
import { noClusterLimits } from '../../engine/admission.ts';
import { createVirtualClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { createInProcessClient } from '../../sim/apiserver/in-process.ts';
import { nodes as nodeKind } from '../../sim/apiserver/kinds.ts';
import { createSimulatedCluster } from '../../sim/cluster.ts';
import { createSeededRandom } from '../../sim/seeded-random.ts';
import { runController } from '../controller.ts';
import type { GateReply } from './send.ts';

const SECOND = 1_000;
const NOON = Date.parse('2026-06-01T12:00:00Z');
const [first, second] = ['node-00000', 'node-00001'] as const;

const vector = (...names: string[]): GateReply => ({
  status: 200,
  body: JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: names.map((alertname) => ({ metric: { alertname }, value: [1, '1'] })) },
  }),
});

async function start(spec: Partial<MaintenancePolicyInput['spec']>) {
  const clock = createVirtualClock(NOON);
  const cluster = createSimulatedCluster({ clock, seed: 7, without: ['autoscaler'], kubelets: { heartbeats: false } });
  const { api } = cluster;
  const kinds = installDrover(api);
  api.load(planCluster({ nodes: 6, podsPerNode: 5 }).objects);
  api.create(kinds.policies, {
    apiVersion: GROUP_VERSION,
    kind: 'MaintenancePolicy',
    metadata: { name: 'careful' },
    spec: {
      nodeSelector: { matchLabels: { pool: 'all' } },
      reasons: [{ type: 'Label', label: { key: 'maintenance' } }],
      drain: { handover: 'Never' },
      ...spec,
    },
  });
  const prometheus = { reply: vector() as GateReply | null, asked: [] as number[] };
  const controller = runController({
    client: createInProcessClient({ handle: cluster.handle, clock, userAgent: 'drover/test' }),
    clock,
    log: silentLog,
    random: createSeededRandom(7),
    identity: 'test',
    leaderElect: false,
    leaseNamespace: 'default',
    askGates: async () => {
      prometheus.asked.push(clock.now());
      if (!prometheus.reply) throw new Error('http://prometheus cannot be reached');
      return prometheus.reply;
    },
    limits: noClusterLimits,
    observer: { leading() {}, watchRestarted() {}, passed() {}, answered() {} },
  });
  const after = (ms: number) => clock.run({ until: clock.now() + ms });
  await after(10 * SECOND);
  await controller.ready;
  const of = (node: string): NodeMaintenance | undefined =>
    api.list(kinds.maintenances).find(({ spec: { nodeName } }) => nodeName === node);
  return {
    prometheus,
    after,
    status: (node: string) => of(node)?.status ?? {},
    policy: () => api.get(kinds.policies, '', 'careful') as { readonly status?: { readonly waitingFor?: string } } | undefined,
    label(node: string) {
      api.modify(nodeKind, '', node, (object) => ({
        ...object,
        metadata: { ...object.metadata, labels: { ...object.metadata.labels, maintenance: 'yes' } },
      }));
    },
    async stop() {
      await Promise.all([controller.stop(), after(60 * SECOND)]);
      cluster.stop();
    },
  };
}

const gates = { prometheus: [{ url: 'http://prometheus', alerts: {}, interval: '1m' }] };

it('each start is preceded by a question, and nothing is asked when nothing would start', async () => {
  const cluster = await start({ gates });
  const { prometheus } = cluster;
  await cluster.after(600 * SECOND);
  expect(prometheus.asked).toEqual([]);

  cluster.label(first);
  cluster.label(second);
  await cluster.after(600 * SECOND);
  expect([cluster.status(first).phase, cluster.status(second).phase]).toEqual(['Drained', 'Drained']);
  expect(prometheus.asked).toHaveLength(2);
  for (const node of [first, second]) {
    const started = Date.parse(cluster.status(node).startedAt ?? '');
    expect(prometheus.asked.some((at) => started - at <= 5 * SECOND && started >= at - SECOND)).toBe(true);
  }
  await cluster.after(3_600 * SECOND);
  expect(prometheus.asked).toHaveLength(2);
  await cluster.stop();
});

it('an alert that the first drain has set off holds back the second, until it is over', async () => {
  const cluster = await start({ gates });
  const { prometheus } = cluster;
  cluster.label(first);
  await cluster.after(2 * SECOND);
  expect(cluster.status(first).phase).toBe('Draining');
  prometheus.reply = vector('ErrorBudgetBurn');
  cluster.label(second);
  await cluster.after(300 * SECOND);
  expect(cluster.status(first).phase).toBe('Drained');
  expect(cluster.status(second)).toMatchObject({
    phase: 'Pending',
    waitingFor: { cause: 'GateAlerts', message: 'gate prometheus[0] of policy careful is closed by an alert: ErrorBudgetBurn' },
  });
  expect(cluster.policy()?.status?.waitingFor).toContain('ErrorBudgetBurn');
  prometheus.reply = null;
  await cluster.after(120 * SECOND);
  expect(cluster.status(second)).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'GateUnanswered' } });
  prometheus.reply = vector();
  await cluster.after(300 * SECOND);
  expect(cluster.status(second).phase).toBe('Drained');
  await cluster.stop();
});
