import { describe, expect, it } from 'vitest';
import { aCordonedNode, aMaintenance, aNode, aPod, NOW, SECOND } from '../../test/builders.ts';
import type { Node } from '../api/objects.ts';
import type { Decision } from '../engine/decide.ts';
import { type KubeClient, KubeError, type KubeRequest } from '../kube/client.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { type Log, silentLog } from '../lib/log.ts';
import { createRegistry } from '../lib/metrics.ts';
import type { ConditionPatch } from './conditions.ts';
import type { EventSpec } from './events.ts';
import { createControllerMetrics } from './metrics.ts';
import { createObserver } from './observing.ts';
import { aDecision, everyBlocker } from './testing/decisions.ts';

/** An observer, and nodes that take its patches unless `refuse` says a code. */
function bench(...initial: Node[]) {
  const clock = createVirtualClock(NOW);
  const nodes = new Map(initial.map((node) => [node.name, node]));
  const told: EventSpec[] = [];
  const patches: KubeRequest[] = [];
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (message) => warnings.push(message) };
  const server = { refuse: 0, hang: false };
  const client: KubeClient = {
    server: 'https://test',
    json<T>(request: KubeRequest): Promise<T> {
      patches.push(request);
      if (server.hang) return new Promise(() => {});
      if (server.refuse > 0) return Promise.reject(new KubeError('refused', { code: server.refuse }));
      const node = nodes.get(request.path.split('/')[4] ?? '');
      const { conditions } = (request.body as { status: { conditions: ConditionPatch[] } }).status;
      if (node) nodes.set(node.name, patched(node, conditions));
      return Promise.resolve({} as T);
    },
    stream: () => Promise.reject(new Error('not used')),
    close: () => {},
  };
  const registry = createRegistry();
  const metrics = createControllerMetrics({
    registry,
    version: '1',
    startedAt: NOW,
    usage: () => ({ residentBytes: 0, cpuSeconds: 0 }),
  });
  const observer = createObserver({ client, clock, log, metrics, recorder: { record: (event) => told.push(event) } });
  const pass = async (...decisions: Decision[]) => {
    observer.passed(decisions, nodes, clock.now(), 1);
    await clock.advance(0);
  };
  const shown = (name = 'node-1') =>
    Object.fromEntries((nodes.get(name)?.conditions ?? []).map(({ type, status }) => [type, status]));
  return { clock, nodes, told, patches, warnings, server, observer, registry, pass, shown };
}

function patched(node: Node, changes: readonly ConditionPatch[]): Node {
  const rest = node.conditions.filter((each) => !changes.some((change) => change.type === each.type));
  const set = changes.flatMap((change) =>
    '$patch' in change ? [] : [{ type: change.type, status: change.status, reason: change.reason, lastTransition: NOW }],
  );
  return { ...node, resourceVersion: `${Number(node.resourceVersion) + 1}`, conditions: [...rest, ...set] };
}

const draining = aDecision('Draining');

describe('the observer', () => {
  it('follows an unhindered drain with two events and two patches, and the hand-back with one more of each', async () => {
    const { told, patches, observer, pass, shown } = bench(aCordonedNode());
    observer.leading(true);
    await pass(aDecision('Pending', 'Draining'));
    await pass(draining);
    await pass(aDecision('Draining', 'Settling'));
    await pass(aDecision('Settling', 'Drained'));
    await pass(aDecision('Drained'));
    expect(told.map((event) => event.reason)).toEqual(['Draining', 'Drained']);
    expect(patches).toHaveLength(2);
    expect(patches[0]).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/nodes/node-1/status',
      contentType: 'application/strategic-merge-patch+json',
    });
    await pass(aDecision('Drained', 'Undoing'));
    await pass(aDecision('Undoing', 'HandedBack', { state: { message: 'the reason no longer holds' } }));
    expect(told.map((event) => event.reason)).toEqual(['Draining', 'Drained', 'HandedBack']);
    expect(patches).toHaveLength(3);
    expect(shown()).toEqual({});
  });

  it('tells of a wait when its time comes, though nothing else happens', async () => {
    const { clock, told, observer, pass } = bench(aCordonedNode());
    observer.leading(true);
    await pass(aDecision('Draining', 'Draining', { waitingFor: everyBlocker.ProtectedPod }));
    await clock.advance(9 * SECOND);
    expect(told).toEqual([]);
    await clock.advance(2 * SECOND);
    expect(told.map((event) => event.reason)).toEqual(['Waiting']);
    await clock.advance(3_600 * SECOND);
    expect(told).toHaveLength(1);
  });

  it('does not tell a change of phase again when it only looks at the clock', async () => {
    const { clock, told, observer, pass } = bench(aCordonedNode());
    observer.leading(true);
    await pass(aDecision('Pending', 'Draining', { waitingFor: everyBlocker.ProtectedPod }));
    await clock.advance(60 * SECOND);
    expect(told.map((event) => event.reason)).toEqual(['Draining', 'Waiting']);
  });

  it('announces a queued node after ten seconds, by event and by condition', async () => {
    const { clock, told, observer, pass, shown } = bench(aNode());
    observer.leading(true);
    await pass(aDecision('Pending', 'Pending', { waitingFor: everyBlocker.MaxNodes }));
    await clock.advance(11 * SECOND);
    expect(told.map((event) => event.reason)).toEqual(['MaintenancePlanned']);
    expect(shown()).toEqual({ MaintenancePlanned: 'True' });
  });

  it('tries a refused patch again after a while, not in every pass', async () => {
    const { clock, patches, warnings, server, observer, pass, shown } = bench(aCordonedNode());
    observer.leading(true);
    server.refuse = 403;
    for (let index = 0; index < 5; index += 1) await pass(draining);
    expect(patches).toHaveLength(1);
    expect(warnings).toEqual(['cannot write the conditions of node node-1: refused']);
    server.refuse = 0;
    await clock.advance(11 * SECOND);
    expect(shown()).toEqual({ MaintenancePlanned: 'True', DrainInProgress: 'True' });
  });

  it('does not send a second patch of a node while the first hangs', async () => {
    const { clock, patches, server, observer, pass } = bench(aCordonedNode());
    observer.leading(true);
    server.hang = true;
    await pass(draining);
    await clock.advance(60 * SECOND);
    await pass(draining);
    expect(patches).toHaveLength(1);
  });

  it('has one patch of a node, and ten in all, on their way at a time', async () => {
    const all = Array.from({ length: 30 }, (_, index) => aCordonedNode('m-1', { name: `node-${index}` }));
    const { clock, patches, server, observer, pass } = bench(...all);
    observer.leading(true);
    server.hang = true;
    const decisions = all.map((node) => ({
      ...draining,
      maintenance: { ...aMaintenance({ nodeName: node.name }), state: draining.maintenance.state },
    }));
    await pass(...decisions);
    await pass(...decisions);
    await clock.advance(60 * SECOND);
    expect(new Set(patches.map((each) => each.path)).size).toBe(10);
    expect(patches).toHaveLength(10);
  });

  it('takes conditions off in the end even when the first try failed', async () => {
    const { clock, server, observer, pass, shown } = bench(aCordonedNode());
    observer.leading(true);
    await pass(draining);
    server.refuse = 500;
    await pass(aDecision('Undoing', 'HandedBack'));
    expect(shown()).not.toEqual({});
    server.refuse = 0;
    await clock.advance(30 * SECOND);
    expect(shown()).toEqual({});
  });

  it('takes off what a maintenance that was deleted has left behind, and touches no other node', async () => {
    const left = { type: 'Drained', status: 'True', reason: 'DroverDrainCompleted', lastTransition: 0 };
    const foreign = { type: 'Drained', status: 'True', reason: 'AdminRequested', lastTransition: 0 };
    const { patches, observer, pass, shown } = bench(
      aNode({ conditions: [left] }),
      aNode({ name: 'node-2', conditions: [foreign] }),
    );
    observer.leading(true);
    await pass();
    expect(shown('node-1')).toEqual({});
    expect(patches).toHaveLength(1);
  });

  it('leaves the conditions of a maintenance that goes on alone when it begins to lead', async () => {
    const { patches, observer, nodes, pass, shown } = bench(aCordonedNode());
    observer.leading(true);
    await pass(aDecision('Drained'));
    const before = shown();
    const next = bench(...nodes.values());
    next.observer.leading(true);
    await next.pass(aDecision('Drained'));
    expect(next.shown()).toEqual(before);
    expect([patches.length, next.patches.length]).toEqual([1, 0]);
  });

  it('writes nothing while another replica leads, and stops its timers', async () => {
    const { clock, told, patches, observer, pass } = bench(aCordonedNode());
    await pass(draining);
    observer.leading(true);
    await pass(aDecision('Draining', 'Draining', { waitingFor: everyBlocker.ProtectedPod }));
    observer.leading(false);
    expect(clock.next()).toBeUndefined();
    await pass(aDecision('Settling', 'Drained'));
    expect(told).toEqual([]);
    expect(patches).toHaveLength(1);
  });

  it('passes answers on to metrics and events', () => {
    const { told, observer, registry } = bench();
    observer.answered(aMaintenance(), { do: 'Evict', pod: aPod() }, 'Done', '', NOW);
    observer.answered(aMaintenance(), { do: 'Delete', pod: aPod(), because: 'the ladder' }, 'Done', '', NOW);
    observer.watchRestarted('nodes');
    expect(told.map((event) => event.reason)).toEqual(['ForcedDelete']);
    expect(registry.metrics()).toContain('drover_evictions_total{answer="Done"} 1\n');
    expect(registry.metrics()).toContain('drover_watch_restarts_total{watch="nodes"} 1\n');
  });
});
