import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, anAdmissionPolicy as aPolicy, applying, nodes } from '../../test/admitting.ts';
import { aNode, MINUTE, NOW } from '../../test/builders.ts';
import { labels } from '../api/names.ts';
import type { Applicant } from './admission.ts';

const wide = { count: 100 };
const two = (one: readonly ReturnType<typeof aNode>[], other: readonly ReturnType<typeof aNode>[]) => [
  aPolicy({ name: 'p', selected: one, maxNodes: wide }),
  aPolicy({ name: 'q', selected: other, maxNodes: wide }),
];

describe('the control plane', () => {
  const control = nodes(3, () => ({ labels: { [labels.controlPlane]: '' } }));
  const [first, second, third] = control as [(typeof control)[0], (typeof control)[0], (typeof control)[0]];

  it('loses one node at a time, whatever the policies allow and however many there are', () => {
    const policies = two([first, second], [third]);
    const applicants = [applying(first), applying(second), applying(third, { policy: 'q' })];
    const { started, blockerOf } = admit(policies, applicants);
    expect(started).toEqual(['m-n-0000']);
    for (const id of ['m-n-0001', 'm-n-0002'])
      expect(blockerOf(id)).toMatchObject({ cause: 'ControlPlaneLimit', limit: 1, out: ['n-0000'] });
  });

  it('counts a node that somebody else has taken out, also one that no policy selects', () => {
    const cordoned = { ...third, unschedulable: true };
    const { started } = admit(two([first], []), [applying(first)], { cluster: [first, second, cordoned] });
    expect(started).toEqual([]);
  });

  it('may lose more where a policy says so', () => {
    const [p, q] = two([first, second], [third]) as [ReturnType<typeof aPolicy>, ReturnType<typeof aPolicy>];
    const both = { ...p, controlPlane: { count: 2 } };
    const applicants = [applying(first), applying(second), applying(third, { policy: 'q' })];
    expect(admit([both, q], applicants).started).toEqual(['m-n-0000', 'm-n-0001']);
  });

  it('does not hold back other nodes', () => {
    const worker = aNode({ name: 'worker' });
    const cordoned = { ...first, unschedulable: true };
    expect(admit(two([worker], []), [applying(worker)], { cluster: [cordoned, worker] }).started).toEqual(['m-worker']);
  });
});

describe('the limits of the controller', () => {
  const zoned = nodes(6, (index) => ({ labels: { zone: index % 2 === 0 ? 'a' : 'b' } }));
  const policies = two(zoned.slice(0, 3), zoned.slice(3));
  const applicants = zoned.map((node, index) => applying(node, { policy: index < 3 ? 'p' : 'q' }));

  it('are over all policies', () => {
    const limits = { maxNodes: { count: 4 }, perGroup: [] };
    const { started, blockerOf } = admit(policies, applicants, { limits });
    expect(started).toHaveLength(4);
    expect(blockerOf('m-n-0005')).toMatchObject({ cause: 'ClusterLimit', limit: 4, group: null });
  });

  it('are for groups, too', () => {
    const limits = { maxNodes: null, perGroup: [{ label: 'zone', maxNodes: { percent: 34 } }] };
    const { started, blockerOf } = admit(policies, applicants, { limits });
    expect(started).toEqual(['m-n-0000', 'm-n-0001']);
    expect(blockerOf('m-n-0002')).toMatchObject({ cause: 'ClusterLimit', limit: 1, out: ['n-0000'], group: 'zone=a' });
  });

  it('count nodes that belong to no policy and are out', () => {
    const limits = { maxNodes: { count: 1 }, perGroup: [] };
    const cluster = [...zoned, aNode({ name: 'elsewhere', ready: false })];
    expect(admit(policies, applicants, { limits, cluster }).started).toEqual([]);
  });

  it('hold in every mix of policies, foreign outages and deadlines', () => {
    const drawn = fc.record({
      limit: fc.integer({ min: 0, max: 6 }),
      out: fc.subarray([0, 1, 2, 3, 4, 5]),
      kinds: fc.array(fc.constantFrom('policy', 'person', 'goes', 'none'), { minLength: 6, maxLength: 6 }),
    });
    fc.assert(
      fc.property(drawn, ({ limit, out, kinds }) => {
        const cluster = zoned.map((node, index) => (out.includes(index) ? { ...node, unschedulable: true } : node));
        const all: Applicant[] = cluster.flatMap((node, index) => {
          const policy = index < 3 ? 'p' : 'q';
          if (kinds[index] === 'policy') return [applying(node, { policy })];
          if (kinds[index] === 'person') return [applying(node, { policy: null })];
          return kinds[index] === 'goes' ? [applying(node, { policy, goneAt: NOW + MINUTE })] : [];
        });
        const { started } = admit(two(cluster.slice(0, 3), cluster.slice(3)), all, {
          limits: { maxNodes: { count: limit }, perGroup: [] },
          cluster,
        });
        const free = all.filter(({ policy, goneAt }) => policy === null || goneAt !== undefined).map(({ id }) => id);
        expect(started).toEqual(expect.arrayContaining(free));
        const held = started.filter((id) => !free.includes(id));
        const foreign = out.filter((index) => kinds[index] === 'none').length;
        expect(held.length).toBeLessThanOrEqual(Math.max(0, limit - free.length - foreign));
      }),
    );
  });
});

describe('a machine that goes at a known time', () => {
  const three = nodes(3);
  const [going, other, third] = three as [(typeof three)[0], (typeof three)[0], (typeof three)[0]];
  const leaves = applying(going, { goneAt: NOW + 10 * MINUTE });
  const policy = aPolicy({ selected: three, minIntervalMs: MINUTE, lastStart: NOW });

  it('is held back by no limit, breaker or gate', () => {
    const breaker = { open: true, since: NOW, generation: 1, failures: 1 };
    const shut = () => ({ blocker: { cause: 'GateAsked', policy: 'p', gate: 'g' }, wakeAt: null, approval: null }) as const;
    const { started } = admit([{ ...policy, breaker }], [leaves], { active: new Set([other.name, third.name]), gates: shut });
    expect(started).toEqual([leaves.id]);
  });

  it('counts, and goes first, so that no other comes on top of it', () => {
    const eager = applying(other, { priority: 100 });
    const { started, blockerOf } = admit([aPolicy({ selected: three })], [eager, leaves]);
    expect(started).toEqual([leaves.id]);
    expect(blockerOf(eager.id)).toMatchObject({ cause: 'MaxNodes', out: [going.name] });
  });

  it('is still held back by a pause, which is a person’s word', () => {
    expect(admit([{ ...policy, paused: true }], [leaves]).started).toEqual([]);
  });
});

describe('a breaker and gates', () => {
  const three = nodes(3);
  const all = three.map((node) => applying(node));
  const policy = aPolicy({ selected: three });

  it('stop what is new: an open breaker', () => {
    const breaker = { open: true, since: NOW, generation: 1, failures: 2 };
    expect(admit([{ ...policy, breaker }], all).blockerOf('m-n-0000')).toEqual({
      cause: 'BreakerOpen',
      policy: 'p',
      since: NOW,
      failures: 2,
    });
    expect(admit([{ ...policy, breaker: { ...breaker, open: false } }], all).started).toHaveLength(1);
  });

  it('are not asked for what would not start anyway', () => {
    const asked: string[] = [];
    const gates = ({ id }: Applicant) => {
      asked.push(id);
      return { blocker: null, wakeAt: null, approval: null };
    };
    admit([policy], all, { gates });
    admit([{ ...policy, paused: true }], all, { gates });
    admit([policy], all, { gates, active: new Set(['n-0000']) });
    expect(asked).toEqual(['m-n-0000']);
  });

  it('do not stop halfway what was begun', () => {
    const breaker = { open: true, since: NOW, generation: 1, failures: 2 };
    const gates = () => ({ blocker: { cause: 'GateAsked', policy: 'p', gate: 'g' }, wakeAt: null, approval: null }) as const;
    const [first] = three as [(typeof three)[0]];
    const begun = applying({ ...first, unschedulable: true }, { begun: true, anyTime: true });
    expect(admit([{ ...policy, breaker }], [begun], { gates }).started).toEqual([begun.id]);
  });

  it('let the next one try where one is held back by a gate of its own', () => {
    const gates = ({ id }: Applicant) =>
      id === 'm-n-0000'
        ? ({
            blocker: { cause: 'GatePods', policy: 'p', gate: 'g', node: 'n-0000', pods: ['a/b'] },
            wakeAt: null,
            approval: null,
          } as const)
        : { blocker: null, wakeAt: null, approval: null };
    expect(admit([policy], all, { gates }).started).toEqual(['m-n-0001']);
  });
});
