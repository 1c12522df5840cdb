import { describe, expect, it } from 'vitest';
import type { Pod } from '../../sim/kubernetes.ts';
import { learnTimings } from './timings.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();

/** @param restarts of its only container */
function pod(owner: string | null, scheduled: number, ready: number | null, restarts = 0): Pod {
  const conditions = [
    { type: 'PodScheduled', status: 'True', lastTransitionTime: at(scheduled) },
    { type: 'Ready', status: ready === null ? 'False' : 'True', lastTransitionTime: at(ready ?? scheduled) },
  ];
  const references =
    owner === null
      ? {}
      : { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true }] };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'shop', uid: 'u', ...references },
    spec: { containers: [{ name: 'app' }] },
    status: { conditions, containerStatuses: [{ name: 'app', restartCount: restarts }] },
  } as unknown as Pod;
}

const learned = { readyMs: null, stopMs: 1_000 };
const readyMs = (pods: readonly Pod[], of: Pod, assumed: Parameters<typeof learnTimings>[1] = learned) =>
  learnTimings(pods, assumed).readyAfter(of).least;

describe('how long a pod takes to get Ready', () => {
  const pods = [pod('web', 0, 3), pod('web', 10, 14), pod('db', 0, 20)];

  it('is the mean of the pods of the same owner, from their binding', () => {
    expect(readyMs(pods, pod('web', 0, null))).toBe(3_500);
    expect(readyMs(pods, pod('db', 0, null))).toBe(20_000);
  });

  it('is the mean of all pods where none of its own tells', () => {
    expect(readyMs(pods, pod('new', 0, null))).toBe(9_000);
    expect(readyMs(pods, pod(null, 0, null))).toBe(9_000);
  });

  it('is not learned from pods that were restarted, are not Ready, or belong to nobody', () => {
    expect(readyMs([...pods, pod('web', 0, 50, 1), pod('web', 0, null), pod(null, 0, 50)], pod('web', 0, null))).toBe(3_500);
  });

  it('is what was said, where it was said', () => {
    expect(readyMs(pods, pod('db', 0, null), { readyMs: 7_000, stopMs: 1_000 })).toBe(7_000);
  });

  it('is five seconds where not one pod tells', () => {
    expect(readyMs([], pod('web', 0, null))).toBe(5_000);
  });
});
