import { describe, expect, it } from 'vitest';
import { aNode } from '../../test/builders.ts';
import { compileNodeExpression } from './node-expression.ts';

const node = aNode({
  labels: { pool: 'a' },
  taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }],
  createdAt: Date.UTC(2026, 0, 1),
});

describe('an expression over a node', () => {
  it.each([
    ['node.labels["pool"] == "a"', true],
    ['node.taints.exists(taint, taint.key == "gpu" && taint.effect == "NoExecute")', false],
    ['node.versions.kubelet.startsWith("v1.34.")', true],
    ['!("zone" in node.labels)', true],
    ['node.ready && !node.unschedulable', true],
    ['node.createdAt < timestamp("2026-02-01T00:00:00Z")', true],
  ])('answers %s with %s', (text, answer) => {
    expect(compileNodeExpression(text)(node)).toBe(answer);
  });

  it('says why it cannot be asked about a node', () => {
    expect(compileNodeExpression('node.labels["zone"] == "1"')(node)).toEqual({ error: 'No such key: zone' });
  });

  it.each([
    ['node.labels[', /EOF/],
    ['nodes.ready', /Unknown variable: nodes/],
    ['node.labels.pool + 1 == 2 && 1', /bool/],
    ['1 + 1', 'gives a value of type int, not true or false'],
    ['node.ready', 'gives any value, not true or false'],
    ['node.labels.pool.matches("(a+)+$")', 'matches() is not offered; use startsWith, endsWith, contains or =='],
    [
      'node.taints.all(a, node.taints.all(b, node.taints.all(c, a.key == c.key)))',
      'has more than 2 loops (exists, all, map, filter)',
    ],
    [`${'(node.ready == true) && '.repeat(120)} true`, /AST/i],
  ])('is refused: %s', (text, message) => {
    expect(() => compileNodeExpression(text)).toThrow(message);
  });
});
