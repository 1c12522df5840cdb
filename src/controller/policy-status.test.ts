import { describe, expect, it } from 'vitest';
import { aMaintenance, aNode, NOW } from '../../test/builders.ts';
import { createFakeClient, refusal, settled } from '../../test/fake-client.ts';
import { aPolicy } from '../../test/raw-objects.ts';
import type { Blocker } from '../engine/blocker.ts';
import type { Decision } from '../engine/decide.ts';
import type { Phase } from '../engine/maintenance.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { compilePolicy } from './compile.ts';
import { createMatcher } from './matcher.ts';
import { createPolicyStatus } from './policy-status.ts';

function decision(phase: Phase, waitingFor: Blocker | null = null, policy: string | null = 'repair'): Decision {
  return { maintenance: aMaintenance({ policy }), phase, waitingFor, cause: true, pods: null, remaining: null };
}

function start() {
  const client = createFakeClient();
  client.handle(() => ({}));
  const clock = createVirtualClock(NOW);
  const node = aNode({ labels: { pool: 'a' }, taints: [{ key: 'example.com/broken', value: '', effect: 'NoSchedule' }] });
  const nodes = new Map([[node.name, node]]);
  const matcher = createMatcher(nodes);
  matcher.setPolicies([compilePolicy(aPolicy())]);
  matcher.see(node, NOW);
  matcher.look(NOW);
  const may = { act: true };
  const writer = createPolicyStatus({ client, clock, log: silentLog, mayAct: () => may.act, matcher, breaker: () => null });
  writer.see(aPolicy({}, { generation: 3 }), [], true);
  const pass = async (...decisions: readonly Decision[]) => {
    writer.update(decisions, clock.now());
    await clock.advance(15_000);
    await settled();
  };
  return { client, clock, writer, may, pass };
}

describe('the status of a policy', () => {
  it('counts its nodes and says why nothing more starts', async () => {
    const { client, pass } = start();
    await pass(
      decision('Draining'),
      decision('Settling'),
      decision('Undoing'),
      decision('Drained'),
      decision('BackOff'),
      decision('Pending', { cause: 'PolicyPaused', policy: 'repair' }),
    );
    expect(client.requests).toHaveLength(1);
    expect(client.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/apis/drover.dev/v1alpha1/maintenancepolicies/repair/status',
      contentType: 'application/merge-patch+json',
      body: {
        status: {
          observedGeneration: 3,
          selected: 1,
          matched: 1,
          active: 3,
          waiting: 2,
          done: 1,
          waitingFor: 'policy repair is paused',
        },
      },
    });
  });

  it('says that it can be read, or what is wrong with it', async () => {
    const { client, writer, pass } = start();
    await pass();
    const conditions = (index: number) =>
      (client.requests[index]?.body as { status: { conditions: unknown[] } } | undefined)?.status.conditions;
    expect(conditions(0)).toMatchObject([{ type: 'Ready', status: 'True', observedGeneration: 3, reason: 'Accepted' }]);
    writer.see(aPolicy({}, { generation: 4 }), [{ path: 'spec.schedule.timeZone', message: '"Mars" is not a time zone' }], true);
    await pass();
    await pass();
    expect(client.requests).toHaveLength(2);
    expect(conditions(1)).toMatchObject([
      {
        type: 'Ready',
        status: 'False',
        observedGeneration: 4,
        reason: 'Unreadable',
        message: 'it cannot be read, and what was written before holds: spec.schedule.timeZone: "Mars" is not a time zone',
      },
    ]);
  });

  it('keeps conditions of others', async () => {
    const { client, writer, pass } = start();
    const other = {
      type: 'Reviewed',
      status: 'True' as const,
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: 'x',
      message: '',
    };
    writer.see({ ...aPolicy({}, { generation: 3 }), status: { conditions: [other] } }, [], true);
    await pass();
    expect(client.requests[0]?.body).toMatchObject({ status: { conditions: [other, { type: 'Ready' }] } });
  });

  it('leaves out what belongs to no policy, or has just ended', async () => {
    const { client, pass } = start();
    await pass(decision('Draining', null, null), decision('Cancelled'), decision('Failed'), decision('HandedBack'));
    expect(client.requests[0]?.body).toMatchObject({ status: { active: 0, waiting: 0, done: 0, waitingFor: null } });
  });

  it('is written at most every fifteen seconds, with the last of what was decided', async () => {
    const { client, clock, writer, pass } = start();
    writer.update([decision('Draining')], NOW);
    await clock.advance(4_000);
    await pass(decision('Drained'));
    expect(client.requests).toHaveLength(1);
    expect(client.requests[0]?.body).toMatchObject({ status: { active: 0, done: 1 } });
  });

  it('is not written again while it stays the same', async () => {
    const { client, pass } = start();
    await pass(decision('Draining'));
    await pass(decision('Draining'));
    expect(client.requests).toHaveLength(1);
  });

  it('takes the reason for waiting away when nothing waits any more', async () => {
    const { client, pass } = start();
    await pass(decision('Pending', { cause: 'PolicyPaused', policy: 'repair' }));
    await pass(decision('Draining'));
    expect(client.requests[1]?.body).toMatchObject({ status: { waitingFor: null, waiting: 0, active: 1 } });
  });

  it('is written again after a failure', async () => {
    const { client, pass } = start();
    client.handle(() => {
      throw refusal(503);
    });
    await pass(decision('Draining'));
    client.handle(() => ({}));
    await pass(decision('Draining'));
    expect(client.requests).toHaveLength(2);
  });

  it('is not written by a follower, and not for a policy that is gone', async () => {
    const { client, writer, may, pass } = start();
    may.act = false;
    await pass(decision('Draining'));
    may.act = true;
    writer.forget('repair');
    await pass(decision('Draining'));
    expect(client.requests).toEqual([]);
  });

  it('is written anew by one who leads again: another has written it meanwhile', async () => {
    const { client, writer, may, pass } = start();
    await pass(decision('Draining'));
    may.act = false;
    writer.see(aPolicy({}, { generation: 3 }), [], true);
    may.act = true;
    await pass(decision('Draining'));
    expect(client.requests).toHaveLength(2);
  });

  it('is not written after the stop', async () => {
    const { client, clock, writer } = start();
    writer.update([decision('Draining')], NOW);
    writer.stop();
    await clock.advance(15_000);
    expect(client.requests).toEqual([]);
  });
});
