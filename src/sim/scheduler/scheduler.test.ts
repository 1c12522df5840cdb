/** Long because it is a table of clusters and where their pods go. */
import { describe, expect, it } from 'vitest';
import { claims, coreEvents, nodes, pods, services, storageClasses, volumes } from '../apiserver/kinds.ts';
import type { PodAffinityTerm } from '../kubernetes.ts';
import { createSchedulerBed, type NodeShape, type PodShape } from './testing/scheduler-bed.ts';

const NOT_HELPFUL = (count: number) =>
  `preemption: 0/${count} nodes are available: ${count} Preemption is not helpful for scheduling.`;
const NO_VICTIMS = (count: number) =>
  `preemption: 0/${count} nodes are available: ${count} No preemption victims found for incoming pod.`;

describe('a pod goes', () => {
  const on = (
    key: string,
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt',
    ...values: string[]
  ): PodShape => ({
    spec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
          },
        },
      },
    },
  });
  const dedicated = { key: 'dedicated', value: 'db', effect: 'NoSchedule' } as const;

  it.each<[string, Record<string, NodeShape>, PodShape, string]>([
    ['where it has room', { a: { allocatable: { cpu: '1' } }, b: {} }, { requests: { cpu: '2' } }, 'b'],
    ['where its extended resource is', { a: {}, b: { allocatable: { 'x.io/gpu': 2 } } }, { requests: { 'x.io/gpu': 1 } }, 'b'],
    ['not to a cordoned node', { a: { unschedulable: true }, b: {} }, {}, 'b'],
    [
      'to a cordoned node when it tolerates that',
      { a: { unschedulable: true } },
      { spec: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] } },
      'a',
    ],
    ['not to a tainted node', { a: { taints: [dedicated] }, b: {} }, {}, 'b'],
    [
      'to a tainted node when it tolerates that',
      { a: { taints: [dedicated] } },
      { spec: { tolerations: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] } },
      'a',
    ],
    ['rather where nothing is disliked', { a: { taints: [{ ...dedicated, effect: 'PreferNoSchedule' }] }, b: {} }, {}, 'b'],
    ['where its node selector says', { a: {}, b: { labels: { disk: 'ssd' } } }, { spec: { nodeSelector: { disk: 'ssd' } } }, 'b'],
    ['where its node affinity says', { a: { labels: { gen: '3' } }, b: { labels: { gen: '5' } } }, on('gen', 'Gt', '4'), 'b'],
    ['where a label is missing when it wants that', { a: { labels: { old: '' } }, b: {} }, on('old', 'DoesNotExist'), 'b'],
    [
      'rather where it prefers',
      { a: {}, b: { labels: { disk: 'ssd' } } },
      {
        spec: {
          affinity: {
            nodeAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 1, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
              ],
            },
          },
        },
      },
      'b',
    ],
    [
      'rather where more is free',
      { a: { allocatable: { cpu: '2', memory: '8Gi' } }, b: {} },
      { requests: { cpu: '1', memory: '4Gi' } },
      'b',
    ],
    [
      'to the node its field selector names',
      { a: {}, b: {} },
      {
        spec: {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
              },
            },
          },
        },
      },
      'b',
    ],
  ])('%s', async (_, shapes, shape, expected) => {
    const bed = createSchedulerBed();
    for (const [name, node] of Object.entries(shapes)) bed.node(name, node);
    bed.pod('p', shape);
    await bed.settle();
    expect(bed.at('p')).toBe(expected);
    expect(bed.condition('p')).toMatchObject({ status: 'True' });
  });
});

describe('a pod that fits nowhere', () => {
  it('is told why, node by node, as upstream words it', async () => {
    const bed = createSchedulerBed();
    bed.node('cordoned', { unschedulable: true });
    bed.node('tainted', { taints: [{ key: 'k', effect: 'NoExecute' }] });
    bed.node('other', { labels: { disk: 'hdd' } });
    bed.node('small', { labels: { disk: 'ssd' }, allocatable: { cpu: '1', memory: '1Gi' } });
    bed.node('full', { labels: { disk: 'ssd' }, allocatable: { pods: '0' } });
    bed.pod('p', { requests: { cpu: '2', memory: '2Gi' }, spec: { nodeSelector: { disk: 'ssd' } } });
    await bed.settle();
    expect(bed.message('p')).toBe(
      "0/5 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods, 1 node(s) didn't match Pod's node affinity/selector, " +
        '1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. preemption: 0/5 nodes are available: ' +
        '1 No preemption victims found for incoming pod, 4 Preemption is not helpful for scheduling.',
    );
    expect(bed.condition('p')).toMatchObject({ status: 'False', reason: 'Unschedulable' });
  });

  it('hears that there are no nodes', async () => {
    const bed = createSchedulerBed();
    bed.pod('p');
    await bed.settle();
    expect(bed.message('p')).toBe('no nodes available to schedule pods');
  });

  it('hears that only its own node was looked at', async () => {
    const bed = createSchedulerBed();
    bed.node('a', { unschedulable: true });
    bed.node('b');
    const terms = [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: ['a'] }] }];
    bed.pod('p', {
      spec: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } } },
    });
    await bed.settle();
    expect(bed.message('p')).toBe(
      `0/2 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity], 1 node(s) were unschedulable. ${NOT_HELPFUL(2)}`,
    );
  });

  it('is not written to again while nothing changes', async () => {
    const bed = createSchedulerBed();
    bed.node('a', { unschedulable: true });
    bed.pod('p');
    await bed.settle();
    const before = bed.api.get(pods, 'default', 'p');
    await bed.clock.advance(10 * 60_000);
    expect(bed.api.get(pods, 'default', 'p')).toBe(before);
  });

  it.each<[string, (bed: ReturnType<typeof createSchedulerBed>) => void, string]>([
    ['a node comes', (bed) => bed.node('b'), 'b'],
    ['its node is uncordoned', (bed) => bed.api.modify(nodes, '', 'a', (node) => ({ ...node, spec: {} })), 'a'],
  ])('goes as soon as %s', async (_, event, expected) => {
    const bed = createSchedulerBed();
    bed.node('a', { unschedulable: true });
    bed.pod('p');
    await bed.settle();
    event(bed);
    await bed.settle();
    expect(bed.at('p')).toBe(expected);
  });

  it('goes as soon as a pod makes room, the higher priority first', async () => {
    const bed = createSchedulerBed();
    bed.node('a', { allocatable: { pods: '1' } });
    bed.pod('first');
    await bed.settle();
    bed.pod('low');
    bed.pod('high', { spec: { priorityClassName: 'system-node-critical' } });
    await bed.settle();
    expect(bed.message('low')).toBe(`0/1 nodes are available: 1 Too many pods. ${NO_VICTIMS(1)}`);
    bed.remove('first');
    await bed.settle();
    expect([bed.at('high'), bed.at('low')]).toEqual(['a', undefined]);
  });

  it('waits for its gates to go', async () => {
    const bed = createSchedulerBed();
    bed.node('a');
    bed.pod('p', { spec: { schedulingGates: [{ name: 'x.io/wait' }] } });
    await bed.settle();
    expect(bed.condition('p')?.reason).toBe('SchedulingGated');
    bed.api.modify(pods, 'default', 'p', (pod) => ({ ...pod, spec: { ...pod.spec, schedulingGates: [] } }));
    await bed.settle();
    expect(bed.at('p')).toBe('a');
  });

  it('is left alone when it names another scheduler', async () => {
    const bed = createSchedulerBed();
    bed.node('a');
    bed.pod('p', { spec: { schedulerName: 'mine' } });
    await bed.settle();
    expect(bed.condition('p')).toBeUndefined();
  });
});

describe('host ports', () => {
  const port = (hostIP?: string, protocol?: string) => ({
    spec: {
      containers: [
        {
          name: 'c',
          image: 'i',
          ports: [{ containerPort: 80, hostPort: 80, ...(hostIP && { hostIP }), ...(protocol && { protocol }) }],
        },
      ],
    },
  });
  it.each([
    ['the same port', port(), port(), false],
    ['another protocol', port(), port(undefined, 'UDP'), true],
    ['two addresses', port('10.0.0.1'), port('10.0.0.2'), true],
    ['one address and all', port('10.0.0.1'), port(), false],
  ])('%s', async (_, first, second, fits) => {
    const bed = createSchedulerBed();
    bed.node('a');
    bed.pod('first', first);
    await bed.settle();
    bed.pod('second', second);
    await bed.settle();
    expect(bed.at('second')).toBe(fits ? 'a' : undefined);
    if (fits) return;
    expect(bed.message('second')).toContain("1 node(s) didn't have free ports for the requested pod ports.");
    bed.remove('first');
    await bed.settle();
    expect(bed.at('second')).toBe('a');
  });
});

describe('affinity between pods', () => {
  const HOST = 'kubernetes.io/hostname';
  const ZONE = 'topology.kubernetes.io/zone';
  const term = (app: string, topologyKey: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
    labelSelector: { matchLabels: { app } },
    topologyKey,
    ...more,
  });
  const apart = (app: string, ...terms: PodAffinityTerm[]): PodShape => ({
    labels: { app },
    spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } },
  });
  const together = (app: string, ...terms: PodAffinityTerm[]): PodShape => ({
    labels: { app },
    spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } },
  });

  it('keeps pods of one app on nodes of their own, and lets the next in when one goes', async () => {
    const bed = createSchedulerBed();
    bed.node('a');
    bed.node('b');
    for (const name of ['one', 'two', 'three']) bed.pod(name, apart('db', term('db', HOST)));
    await bed.settle();
    expect(new Set([bed.at('one'), bed.at('two')])).toEqual(new Set(['a', 'b']));
    expect(bed.message('three')).toBe(
      `0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules. ${NO_VICTIMS(2)}`,
    );
    const freed = bed.at('one');
    bed.remove('one');
    await bed.settle();
    expect(bed.at('three')).toBe(freed);
  });

  it('frees a whole zone when the pod that kept others out of it goes', async () => {
    const bed = createSchedulerBed();
    bed.node('a1', { zone: 'a', allocatable: { pods: '1' } });
    bed.node('a2', { zone: 'a' });
    bed.pod('guard', {
      ...apart('guard', term('web', ZONE)),
      spec: { ...apart('guard', term('web', ZONE)).spec, nodeSelector: { [HOST]: 'a1' } },
    });
    await bed.settle();
    bed.pod('web', { labels: { app: 'web' }, spec: { nodeSelector: { [HOST]: 'a2' } } });
    await bed.settle();
    expect(bed.message('web')).toContain("1 node(s) didn't satisfy existing pods anti-affinity rules");
    bed.remove('guard');
    await bed.settle();
    expect(bed.at('web')).toBe('a2');
  });

  it('lets a pod in when the one that was in its way is relabelled', async () => {
    const bed = createSchedulerBed();
    bed.node('a');
    bed.pod('one', apart('db', term('db', HOST)));
    await bed.settle();
    bed.pod('two', apart('db', term('db', HOST)));
    await bed.settle();
    expect(bed.at('two')).toBeUndefined();
    bed.api.modify(pods, 'default', 'one', (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: { app: 'old' } } }));
    await bed.settle();
    expect(bed.message('two')).toContain("1 node(s) didn't satisfy existing pods anti-affinity rules");
    bed.pod('three', { labels: { app: 'cache' }, spec: apart('cache', term('old', HOST)).spec ?? {} });
    await bed.settle();
    expect(bed.at('three')).toBeUndefined();
    bed.api.modify(pods, 'default', 'one', (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: { app: 'gone' } } }));
    await bed.settle();
    expect(bed.at('three')).toBe('a');
  });

  it('puts pods together, the first of them anywhere', async () => {
    const bed = createSchedulerBed();
    for (const zone of ['a', 'b', 'c']) for (const n of [1, 2]) bed.node(`${zone}${n}`, { zone });
    for (let i = 0; i < 5; i++) bed.pod(`p${i}`, together('web', term('web', ZONE)));
    await bed.settle();
    const zones = new Set([0, 1, 2, 3, 4].map((i) => bed.at(`p${i}`)?.[0]));
    expect(zones.size).toBe(1);
    expect(zones.has(undefined)).toBe(false);
  });

  it('waits for company that is not there yet', async () => {
    const bed = createSchedulerBed();
    bed.node('a');
    bed.pod('web', together('web', term('cache', HOST)));
    await bed.settle();
    expect(bed.message('web')).toBe(`0/1 nodes are available: 1 node(s) didn't match pod affinity rules. ${NOT_HELPFUL(1)}`);
    bed.pod('cache', { labels: { app: 'cache' } });
    await bed.settle();
    expect(bed.at('web')).toBe('a');
  });

  it.each([
    ['another namespace is not looked at', {}, 'a'],
    ['unless it is named', { namespaces: ['kube-system'] }, undefined],
    [
      'or selected by its labels',
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
      undefined,
    ],
    ['or all are', { namespaceSelector: {} }, undefined],
  ])('%s', async (_, more, expected) => {
    const bed = createSchedulerBed();
    bed.node('a');
    bed.pod('other', { namespace: 'kube-system', labels: { app: 'web' } });
    await bed.settle();
    bed.pod('p', apart('web', term('web', HOST, more)));
    await bed.settle();
    expect(bed.at('p')).toBe(expected);
  });

  it('prefers company and dislikes it, by the wish of either side', async () => {
    const bed = createSchedulerBed();
    for (const name of ['a', 'b', 'c']) bed.node(name);
    const weighted = (app: string) => [{ weight: 100, podAffinityTerm: term(app, HOST) }];
    bed.pod('web', { labels: { app: 'web' } });
    await bed.settle();
    bed.pod('near', {
      spec: { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: weighted('web') } } },
    });
    await bed.settle();
    expect(bed.at('near')).toBe(bed.at('web'));
    bed.pod('far', {
      labels: { app: 'far' },
      spec: { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: weighted('far') } } },
    });
    await bed.settle();
    bed.pod('far2', { labels: { app: 'far' } });
    await bed.settle();
    expect(bed.at('far2')).not.toBe(bed.at('far'));
  });
});

describe('topology spread', () => {
  const ZONE = 'topology.kubernetes.io/zone';
  const spread = (more = {}): PodShape => ({
    labels: { app: 'web' },
    spec: {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: ZONE,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
          ...more,
        },
      ],
    },
  });

  it('keeps zones within the skew, and says so when it cannot', async () => {
    const bed = createSchedulerBed();
    bed.node('a1', { zone: 'a' });
    bed.node('a2', { zone: 'a' });
    bed.node('b1', { zone: 'b', allocatable: { pods: '1' } });
    bed.node('none');
    for (const i of [1, 2, 3, 4]) {
      bed.pod(`p${i}`, spread());
      await bed.settle();
    }
    expect([1, 2, 3, 4].map((i) => bed.at(`p${i}`)?.[0] ?? '-').sort()).toEqual(['-', 'a', 'a', 'b']);
    const stuck = [1, 2, 3, 4].find((i) => !bed.at(`p${i}`));
    expect(bed.message(`p${stuck}`)).toBe(
      "0/4 nodes are available: 1 Too many pods, 1 node(s) didn't match pod topology spread constraints (missing required label), " +
        "2 node(s) didn't match pod topology spread constraints. preemption: 0/4 nodes are available: " +
        '1 Preemption is not helpful for scheduling, 3 No preemption victims found for incoming pod.',
    );
    bed.node('b2', { zone: 'b' });
    await bed.settle();
    expect(bed.at(`p${stuck}`)).toBe('b2');
  });

  it('counts no zone below the wanted number of them', async () => {
    const bed = createSchedulerBed();
    bed.node('a1', { zone: 'a' });
    bed.node('b1', { zone: 'b' });
    for (const i of [1, 2, 3]) bed.pod(`p${i}`, spread({ minDomains: 3 }));
    await bed.settle();
    expect([1, 2, 3].filter((i) => bed.at(`p${i}`))).toHaveLength(2);
  });

  it.each([
    ['counts zones whose nodes are tainted, by default', {}, 2],
    ['passes over them when the policy says so', { nodeTaintsPolicy: 'Honor' }, 3],
  ])('%s', async (_, more, placed) => {
    const bed = createSchedulerBed();
    bed.node('a1', { zone: 'a' });
    bed.node('b1', { zone: 'b' });
    bed.node('c1', { zone: 'c', taints: [{ key: 'k', effect: 'NoSchedule' }] });
    for (const i of [1, 2, 3]) bed.pod(`p${i}`, spread(more));
    await bed.settle();
    expect([1, 2, 3].filter((i) => bed.at(`p${i}`))).toHaveLength(placed);
  });

  it('does not count pods that are being deleted', async () => {
    const bed = createSchedulerBed();
    bed.node('a1', { zone: 'a' });
    bed.node('b1', { zone: 'b', unschedulable: true });
    bed.pod('p1', spread());
    await bed.settle();
    bed.api.remove(pods, 'default', 'p1');
    bed.pod('p2', spread());
    await bed.settle();
    expect([bed.at('p1'), bed.at('p2')]).toEqual(['a1', 'a1']);
  });

  it('spreads the pods of a Service over zones and hosts without being asked', async () => {
    const bed = createSchedulerBed();
    for (const zone of ['a', 'b', 'c']) for (const n of [1, 2]) bed.node(`${zone}${n}`, { zone });
    bed.api.create(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    });
    for (let i = 0; i < 6; i++) {
      bed.pod(`p${i}`, { labels: { app: 'web' } });
      await bed.settle();
    }
    expect(new Set([0, 1, 2, 3, 4, 5].map((i) => bed.at(`p${i}`))).size).toBe(6);
  });
});

describe('volumes', () => {
  const volume = (name: string) => ({
    containers: [{ name: 'c', image: 'i' }],
    volumes: [{ name: 'd', persistentVolumeClaim: { claimName: name } }],
  });
  function claim(bed: ReturnType<typeof createSchedulerBed>, name: string, spec: object) {
    bed.api.create(claims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
    });
  }

  it('hold a pod in the zone of its volume', async () => {
    const bed = createSchedulerBed();
    bed.node('a', { zone: 'a' });
    bed.node('b', { zone: 'b' });
    const inZone = [{ matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In' as const, values: ['b'] }] }];
    bed.api.create(volumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'pv' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'd', volumeHandle: 'h' },
        nodeAffinity: { required: { nodeSelectorTerms: inZone } },
      },
    });
    claim(bed, 'data', { volumeName: 'pv' });
    bed.pod('p', { spec: volume('data') });
    bed.pod('q', { spec: { ...volume('data'), nodeSelector: { 'topology.kubernetes.io/zone': 'a' } } });
    await bed.settle();
    expect(bed.at('p')).toBe('b');
    expect(bed.message('q')).toBe(
      `0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) didn't match Pod's node affinity/selector. ${NOT_HELPFUL(2)}`,
    );
  });

  it('that are not there yet keep the pod waiting, with the reason', async () => {
    const bed = createSchedulerBed();
    bed.node('a');
    bed.pod('p', { spec: volume('data') });
    await bed.settle();
    expect(bed.message('p')).toBe(`0/1 nodes are available: persistentvolumeclaim "data" not found. ${NOT_HELPFUL(1)}`);
    claim(bed, 'data', {});
    await bed.settle();
    expect(bed.message('p')).toBe(`0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. ${NOT_HELPFUL(1)}`);
  });

  it('made for their first consumer learn its node, and the pod is bound after them', async () => {
    const bed = createSchedulerBed();
    bed.node('a');
    bed.api.create(storageClasses, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'late' },
      provisioner: 'sim',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    claim(bed, 'data', { storageClassName: 'late' });
    bed.pod('p', { spec: volume('data') });
    await bed.settle();
    expect(bed.at('p')).toBeUndefined();
    expect(bed.api.get(claims, 'default', 'data')?.metadata.annotations).toMatchObject({
      'volume.kubernetes.io/selected-node': 'a',
    });
    bed.api.modify(claims, 'default', 'data', (found) => ({ ...found, spec: { ...found.spec, volumeName: 'pv' } }));
    await bed.settle();
    expect(bed.at('p')).toBe('a');
  });
});

describe('preemption', () => {
  async function full(preemption: boolean) {
    const bed = createSchedulerBed({ preemption });
    bed.node('a', { allocatable: { cpu: '2' } });
    bed.node('b', { allocatable: { cpu: '2' } });
    bed.pod('one', { requests: { cpu: '2' }, spec: { nodeSelector: { 'kubernetes.io/hostname': 'a' } } });
    bed.pod('two', { requests: { cpu: '1' }, spec: { nodeSelector: { 'kubernetes.io/hostname': 'b' } } });
    bed.pod('three', { requests: { cpu: '1' }, spec: { nodeSelector: { 'kubernetes.io/hostname': 'b' } } });
    await bed.settle();
    bed.pod('urgent', { requests: { cpu: '1' }, spec: { priorityClassName: 'system-cluster-critical' } });
    await bed.settle();
    return bed;
  }

  it('takes the node where the fewest pods go, and waits until they are gone', async () => {
    const bed = await full(true);
    const urgent = bed.api.get(pods, 'default', 'urgent');
    expect(urgent?.status?.nominatedNodeName).toBe(bed.api.get(pods, 'default', 'one')?.metadata.deletionTimestamp ? 'a' : 'b');
    const victims = ['one', 'two', 'three'].filter((name) => bed.api.get(pods, 'default', name)?.metadata.deletionTimestamp);
    expect(victims).toHaveLength(1);
    expect(bed.at('urgent')).toBeUndefined();
    bed.remove(victims[0] ?? '');
    await bed.settle();
    expect(bed.at('urgent')).toBe(urgent?.status?.nominatedNodeName);
  });

  it('is off unless asked for', async () => {
    const bed = await full(false);
    expect(bed.message('urgent')).toBe(`0/2 nodes are available: 2 Insufficient cpu. ${NO_VICTIMS(2)}`);
  });
});

describe('events', () => {
  it('tell of each pod when asked for', async () => {
    const bed = createSchedulerBed({ events: true });
    bed.pod('p');
    await bed.settle();
    bed.node('a');
    await bed.settle();
    const told = bed.api.list(coreEvents).map(({ reason, message }) => [reason, message]);
    expect(told).toContainEqual(['FailedScheduling', 'no nodes available to schedule pods']);
    expect(told).toContainEqual(['Scheduled', 'Successfully assigned default/p to a']);
  });
});
