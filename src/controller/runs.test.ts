import { describe, expect, it } from 'vitest';
import { aMaintenance, NOW, SECOND } from '../../test/builders.ts';
import { createFakeClient, refusal } from '../../test/fake-client.ts';
import type { RunEffect } from '../engine/acting.ts';
import { KubeError } from '../kube/client.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { createRuns } from './runs.ts';

const run = { kind: 'Pod', namespace: 'drover', name: 'p' } as const;
const creation: RunEffect = { do: 'CreateRun', run, body: { kind: 'Pod', metadata: { name: 'p' } } };
const removal: RunEffect = { do: 'RemoveRun', run, uid: 'u' };
const KEY = 'Pod drover/p';

function start(answer: () => unknown = () => ({}), mayAct = true) {
  const client = createFakeClient();
  client.handle(answer);
  const clock = createVirtualClock(NOW);
  const answers: string[] = [];
  const runs = createRuns({
    client,
    clock,
    log: silentLog,
    mayAct: () => mayAct,
    onAnswer: (_, effect, said) => void answers.push(`${effect.do} ${said}`),
  });
  return { client, clock, answers, runs, carry: (effect: RunEffect) => runs.carryOut(aMaintenance(), effect) };
}

const throwing = (error: Error) => () => {
  throw error;
};

describe('a pod or Job that acts on a node', () => {
  it('is created by one request, and not again before the watch has had its time to show it', async () => {
    const { carry, client, clock, answers, runs } = start();
    const sent = carry(creation);
    expect(runs.attempts.get(KEY)).toMatchObject({ inFlight: true, mayShow: true });
    expect(carry(creation)).toBeUndefined();
    await sent;
    expect(runs.attempts.get(KEY)).toMatchObject({ inFlight: false, mayShow: true, failed: null });
    expect(carry(creation)).toBeUndefined();
    expect(runs.dueAt()).toBe(NOW + 30 * SECOND);
    expect(client.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /api/v1/namespaces/drover/pods']);
    expect(answers).toEqual(['CreateRun Done']);
    await clock.advance(31 * SECOND);
    expect(carry(creation)).toBeDefined();
  });

  it('that is there already was created by a process that did not hear so', async () => {
    const exists = new KubeError('exists', { code: 409, status: { code: 409, reason: 'AlreadyExists', message: 'exists' } });
    const { carry, runs } = start(throwing(exists));
    await carry(creation);
    expect(runs.attempts.get(KEY)).toMatchObject({ failed: null, mayShow: true });
  });

  it.each([
    ['refused', 403, false],
    ['not answered', 0, true],
    ['answered from in front of the server', 504, true],
  ])('that is %s may%s show', async (_, code, mayShow) => {
    const { carry, runs, answers } = start(throwing(refusal(code)));
    await carry(creation);
    expect(runs.attempts.get(KEY)).toMatchObject({ inFlight: false, mayShow });
    expect(runs.attempts.get(KEY)?.failed).not.toBeNull();
    expect(answers).toEqual(['CreateRun Failed']);
  });

  it('is removed by its uid, and a removal hinders no creation', async () => {
    const { carry, client } = start();
    await carry(removal);
    expect(client.requests[0]).toMatchObject({
      method: 'DELETE',
      path: '/api/v1/namespaces/drover/pods/p',
      body: { preconditions: { uid: 'u' } },
    });
    expect(carry(creation)).toBeDefined();
  });

  it('that has been seen and removed is not expected to show any more', async () => {
    const { carry, runs } = start();
    await carry(creation);
    await carry(removal);
    expect(runs.attempts.get(KEY)).toBeUndefined();
  });

  it('that is gone already is removed', async () => {
    const { carry, answers } = start(throwing(refusal(404)));
    await carry(removal);
    expect(answers).toEqual(['RemoveRun Done']);
  });

  it('is left alone by a process that does not lead', () => {
    const { carry, client } = start(() => ({}), false);
    expect(carry(creation)).toBeUndefined();
    expect(client.requests).toEqual([]);
  });
});
