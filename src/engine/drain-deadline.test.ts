import { describe, expect, it } from 'vitest';
import { aBarePod, aBudget, aDrain, anAttempt, aPod, MINUTE, NOW, SECOND, type WorldParts } from '../../test/builders.ts';
import { reportOf } from '../../test/deciding.ts';
import type { Pod } from '../api/objects.ts';
import type { LadderStep } from './settings.ts';

const exhausted = aBudget({ disruptionsAllowed: 0, currentHealthy: 2 });

describe('the last rungs of the ladder', () => {
  const ladder: readonly LadderStep[] = [
    { afterMs: MINUTE, do: 'TellOwner' },
    { afterMs: 2 * MINUTE, do: 'Delete', graceSeconds: 10 },
  ];
  const drain = aDrain({ with: { ladder } });
  const after = (minutes: number, pod: Pod = aPod(), parts: WorldParts = { budgets: [exhausted] }) =>
    reportOf(pod, parts, drain, NOW + minutes * MINUTE);

  it('wake the drain when time alone reaches the next', () => {
    expect(after(0).decision.wakeAt).toBe(NOW + MINUTE);
    expect(after(1).decision.wakeAt).toBe(NOW + 2 * MINUTE);
  });

  it('tell the owner, and still say what is waited for', () => {
    expect(after(1)).toMatchObject({
      state: 'Waiting',
      blocker: { cause: 'BudgetExhausted' },
      decision: { effects: [{ do: 'TellOwner' }], waitingFor: { cause: 'BudgetExhausted' } },
    });
    expect(after(1, aBarePod())).toMatchObject({
      state: 'Protected',
      blocker: { cause: 'ProtectedPod' },
      decision: { effects: [{ do: 'TellOwner' }] },
    });
  });

  it('tell nobody whose pod leaves', () => {
    expect(after(1, aPod(), {}).decision.effects).toMatchObject([{ do: 'Evict' }]);
  });

  it('delete what a budget, a rule, a webhook or a protection still holds', () => {
    const deletes = [{ do: 'Delete', graceSeconds: 10 }];
    expect(after(2).decision.effects).toMatchObject(deletes);
    expect(after(2, aBarePod()).decision.effects).toMatchObject(deletes);
    const webhook = anAttempt({ answer: 'Refused', retryAt: NOW + 60 * MINUTE });
    expect(after(2, aPod(), { attempts: { 'uid-web-1': webhook } }).decision.effects).toMatchObject(deletes);
  });

  it('evict what may be evicted even then', () => {
    expect(after(2, aPod(), { budgets: [aBudget()] }).decision.effects).toMatchObject([{ do: 'Evict' }]);
    expect(after(2, aBarePod(), { budgets: [aBudget()] }).decision.effects).toMatchObject([{ do: 'Evict', graceSeconds: 10 }]);
  });

  it('never lengthen a grace', () => {
    expect(after(2, aPod({ graceSeconds: 3 })).decision.effects).toMatchObject([{ do: 'Delete', graceSeconds: 3 }]);
  });

  it('ask once for the deletion of a pod that is never evicted, until the answer shows or may be asked for again', () => {
    const pod = aBarePod();
    const asked = (attempt: Parameters<typeof anAttempt>[0]) =>
      after(2, pod, {
        budgets: [exhausted],
        attempts: { [pod.uid]: anAttempt({ effect: 'Delete', startedAt: NOW + 2 * MINUTE, ...attempt }) },
      });
    expect(asked({ answer: 'Done' })).toMatchObject({ state: 'Evicting', decision: { effects: [] } });
    expect(asked({ answer: 'Forbidden', retryAt: NOW + 3 * MINUTE })).toMatchObject({
      state: 'Waiting',
      decision: { effects: [] },
    });
    expect(asked({ answer: 'Forbidden', retryAt: NOW + MINUTE }).decision.effects).toMatchObject([{ do: 'Delete' }]);
  });

  it('wait with a deletion that was refused', () => {
    const forbidden = anAttempt({ effect: 'Delete', answer: 'Forbidden', retryAt: NOW + 60 * MINUTE });
    expect(after(2, aPod(), { attempts: { 'uid-web-1': forbidden } })).toMatchObject({
      blocker: { cause: 'Forbidden' },
      decision: { effects: [] },
    });
  });
});

describe('a machine that is gone at a known time', () => {
  const blocked = { budgets: [exhausted] };
  const at = (before: number, parts: WorldParts = blocked, pod: Pod = aPod()) =>
    reportOf(pod, parts, aDrain({ goneAt: NOW + before }));

  it('keeps the budget while a full grace still fits, and wakes when it no longer would', () => {
    expect(at(31 * SECOND)).toMatchObject({
      state: 'Waiting',
      blocker: { cause: 'BudgetExhausted' },
      decision: { wakeAt: NOW + SECOND },
    });
  });

  it('stops the pod with its full grace at the last moment', () => {
    expect(at(30 * SECOND).decision.effects).toMatchObject([{ do: 'Delete', graceSeconds: 30 }]);
  });

  it.each([29_999, 29_500, 12_345, 1])('stops it with a shortened one when it is looked at %i ms before the end', (before) => {
    expect(at(before).decision.effects).toMatchObject([{ do: 'Delete', graceSeconds: Math.max(1, Math.floor(before / 1_000)) }]);
  });

  it('stops it with a grace even when the machine should be gone already', () => {
    expect(at(-MINUTE).decision.effects).toMatchObject([{ do: 'Delete', graceSeconds: 1 }]);
  });

  it('evicts where the budget lets it', () => {
    expect(at(10 * SECOND, { budgets: [aBudget()] }).decision.effects).toMatchObject([{ do: 'Evict', graceSeconds: 10 }]);
  });

  it('does not make a policy’s own deadline one at which budgets are bypassed', () => {
    const drain = aDrain({ goneAt: NOW + 60 * MINUTE, with: { deadlineMs: SECOND } });
    expect(reportOf(aPod(), blocked, drain, NOW + MINUTE)).toMatchObject({ state: 'Waiting', decision: { effects: [] } });
  });

  it('keeps the policy’s deadline where its ladder deletes', () => {
    const drain = aDrain({ with: { deadlineMs: 2 * MINUTE, ladder: [{ afterMs: MINUTE + 59 * SECOND, do: 'Delete' }] } });
    expect(reportOf(aPod(), blocked, drain, NOW + 89 * SECOND).decision).toMatchObject({
      effects: [],
      wakeAt: NOW + 90 * SECOND,
    });
    expect(reportOf(aPod(), blocked, drain, NOW + 90 * SECOND).decision.effects).toMatchObject([
      { do: 'Delete', graceSeconds: 30 },
    ]);
  });
});
