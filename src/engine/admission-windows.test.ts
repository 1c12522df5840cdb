import { describe, expect, it } from 'vitest';
import { admit, anAdmissionPolicy as aPolicy, applying, nodes } from '../../test/admitting.ts';
import { MINUTE, NOW } from '../../test/builders.ts';
import type { Node } from '../api/objects.ts';
import { scheduleSpec } from '../api/schedule.ts';
import type { Applicant } from './admission.ts';
import { compileSchedule } from './schedule/schedule.ts';

describe('the windows of a policy', () => {
  const HOUR = 60 * MINUTE;
  const two = nodes(2);
  const all = two.map((node) => applying(node));
  /** Open every day from one to two; it is noon now. */
  const schedule = compileSchedule(
    scheduleSpec.parse({ timeZone: 'Europe/Amsterdam', windows: [{ start: '01:00', end: '02:00' }] }),
  );
  const opensAt = NOW + 12 * HOUR;
  const within = opensAt + 30 * MINUTE;
  const policy = aPolicy({ selected: two, schedule });
  const at = (now: number, applicants: readonly Applicant[] = all, of = policy) => admit([of], applicants, { now });

  it('let nothing start while they are closed, and wake it when one opens', () => {
    const { admissions } = at(NOW);
    const blocker = { cause: 'OutsideWindow', policy: 'p', opensAt, timeZone: 'Europe/Amsterdam', because: '' };
    expect(admissions).toEqual(all.map(({ id }) => ({ id, blocker, wakeAt: opensAt })));
    expect(at(opensAt - 1).started).toEqual([]);
    expect(at(opensAt).started).toEqual(['m-n-0000']);
  });

  it('say which dates are excluded', () => {
    const frozen = compileSchedule(scheduleSpec.parse({ exclude: [{ from: '2026-01-01', to: '2026-01-02', reason: 'freeze' }] }));
    expect(at(NOW, all, { ...policy, schedule: frozen }).blockerOf('m-n-0000')).toMatchObject({
      cause: 'OutsideWindow',
      because: '2026-01-01 to 2026-01-02 are excluded: freeze',
    });
  });

  it('wake what waits for something else when they close: then they are the reason', () => {
    const { admissions } = at(within);
    expect(admissions[1]).toMatchObject({ blocker: { cause: 'MaxNodes' }, wakeAt: opensAt + HOUR });
    expect(at(opensAt + HOUR).blockerOf('m-n-0001')).toMatchObject({ cause: 'OutsideWindow', opensAt: opensAt + 24 * HOUR });
  });

  it('do not hold back a machine that goes, what a person wants now, or what belongs to no policy', () => {
    for (const overrides of [{ goneAt: NOW + MINUTE }, { anyTime: true }, { policy: null }])
      expect(at(NOW, [applying(two[1] as Node, overrides)]).started).toEqual(['m-n-0001']);
  });

  it('are the only limit that a person can wave aside', () => {
    const impatient = two.map((node) => applying(node, { anyTime: true }));
    expect(at(NOW, impatient).started).toEqual(['m-n-0000']);
    expect(at(NOW, impatient, { ...policy, paused: true }).started).toEqual([]);
  });

  it('do not hide what a person has to look at: a pause, a mass trigger', () => {
    expect(at(NOW, all, { ...policy, paused: true }).blockerOf('m-n-0000')).toMatchObject({ cause: 'PolicyPaused' });
    const mass = { ...policy, massTrigger: { count: 1 }, matchedByCondition: 5 };
    const byCondition = two.map((node) => applying(node, { byCondition: true }));
    expect(at(NOW, byCondition, mass).blockerOf('m-n-0000')).toMatchObject({ cause: 'MassTrigger' });
  });

  it('do not make a node that is out already count less: it cannot start, so it is as out as any other', () => {
    const [first, second] = two as [Node, Node];
    const down = { ...first, ready: false };
    const applicants = [applying(down), applying(second, { anyTime: true })];
    const { started, blockerOf } = at(NOW, applicants, { ...policy, selected: [down, second] });
    expect(started).toEqual([]);
    expect(blockerOf('m-n-0001')).toMatchObject({ cause: 'MaxNodes', out: ['n-0000'] });
  });

  describe('that a drain must end inside', () => {
    const sunday = compileSchedule(
      scheduleSpec.parse({
        windows: [
          { start: '01:00', end: '02:00' },
          { days: ['Sun'], start: '01:00', end: '05:00' },
        ],
      }),
    );
    const strict = (expectMs: number) => ({ ...policy, schedule: sunday, expectMs });
    const one = Date.UTC(2026, 0, 2, 1);

    it('let it start as long as it is expected to end in time', () => {
      expect(at(one, all, strict(HOUR)).started).toHaveLength(1);
      expect(at(one + 1, all, strict(HOUR)).blockerOf('m-n-0000')).toEqual({
        cause: 'WindowTooShort',
        policy: 'p',
        until: one + HOUR,
        timeZone: 'UTC',
        expectMs: HOUR,
        fitsAt: one + 24 * HOUR,
      });
    });

    it('name the next one that is long enough, and none where there is none', () => {
      expect(at(one, all, strict(2 * HOUR)).blockerOf('m-n-0000')).toMatchObject({ fitsAt: Date.UTC(2026, 0, 4, 1) });
      expect(at(one, all, strict(5 * HOUR)).admissions[0]).toMatchObject({
        blocker: { cause: 'NoWindow', expectMs: 5 * HOUR },
        wakeAt: one + HOUR,
      });
    });

    it('wake what waits for something else when there is no time left', () => {
      expect(at(one, all, strict(20 * MINUTE)).admissions[1]).toMatchObject({
        blocker: { cause: 'MaxNodes' },
        wakeAt: one + 40 * MINUTE + 1,
      });
      expect(at(one + 40 * MINUTE + 1, all, strict(20 * MINUTE)).started).toEqual([]);
    });
  });
});
