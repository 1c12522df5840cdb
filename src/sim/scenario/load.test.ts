import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../lib/clock.ts';
import { budgets, configMaps, deployments, namespaces, nodes, pods, services, statefulSets } from '../apiserver/kinds.ts';
import { createSimulatedCluster } from '../cluster.ts';
import { isNodeReady, isPodReady } from '../conditions.ts';
import type { Node } from '../kubernetes.ts';
import { loadFile, loadScenario } from './load.ts';
import { readFileText, readScenario, ScenarioError } from './read.ts';
import type { ScenarioInput } from './schema.ts';

const START = Date.parse('2026-11-21T12:00:00Z');

function bed() {
  const clock = createVirtualClock(START);
  const cluster = createSimulatedCluster({ clock });
  return { ...cluster, cluster, clock, load: (input: ScenarioInput) => loadScenario(cluster, readScenario(input, 'x'), 'x') };
}

const node = (cluster: ReturnType<typeof bed>, name: string): Node => {
  const found = cluster.api.get(nodes, '', name);
  if (!found) throw new Error(`there is no node ${name}`);
  return found;
};

describe('a scenario', () => {
  const folder = new URL('../../../examples/scenarios/', import.meta.url);

  it.each(readdirSync(folder))('of the examples, %s, comes up whole and with its traffic', async (name) => {
    const { cluster, clock, api, traffic } = bed();
    const file = readFileText(readFileSync(new URL(name, folder), 'utf8'), name);
    const loaded = loadFile(cluster, file, name);
    await clock.advance(200_000);
    expect(api.list(nodes).filter(isNodeReady)).toHaveLength(loaded.nodes);
    const unready = api.list(pods).filter((pod) => !isPodReady(pod));
    expect(unready.map(({ metadata, status }) => [metadata.name, status?.phase])).toEqual([]);
    const report = traffic.report();
    expect(report.length).toBeGreaterThan(0);
    expect(report.map(({ service, failures }) => [service, failures])).toEqual(
      report.map(({ service }) => [service, { NoEndpoint: 0, Refused: 0, Reset: 0, TimedOut: 0, TooSlow: 0 }]),
    );
    for (const { sent } of report) expect(sent).toBeGreaterThan(100);
    cluster.stop();
  });

  it('puts the pods of a workload on its pools, and tolerates their taints', async () => {
    const { clock, api, load } = bed();
    load({
      pools: [
        { name: 'db', count: 2, taints: [{ key: 'dedicated', value: 'db' }] },
        { name: 'web', count: 2 },
        { name: 'batch', count: 2 },
      ],
      workloads: [
        { name: 'store', pool: 'db', replicas: 2, apart: 'node' },
        { name: 'any', pool: ['web', 'batch'], replicas: 4, spread: { over: 'node', required: true } },
      ],
    });
    await clock.advance(60_000);
    const where = api.list(pods).map(({ metadata, spec }) => [metadata.labels?.['app'], spec.nodeName]);
    expect(where.map(([app, on]) => `${app} ${on}`).sort()).toEqual([
      'any batch-1',
      'any batch-2',
      'any web-1',
      'any web-2',
      'store db-1',
      'store db-2',
    ]);
  });

  it('writes what it says of a workload into manifests', () => {
    const { api, load } = bed();
    load({
      workloads: [
        {
          name: 'shop',
          namespace: 'prod',
          replicas: 3,
          budget: { minAvailable: '50%', unhealthy: 'AlwaysAllow' },
          ready: '2s to 5s',
          stop: '1s',
          grace: '1m',
          preStop: '5s',
          exitsAtSigterm: true,
          strategy: { surge: 1, unavailable: 0 },
          service: { port: 8080 },
        },
        { name: 'log', kind: 'DaemonSet' },
        { name: 'work', kind: 'Job', replicas: 2, runFor: '5m' },
      ],
    });
    const shop = api.get(deployments, 'prod', 'shop');
    expect(shop).toMatchObject({
      spec: {
        replicas: 3,
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: {
          metadata: {
            annotations: {
              'sim.drover.dev/ready': '2000 to 5000',
              'sim.drover.dev/stop': '1000',
              'sim.drover.dev/exits-at-sigterm': 'true',
            },
          },
          spec: {
            terminationGracePeriodSeconds: 60,
            containers: [{ lifecycle: { preStop: { sleep: { seconds: 5 } } }, ports: [{ containerPort: 8080 }] }],
          },
        },
      },
    });
    expect(api.get(budgets, 'prod', 'shop')).toMatchObject({
      spec: { minAvailable: '50%', unhealthyPodEvictionPolicy: 'AlwaysAllow', selector: { matchLabels: { app: 'shop' } } },
    });
    expect(api.get(services, 'prod', 'shop')).toMatchObject({ spec: { selector: { app: 'shop' }, ports: [{ port: 8080 }] } });
    expect(api.list(namespaces).map(({ metadata }) => metadata.name)).toContain('prod');
  });

  it('leaves nothing behind when one of its objects is refused', async () => {
    const { clock, api, load } = bed();
    const broken: ScenarioInput = {
      pools: [{ name: 'web', count: 1 }],
      workloads: [{ name: 'shop' }],
      objects: [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'other' } },
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'bad' }, spec: { replicas: -1 } },
      ],
    };
    expect(() => load(broken)).toThrow(ScenarioError);
    expect(() => load(broken)).toThrow(/^x: Deployment bad: Deployment\.apps "bad" is invalid: /);
    await clock.advance(10_000);
    expect([api.count(nodes), api.count(deployments), api.count(configMaps), api.count(pods)]).toEqual([0, 0, 0, 0]);
  });

  it('repeats itself for the same seed', async () => {
    const once = async () => {
      const { clock, api, load } = bed();
      load({ pools: [{ name: 'web', count: 3 }], workloads: [{ name: 'shop', replicas: 6, service: { rate: 20 } }] });
      await clock.advance(30_000);
      return api.list(pods).map(({ metadata, spec, status }) => [metadata.name, metadata.uid, spec.nodeName, status]);
    };
    expect(await once()).toEqual(await once());
  });
});

describe('events of a scenario', () => {
  const pools = [{ name: 'web', count: 2 }];

  it('happen at their times: cordon, taint, label, and back', async () => {
    const cluster = bed();
    cluster.load({
      pools,
      events: [
        { at: '10s', cordon: { node: 'web-1' } },
        { at: '20s', taint: { pool: 'web', key: 'a.example/b', value: 'c', effect: 'NoSchedule' } },
        { at: '30s', label: { node: 'web-2', labels: { tier: 'old' } } },
        { at: '40s', uncordon: { node: 'web-1' } },
        { at: '40s', untaint: { node: 'web-1', key: 'a.example/b' } },
        { at: '40s', unlabel: { node: 'web-2', key: 'tier' } },
      ],
    });
    const own = (name: string) => node(cluster, name).spec.taints?.filter(({ key }) => key === 'a.example/b');
    await cluster.clock.advance(9_999);
    expect(node(cluster, 'web-1').spec.unschedulable).toBeUndefined();
    await cluster.clock.advance(22_000);
    expect(node(cluster, 'web-1').spec.unschedulable).toBe(true);
    const tainted = [{ key: 'a.example/b', value: 'c', effect: 'NoSchedule' }];
    expect([own('web-1'), own('web-2')]).toEqual([tainted, tainted]);
    expect(node(cluster, 'web-2').metadata.labels).toMatchObject({ tier: 'old' });
    await cluster.clock.advance(10_000);
    expect(node(cluster, 'web-1').spec.unschedulable).toBeUndefined();
    expect([own('web-1') ?? [], own('web-2')?.length]).toEqual([[], 1]);
    expect(node(cluster, 'web-2').metadata.labels).not.toHaveProperty('tier');
  });

  it('reboot a node: it comes back with another boot id', async () => {
    const cluster = bed();
    cluster.load({ pools, events: [{ at: '10s', reboot: { node: 'web-1' } }] });
    await cluster.clock.advance(9_000);
    const before = node(cluster, 'web-1').status?.nodeInfo?.['bootID'];
    await cluster.clock.advance(120_000);
    expect(isNodeReady(node(cluster, 'web-1'))).toBe(true);
    expect(node(cluster, 'web-1').status?.nodeInfo?.['bootID']).not.toBe(before);
  });

  it('silence a kubelet, and let it come back', async () => {
    const cluster = bed();
    const events = [
      { at: '10s', stopKubelet: { node: 'web-1' } },
      { at: '3m', startKubelet: { node: 'web-1' } },
    ];
    cluster.load({ pools, events });
    await cluster.clock.advance(120_000);
    expect(isNodeReady(node(cluster, 'web-1'))).toBe(false);
    await cluster.clock.advance(120_000);
    expect(isNodeReady(node(cluster, 'web-1'))).toBe(true);
  });

  it('resize a pool, with boots that fail', async () => {
    const { clock, api, load } = bed();
    load({
      pools,
      events: [
        { at: '1s', resize: { pool: 'web', count: 3 } },
        { at: '2m', failBoots: { pool: 'web', share: 1 } },
        { at: '2m', resize: { pool: 'web', count: 4 } },
      ],
    });
    await clock.advance(119_000);
    expect(api.list(nodes).map(({ metadata }) => metadata.name)).toEqual(['web-1', 'web-2', 'web-3']);
    await clock.advance(600_000);
    expect(api.count(nodes)).toBe(3);
  });

  it('scale Deployments and StatefulSets', async () => {
    const { clock, api, load } = bed();
    load({
      pools,
      workloads: [
        { name: 'a', replicas: 2 },
        { name: 'b', kind: 'StatefulSet' },
      ],
      events: [
        { at: '5s', scale: { workload: 'a', replicas: 5 } },
        { at: '5s', scale: { workload: 'b', replicas: 3 } },
      ],
    });
    await clock.advance(6_000);
    expect(api.get(deployments, 'default', 'a')?.spec.replicas).toBe(5);
    expect(api.get(statefulSets, 'default', 'b')?.spec.replicas).toBe(3);
  });

  it('of what is gone by then do nothing', async () => {
    const { clock, api, load } = bed();
    load({
      pools,
      workloads: [{ name: 'a' }],
      events: [
        { at: '5s', cordon: { node: 'web-1' } },
        { at: '5s', scale: { workload: 'a', replicas: 5 } },
      ],
    });
    api.remove(nodes, '', 'web-1');
    api.remove(deployments, 'default', 'a');
    await clock.advance(10_000);
    expect(api.get(nodes, '', 'web-1')).toBeUndefined();
  });
});
