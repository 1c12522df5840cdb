/** Reboots from the label to the node that is back: the whole controller on a simulated cluster, in virtual time. */
import { noClusterLimits } from '../engine/admission.ts';
import { describe, expect, it } from 'vitest';
import { planCluster } from '../../bench/plan-cluster.ts';
import { GROUP_VERSION } from '../api/names.ts';
import type { MaintenancePolicyInput, NodeMaintenance } from '../api/resources.ts';
import { installDrover } from '../cli/drover-in-simulation.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { createInProcessClient } from '../sim/apiserver/in-process.ts';
import { jobs, nodes as nodeKind, pods as podKind } from '../sim/apiserver/kinds.ts';
import { createSimulatedCluster } from '../sim/cluster.ts';
import type { Pod } from '../sim/kubernetes.ts';
import { createSeededRandom } from '../sim/seeded-random.ts';
import { runController } from './controller.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const NOON = Date.parse('2026-06-01T12:00:00Z');
const SCALE_DOWN = 'cluster-autoscaler.kubernetes.io/scale-down-disabled';
const [first, second] = ['node-00000', 'node-00001'] as const;

type Spec = Partial<MaintenancePolicyInput['spec']>;

/** Six nodes at noon, a policy that reboots what is labelled, and a record of every boot and every phase. */
async function start(spec: Spec = {}) {
  const clock = createVirtualClock(NOON);
  const cluster = createSimulatedCluster({
    clock,
    seed: 7,
    without: ['autoscaler'],
    kubelets: { reboot: { least: 40_000, spread: 0 } },
  });
  const { api } = cluster;
  const kinds = installDrover(api);
  api.load(planCluster({ nodes: 6, podsPerNode: 5 }).objects);
  api.create(kinds.policies, {
    apiVersion: GROUP_VERSION,
    kind: 'MaintenancePolicy',
    metadata: { name: 'kernels' },
    spec: {
      nodeSelector: { matchLabels: { pool: 'all' } },
      reasons: [{ type: 'Label', label: { key: 'reboot' } }],
      action: 'Reboot',
      drain: { handover: 'Never' },
      ...spec,
    },
  });
  const boots: string[] = [];
  const phases: string[] = [];
  const out = new Set<string>();
  let mostOut = 0;
  let asked = 0;
  api.watch(nodeKind, ({ object, previous }) => {
    const { name } = object.metadata;
    const [before, after] = [previous, object].map((node) => node?.status?.nodeInfo?.['bootID']);
    if (before !== undefined && after !== before) boots.push(name);
    if (object.spec.unschedulable) out.add(name);
    else out.delete(name);
    mostOut = Math.max(mostOut, out.size);
  });
  api.watch(podKind, ({ type, object }) => {
    if (type === 'ADDED' && object.metadata.labels?.['drover.dev/action'] === 'reboot') asked += 1;
  });
  api.watch(kinds.maintenances, ({ object, previous }) => {
    const phase = object.status?.phase;
    if (phase !== undefined && phase !== previous?.status?.phase) phases.push(`${object.spec.nodeName} ${phase}`);
  });
  const lead = () =>
    runController({
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
    });
  let controller = lead();
  await clock.run({ until: NOON + 10 * SECOND });
  await controller.ready;
  const of = (node: string): NodeMaintenance | undefined =>
    api.list(kinds.maintenances).find((each) => each.spec.nodeName === node);
  const label = (node: string, value?: string) =>
    api.modify(nodeKind, '', node, (object) => {
      const { reboot: _, ...labels } = object.metadata.labels ?? {};
      return { ...object, metadata: { ...object.metadata, labels: value === undefined ? labels : { ...labels, reboot: value } } };
    });
  const pass = async (ms: number) => clock.run({ until: clock.now() + ms });
  /** In steps of a second, until it holds. */
  const until = async (what: string, holds: () => boolean, atMost = 30 * MINUTE) => {
    const end = clock.now() + atMost;
    while (!holds()) {
      if (clock.now() > end) throw new Error(`not within ${atMost / MINUTE} min: ${what}; ${JSON.stringify(of(first)?.status)}`);
      await pass(SECOND);
    }
  };
  const reach = (node: string, phase: string) => until(`${node} ${phase}`, () => of(node)?.status?.phase === phase);
  const rebootPods = (): Pod[] => api.list(podKind).filter(({ metadata }) => metadata.labels?.['drover.dev/action'] === 'reboot');
  return {
    api,
    cluster,
    clock,
    boots,
    phases,
    mostOut: () => mostOut,
    asked: () => asked,
    label,
    pass,
    until,
    reach,
    rebootPods,
    of,
    node: (name: string) => api.get(nodeKind, '', name),
    status: (node: string) => of(node)?.status ?? {},
    cancel(node: string) {
      api.modify(kinds.maintenances, '', of(node)?.metadata.name ?? '', (each) => ({
        ...each,
        spec: { ...each.spec, cancelled: true },
      }));
    },
    async restart() {
      await Promise.all([controller.stop(), pass(MINUTE / 60)]);
      controller = lead();
    },
    async stop() {
      await Promise.all([controller.stop(), pass(MINUTE)]);
      cluster.stop();
    },
  };
}

describe('a policy with action Reboot', () => {
  it('drains, reboots, verifies and hands back one node after the other, each with one reboot', async () => {
    const it = await start();
    for (const name of [first, second]) it.label(name, 'now');
    for (const name of [first, second]) await it.reach(name, 'HandedBack');
    await it.pass(10 * MINUTE);
    expect(it.boots).toEqual([first, second]);
    expect([it.asked(), it.mostOut()]).toEqual([2, 1]);
    expect(it.phases.filter((each) => each.startsWith(first))).toEqual(
      ['Pending', 'Draining', 'Settling', 'Rebooting', 'Verifying', 'Undoing', 'HandedBack']
        .map((phase) => `${first} ${phase}`)
        .filter((each) => it.phases.includes(each)),
    );
    expect(it.phases).toEqual(expect.arrayContaining([`${first} Rebooting`, `${first} Verifying`]));
    const { action, message } = it.status(first);
    expect(message).toBe('rebooted and verified');
    expect(action).toMatchObject({ attempt: 1, failures: 0, pod: `default/drover-reboot-${it.of(first)?.metadata.uid}-1` });
    expect(action?.bootIdAfter).toBe(it.node(first)?.status?.nodeInfo?.['bootID']);
    expect(action?.bootIdBefore).not.toBe(action?.bootIdAfter);
    expect(it.node(first)?.spec.unschedulable).toBeUndefined();
    expect(Object.keys(it.node(first)?.metadata.annotations ?? {})).not.toEqual(expect.arrayContaining([SCALE_DOWN]));
    await it.stop();
  });

  it('writes the boot id before into the status before it creates the pod, and keeps the autoscaler away meanwhile', async () => {
    const it = await start({ reboot: { delayBefore: '30s' } });
    it.label(first, 'now');
    await it.until('the wait', () => it.status(first).waitingFor?.cause === 'RebootDelay');
    expect(it.rebootPods()).toEqual([]);
    expect(it.status(first).action?.bootIdBefore).toBe(it.node(first)?.status?.nodeInfo?.['bootID']);
    expect(it.node(first)?.metadata.annotations?.[SCALE_DOWN]).toBe('true');
    await it.until('the pod', () => it.rebootPods().length === 1);
    const [pod] = it.rebootPods();
    expect(pod?.metadata).toMatchObject({
      name: it.status(first).action?.pod?.split('/')[1],
      ownerReferences: [{ kind: 'NodeMaintenance', uid: it.of(first)?.metadata.uid, controller: true }],
    });
    expect(pod?.spec).toMatchObject({ nodeName: first, restartPolicy: 'Never', activeDeadlineSeconds: 900, hostPID: true });
    expect(pod?.spec.containers[0]?.command).toEqual(expect.arrayContaining([it.status(first).action?.bootIdBefore, 'reboot']));
    await it.stop();
  });

  it('does not take a reason that clears by the reboot for one that is no longer wanted', async () => {
    const it = await start();
    it.label(first, 'now');
    await it.until('the pod', () => it.rebootPods().length === 1);
    it.label(first);
    await it.reach(first, 'HandedBack');
    expect(it.phases).toContain(`${first} Verifying`);
    expect(it.status(first).message).toBe('rebooted and verified');
    await it.stop();
  });

  it('gives up without a reboot when the reason goes before the pod is there', async () => {
    const it = await start({ reboot: { delayBefore: '2m' } });
    it.label(first, 'now');
    await it.reach(first, 'Rebooting');
    it.label(first);
    await it.reach(first, 'Cancelled');
    await it.pass(10 * MINUTE);
    expect([it.boots, it.asked()]).toEqual([[], 0]);
    expect(it.node(first)?.spec.unschedulable).toBeUndefined();
    await it.stop();
  });

  it('waits for the end of the reboot when it is cancelled after the pod is there', async () => {
    const it = await start();
    it.label(first, 'now');
    await it.until('the reboot', () => it.cluster.kubelets?.powerOf(first) === 'off');
    it.cancel(first);
    await it.pass(20 * SECOND);
    expect(it.node(first)?.spec.unschedulable).toBe(true);
    await it.reach(first, 'HandedBack');
    expect(it.boots).toEqual([first]);
    await it.stop();
  });

  it('goes on with the next controller, and asks for no second reboot', async () => {
    const it = await start();
    it.label(first, 'now');
    await it.reach(first, 'Rebooting');
    for (let i = 0; i < 20; i += 1) {
      await it.restart();
      await it.pass(3 * SECOND);
    }
    await it.reach(first, 'HandedBack');
    expect([it.boots, it.asked()]).toEqual([[first], 1]);
    await it.stop();
  });

  it('takes a reboot by somebody else for the one that was asked for', async () => {
    const it = await start({ reboot: { delayBefore: '5m' } });
    it.label(first, 'now');
    await it.reach(first, 'Rebooting');
    it.cluster.kubelets?.reboot(first);
    await it.reach(first, 'HandedBack');
    expect([it.boots, it.asked()]).toEqual([[first], 0]);
    await it.stop();
  });

  it('leaves a node that does not come back cordoned, begins no other, and hands it back when a person cancels and it is Ready', async () => {
    const it = await start({ reboot: { timeout: '2m' } });
    for (const name of [first, second]) it.label(name, 'now');
    await it.until('the reboot', () => it.cluster.kubelets?.powerOf(first) === 'off');
    it.cluster.kubelets?.stopNode(first);
    await it.reach(first, 'ActionFailed');
    await it.pass(30 * MINUTE);
    expect(it.status(first)).toMatchObject({
      phase: 'ActionFailed',
      waitingFor: { cause: 'RebootFailed', message: expect.stringContaining('no new boot id within 2 min (attempt 1)') },
      action: { failure: { cause: 'RebootFailed' } },
    });
    expect(it.node(first)?.spec.unschedulable).toBe(true);
    expect(it.status(second)).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'MaxNodes' } });
    it.cancel(first);
    await it.pass(5 * MINUTE);
    expect(it.node(first)?.spec.unschedulable).toBe(true);
    expect(it.status(first).waitingFor?.cause).toMatch(/NotReadyYet|StoppingReboot/);
    it.cluster.kubelets?.startNode(first);
    await it.reach(first, 'Failed');
    expect(it.node(first)?.spec.unschedulable).toBeUndefined();
    expect(it.boots).toEqual([first]);
    await it.stop();
  });

  it('waits for the DaemonSets of the node and a required condition before it hands back', async () => {
    const it = await start({ verify: { requiredConditions: [{ type: 'Storage' }], healthyFor: '20s', readyTimeout: '30m' } });
    it.label(first, 'now');
    await it.until('the wait', () => it.status(first).waitingFor?.cause === 'ConditionMissing');
    const storage = { type: 'Storage', status: 'True' as const, lastTransitionTime: new Date(it.clock.now()).toISOString() };
    it.api.modify(
      nodeKind,
      '',
      first,
      (node) => ({ ...node, status: { ...node.status, conditions: [...(node.status?.conditions ?? []), storage] } }),
      { subresource: 'status' },
    );
    await it.until('the wait', () => it.status(first).waitingFor?.cause === 'HealthyFor');
    const since = it.clock.now();
    await it.reach(first, 'HandedBack');
    expect(it.clock.now() - since).toBeGreaterThanOrEqual(15 * SECOND);
    await it.stop();
  });

  it('says that a node is not verified in time, and why', async () => {
    const it = await start({ verify: { requiredConditions: [{ type: 'Storage' }], readyTimeout: '1m' } });
    it.label(first, 'now');
    await it.reach(first, 'ActionFailed');
    expect(it.status(first).waitingFor).toMatchObject({
      cause: 'VerifyFailed',
      message: 'not verified in time: its condition Storage is not True yet; the node stays cordoned',
    });
    await it.stop();
  });
});

const job = (command: string) => ({
  spec: {
    backoffLimit: 0,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'hook', image: 'hook:1', command: [command] }] } },
  },
});
const annotated = (annotations: Record<string, string>) => {
  const { spec } = job('true');
  return { spec: { ...spec, template: { metadata: { annotations }, spec: spec.template.spec } } };
};
const succeeds = annotated({ 'sim.drover.dev/run-for': '5s' });
const fails = annotated({ 'sim.drover.dev/crash-after': '5s' });

describe('hooks', () => {
  it('run once each, before the reboot and after the verification, with the node in their environment', async () => {
    const it = await start({ hooks: { before: { template: succeeds }, after: { template: succeeds } } });
    it.label(first, 'now');
    await it.reach(first, 'HandedBack');
    const made = it.api.list(jobs);
    expect(made).toHaveLength(2);
    expect(new Set(made.map(({ metadata }) => metadata.labels?.['drover.dev/action']))).toEqual(new Set(['after', 'before']));
    expect(made[0]?.spec.template.spec.containers[0]).toMatchObject({
      env: expect.arrayContaining([{ name: 'DROVER_NODE', value: first }]),
    });
    const order = ['BeforeHook', 'Rebooting', 'Verifying', 'AfterHook'].map((phase) => it.phases.indexOf(`${first} ${phase}`));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
    expect(it.boots).toEqual([first]);
    await it.stop();
  });

  it('stop the maintenance where they fail, with the node cordoned and not rebooted', async () => {
    const it = await start({ hooks: { before: { template: fails } } });
    it.label(first, 'now');
    await it.reach(first, 'ActionFailed');
    await it.pass(10 * MINUTE);
    expect(it.status(first).waitingFor?.cause).toBe('HookFailed');
    expect([it.boots, it.asked(), it.node(first)?.spec.unschedulable]).toEqual([[], 0, true]);
    it.cancel(first);
    await it.reach(first, 'Failed');
    expect(it.node(first)?.spec.unschedulable).toBeUndefined();
    await it.stop();
  });

  it('do not stop it where the policy says Continue', async () => {
    const it = await start({ hooks: { before: { template: fails, onFailure: 'Continue' } } });
    it.label(first, 'now');
    await it.reach(first, 'HandedBack');
    expect(it.boots).toEqual([first]);
    await it.stop();
  });

  it('are what action Hook does, with the node verified and handed back', async () => {
    const it = await start({ action: 'Hook', hooks: { before: { template: succeeds, onNode: true } } });
    it.label(first, 'now');
    await it.reach(first, 'HandedBack');
    expect(it.boots).toEqual([]);
    expect(it.phases).toEqual(expect.arrayContaining([`${first} BeforeHook`, `${first} Verifying`]));
    await it.stop();
  });
});

describe('a policy with action Delete', () => {
  it('deletes the Node when it is empty, once, and ends', async () => {
    const it = await start({ action: 'Delete' });
    it.label(first, 'now');
    await it.until('the end', () => it.status(first).finishedAt !== undefined);
    expect(it.node(first)).toBeUndefined();
    expect(it.status(first)).toMatchObject({ phase: 'Drained', message: `node ${first} was deleted` });
    await it.stop();
  });
});
