import { describe, expect, it } from 'vitest';
import { aCordonedNode, aNode, NOW, SECOND } from '../../test/builders.ts';
import type { Node, NodeCondition } from '../api/objects.ts';
import type { Phase } from '../engine/maintenance.ts';
import { type ConditionsPatch, conditionsPatch, isOwnCondition, removeConditionsPatch } from './conditions.ts';
import { aDecision, everyBlocker } from './testing/decisions.ts';

const LATER = NOW + 60 * SECOND;

/** As the API server does: by type; new ones at the end. */
function applied(node: Node, patch: ConditionsPatch | null): Node {
  const conditions = new Map(node.conditions.map((each) => [each.type, each]));
  for (const change of patch?.status.conditions ?? []) {
    if ('$patch' in change) conditions.delete(change.type);
    else
      conditions.set(change.type, {
        type: change.type,
        status: change.status,
        reason: change.reason,
        lastTransition: Date.parse(change.lastTransitionTime),
      });
  }
  return { ...node, conditions: [...conditions.values()] };
}

const shown = (node: Node) => Object.fromEntries(node.conditions.map(({ type, status }) => [type, status]));
const stay = (phase: Phase, node: Node, now = LATER) =>
  conditionsPatch(aDecision(phase, phase, { waitingFor: everyBlocker.MaxNodes }), node, now);
const ready: NodeCondition = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastTransition: 0 };

describe('conditionsPatch', () => {
  it.each([
    ['Pending', { MaintenancePlanned: 'True' }],
    ['BackOff', { MaintenancePlanned: 'True' }],
    ['Draining', { MaintenancePlanned: 'True', DrainInProgress: 'True' }],
    ['Settling', { MaintenancePlanned: 'True', DrainInProgress: 'True' }],
    ['Drained', { MaintenancePlanned: 'False', DrainInProgress: 'False', Drained: 'True', MaintenanceInProgress: 'True' }],
    ['HandedBack', {}],
    ['Cancelled', {}],
    ['Failed', {}],
  ] as const)('shows %s', (phase, conditions) => {
    const node = aCordonedNode('m-1', { conditions: [ready] });
    const patched = applied(node, stay(phase, node));
    expect(shown(patched)).toEqual({ Ready: 'True', ...conditions });
    expect(stay(phase, patched)).toBeNull();
  });

  it('announces a maintenance only once it has waited, and one that waits for nothing not at all', () => {
    const node = aNode();
    expect(stay('Pending', node, NOW + 9 * SECOND)).toBeNull();
    expect(stay('Pending', node, NOW + 10 * SECOND)).not.toBeNull();
    expect(conditionsPatch(aDecision('Pending'), node, LATER)).toBeNull();
  });

  it('takes the conditions of a drain off at once when the node goes back to Pending', () => {
    const node = applied(aCordonedNode(), stay('Draining', aCordonedNode()));
    expect(
      shown(applied(node, conditionsPatch(aDecision('Undoing', 'Pending', { state: { phaseSince: LATER } }), node, LATER))),
    ).toEqual({ MaintenancePlanned: 'True' });
  });

  it('leaves the node alone until its cordon has been seen, and again until its undo has: their patches name the version they saw', () => {
    expect(stay('Draining', aNode())).toBeNull();
    expect(stay('Draining', aCordonedNode('another'))).toBeNull();
    const node = applied(aCordonedNode(), stay('Drained', aCordonedNode()));
    expect(stay('Undoing', node)).toBeNull();
  });

  it('keeps the time of a condition whose status stays, and takes now for one that turns', () => {
    const node = applied(aCordonedNode(), stay('Draining', aCordonedNode(), NOW));
    const stale = { ...node, conditions: node.conditions.map((each) => ({ ...each, reason: 'DroverOlderVersion' })) };
    const times = (patch: ConditionsPatch | null) =>
      patch?.status.conditions.map((each) => 'lastTransitionTime' in each && each.lastTransitionTime);
    expect(times(stay('Draining', stale))).toEqual(['2026-01-01T12:00:00Z', '2026-01-01T12:00:00Z']);
    expect(times(stay('Drained', node))).toEqual(Array.from({ length: 4 }, () => '2026-01-01T12:01:00Z'));
  });

  it('never changes or removes a condition of the same type that someone else wrote', () => {
    const theirs: NodeCondition = { type: 'DrainInProgress', status: 'False', reason: 'AdminRequested', lastTransition: 0 };
    let node = aCordonedNode('m-1', { conditions: [ready, theirs] });
    for (const phase of ['Draining', 'Drained', 'HandedBack'] as const) {
      node = applied(node, stay(phase, node));
      expect(node.conditions).toContainEqual(theirs);
    }
    expect(node.conditions).toEqual([ready, theirs]);
  });

  it('names the uid, so that a node that was created anew under the name is not touched', () => {
    expect(stay('Drained', aNode({ uid: 'u-7' }))?.metadata.uid).toBe('u-7');
  });
});

describe('removeConditionsPatch', () => {
  it('takes all of ours off, and nothing else', () => {
    const node = applied(aCordonedNode('m-1', { conditions: [ready] }), stay('Drained', aCordonedNode()));
    expect(applied(node, removeConditionsPatch(node)).conditions).toEqual([ready]);
    expect(removeConditionsPatch(aNode({ conditions: [ready] }))).toBeNull();
  });
});

describe('isOwnCondition', () => {
  it('asks for type and reason', () => {
    expect(isOwnCondition({ type: 'Drained', reason: 'DroverDrainCompleted' })).toBe(true);
    expect(isOwnCondition({ type: 'Drained', reason: 'DrainCompleted' })).toBe(false);
    expect(isOwnCondition({ type: 'Ready', reason: 'DroverPlanned' })).toBe(false);
  });
});
