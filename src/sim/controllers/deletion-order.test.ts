import { describe, expect, it } from 'vitest';
import type { Pod } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import { inDeletionOrder } from './deletion-order.ts';

const now = Date.parse('2026-01-05T08:00:00Z');
const HOUR = 3_600_000;

interface Sketch {
  readonly node?: string;
  readonly phase?: 'Pending' | 'Running';
  /** Ready for so long; undefined: not ready. */
  readonly readyFor?: number | undefined;
  readonly cost?: string;
  readonly restarts?: number;
  readonly age?: number;
}

function pod(name: string, { node = 'a', phase = 'Running', readyFor, cost, restarts = 0, age = HOUR }: Sketch): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: timestamp(now - age),
      ...(cost !== undefined && { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
    },
    spec: { containers: [], ...(node !== '' && { nodeName: node }) },
    status: {
      phase,
      conditions: [
        readyFor === undefined
          ? { type: 'Ready', status: 'False' }
          : { type: 'Ready', status: 'True', lastTransitionTime: timestamp(now - readyFor) },
      ],
      containerStatuses: [{ name: 'web', ready: true, restartCount: restarts }],
    },
  };
}

const ready = { readyFor: HOUR };
const cases: readonly (readonly [rule: string, first: Sketch, second: Sketch])[] = [
  ['one without a node', { node: '', ...ready }, { ...ready }],
  ['a pending one', { phase: 'Pending', ...ready }, { ...ready }],
  ['one that is not ready', {}, { ...ready }],
  ['one of a lower deletion cost', { cost: '-1', ...ready }, { ...ready }],
  ['an ordinary one before a costly one', { ...ready }, { cost: '7', ...ready }],
  ['one on a node with more of its kind', { node: 'crowded', ...ready }, { ...ready }],
  ['one that became ready later', { readyFor: HOUR }, { readyFor: 9 * HOUR }],
  ['one that restarted more', { restarts: 3, ...ready }, { ...ready }],
  ['the younger', { age: HOUR, ...ready }, { age: 9 * HOUR, ...ready }],
];

describe('the order in which surplus pods go', () => {
  it.each(cases)('puts %s first', (_, first, second) => {
    const neighbours = (node: string) => (node === 'crowded' ? 3 : 1);
    const names = (pods: Pod[]) => inDeletionOrder(pods, { now, neighbours }).map(({ metadata }) => metadata.name);
    // The uid is the last word: given both ways round, so that it cannot be what decides.
    expect(names([pod('m', second), pod('z', first)])).toEqual(['z', 'm']);
    expect(names([pod('m', second), pod('b', first)])).toEqual(['b', 'm']);
  });

  it('draws by uid between pods of about the same age, since times count in powers of two', () => {
    const order = inDeletionOrder([pod('z', { readyFor: HOUR }), pod('b', { readyFor: HOUR + 60_000 })], {
      now,
      neighbours: () => 1,
    });
    expect(order.map(({ metadata }) => metadata.name)).toEqual(['b', 'z']);
  });

  it('compares ages exactly where no ReplicaSet asks', () => {
    const order = inDeletionOrder([pod('b', { readyFor: HOUR + 60_000 }), pod('z', { readyFor: HOUR })]);
    expect(order.map(({ metadata }) => metadata.name)).toEqual(['z', 'b']);
  });

  it('takes a deletion cost that is no integer for none', () => {
    const order = inDeletionOrder([pod('a', { cost: '+5', ...ready }), pod('b', { cost: '1', ...ready })], {
      now,
      neighbours: () => 1,
    });
    expect(order.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  });
});
