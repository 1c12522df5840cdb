import { describe, expect, it } from 'vitest';
import { crds } from '../api/crd.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { administrator } from './apiserver/door.ts';
import { customResourceDefinitions, deployments, nodes, pods, replicaSets } from './apiserver/kinds.ts';
import { type ClusterOptions, createSimulatedCluster } from './cluster.ts';
import { isPodReady } from './conditions.ts';
import { instantSteps } from './kubelet/timing.ts';
import type { KubeObject } from './kubernetes.ts';
import { loadScenario } from './scenario/load.ts';
import { readScenario } from './scenario/read.ts';

const START = Date.parse('2026-11-21T12:00:00Z');

function bed(options: Omit<ClusterOptions, 'clock'> = {}) {
  const clock = createVirtualClock(START);
  const cluster = createSimulatedCluster({ clock, ...options });
  const scenario = {
    pools: [{ name: 'web', count: 4, zones: ['a', 'b'] }],
    workloads: [{ name: 'shop', replicas: 4, budget: { maxUnavailable: 1 }, service: { rate: 50 } }],
  };
  const load = () => loadScenario(cluster, readScenario(scenario, 'x'), 'x');
  const ready = () => cluster.api.list(pods).filter(isPodReady).length;
  return { ...cluster, cluster, clock, load, ready };
}

describe('the simulated cluster', () => {
  it('brings up what a scenario asks for', async () => {
    const { clock, load, ready, api, stop } = bed();
    load();
    await clock.advance(30_000);
    expect([api.count(nodes), ready()]).toEqual([4, 4]);
    stop();
  });

  it('reacts without any delay when it is told to have none', async () => {
    const { clock, load, ready } = bed({ latencies: 'none', kubelets: { steps: instantSteps } });
    load();
    await clock.advance(0);
    // An API server tells times in whole seconds; nothing else may take time.
    await clock.advance(1_000);
    expect(ready()).toBe(4);
  });

  it('leaves out the parts that it is told to', async () => {
    const without = bed({ without: ['scheduler'] });
    without.load();
    await without.clock.advance(30_000);
    expect(without.api.list(pods).map(({ spec }) => spec.nodeName)).toEqual(Array(4).fill(undefined));

    const headless = bed({ without: ['deployments', 'kubelets'] });
    headless.load();
    await headless.clock.advance(10_000);
    expect([headless.api.count(deployments), headless.api.count(replicaSets), headless.kubelets]).toEqual([1, 0, undefined]);
  });

  it('takes the latency of one part alone', async () => {
    const { clock, load, api } = bed({ latencies: { 'replica-sets': { least: 60_000, spread: 0 } } });
    load();
    await clock.advance(59_000);
    expect([api.count(replicaSets), api.count(pods)]).toEqual([1, 0]);
    await clock.advance(2_000);
    expect(api.count(pods)).toBe(4);
  });

  it('keeps a budget through evictions one after the other, without losing a request', async () => {
    const { clock, load, api, traffic, ready } = bed();
    load();
    await clock.advance(30_000);
    let least = ready();
    api.watch(pods, () => (least = Math.min(least, ready())));
    const evict = (name: string) => {
      try {
        api.evict('default', name);
        return 'evicted';
      } catch (error) {
        return (error as { code?: number }).code;
      }
    };
    const [first = '', second = ''] = api.list(pods).map(({ metadata }) => metadata.name);
    expect([evict(first), evict(second)]).toEqual(['evicted', 429]);
    await clock.advance(30_000);
    expect([evict(second), ready()]).toEqual(['evicted', 4]);
    await clock.advance(30_000);
    expect([least, ready()]).toEqual([3, 4]);
    expect(traffic.report()).toMatchObject([{ service: 'shop', failed: 0 }]);
  });

  it('serves custom resources once their definitions are there, with validation and defaults', async () => {
    const { clock, api, handle } = bed();
    for (const crd of crds()) api.create(customResourceDefinitions, crd as unknown as KubeObject);
    await clock.advance(1_000);
    const post = (spec: object) =>
      handle({
        method: 'POST',
        path: '/apis/drover.dev/v1alpha1/nodemaintenances',
        query: new URLSearchParams(),
        user: administrator,
        body: { apiVersion: 'drover.dev/v1alpha1', kind: 'NodeMaintenance', metadata: { name: 'a' }, spec },
      });
    const ladder = [
      { after: '2m', do: 'Handover' },
      { after: '1m', do: 'Delete' },
    ];
    // A rule in the Common Expression Language; the schema alone finds nothing wrong with it.
    expect(post({ nodeName: 'web-1', drain: { ladder } })).toMatchObject({
      code: 422,
      body: { details: { causes: [{ field: 'spec.drain.ladder' }] } },
    });
    expect(post({ nodeName: 7 })).toMatchObject({ code: 422, body: { reason: 'Invalid' } });
    expect(post({ nodeName: 'web-1' })).toMatchObject({ code: 201, body: { spec: { nodeName: 'web-1', action: 'Drain' } } });
  });

  it('leaves no timer behind when it is stopped', async () => {
    const { clock, load, stop, api } = bed();
    load();
    await clock.advance(20_000);
    for (const { metadata } of api.list(pods).slice(0, 2)) api.remove(pods, 'default', metadata.name);
    api.remove(nodes, '', 'web-1');
    await clock.advance(5);
    stop();
    expect(clock.next()).toBeUndefined();
  });

  it('does the same again for the same seed, and something else for another', async () => {
    const once = async (seed: number) => {
      const { clock, load, api, cluster } = bed({ seed });
      load();
      await clock.advance(20_000);
      cluster.kubelets?.reboot('web-1');
      await clock.advance(120_000);
      return JSON.stringify([api.currentVersion(), api.list(pods), cluster.traffic.report()]);
    };
    const [first, again, other] = [await once(1), await once(1), await once(2)];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });
});
