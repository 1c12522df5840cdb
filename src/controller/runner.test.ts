import { describe, expect, it } from 'vitest';
import { aMaintenance, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { createFakeClient, type Handler, type RawObject, refusal, settled } from '../../test/fake-client.ts';
import { rawNode, rawPod } from '../../test/raw-objects.ts';
import type { Node } from '../api/objects.ts';
import type { Decision } from '../engine/decide.ts';
import { type Maintenance, terminalPhases } from '../engine/maintenance.ts';
import { type DrainSettings, defaultDrainSettings } from '../engine/settings.ts';
import { decodeNodeJson } from '../kube/decode-json.ts';
import { createVirtualClock, type VirtualClock } from '../lib/clock.ts';
import { type Log, silentLog } from '../lib/log.ts';
import { createRunner } from './runner.ts';
import { stateAfter } from './status.ts';

const NODE = '/api/v1/nodes/node-1';
const CORDON = `PATCH ${NODE}`;
const draining = { phase: 'Draining', startedAt: NOW } as const;
const simple: Partial<DrainSettings> = {
  handover: 'Never',
  barePods: 'Evict',
  emptyForMs: 0,
  waitForVolumes: false,
  settleTimeoutMs: null,
};

const idle = { maintenance: { state: { phase: 'Failed', phaseSince: NOW, attempts: 1 } } } as const;
const backsOff = { state: { phase: 'BackOff', phaseSince: NOW, attempts: 1, retryAt: NOW + SECOND } } as const;

/** Refuses every patch. */
const refusing =
  (error: Error): Handler =>
  ({ method }) => {
    if (method === 'PATCH') throw error;
    return undefined;
  };

interface Parts {
  readonly objects?: readonly RawObject[];
  readonly maintenance?: Partial<Maintenance>;
  readonly settings?: Partial<DrainSettings>;
  readonly prepare?: (now: number) => number | null;
  readonly log?: Log;
  /** False: the node's watch shows nothing of what is written. */
  readonly seesNodes?: boolean;
  readonly handler?: Handler;
  readonly restMs?: number;
}

async function start({
  objects = [rawNode()],
  maintenance = {},
  settings = {},
  prepare = () => null,
  log = silentLog,
  seesNodes = true,
  handler,
  restMs = 0,
}: Parts = {}) {
  const client = createFakeClient(objects);
  if (handler) client.handle(handler);
  const wall = { setBackBy: 0 };
  const timers = createVirtualClock(NOW);
  const clock: VirtualClock = { ...timers, now: () => timers.now() - wall.setBackBy };
  const may = { act: true };
  const seen = { passes: 0, answers: [] as string[], gone: [] as string[], pauses: 0, decisions: [] as readonly Decision[] };
  let current: Maintenance = aMaintenance({ settings: { ...defaultDrainSettings, ...simple, ...settings }, ...maintenance });
  const frozen = decodeNodeJson(client.get(NODE) ?? rawNode());
  const nodes = () => {
    const raw = client.get(NODE);
    return new Map<string, Node>(raw ? [['node-1', seesNodes ? decodeNodeJson(raw) : frozen]] : []);
  };
  const runner = createRunner({
    client,
    clock,
    log,
    random: () => 0.5,
    consistency: 'Any',
    dryRun: false,
    store: {
      list: () => (terminalPhases.has(current.state.phase) ? [] : [current]),
      record: (decision, now) => void (current = { ...current, state: stateAfter(decision, now) }),
      pause: async () => void (seen.pauses += 1),
    },
    nodes,
    policies: () => new Map(),
    gates: null,
    holds: () => true,
    mayAct: () => may.act,
    restMs,
    prepare,
    onPass(decisions) {
      seen.passes += 1;
      seen.decisions = decisions;
    },
    onPodGone: (nodeName, pod) => void seen.gone.push(`${nodeName}/${pod.name}`),
    onAnswer: (_, effect, answer) => void seen.answers.push(`${effect.do} ${answer}`),
  });
  await settled();
  const later = async (ms: number) => {
    await clock.advance(ms);
    await settled();
  };
  const cancel = () => {
    current = { ...current, cancelled: true };
    runner.poke();
  };
  return { client, wall, may, seen, runner, later, cancel, phase: () => current.state.phase };
}

describe('the runner', () => {
  it('takes a node through its whole drain on changes alone', async () => {
    const { client, seen, later, phase } = await start({ objects: [rawNode(), rawPod('a'), rawPod('b')] });
    await later(0);
    expect(client.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      CORDON,
      'POST /api/v1/namespaces/shop/pods/a/eviction',
      'POST /api/v1/namespaces/shop/pods/b/eviction',
    ]);
    expect(seen.gone).toEqual(['node-1/a', 'node-1/b']);
    expect(phase()).toBe('Drained');
  });

  it('makes one pass for all the changes of one moment', async () => {
    const { seen, runner } = await start(idle);
    const before = seen.passes;
    for (let change = 0; change < 100; change += 1) runner.poke();
    await settled();
    expect(seen.passes).toBe(before + 1);
  });

  it('comes to rest when nothing changes', async () => {
    const blocked = { objects: [rawNode(), rawPod('bare', { owner: null })], settings: { barePods: 'Protect' } } as const;
    const { seen } = await start(blocked);
    const before = seen.passes;
    await settled();
    expect(seen.passes).toBe(before);
    expect(seen.decisions[0]?.waitingFor).toMatchObject({ cause: 'ProtectedPod' });
  });

  it('comes to rest while the owner of a pod is told that it blocks', async () => {
    const ladder = [{ afterMs: 0, do: 'TellOwner' }] as const;
    const { seen, later } = await start({
      objects: [rawNode(), rawPod('bare', { owner: null })],
      settings: { barePods: 'Protect', ladder },
    });
    const before = seen.passes;
    await settled();
    expect(seen.passes).toBe(before);
    await later(MINUTE);
    expect(seen.answers.filter((each) => each.startsWith('TellOwner'))).toEqual(['TellOwner Done']);
  });

  it('wakes up when time alone changes something, and at the time that finding work asks for', async () => {
    const times: number[] = [];
    const { later } = await start({
      maintenance: { state: { phase: 'BackOff', phaseSince: NOW, attempts: 1, retryAt: NOW + MINUTE } },
      prepare: (now) => {
        times.push(now);
        return now < NOW + 10 * SECOND ? NOW + 10 * SECOND : null;
      },
    });
    await later(9_999);
    expect(new Set(times)).toEqual(new Set([NOW]));
    await later(1);
    expect(times.at(-1)).toBe(NOW + 10 * SECOND);
    await later(MINUTE);
    expect(times).toContain(NOW + MINUTE);
  });

  it('rests between two passes for as long as it is told to, and looks at once after a quiet moment', async () => {
    const { seen, runner, later } = await start({ ...idle, restMs: 50 });
    await later(SECOND);
    const before = seen.passes;
    for (let change = 0; change < 8; change += 1) {
      runner.poke();
      await later(10);
    }
    expect(seen.passes).toBe(before + 2);
    await later(SECOND);
    expect(seen.passes).toBe(before + 3);
  });

  it('does not stand still until a clock that was set back has caught up', async () => {
    const { wall, seen, runner, later } = await start({ ...idle, restMs: 50 });
    wall.setBackBy = 60 * MINUTE;
    const before = seen.passes;
    runner.poke();
    await later(SECOND);
    expect(seen.passes).toBe(before + 1);
  });

  it('sends nothing when it may not act', async () => {
    const { client, may, runner, later } = await start({ objects: [rawNode(), rawPod('a')], maintenance: backsOff });
    may.act = false;
    await later(SECOND);
    runner.poke();
    await later(MINUTE);
    expect(client.requests).toEqual([]);
    may.act = true;
    runner.poke();
    await later(MINUTE);
    expect(client.requests.length).toBeGreaterThan(0);
  });

  it('sends at most 60 requests for pods at once, and the rest as they are answered', async () => {
    const pods = Array.from({ length: 130 }, (_, index) => rawPod(`pod-${index}`));
    const answers: (() => void)[] = [];
    const evictions = ({ path }: { path: string }) => path.endsWith('/eviction');
    const { client, later } = await start({
      objects: [rawNode(), ...pods],
      handler: (request) => (evictions(request) ? new Promise((resolve) => answers.push(() => resolve({}))) : undefined),
    });
    expect(client.requests.filter(evictions)).toHaveLength(60);
    answers.shift()?.();
    await later(0);
    expect(client.requests.filter(evictions)).toHaveLength(61);
    while (answers.length > 0) {
      answers.shift()?.();
      await later(0);
    }
    expect(client.requests.filter(evictions)).toHaveLength(130);
  });

  it('looks again when a charge on a budget lapses that its status never showed', async () => {
    // The first pod is gone before its eviction is answered, so the budget is not charged and its status never changes.
    const budget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: 'shop', generation: 1 },
      spec: { selector: { matchLabels: { app: 'web' } }, maxUnavailable: 1 },
      status: { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 },
    };
    const { client, later } = await start({ objects: [rawNode(), rawPod('a'), rawPod('b'), budget] });
    expect(client.sent('POST')).toHaveLength(1);
    await later(1_999);
    expect(client.sent('POST')).toHaveLength(1);
    await later(1);
    expect(client.sent('POST')).toHaveLength(2);
  });

  it('ends with what is under way, and begins nothing more', async () => {
    let release: (answer: unknown) => void = () => {};
    const { client, seen, runner } = await start({
      objects: [rawNode(), rawPod('a')],
      handler: ({ method }) => (method === 'PATCH' ? new Promise((resolve) => (release = resolve)) : undefined),
    });
    let stopped = false;
    const stopping = runner.stop().then(() => (stopped = true));
    await settled();
    expect(stopped).toBe(false);
    release(undefined);
    await stopping;
    const before = seen.passes;
    runner.poke();
    await settled();
    expect(seen.passes).toBe(before);
    expect(client.sent('POST')).toEqual([]);
  });
});

describe('a change of a node', () => {
  const begun = { state: { ...draining, phaseSince: NOW, attempts: 0 } };

  it('is not repeated while the cache still shows the node as it was, but is after a second', async () => {
    const { client, runner, later } = await start({ maintenance: begun, seesNodes: false });
    expect(client.sent(CORDON)).toHaveLength(1);
    runner.poke();
    await settled();
    expect(client.sent(CORDON)).toHaveLength(1);
    await later(999);
    expect(client.sent(CORDON)).toHaveLength(1);
    await later(1);
    expect(client.sent(CORDON)).toHaveLength(2);
  });

  it('is not repeated while it is under way, however long that takes', async () => {
    let release: (answer: unknown) => void = () => {};
    const held: Handler = ({ method }) => (method === 'PATCH' ? new Promise((resolve) => (release = resolve)) : undefined);
    const { client, runner, later } = await start({ maintenance: begun, handler: held });
    await later(20 * SECOND);
    runner.poke();
    await settled();
    expect(client.sent(CORDON)).toHaveLength(1);
    release({});
    await runner.stop();
  });

  it('that meets a node written by someone else is made on the newer one at once', async () => {
    const { client, seen, runner } = await start({ maintenance: begun, handler: refusing(refusal(409, 'Conflict')) });
    expect(seen.answers).toEqual(['Cordon Conflict']);
    client.handle(() => undefined);
    client.put(rawNode('node-1', { labels: { new: 'one' } }));
    runner.poke();
    await settled();
    expect(client.sent(CORDON)).toHaveLength(2);
    expect(client.get(NODE)).toMatchObject({ spec: { unschedulable: true } });
  });

  it('that is refused is told, logged, and tried again after a second', async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
    const { client, seen, later } = await start({
      maintenance: begun,
      log,
      handler: refusing(refusal(403, 'Forbidden', { message: 'no right' })),
    });
    expect([seen.answers, warnings]).toEqual([['Cordon Failed'], ['cannot patch node node-1: no right']]);
    client.handle(() => undefined);
    await later(999);
    expect(client.sent(CORDON)).toHaveLength(1);
    await later(1);
    expect(client.sent(CORDON)).toHaveLength(2);
  });

  it('that is refused is what the node waits for, until a patch has passed', async () => {
    const { client, seen, later } = await start({
      maintenance: begun,
      handler: refusing(refusal(403, 'Forbidden', { message: 'no right' })),
    });
    expect(seen.decisions[0]?.waitingFor).toMatchObject({ cause: 'CordonFailed', message: expect.stringContaining('no right') });
    client.handle(() => undefined);
    await later(SECOND);
    expect(seen.decisions[0]?.waitingFor ?? null).toBeNull();
  });

  it('that is under way when it is cancelled is waited for: it would be left closed by nobody', async () => {
    let release: (answer: unknown) => void = () => {};
    const held: Handler = ({ method }) => (method === 'PATCH' ? new Promise((resolve) => (release = resolve)) : undefined);
    const { client, cancel, phase, later } = await start({ maintenance: begun, handler: held });
    cancel();
    await later(SECOND);
    expect(phase()).toBe('Undoing');
    client.handle(() => undefined);
    release(undefined);
    await later(SECOND);
    expect(phase()).toBe('Cancelled');
    expect(client.get(NODE)?.['spec']).not.toHaveProperty('unschedulable');
  });

  it('that fails for a reason of our own is logged, and does not stop the loop', async () => {
    const errors: string[] = [];
    const log = { ...silentLog, error: (message: string) => void errors.push(message) };
    const { client, later } = await start({ maintenance: begun, log, handler: refusing(new TypeError('a defect')) });
    expect(errors).toEqual([expect.stringContaining('a defect')]);
    client.handle(() => undefined);
    await later(SECOND);
    expect(client.get(NODE)).toMatchObject({ spec: { unschedulable: true } });
  });

  it('gives way to a pause, which is the store’s', async () => {
    const journal = JSON.stringify({
      by: 'm-1',
      reason: 'x',
      since: '2026-01-01T12:00:00Z',
      stage: 'Cordoned',
      undo: { unschedulable: false },
    });
    const uncordoned = rawNode('node-1', { annotations: { 'drover.dev/maintenance': journal } });
    const { seen } = await start({ objects: [uncordoned], maintenance: begun });
    expect(seen.pauses).toBeGreaterThan(0);
  });
});
