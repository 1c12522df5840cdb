import { describe, expect, it } from 'vitest';
import { aBarePod, aPod, NOW, ownedBy } from '../../test/builders.ts';
import type { Pod } from '../api/objects.ts';
import { createProgress } from './progress.ts';

const leaving = (...pods: readonly Pod[]) => pods.map((pod) => ({ pod, state: 'Waiting' as const }));

describe('the progress of a maintenance', () => {
  const [one, two] = [aPod({ name: 'web-1' }), aPod({ name: 'web-2' })];

  it('counts the pods that had to leave and have left, each once', () => {
    const progress = createProgress();
    progress.expect('m-1', leaving(one, two));
    progress.left('m-1', one, NOW);
    progress.left('m-1', one, NOW + 1);
    expect(progress.gone('m-1')).toBe(1);
    expect(progress.memory('m-1', NOW).progressAt).toBe(NOW);
  });

  it('is of now at the latest: after a clock that was set back a standstill is noticed in time', () => {
    const progress = createProgress();
    progress.expect('m-1', leaving(one, two));
    progress.left('m-1', one, NOW + 3_600_000);
    expect(progress.memory('m-1', NOW).progressAt).toBe(NOW);
    expect(progress.memory('m-1', NOW + 60_000).progressAt).toBe(NOW);
  });

  it('does not count a pod that did not have to leave', () => {
    const progress = createProgress();
    progress.expect('m-1', [...leaving(one), { pod: two, state: 'Skipped' }]);
    progress.left('m-1', two, NOW);
    expect(progress.gone('m-1')).toBe(0);
    expect(progress.memory('m-1', NOW).progressAt).toBeNull();
  });

  it('counts a pod that a later look no longer lists', () => {
    const progress = createProgress();
    progress.expect('m-1', leaving(one, two));
    progress.expect('m-1', leaving(two));
    progress.left('m-1', one, NOW);
    expect(progress.gone('m-1')).toBe(1);
  });

  it('knows which pods are still there, as of the last look and of what has left since', () => {
    const progress = createProgress();
    progress.expect('m-1', leaving(one, two));
    progress.left('m-1', one, NOW);
    expect(progress.remaining('m-1')).toBe(1);
    progress.expect('m-1', leaving());
    expect([progress.remaining('m-1'), progress.remaining('m-2')]).toEqual([0, 0]);
  });

  it('remembers whose pods have left, without those that have no owner', () => {
    const progress = createProgress();
    const bare = aBarePod({ name: 'bare' });
    progress.expect('m-1', leaving(one, bare));
    progress.left('m-1', one, NOW);
    progress.left('m-1', bare, NOW);
    expect(progress.memory('m-1', NOW).moved).toEqual([
      { namespace: 'shop', name: 'web-1', owner: ownedBy('ReplicaSet', 'web') },
    ]);
    expect(progress.gone('m-1')).toBe(2);
  });

  it('knows of no volumes when it saw the whole try and no pod had any', () => {
    const progress = createProgress();
    progress.begin('m-1');
    progress.expect('m-1', leaving(one));
    expect(progress.memory('m-1', NOW).movedClaims).toBe(false);
  });

  it('does not know about volumes after a restart: pods may have left before it looked', () => {
    const progress = createProgress();
    progress.expect('m-1', leaving(one));
    progress.expect('m-1', leaving());
    expect(progress.memory('m-1', NOW).movedClaims).toBeNull();
  });

  it('knows of volumes as soon as one pod has any', () => {
    const progress = createProgress();
    progress.begin('m-1');
    progress.expect('m-1', leaving(one, aPod({ name: 'db-0', claims: ['data'] })));
    progress.expect('m-1', leaving(one));
    expect(progress.memory('m-1', NOW).movedClaims).toBe(true);
  });

  it('goes on after a restart where the status stood', () => {
    const progress = createProgress();
    progress.restore('m-1', 7, NOW);
    progress.expect('m-1', leaving(one));
    progress.left('m-1', one, NOW);
    expect(progress.gone('m-1')).toBe(8);
  });

  it('begins anew with each try', () => {
    const progress = createProgress();
    progress.restore('m-1', 7, NOW);
    progress.begin('m-1');
    expect(progress.gone('m-1')).toBe(0);
  });

  it('keeps maintenances apart, and forgets', () => {
    const progress = createProgress();
    progress.expect('m-1', leaving(one));
    progress.left('m-2', one, NOW);
    progress.left('m-1', one, NOW);
    expect([progress.gone('m-1'), progress.gone('m-2')]).toEqual([1, 0]);
    progress.forget('m-1');
    expect(progress.gone('m-1')).toBe(0);
    expect(progress.memory('m-1', NOW)).toEqual({ progressAt: null, moved: [], movedClaims: null });
  });
});
