import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../lib/clock.ts';
import { createApi } from '../apiserver/create-api.ts';
import { endpointSlices, nodes, pods } from '../apiserver/kinds.ts';
import type { EndpointSlice, Pod } from '../kubernetes.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { timestamp } from '../timestamp.ts';
import { EXITS_AT_SIGTERM } from './backends.ts';
import type { FlowSettings } from './flow.ts';
import { noFailures } from './failure-causes.ts';
import { totalOf } from './tally.ts';
import { startTraffic, type TrafficOptions } from './traffic.ts';

const START = Date.parse('2026-11-21T12:00:00Z');

/** A Service "web" whose slice the test writes by hand, 100 requests a second of 10 ms each, known to its clients 50 ms later. */
function bed(settings: Partial<FlowSettings> = {}, options: TrafficOptions = {}) {
  const clock = createVirtualClock(START);
  const api = createApi({ clock, random: createSeededRandom(1) });
  const traffic = startTraffic(api, { propagation: { least: 50, spread: 0 }, ...options });

  const addNode = (name: string) =>
    void (api.get(nodes, '', name) ?? api.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} }));
  const setStatus = (name: string, running: boolean, ready: boolean) =>
    api.modify<Pod>(
      pods,
      'default',
      name,
      (pod) => ({
        ...pod,
        status: {
          ...pod.status,
          phase: 'Running',
          conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: timestamp(clock.now()) }],
          containerStatuses: [
            {
              name: 'app',
              ready,
              restartCount: 0,
              state: running ? { running: {} } : { terminated: { exitCode: 1 } },
            },
          ],
        },
      }),
      { subresource: 'status' },
    );
  const addPod = (name: string, more: { node?: string; annotations?: Record<string, string>; preStop?: number } = {}) => {
    addNode(more.node ?? 'node-1');
    const lifecycle = more.preStop === undefined ? {} : { lifecycle: { preStop: { sleep: { seconds: more.preStop } } } };
    const spec = { nodeName: more.node ?? 'node-1', containers: [{ name: 'app', image: 'app', ...lifecycle }] };
    const metadata = { name, namespace: 'default', annotations: more.annotations ?? {} };
    api.create<Pod>(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec });
    setStatus(name, true, true);
  };
  const conditionsOf = (word: string) =>
    word === 'ready'
      ? { ready: true, serving: true, terminating: false }
      : word === 'terminating'
        ? { ready: false, serving: true, terminating: true }
        : { ready: false, serving: false, terminating: false };
  const list = (listed: Record<string, 'ready' | 'terminating' | 'unready'>) => {
    const endpoints = Object.entries(listed).map(([name, word]) => ({
      addresses: ['10.0.0.1'],
      conditions: conditionsOf(word),
      targetRef: { kind: 'Pod', namespace: 'default', name, uid: api.get(pods, 'default', name)?.metadata.uid ?? 'gone' },
    }));
    const labels = { 'kubernetes.io/service-name': 'web' };
    const slice = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', endpoints } as const;
    if (!api.modify<EndpointSlice>(endpointSlices, 'default', 'web-1', (each) => ({ ...each, endpoints })))
      api.create<EndpointSlice>(endpointSlices, { ...slice, metadata: { name: 'web-1', namespace: 'default', labels } });
  };
  const remove = (name: string, gracePeriodSeconds?: number) =>
    api.remove(pods, 'default', name, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds });
  const counts = () => {
    const [only] = traffic.report();
    if (!only) throw new Error('no request was sent yet');
    return only;
  };
  traffic.send({ namespace: 'default', service: 'web', rate: 100, serviceTime: { least: 10, spread: 0 }, ...settings });
  return { clock, api, traffic, addPod, setStatus, list, remove, counts };
}

describe('traffic to a Service', () => {
  it('begins when its first endpoint is ready, and keeps its rate', async () => {
    const { clock, traffic, addPod, list, counts } = bed();
    await clock.advance(5_000);
    expect(traffic.report()).toEqual([]);
    addPod('a');
    list({ a: 'ready' });
    await clock.advance(10_200);
    const { sent, succeeded, failed, latency } = counts();
    expect(sent).toBeGreaterThanOrEqual(1_000);
    expect(sent).toBeLessThanOrEqual(1_011);
    expect([failed, sent - succeeded <= 2, latency?.max]).toEqual([0, true, 10]);
  });

  it('counts each second of it', async () => {
    const { clock, traffic, addPod, list, remove } = bed();
    addPod('a');
    list({ a: 'ready' });
    await clock.advance(3_000);
    remove('a', 0);
    await clock.advance(2_000);
    const seconds = traffic.seconds('default', 'web');
    expect(seconds.map(({ second }) => second - START / 1_000)).toEqual([0, 1, 2, 3, 4, 5].slice(0, seconds.length));
    expect(seconds[1]).toMatchObject({ sent: 100, failed: 0 });
    expect(seconds[4]).toMatchObject({ sent: 100, failed: 100 });
    expect(traffic.seconds('default', 'web', START / 1_000 + 4).map(({ failed }) => failed)[0]).toBe(100);
  });

  it('goes to a stopped pod until the proxies have heard of it', async () => {
    const { clock, addPod, list, remove, counts } = bed();
    addPod('a');
    addPod('b');
    list({ a: 'ready', b: 'ready' });
    await clock.advance(1_000);
    list({ a: 'ready' });
    remove('b', 0);
    await clock.advance(1_000);
    const { failures } = counts();
    // Half of the requests of 50 ms.
    expect(failures.Refused).toBeGreaterThan(0);
    expect(failures.Refused).toBeLessThan(6);
    expect({ ...failures, Refused: 0, Reset: 0 }).toEqual(noFailures());
    await clock.advance(5_000);
    expect(counts().failures).toEqual(failures);
  });

  it('loses nothing when the pod goes only after the proxies have heard of it', async () => {
    const { clock, addPod, list, remove, counts } = bed();
    addPod('a');
    addPod('b', { annotations: { [EXITS_AT_SIGTERM]: 'true' } });
    list({ a: 'ready', b: 'ready' });
    await clock.advance(1_000);
    list({ a: 'ready' });
    await clock.advance(100);
    remove('b');
    await clock.advance(5_000);
    expect(counts().failed).toBe(0);
  });

  it.each([
    ['goes on until its process has ended', {}, 0],
    ['is cut off where the process exits at SIGTERM', { annotations: { [EXITS_AT_SIGTERM]: 'true' } }, 1],
    ['goes on while a preStop hook delays the SIGTERM', { annotations: { [EXITS_AT_SIGTERM]: 'true' }, preStop: 5 }, 0],
  ])('of a pod that is told to stop, %s', async (_, pod, failing) => {
    const { clock, addPod, list, remove, counts } = bed({ serviceTime: { least: 40, spread: 0 } });
    addPod('a');
    addPod('b', pod);
    list({ a: 'ready', b: 'ready' });
    await clock.advance(1_000);
    remove('b');
    list({ a: 'ready', b: 'terminating' });
    await clock.advance(3_000);
    const { failures } = counts();
    expect([Math.sign(failures.Reset), Math.sign(failures.Refused)]).toEqual([failing, failing]);
  });

  it('does not come back to life when the kubelet of a pod that exited at SIGTERM reports late', async () => {
    const { clock, addPod, setStatus, list, remove, counts } = bed();
    addPod('a', { annotations: { [EXITS_AT_SIGTERM]: 'true' } });
    list({ a: 'ready' });
    await clock.advance(1_000);
    remove('a');
    await clock.advance(100);
    const before = counts().failures.Refused;
    setStatus('a', true, true);
    await clock.advance(1_000);
    expect(counts().failures.Refused - before).toBe(100);
  });

  it('has no endpoint when none is left, but uses terminating ones while they serve', async () => {
    const { clock, addPod, list, counts } = bed();
    addPod('a');
    list({ a: 'ready' });
    await clock.advance(1_000);
    list({ a: 'terminating' });
    await clock.advance(1_000);
    expect(counts().failed).toBe(0);
    list({ a: 'unready' });
    await clock.advance(1_050);
    expect(counts().failures.NoEndpoint).toBeGreaterThanOrEqual(99);
  });

  it('times out when the machine is gone, however its connections were kept', async () => {
    const up = new Set(['node-1', 'node-2']);
    const { clock, addPod, list, counts } = bed({ keepAlive: 0.5 }, { isNodeUp: (name) => up.has(name) });
    addPod('a');
    addPod('b', { node: 'node-2' });
    list({ a: 'ready', b: 'ready' });
    await clock.advance(2_000);
    up.delete('node-2');
    await clock.advance(1_000);
    const { TimedOut } = counts().failures;
    expect(TimedOut).toBeGreaterThan(25);
    list({ a: 'ready' });
    await clock.advance(5_000);
    // The connections that were open end with one request each.
    expect(counts().failures.TimedOut - TimedOut).toBeLessThan(16 + 5);
    expect(counts().failed).toBe(counts().failures.TimedOut);
  });

  it('stays on open connections after the endpoint is gone from the list', async () => {
    const lost = async (keepAlive: number) => {
      const { clock, addPod, list, remove, counts } = bed({ keepAlive, connections: 4 });
      addPod('a');
      addPod('b', { annotations: { [EXITS_AT_SIGTERM]: 'true' } });
      list({ a: 'ready', b: 'ready' });
      await clock.advance(2_000);
      list({ a: 'ready' });
      await clock.advance(1_000);
      remove('b');
      await clock.advance(3_000);
      return counts().failures;
    };
    expect(await lost(0)).toEqual(noFailures());
    const kept = await lost(1);
    expect({ ...kept, Reset: 0 }).toEqual(noFailures());
  });

  it('is slow after a start, which wears off, and fails where that is slower than its clients wait', async () => {
    const slow = async (factor: number) => {
      const { clock, addPod, list, counts } = bed({ slowStart: { forMs: 2_000, factor }, timeoutMs: 1_000 });
      addPod('a');
      list({ a: 'ready' });
      await clock.advance(4_000);
      return counts();
    };
    const warming = await slow(50);
    expect([warming.failed, (warming.latency?.max ?? 0) > 400, (warming.latency?.p50 ?? 0) < 50]).toEqual([0, true, true]);
    const stuck = await slow(200);
    expect(stuck.failures.TooSlow).toBeGreaterThan(80);
    expect(stuck.failures.TooSlow).toBeLessThan(120);
  });

  it('fails while its process crashes, and recovers with it', async () => {
    const { clock, addPod, setStatus, list, counts } = bed();
    addPod('a');
    list({ a: 'ready' });
    await clock.advance(1_000);
    setStatus('a', false, false);
    await clock.advance(1_000);
    setStatus('a', true, false);
    await clock.advance(1_000);
    setStatus('a', true, true);
    await clock.advance(1_000);
    const { Refused, Reset } = counts().failures;
    expect(Refused + Reset).toBeGreaterThanOrEqual(200);
    expect(Refused + Reset).toBeLessThanOrEqual(202);
    expect(Reset).toBeLessThan(3);
  });

  it('keeps its counts when it is ended, and starts anew when it is sent again', async () => {
    const { clock, traffic, addPod, list, counts } = bed();
    addPod('a');
    list({ a: 'ready' });
    await clock.advance(1_000);
    traffic.end('default', 'web');
    const { sent } = counts();
    await clock.advance(1_000);
    expect(counts().sent).toBe(sent);
    traffic.send({ namespace: 'default', service: 'web', rate: 10 });
    await clock.advance(1_200);
    expect(counts().sent).toBeLessThan(15);
  });

  it('repeats itself for the same seed', async () => {
    const once = async () => {
      const { clock, addPod, list, remove, counts } = bed({ keepAlive: 0.3, serviceTime: { least: 5, spread: 50 } });
      for (const name of ['a', 'b', 'c']) addPod(name, { annotations: { [EXITS_AT_SIGTERM]: 'true' } });
      list({ a: 'ready', b: 'ready', c: 'ready' });
      await clock.advance(1_000);
      remove('c');
      await clock.advance(1_000);
      return counts();
    };
    expect(await once()).toEqual(await once());
  });

  it('leaves no timer behind when it is stopped', async () => {
    const { clock, traffic, addPod, list, remove } = bed();
    addPod('a', { annotations: { [EXITS_AT_SIGTERM]: 'true' }, preStop: 10 });
    list({ a: 'ready' });
    await clock.advance(1_000);
    remove('a');
    list({});
    traffic.stop();
    expect(clock.next()).toBeUndefined();
  });

  it('adds up over several Services', async () => {
    const { clock, addPod, list, counts } = bed();
    addPod('a');
    list({ a: 'ready' });
    await clock.advance(1_000);
    const one = counts();
    expect(totalOf([one, one])).toMatchObject({ sent: 2 * one.sent, succeeded: 2 * one.succeeded, failed: 0 });
  });
});
