import { describe, expect, it } from 'vitest';
import { aMaintenance, aNode, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { aPolicy } from '../../test/raw-objects.ts';
import type { Node } from '../api/objects.ts';
import type { MaintenancePolicyInput } from '../api/resources.ts';
import { compilePolicy } from './compile.ts';
import { createMatcher } from './matcher.ts';

const broken = { key: 'example.com/broken', value: '', effect: 'NoSchedule' };
const inPool = (name: string, overrides: Partial<Node> = {}) => aNode({ name, labels: { pool: 'a' }, ...overrides });
const isDead = (status: string) => ({ conditions: [{ type: 'Dead', status, reason: '', lastTransition: 0 }] });
const onDead = { type: 'Condition', condition: { type: 'Dead', for: '1m' } } as const;
const onTaint = { type: 'Taint', taint: { key: 'example.com/broken' } } as const;

function start(...nodes: readonly Node[]) {
  const known = new Map<string, Node>();
  const matcher = createMatcher(known);
  const see = (node: Node, now = NOW) => {
    known.set(node.name, node);
    matcher.see(node, now);
  };
  for (const node of nodes) see(node);
  const policy = (name: string, spec: Partial<MaintenancePolicyInput['spec']> = {}) =>
    compilePolicy(aPolicy(spec, { name, uid: `uid-${name}` }));
  const found = (now = NOW) => {
    matcher.look(now);
    return [...known.keys()]
      .flatMap((node) => {
        const match = matcher.match(node);
        return match ? `${node}: ${match.policy.name}` : [];
      })
      .sort();
  };
  const gone = (name: string) => {
    known.delete(name);
    matcher.forget(name);
  };
  return { matcher, see, gone, policy, found };
}

describe('the matcher', () => {
  it('finds the nodes that a policy selects and one of whose reasons matches', () => {
    const { matcher, policy, found } = start(
      inPool('a', { taints: [broken] }),
      inPool('b'),
      aNode({ name: 'c', taints: [broken] }),
    );
    matcher.setPolicies([policy('repair')]);
    expect(found()).toEqual(['a: repair']);
  });

  it('selects nothing with an empty selector', () => {
    const { matcher, policy, found } = start(inPool('a', { taints: [broken] }));
    matcher.setPolicies([policy('all', { nodeSelector: {} })]);
    expect(found()).toEqual([]);
    expect(matcher.counts('all')).toEqual({ selected: 0, matched: 0 });
  });

  it('looks only at nodes that have changed', () => {
    const looks: string[] = [];
    const watched = (name: string) => {
      const node = inPool(name);
      return Object.defineProperty({ ...node }, 'labels', { get: () => (looks.push(name), node.labels) });
    };
    const { matcher, see, policy, found } = start(watched('a'), watched('b'));
    matcher.setPolicies([policy('repair')]);
    found();
    looks.length = 0;
    found();
    expect(looks).toEqual([]);
    see(watched('b'));
    found();
    expect(new Set(looks)).toEqual(new Set(['b']));
  });

  it('gives a node to the policy of the highest priority, then to the first by name', () => {
    const { matcher, policy, found } = start(inPool('a', { taints: [broken] }));
    matcher.setPolicies([policy('b'), policy('a'), policy('urgent', { priority: 5 })]);
    expect(found()).toEqual(['a: urgent']);
    matcher.setPolicies([policy('b'), policy('a')]);
    expect(found()).toEqual(['a: a']);
  });

  it('gives a node to a policy of lower priority while the higher one has no matching reason', () => {
    const { matcher, policy, found } = start(inPool('a', { taints: [broken] }));
    matcher.setPolicies([policy('urgent', { priority: 5, reasons: [onDead] }), policy('repair')]);
    expect(found()).toEqual(['a: repair']);
  });

  it('names the reason that a person has named', () => {
    const { matcher, policy } = start(inPool('a', { taints: [broken] }));
    matcher.setPolicies([policy('repair', { reasons: [{ name: 'broken disk', ...onTaint }] })]);
    matcher.look(NOW);
    expect(matcher.match('a')?.message).toBe('broken disk: taint example.com/broken:NoSchedule');
  });

  it('lets go of a node whose reason, label or policy is gone', () => {
    const { matcher, see, policy, found } = start(
      inPool('a', { taints: [broken] }),
      inPool('b', { taints: [broken] }),
      inPool('c', { taints: [broken] }),
    );
    matcher.setPolicies([policy('repair')]);
    expect(found()).toHaveLength(3);
    see(inPool('a'));
    see(aNode({ name: 'b', taints: [broken] }));
    expect(found()).toEqual(['c: repair']);
    expect(matcher.counts('repair')).toEqual({ selected: 2, matched: 1 });
    matcher.setPolicies([]);
    expect(found()).toEqual([]);
    expect(matcher.counts('repair')).toEqual({ selected: 0, matched: 0 });
  });

  it('forgets a node that is gone, and begins anew with its namesake', () => {
    const { matcher, see, gone, policy, found } = start(inPool('a', isDead('True')));
    matcher.setPolicies([policy('repair', { reasons: [onDead] })]);
    found();
    gone('a');
    expect(matcher.counts('repair')).toEqual({ selected: 0, matched: 0 });
    expect(matcher.dueAt()).toBeNull();
    see(inPool('a', isDead('True')), NOW + 10 * MINUTE);
    expect(found(NOW + 10 * MINUTE)).toEqual([]);
    expect(matcher.dueAt()).toBe(NOW + 11 * MINUTE);
  });
});

describe('a reason that needs time', () => {
  it('is due when its condition has lasted, and then matches without any change of the node', () => {
    const { matcher, policy, found } = start(inPool('a', isDead('True')));
    matcher.setPolicies([policy('repair', { reasons: [onDead] })]);
    expect(found()).toEqual([]);
    expect(matcher.dueAt()).toBe(NOW + MINUTE);
    expect(found(NOW + MINUTE - 1)).toEqual([]);
    expect(found(NOW + MINUTE)).toEqual(['a: repair']);
    expect(matcher.dueAt()).toBeNull();
  });

  it('is due no more when the condition is over before', () => {
    const { matcher, see, policy, found } = start(inPool('a', isDead('True')));
    matcher.setPolicies([policy('repair', { reasons: [onDead] })]);
    found();
    see(inPool('a', isDead('False')), NOW + SECOND);
    expect(found(NOW + SECOND)).toEqual([]);
    expect(matcher.dueAt()).toBeNull();
  });

  it('is due at the earliest time of all nodes', () => {
    const { matcher, see, policy, found } = start(inPool('a', isDead('True')));
    matcher.setPolicies([policy('repair', { reasons: [onDead] })]);
    see(inPool('b', isDead('True')), NOW + 10 * SECOND);
    found(NOW + 10 * SECOND);
    expect(matcher.dueAt()).toBe(NOW + MINUTE);
  });
});

describe('whether the reason of a maintenance still holds', () => {
  const m = (reasonType: 'Taint' | 'Condition', nodeName = 'a') => aMaintenance({ policy: 'repair', nodeName, reasonType });

  it('is not asked where no policy started it', () => {
    expect(start().matcher.holds(aMaintenance({ policy: null, nodeName: 'nowhere' }), NOW)).toBe(true);
  });

  it('is no when the node, its selection or the policy is gone', () => {
    const { matcher, see, gone, policy } = start(inPool('a', { taints: [broken] }));
    matcher.setPolicies([policy('repair')]);
    expect(matcher.holds(m('Taint'), NOW)).toBe(true);
    see(aNode({ name: 'a', taints: [broken] }));
    expect(matcher.holds(m('Taint'), NOW)).toBe(false);
    see(inPool('a', { taints: [broken] }));
    matcher.setPolicies([policy('other')]);
    expect(matcher.holds(m('Taint'), NOW)).toBe(false);
    matcher.setPolicies([policy('repair')]);
    gone('a');
    expect(matcher.holds(m('Taint'), NOW)).toBe(false);
  });

  it('is yes while another reason of the policy matches', () => {
    const { matcher, policy } = start(inPool('a', { taints: [broken], ...isDead('False') }));
    matcher.setPolicies([policy('repair', { reasons: [onDead, onTaint] })]);
    expect(matcher.holds(m('Condition'), NOW)).toBe(true);
  });

  it('is yes through a flicker, without the waiting time of the condition again', () => {
    const { matcher, see, policy } = start(inPool('a', isDead('True')));
    matcher.setPolicies([policy('repair', { reasons: [onDead] })]);
    const later = NOW + 5 * MINUTE;
    see(inPool('a', isDead('Unknown')), later);
    expect(matcher.holds(m('Condition'), later)).toBe(true);
    see(inPool('a', isDead('True')), later + SECOND);
    expect(matcher.holds(m('Condition'), later + SECOND)).toBe(true);
    see(inPool('a', isDead('False')), later + 2 * SECOND);
    expect(matcher.holds(m('Condition'), later + 2 * SECOND)).toBe(false);
  });

  it('is no when a taint started it, the taint is gone, and a condition is only Unknown', () => {
    const { matcher, policy } = start(inPool('a', isDead('Unknown')));
    matcher.setPolicies([policy('repair', { reasons: [onTaint, onDead] })]);
    expect(matcher.holds(m('Taint'), NOW)).toBe(false);
  });
});

describe('the limits of a policy', () => {
  const unheld = () => ({ breaker: null, approval: null });

  it('come with the nodes of the moment, how many match by a condition, and the last start', () => {
    const { matcher, policy } = start(inPool('a', { taints: [broken] }), inPool('b', isDead('True')), aNode({ name: 'c' }));
    const reasons = [onTaint, { type: 'Condition', condition: { type: 'Dead' } }] as const;
    matcher.setPolicies([policy('repair', { reasons: [...reasons], disruption: { minInterval: '2m' } })]);
    matcher.look(NOW);
    const limits = matcher.admission({ lastStart: () => NOW - MINUTE, slowestDrain: () => null }, unheld).get('repair');
    expect(limits).toMatchObject({ name: 'repair', matchedByCondition: 1, lastStart: NOW - MINUTE, maxNodes: { count: 1 } });
    expect(limits?.selected.map((node) => node.name)).toEqual(['a', 'b']);
  });

  it('come without a last start when there was none', () => {
    const { matcher, policy } = start();
    matcher.setPolicies([policy('repair')]);
    expect(matcher.admission({ lastStart: () => null, slowestDrain: () => null }, unheld).get('repair')).toMatchObject({
      lastStart: null,
      selected: [],
      matchedByCondition: 0,
    });
  });

  it('come with their schedule, and with what a drain is expected to take at least', () => {
    const { matcher, policy } = start();
    const history = { lastStart: () => null, slowestDrain: () => 5 * MINUTE };
    const expected = (finish: object) => {
      matcher.setPolicies([policy('repair', { schedule: { windows: [{ start: '22:00', end: '04:00' }], ...finish } })]);
      return matcher.admission(history, unheld).get('repair');
    };
    expect(expected({})).toMatchObject({ schedule: { timeZone: 'UTC' }, expectMs: null });
    expect(expected({ finishInside: true })).toMatchObject({ expectMs: 5 * MINUTE });
    expect(expected({ finishInside: true, expect: '4m' })).toMatchObject({ expectMs: 5 * MINUTE });
    expect(expected({ finishInside: true, expect: '6m' })).toMatchObject({ expectMs: 6 * MINUTE });
  });
});
