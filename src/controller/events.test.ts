import { describe, expect, it } from 'vitest';
import { aHandedOverPod, aMaintenance, aNode, aPod, NOW, ownedBy, SECOND, settings } from '../../test/builders.ts';
import type { Decision } from '../engine/decide.ts';
import { type EventMemory, eventsFor, eventsOfAnswer } from './events.ts';
import { aDecision, aReport, everyBlocker } from './testing/decisions.ts';

const node = aNode();
const none: EventMemory = { planned: false, wait: null, pods: new Map() };

/** Feeds the same decision at several times and gathers what is told. */
function told(decision: Decision, seconds: readonly number[], first: EventMemory | null = none) {
  const events = [];
  let memory = first ?? undefined;
  for (const at of seconds) {
    const result = eventsFor(memory, decision, node, NOW + at * SECOND);
    memory = result.memory;
    events.push(...result.events);
  }
  return events;
}

const brief = (events: readonly { type: string; reason: string; message: string }[]) =>
  events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);

describe('eventsFor, of phases', () => {
  it.each<[string, Decision, string]>([
    [
      'a drain that begins',
      aDecision('Pending', 'Draining'),
      'Normal Draining: cordoned and being drained: kernel update (NodeMaintenance m-1, policy kernels)',
    ],
    [
      'a drained node',
      aDecision('Settling', 'Drained', { state: { startedAt: NOW - 42 * SECOND } }),
      'Normal Drained: drained in 42s',
    ],
    [
      'a node that is handed back',
      aDecision('Undoing', 'HandedBack', { state: { message: 'the reason no longer holds' } }),
      'Normal HandedBack: back in service: the reason no longer holds',
    ],
    [
      'a drain that is cancelled',
      aDecision('Undoing', 'Cancelled', { state: { message: 'cancelled' } }),
      'Normal HandedBack: back in service, not drained: cancelled',
    ],
    [
      'a drain that is paused',
      aDecision('Undoing', 'Pending', { state: { message: 'paused' } }),
      'Normal HandedBack: back in service for now: paused',
    ],
    [
      'a drain that steps aside',
      aDecision('Undoing', 'BackOff', {
        state: { message: 'no pod could leave for 30m: ProtectedPod' },
        change: { retryAt: NOW + 300 * SECOND },
      }),
      'Warning HandedBack: back in service for now, tried again in 300s: no pod could leave for 30m: ProtectedPod',
    ],
    [
      'a drain that is given up',
      aDecision('Undoing', 'Failed', { state: { message: 'no pod could leave for 30m: ProtectedPod' }, change: { attempts: 5 } }),
      'Warning Failed: given up after 5 attempts, back in service: no pod could leave for 30m: ProtectedPod',
    ],
  ])('tells of %s, on the node', (_, decision, expected) => {
    const events = told(decision, [0]);
    expect(brief(events)).toEqual([expected]);
    expect(events[0]?.regarding).toEqual({ apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'uid-node-1' });
  });

  it.each<[string, Decision]>([
    ['a phase that goes on', aDecision('Draining')],
    ['steps between', aDecision('Draining', 'Settling')],
    ['pods that came back to an empty node', aDecision('Settling', 'Draining')],
    ['one that was never announced and is wanted no more', aDecision('Pending', 'Cancelled')],
  ])('is silent about %s', (_, decision) => {
    expect(told(decision, [0])).toEqual([]);
  });

  it('is silent about a node that is gone', () => {
    expect(eventsFor(none, aDecision('Draining', 'Drained'), undefined, NOW).events).toEqual([]);
  });

  it('warns when the replacements were given up on', () => {
    const settling = aDecision('Settling', 'Settling', { waitingFor: everyBlocker.NotSettled });
    const { memory } = eventsFor(none, settling, node, NOW);
    const drained = {
      ...aDecision('Settling', 'Drained'),
      maintenance: aMaintenance({
        settings: settings({ settleTimeoutMs: 60_000 }),
        state: { phase: 'Settling', startedAt: NOW },
      }),
    };
    expect(brief(eventsFor(memory, drained, node, NOW + 60 * SECOND).events)).toEqual([
      'Warning Drained: drained in 60s, but not everything that left it was Ready elsewhere in time',
    ]);
    expect(brief(eventsFor(memory, drained, node, NOW + 50 * SECOND).events)).toEqual(['Normal Drained: drained in 50s']);
  });
});

describe('eventsFor, of plans', () => {
  const queued = aDecision('Pending', 'Pending', { waitingFor: everyBlocker.MaxNodes });

  it('announces once what has waited for its turn for ten seconds', () => {
    expect(told(queued, [0, 9, 10, 11, 600], null).map((event) => [event.reason, event.message])).toEqual([
      [
        'MaintenancePlanned',
        'to be drained: kernel update (NodeMaintenance m-1, policy kernels); not yet: policy kernels allows 1 node out at a time and node-2 is out',
      ],
    ]);
    expect(eventsFor(undefined, queued, node, NOW).wakeAt).toBe(NOW + 10 * SECOND);
  });

  it('announces once, however often windows open and close meanwhile', () => {
    let memory: EventMemory | undefined = none;
    const events = [];
    for (const [seconds, cause] of [
      [11, 'OutsideWindow'],
      [60, 'MaxNodes'],
      [120, 'WindowTooShort'],
      [180, 'OutsideWindow'],
      [86_400, 'MaxNodes'],
    ] as const) {
      const waits = aDecision('Pending', 'Pending', { waitingFor: everyBlocker[cause] });
      const result = eventsFor(memory, waits, node, NOW + seconds * SECOND);
      memory = result.memory;
      events.push(...result.events);
    }
    expect(brief(events)).toEqual([
      'Normal MaintenancePlanned: to be drained: kernel update (NodeMaintenance m-1, policy kernels); not yet: policy kernels starts nothing before Thu 2026-01-01 13:00 UTC, when its next window opens',
    ]);
  });

  it('does not announce again after a restart', () => {
    expect(told(queued, [300, 310], null)).toEqual([]);
  });

  it('takes an announcement back when the maintenance is wanted no more', () => {
    const { memory } = eventsFor(none, queued, node, NOW + 10 * SECOND);
    expect(
      brief(told(aDecision('Pending', 'Cancelled', { change: { message: 'the reason no longer holds' } }), [11], memory)),
    ).toEqual(['Normal HandedBack: not to be drained any more: the reason no longer holds']);
  });
});

describe('eventsFor, of waits', () => {
  const waits = (cause: keyof typeof everyBlocker, phase: 'Pending' | 'Draining' = 'Draining') =>
    aDecision(phase, phase, { waitingFor: everyBlocker[cause] });

  it('tells once of a wait that has lasted more than ten seconds', () => {
    expect(brief(told(waits('ProtectedPod'), [0, 5, 10, 11, 12, 900]))).toEqual([
      'Warning Waiting: pod shop/web-1: no controller would re-create it, so it would be lost; what would help: `kubectl delete pod -n shop web-1`, or spec.drain.barePods: Evict in NodeMaintenance m-1; in policy kernels for the next ones',
    ]);
  });

  it('asks to be called again when the time has come', () => {
    const first = eventsFor(none, waits('ProtectedPod'), node, NOW);
    const at = first.wakeAt ?? 0;
    expect(eventsFor(first.memory, waits('ProtectedPod'), node, at - 1).events).toEqual([]);
    const then = eventsFor(first.memory, waits('ProtectedPod'), node, at);
    expect(then.events).toHaveLength(1);
    expect(then.wakeAt).toBeNull();
  });

  it('begins anew when the wait becomes another one', () => {
    const { memory } = eventsFor(none, waits('ProtectedPod'), node, NOW);
    expect(told(waits('Finalizer'), [8, 11], memory)).toEqual([]);
    expect(told(waits('Finalizer'), [8, 11, 19], memory)).toHaveLength(1);
  });

  it('takes one budget for one wait, whichever pod is foremost', () => {
    const { memory } = eventsFor(none, waits('BudgetExhausted'), node, NOW);
    const other = aDecision('Draining', 'Draining', { waitingFor: { ...everyBlocker.BudgetExhausted, pod: 'shop/web-9' } });
    expect(brief(told(other, [11], memory))).toEqual([
      expect.stringMatching(/^Normal Waiting: pod shop\/web-9: disruption budget shop\/web allows no disruption now/),
    ]);
  });

  it.each(['Terminating', 'InFlight', 'NotYetSeen', 'EarlierTier', 'NotEmptyLongEnough'] as const)(
    'has no word for %s, which every drain goes through',
    (cause) => {
      expect(told(waits(cause), [0, 60])).toEqual([]);
    },
  );

  it.each(['MaxNodes', 'GroupLimit', 'MinInterval'] as const)('has no warning for a place in the queue: %s', (cause) => {
    expect(told(waits(cause, 'Pending'), [0, 11, 60]).filter((event) => event.reason === 'Waiting')).toEqual([]);
  });

  it('tells of a mass trigger once for all nodes of the policy', () => {
    const keys = ['a', 'b'].map(
      (id) =>
        told({ ...waits('MassTrigger', 'Pending'), maintenance: aMaintenance({ id }) }, [0, 11]).find(
          (event) => event.reason === 'Waiting',
        )?.dedupKey,
    );
    expect(keys[0]).toBeDefined();
    expect(keys[0]).toBe(keys[1]);
  });
});

describe('eventsFor, of pods', () => {
  const blocked = (cause: keyof typeof everyBlocker) =>
    aDecision('Draining', 'Draining', { pods: [aReport('web-1', { blocker: everyBlocker[cause] })], remaining: 1 });

  it('tells a pod after thirty seconds that it is in the way, when that does not pass by itself', () => {
    const events = told(blocked('Finalizer'), [0, 30, 31, 60]);
    expect(brief(events)).toEqual([
      'Warning PodBlocked: keeps node node-1 from being drained: it is held by finalizer example.com/keep; what would help: whoever set the finalizer removing it',
    ]);
    expect(events[0]?.regarding).toEqual({ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-1', uid: 'uid-web-1' });
  });

  it('says nothing to a pod whose turn will come', () => {
    expect(told(blocked('BudgetExhausted'), [0, 31, 600])).toEqual([]);
  });

  it('forgets pods that are gone, so that the memory does not grow', () => {
    const { memory } = eventsFor(none, blocked('Finalizer'), node, NOW);
    expect(memory.pods.size).toBe(1);
    expect(eventsFor(memory, aDecision('Draining', 'Draining', { pods: [], remaining: 0 }), node, NOW).memory.pods.size).toBe(0);
  });
});

describe('eventsOfAnswer', () => {
  const maintenance = aMaintenance();

  it('tells the pod and its owner, the owner once per node', () => {
    const of = (name: string) =>
      eventsOfAnswer(
        maintenance,
        { do: 'TellOwner', pod: aPod({ name }), message: 'this pod keeps node node-1 from being drained' },
        'Done',
      );
    const [onPod, onOwner] = of('web-1');
    expect(onPod).toMatchObject({
      regarding: { kind: 'Pod' },
      message: 'this pod keeps node node-1 from being drained (NodeMaintenance m-1)',
    });
    expect(onOwner).toMatchObject({
      regarding: { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace: 'shop', name: 'web', uid: 'uid-web' },
    });
    expect(of('web-2')[1]?.dedupKey).toBe(onOwner?.dedupKey);
    expect(of('web-2')[0]?.dedupKey).not.toBe(onPod?.dedupKey);
  });

  it('does not invent the API version of an owner it does not know', () => {
    const pod = aPod({ owner: ownedBy('Rollout', 'web') });
    expect(eventsOfAnswer(maintenance, { do: 'TellOwner', pod, message: 'm' }, 'Done')[1]?.regarding).toEqual({
      kind: 'Rollout',
      namespace: 'shop',
      name: 'web',
      uid: 'uid-web',
    });
  });

  it('warns of a delete around the budgets, once it is done', () => {
    const effect = { do: 'Delete', pod: aPod(), because: 'the policy’s ladder reached Delete' } as const;
    expect(brief(eventsOfAnswer(maintenance, effect, 'Done'))).toEqual([
      'Warning ForcedDelete: deleted without asking its disruption budgets, to drain node node-1: the policy’s ladder reached Delete',
    ]);
    expect(eventsOfAnswer(maintenance, effect, 'Forbidden')).toEqual([]);
  });

  it('tells why a handover was given back', () => {
    const pod = aHandedOverPod();
    expect(brief(eventsOfAnswer(maintenance, { do: 'GiveBack', pod }, 'Done'))).toEqual([
      'Normal HandoverGivenBack: given back to ReplicaSet web: the drain was stopped',
    ]);
    expect(brief(eventsOfAnswer(maintenance, { do: 'GiveBack', pod, refusedBecause: 'NoRoom' }, 'Done'))).toEqual([
      'Warning HandoverGivenBack: given back to ReplicaSet web: its replacement did not get Ready in time (NoRoom)',
    ]);
  });

  it('has nothing to say of what is ordinary', () => {
    expect(eventsOfAnswer(maintenance, { do: 'Evict', pod: aPod() }, 'Done')).toEqual([]);
    expect(eventsOfAnswer(maintenance, { do: 'Detach', pod: aPod(), labels: {}, readyAtStart: 1 }, 'Done')).toEqual([]);
    expect(eventsOfAnswer(maintenance, { do: 'Cordon', node }, 'Done')).toEqual([]);
  });
});
