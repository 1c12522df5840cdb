import { describe, expect, it } from 'vitest';
import { aHandedOverPod, aMaintenance, aNode, aPod, NOW } from '../../test/builders.ts';
import { createFakeClient, refusal } from '../../test/fake-client.ts';
import type { PodEffect } from '../engine/effect.ts';
import { KubeError } from '../kube/client.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { createEffects } from './effects.ts';
import { createLedger } from './ledger.ts';

function start({
  answer = () => ({}),
  dryRun = false,
  mayAct = () => true,
}: {
  answer?: () => unknown;
  dryRun?: boolean;
  mayAct?: () => boolean;
} = {}) {
  const client = createFakeClient();
  client.handle(answer);
  const clock = createVirtualClock(NOW);
  const ledger = createLedger(clock);
  const answers: string[] = [];
  const effects = createEffects({
    client,
    clock,
    log: silentLog,
    ledger,
    dryRun,
    mayAct,
    onAnswer: (maintenance, effect, said, message) =>
      void answers.push(`${maintenance.id} ${effect.do} ${said}${message && `: ${message}`}`),
  });
  const maintenance = aMaintenance();
  return { client, clock, ledger, answers, effects, maintenance, run: (effect: PodEffect) => effects.pod(maintenance, effect) };
}

const pod = aPod();
const evict: PodEffect = { do: 'Evict', pod, budget: 'shop/web', budgetVersion: '5' };
const refusing = (error: KubeError) => ({
  answer: () => {
    throw error;
  },
});
const causedBy = (code: number, cause: string, retryAfterMs?: number) =>
  new KubeError('no', {
    code,
    status: { code, message: 'no', details: { causes: [{ reason: cause, message: 'why' }] } },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });

describe('an eviction', () => {
  it('names the pod by its uid and the grace that it gets', async () => {
    const { client, run } = start();
    await run({ ...evict, graceSeconds: 7 });
    expect(client.requests[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/namespaces/shop/pods/web-1/eviction',
      body: { deleteOptions: { preconditions: { uid: 'uid-web-1' }, gracePeriodSeconds: 7 } },
    });
  });

  it('charges its budget while it is under way', async () => {
    const seen: number[] = [];
    const { ledger, run } = start({ answer: () => (seen.push(ledger.charges('shop/web')), {}) });
    await run(evict);
    expect(seen).toEqual([1]);
  });

  it.each<[string, KubeError, Record<string, unknown>]>([
    ['its budget', causedBy(429, 'DisruptionBudget'), { answer: 'BudgetRefused', retryAt: NOW + 5_000, budgetVersion: '5' }],
    [
      'a budget whose numbers are old',
      causedBy(429, 'DisruptionBudget', 10_000),
      { answer: 'BudgetStale', retryAt: NOW + 10_000, budgetVersion: '5' },
    ],
    ['a busy server', refusal(429, 'TooManyRequests', { retryAfterMs: 3_000 }), { answer: 'Throttled', retryAt: NOW + 3_000 }],
    [
      'two budgets',
      refusal(500, '', { message: 'This pod has more than one PodDisruptionBudget' }),
      { answer: 'SeveralBudgets', retryAt: NOW + 10_000 },
    ],
    [
      'a namespace that is deleted',
      causedBy(403, 'NamespaceTerminating'),
      { answer: 'NamespaceTerminating', retryAt: NOW + 10_000 },
    ],
    ['missing rights', refusal(403, 'Forbidden'), { answer: 'Forbidden', retryAt: NOW + 60_000 }],
    [
      'a webhook',
      refusal(400, '', { message: 'admission webhook "a.b" denied the request: no' }),
      { answer: 'Refused', retryAt: NOW + 10_000 },
    ],
    ['a server that is down', refusal(0), { answer: 'Unavailable', retryAt: NOW + 2_000 }],
    [
      'a server that says when it is back',
      refusal(503, '', { retryAfterMs: 9_000 }),
      { answer: 'Unavailable', retryAt: NOW + 9_000 },
    ],
    [
      'another pod of that name',
      refusal(409, 'Conflict', { message: 'the UID in precondition differs' }),
      { answer: 'OtherPod', retryAt: NOW + 10_000 },
    ],
  ])('refused by %s waits as long as that takes, and gives its charge back', async (_, error, expected) => {
    const { ledger, run, answers } = start(refusing(error));
    await run(evict);
    expect(ledger.attempts.get(pod.uid)).toMatchObject({ effect: 'Evict', inFlight: false, ...expected });
    expect(ledger.charges('shop/web')).toBe(0);
    expect(answers[0]).toContain(`m-1 Evict ${String(expected['answer'])}`);
  });

  it('of a pod that is gone already is done', async () => {
    const { ledger, run } = start(refusing(refusal(404, 'NotFound')));
    await run(evict);
    expect(ledger.attempts.get(pod.uid)).toMatchObject({ answer: 'Done', inFlight: false });
  });

  it('is only asked about in a dry run', async () => {
    const { client, run } = start({ dryRun: true });
    await run(evict);
    expect(client.requests[0]?.body).toMatchObject({ deleteOptions: { dryRun: ['All'] } });
  });
});

describe('a request for a pod', () => {
  it('is not sent by one who may no longer act, and leaves no trace', async () => {
    const { client, ledger, answers, run } = start({ mayAct: () => false });
    await run(evict);
    expect([client.requests, [...ledger.attempts], answers]).toEqual([[], [], []]);
  });

  it('that fails for a reason of our own does not stay under way for ever, and the fault is heard of', async () => {
    const { ledger, run } = start({
      answer: () => {
        throw new TypeError('a defect');
      },
    });
    await expect(run(evict)).rejects.toThrow('a defect');
    expect(ledger.attempts.get(pod.uid)).toMatchObject({ inFlight: false, answer: 'Unavailable', retryAt: NOW + 10_000 });
    expect(ledger.charges('shop/web')).toBe(0);
  });

  it('tells the owner once, without a request and without an attempt', async () => {
    const { client, ledger, answers, run } = start();
    await run({ do: 'TellOwner', pod, message: 'it blocks' });
    await run({ do: 'TellOwner', pod: { ...pod, resourceVersion: '2' }, message: 'it blocks' });
    expect(answers).toEqual(['m-1 TellOwner Done: it blocks']);
    expect([client.requests, [...ledger.attempts]]).toEqual([[], []]);
  });

  it('to delete it waits a moment when the name belongs to another pod by now', async () => {
    const { ledger, run } = start(refusing(refusal(409, 'Conflict', { message: 'the UID in precondition differs' })));
    await run({ do: 'Delete', pod, because: 'x' });
    expect(ledger.attempts.get(pod.uid)).toMatchObject({ answer: 'OtherPod', retryAt: NOW + 1_000 });
  });

  it.each<[PodEffect, object]>([
    [
      { do: 'Detach', pod, labels: { 'pod-template-hash': 'h1' }, readyAtStart: 1 },
      { labels: { 'pod-template-hash': null, 'drover.dev/handed-over': 'true' } },
    ],
    [{ do: 'Unlist', pod: aHandedOverPod(), labels: { app: 'web' } }, { labels: { app: null } }],
    [
      { do: 'GiveBack', pod: aHandedOverPod() },
      { labels: { 'pod-template-hash': 'h1', 'drover.dev/handed-over': null }, annotations: { 'drover.dev/handover': null } },
    ],
  ])('%o is one merge patch with the uid', async (effect, metadata) => {
    const { client, ledger, run } = start();
    await run(effect);
    expect(client.requests).toHaveLength(1);
    expect(client.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/namespaces/shop/pods/web-1',
      contentType: 'application/merge-patch+json',
      body: { metadata: { uid: 'uid-web-1', ...metadata } },
    });
    expect(ledger.attempts.get(pod.uid)).toMatchObject({ effect: effect.do, answer: 'Done' });
  });

  it.each<[KubeError, string, number]>([
    [refusal(409), 'OtherPod', 1_000],
    [refusal(401), 'Forbidden', 60_000],
    [refusal(429, '', { retryAfterMs: 4_000 }), 'Throttled', 4_000],
    [refusal(503, '', { retryAfterMs: 7_000 }), 'Unavailable', 7_000],
    [refusal(0), 'Unavailable', 2_000],
    [refusal(422), 'Refused', 10_000],
  ])('to patch it that is answered with %o is told to the ledger', async (error, answer, waitMs) => {
    const { ledger, run } = start(refusing(error));
    await run({ do: 'Detach', pod, labels: {}, readyAtStart: 1 });
    expect(ledger.attempts.get(pod.uid)).toMatchObject({ answer, retryAt: NOW + waitMs });
  });
});

describe('a change of a node', () => {
  const node = aNode({ resourceVersion: '42' });

  it('is one patch with its version and the journal', async () => {
    const { client, effects, maintenance, answers } = start();
    await effects.node(maintenance, { do: 'Cordon', node });
    expect(client.requests).toHaveLength(1);
    expect(client.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/nodes/node-1',
      body: { metadata: { resourceVersion: '42' }, spec: { unschedulable: true } },
    });
    expect(answers).toEqual(['m-1 Cordon Done']);
  });

  it('that only marks it leaves it schedulable', async () => {
    const { client, effects, maintenance } = start();
    await effects.node(maintenance, { do: 'Mark', node });
    expect(client.requests[0]?.body).not.toHaveProperty('spec.unschedulable');
  });

  it('that would undo nothing is no request', async () => {
    const { client, effects, maintenance, answers } = start();
    await effects.node(maintenance, { do: 'Undo', node });
    expect([client.requests, answers]).toEqual([[], ['m-1 Undo Done']]);
  });

  it('is not sent by one who may no longer act', async () => {
    const { client, effects, maintenance } = start({ mayAct: () => false });
    await effects.node(maintenance, { do: 'Cordon', node });
    expect(client.requests).toEqual([]);
  });

  it('throws what refused it: the runner knows when to try again', async () => {
    const { effects, maintenance } = start(refusing(refusal(409)));
    await expect(effects.node(maintenance, { do: 'Cordon', node })).rejects.toMatchObject({ code: 409 });
  });
});
