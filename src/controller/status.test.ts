import { describe, expect, it } from 'vitest';
import { aPod, NOW, SECOND } from '../../test/builders.ts';
import { maintenanceStatus } from '../api/node-maintenance.ts';
import type { NodeMaintenanceStatus } from '../api/resources.ts';
import type { Decision } from '../engine/decide.ts';
import { explain } from '../engine/explain.ts';
import { cut, isUrgent, soonMs, statusChanged, statusOf, stuckCauses } from './status.ts';
import { aDecision, aReport, budget, everyBlocker } from './testing/decisions.ts';

const draining = (overrides: Partial<Decision> = {}) =>
  aDecision('Draining', 'Draining', { pods: [], remaining: 0, ...overrides });
const at = (ms: number) => new Date(NOW + ms).toISOString().replace('.000Z', 'Z');

describe('statusOf', () => {
  it('begins a phase now and keeps the beginning of one that goes on', () => {
    const begun = statusOf(
      aDecision('Pending', 'Draining', { change: { startedAt: NOW + 5 * SECOND } }),
      undefined,
      NOW + 5 * SECOND,
      0,
    );
    expect(begun).toMatchObject({ phase: 'Draining', phaseSince: at(5_000), startedAt: at(5_000) });
    const goes = statusOf(draining(), begun, NOW + 9 * SECOND, 0);
    expect(goes.phaseSince).toBe(at(0));
  });

  it('is the same whether the maintenance carries the state from before or from after the decision', () => {
    const before = aDecision('Pending', 'Draining', { change: { startedAt: NOW } });
    const after = aDecision('Draining', 'Draining', { change: { startedAt: NOW }, state: { phaseSince: NOW } });
    expect(statusOf(before, undefined, NOW, 0)).toEqual(statusOf(after, undefined, NOW, 0));
  });

  it('counts what has gone, what is going and what has not', () => {
    const pods = [aReport('a', { state: 'Terminating' }), aReport('b'), aReport('c', { state: 'Skipped', skipped: 'DaemonSet' })];
    expect(statusOf(draining({ pods, remaining: 2 }), undefined, NOW, 1).progress).toEqual({
      total: 3,
      evicted: 2,
      gone: 1,
      remaining: 2,
      percent: 33,
      summary: '1/3',
    });
  });

  it('calls an empty node wholly drained, and rounds so that 100% means it', () => {
    expect(statusOf(draining(), undefined, NOW, 0).progress?.percent).toBe(100);
    expect(statusOf(draining({ remaining: 1 }), undefined, NOW, 999).progress?.percent).toBe(99);
  });

  it('keeps pods and progress while they are not read again yet, and drops both with a new try', () => {
    const known = statusOf(draining({ pods: [aReport('a')], remaining: 1 }), undefined, NOW, 2);
    const unread = statusOf(aDecision('Draining'), known, NOW + SECOND, 0);
    expect(unread.pods).toEqual(known.pods);
    expect(unread.progress).toEqual(known.progress);
    const drained = statusOf(aDecision('Settling', 'Drained'), known, NOW, 3);
    expect(drained.pods).toBeUndefined();
    expect(statusOf(aDecision('BackOff', 'Pending'), known, NOW, 0).progress).toBeUndefined();
  });

  it('shows a drained node as wholly drained although the last count was never written', () => {
    const known = statusOf(draining({ pods: [aReport('a')], remaining: 1 }), undefined, NOW, 2);
    const drained = statusOf(aDecision('Settling', 'Drained'), known, NOW, 2);
    expect(drained.progress).toEqual({ total: 3, evicted: 3, gone: 3, remaining: 0, percent: 100, summary: '3/3' });
    expect(statusOf(aDecision('Drained'), drained, NOW, 0).progress).toEqual(drained.progress);
  });

  it('keeps the since of a wait while cause and pod stay, so that a countdown is not written again and again', () => {
    const blocker = everyBlocker.Terminating;
    const first = statusOf(draining({ waitingFor: blocker }), undefined, NOW, 0);
    expect(first.waitingFor).toMatchObject({ since: at(0), message: 'it is stopping; its grace ends in 30s', pod: 'shop/web-1' });
    const later = statusOf(draining({ waitingFor: blocker }), first, NOW + 12 * SECOND, 0);
    expect(later.waitingFor).toEqual(first.waitingFor);
    const other = statusOf(draining({ waitingFor: { ...blocker, pod: 'shop/web-2' } }), first, NOW + 12 * SECOND, 0);
    expect(other.waitingFor?.since).toBe(at(12_000));
  });

  it.each([
    ['BudgetExhausted', { kind: 'PodDisruptionBudget', namespace: 'shop', name: 'web' }],
    ['MaxNodes', { kind: 'MaintenancePolicy', name: 'kernels' }],
    ['ProtectedPod', { kind: 'ReplicaSet', namespace: 'shop', name: 'web' }],
    ['NotSettled', undefined],
  ] as const)('names who decides about %s', (cause, owner) => {
    expect(statusOf(draining({ waitingFor: everyBlocker[cause] }), undefined, NOW, 0).waitingFor?.owner).toEqual(owner);
  });

  it('leaves the owner out where a bare pod has none', () => {
    expect(
      statusOf(draining({ waitingFor: { ...everyBlocker.ProtectedPod, owner: '' } }), undefined, NOW, 0).waitingFor?.owner,
    ).toBeUndefined();
  });

  it('shows what blocks first, what stays last, and at most 200 pods', () => {
    const many = Array.from({ length: 250 }, (_, index) => aReport(`e-${String(index).padStart(3, '0')}`, { state: 'Evicting' }));
    const pods = [
      aReport('daemon', { state: 'Skipped', skipped: 'DaemonSet' }),
      ...many,
      aReport('going', { state: 'Terminating', blocker: everyBlocker.Terminating }),
      aReport('held', { state: 'Terminating', blocker: everyBlocker.Finalizer }),
      aReport('waits', { blocker: everyBlocker.BudgetExhausted }),
      aReport('bare', { state: 'Protected', blocker: everyBlocker.ProtectedPod }),
    ];
    const status = statusOf(draining({ pods, remaining: 254 }), undefined, NOW, 0);
    expect(status.pods?.slice(0, 5).map((each) => each.name)).toEqual(['bare', 'held', 'waits', 'going', 'e-000']);
    expect(status.pods).toHaveLength(200);
    expect(status.podsOmitted).toBe(55);
  });

  it('says of each pod why it is where it is, and since when', () => {
    const pods = [
      aReport('a', { blocker: everyBlocker.BudgetExhausted, handover: 'not handed over: two' }),
      aReport('d', { state: 'Skipped', skipped: 'DaemonSet', tier: '' }),
    ];
    const first = statusOf(draining({ pods, remaining: 1 }), undefined, NOW, 0);
    expect(first.pods?.[0]).toMatchObject({
      owner: 'ReplicaSet/web',
      tier: 'workload',
      state: 'Waiting',
      handover: 'not handed over: two',
      because: { cause: 'BudgetExhausted', since: at(0) },
    });
    expect(first.pods?.[1]?.because).toMatchObject({ cause: 'DaemonSet', unblock: '' });
    const changed = [aReport('a', { blocker: everyBlocker.Finalizer }), pods[1] ?? aReport('d')];
    const later = statusOf(draining({ pods: changed, remaining: 1 }), first, NOW + 3 * SECOND, 0);
    expect(later.pods?.map((each) => each.because?.since)).toEqual([at(3_000), at(0)]);
  });

  it('does not take the wait of a pod over to its namesake', () => {
    const first = statusOf(
      draining({ pods: [aReport('db-0', { blocker: everyBlocker.Finalizer })], remaining: 1 }),
      undefined,
      NOW,
      0,
    );
    const again = aReport('db-0', { pod: aPod({ name: 'db-0', uid: 'another' }), blocker: everyBlocker.Finalizer });
    expect(statusOf(draining({ pods: [again], remaining: 1 }), first, NOW + SECOND, 0).pods?.[0]?.because?.since).toBe(at(1_000));
  });

  it('appends to the journal and drops its oldest entries beyond 100', () => {
    const entry = (index: number) => ({ at: at(0), do: `did ${index}`, undo: '', object: 'Node/node-1' });
    const full = statusOf(draining(), undefined, NOW, 0, { entries: Array.from({ length: 99 }, (_, index) => entry(index)) });
    const more = statusOf(draining(), full, NOW, 0, { entries: [entry(99), entry(100)] });
    expect(more.journal).toHaveLength(100);
    expect([more.journal?.[0]?.do, more.journal?.[99]?.do]).toEqual(['did 1', 'did 100']);
    expect(statusOf(draining(), more, NOW, 0).journal).toEqual(more.journal);
  });

  it('gives the message only where it is about the present', () => {
    const message = 'no pod could leave for 30m';
    expect(
      statusOf(aDecision('Undoing', 'BackOff', { state: { message }, change: { retryAt: NOW + SECOND } }), undefined, NOW, 0),
    ).toMatchObject({ message, retryAt: at(1_000) });
    const again = statusOf(aDecision('Pending', 'Draining', { state: { message, retryAt: NOW } }), undefined, NOW, 0);
    expect(again.message).toBeUndefined();
    expect(again.retryAt).toBeUndefined();
  });

  it('has conditions that keep their time until they turn, and leaves those of others alone', () => {
    const others = [
      { type: 'CauseHolds', status: 'True' as const, lastTransitionTime: at(0), reason: 'StillMatches', message: '' },
    ];
    const first = statusOf(draining({ waitingFor: everyBlocker.ProtectedPod }), { conditions: others }, NOW, 0, {
      generation: 3,
    });
    expect(first.conditions).toEqual([
      ...others,
      { type: 'Drained', status: 'False', observedGeneration: 3, lastTransitionTime: at(0), reason: 'Draining', message: '' },
      expect.objectContaining({ type: 'Blocked', status: 'True', reason: 'ProtectedPod', lastTransitionTime: at(0) }),
    ]);
    const next = statusOf(aDecision('Settling', 'Drained'), first, NOW + 9 * SECOND, 0);
    expect(next.conditions?.map(({ type, status, lastTransitionTime }) => [type, status, lastTransitionTime])).toEqual([
      ['CauseHolds', 'True', at(0)],
      ['Drained', 'True', at(9_000)],
      ['Blocked', 'False', at(9_000)],
    ]);
  });

  it.each(Object.values(everyBlocker))('fits the schema whatever is waited for: $cause', (blocker) => {
    const pods = [aReport('a', { blocker }), aReport('b', { state: 'Skipped', skipped: 'Rule' })];
    const entries = [{ at: at(0), do: 'cordoned', undo: 'uncordon', object: 'Node/node-1' }];
    const status = statusOf(draining({ waitingFor: blocker, pods, remaining: 1 }), undefined, NOW, 3, { generation: 1, entries });
    expect(maintenanceStatus.parse(status)).toEqual(status);
  });

  it('fits the schema when the API server is long-winded', () => {
    const blocker = { ...everyBlocker.EvictionRefused, message: 'x'.repeat(9_000) };
    const status = statusOf(
      draining({ waitingFor: blocker, pods: [aReport('a', { blocker, handover: 'y'.repeat(2_000) })], remaining: 1 }),
      undefined,
      NOW,
      0,
    );
    expect(maintenanceStatus.safeParse(status).success).toBe(true);
    expect(status.waitingFor?.message).toMatch(/x…$/);
  });
});

describe('statusChanged', () => {
  const base = statusOf(draining({ pods: [aReport('a')], remaining: 1 }), undefined, NOW, 0);
  const next = (overrides: Partial<Decision>, gone = 0, previous: NodeMaintenanceStatus = base) =>
    statusChanged(
      previous,
      statusOf(draining({ pods: [aReport('a')], remaining: 1, ...overrides }), previous, NOW + 7 * SECOND, gone),
    );

  it('is Now for the first status, a new phase, and something that needs a person', () => {
    expect(statusChanged(undefined, base)).toBe('Now');
    expect(statusChanged(base, statusOf(aDecision('Draining', 'Settling'), base, NOW, 0))).toBe('Now');
    expect(next({ waitingFor: everyBlocker.ProtectedPod })).toBe('Now');
  });

  it('is Now when what needed a person is over', () => {
    const stuck = statusOf(draining({ pods: [aReport('a')], remaining: 1, waitingFor: everyBlocker.ProtectedPod }), base, NOW, 0);
    expect(next({}, 0, stuck)).toBe('Now');
  });

  it('is Soon for progress, for a pod’s state and for waits that pass by themselves', () => {
    expect(next({}, 1)).toBe('Soon');
    expect(next({ pods: [aReport('a', { state: 'Evicting' })] })).toBe('Soon');
    expect(next({ waitingFor: everyBlocker.BudgetExhausted })).toBe('Soon');
    expect(statusChanged(base, { ...base, journal: [{ at: at(0), do: 'a', undo: '', object: 'b' }] })).toBe('Soon');
    expect(statusChanged(base, { ...base, observedGeneration: 2 })).toBe('Soon');
    expect(statusChanged(base, { ...base, podsOmitted: 3 })).toBe('Soon');
  });

  it('is Soon when the numbers of the same wait change', () => {
    const one = statusOf(draining({ waitingFor: everyBlocker.BudgetExhausted }), undefined, NOW, 0);
    const two = statusOf(
      draining({ waitingFor: { ...everyBlocker.BudgetExhausted, budget: { ...budget, currentHealthy: 1 } } }),
      one,
      NOW,
      0,
    );
    expect(statusChanged(one, two)).toBe('Soon');
  });

  it('is No when only time has passed', () => {
    expect(next({})).toBe('No');
    const stops = statusOf(
      draining({
        waitingFor: everyBlocker.Terminating,
        pods: [aReport('a', { blocker: everyBlocker.Terminating })],
        remaining: 1,
      }),
      undefined,
      NOW,
      0,
    );
    const later = draining({
      waitingFor: everyBlocker.Terminating,
      pods: [aReport('a', { blocker: everyBlocker.Terminating })],
      remaining: 1,
    });
    expect(statusChanged(stops, statusOf(later, stops, NOW + 20 * SECOND, 0))).toBe('No');
  });

  it('agrees with isUrgent, which does not need the new status', () => {
    for (const blocker of Object.values(everyBlocker)) {
      const decision = draining({ waitingFor: blocker, pods: [aReport('a')], remaining: 1 });
      expect(isUrgent(decision, base)).toBe(statusChanged(base, statusOf(decision, base, NOW, 0)) === 'Now');
    }
    expect(isUrgent(draining(), undefined)).toBe(true);
    expect(isUrgent(aDecision('Draining', 'Settling'), base)).toBe(true);
  });

  it('says that a drain begins together with the first look at its pods', () => {
    for (const written of [undefined, { ...base, phase: 'Pending' as const }]) {
      expect(isUrgent(aDecision('Pending', 'Draining'), written)).toBe(false);
      expect(isUrgent(draining({ pods: [aReport('a')], remaining: 1 }), written)).toBe(true);
    }
  });
});

describe('stuckCauses', () => {
  it.each(Object.values(everyBlocker))('agrees with explain on whether $cause passes by itself', (blocker) => {
    expect(stuckCauses.has(blocker.cause)).toBe(!explain(blocker, NOW).passes);
  });
});

describe('soonMs', () => {
  it('is two seconds for a few nodes and keeps many together at two writes a second', () => {
    expect([soonMs(0), soonMs(4), soonMs(20)]).toEqual([2_000, 2_000, 10_000]);
  });
});

describe('cut', () => {
  it('leaves a text that fits alone and never halves a character', () => {
    expect(cut('abc', 3)).toBe('abc');
    expect(cut('abcd', 3)).toBe('ab…');
    expect(cut('a😀bc', 3)).toBe('a…');
  });
});
