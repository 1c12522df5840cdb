import { describe, expect, it } from 'vitest';
import { aBudget, aDrain, aMaintenance, aNode, aPod, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { admit, anAdmissionPolicy, applying, nodes } from '../../test/admitting.ts';
import { decide, evicted, reportOf, step } from '../../test/deciding.ts';
import { applyProfile, type ProfileName } from './deadline-profile.ts';
import { defaultDrainSettings, type DrainSettings } from './settings.ts';

const HOUR = 60 * MINUTE;
const exhausted = aBudget({ disruptionsAllowed: 0, currentHealthy: 2 });
const inHurry = (name: ProfileName, noticeMs: number, with_: Partial<DrainSettings> = {}, since = NOW) =>
  aDrain({
    startedAt: NOW,
    goneAt: since + noticeMs,
    with: applyProfile({ ...defaultDrainSettings, handover: 'Never', ...with_ }, name, since),
  });
const blocked = (drain: ReturnType<typeof inHurry>, at: number, graceSeconds = 30) =>
  reportOf(aPod({ graceSeconds }), { budgets: [exhausted] }, drain, at).decision.effects;

describe('a drain whose machine goes in two minutes', () => {
  const drain = inHurry('TwoMinutes', 2 * MINUTE);

  it('keeps budgets for half of the notice, however long or short a grace is', () => {
    for (const grace of [5, 30, 300]) {
      expect(blocked(drain, NOW + 59 * SECOND, grace)).toEqual([]);
      expect(blocked(drain, NOW + MINUTE, grace)).toMatchObject([{ do: 'Delete', graceSeconds: Math.min(grace, 55) }]);
    }
  });

  it('counts a notice that came midway from when it came', () => {
    const late = { ...inHurry('TwoMinutes', 2 * MINUTE, {}, NOW + HOUR), startedAt: NOW };
    expect(blocked(late, NOW + HOUR + 59 * SECOND)).toEqual([]);
    expect(blocked(late, NOW + HOUR + MINUTE)).toMatchObject([{ do: 'Delete' }]);
  });

  it('lets a ladder of the policy decide instead', () => {
    const own = inHurry('TwoMinutes', 2 * MINUTE, { ladder: [{ afterMs: 100 * SECOND, do: 'TellOwner' }] });
    expect(blocked(own, NOW + 84 * SECOND)).toEqual([]);
    expect(blocked(own, NOW + 85 * SECOND)).toMatchObject([{ do: 'Delete', graceSeconds: 30 }]); // five seconds before the end
  });

  it('lets all pods go at once, unless the policy orders them', () => {
    const pods = [
      aPod({ name: 'web' }),
      aPod({ name: 'dns', uid: 'dns', priorityClass: 'system-node-critical', priority: 2_000_001_000 }),
    ];
    const leaves = (drain: ReturnType<typeof inHurry>) => decide([drain], { pods, budgets: [] }).flatMap(evicted).sort();
    expect(leaves(aDrain({ with: { handover: 'Never' } }))).toEqual(['web']);
    expect(leaves(drain)).toEqual(['dns', 'web']);
    const ordered = {
      rules: [{ podSelector: { matchLabels: { a: 'b' }, matchExpressions: [] }, do: 'Drain' as const, order: 5 }],
    };
    expect(leaves(inHurry('TwoMinutes', 2 * MINUTE, ordered))).toEqual(['web']);
  });
});

describe('a profile', () => {
  it('changes the handover only where the policy has the default', () => {
    const of = (name: ProfileName, handover: DrainSettings['handover']) =>
      applyProfile({ ...defaultDrainSettings, handover }, name).handover;
    expect(of('HalfMinute', 'WhenNeeded')).toBe('Never');
    expect(of('HalfMinute', 'Always')).toBe('Always');
    expect(of('SurgeFirst', 'WhenNeeded')).toBe('Always');
    expect(of('SurgeFirst', 'Never')).toBe('Never');
  });

  it('of minutes keeps a budget until the grace has to begin', () => {
    const drain = inHurry('Minutes', 10 * MINUTE);
    expect(blocked(drain, NOW + 9 * MINUTE)).toEqual([]);
    expect(blocked(drain, NOW + 9 * MINUTE + 20 * SECOND)).toMatchObject([{ do: 'Delete', graceSeconds: 30 }]);
  });
});

describe('what a budget frees', () => {
  it('goes to the machine that goes first, however full it is', () => {
    const budget = aBudget({ disruptionsAllowed: 1 });
    const on = (name: string) => aNode({ name, unschedulable: true });
    const calm = { ...aDrain({ with: { handover: 'Never' } }), id: 'a', node: on('a'), startedAt: NOW - HOUR };
    const pressed = { ...inHurry('TwoMinutes', 2 * MINUTE), id: 'b', node: on('b') };
    const pods = [
      aPod({ name: 'a-1', uid: 'a-1', nodeName: 'a' }),
      aPod({ name: 'b-1', uid: 'b-1', nodeName: 'b' }),
      aPod({ name: 'b-2', uid: 'b-2', nodeName: 'b' }),
    ];
    expect(decide([calm, pressed], { pods, budgets: [budget] }).flatMap(evicted)).toEqual(['b-1']);
  });
});

describe('a node whose machine goes', () => {
  const three = nodes(3);
  const [first, second, third] = three as [(typeof three)[0], (typeof three)[0], (typeof three)[0]];
  const policy = anAdmissionPolicy({ selected: three, minIntervalMs: HOUR, lastStart: NOW - 1 });

  it('waits for no place and no interval, and takes one', () => {
    const { started, blockerOf } = admit(
      [anAdmissionPolicy({ selected: three })],
      [applying(first, { goneAt: NOW + MINUTE }), applying(second, { goneAt: NOW + MINUTE }), applying(third, { priority: 9 })],
    );
    expect(started).toEqual(['m-n-0000', 'm-n-0001']);
    expect(blockerOf('m-n-0002')).toMatchObject({ cause: 'MaxNodes', out: ['n-0000', 'n-0001'] });
    expect(admit([policy], [applying(first, { goneAt: NOW + MINUTE })]).started).toEqual(['m-n-0000']);
  });

  it('is held back like any other until its last call, and wakes for it', () => {
    const applicant = applying(first, { goneAt: NOW + 5 * HOUR, heldUntil: NOW + 4 * HOUR });
    const held = admit([anAdmissionPolicy({ selected: three, maxNodes: { count: 0 } })], [applicant]);
    expect(held.admissions).toMatchObject([{ blocker: { cause: 'MaxNodes' }, wakeAt: NOW + 4 * HOUR }]);
    expect(admit([policy], [applicant], { now: NOW + 4 * HOUR }).started).toEqual(['m-n-0000']);
  });

  it('does not start for a policy that a person has paused', () => {
    const { blockerOf } = admit([{ ...policy, paused: true }], [applying(first, { goneAt: NOW + MINUTE })]);
    expect(blockerOf('m-n-0000')).toMatchObject({ cause: 'PolicyPaused' });
  });

  it('goes after others of its priority when it is only old, the oldest first', () => {
    const old = (createdAt: number, at: number) => applying({ ...(three[at] ?? first), createdAt }, { byAge: true });
    const order = admit([policy], [old(5, 0), old(3, 1), applying(third, { since: NOW + 1 })]).admissions.map(({ id }) => id);
    expect(order).toEqual(['m-n-0002', 'm-n-0001', 'm-n-0000']);
  });
});

describe('a machine that goes in days', () => {
  const notice = { kind: 'Maintenance', id: 'e', revocable: true, heldUntil: NOW + 4 * HOUR };
  const is = { goneAt: NOW + 5 * HOUR, notice };
  const stuck = { drain: { waitingFor: { cause: 'BudgetStale', pod: 'p', owner: '', budget: {} } as never } };
  const long = { startedAt: NOW - HOUR, phaseSince: NOW - HOUR };

  it('steps aside like any other while there is time, and stays when there is not', () => {
    expect(step('Draining', { ...stuck, is, state: long })).toMatchObject({ phase: 'Undoing' });
    expect(step('Draining', { ...stuck, is: { ...is, notice: { ...notice, heldUntil: NOW } }, state: long })).toMatchObject({
      phase: 'Draining',
    });
  });

  it('never fails before its last call', () => {
    const undone = { is, state: { ...long, attempts: 40 }, node: aNode() };
    expect(step('Undoing', undone)).toMatchObject({ phase: 'BackOff', change: { retryAt: NOW + 4 * HOUR } });
    expect(step('Undoing', { ...undone, is: {} })).toMatchObject({ phase: 'Failed' });
  });

  it('is tried at once when what was announced presses', () => {
    const waits = { state: { retryAt: NOW + HOUR } };
    expect(step('BackOff', { ...waits, is: { goneAt: NOW + MINUTE } })).toMatchObject({ phase: 'Pending' });
    expect(step('BackOff', waits)).toMatchObject({ phase: 'BackOff' });
    expect(aMaintenance().goneAt).toBeUndefined();
  });
});
