import { describe, expect, it } from 'vitest';
import { aNode, NOW, patchedNode } from '../../test/builders.ts';
import { annotations } from '../api/names.ts';
import type { Node } from '../api/objects.ts';
import { cordonPatch, undoNodePatch } from './journal.ts';

const KEY = annotations.scaleDownDisabled;
const cordoned = (node: Node, keepFromAutoscaler = true, stage: 'Marked' | 'Cordoned' = 'Cordoned') => {
  const request = { by: 'm-1', reason: 'r', reasonType: 'Label', now: NOW, excludeFromLoadBalancers: false, keepFromAutoscaler };
  return patchedNode(node, cordonPatch(node, stage, request));
};
const undone = (node: Node) => patchedNode(node, undoNodePatch(node)).annotations[KEY];

describe('the annotation that keeps the cluster autoscaler away', () => {
  it('is set with the cordon of a node that comes back, and taken away with it', () => {
    const node = cordoned(aNode());
    expect(node.annotations[KEY]).toBe('true');
    expect(undone(node)).toBeUndefined();
  });

  it('is not set on a node that is only marked, or only drained', () => {
    expect(cordoned(aNode(), true, 'Marked').annotations[KEY]).toBeUndefined();
    expect(cordoned(aNode(), false).annotations[KEY]).toBeUndefined();
  });

  it.each(['true', 'false'])('stays %s where somebody else had set it so', (value) => {
    const node = cordoned(aNode({ annotations: { [KEY]: value } }));
    expect(node.annotations[KEY]).toBe('true');
    expect(undone(node)).toBe(value);
  });

  it('is left alone when somebody has changed it meanwhile', () => {
    const node = cordoned(aNode());
    expect(undone({ ...node, annotations: { ...node.annotations, [KEY]: 'false' } })).toBe('false');
  });
});
