import { describe, expect, it } from 'vitest';
import { NOW } from '../../test/builders.ts';
import { createFakeClient, type RawObject, refusal, settled } from '../../test/fake-client.ts';
import { rawPod } from '../../test/raw-objects.ts';
import { noGateNeeds } from '../engine/gates/gate.ts';
import type { Needs } from '../engine/world.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { openCaches } from './caches.ts';

const needing = (
  needs: Partial<{
    podsOf: string[];
    namespaces: string[];
    workloads: string[];
    attachments: boolean;
    rebootPods: string[];
    hookJobs: string[];
  }> = {},
): Needs => ({
  podsOf: new Set(needs.podsOf),
  namespaces: new Set(needs.namespaces),
  workloads: new Set(needs.workloads),
  attachments: needs.attachments ?? false,
  rebootPods: new Set(needs.rebootPods),
  hookJobs: new Set(needs.hookJobs),
  gates: noGateNeeds(),
});

const budget = (name: string, disrupted: readonly string[] = []): RawObject => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: 'shop', generation: 1 },
  spec: { selector: { matchLabels: { app: 'web' } }, maxUnavailable: 1 },
  status: {
    observedGeneration: 1,
    disruptionsAllowed: 1,
    currentHealthy: 2,
    desiredHealthy: 1,
    expectedPods: 2,
    disruptedPods: Object.fromEntries(disrupted.map((pod) => [pod, '2026-01-01T12:00:00Z'])),
  },
});

const replicaSet: RawObject = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { replicas: 1, selector: { matchLabels: { app: 'web' } } },
};

async function start(...objects: readonly RawObject[]) {
  const client = createFakeClient(objects);
  const clock = createVirtualClock(NOW);
  const seen = { changes: 0, pods: [] as string[], budgets: [] as string[] };
  const caches = openCaches({
    client,
    clock,
    log: silentLog,
    random: () => 0.5,
    consistency: 'Any',
    onChange: () => void (seen.changes += 1),
    onPod: (nodeName, { type, object }) => void seen.pods.push(`${type} ${nodeName}/${object.name}`),
    onBudget: ({ name, disruptedPods }) => void seen.budgets.push([name, ...disruptedPods].join(' ')),
  });
  await settled();
  const provide = async (needs: Needs, ms = 0) => {
    await clock.advance(ms);
    caches.provide(needs);
    await settled();
  };
  return { client, clock, caches, seen, provide };
}

describe('the caches', () => {
  it('watch the budgets from the start, and nothing else', async () => {
    const { client, caches, seen } = await start(budget('web'));
    expect(client.log).toEqual(['WATCH /apis/policy/v1/poddisruptionbudgets']);
    expect([...(caches.budgets?.in('shop') ?? [])].map(({ name }) => name)).toEqual(['web']);
    expect(caches.open).toBe(1);
    client.put(budget('web', ['web-1']));
    await settled();
    expect(seen.budgets.at(-1)).toBe('web web-1');
  });

  it('know nothing before the first read, and tell when they do', async () => {
    const { caches, seen, provide } = await start();
    const before = seen.changes;
    caches.provide(needing({ podsOf: ['node-1'], workloads: ['shop'], attachments: true }));
    expect([caches.podsOn('node-1'), caches.workloads('shop'), caches.attachmentsOf('node-1')]).toEqual([null, null, null]);
    await settled();
    expect(seen.changes).toBeGreaterThan(before);
    expect([caches.podsOn('node-1'), caches.attachmentsOf('node-1')]).toEqual([[], []]);
    await provide(needing());
    expect(caches.podsOn('node-2')).toBeNull();
  });

  it('watch the pods of a node only, once, however often they are asked for', async () => {
    const { client, caches, provide } = await start(rawPod('a'), rawPod('b', { nodeName: 'node-2' }));
    await provide(needing({ podsOf: ['node-1'] }));
    await provide(needing({ podsOf: ['node-1'] }));
    expect(client.log.filter((line) => line.includes('/pods'))).toEqual(['WATCH /api/v1/pods?spec.nodeName=node-1']);
    expect(caches.podsOn('node-1')?.map(({ name }) => name)).toEqual(['a']);
  });

  it('tell of every change of a pod, with the last state of one that is gone', async () => {
    const { client, caches, seen, provide } = await start(rawPod('a'));
    await provide(needing({ podsOf: ['node-1'] }));
    client.put(rawPod('b'));
    client.remove('/api/v1/namespaces/shop/pods/a');
    await settled();
    expect(seen.pods).toEqual(['Added node-1/a', 'Added node-1/b', 'Deleted node-1/a']);
    expect(caches.podsOn('node-1')?.map(({ name }) => name)).toEqual(['b']);
  });

  it('hand out the same list until something changes', async () => {
    const { client, caches, provide } = await start(rawPod('a'));
    await provide(needing({ podsOf: ['node-1'] }));
    const first = caches.podsOn('node-1');
    expect(caches.podsOn('node-1')).toBe(first);
    client.put(rawPod('a', { metadata: { labels: { app: 'other' } } }));
    await settled();
    expect(caches.podsOn('node-1')).not.toBe(first);
  });

  it('close what nobody has asked for in half a minute, and open it anew when it is', async () => {
    const { client, caches, provide } = await start(rawPod('a'));
    await provide(needing({ podsOf: ['node-1'], workloads: ['shop'], attachments: true }));
    expect(caches.open).toBe(5);
    await provide(needing(), 30_000);
    expect(caches.open).toBe(5);
    await provide(needing(), 1);
    expect(caches.open).toBe(1);
    expect(caches.podsOn('node-1')).toBeNull();
    await provide(needing({ podsOf: ['node-1'] }));
    expect(client.log.filter((line) => line.includes('nodeName=node-1'))).toHaveLength(2);
    expect(caches.podsOn('node-1')).toHaveLength(1);
  });
});

describe('the workloads of a namespace', () => {
  it('are its pods and ReplicaSets; the rest is read only when something is handed over', async () => {
    const { client, caches, provide } = await start(rawPod('a'), replicaSet);
    await provide(needing({ workloads: ['shop'] }));
    expect([...(caches.workloads('shop')?.pods ?? [])]).toHaveLength(1);
    expect(caches.workloads('shop')?.replicaSets.get('uid-web')).toMatchObject({ uid: 'uid-web' });
    expect(caches.namespace('shop')).toBeNull();
    expect(client.log.some((line) => line.includes('/services'))).toBe(false);
    await provide(needing({ namespaces: ['shop'] }));
    expect(caches.namespace('shop')).toMatchObject({ services: [], endpointSlices: [], labelUses: [] });
    expect(caches.namespace('shop')?.pods).toBe(caches.workloads('shop')?.pods);
  });

  it('keep their identity until something in them changes', async () => {
    const { client, caches, provide } = await start(rawPod('a'), replicaSet);
    await provide(needing({ namespaces: ['shop'] }));
    const [workloads, view] = [caches.workloads('shop'), caches.namespace('shop')];
    expect(caches.workloads('shop')).toBe(workloads);
    expect(caches.namespace('shop')).toBe(view);
    client.put({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { selector: { app: 'web' } },
    });
    await settled();
    expect(caches.workloads('shop')).toBe(workloads);
    expect(caches.namespace('shop')).not.toBe(view);
    expect(caches.namespace('shop')?.services).toHaveLength(1);
  });

  it('read what changes rarely again after a minute, and no sooner', async () => {
    const { client, provide } = await start();
    const reads = () => client.log.filter((line) => line.includes('/deployments')).length;
    await provide(needing({ namespaces: ['shop'] }));
    await provide(needing({ namespaces: ['shop'] }), 20_000);
    await provide(needing({ namespaces: ['shop'] }), 20_000);
    expect(reads()).toBe(1);
    await provide(needing({ namespaces: ['shop'] }), 20_000);
    expect(reads()).toBe(2);
  });

  it('do not begin a second read beside one that is refused', async () => {
    const { client, caches, clock, provide } = await start();
    client.handle(({ path }) => {
      if (path.includes('/networkpolicies')) throw refusal(403, 'Forbidden');
      return undefined;
    });
    await provide(needing({ namespaces: ['shop'] }));
    for (let turn = 0; turn < 6; turn += 1) await provide(needing({ namespaces: ['shop'] }), 20_000);
    expect(client.log.filter((line) => line.includes('/deployments'))).toHaveLength(1);
    expect(caches.namespace('shop')).toBeNull();
    client.handle(() => undefined);
    await clock.advance(60_000);
    await settled();
    expect(caches.namespace('shop')).not.toBeNull();
  });
});

describe('the end', () => {
  it('leaves no timer and no watch behind', async () => {
    const { clock, caches, provide, seen, client } = await start();
    await provide(needing({ podsOf: ['node-1'], namespaces: ['shop'], attachments: true }));
    caches.stop();
    await settled();
    expect(clock.next()).toBeUndefined();
    const before = seen.changes;
    client.put(rawPod('a'));
    await settled();
    expect(seen.changes).toBe(before);
  });
});
