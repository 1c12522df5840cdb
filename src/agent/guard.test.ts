import { describe, expect, it } from 'vitest';
import { annotations } from '../api/names.ts';
import { runDrain } from '../controller/run-drain.ts';
import { cordonPatch } from '../engine/journal.ts';
import { defaultDrainSettings } from '../engine/settings.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { nodes } from '../kube/kinds.ts';
import { silentLog } from '../lib/log.ts';
import { createInProcessClient } from '../sim/apiserver/in-process.ts';
import type { AgentOptions } from './agent.ts';
import { type AgentBed, NODE, openAgentBed, preempt } from './testing/agent-bed.ts';

const SECOND = 1_000;
const shop = { workloads: [{ name: 'shop', replicas: 3, pool: 'web' }] };

const budget = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'shop', namespace: 'default' },
  spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'shop' } } },
};

/** The real engine, as src/main wires it. */
function drainWith(bed: AgentBed): AgentOptions['drain'] {
  const client: KubeClient = createInProcessClient({ handle: bed.cluster.handle, clock: bed.clock, userAgent: 'agent' });
  return async ({ by, reason, goneAt, signal }) => {
    const { ok, nodes } = await runDrain({
      client,
      clock: bed.clock,
      log: silentLog,
      random: () => 0.5,
      nodes: [NODE],
      settings: {
        ...defaultDrainSettings,
        handover: 'Never',
        barePods: 'Evict',
        emptyForMs: 0,
        settleTimeoutMs: null,
        waitForVolumes: false,
      },
      parallel: 1,
      by,
      reason,
      goneAt,
      timeoutMs: null,
      signal,
      onReport: () => {},
    });
    return { ok, message: nodes[0]?.message ?? '' };
  };
}

const journalOf = (bed: AgentBed) => {
  const text = bed.node().metadata.annotations?.[annotations.maintenance];
  return text === undefined ? null : JSON.parse(text);
};
const spec = (bed: AgentBed) => ({ unschedulable: bed.node().spec.unschedulable, taints: bed.node().spec.taints });
const steps = (bed: AgentBed) =>
  [...bed.metrics().matchAll(/self_drain_steps_total\{step="(\w+)"\} 1/g)].map((match) => match[1]);
const mine = 'agent:drover/web-1';

/** What the controller does when it takes a node, with all its checks. */
function takeOver(bed: AgentBed, by = 'spot-abc'): void {
  const node = nodes.decodeJson(bed.node());
  if (!node) throw new Error('no node');
  const request = { by, reason: 'r', reasonType: 'Condition', now: bed.clock.now(), excludeFromLoadBalancers: false };
  bed.ask('PATCH', `/api/v1/nodes/${NODE}`, cordonPatch(node, 'Cordoned', request));
}

describe('the guard', () => {
  it('cordons its node at once, waits two seconds, drains it, and gives it back when the notice is withdrawn', async () => {
    const bed = openAgentBed(shop);
    await bed.clock.advance(30 * SECOND);
    const before = spec(bed);
    expect(bed.podsOn()).not.toEqual([]);
    const agent = bed.start({ drain: drainWith(bed) });
    await bed.clock.advance(1_500);
    bed.cloud.signals = [preempt(120 * SECOND)];
    await bed.clock.advance(600);
    expect(journalOf(bed)).toBeNull();
    // Now it leaves 60 s.
    await bed.clock.advance(28 * SECOND);
    expect(journalOf(bed)).toMatchObject({ by: mine, stage: 'Cordoned', undo: { unschedulable: false } });
    expect(bed.node().spec).toMatchObject({
      unschedulable: true,
      taints: expect.arrayContaining([expect.objectContaining({ key: 'drover.dev/maintenance', value: 'SpotInterruption' })]),
    });
    expect(bed.podsOn()).not.toEqual([]);
    await bed.clock.advance(60 * SECOND);
    expect(bed.podsOn()).toEqual([]);
    expect(steps(bed)).toEqual(['Cordoned', 'Drained']);
    bed.cloud.failure = 'the service is gone, too';
    await bed.clock.advance(60 * SECOND);
    expect(bed.node().spec.unschedulable, 'a source that fails withdraws nothing').toBe(true);
    bed.cloud.failure = null;
    bed.cloud.signals = [];
    await bed.clock.advance(60 * SECOND);
    expect([journalOf(bed), spec(bed)]).toEqual([null, before]);
    expect(steps(bed)).toEqual(['Cordoned', 'Drained', 'HandedBack']);
    await agent.stop();
  });

  it('leaves a node to the controller that has it already', async () => {
    const bed = openAgentBed(shop);
    await bed.clock.advance(SECOND);
    takeOver(bed);
    const taken = journalOf(bed);
    bed.cloud.signals = [preempt(30 * SECOND)];
    const agent = bed.start();
    await bed.clock.advance(60 * SECOND);
    expect(journalOf(bed)).toEqual(taken);
    expect(steps(bed)).toEqual(['LetGo']);
    await agent.stop();
  });

  it('leaves a node to the controller that takes it within two seconds, and never gives back what is not its own', async () => {
    const bed = openAgentBed(shop);
    await bed.clock.advance(SECOND);
    bed.cloud.signals = [preempt(30 * SECOND)];
    const agent = bed.start();
    await bed.clock.advance(1_000);
    expect(journalOf(bed)).toMatchObject({ by: mine });
    takeOver(bed);
    expect(journalOf(bed)).toMatchObject({ by: 'spot-abc', undo: { unschedulable: false } });
    await bed.clock.advance(5_000);
    expect(steps(bed)).toEqual(['Cordoned', 'LetGo']);
    bed.cloud.signals = [];
    await bed.clock.advance(30 * SECOND);
    expect(journalOf(bed)).toMatchObject({ by: 'spot-abc' });
    await agent.stop();
  });

  it('lets go in the middle of its drain when a person drains the node', async () => {
    const bed = openAgentBed({ ...shop, objects: [budget] });
    await bed.clock.advance(30 * SECOND);
    bed.cloud.signals = [preempt(80 * SECOND)];
    const agent = bed.start({ drain: drainWith(bed) });
    await bed.clock.advance(5 * SECOND);
    expect(journalOf(bed)).toMatchObject({ by: mine });
    takeOver(bed, 'cli:ann@desk/web-1');
    await bed.clock.advance(30 * SECOND);
    expect(journalOf(bed)).toMatchObject({ by: 'cli:ann@desk/web-1' });
    expect(bed.log.at(-1)).toBe('not drained: NodeMaintenance cli:ann@desk/web-1 has taken the node over');
    await agent.stop();
  });

  it('does not act on a notice that only stands on the node, from the life before', async () => {
    const bed = openAgentBed(shop);
    await bed.clock.advance(SECOND);
    bed.cloud.signals = [preempt(3_600 * SECOND)];
    const first = bed.start();
    await bed.clock.advance(5 * SECOND);
    await first.stop();
    await bed.clock.advance(7_200 * SECOND);
    expect(bed.node().metadata.annotations[annotations.signals]).toContain('preempt-1');
    bed.cloud.failure = 'not up yet';
    const second = bed.start();
    await bed.clock.advance(60 * SECOND);
    bed.cloud.failure = null;
    bed.cloud.signals = [];
    await bed.clock.advance(60 * SECOND);
    expect([journalOf(bed), steps(bed)]).toEqual([null, []]);
    await second.stop();
  });

  it('leaves a node alone that somebody has opened again', async () => {
    const bed = openAgentBed(shop);
    await bed.clock.advance(SECOND);
    bed.cloud.signals = [preempt(30 * SECOND)];
    const agent = bed.start();
    await bed.clock.advance(1_000);
    bed.ask('PATCH', `/api/v1/nodes/${NODE}`, { spec: { unschedulable: null } });
    await bed.clock.advance(10 * SECOND);
    expect(bed.node().spec.unschedulable).toBeUndefined();
    expect(steps(bed)).toEqual(['Cordoned', 'LetGo']);
    await agent.stop();
  });

  it('keeps the cordon of a person when it gives the node back', async () => {
    const bed = openAgentBed();
    bed.ask('PATCH', `/api/v1/nodes/${NODE}`, { spec: { unschedulable: true } });
    await bed.clock.advance(SECOND);
    bed.cloud.signals = [preempt(30 * SECOND)];
    const agent = bed.start({ selfDrain: { mode: 'Cordon', kinds: ['SpotInterruption'], withinMs: 60_000, patienceMs: 0 } });
    await bed.clock.advance(5 * SECOND);
    expect(journalOf(bed)).toMatchObject({ by: mine, undo: { unschedulable: true } });
    bed.cloud.signals = [];
    await bed.clock.advance(5 * SECOND);
    expect([journalOf(bed), bed.node().spec.unschedulable]).toEqual([null, true]);
    await agent.stop();
  });

  it.each([
    ['on kinds that it is not told to act on', preempt(30 * SECOND, { kind: 'Freeze' }), {}],
    ['on a notice without an end', { ...preempt(0), goneAt: undefined }, {}],
    ['when it is told never to', preempt(30 * SECOND), { mode: 'Never' as const }],
  ])('does nothing %s', async (_, { goneAt, ...signal }, change) => {
    const bed = openAgentBed();
    bed.cloud.signals = [{ ...signal, ...(goneAt !== undefined && { goneAt }) }];
    const agent = bed.start({
      selfDrain: { mode: 'Drain', kinds: ['SpotInterruption'], withinMs: 60_000, patienceMs: 0, ...change },
    });
    await bed.clock.advance(60 * SECOND);
    expect([journalOf(bed), steps(bed)]).toEqual([null, []]);
    await agent.stop();
  });

  it('goes on after a restart with what it had begun, and gives back what is not wanted any more', async () => {
    const bed = openAgentBed(shop);
    await bed.clock.advance(30 * SECOND);
    bed.cloud.signals = [preempt(80 * SECOND)];
    const first = bed.start();
    await bed.clock.advance(500);
    await first.stop();
    expect([journalOf(bed)?.by, bed.podsOn().length > 0]).toEqual([mine, true]);
    const second = bed.start({ drain: drainWith(bed) });
    await bed.clock.advance(60 * SECOND);
    expect([journalOf(bed)?.by, bed.podsOn()]).toEqual([mine, []]);
    await second.stop();
    bed.cloud.signals = [];
    const third = bed.start();
    await bed.clock.advance(10 * SECOND);
    expect([journalOf(bed), bed.node().spec.unschedulable]).toEqual([null, undefined]);
    await third.stop();
  });

  it('cordons again and again until it is answered, and tries a drain that failed anew', async () => {
    const bed = openAgentBed(shop);
    await bed.clock.advance(30 * SECOND);
    let refusals = 0;
    bed.refuse = ({ method, path }) =>
      method === 'PATCH' && !path.endsWith('/status') && ++refusals < 5
        ? new KubeError('the server is down', { code: 503 })
        : undefined;
    let drains = 0;
    bed.cloud.signals = [preempt(80 * SECOND)];
    const agent = bed.start({
      drain: () => (++drains < 3 ? Promise.reject(new Error('no')) : Promise.resolve({ ok: true, message: '' })),
    });
    await bed.clock.advance(2_500);
    expect([journalOf(bed)?.by, refusals]).toEqual([mine, 5]);
    await bed.clock.advance(30 * SECOND);
    expect([drains, bed.log.filter((line) => line === 'the agent could not act: no').length]).toEqual([3, 2]);
    expect(bed.metrics()).toContain('drover_agent_self_drain_steps_total{step="Drained"} 1');
    await agent.stop();
  });

  it('stops a drain whose notice is withdrawn in the middle', async () => {
    const bed = openAgentBed({ ...shop, objects: [budget] });
    await bed.clock.advance(30 * SECOND);
    const pods = bed.podsOn();
    const agent = bed.start({ drain: drainWith(bed) });
    bed.cloud.signals = [preempt(80 * SECOND)];
    await bed.clock.advance(3_200);
    bed.cloud.signals = [];
    await bed.clock.advance(20 * SECOND);
    expect([journalOf(bed), bed.node().spec.unschedulable]).toEqual([null, undefined]);
    expect(pods.length).toBeGreaterThan(0);
    await agent.stop();
  });
});
