import { describe, expect, it } from 'vitest';
import { MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { createFakeClient, type Handler, type RawObject, refusal, settled } from '../../test/fake-client.ts';
import { rawNode, rawPod } from '../../test/raw-objects.ts';
import type { Pod } from '../api/objects.ts';
import { type DrainSettings, defaultDrainSettings } from '../engine/settings.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import type { DrainRunReport } from './drain-report.ts';
import { runDrain } from './run-drain.ts';

const BY = 'cli:ada@desk';

interface Parts {
  readonly objects: readonly RawObject[];
  readonly nodes?: readonly string[];
  readonly settings?: Partial<DrainSettings>;
  readonly parallel?: number;
  readonly timeoutMs?: number | null;
  readonly handler?: Handler;
  readonly lookFirst?: (pods: readonly Pod[]) => void;
}

async function start({ objects, nodes = ['node-1'], settings = {}, parallel = 1, timeoutMs = null, handler, lookFirst }: Parts) {
  const client = createFakeClient(objects);
  if (handler) client.handle(handler);
  const clock = createVirtualClock(NOW);
  const controller = new AbortController();
  const reports: DrainRunReport[] = [];
  const warnings: string[] = [];
  const run = runDrain({
    client,
    clock,
    log: { ...silentLog, warn: (message) => void warnings.push(message) },
    random: () => 0.5,
    nodes,
    settings: { ...defaultDrainSettings, handover: 'Never', emptyForMs: 0, waitForVolumes: false, ...settings },
    parallel,
    by: BY,
    reason: 'maintenance',
    timeoutMs,
    signal: controller.signal,
    onReport: (report) => void reports.push(report),
    ...(lookFirst && { lookFirst }),
  });
  run.catch(() => {}); // looked at by the test
  await settled();
  const later = async (ms: number) => {
    await clock.advance(ms);
    await settled();
  };
  return { client, clock, controller, reports, warnings, run, later };
}

const stuck = rawPod('stuck', { owner: null });
const spec = (client: ReturnType<typeof createFakeClient>, node = 'node-1') => client.get(`/api/v1/nodes/${node}`)?.['spec'];

describe('a run of the drain', () => {
  it('cordons and empties the node, tells how it goes, and leaves the node cordoned with nothing running', async () => {
    const { client, clock, reports, run } = await start({ objects: [rawNode(), rawPod('a'), rawPod('b')] });
    await expect(run).resolves.toEqual({
      ok: true,
      nodes: [{ name: 'node-1', outcome: 'Drained', message: '', seconds: 0, pods: 2 }],
    });
    expect(spec(client)).toMatchObject({ unschedulable: true });
    expect(reports.at(-1)?.nodes[0]).toMatchObject({ phase: 'Drained', total: 2, gone: 2, remaining: 0, finishedAt: NOW });
    expect(clock.next()).toBeUndefined();
  });

  it('drains as many nodes at once as it is told, one after the other by default', async () => {
    const objects = ['node-1', 'node-2', 'node-3'].flatMap((name) => [rawNode(name), rawPod(`on-${name}`, { nodeName: name })]);
    const held = new Set<string>();
    const handler: Handler = ({ path }) => {
      if (path.endsWith('/eviction')) held.add(path);
      return path.endsWith('/eviction') ? {} : undefined;
    };
    const cordoned = ({ client }: Awaited<ReturnType<typeof start>>) =>
      ['node-1', 'node-2', 'node-3'].filter((name) => (spec(client, name) as { unschedulable?: boolean }).unschedulable);
    const nodes = ['node-1', 'node-2', 'node-3'];
    expect(cordoned(await start({ objects, nodes, handler }))).toEqual(['node-1']);
    expect(cordoned(await start({ objects, nodes, handler, parallel: 2 }))).toEqual(['node-1', 'node-2']);
  });

  it('does not step aside by itself: a command has nobody who comes back', async () => {
    const { reports, later } = await start({ objects: [rawNode(), stuck], settings: { stepAsideMs: MINUTE } });
    await later(30 * MINUTE);
    expect(reports.at(-1)?.nodes[0]).toMatchObject({ phase: 'Draining', remaining: 1, waitingFor: { cause: 'ProtectedPod' } });
  });

  it('reports at most ten times a second', async () => {
    const { client, reports, later } = await start({ objects: [rawNode(), stuck] });
    await later(100);
    const before = reports.length;
    for (let change = 0; change < 20; change += 1) {
      client.put(rawNode('node-1', { labels: { change: String(change) }, spec: { unschedulable: true } }));
      await settled();
    }
    expect(reports.length - before).toBeLessThanOrEqual(1);
    await later(100);
    expect(reports.length - before).toBeLessThanOrEqual(2);
    expect(reports.length).toBeGreaterThan(before);
  });

  it('that runs out of time says so, and leaves the node cordoned with its journal for the next run', async () => {
    const { client, run, later } = await start({ objects: [rawNode(), stuck], timeoutMs: 10 * SECOND });
    await later(10 * SECOND);
    await expect(run).resolves.toMatchObject({ ok: false, nodes: [{ outcome: 'TimedOut', seconds: 10 }] });
    expect(spec(client)).toMatchObject({ unschedulable: true });
  });

  it('that is interrupted takes back the marks on nodes that it has not begun', async () => {
    const objects = [rawNode('node-1'), stuck, rawNode('node-2')];
    const { client, controller, run, later } = await start({ objects, nodes: ['node-1', 'node-2'] });
    expect(spec(client, 'node-2')).toHaveProperty('taints');
    controller.abort();
    await later(0);
    await expect(run).resolves.toMatchObject({ ok: false, nodes: [{ outcome: 'Interrupted' }, { outcome: 'NotStarted' }] });
    expect(spec(client, 'node-2')).not.toHaveProperty('taints');
    expect(spec(client, 'node-1')).toMatchObject({ unschedulable: true });
  });

  it('that cannot tidy up still tells how it went, and what is left to do', async () => {
    const { client, controller, run, warnings, later } = await start({ objects: [rawNode(), stuck] });
    client.handle(() => {
      throw refusal(503, '', { message: 'gone away' });
    });
    controller.abort();
    await later(0);
    await expect(run).resolves.toMatchObject({ ok: false, nodes: [{ outcome: 'Interrupted' }] });
    expect(warnings.at(-1)).toContain('drover uncordon takes them back: gone away');
  });

  it('ends for a node that someone else uncordons meanwhile', async () => {
    const { client, run } = await start({ objects: [rawNode(), stuck] });
    const node = client.get('/api/v1/nodes/node-1');
    client.put({ ...(node as RawObject), spec: {} });
    await settled();
    await expect(run).resolves.toMatchObject({
      ok: false,
      nodes: [{ outcome: 'Failed', message: 'the node was uncordoned by someone else' }],
    });
    expect(client.get('/api/v1/nodes/node-1')).toMatchObject({ metadata: { annotations: {} } });
  });

  it('drains a node again that kubectl uncordoned after an earlier run, and leaves an undo that opens it', async () => {
    const earlier = { by: `${BY}/node-1`, since: '2026-01-01T11:00:00Z', stage: 'Cordoned', undo: { unschedulable: false } };
    const node = rawNode('node-1', { annotations: { 'drover.dev/maintenance': JSON.stringify(earlier) } });
    const { client, run, later } = await start({ objects: [node, rawPod('a')] });
    await later(SECOND);
    await expect(run).resolves.toMatchObject({ ok: true, nodes: [{ outcome: 'Drained', pods: 1 }] });
    expect(spec(client)).toMatchObject({ unschedulable: true });
    const annotations = client.get('/api/v1/nodes/node-1')?.metadata['annotations'] as Record<string, string>;
    expect(JSON.parse(annotations['drover.dev/maintenance'] ?? '')).toMatchObject({ undo: { unschedulable: false } });
  });

  it('changes nothing when the first look at the pods refuses', async () => {
    const lookFirst = (pods: readonly Pod[]) => {
      throw new Error(`${pods.length} pods looked at`);
    };
    const { run, client, clock } = await start({ objects: [rawNode(), rawPod('a'), rawPod('b')], lookFirst });
    await expect(run).rejects.toThrow('2 pods looked at');
    expect(client.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(clock.next()).toBeUndefined();
  });

  it('goes on after a first look that has nothing against it, and looks only once', async () => {
    const looks: number[] = [];
    const { run } = await start({ objects: [rawNode(), rawPod('a')], lookFirst: (pods) => void looks.push(pods.length) });
    await expect(run).resolves.toMatchObject({ ok: true });
    expect(looks).toEqual([1]);
  });

  it('fails for a node that is not there, and names it', async () => {
    const { run, clock } = await start({ objects: [rawNode()], nodes: ['node-9'] });
    await expect(run).rejects.toMatchObject({ name: 'UnknownNode', node: 'node-9' });
    expect(clock.next()).toBeUndefined();
  });

  it('ends when it may not read the budgets, and touches nothing', async () => {
    const handler: Handler = ({ path }) => {
      if (path === '/apis/policy/v1/poddisruptionbudgets') throw refusal(403, 'Forbidden');
      return undefined;
    };
    const { run, client } = await start({ objects: [rawNode(), rawPod('a')], handler, timeoutMs: MINUTE });
    await expect(run).rejects.toMatchObject({ code: 403, message: expect.stringContaining('no pod has left') });
    expect(client.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('fails when it may not read nodes', async () => {
    const handler: Handler = ({ path }) => {
      if (path === '/api/v1/nodes') throw refusal(403, 'Forbidden');
      return undefined;
    };
    const { run, clock } = await start({ objects: [rawNode()], handler, timeoutMs: MINUTE });
    await expect(run).rejects.toMatchObject({ code: 403 });
    expect(clock.next()).toBeUndefined();
  });

  it('can be interrupted, and runs out of time, while the server does not answer', async () => {
    const handler: Handler = () => {
      throw refusal(0);
    };
    const interrupted = await start({ objects: [rawNode()], handler });
    interrupted.controller.abort();
    await interrupted.later(0);
    await expect(interrupted.run).resolves.toMatchObject({ ok: false, nodes: [{ outcome: 'NotStarted' }] });
    const late = await start({ objects: [rawNode()], handler, timeoutMs: MINUTE });
    await late.later(MINUTE);
    await expect(late.run).resolves.toMatchObject({ ok: false, nodes: [{ outcome: 'NotStarted' }] });
  });
});
