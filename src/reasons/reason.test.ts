import { describe, expect, it } from 'vitest';
import { aNode, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import type { Node } from '../api/objects.ts';
import { createConditionTimes } from './condition.ts';
import { matchReason, type ReasonContext, type ReasonRule, stillHolds } from './reason.ts';

const none: ReasonContext = { now: NOW, conditionSince: () => null, newestVersion: () => null };
const matches = (rule: ReasonRule, node: Node) => matchReason(rule, node, none);

describe('a taint reason', () => {
  const node = aNode({ taints: [{ key: 'example.com/broken', value: 'disk', effect: 'NoSchedule' }] });
  const taint = (rest: { value?: string; effect?: string } = {}, key = 'example.com/broken'): ReasonRule => ({
    type: 'Taint',
    taint: { key, ...rest },
  });

  it('matches any value and effect where none is named', () => {
    expect(matches(taint(), node)).toEqual({ pass: true, message: 'taint example.com/broken=disk:NoSchedule' });
  });

  it('matches only the value and the effect that are named', () => {
    expect(matches(taint({ value: 'disk', effect: 'NoSchedule' }), node).pass).toBe(true);
    expect(matches(taint({ value: 'cpu' }), node).pass).toBe(false);
    expect(matches(taint({ effect: 'NoExecute' }), node).pass).toBe(false);
  });

  it('tells an empty value from no value', () => {
    const bare = aNode({ taints: [{ key: 'example.com/broken', value: '', effect: 'NoSchedule' }] });
    expect(matches(taint({ value: '' }), bare)).toEqual({ pass: true, message: 'taint example.com/broken:NoSchedule' });
    expect(matches(taint({ value: '' }), node).pass).toBe(false);
  });

  it('looks at every taint of one key, which may be there once per effect', () => {
    const twice = aNode({
      taints: [
        { key: 'k', value: 'a', effect: 'NoSchedule' },
        { key: 'k', value: 'b', effect: 'NoExecute' },
      ],
    });
    expect(matches(taint({ value: 'b' }, 'k'), twice)).toEqual({ pass: true, message: 'taint k=b:NoExecute' });
  });

  it('says what is missing', () => {
    expect(matches(taint({ value: 'cpu' }, 'other'), node)).toEqual({ pass: false, because: 'it has no taint other=cpu' });
  });
});

describe('a label or annotation reason', () => {
  const node = aNode({ labels: { retire: 'soon', empty: '' }, annotations: { note: 'x' } });

  it('matches any value where none is named, also the empty one', () => {
    expect(matches({ type: 'Label', label: { key: 'retire' } }, node)).toEqual({ pass: true, message: 'label retire=soon' });
    expect(matches({ type: 'Label', label: { key: 'empty' } }, node)).toEqual({ pass: true, message: 'label empty' });
    expect(matches({ type: 'Annotation', annotation: { key: 'note' } }, node)).toEqual({
      pass: true,
      message: 'annotation note=x',
    });
  });

  it('matches only the value that is named', () => {
    expect(matches({ type: 'Label', label: { key: 'retire', value: 'soon' } }, node).pass).toBe(true);
    expect(matches({ type: 'Label', label: { key: 'retire', value: 'now' } }, node)).toEqual({
      pass: false,
      because: 'its label retire is not now',
    });
    expect(matches({ type: 'Label', label: { key: 'retire', value: '' } }, node).pass).toBe(false);
  });

  it('does not take a label for an annotation', () => {
    expect(matches({ type: 'Annotation', annotation: { key: 'retire' } }, node)).toEqual({
      pass: false,
      because: 'it has no annotation retire',
    });
  });
});

const withCondition = (status: string, lastTransition = 0, reason = '') =>
  aNode({ conditions: [{ type: 'Dead', status, reason, lastTransition }] });
const dead = (forMs: number): Extract<ReasonRule, { type: 'Condition' }> => ({
  type: 'Condition',
  condition: { type: 'Dead', status: 'True', forMs },
});

/** Shows the versions of one node, each at its time, and gives the context of a later look. */
function seen(...versions: readonly (readonly [at: number, node: Node])[]) {
  const times = createConditionTimes();
  for (const [at, node] of versions) times.see(node, at);
  return (now: number): ReasonContext => ({ now, conditionSince: times.since, newestVersion: () => null });
}

describe('a condition reason', () => {
  it('matches when the condition has had its status for long enough, and says before when that will be', () => {
    const node = withCondition('True', NOW - MINUTE, 'KernelOops');
    const at = seen([NOW, node]);
    expect(matchReason(dead(2 * MINUTE), node, at(NOW))).toMatchObject({ pass: false, at: NOW + MINUTE });
    expect(matchReason(dead(2 * MINUTE), node, at(NOW + MINUTE))).toEqual({
      pass: true,
      message: 'condition Dead=True (KernelOops)',
    });
  });

  it('says which status the condition has instead', () => {
    const node = withCondition('False');
    expect(matchReason(dead(0), node, seen([NOW, node])(NOW))).toEqual({ pass: false, because: 'its condition Dead is False' });
    expect(matchReason(dead(0), aNode(), seen([NOW, aNode()])(NOW))).toEqual({
      pass: false,
      because: 'it has no condition Dead',
    });
  });

  it('counts from the first look where the writer set no time, or one in the future', () => {
    for (const written of [0, Number.NaN, NOW + 10 * MINUTE]) {
      const node = withCondition('True', written);
      expect(matchReason(dead(MINUTE), node, seen([NOW, node])(NOW))).toMatchObject({ pass: false, at: NOW + MINUTE });
    }
  });

  it('counts a later change from when it was seen, whatever the writer says', () => {
    const broken = withCondition('True', NOW - 60 * MINUTE);
    const at = seen([NOW, withCondition('False')], [NOW + SECOND, broken]);
    expect(matchReason(dead(MINUTE), broken, at(NOW + SECOND))).toMatchObject({ pass: false, at: NOW + SECOND + MINUTE });
  });

  it('counts a condition that appears on a known node from when it was seen', () => {
    const broken = withCondition('True', NOW - 60 * MINUTE);
    expect(matchReason(dead(MINUTE), broken, seen([NOW, aNode()], [NOW, broken])(NOW))).toMatchObject({
      pass: false,
      at: NOW + MINUTE,
    });
  });

  it('goes on counting through versions of the node that leave the condition alone', () => {
    const node = withCondition('True', NOW - MINUTE);
    const later = { ...withCondition('True', NOW), resourceVersion: '2' };
    expect(matchReason(dead(2 * MINUTE), later, seen([NOW, node], [NOW + MINUTE, later])(NOW + MINUTE)).pass).toBe(true);
  });

  it('starts anew after a flicker', () => {
    const broken = withCondition('True', NOW - 60 * MINUTE);
    const at = seen([NOW, broken], [NOW + SECOND, withCondition('Unknown')], [NOW + 2 * SECOND, broken]);
    expect(matchReason(dead(MINUTE), broken, at(NOW + 2 * SECOND))).toMatchObject({ pass: false, at: NOW + 2 * SECOND + MINUTE });
  });

  it('knows nothing of a node that was forgotten', () => {
    const times = createConditionTimes();
    times.see(withCondition('True'), NOW);
    times.forget('node-1');
    expect(times.since(aNode(), 'Dead', 'True')).toBeNull();
  });
});

describe('a reason that has started a maintenance', () => {
  it('still holds through a flicker to Unknown and back', () => {
    const broken = withCondition('True', NOW - 60 * MINUTE);
    const unknown = withCondition('Unknown');
    const at = seen([NOW, broken], [NOW + SECOND, unknown]);
    expect(stillHolds(dead(MINUTE), unknown, at(NOW + SECOND))).toBe(true);
    const back = seen([NOW, broken], [NOW + SECOND, unknown], [NOW + 2 * SECOND, broken]);
    expect(stillHolds(dead(MINUTE), broken, back(NOW + 2 * SECOND))).toBe(true);
  });

  it('no longer holds when the condition says the opposite, or is gone', () => {
    const healthy = withCondition('False');
    expect(stillHolds(dead(0), healthy, seen([NOW, withCondition('True')], [NOW, healthy])(NOW))).toBe(false);
    expect(stillHolds(dead(0), aNode(), seen([NOW, aNode()])(NOW))).toBe(false);
  });

  it('no longer holds when its taint or label is gone', () => {
    expect(stillHolds({ type: 'Taint', taint: { key: 'k' } }, aNode(), none)).toBe(false);
    expect(stillHolds({ type: 'Label', label: { key: 'k' } }, aNode({ labels: { k: 'v' } }), none)).toBe(true);
    expect(stillHolds({ type: 'Label', label: { key: 'k' } }, aNode(), none)).toBe(false);
  });
});
