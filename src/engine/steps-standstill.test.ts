import { describe, expect, it } from 'vitest';
import { MINUTE, NOW, settings } from '../../test/builders.ts';
import { step } from '../../test/deciding.ts';

describe('a drain that stands still', () => {
  const is = { settings: settings({ stepAsideMs: 30 * MINUTE }) };
  const stuck = { is, drain: { waitingFor: { cause: 'BudgetExhausted' } as never }, now: NOW + 30 * MINUTE };

  it('looks again when it would step aside', () => {
    expect(step('Draining', { is }).wakeAt).toBe(NOW + 30 * MINUTE);
  });

  it('steps aside, saying for what', () => {
    expect(step('Draining', stuck)).toEqual({
      phase: 'Undoing',
      change: { message: 'no pod could leave for 30m: BudgetExhausted' },
    });
  });

  it('does not step aside from a wait that was asked for, nor on a machine that goes anyway', () => {
    const completing = { ...stuck, drain: { waitingFor: { cause: 'WaitCompleted' }, wakeAt: null } as never };
    expect(step('Draining', completing)).toMatchObject({ phase: 'Draining', wakeAt: null });
    expect(step('Draining', { ...stuck, is: { ...is, goneAt: NOW + 90 * MINUTE } })).toMatchObject({ phase: 'Draining' });
  });

  it('does not step aside after a pod has left', () => {
    const memory = { progressAt: NOW + MINUTE, moved: [], movedClaims: false };
    expect(step('Draining', { ...stuck, is: { ...is, memory } })).toMatchObject({
      phase: 'Draining',
      wakeAt: NOW + 31 * MINUTE,
    });
  });
});
