/** Maintenance windows from the label to the drained node: the whole controller on a simulated cluster, in virtual time. */
import { expect, it } from 'vitest';
import { noClusterLimits } from '../engine/admission.ts';
import { planCluster } from '../../bench/plan-cluster.ts';
import type { MaintenancePolicyInput, NodeMaintenance } from '../api/resources.ts';
import { GROUP_VERSION } from '../api/names.ts';
import { installDrover } from '../cli/drover-in-simulation.ts';
import type { Decision } from '../engine/decide.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { createInProcessClient } from '../sim/apiserver/in-process.ts';
import { budgets, nodes as nodeKind } from '../sim/apiserver/kinds.ts';
import { createSimulatedCluster } from '../sim/cluster.ts';
import { createSeededRandom } from '../sim/seeded-random.ts';
import { runController } from './controller.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** A Monday. */
const NOON = Date.parse('2026-06-01T12:00:00Z');
const [first, second] = ['node-00000', 'node-00001'] as const;

/** Six nodes at noon, all budgets shut, and a policy with these windows for what is labelled. */
async function start(schedule: MaintenancePolicyInput['spec']['schedule']) {
  const clock = createVirtualClock(NOON);
  const cluster = createSimulatedCluster({ clock, seed: 7, without: ['autoscaler'], kubelets: { heartbeats: false } });
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
      schedule,
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
  let decisions: readonly Decision[] = [];
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

const nightly = { timeZone: 'Europe/Amsterdam', windows: [{ start: '22:00', end: '22:05' }] };

it('a node waits for the window, starts when it opens by the clock alone, and is finished after it has closed', async () => {
  const cluster = await start(nightly);
  cluster.setBudgets(0);
  cluster.label(first);
  cluster.label(second);

  await cluster.to('01T12:10');
  expect(cluster.status(first)).toMatchObject({
    phase: 'Pending',
    waitingFor: {
      cause: 'OutsideWindow',
      owner: { kind: 'MaintenancePolicy', name: 'nightly' },
      message: 'policy nightly starts nothing before Mon 2026-06-01 22:00 Europe/Amsterdam, when its next window opens',
      unblock: `time, or \`drover run-now ${first}\``,
    },
    conditions: expect.arrayContaining([expect.objectContaining({ type: 'Blocked', status: 'False' })]),
  });
  // The wait is one timer: no pass is made meanwhile, and nothing is written or marked.
  const quiet = cluster.passes();
  const versions = [first, second].map((name) => cluster.node(name)?.metadata.resourceVersion);
  await cluster.to('01T19:59:59');
  expect(cluster.passes()).toBe(quiet);
  expect([first, second].map((name) => cluster.node(name)?.metadata.resourceVersion)).toEqual(versions);
  expect(cluster.node(first)?.spec).toEqual({});

  await cluster.to('01T20:00:10');
  expect(cluster.status(first)).toMatchObject({ phase: 'Draining', startedAt: '2026-06-01T20:00:00Z' });
  expect(cluster.decisions().map(({ waitingFor }) => waitingFor?.cause)).toEqual(['BudgetNeverAllows', 'MaxNodes']);
  const isMarked = () => cluster.node(second)?.spec?.taints?.some(({ key }) => key.startsWith('drover.dev/')) ?? false;
  expect(isMarked()).toBe(true);

  // It closes: that is the reason of the second now, and its mark goes. The first goes on.
  await cluster.to('01T20:05:05');
  expect(cluster.status(first)).toMatchObject({ phase: 'Draining' });
  expect(cluster.status(second)).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'OutsideWindow' } });
  expect(isMarked()).toBe(false);
  cluster.setBudgets(1);
  await cluster.to('01T20:15');
  expect(cluster.status(first)).toMatchObject({ phase: 'Drained' });
  expect(cluster.status(second)).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'OutsideWindow' } });

  await cluster.to('02T20:10');
  expect(cluster.status(second)).toMatchObject({ phase: 'Drained', startedAt: '2026-06-02T20:00:00Z' });
  await cluster.stop();
});

it('run-now starts a node outside the window, within all other limits', async () => {
  const cluster = await start(nightly);
  cluster.label(first);
  cluster.label(second);
  await cluster.to('01T12:10');
  cluster.setBudgets(0);
  cluster.runNow(first);
  cluster.runNow(second);
  await cluster.to('01T12:11');
  expect(cluster.status(first)).toMatchObject({ phase: 'Draining' });
  expect(cluster.status(second)).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'MaxNodes' } });
  cluster.setBudgets(1);
  await cluster.to('01T12:30');
  expect([first, second].map((name) => cluster.status(name).phase)).toEqual(['Drained', 'Drained']);
  await cluster.stop();
});

it('finishInside starts no second node when the first has shown that there is no time for it', async () => {
  const cluster = await start({ windows: [{ start: '20:00', end: '20:10' }], finishInside: true, expect: '1m' });
  cluster.label(first);
  cluster.label(second);
  cluster.setBudgets(0);
  await cluster.to('01T20:06');
  cluster.setBudgets(1);
  await cluster.to('01T20:09');
  // It took 6 of the 10 minutes.
  expect(cluster.status(first)).toMatchObject({ phase: 'Drained' });
  expect(cluster.status(second)).toMatchObject({
    phase: 'Pending',
    waitingFor: {
      cause: 'WindowTooShort',
      message: expect.stringMatching(
        /^the window of policy nightly closes Mon 2026-06-01 20:10 UTC and a drain may take 6m\d+s; one that is long enough opens Tue 2026-06-02 20:00 UTC$/,
      ),
    },
  });
  await cluster.to('02T20:05');
  expect(cluster.status(second)).toMatchObject({ phase: 'Drained' });
  await cluster.stop();
});
