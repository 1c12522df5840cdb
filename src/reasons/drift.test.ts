import { describe, expect, it } from 'vitest';
import { aNode, MINUTE, NOW } from '../../test/builders.ts';
import { compileNodeExpression } from '../api/node-expression.ts';
import type { Node } from '../api/objects.ts';
import type { DriftRule } from './drift.ts';
import { createNewestVersions } from './newest-versions.ts';
import { matchReason, type ReasonRule } from './reason.ts';

const context = { now: NOW, conditionSince: () => null, newestVersion: () => 'v1.34.3' };
const drift = (rule: DriftRule, node: Node = aNode()) => matchReason({ type: 'Drift', drift: rule }, node, context);

describe('a drift reason', () => {
  it('compares a version with the one that is wanted', () => {
    expect(drift({ version: { what: 'Kubelet', exactly: 'v1.34.2' } })).toEqual({
      pass: true,
      message: 'kubelet v1.34.1, not v1.34.2',
    });
    expect(drift({ version: { what: 'Kubelet', exactly: 'v1.34.1' } }).pass).toBe(false);
    expect(drift({ version: { what: 'Kernel', atLeast: '6.2' } })).toEqual({
      pass: true,
      message: 'kernel 6.1.0 is older than 6.2',
    });
    expect(drift({ version: { what: 'OSImage', atLeast: 'Linux 1' } }).pass).toBe(false);
    expect(drift({ version: { what: 'Kubelet', newestOf: 'pool' } })).toMatchObject({ pass: true });
  });

  it('takes what is not known for no drift', () => {
    const blank = aNode({ versions: { kubelet: '', osImage: '', kernel: '', containerRuntime: '' } });
    expect(drift({ version: { what: 'Kubelet', exactly: 'v1.34.2' } }, blank)).toEqual({
      pass: false,
      because: 'its kubelet is not known',
    });
    const expression = 'node.labels["zone"] == "1"';
    expect(drift({ expression, isDrifted: compileNodeExpression(expression) })).toEqual({
      pass: false,
      because: 'node.labels["zone"] == "1" cannot be asked: No such key: zone',
    });
  });

  it('compares a label, and takes a missing one for drift', () => {
    const rule = { label: { key: 'image', value: 'b' } };
    expect(drift(rule, aNode({ labels: { image: 'a' } }))).toEqual({ pass: true, message: 'label image is a, not b' });
    expect(drift(rule, aNode({ labels: { image: 'b' } })).pass).toBe(false);
    expect(drift(rule)).toEqual({ pass: true, message: 'it has no label image' });
  });
});

const inPool = (name: string, kubelet: string, pool = 'a') =>
  aNode({ name, labels: { pool }, versions: { ...aNode().versions, kubelet } });

describe('the newest version of a pool', () => {
  const start = (...nodes: readonly Node[]) => {
    const newest = createNewestVersions();
    newest.track([{ what: 'Kubelet', label: 'pool' }]);
    for (const node of nodes) newest.see(node);
    return { newest, of: (node: Node) => newest.newest(node, 'Kubelet', 'pool') };
  };

  it('is of those with the same value of the label', () => {
    const [old, young, other] = [inPool('n-1', 'v1.33.1'), inPool('n-2', 'v1.34.0'), inPool('n-3', 'v1.35.0', 'b')];
    const { of } = start(old, young, other);
    expect([old, young, other].map(of)).toEqual(['v1.34.0', 'v1.34.0', 'v1.35.0']);
    expect(of(aNode())).toBeNull();
  });

  it('names the nodes whose answer has changed, and only those', () => {
    const { newest } = start(inPool('n-1', 'v1.33.1'), inPool('n-2', 'v1.33.1'), inPool('n-3', 'v1.33.1', 'b'));
    expect([...newest.see(inPool('n-4', 'v1.34.0'))].sort()).toEqual(['n-1', 'n-2', 'n-4']);
    expect(newest.see({ ...inPool('n-4', 'v1.34.0'), resourceVersion: '2' })).toEqual([]);
    expect([...newest.forget('n-4')].sort()).toEqual(['n-1', 'n-2']);
    expect(newest.newest(inPool('n-1', 'v1.33.1'), 'Kubelet', 'pool')).toBe('v1.33.1');
  });

  it('does not change for a build that only its hash tells from another', () => {
    const { newest } = start(inPool('n-1', 'v1.34.1-eks-aaaa'));
    expect(newest.see(inPool('n-2', 'v1.34.1-eks-bbbb'))).toEqual([]);
  });
});

describe('an age reason', () => {
  const rule = (jitterMs: number): ReasonRule => ({ type: 'Age', age: { maxAgeMs: 60 * MINUTE, jitterMs } });
  const born = (createdAt: number, uid = 'u') => aNode({ createdAt, uid });

  it('matches a node that is older, and says before when that will be', () => {
    expect(matchReason(rule(0), born(NOW - 60 * MINUTE), context)).toMatchObject({ pass: true });
    expect(matchReason(rule(0), born(NOW), context)).toMatchObject({ pass: false, at: NOW + 60 * MINUTE });
  });

  it('adds the same share of the jitter to the same node, and spreads different ones over all of it', () => {
    const due = (uid: string) => {
      const match = matchReason(rule(100 * MINUTE), born(NOW, uid), context);
      return match.pass ? 0 : ((match.at ?? 0) - NOW) / MINUTE - 60;
    };
    expect(due('a')).toBe(due('a'));
    const tenths = new Set(Array.from({ length: 200 }, (_, index) => Math.floor(due(`0b6f-${index}`) / 10)));
    expect(tenths.size).toBe(10);
  });

  it('knows no age of a node without a creation time', () => {
    expect(matchReason(rule(0), born(0), context)).toEqual({ pass: false, because: 'its creation time is not known' });
  });
});
