import { describe, expect, it } from 'vitest';
import { aMaintenance, aNode, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { aPolicy } from '../../test/raw-objects.ts';
import { annotations } from '../api/names.ts';
import type { Node } from '../api/objects.ts';
import type { MaintenancePolicyInput } from '../api/resources.ts';
import { compilePolicy } from './compile.ts';
import { createMatcher } from './matcher.ts';

const HOUR = 60 * MINUTE;
const inPool = (name: string, overrides: Partial<Node> = {}) => aNode({ name, labels: { pool: 'a' }, ...overrides });
const told = (name: string, ...signals: readonly object[]) =>
  inPool(name, { annotations: { [annotations.signals]: JSON.stringify(signals) } });
const spot = {
  kind: 'SpotInterruption',
  source: 'aws',
  id: 'e-1',
  since: new Date(NOW).toISOString(),
  goneAt: new Date(NOW + 2 * MINUTE).toISOString(),
  revocable: false,
  message: '',
};
type Reason = MaintenancePolicyInput['spec']['reasons'][number];
const onSpot: Reason = { type: 'Signal', signal: { kinds: ['SpotInterruption'] } };
const onLabel: Reason = { type: 'Label', label: { key: 'pool' } };

function start(policies: Readonly<Record<string, Partial<MaintenancePolicyInput['spec']>>>, ...nodes: readonly Node[]) {
  const known = new Map<string, Node>();
  const matcher = createMatcher(known);
  const see = (node: Node, now = NOW) => {
    known.set(node.name, node);
    matcher.see(node, now);
    return matcher.look(now);
  };
  for (const node of nodes) see(node);
  matcher.setPolicies(Object.entries(policies).map(([name, spec]) => compilePolicy(aPolicy(spec, { name, uid: `uid-${name}` }))));
  matcher.look(NOW);
  return { matcher, see };
}

describe('a node whose machine is about to go', () => {
  it('belongs to the policy that knows, whatever the priority of another', () => {
    const policies = { rotation: { reasons: [onLabel], priority: 50 }, leaving: { reasons: [onSpot] } };
    const { matcher } = start(policies, told('a', spot), inPool('b'));
    expect(matcher.match('a')).toMatchObject({ policy: { name: 'leaving' }, notice: { goneAt: NOW + 2 * MINUTE } });
    expect(matcher.match('b')).toMatchObject({ policy: { name: 'rotation' } });
  });

  it('stays with another while the policy that knows is paused', () => {
    const policies = { rotation: { reasons: [onLabel], priority: 50 }, leaving: { reasons: [onSpot], paused: true } };
    expect(start(policies, told('a', spot)).matcher.match('a')).toMatchObject({ policy: { name: 'rotation' } });
  });

  const final = (is: object = {}) =>
    aMaintenance({
      nodeName: 'a',
      policy: 'leaving',
      reasonType: 'Signal',
      goneAt: NOW + 2 * MINUTE,
      notice: { kind: 'SpotInterruption', id: 'e-1', revocable: false },
      ...is,
    });

  it('stays out when the announcement goes away, unless that may be taken back', () => {
    const { matcher, see } = start({ leaving: { reasons: [onSpot] } }, told('a', spot));
    see(told('a'));
    expect(matcher.holds(final(), NOW)).toBe(true);
    expect(matcher.holds(final({ notice: { kind: 'SpotInterruption', id: 'e-1', revocable: true } }), NOW)).toBe(false);
  });

  it('is given back a quarter of an hour after it should have gone, where it is Ready and nobody announces it', () => {
    const { matcher, see } = start({ leaving: { reasons: [onSpot] } }, told('a'));
    expect(matcher.holds(final(), NOW)).toBe(true);
    expect(matcher.dueAt()).toBe(NOW + 17 * MINUTE);
    expect(matcher.holds(final(), NOW + 17 * MINUTE)).toBe(false);
    see(told('a', spot));
    expect(matcher.holds(final(), NOW + 17 * MINUTE)).toBe(true);
    see(inPool('a', { ready: false }));
    expect(matcher.holds(final(), NOW + HOUR)).toBe(true);
  });

  it('is given back when its policy is deleted, or once the maintenance has ended', () => {
    const { matcher } = start({ leaving: { reasons: [onSpot] } }, told('a'));
    expect(matcher.holds(final({ state: { phase: 'Cancelled' } }), NOW)).toBe(false);
    matcher.setPolicies([]);
    expect(matcher.holds(final(), NOW)).toBe(false);
  });

  it('is not given back for its own reason while its machine goes', () => {
    const onOld: Reason = { type: 'Label', label: { key: 'old' } };
    const policies = { rotation: { reasons: [onOld] }, leaving: { reasons: [onSpot] } };
    const { matcher } = start(policies, told('a', { ...spot, revocable: true }));
    const rotating = final({ policy: 'rotation', reasonType: 'Label', notice: { kind: 'x', id: 'y', revocable: true } });
    expect(matcher.holds(rotating, NOW)).toBe(true);
  });
});

describe('a reason that time or other nodes change', () => {
  it('wakes for the age of a node', () => {
    const age = { type: 'Age', age: { maxAge: '1h' } } as const;
    const { matcher } = start({ old: { reasons: [age] } }, inPool('a', { createdAt: NOW - 59 * MINUTE }));
    expect(matcher.match('a')).toBeUndefined();
    expect(matcher.dueAt()).toBe(NOW + MINUTE);
    expect(matcher.look(NOW + MINUTE)).toEqual(['a']);
    expect(matcher.match('a')).toMatchObject({ rule: { type: 'Age' } });
  });

  it('wakes for the lead time of an event', () => {
    const before: Reason = { ...onSpot, when: 'Before', before: '1m' };
    const { matcher } = start({ leaving: { reasons: [before] } }, told('a', spot));
    expect(matcher.dueAt()).toBe(NOW + MINUTE);
    matcher.look(NOW + MINUTE + SECOND);
    expect(matcher.match('a')).toMatchObject({ notice: { id: 'e-1' } });
  });

  it('looks at a whole pool again when one of its nodes is newer, and when it is gone', () => {
    const drift = { type: 'Drift', drift: { version: { what: 'Kubelet', newestOf: 'pool' } } } as const;
    const { matcher, see } = start({ old: { reasons: [drift] } }, inPool('a'), inPool('b'));
    expect(matcher.match('a')).toBeUndefined();
    const newer = inPool('c', { versions: { ...aNode().versions, kubelet: 'v1.35.0' } });
    expect([...see(newer)].sort()).toEqual(['a', 'b', 'c']);
    expect(matcher.match('a')).toMatchObject({ message: 'kubelet v1.34.1 is older than v1.35.0' });
    expect(matcher.match('c')).toBeUndefined();
    matcher.forget('c');
    matcher.look(NOW);
    expect(matcher.match('a')).toBeUndefined();
  });
});
