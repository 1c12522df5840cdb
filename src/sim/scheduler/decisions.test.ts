import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../kubernetes.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { createClusterView, type ClusterView, type PodEntry } from './cluster-view.ts';
import { createNodeFinder, enoughNodes } from './find-node.ts';
import { createNodeTable, ROW, USED_CPU } from './node-table.ts';
import { requestsOf } from './requests.ts';
import { resourceScore } from './resource-fit.ts';

const node = (name: string, labels: Record<string, string> = {}, allocatable: Record<string, string> = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '', labels },
  spec: {},
  status: { allocatable: { cpu: '4', memory: '8Gi', pods: '10', ...allocatable } },
});
const pod = (
  name: string,
  requests: Record<string, string>,
  labels: Record<string, string> = {},
  spec: Partial<Pod['spec']> = {},
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp: '', labels },
  spec: { containers: [{ name: 'c', resources: { requests } }], ...spec },
});

describe('what a pod asks for', () => {
  const container = (cpu: string, restartPolicy?: 'Always') => ({
    name: 'c',
    resources: { requests: { cpu } },
    ...(restartPolicy && { restartPolicy }),
  });
  it.each([
    ['the sum of its containers', { containers: [container('1'), container('500m')] }, 1500],
    ['the dearest init container', { containers: [container('1')], initContainers: [container('3'), container('2')] }, 3000],
    ['sidecars beside its containers', { containers: [container('1')], initContainers: [container('2', 'Always')] }, 3000],
    [
      'an init container beside the sidecars before it',
      { containers: [container('1')], initContainers: [container('2', 'Always'), container('4')] },
      6000,
    ],
    [
      'an init container without the sidecars after it',
      { containers: [container('1')], initContainers: [container('4'), container('2', 'Always')] },
      4000,
    ],
    ['its overhead on top', { containers: [container('1')], overhead: { cpu: '250m' } }, 1250],
  ])('is %s', (_, spec, cpu) => {
    expect(requestsOf(spec).cpu).toBe(cpu);
  });

  it('counts for something in scores though it asks for nothing', () => {
    const requests = requestsOf({ containers: [{ name: 'a' }, { name: 'b', resources: { requests: { cpu: '1' } } }] });
    expect(requests).toMatchObject({ cpu: 1000, memory: 0, scoredCpu: 1100, scoredMemory: 400 * 1024 ** 2 });
  });
});

describe('the resource score', () => {
  // Worked out by hand from least_allocated.go and balanced_allocation.go, with their whole-number divisions.
  it.each([
    ['an empty node', { cpu: '1', memory: '2Gi' }, { cpu: '4', memory: '8Gi' }, 75 + 100],
    ['an uneven one', { cpu: '3', memory: '1Gi' }, { cpu: '4', memory: '8Gi' }, 56 + 68],
    ['one that it fills', { cpu: '4', memory: '8Gi' }, { cpu: '4', memory: '8Gi' }, 0 + 100],
    ['a third of it', { cpu: '1', memory: '1Gi' }, { cpu: '3', memory: '3Gi' }, 66 + 100],
    ['a pod without requests', {}, { cpu: '4', memory: '8Gi' }, 97],
  ])('of %s', (_, requests, allocatable, expected) => {
    const table = createNodeTable();
    const slot = table.setNode(node('a', {}, allocatable));
    expect(resourceScore(requestsOf(pod('p', requests as Record<string, string>).spec), table.rows, slot)).toBe(expected);
  });
});

describe('the search', () => {
  it.each([
    [1, 1],
    [99, 99],
    [100, 100],
    [250, 120],
    [1000, 420],
    [5000, 500],
    [10_000, 500],
  ])('of %d nodes ends with %d that fit', (count, enough) => {
    expect(enoughNodes(count)).toBe(enough);
  });

  it('takes one node of each zone in turn', () => {
    const table = createNodeTable();
    const zoned = (name: string, zone: string) => table.setNode(node(name, { 'topology.kubernetes.io/zone': zone }));
    for (const name of ['a1', 'a2', 'a3']) zoned(name, 'a');
    for (const name of ['b1', 'b2']) zoned(name, 'b');
    zoned('c1', 'c');
    const names = () => [...table.order()].map((slot) => table.names[slot]);
    expect(names()).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    table.removeNode('a1');
    expect(names()).toEqual(['a2', 'b1', 'c1', 'a3', 'b2']);
    zoned('c1', 'b');
    expect(names()).toEqual(['a2', 'b1', 'a3', 'b2', 'c1']);
  });

  it('starts where the last one ended, and ties are broken by chance', () => {
    const view = createClusterView({ version: () => 0, selectorOf: () => undefined });
    for (let i = 0; i < 400; i++) view.setNode(node(`n${i}`));
    const finder = createNodeFinder(view, createSeededRandom(3));
    const entry = view.enter(pod('p', { cpu: '1' }));
    const candidate = { kind: entry.kind, pin: undefined, placement: view.filterOf(entry.kind.traits.placement) };
    const enough = enoughNodes(400);
    const found = Array.from({ length: 40 }, () => finder.find(candidate));
    expect(new Set(found).size).toBeGreaterThan(20);
    // The first search sees the first nodes only, the second those after them.
    expect(found[0]).toBeLessThan(enough);
    expect(found[1]).toBeGreaterThanOrEqual(enough);
  });
});

describe('any cluster', () => {
  const HOST = 'kubernetes.io/hostname';
  const ZONE = 'topology.kubernetes.io/zone';
  const apps = ['web', 'db', 'job'] as const;

  interface Standing {
    readonly entry: PodEntry;
    readonly slot: number;
  }

  const appOf = ({ entry }: Standing) => entry.pod.metadata.labels?.['app'];
  const zoneAt = (view: ClusterView, slot: number) => view.nodes.nodes[slot]?.metadata.labels?.[ZONE] ?? '';

  /** What is wrong by the rules, asked of nothing but the pods that stand there, or with what the view keeps up with, counted anew. */
  function wrongs(view: ClusterView, standing: readonly Standing[]): string[] {
    const found: string[] = [];
    for (const slot of view.nodes.order()) {
      const here = standing.filter((one) => one.slot === slot);
      if (here.reduce((sum, { entry }) => sum + requestsOf(entry.pod.spec).cpu, 0) > 4000) found.push(`too much cpu on ${slot}`);
      if (here.length > 10) found.push(`too many pods on ${slot}`);
      if (here.filter((one) => appOf(one) === 'db').length > 1) found.push(`two of db on ${slot}`);
      for (const { own, traits } of view.registry.classes.values()) {
        const alike = here.filter((one) => appOf(one) === traits.labels['app']).length;
        if (own.some((tally) => tally.counts.get(slot) !== alike)) found.push(`${traits.labels['app']} is miscounted on ${slot}`);
      }
    }
    return found;
  }

  /** How far the zone of the newest pod is above the emptiest one. */
  function skew(view: ClusterView, standing: readonly Standing[], slot: number): number {
    const zones = new Map([...view.nodes.order()].map((each) => [zoneAt(view, each), 0]));
    for (const one of standing)
      if (appOf(one) === 'web') zones.set(zoneAt(view, one.slot), (zones.get(zoneAt(view, one.slot)) ?? 0) + 1);
    const mine = zones.get(zoneAt(view, slot)) ?? 0;
    zones.set(zoneAt(view, slot), mine - 1);
    return mine - Math.min(...zones.values());
  }

  it.each([1, 2, 3, 4, 5])('is never over-committed, and no required rule is broken by a placement (seed %d)', (seed) => {
    const random = createSeededRandom(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const view = createClusterView({ version: () => 0, selectorOf: () => undefined });
    const finder = createNodeFinder(view, random);
    const zoneOf = (i: number) => `z${i % 3}`;
    const addNode = (i: number) => view.setNode(node(`n${i}`, { [HOST]: `n${i}`, [ZONE]: zoneOf(i) }));
    for (let i = 0; i < 9; i++) addNode(i);
    const selector = (app: string) => ({ labelSelector: { matchLabels: { app } } });
    const specs: Record<(typeof apps)[number], Partial<Pod['spec']>> = {
      web: {
        topologySpreadConstraints: [{ maxSkew: 1, topologyKey: ZONE, whenUnsatisfiable: 'DoNotSchedule', ...selector('web') }],
      },
      db: {
        affinity: {
          podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ ...selector('db'), topologyKey: HOST }] },
        },
      },
      job: {},
    };
    const standing: Standing[] = [];
    let placed = 0;
    for (let step = 0; step < 300; step++) {
      const action = random();
      if (action < 0.55) {
        const app = apps[below(3)] ?? 'web';
        const entry = view.enter(pod(`p${step}`, { cpu: `${100 + below(12) * 100}m` }, { app }, specs[app]));
        const slot = finder.find({ kind: entry.kind, pin: undefined, placement: view.filterOf(entry.kind.traits.placement) });
        if (slot < 0) {
          view.forget(entry);
          continue;
        }
        view.place(entry, slot);
        standing.push({ entry, slot });
        placed++;
        expect(wrongs(view, standing)).toEqual([]);
        if (app === 'web') expect(skew(view, standing, slot)).toBeLessThanOrEqual(1);
      } else if (action < 0.85 && standing.length > 0) {
        const [one] = standing.splice(below(standing.length), 1);
        if (one) view.forget(one.entry);
      } else {
        const i = below(9);
        const slot = view.nodes.slotOf(`n${i}`);
        if (slot === undefined || !view.nodes.nodes[slot]) {
          addNode(i);
          continue;
        }
        view.removeNode(`n${i}`);
        for (const one of standing.filter((other) => other.slot === slot)) {
          view.forget(one.entry);
          standing.splice(standing.indexOf(one), 1);
        }
      }
    }
    expect(placed).toBeGreaterThan(50);
    for (const one of standing) view.forget(one.entry);
    expect(view.registry.classes.size).toBe(0);
    for (const slot of view.nodes.order()) {
      expect([...view.nodes.rows.subarray(slot * ROW + USED_CPU, (slot + 1) * ROW)].every((used) => used === 0)).toBe(true);
    }
  });
});
