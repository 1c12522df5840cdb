import { describe, expect, it } from 'vitest';
import { aBudget, aDrain, anAttempt, aPod, NOW, SECOND, type WorldParts } from '../../test/builders.ts';
import { reportOf } from '../../test/deciding.ts';
import type { Pod } from '../api/objects.ts';

describe('a pod whose last try was answered', () => {
  const refused = (answer: string, more = {}) => anAttempt({ answer, message: 'said so', retryAt: NOW + 5 * SECOND, ...more });
  const withAttempt = (attempt: ReturnType<typeof anAttempt>, parts: WorldParts = {}) =>
    reportOf(aPod(), { attempts: { 'uid-web-1': attempt }, ...parts });

  it('waits for the answer while the request is under way', () => {
    expect(withAttempt(anAttempt({ inFlight: true }))).toMatchObject({ state: 'Evicting', blocker: { cause: 'InFlight' } });
  });

  it('is not evicted twice before its deletion shows, but again when it stays', () => {
    const done = anAttempt({ answer: 'Done' });
    expect(withAttempt(done).decision).toMatchObject({ effects: [], wakeAt: NOW + 29 * SECOND });
    expect(reportOf(aPod(), { attempts: { 'uid-web-1': done } }, aDrain(), NOW + 30 * SECOND).decision.effects).toHaveLength(1);
  });

  it.each([
    ['Throttled', 'Throttled'],
    ['NamespaceTerminating', 'NamespaceTerminating'],
    ['Forbidden', 'Forbidden'],
    ['SeveralBudgets', 'SeveralBudgets'],
    ['Unavailable', 'ApiUnavailable'],
    ['Refused', 'EvictionRefused'],
    ['OtherPod', 'EvictionRefused'],
  ])('is held back after %s, as %s, until it may be tried again', (answer, cause) => {
    expect(withAttempt(refused(answer))).toMatchObject({ state: 'Waiting', blocker: { cause } });
    expect(withAttempt(refused(answer)).decision).toMatchObject({ effects: [], wakeAt: NOW + 5 * SECOND });
    expect(withAttempt(refused(answer, { retryAt: NOW })).decision.effects).toHaveLength(1);
  });

  it.each([
    ['BudgetRefused', 'BudgetExhausted'],
    ['BudgetStale', 'BudgetStale'],
  ])('is held back after %s until the budget has moved on', (answer, cause) => {
    const parts = { budgets: [aBudget({ resourceVersion: '7' })] };
    expect(withAttempt(refused(answer, { budgetVersion: '7' }), parts)).toMatchObject({ blocker: { cause } });
    expect(withAttempt(refused(answer, { budgetVersion: '6' }), parts).decision.effects).toHaveLength(1);
  });

  it('is held back by a budget that the cache does not know yet, until it does', () => {
    expect(withAttempt(refused('BudgetRefused'))).toMatchObject({
      state: 'Waiting',
      blocker: { cause: 'EvictionRefused', message: 'said so' },
    });
    expect(withAttempt(refused('BudgetRefused'), { budgets: [aBudget()] }).decision.effects).toHaveLength(1);
  });

  it('remembers the budget’s version also where it was not asked', () => {
    const healthy = aBudget({ disruptionsAllowed: 0, currentHealthy: 2, desiredHealthy: 2, resourceVersion: '7' });
    const [effect] = reportOf(aPod({ ready: false }), { budgets: [healthy] }).decision.effects;
    expect(effect).toMatchObject({ do: 'Evict', budgetVersion: '7' });
    expect(effect).not.toHaveProperty('budget');
  });
});

describe('a terminating pod', () => {
  const dying = (overrides: Partial<Pod> = {}) => aPod({ deletedAt: NOW + 20 * SECOND, deletionGraceSeconds: 30, ...overrides });

  it('is waited for until its grace ends', () => {
    expect(reportOf(dying())).toMatchObject({
      state: 'Terminating',
      blocker: { cause: 'Terminating', until: NOW + 20 * SECOND },
    });
    expect(reportOf(dying()).decision.wakeAt).toBe(NOW + 20 * SECOND);
  });

  it('names its finalizers once its grace is over', () => {
    expect(reportOf(dying({ deletedAt: NOW, finalizers: ['a/b'] })).blocker).toEqual({
      cause: 'Finalizer',
      pod: 'shop/web-1',
      finalizers: ['a/b'],
    });
  });

  it('is overdue half a minute after its grace', () => {
    expect(reportOf(dying({ deletedAt: NOW - 29 * SECOND })).blocker).toMatchObject({ cause: 'Terminating' });
    expect(reportOf(dying({ deletedAt: NOW - 30 * SECOND })).blocker).toEqual({
      cause: 'TerminatingOverdue',
      pod: 'shop/web-1',
      owner: 'ReplicaSet/web',
      since: NOW - 30 * SECOND,
    });
  });

  describe('when the ladder shortens graces', () => {
    const drain = aDrain({ with: { ladder: [{ afterMs: 0, do: 'ShortenGrace', graceSeconds: 5 }] } });
    const effects = (pod: Pod, attempt?: ReturnType<typeof anAttempt>) =>
      reportOf(pod, attempt ? { attempts: { 'uid-web-1': attempt } } : {}, drain).decision.effects;

    it('gets the shorter one, once', () => {
      expect(effects(dying())).toMatchObject([{ do: 'Delete', graceSeconds: 5 }]);
      expect(effects(dying(), anAttempt({ effect: 'Delete', answer: 'Done' }))).toEqual([]);
      expect(effects(dying({ deletionGraceSeconds: 5 }))).toEqual([]);
    });

    it('gets it also after an earlier deletion with its full grace', () => {
      expect(
        effects(dying({ resourceVersion: '2' }), anAttempt({ effect: 'Delete', answer: 'Done', podVersion: '1' })),
      ).toHaveLength(1);
    });

    it('is tried again when it failed', () => {
      const failed = anAttempt({ effect: 'Delete', answer: 'Unavailable', retryAt: NOW + SECOND });
      expect(effects(dying(), failed)).toEqual([]);
      expect(effects(dying(), { ...failed, retryAt: NOW })).toHaveLength(1);
    });
  });
});
