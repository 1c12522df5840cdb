import { describe, expect, it } from 'vitest';
import {
  aBudget,
  aCordonedNode,
  aMaintenance,
  aNode,
  aPod,
  aWorld,
  NOW,
  settings,
  type WorldParts,
} from '../../test/builders.ts';
import type { Node } from '../api/objects.ts';
import { scheduleSpec } from '../api/schedule.ts';
import type { AdmissionPolicy } from './admission.ts';
import { decide } from './decide.ts';
import type { Maintenance } from './maintenance.ts';
import { compileSchedule } from './schedule/schedule.ts';

const aPolicy = (selected: readonly Node[]): AdmissionPolicy => ({
  name: 'p',
  paused: false,
  maxNodes: { count: 1 },
  perGroup: [],
  minIntervalMs: 0,
  massTrigger: { percent: 100 },
  selected,
  matchedByCondition: 0,
  lastStart: null,
  schedule: null,
  expectMs: null,
  controlPlane: { count: 1 },
  breaker: null,
  gates: [],
  approval: null,
});

function run(
  maintenances: readonly Maintenance[],
  nodes: readonly Node[],
  parts: WorldParts = {},
  holds = true,
  limits: Partial<AdmissionPolicy> = {},
) {
  return decide({
    maintenances,
    nodes: new Map(nodes.map((node) => [node.name, node])),
    policies: new Map([['p', { ...aPolicy(nodes), ...limits }]]),
    holds: () => holds,
    world: aWorld(parts),
    now: NOW,
  });
}

const one = aNode({ name: 'one' });
const two = aNode({ name: 'two' });
const on = (name: string, overrides: Parameters<typeof aMaintenance>[0] = {}) =>
  aMaintenance({ id: `m-${name}`, nodeName: name, policy: 'p', ...overrides });
const phases = (result: ReturnType<typeof run>) => result.decisions.map((each) => each.phase);

describe('a pass', () => {
  it('takes what a clock that was set back has put into the future for begun', () => {
    const later = NOW + 3_600_000;
    const state = { phase: 'Settling', phaseSince: later, startedAt: later, attempts: 0 } as const;
    const cordoned = aCordonedNode('m-one', { name: 'one' });
    const { decisions, wakeAt } = run([on('one', { state })], [cordoned]);
    expect(decisions[0]?.change).toMatchObject({ phaseSince: NOW, startedAt: NOW });
    expect(wakeAt).toBe(NOW);
    const skewed = { ...state, phaseSince: NOW + 1_000, startedAt: NOW };
    expect(run([on('one', { state: skewed })], [cordoned]).decisions[0]?.change?.phaseSince).toBeUndefined();
  });

  it('admits, within the limits of the policy', () => {
    const result = run([on('one'), on('two')], [one, two]);
    expect(phases(result)).toEqual(['Draining', 'Pending']);
    expect(result.decisions[1]?.waitingFor).toMatchObject({ cause: 'MaxNodes', out: ['one'] });
  });

  describe('outside the windows of a policy', () => {
    const schedule = compileSchedule(scheduleSpec.parse({ windows: [{ start: '01:00', end: '02:00' }] }));
    const outside = (maintenance: Maintenance, node: Node) => run([maintenance], [node], { pods: [] }, true, { schedule });

    it('starts nothing, and wakes up when the next one opens', () => {
      const { decisions, wakeAt } = outside(on('one'), one);
      expect(decisions[0]).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'OutsideWindow' } });
      expect(wakeAt).toBe(NOW + 13 * 3_600_000);
    });

    it('does not begin a new try: the back-off ends, and the window is waited for', () => {
      const state = { phase: 'BackOff', retryAt: NOW } as const;
      expect(phases(outside(on('one', { state }), one))).toEqual(['Pending']);
    });

    it('starts what a person wants now, and what was begun by a leader that died before it could say so', () => {
      expect(phases(outside(on('one', { runNow: true }), one))).toEqual(['Draining']);
      expect(phases(outside(on('one'), aCordonedNode('m-one', { name: 'one' })))).toEqual(['Draining']);
    });

    it('goes on with what is under way', () => {
      const state = { phase: 'Draining', startedAt: NOW - 1 } as const;
      const { decisions } = outside(on('one', { state }), aCordonedNode('m-one', { name: 'one' }));
      expect(decisions[0]?.waitingFor?.cause).not.toBe('OutsideWindow');
      expect(decisions[0]?.phase).toBe('Settling');
    });
  });

  it.each(['Draining', 'Settling', 'Undoing'] as const)('counts a node that is %s', (phase) => {
    const result = run([on('one', { state: { phase } }), on('two')], [one, two], { unread: ['one'] });
    expect(phases(result)).toEqual([phase, 'Pending']);
  });

  it('does not count a node that is drained, nor one that is in back-off', () => {
    const drained = on('one', { state: { phase: 'Drained', drainedAt: NOW } });
    expect(phases(run([drained, on('two')], [aCordonedNode('m-one', { name: 'one' }), two]))).toEqual(['Drained', 'Draining']);
    const backOff = on('one', { state: { phase: 'BackOff', retryAt: NOW + 1 } });
    expect(phases(run([backOff, on('two')], [one, two]))).toEqual(['BackOff', 'Draining']);
  });

  it('counts a cordoned node whose maintenance is paused or cancelled: it does not apply', () => {
    const closed = aNode({ name: 'one', unschedulable: true });
    expect(phases(run([on('one', { paused: true }), on('two')], [closed, two]))).toEqual(['Pending', 'Pending']);
  });

  it('keeps no place for a node that is paused', () => {
    expect(phases(run([on('one', { paused: true }), on('two')], [one, two]))).toEqual(['Pending', 'Draining']);
  });

  it('admits nothing whose cause is gone', () => {
    expect(phases(run([on('one')], [one], {}, false))).toEqual(['Cancelled']);
  });

  it('tells what each pod waits for, and when time alone changes that', () => {
    const node = aCordonedNode('m-one', { name: 'one' });
    const pods = [aPod({ nodeName: 'one' })];
    const budgets = [aBudget({ disruptionsAllowed: 0, currentHealthy: 2 })];
    const drain = { handover: 'Never', stepAsideMs: 60_000 } as const;
    const result = run([on('one', { settings: settings(drain), state: { phase: 'Draining', startedAt: NOW } })], [node], {
      pods,
      budgets,
    });
    expect(result.decisions).toMatchObject([
      { remaining: 1, cause: true, waitingFor: { cause: 'BudgetExhausted' }, pods: [{ state: 'Waiting' }] },
    ]);
    expect(result.wakeAt).toBe(NOW + 60_000);
    expect([...result.needs.podsOf]).toEqual(['one']);
  });

  it('reports no pods while they are not known', () => {
    expect(run([on('one', { state: { phase: 'Draining' } })], [one], { unread: ['one'] }).decisions).toMatchObject([
      { pods: null, remaining: null },
    ]);
  });

  it('survives a node that is gone in every phase', () => {
    const all = (
      ['Pending', 'Draining', 'Settling', 'Drained', 'BackOff', 'Undoing', 'HandedBack', 'Cancelled', 'Failed'] as const
    ).map((phase) => on(phase.toLowerCase(), { state: { phase } }));
    expect(phases(run(all, []))).toEqual([
      'Cancelled',
      'Drained',
      'Drained',
      'Drained',
      'Cancelled',
      'Cancelled',
      'HandedBack',
      'Cancelled',
      'Failed',
    ]);
  });
});
