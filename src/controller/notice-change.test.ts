import { describe, expect, it } from 'vitest';
import { aMaintenance, MINUTE, NOW } from '../../test/builders.ts';
import { aPolicy } from '../../test/raw-objects.ts';
import type { Maintenance } from '../engine/maintenance.ts';
import type { Notice } from '../reasons/notice.ts';
import { compilePolicy } from './compile.ts';
import type { Match } from './matcher.ts';
import { noticeChange } from './notice-change.ts';

const policy = compilePolicy(aPolicy());
const rule = { type: 'Label', label: { key: 'k' } } as const;
const spot: Notice = {
  kind: 'SpotInterruption',
  source: 'aws',
  id: 'e-1',
  profile: 'TwoMinutes',
  revocable: false,
  since: NOW,
  goneAt: NOW + 2 * MINUTE,
};
const told = (notice?: Notice): Match => ({ policy, rule, message: '', ...(notice && { notice }) });
const known = { kind: 'SpotInterruption', id: 'e-1', revocable: true };
const of = (is: Partial<Maintenance>, match?: Match) => noticeChange(aMaintenance(is), match);

describe('what was announced for a machine whose node is worked on', () => {
  it('is written into its maintenance, and replaces all of an earlier announcement', () => {
    expect(of({}, told(spot))).toEqual({
      deadline: '2026-01-01T12:02:00Z',
      notice: {
        kind: 'SpotInterruption',
        source: 'aws',
        id: 'e-1',
        profile: 'TwoMinutes',
        revocable: false,
        since: '2026-01-01T12:00:00Z',
        heldUntil: null,
      },
    });
  });

  it('is written once, and again when its time changes', () => {
    const is = { goneAt: NOW + 2 * MINUTE, notice: known };
    expect(of(is, told({ ...spot, goneAt: NOW + 2 * MINUTE + 999 }))).toBeNull();
    expect(of(is, told({ ...spot, goneAt: NOW + 3 * MINUTE }))).toHaveProperty('deadline', '2026-01-01T12:03:00Z');
  });

  it('does not put off what a person has set, nor what is final', () => {
    expect(of({ goneAt: NOW + MINUTE }, told(spot))).toBeNull();
    expect(of({ goneAt: NOW + MINUTE, notice: { ...known, id: 'other', revocable: false } }, told(spot))).toBeNull();
    expect(of({ goneAt: NOW + 5 * MINUTE }, told(spot))).toHaveProperty('deadline');
  });

  it('is taken out again when it was taken back and the node has another reason', () => {
    const is = { goneAt: NOW + 2 * MINUTE, notice: known };
    expect(of(is, told())).toEqual({ deadline: null, notice: null });
    expect(of({ ...is, notice: { ...known, revocable: false } }, told())).toBeNull();
    expect(of(is)).toBeNull(); // no reason at all: the node is handed back as a whole
    expect(of({ goneAt: NOW }, told())).toBeNull(); // a person has set it
  });

  it('is of no interest to a maintenance that a person has cancelled', () => {
    expect(of({ cancelled: true }, told(spot))).toBeNull();
  });
});
