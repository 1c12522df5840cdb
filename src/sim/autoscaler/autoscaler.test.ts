import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../lib/clock.ts';
import { createApi } from '../apiserver/create-api.ts';
import { budgets, daemonSets, nodes, pods } from '../apiserver/kinds.ts';
import { withCondition } from '../conditions.ts';
import type { Pod, PodSpec } from '../kubernetes.ts';
import { startScheduler } from '../scheduler/scheduler.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { timestamp } from '../timestamp.ts';
import { startAutoscaler, type AutoscalerOptions } from './autoscaler.ts';
import { createMachines } from './machines.ts';
import type { NodePool } from './node-pool.ts';
import { DELETION_TAINT } from './scale-down.ts';

const MINUTE = 60_000;
const size = { cpu: '4', memory: '16Gi', pods: '110' };
const boot = { least: 60_000, spread: 0 };

function pool(name: string, more: Partial<NodePool> = {}): NodePool {
  return { name, zones: ['west-a', 'west-b'], template: { allocatable: size }, autoscale: { min: 0, max: 10 }, boot, ...more };
}

function createBed(pools: readonly [NodePool, number][], options: Partial<AutoscalerOptions> = {}) {
  const clock = createVirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const api = createApi({ clock, random: createSeededRandom(1) });
  // Stands in for the kubelet (Ready) and the node lifecycle controller (the taint goes).
  api.watch(nodes, ({ type, object }) => {
    if (type !== 'ADDED') return;
    const { name } = object.metadata;
    api.modify(nodes, '', name, (node) => {
      const taints = (node.spec.taints ?? []).filter(({ key }) => key !== 'node.kubernetes.io/not-ready');
      return { ...node, spec: { ...node.spec, taints } };
    });
    const ready = { type: 'Ready', status: 'True' } as const;
    const change = (conditions: readonly object[] | undefined) =>
      withCondition(conditions as never, ready, timestamp(clock.now()));
    api.modify(
      nodes,
      '',
      name,
      (node) => ({ ...node, status: { ...node.status, conditions: change(node.status?.conditions) } }),
      {
        subresource: 'status',
      },
    );
  });
  const scheduler = startScheduler(api);
  const machines = createMachines(api);
  for (const [each, count] of pools) machines.add(each, count);
  startAutoscaler(api, { machines, scheduler, ...options });

  function pod(
    name: string,
    requests: Record<string, string>,
    spec: Partial<PodSpec> = {},
    metadata: Partial<Pod['metadata']> = {},
  ): Pod {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'set', uid: 'set-uid', controller: true };
    return api.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', ownerReferences: [owner], ...metadata },
      spec: { containers: [{ name: 'main', image: 'app', resources: { requests } }], terminationGracePeriodSeconds: 0, ...spec },
    });
  }
  const nodeNames = () => api.list(nodes).map(({ metadata }) => metadata.name);
  const zonesOf = (name: string) => machines.of(name).map(({ zone }) => zone);
  return { api, clock, machines, scheduler, pod, nodeNames, zonesOf };
}

describe('a pool grows', () => {
  it('by as many nodes as the waiting pods need, in both zones, and not again while they boot', async () => {
    const bed = createBed([[pool('web'), 0]]);
    for (let i = 0; i < 8; i++) bed.pod(`p${i}`, { cpu: '2' });
    await bed.clock.advance(15_000);
    expect(bed.zonesOf('web').sort()).toEqual(['west-a', 'west-a', 'west-b', 'west-b']);
    expect(bed.nodeNames()).toEqual([]);
    await bed.clock.advance(2 * MINUTE);
    expect(bed.nodeNames()).toHaveLength(4);
    expect(bed.api.list(pods).every(({ spec }) => spec.nodeName)).toBe(true);
  });

  it('into nodes that look like those of a cloud', async () => {
    const template = {
      allocatable: size,
      labels: { tier: 'front' },
      taints: [{ key: 'only', effect: 'NoSchedule' as const }],
      machineType: 'm5',
    };
    const bed = createBed([[pool('web', { template }), 1]]);
    const [node] = bed.api.list(nodes);
    expect(node?.metadata.labels).toMatchObject({
      'kubernetes.io/hostname': 'web-1',
      'node.kubernetes.io/instance-type': 'm5',
      'topology.kubernetes.io/region': 'west',
      'topology.kubernetes.io/zone': 'west-a',
      'sim.drover.dev/pool': 'web',
      tier: 'front',
    });
    expect(node?.spec).toMatchObject({ providerID: 'sim:///west-a/web-1', taints: [{ key: 'only', effect: 'NoSchedule' }] });
  });

  it.each<[string, Partial<NodePool>, Record<string, string>, Partial<PodSpec>]>([
    ['beyond its maximum', { autoscale: { min: 0, max: 0 } }, { cpu: '1' }, {}],
    ['without being autoscaled', { autoscale: undefined as never }, { cpu: '1' }, {}],
    ['for a pod that is too large', {}, { cpu: '5' }, {}],
    [
      'for a pod that does not tolerate it',
      { template: { allocatable: size, taints: [{ key: 'k', effect: 'NoSchedule' }] } },
      { cpu: '1' },
      {},
    ],
    ['for a pod that wants another zone', {}, { cpu: '1' }, { nodeSelector: { 'topology.kubernetes.io/zone': 'east-a' } }],
  ])('not %s', async (_, more, requests, spec) => {
    const bed = createBed([[pool('web', more), 0]]);
    bed.pod('p', requests, spec);
    await bed.clock.advance(MINUTE);
    expect(bed.machines.of('web')).toEqual([]);
  });

  it('in the zone that the pod wants', async () => {
    const bed = createBed([[pool('web'), 0]]);
    bed.pod('p', { cpu: '1' }, { nodeSelector: { 'topology.kubernetes.io/zone': 'west-b' } });
    await bed.clock.advance(15_000);
    expect(bed.zonesOf('web')).toEqual(['west-b']);
  });

  it('a node for each pod that wants one of its own', async () => {
    const bed = createBed([[pool('web'), 0]]);
    const apart = { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'kubernetes.io/hostname' };
    for (const name of ['a', 'b', 'c']) {
      bed.pod(
        name,
        { cpu: '100m' },
        { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } } },
        { labels: { app: 'db' } },
      );
    }
    await bed.clock.advance(15_000);
    expect(bed.machines.of('web')).toHaveLength(3);
  });

  it('that wastes the least, with room for its DaemonSets', async () => {
    const bed = createBed([
      [pool('large', { template: { allocatable: { cpu: '16', memory: '64Gi', pods: '110' } } }), 0],
      [pool('small', { template: { allocatable: { cpu: '2', memory: '8Gi', pods: '110' } } }), 0],
    ]);
    bed.pod('p', { cpu: '1500m', memory: '6Gi' });
    await bed.clock.advance(15_000);
    expect([bed.machines.of('large').length, bed.machines.of('small').length]).toEqual([0, 1]);
    bed.api.create(daemonSets, {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent', namespace: 'default' },
      spec: {
        selector: { matchLabels: { app: 'agent' } },
        template: {
          metadata: { labels: { app: 'agent' } },
          spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }] },
        },
      },
    });
    bed.pod('q', { cpu: '1500m', memory: '6Gi' });
    await bed.clock.advance(15_000);
    expect([bed.machines.of('large').length, bed.machines.of('small').length]).toEqual([1, 1]);
  });
});

describe('machines that do not come', () => {
  it('are given up after a quarter of an hour, and their zone rests', async () => {
    const bed = createBed([[pool('web', { failingBoots: 1, zones: ['west-a'] }), 0]]);
    bed.pod('p', { cpu: '1' });
    await bed.clock.advance(14 * MINUTE);
    expect(bed.machines.of('web').map(({ state }) => state)).toEqual(['failed']);
    await bed.clock.advance(2 * MINUTE);
    expect(bed.machines.of('web')).toEqual([]);
    bed.machines.failBoots('web', 0);
    await bed.clock.advance(10 * MINUTE);
    expect(bed.nodeNames()).toHaveLength(1);
  });

  it('because the zone has none left are asked for in another', async () => {
    const bed = createBed([[pool('web', { capacity: { 'west-a': 0 } }), 0]]);
    bed.pod('p', { cpu: '1' });
    await bed.clock.advance(2 * MINUTE);
    expect(bed.zonesOf('web')).toEqual(['west-b']);
  });
});

describe('a node that nobody needs', () => {
  const brief = { unneededFor: 2 * MINUTE, delayAfterAdd: 0 };

  it('goes after the delay, down to the minimum', async () => {
    const bed = createBed([[pool('web', { autoscale: { min: 1, max: 5 } }), 3]], brief);
    await bed.clock.advance(MINUTE);
    expect(bed.nodeNames()).toHaveLength(3);
    await bed.clock.advance(3 * MINUTE);
    expect(bed.nodeNames()).toHaveLength(1);
  });

  it('is tainted and its pods are evicted first', async () => {
    const bed = createBed([[pool('web', { autoscale: { min: 1, max: 5 } }), 2]], brief);
    bed.pod('p', { cpu: '500m' });
    bed.pod('q', { cpu: '500m' });
    await bed.clock.advance(MINUTE);
    const taintsSeen: string[] = [];
    bed.api.watch(nodes, ({ object }) => {
      for (const { key } of object.spec.taints ?? []) taintsSeen.push(key);
    });
    await bed.clock.advance(4 * MINUTE);
    expect(taintsSeen).toContain(DELETION_TAINT);
    expect(bed.nodeNames()).toHaveLength(1);
    expect(bed.api.list(pods)).toHaveLength(1);
  });

  it.each<[string, (bed: ReturnType<typeof createBed>) => void]>([
    [
      'is not safe to evict',
      (bed) => bed.pod('p', { cpu: '1' }, {}, { annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } }),
    ],
    ['has data of its own on it', (bed) => bed.pod('p', { cpu: '1' }, { volumes: [{ name: 'd', emptyDir: {} }] })],
    ['has nobody to make it again', (bed) => bed.pod('p', { cpu: '1' }, {}, { ownerReferences: [] })],
    ['fits nowhere else', (bed) => bed.pod('p', { cpu: '1' }, { nodeSelector: { 'kubernetes.io/hostname': 'web-1' } })],
    [
      'is held by a budget',
      (bed) => {
        bed.pod('p', { cpu: '1' }, {}, { labels: { app: 'db' } });
        bed.api.create(budgets, {
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          metadata: { name: 'db', namespace: 'default' },
          spec: { minAvailable: 1, selector: { matchLabels: { app: 'db' } } },
        });
      },
    ],
  ])('stays while a pod on it %s', async (_, arrange) => {
    const bed = createBed([[pool('web', { autoscale: { min: 0, max: 5 } }), 2]], brief);
    arrange(bed);
    await bed.clock.advance(10 * MINUTE);
    expect(bed.nodeNames()).toEqual([bed.api.get(pods, 'default', 'p')?.spec.nodeName]);
  });

  it('stays when its owner says so', async () => {
    const bed = createBed([[pool('web'), 1]], brief);
    bed.api.modify(nodes, '', 'web-1', (node) => ({
      ...node,
      metadata: { ...node.metadata, annotations: { 'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true' } },
    }));
    await bed.clock.advance(10 * MINUTE);
    expect(bed.nodeNames()).toEqual(['web-1']);
  });
});

describe('the pools by hand', () => {
  it('grow and shrink as told', async () => {
    const bed = createBed([[pool('web', { autoscale: undefined as never }), 3]]);
    bed.machines.resizePool('web', 5);
    await bed.clock.advance(2 * MINUTE);
    expect(bed.nodeNames()).toEqual(['web-1', 'web-2', 'web-3', 'web-4', 'web-5']);
    bed.machines.resizePool('web', 2);
    expect(bed.nodeNames()).toEqual(['web-1', 'web-2']);
  });

  it('replace a node by one of the same zone and another name', async () => {
    const bed = createBed([[pool('web', { autoscale: undefined as never }), 2]]);
    expect(bed.machines.replaceNode('web-2')).toMatchObject({ name: 'web-3', zone: 'west-b' });
    expect(bed.nodeNames()).toEqual(['web-1']);
    await bed.clock.advance(2 * MINUTE);
    expect(bed.nodeNames()).toEqual(['web-1', 'web-3']);
    expect(bed.machines.deleteNode('web-1')).toBe(true);
    expect(bed.machines.of('web')).toHaveLength(1);
    expect(bed.machines.deleteNode('nobody')).toBe(false);
  });

  it('that do not exist are named with those that do', () => {
    const bed = createBed([[pool('web'), 0]]);
    expect(() => bed.machines.resizePool('wbe', 1)).toThrow('there is no node pool "wbe"; there are web');
  });
});
