import { describe, expect, it } from 'vitest';
import {
  aCordonedNode,
  aHandedOverPod,
  anAttempt,
  aNode,
  aPod,
  aReplicaSet,
  aView,
  aWorld,
  MINUTE,
  noNeeds,
  NOW,
  settings,
} from '../../test/builders.ts';
import { step, type Situation } from '../../test/deciding.ts';
import { annotations } from '../api/names.ts';
import type { Node } from '../api/objects.ts';
import type { DrainDecision } from './drain.ts';
import type { Maintenance, Phase } from './maintenance.ts';

const running: readonly Phase[] = ['Draining', 'Settling'];
const cancelled = { is: { cancelled: true } };
const causeGone = { cause: false };
const paused = { is: { paused: true, pausedBecause: 'lunch' } };
const markedNode = aNode({
  annotations: { [annotations.maintenance]: JSON.stringify({ by: 'm-1', stage: 'Marked', undo: {} }) },
});
const uncordoned = aCordonedNode('m-1', { unschedulable: false });
const full = { cause: 'MaxNodes', policy: 'p', limit: 1, out: ['x'] } as const;

describe('Pending', () => {
  it('starts when it is admitted', () => {
    expect(step('Pending')).toEqual({ phase: 'Draining', change: { startedAt: NOW } });
  });

  it('waits for what admission says, and for its time', () => {
    const blocker = { cause: 'MinInterval', policy: 'p', until: NOW + 5 } as const;
    expect(step('Pending', { admission: { id: 'm-1', blocker, wakeAt: NOW + 5 } })).toEqual({
      phase: 'Pending',
      waitingFor: blocker,
      wakeAt: NOW + 5,
    });
  });

  it('marks the node while it queues, so that pods of other nodes do not come', () => {
    const queued = { admission: { id: 'm-1', blocker: full } };
    expect(step('Pending', queued)).toMatchObject({ phase: 'Pending', waitingFor: full, nodeEffect: { do: 'Mark' } });
    expect(step('Pending', { ...queued, node: markedNode })).not.toHaveProperty('nodeEffect');
    expect(step('Pending', { ...queued, node: aNode({ unschedulable: true }) })).not.toHaveProperty('nodeEffect');
    expect(step('Pending', { ...queued, node: aCordonedNode('m-2') })).not.toHaveProperty('nodeEffect');
  });

  it('takes its mark back when the window closes: pods may come until the next one', () => {
    const blocker = { cause: 'OutsideWindow', policy: 'p', opensAt: NOW + 5, timeZone: 'UTC', because: '' } as const;
    const closed = { admission: { id: 'm-1', blocker, wakeAt: NOW + 5 } };
    expect(step('Pending', { ...closed, node: markedNode })).toMatchObject({
      phase: 'Pending',
      waitingFor: blocker,
      wakeAt: NOW + 5,
      nodeEffect: { do: 'Undo' },
    });
    expect(step('Pending', closed)).not.toHaveProperty('nodeEffect');
  });

  it('does not mark a node that waits for something else than its turn', () => {
    expect(step('Pending', { admission: { id: 'm-1', blocker: { cause: 'PolicyMissing', policy: 'p' } } })).not.toHaveProperty(
      'nodeEffect',
    );
  });

  it('takes its mark back while it is paused', () => {
    expect(step('Pending', paused)).toEqual({ phase: 'Pending', waitingFor: { cause: 'Paused', because: 'lunch' } });
    expect(step('Pending', { ...paused, node: markedNode })).toMatchObject({ phase: 'Pending', nodeEffect: { do: 'Undo' } });
  });

  it.each([
    ['cancelled', cancelled],
    ['the reason no longer holds', causeGone],
  ])('ends when it is %s, after its mark has been taken back', (message, situation) => {
    expect(step('Pending', situation)).toEqual({ phase: 'Cancelled', change: { finishedAt: NOW, message } });
    expect(step('Pending', { ...situation, node: markedNode })).toEqual({ phase: 'Undoing', change: { message } });
    expect(step('Pending', { ...situation, node: aCordonedNode('m-2') })).toMatchObject({ phase: 'Cancelled' });
  });

  it('ends with its node', () => {
    expect(step('Pending', { node: null })).toMatchObject({
      phase: 'Cancelled',
      change: { finishedAt: NOW, message: 'node node-1 is gone' },
    });
  });

  it('takes the marks back that an earlier run of its name left on a node that was uncordoned since, and starts afresh', () => {
    const later = { is: { createdAt: NOW + MINUTE } };
    expect(step('Pending', { ...later, node: uncordoned })).toMatchObject({ phase: 'Pending', nodeEffect: { do: 'Undo' } });
    expect(step('Pending', { ...later, node: aNode() })).toMatchObject({ phase: 'Draining' });
    expect(step('Pending', { ...later, node: aCordonedNode('m-1') }), 'cordoned still: it goes on').toMatchObject({
      phase: 'Draining',
    });
  });

  it('takes an uncordon for a word about itself when the marks are its own', () => {
    expect(step('Pending', { node: uncordoned })).toMatchObject({ phase: 'Draining' });
  });

  it('waits when nobody has judged it', () => {
    expect(step('Pending', { admission: undefined })).toEqual({ phase: 'Pending' });
  });
});

describe.each(running)('%s', (phase) => {
  it('is undone when it is cancelled', () => {
    expect(step(phase, cancelled)).toEqual({ phase: 'Undoing', change: { message: 'cancelled' } });
  });

  it('is undone when the cause is gone', () => {
    expect(step(phase, causeGone)).toEqual({ phase: 'Undoing', change: { message: 'the reason no longer holds' } });
  });

  it('is undone when it is paused', () => {
    expect(step(phase, paused)).toEqual({ phase: 'Undoing', change: { message: 'lunch' } });
    expect(step(phase, { is: { paused: true } })).toMatchObject({ change: { message: 'paused' } });
  });

  it('takes a human’s uncordon for a pause', () => {
    expect(step(phase, { node: uncordoned })).toMatchObject({
      phase: 'Undoing',
      nodeEffect: { do: 'Pause', because: 'the node was uncordoned by someone else' },
    });
  });

  it('is over when the node is gone', () => {
    expect(step(phase, { node: null })).toMatchObject({ phase: 'Drained', change: { drainedAt: NOW, finishedAt: NOW } });
  });

  it('waits until the pods are known', () => {
    const waitingFor = { cause: 'NotYetSeen', what: 'the pods' } as const;
    expect(step(phase, { drain: { known: false, waitingFor } })).toEqual({ phase, waitingFor });
  });
});

describe('Draining', () => {
  const effects: DrainDecision['effects'] = [{ do: 'Evict', pod: aPod() }];

  it('closes the node before it touches a pod', () => {
    expect(step('Draining', { node: aNode(), drain: { effects } })).toMatchObject({
      phase: 'Draining',
      nodeEffect: { do: 'Cordon' },
    });
    expect(step('Draining', { node: aNode(), drain: { effects } })).not.toHaveProperty('podEffects');
  });

  it.each([
    ['only marked', markedNode],
    ['cordoned by someone else', aNode({ unschedulable: true })],
    ['closed by another maintenance', aCordonedNode('m-2')],
  ])('closes a node that is %s', (_, node) => {
    expect(step('Draining', { node })).toMatchObject({ nodeEffect: { do: 'Cordon' } });
  });

  it('then does what the drain decides', () => {
    const waitingFor = { cause: 'InFlight', pod: 'shop/web-1' } as const;
    expect(step('Draining', { drain: { effects, waitingFor, wakeAt: NOW + 7 } })).toEqual({
      phase: 'Draining',
      podEffects: effects,
      waitingFor,
      wakeAt: NOW + 7,
    });
  });

  it('settles when no pod is left', () => {
    expect(step('Draining', { drain: { remaining: 0 } })).toEqual({ phase: 'Settling', waitingFor: null });
  });

  it('does not settle on a node that is not closed', () => {
    expect(step('Draining', { node: aNode(), drain: { remaining: 0 } })).toMatchObject({
      phase: 'Draining',
      nodeEffect: { do: 'Cordon' },
    });
  });

  it('lets go of a node that the controller has taken over from the command line, and touches it no more', () => {
    const theirs = { node: aCordonedNode('worker-1-abc') };
    expect(step('Draining', { ...theirs, is: { id: 'cli:ada@desk/node-1' } })).toEqual({
      phase: 'Cancelled',
      change: { finishedAt: NOW, message: 'NodeMaintenance worker-1-abc has taken the node over' },
    });
    // The other way round the controller goes on: nobody else would hand the node back.
    expect(step('Draining', { node: aCordonedNode('cli:ada@desk/node-1') })).toMatchObject({ nodeEffect: { do: 'Cordon' } });
  });
});

describe('Settling', () => {
  const empty = { remaining: 0 };
  const at = { state: { phaseSince: NOW - MINUTE } };

  it('goes back when pods have come back', () => {
    expect(step('Settling')).toEqual({ phase: 'Draining' });
  });

  it('waits for what keeps an empty node from being done', () => {
    expect(step('Settling', { drain: empty })).toMatchObject({
      phase: 'Settling',
      waitingFor: { cause: 'NotEmptyLongEnough' },
      wakeAt: NOW + 5_000,
    });
  });

  it('is done after that', () => {
    expect(step('Settling', { drain: empty, ...at })).toEqual({ phase: 'Drained', change: { drainedAt: NOW }, waitingFor: null });
  });
});

describe('Drained', () => {
  it('stays while the cause holds', () => {
    expect(step('Drained')).toEqual({ phase: 'Drained', waitingFor: null });
  });

  it('is handed back when the cause is gone, unless the policy never does', () => {
    expect(step('Drained', causeGone)).toMatchObject({ phase: 'Undoing' });
    expect(step('Drained', { ...causeGone, is: { handBack: 'Never' } })).toMatchObject({ phase: 'Drained' });
  });

  it('is undone when it is cancelled, also where the policy never hands back', () => {
    expect(step('Drained', { is: { cancelled: true, handBack: 'Never' } })).toEqual({
      phase: 'Undoing',
      change: { message: 'cancelled' },
    });
  });

  it('is over when someone has taken the node, and tidied up when someone has uncordoned it', () => {
    expect(step('Drained', { node: aNode() })).toMatchObject({ phase: 'HandedBack', change: { finishedAt: NOW } });
    expect(step('Drained', { node: aCordonedNode('m-2') })).toMatchObject({ phase: 'HandedBack' });
    expect(step('Drained', { node: uncordoned })).toMatchObject({ phase: 'Undoing' });
    expect(step('Drained', { node: uncordoned })).not.toHaveProperty('nodeEffect');
  });

  it('ends once with its node', () => {
    expect(step('Drained', { node: null })).toMatchObject({ phase: 'Drained', change: { finishedAt: NOW } });
    expect(step('Drained', { node: null, state: { finishedAt: NOW - 1 } })).toEqual({ phase: 'Drained' });
  });
});

describe('BackOff', () => {
  const state = { retryAt: NOW + MINUTE, attempts: 2, message: 'stood still' };

  it('waits, saying for which attempt and why', () => {
    expect(step('BackOff', { state })).toEqual({
      phase: 'BackOff',
      waitingFor: { cause: 'BackOff', until: NOW + MINUTE, attempt: 2, because: 'stood still' },
      wakeAt: NOW + MINUTE,
    });
  });

  it('queues again when its time has come', () => {
    expect(step('BackOff', { state, now: NOW + MINUTE })).toEqual({ phase: 'Pending' });
  });

  it.each([
    ['cancelled', cancelled],
    ['the reason no longer holds', causeGone],
    ['node node-1 is gone', { node: null }],
  ])('ends: %s', (message, situation) => {
    expect(step('BackOff', { state, ...situation })).toMatchObject({ phase: 'Cancelled', change: { finishedAt: NOW, message } });
  });
});

describe('Undoing', () => {
  const undone = { node: aNode() };
  const handedOver = aHandedOverPod();

  it('first gives every pod back, then the node', () => {
    const world = aWorld({ pods: [handedOver], namespaces: { shop: aView({ replicaSets: [aReplicaSet()] }) } });
    expect(step('Undoing', { world })).toMatchObject({
      phase: 'Undoing',
      podEffects: [{ do: 'GiveBack' }],
      waitingFor: { cause: 'InFlight' },
    });
    expect(step('Undoing', { world })).not.toHaveProperty('nodeEffect');
    expect(step('Undoing')).toMatchObject({ phase: 'Undoing', nodeEffect: { do: 'Undo' } });
  });

  it('waits until the pods of the node are known', () => {
    const needs = noNeeds();
    expect(step('Undoing', { ...undone, needs, world: aWorld({ unread: ['node-1'] }) })).toMatchObject({
      phase: 'Undoing',
      waitingFor: { cause: 'NotYetSeen' },
    });
    expect([...needs.podsOf]).toEqual(['node-1']);
  });

  it.each(['Evict', 'Detach', 'Unlist', 'Delete'] as const)('does not end while a request is under way: %s', (effect) => {
    const world = aWorld({ pods: [aPod()], attempts: { 'uid-web-1': anAttempt({ effect, inFlight: true }) } });
    expect(step('Undoing', { ...undone, ...cancelled, world })).toMatchObject({
      phase: 'Undoing',
      waitingFor: { cause: 'InFlight', pod: 'shop/web-1' },
    });
  });

  it('ends although pods of others terminate', () => {
    const world = aWorld({ pods: [{ ...handedOver, deletedAt: NOW }] });
    expect(step('Undoing', { ...undone, ...cancelled, world })).toMatchObject({ phase: 'Cancelled' });
  });

  it('says which pod could not be given back', () => {
    const attempts = {
      [handedOver.uid]: anAttempt({ effect: 'GiveBack', answer: 'Forbidden', message: 'no right', retryAt: NOW + 9 }),
    };
    const world = aWorld({ pods: [aHandedOverPod({}, { name: 'a' }), handedOver], attempts, namespaces: { shop: aView() } });
    expect(step('Undoing', { world })).toMatchObject({
      waitingFor: { cause: 'UndoFailed', message: 'pod shop/web-1: no right' },
      wakeAt: NOW + 9,
    });
  });

  it('keeps the journal on the node until the pause that a human’s uncordon asked for has been seen', () => {
    expect(step('Undoing', { node: uncordoned })).toMatchObject({ phase: 'Undoing', nodeEffect: { do: 'Pause' } });
    expect(step('Undoing', { node: uncordoned, ...paused })).toMatchObject({ phase: 'Undoing', nodeEffect: { do: 'Undo' } });
    expect(step('Undoing', { node: uncordoned, ...cancelled })).toMatchObject({ nodeEffect: { do: 'Undo' } });
    expect(step('Undoing', { node: uncordoned, ...causeGone })).toMatchObject({ nodeEffect: { do: 'Undo' } });
    expect(step('Undoing', { node: uncordoned, state: { drainedAt: NOW } })).toMatchObject({ nodeEffect: { do: 'Undo' } });
  });

  it.each([
    ['Cancelled, when it was cancelled', { ...cancelled }, { phase: 'Cancelled', change: { finishedAt: NOW } }],
    ['Cancelled, when the cause is gone', { ...causeGone }, { phase: 'Cancelled', change: { finishedAt: NOW } }],
    ['Pending, when it is paused', { ...paused }, { phase: 'Pending', waitingFor: { cause: 'Paused', because: 'lunch' } }],
    [
      'HandedBack, when it had been drained',
      { ...causeGone, state: { drainedAt: NOW } },
      { phase: 'HandedBack', change: { finishedAt: NOW } },
    ],
    [
      'HandedBack, when it had been drained and is cancelled',
      { ...cancelled, state: { drainedAt: NOW } },
      { phase: 'HandedBack' },
    ],
    ['BackOff, when it stood still', {}, { phase: 'BackOff', change: { attempts: 1, retryAt: NOW + 5 * MINUTE } }],
    [
      'Failed, when it stood still too often',
      { state: { attempts: 4 } },
      { phase: 'Failed', change: { attempts: 5, finishedAt: NOW } },
    ],
  ] satisfies readonly (readonly [string, Situation, object])[])('ends as %s', (_, situation, result) => {
    expect(step('Undoing', { ...undone, ...situation })).toMatchObject(result);
  });

  it('ends although another maintenance has taken the node', () => {
    expect(step('Undoing', { node: aCordonedNode('m-2'), ...cancelled })).toMatchObject({ phase: 'Cancelled' });
  });

  it('doubles its back-off up to six hours', () => {
    const retryAfter = (attempts: number) => {
      const { change } = step('Undoing', { ...undone, is: { settings: settings({ attempts: 100 }) }, state: { attempts } });
      return ((change?.retryAt ?? 0) - NOW) / MINUTE;
    };
    expect([0, 1, 2, 6, 7, 50].map(retryAfter)).toEqual([5, 10, 20, 320, 360, 360]);
  });

  it('ends with its node: what was drained stays drained', () => {
    expect(step('Undoing', { node: null })).toMatchObject({ phase: 'Cancelled' });
    expect(step('Undoing', { node: null, state: { drainedAt: NOW } })).toMatchObject({
      phase: 'Drained',
      change: { finishedAt: NOW },
    });
  });
});

describe('the ends', () => {
  it.each(['HandedBack', 'Cancelled', 'Failed'] as const)('%s stays, whatever happens', (phase) => {
    for (const situation of [{}, cancelled, causeGone, paused, { node: null }])
      expect(step(phase, situation)).toEqual({ phase, waitingFor: null });
  });
});

describe('a life', () => {
  it('is paused by an uncordon and resumed by a person', () => {
    const phases: Phase[] = [];
    let [phase, node, is]: [Phase, Node, Partial<Maintenance>] = ['Draining', uncordoned, {}];
    for (let turn = 0; turn < 6; turn += 1) {
      const result = step(phase, { node, is });
      if (result.nodeEffect?.do === 'Pause') is = { paused: true };
      if (result.nodeEffect?.do === 'Undo') node = aNode();
      phase = result.phase;
      phases.push(phase);
    }
    expect(phases).toEqual(['Undoing', 'Undoing', 'Pending', 'Pending', 'Pending', 'Pending']);
    expect(step('Pending', { node })).toMatchObject({ phase: 'Draining' });
  });
});
