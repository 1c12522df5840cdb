import { describe, expect, it } from 'vitest';
import { readScenario } from '../../sim/scenario/read.ts';
import { lowerBound } from './lower-bound.ts';

const times = { start: '1s', ready: '4s', stop: '2s' };
const { workloads } = readScenario(
  {
    workloads: [
      { name: 'web', ...times, budget: { maxUnavailable: 1 } },
      { name: 'only', ...times, budget: { maxUnavailable: 0 } },
      { name: 'db', kind: 'StatefulSet', ...times, budget: { maxUnavailable: 1 } },
    ],
  },
  'x',
);
const on = (node: string, app: string) => ({ node, zone: 'z', namespace: 'default', app });
const nodes = new Map([
  ['a', 'z'],
  ['b', 'z'],
]);

describe('lowerBound', () => {
  it.each([
    ['always', 'web', 24_000], // replacement, then stop, then empty for 5 s, on each of two nodes
    ['never', 'web', 14_000], // stop and empty for 5 s; the replacement's 5 s overlap
    ['when-needed', 'only', 24_000],
    ['when-needed', 'web', 14_000],
  ] as const)('with handover %s, two nodes of a zone with %s', (handover, app, ms) => {
    expect(lowerBound({ workloads }, { handover, perZone: 1 }, nodes, [on('a', app), on('b', app)]).ms).toBe(ms);
  });

  it('is shorter where more of a zone go at once', () => {
    const pods = [on('a', 'web'), on('b', 'web')];
    expect(lowerBound({ workloads }, { handover: 'always', perZone: 2 }, nodes, pods).ms).toBe(12_000);
  });

  it('is what the pods of a StatefulSet need one after another, where that is longer', () => {
    const pods = [on('a', 'db'), on('a', 'db'), on('b', 'db'), on('b', 'db')];
    expect(lowerBound({ workloads }, { handover: 'always', perZone: 2 }, nodes, pods)).toEqual({
      ms: 28_000,
      because: '4 pods of default/db, whose budget lets 1 be away, each its quickest stop and start',
    });
  });
});
