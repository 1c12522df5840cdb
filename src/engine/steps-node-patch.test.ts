import { describe, expect, it } from 'vitest';
import { aCordonedNode, aNode, aWorld, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { step, type Situation } from '../../test/deciding.ts';
import type { NodeAttempt } from './world.ts';

const cordoning = { version: '1', inFlight: true, retryAt: Number.POSITIVE_INFINITY } as const;
const answered = { version: '1', inFlight: false, retryAt: NOW + SECOND } as const;
const withPatch = (attempt: NodeAttempt): Situation => ({ world: aWorld({ nodeAttempts: new Map([['node-1', attempt]]) }) });
const cancelled = { is: { cancelled: true } };

describe('a patch of the node that does not show yet', () => {
  it.each([
    ['is under way', cordoning],
    ['was done', { ...answered, answer: 'Done' }],
    ['may have been done', { ...answered, answer: 'Failed', failed: 'no answer' }],
  ] satisfies readonly (readonly [string, NodeAttempt])[])(
    'keeps a cancelled maintenance from ending while it %s',
    (_, attempt) => {
      const situation = { node: aNode(), ...cancelled, ...withPatch(attempt) };
      expect(step('Undoing', situation)).toMatchObject({
        phase: 'Undoing',
        waitingFor: { cause: 'NotYetSeen' },
        wakeAt: expect.any(Number),
      });
      expect(step('Undoing', situation)).not.toHaveProperty('nodeEffect');
      expect(step('Pending', situation)).toMatchObject({ phase: 'Undoing' });
    },
  );

  it('is taken back as soon as it shows', () => {
    const node = aCordonedNode('m-1', { resourceVersion: '2' });
    expect(step('Undoing', { node, ...cancelled, ...withPatch(cordoning) })).toMatchObject({ nodeEffect: { do: 'Undo' } });
  });

  it('is waited for no longer when it conflicted, when the node has moved on without it, or when it never shows', () => {
    const ends = (situation: Situation) =>
      expect(step('Undoing', { node: aNode(), ...cancelled, ...situation })).toMatchObject({ phase: 'Cancelled' });
    ends(withPatch({ ...answered, answer: 'Conflict' }));
    ends({ ...withPatch(cordoning), node: aNode({ resourceVersion: '2' }) });
    ends({ ...withPatch({ ...answered, answer: 'Done' }), now: NOW + MINUTE });
  });
});

describe('a patch of the node that failed', () => {
  const failed = withPatch({ ...answered, answer: 'Failed', failed: 'nodes "node-1" is forbidden' });

  it('is what the drain waits for, and is tried again', () => {
    expect(step('Draining', { node: aNode(), ...failed })).toMatchObject({
      nodeEffect: { do: 'Cordon' },
      waitingFor: { cause: 'CordonFailed', message: 'nodes "node-1" is forbidden' },
    });
  });

  it('is what the undo waits for, and is tried again', () => {
    expect(step('Undoing', { ...cancelled, ...failed })).toMatchObject({
      nodeEffect: { do: 'Undo' },
      waitingFor: { cause: 'UndoFailed' },
    });
  });
});
