import { describe, expect, it } from 'vitest';
import { closeMatches, nodeName } from './nodes.ts';

describe('closeMatches', () => {
  const names = ['worker-1', 'worker-2', 'ip-10-0-1-5.ec2.internal', 'control-plane'];

  it.each([
    ['worker1', ['worker-1', 'worker-2']],
    ['wroker-1', ['worker-1']],
    ['w9', []],
    ['ip-10-0-1-5', ['ip-10-0-1-5.ec2.internal']],
    ['worker-1.example', ['worker-1']],
    ['database', []],
  ])('for %s are %j', (typed, expected) => {
    expect(closeMatches(typed, names)).toEqual(expected);
  });

  it('are at most three', () => {
    expect(closeMatches('worker', ['worker-4', 'worker-1', 'worker-3', 'worker-2'])).toEqual([
      'worker-1',
      'worker-2',
      'worker-3',
    ]);
  });
});

describe('nodeName', () => {
  it.each(['w1', 'node/w1', 'nodes/w1', 'no/w1'])('reads %s', (word) => {
    expect(nodeName(word)).toBe('w1');
  });

  it.each(['pod/w1', 'node/', 'a/b/c'])('refuses %s', (word) => {
    expect(() => nodeName(word)).toThrow('is not the name of a node');
  });
});
