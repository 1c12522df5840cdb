import { describe, expect, it } from 'vitest';
import { aDrain, aPod, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { endOf, graceFor, lastMoment } from './grace.ts';
import type { LadderStep } from './settings.ts';

const deleteAt = (afterMs: number): LadderStep => ({ afterMs, do: 'Delete' });

describe('the end of a drain', () => {
  it('does not exist without a machine that goes or a ladder that deletes', () => {
    expect(endOf(aDrain())).toBeNull();
    expect(endOf(aDrain({ with: { deadlineMs: MINUTE } }))).toBeNull();
  });

  it('is the policy’s deadline where its ladder deletes', () => {
    expect(endOf(aDrain({ with: { deadlineMs: 10 * MINUTE, ladder: [deleteAt(MINUTE)] } }))).toBe(NOW + 10 * MINUTE);
  });

  it('is the sooner of the two', () => {
    const both = { deadlineMs: 10 * MINUTE, ladder: [deleteAt(MINUTE)] };
    expect(endOf(aDrain({ goneAt: NOW + MINUTE, with: both }))).toBe(NOW + MINUTE);
    expect(endOf(aDrain({ goneAt: NOW + 20 * MINUTE, with: both }))).toBe(NOW + 10 * MINUTE);
  });

  it('is the machine’s where the policy has a deadline but may not delete', () => {
    expect(endOf(aDrain({ goneAt: NOW + 20 * MINUTE, with: { deadlineMs: MINUTE } }))).toBe(NOW + 20 * MINUTE);
  });
});

describe('the grace of a pod', () => {
  it('is its own, without an override, when nothing is wished and it fits', () => {
    expect(graceFor(aPod(), aDrain(), NOW)).toBeUndefined();
    expect(graceFor(aPod(), aDrain({ goneAt: NOW + 30 * SECOND }), NOW)).toBeUndefined();
  });

  it('is what the policy wishes, longer or shorter', () => {
    expect(graceFor(aPod(), aDrain({ with: { graceSeconds: 5 } }), NOW)).toBe(5);
    expect(graceFor(aPod(), aDrain({ with: { graceSeconds: 300 } }), NOW)).toBe(300);
  });

  it('is shortened to what is left of the machine, rounded down', () => {
    expect(graceFor(aPod(), aDrain({ goneAt: NOW + 12_900 }), NOW)).toBe(12);
    expect(graceFor(aPod(), aDrain({ goneAt: NOW + 12_900, with: { graceSeconds: 5 } }), NOW)).toBe(5);
  });

  it('is not shortened by the policy’s own deadline', () => {
    expect(graceFor(aPod(), aDrain({ with: { deadlineMs: SECOND, ladder: [deleteAt(0)] } }), NOW)).toBeUndefined();
  });

  it('is never 0: not when the machine is gone, not when it is wished, not when the pod itself says so', () => {
    expect(graceFor(aPod(), aDrain({ goneAt: NOW - MINUTE }), NOW)).toBe(1);
    expect(graceFor(aPod(), aDrain({ with: { graceSeconds: 0 } }), NOW)).toBe(1);
    expect(graceFor(aPod({ graceSeconds: 0 }), aDrain(), NOW)).toBe(1);
  });
});

describe('the last moment of a pod', () => {
  it('is its full grace before the end, however late it is looked at', () => {
    const drain = aDrain({ goneAt: NOW + MINUTE });
    expect(lastMoment(aPod(), drain)).toBe(NOW + 30 * SECOND);
    expect(lastMoment(aPod({ graceSeconds: 600 }), drain)).toBe(NOW - 9 * MINUTE);
  });

  it('does not exist without an end', () => {
    expect(lastMoment(aPod(), aDrain())).toBeNull();
  });
});
