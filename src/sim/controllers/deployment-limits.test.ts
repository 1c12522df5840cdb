import { describe, expect, it } from 'vitest';
import type { Deployment, ReplicaSet } from '../kubernetes.ts';
import { isSaturated, newSize, oldSizes, proportionalSizes, rollingLimits } from './deployment-limits.ts';

const metadata = (name: string, annotations = {}) => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: `2026-01-05T08:00:0${name.at(-1)}Z`,
  annotations,
});

type Rolling = { maxSurge: number | string; maxUnavailable: number | string };

function deployment(replicas: number, rollingUpdate: Rolling): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata('web-0'),
    spec: { replicas, selector: {}, template: { spec: { containers: [] } }, strategy: { type: 'RollingUpdate', rollingUpdate } },
  };
}

/** Named after its age: the lower, the older. */
function set(age: number, replicas: number, availableReplicas: number, annotations = {}): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: metadata(`set-${age}`, annotations),
    spec: { replicas, selector: {}, template: { spec: { containers: [] } } },
    status: { replicas, availableReplicas },
  };
}

const named = (sizes: ReadonlyMap<ReplicaSet, number>) =>
  Object.fromEntries([...sizes].map(([{ metadata: of }, size]) => [of.name, size]));

describe('how far the old ReplicaSets of a Deployment may shrink', () => {
  // Ten replicas, three more, two fewer: the examples in upstream's rolling.go.
  const ten = deployment(10, { maxSurge: 3, maxUnavailable: 2 });

  it('is not at all while what the new one has is not available, though an old pod is lost', () => {
    expect(named(oldSizes(ten, set(2, 5, 0), [set(1, 8, 8)]))).toEqual({});
    expect(named(oldSizes(ten, set(2, 5, 0), [set(1, 8, 7)]))).toEqual({});
  });

  it('takes the broken pods first after a roll back', () => {
    expect(named(oldSizes(ten, set(1, 8, 7), [set(2, 5, 0)]))).toEqual({ 'set-2': 1 });
  });

  it('takes them all when a third template takes over', () => {
    expect(named(oldSizes(ten, set(3, 0, 0), [set(1, 8, 8), set(2, 5, 0)]))).toEqual({ 'set-2': 0 });
  });

  it('begins with the oldest', () => {
    expect(named(oldSizes(ten, set(3, 3, 3), [set(2, 5, 5), set(1, 5, 5)]))).toEqual({ 'set-1': 0 });
  });

  it('waits for a set that was told to shrink and still counts those that go', () => {
    expect(named(oldSizes(deployment(8, { maxSurge: 0, maxUnavailable: 2 }), set(2, 3, 3), [set(1, 5, 8)]))).toEqual({});
  });
});

describe('the limits of a roll-out', () => {
  it.each([
    [4, { maxSurge: '25%', maxUnavailable: '25%' }, { surge: 1, unavailable: 1 }],
    [3, { maxSurge: '25%', maxUnavailable: '25%' }, { surge: 1, unavailable: 0 }],
    [2, { maxSurge: 0, maxUnavailable: '10%' }, { surge: 0, unavailable: 1 }],
    [1, { maxSurge: 1, maxUnavailable: 5 }, { surge: 1, unavailable: 1 }],
    [0, { maxSurge: 1, maxUnavailable: 1 }, { surge: 1, unavailable: 0 }],
  ])('for %i replicas and %j are %j', (replicas, rolling, limits) => {
    expect(rollingLimits(deployment(replicas, rolling))).toEqual(limits);
  });

  it('let the new ReplicaSet grow into the surge, and never past the replicas', () => {
    const four = deployment(4, { maxSurge: 2, maxUnavailable: 0 });
    expect(newSize(four, [set(1, 4, 4)], 0)).toBe(2);
    expect(newSize(four, [set(1, 4, 4), set(2, 2, 0)], 2)).toBe(2);
    expect(newSize(four, [set(2, 1, 1)], 1)).toBe(4);
  });
});

describe('a Deployment scaled in the middle of a roll', () => {
  const annotations = { 'deployment.kubernetes.io/desired-replicas': '10', 'deployment.kubernetes.io/max-replicas': '13' };

  it('shrinks each ReplicaSet by its share', () => {
    const five = deployment(5, { maxSurge: 3, maxUnavailable: 2 });
    expect(named(proportionalSizes(five, [set(1, 8, 8, annotations), set(2, 5, 0, annotations)]))).toEqual({
      'set-1': 5,
      'set-2': 3,
    });
  });

  it('goes to nothing with all of them', () => {
    const none = deployment(0, { maxSurge: 3, maxUnavailable: 2 });
    expect(named(proportionalSizes(none, [set(1, 8, 8, annotations), set(2, 5, 0, annotations)]))).toEqual({
      'set-1': 0,
      'set-2': 0,
    });
  });

  it('counts as saturated only when the new ReplicaSet knows of all replicas and has them available', () => {
    const ten = deployment(10, { maxSurge: 3, maxUnavailable: 2 });
    expect(isSaturated(ten, set(2, 10, 10, annotations))).toBe(true);
    expect(isSaturated(ten, set(2, 10, 9, annotations))).toBe(false);
    expect(isSaturated(ten, set(2, 10, 10))).toBe(false);
  });
});
