import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aNode, MINUTE, NOW, SECOND } from '../../../test/builders.ts';
import { explain } from '../explain.ts';
import {
  type AskedQuestion,
  FRESH_MS,
  noGateNeeds,
  type GateAnswer,
  type GateRule,
  type GateWorld,
  type PodsQuestion,
  trustMs,
  type Verdict,
} from './gate.ts';
import { type GateInput, gateBlocker } from './gate-blocker.ts';

const asked = (key: string): AskedQuestion => ({
  key,
  question: { ask: 'Workloads', namespaces: null, forMs: 0 },
  intervalMs: MINUTE,
  timeoutMs: 10 * SECOND,
});
const askedRule = (key: string): GateRule => ({ gate: 'Asked', name: key, asked: asked(key) });
const batch: PodsQuestion = {
  key: 'batch',
  selector: { matchLabels: { batch: 'yes' }, matchExpressions: [] },
  namespaces: null,
  runningOnly: false,
};

interface Known {
  readonly answers?: Readonly<Record<string, GateAnswer>>;
  readonly pods?: ReturnType<GateWorld['pods']>;
}

const world = ({ answers = {}, pods = null }: Known): GateWorld => ({ answer: ({ key }) => answers[key], pods: () => pods });
const says = (verdict: Verdict, at = NOW): GateAnswer => ({ verdict, at, since: NOW - MINUTE });
const node = aNode({ name: 'worker-1' });
const input = (rules: readonly GateRule[], more: Partial<GateInput> = {}): GateInput => ({
  policy: 'p',
  rules,
  node,
  selected: [node],
  inHand: new Set([node.name]),
  approvals: [],
  now: NOW,
  ...more,
});
const ask = (rules: readonly GateRule[], known: Known = {}, more: Partial<GateInput> = {}) => {
  const needs = noGateNeeds();
  return { ...gateBlocker(input(rules, more), world(known), needs), needs };
};

describe('a gate', () => {
  it('lets a node go where there is none', () => {
    expect(ask([])).toMatchObject({ blocker: null, wakeAt: null });
  });

  it('is asked for, and holds back until it has answered', () => {
    const { blocker, needs } = ask([askedRule('a'), askedRule('b')]);
    expect(blocker).toMatchObject({ cause: 'GateAsked', gate: 'a' });
    expect([...needs.asked.keys()]).toEqual(['a', 'b']);
  });

  it('is taken as open by a plan, which asks nothing', () => {
    const needs = noGateNeeds();
    expect(gateBlocker(input([askedRule('a')]), null, needs).blocker).toBeNull();
    expect(needs.asked.size).toBe(0);
  });

  it('holds back when there is no answer, and says since when', () => {
    const { blocker } = ask([askedRule('a')], {
      answers: { a: says({ is: 'Unanswered', message: 'https://prom cannot be reached' }) },
    });
    expect(blocker && explain(blocker, NOW).message).toBe(
      'gate a of policy p cannot be asked since 2026-01-01T11:59:00Z, and counts as closed: https://prom cannot be reached',
    );
  });

  it('does not rely on an answer that is too old', () => {
    const alerts: Verdict = { is: 'Alerts', from: 'Prometheus', alerts: ['A'] };
    const oldest = NOW - trustMs(asked('a'));
    expect(ask([askedRule('a')], { answers: { a: says(alerts, oldest) } }).blocker).toMatchObject({ cause: 'GateAlerts' });
    expect(ask([askedRule('a')], { answers: { a: says(alerts, oldest - 1) } }).blocker).toMatchObject({ cause: 'GateAsked' });
  });

  it('opens only with an answer of this moment, and is asked anew when nothing else is waited for', () => {
    const answers = (age: number) => ({ answers: { a: says({ is: 'Open' }, NOW - age), b: says({ is: 'Open' }) } });
    expect(ask([askedRule('a'), askedRule('b')], answers(FRESH_MS))).toMatchObject({ blocker: null, needs: { anew: new Set() } });
    const old = ask([askedRule('a'), askedRule('b')], answers(FRESH_MS + 1));
    expect(old).toMatchObject({ blocker: { cause: 'GateAsked', gate: 'a' }, needs: { anew: new Set(['a']) } });
    const shut: GateRule = { gate: 'Approval', name: 'approval', validForMs: MINUTE };
    expect(ask([shut, askedRule('a')], answers(FRESH_MS + 1)).needs.anew.size).toBe(0);
  });

  it('that is closed is told before one that is only being asked', () => {
    const answers = { b: says({ is: 'Alerts', from: 'Prometheus', alerts: ['ApiDown'] }) };
    expect(ask([askedRule('a'), askedRule('b')], { answers }).blocker).toMatchObject({
      cause: 'GateAlerts',
      gate: 'b',
      alerts: ['ApiDown'],
    });
  });

  it('opens only when every gate is open', () => {
    const verdict = fc.constantFrom<Verdict | null>(
      { is: 'Open' },
      { is: 'Alerts', from: 'Alertmanager', alerts: ['A'] },
      { is: 'Result', result: '1' },
      { is: 'Unfit', found: 'x' },
      { is: 'Unsettled', what: ['y'] },
      { is: 'Settling', until: NOW + 1 },
      { is: 'Unanswered', message: 'z' },
      null,
    );
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ verdict, age: fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 200_000 })) }),
          { maxLength: 5 },
        ),
        (gates) => {
          const rules = gates.map((_, index) => askedRule(String(index)));
          const answers = Object.fromEntries(
            gates.flatMap((each, index) => (each.verdict ? [[String(index), says(each.verdict, NOW - each.age)] as const] : [])),
          );
          const open = gates.every((each) => each.verdict?.is === 'Open' && each.age <= FRESH_MS);
          expect(ask(rules, { answers }).blocker === null).toBe(open);
        },
      ),
    );
  });
});

describe('a gate for pods', () => {
  const on = (scope: 'Node' | 'Cluster'): GateRule => ({ gate: 'Pods', name: 'batch', scope, pods: batch });
  const there = { pods: { on: (nodeName: string | null) => (nodeName === 'worker-1' ? [] : ['shop/job-1']) } };

  it('holds back the node that they are on, or all', () => {
    expect(ask([on('Node')], there).blocker).toBeNull();
    expect(ask([on('Node')], there, { node: aNode({ name: 'worker-2' }) }).blocker).toMatchObject({
      cause: 'GatePods',
      node: 'worker-2',
      pods: ['shop/job-1'],
    });
    expect(ask([on('Cluster')], there).blocker).toMatchObject({ cause: 'GatePods', node: null });
  });

  it('holds back while they have not been read, or cannot be', () => {
    expect(ask([on('Node')]).blocker).toMatchObject({ cause: 'GateAsked' });
    expect(ask([on('Node')], { pods: { failed: 'forbidden', since: NOW } }).blocker).toMatchObject({ cause: 'GateUnanswered' });
  });
});

describe('a gate for nodes that are settled', () => {
  const rule: GateRule = { gate: 'NodesReady', name: 'settled', forMs: 5 * MINUTE };
  const readySince = (name: string, at: number, ready = true) =>
    aNode({ name, ready, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', reason: 'x', lastTransition: at }] });

  it('waits until all have been Ready for so long', () => {
    const selected = [readySince('a', NOW - 60 * MINUTE), readySince('b', NOW - 2 * MINUTE)];
    const until = NOW + 3 * MINUTE;
    expect(ask([rule], {}, { selected })).toMatchObject({ blocker: { cause: 'GateNotSettled', what: [], until }, wakeAt: until });
    expect(ask([rule], {}, { selected, now: until }).blocker).toBeNull();
  });

  it('names the nodes that are not', () => {
    expect(ask([rule], {}, { selected: [readySince('a', 0, false)] }).blocker).toMatchObject({ what: ['node a'], until: null });
  });

  it('does not wait for those that are to be maintained: that they are not well may be why', () => {
    const selected = [readySince('worker-1', NOW, false)];
    expect(ask([rule], {}, { selected }).blocker).toBeNull();
  });
});

describe('a gate for an approval', () => {
  const rule: GateRule = { gate: 'Approval', name: 'approval', validForMs: 60 * MINUTE };

  it('waits for one, and says how', () => {
    const { blocker } = ask([rule]);
    expect(blocker).toMatchObject({ cause: 'GateApproval', stale: null });
    expect(blocker && explain(blocker, NOW).unblock).toBe('`drover approve NODE`, or `drover approve policy/p` for all of them');
  });

  it('opens with one, and says whose', () => {
    const given = { by: 'ann', at: NOW - MINUTE };
    expect(ask([rule], {}, { approvals: [given] })).toMatchObject({ blocker: null, approval: given });
  });

  it('closes when it is stale, and says whose it was', () => {
    const given = { by: 'ann', at: NOW - 60 * MINUTE };
    const { blocker } = ask([rule], {}, { approvals: [given] });
    expect(blocker && explain(blocker, NOW).message).toContain('that of ann, given 2026-01-01T11:00:00Z, was good for 1h');
  });

  it('does not take one of the future, which would never grow stale', () => {
    expect(ask([rule], {}, { approvals: [{ by: 'ann', at: NOW + 60 * MINUTE }] }).blocker).toMatchObject({ stale: null });
  });
});
