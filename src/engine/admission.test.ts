import { describe, expect, it } from 'vitest';
import { admit, anAdmissionPolicy as aPolicy, applying, nodes } from '../../test/admitting.ts';
import { aNode, MINUTE, NOW } from '../../test/builders.ts';
import { type AdmissionPolicy, type Applicant, isOut } from './admission.ts';

describe('how many nodes may be out', () => {
  const five = nodes(5);
  const all = five.map((node) => applying(node));

  it('is a number', () => {
    const { started, blockerOf } = admit([aPolicy({ selected: five, maxNodes: { count: 2 } })], all);
    expect(started).toEqual(['m-n-0000', 'm-n-0001']);
    expect(blockerOf('m-n-0002')).toEqual({ cause: 'MaxNodes', policy: 'p', limit: 2, out: ['n-0000', 'n-0001'] });
  });

  it('is a share, rounded down, but at least one node unless it is 0%', () => {
    const started = (percent: number) => admit([aPolicy({ selected: five, maxNodes: { percent } })], all).started.length;
    expect([0, 10, 40, 59, 100].map(started)).toEqual([0, 1, 2, 2, 5]);
  });

  it('counts nodes that are under way', () => {
    expect(admit([aPolicy({ selected: five })], all.slice(1), { active: new Set(['n-0000']) }).started).toEqual([]);
  });

  it.each([
    ['cordoned by someone else', { unschedulable: true }],
    ['not Ready', { ready: false }],
  ])('counts a node that is %s', (_, state) => {
    const selected = [aNode({ name: 'foreign', ...state }), ...five];
    const { started, blockerOf } = admit([aPolicy({ selected })], all);
    expect(started).toEqual([]);
    expect(blockerOf('m-n-0000')).toMatchObject({ cause: 'MaxNodes', out: ['foreign'] });
  });

  it('does not count what it has drained: those pods run elsewhere', () => {
    const selected = [aNode({ name: 'done', unschedulable: true }), ...five];
    expect(admit([aPolicy({ selected })], all, { drained: new Set(['done']) }).started).toHaveLength(1);
  });

  it('does not count nodes that the policy does not select', () => {
    expect(admit([aPolicy({ selected: five })], all, { active: new Set(['elsewhere']) }).started).toHaveLength(1);
  });

  it('starts an applicant that is out already before others, and does not hold it against itself', () => {
    const selected = nodes(3, (index) => (index === 2 ? { ready: false } : {}));
    expect(
      admit(
        [aPolicy({ selected })],
        selected.map((node) => applying(node)),
      ).started,
    ).toEqual(['m-n-0002']);
  });

  it('does not let several applicants that are out block one another', () => {
    const selected = nodes(3, () => ({ ready: false }));
    expect(
      admit(
        [aPolicy({ selected })],
        selected.map((node) => applying(node)),
      ).started,
    ).toHaveLength(1);
  });
});

describe('groups', () => {
  const zoned = nodes(6, (index) => ({ labels: { zone: index < 4 ? 'a' : 'b' } }));
  const perZone = (maxNodes: AdmissionPolicy['maxNodes']) =>
    aPolicy({ selected: zoned, maxNodes: { count: 10 }, perGroup: [{ label: 'zone', maxNodes }] });

  it('have a limit of their own', () => {
    const { started, blockerOf } = admit(
      [perZone({ count: 1 })],
      zoned.map((node) => applying(node)),
    );
    expect(started).toEqual(['m-n-0000', 'm-n-0004']);
    expect(blockerOf('m-n-0001')).toEqual({
      cause: 'GroupLimit',
      policy: 'p',
      label: 'zone',
      value: 'a',
      limit: 1,
      out: ['n-0000'],
    });
  });

  it('take a share of their own size', () => {
    expect(
      admit(
        [perZone({ percent: 50 })],
        zoned.map((node) => applying(node)),
      ).started,
    ).toEqual(['m-n-0000', 'm-n-0001', 'm-n-0004']);
  });

  it('count nodes that someone else took out', () => {
    const selected = zoned.map((node, index) => (index === 5 ? { ...node, unschedulable: true } : node));
    const { started } = admit(
      [{ ...perZone({ count: 1 }), selected }],
      selected.slice(0, 5).map((node) => applying(node)),
    );
    expect(started).toEqual(['m-n-0000']);
  });

  it('hold nodes without the label in one group of their own', () => {
    const bare = nodes(2);
    const policy = aPolicy({ selected: bare, maxNodes: { count: 9 }, perGroup: [{ label: 'zone', maxNodes: { count: 1 } }] });
    expect(
      admit(
        [policy],
        bare.map((node) => applying(node)),
      ).started,
    ).toHaveLength(1);
  });

  it('do not mix up labels and values', () => {
    const odd = [aNode({ name: 'x', labels: { a: 'b=c' } }), aNode({ name: 'y', labels: { 'a=b': 'c' } })];
    const limit = { count: 1 };
    const policy = aPolicy({ selected: odd, maxNodes: { count: 9 }, perGroup: [{ label: 'a', maxNodes: limit }] });
    expect(
      admit(
        [policy],
        odd.map((node) => applying(node)),
      ).started,
    ).toEqual(['m-x', 'm-y']);
  });
});

describe('who goes first', () => {
  const three = nodes(3);
  const order = (overrides: readonly Partial<Applicant>[]) =>
    admit(
      [aPolicy({ selected: three })],
      three.map((node, index) => applying(node, overrides[index])),
    ).admissions.map((each) => each.id);

  it('is the higher priority', () => {
    expect(order([{}, { priority: 5 }, { priority: -5 }])).toEqual(['m-n-0001', 'm-n-0000', 'm-n-0002']);
  });

  it('is the nearer deadline among equals, before those without', () => {
    expect(order([{}, { goneAt: NOW + 2 }, { goneAt: NOW + 1 }])).toEqual(['m-n-0002', 'm-n-0001', 'm-n-0000']);
  });

  it('is the one that waits longest, then the name', () => {
    expect(order([{}, {}, { since: NOW - 1 }])).toEqual(['m-n-0002', 'm-n-0000', 'm-n-0001']);
  });

  it('is the same whatever the order of the input, also with two on one node', () => {
    const [node] = three;
    const both = node ? [applying(node, { id: 'b' }), applying(node, { id: 'a' })] : [];
    const ids = (applicants: readonly Applicant[]) =>
      admit([aPolicy({ selected: three })], applicants).admissions.map((each) => each.id);
    expect(ids(both)).toEqual(['a', 'b']);
    expect(ids([...both].reverse())).toEqual(['a', 'b']);
  });
});

describe('what holds a whole policy', () => {
  const two = nodes(2);
  const all = two.map((node) => applying(node));

  it('is its pause', () => {
    expect(admit([aPolicy({ selected: two, paused: true })], all).blockerOf('m-n-0000')).toEqual({
      cause: 'PolicyPaused',
      policy: 'p',
    });
  });

  it('is that it does not exist: without it nobody knows the limits', () => {
    expect(admit([], all)).toMatchObject({ started: [], admissions: [{ blocker: { cause: 'PolicyMissing', policy: 'p' } }, {}] });
  });

  it('is its interval since the last start, also one in this very pass', () => {
    const policy = aPolicy({ selected: two, maxNodes: { count: 2 }, minIntervalMs: MINUTE });
    const { started, admissions } = admit([policy], all);
    expect(started).toEqual(['m-n-0000']);
    expect(admissions[1]).toMatchObject({ blocker: { cause: 'MinInterval', until: NOW + MINUTE }, wakeAt: NOW + MINUTE });
    expect(admit([{ ...policy, lastStart: NOW - MINUTE + 1 }], all).started).toEqual([]);
    expect(admit([{ ...policy, lastStart: NOW - MINUTE }], all).started).toHaveLength(1);
  });

  describe('a mass trigger', () => {
    const ten = nodes(10);
    const policy = aPolicy({ selected: ten, massTrigger: { percent: 50 }, matchedByCondition: 6 });
    const byCondition = ten.map((node) => applying(node, { byCondition: true }));

    it('stops what was started by a condition', () => {
      expect(admit([policy], byCondition).blockerOf('m-n-0000')).toEqual({
        cause: 'MassTrigger',
        policy: 'p',
        matched: 6,
        selected: 10,
        limit: 5,
      });
    });

    it('does not stop at its limit, nor what has another reason', () => {
      expect(admit([{ ...policy, matchedByCondition: 5 }], byCondition).started).toHaveLength(1);
      expect(
        admit(
          [policy],
          ten.map((node) => applying(node)),
        ).started,
      ).toHaveLength(1);
    });

    it('is none with three nodes or fewer', () => {
      const few = { ...policy, massTrigger: { count: 1 } };
      expect(admit([{ ...few, matchedByCondition: 3 }], byCondition).started).toHaveLength(1);
      expect(admit([{ ...few, matchedByCondition: 4 }], byCondition).started).toEqual([]);
    });
  });
});

describe('several policies', () => {
  const shared = aNode({ name: 'shared' });
  const [left, right] = [aNode({ name: 'left' }), aNode({ name: 'right' })];

  it('each count a node that both select', () => {
    const policies = [aPolicy({ name: 'p', selected: [shared, left] }), aPolicy({ name: 'q', selected: [shared, right] })];
    const applicants = [applying(shared, { priority: 1 }), applying(left), applying(right, { policy: 'q' })];
    const { started, blockerOf } = admit(policies, applicants);
    expect(started).toEqual(['m-shared']);
    expect(blockerOf('m-right')).toMatchObject({ cause: 'MaxNodes', policy: 'q', out: ['shared'] });
  });

  it('do not limit what a person asks for outside of them, but count it', () => {
    const applicants = [applying(shared, { policy: null, priority: 1 }), applying(left)];
    const { started } = admit([aPolicy({ selected: [shared, left] })], applicants);
    expect(started).toEqual(['m-shared']);
  });

  it('see what a person asks for in the same pass, whatever their own applicants’ priority', () => {
    const applicants = [applying(left, { priority: 1 }), applying(shared, { policy: null })];
    const { started, blockerOf } = admit([aPolicy({ selected: [shared, left] })], applicants);
    expect(started).toEqual(['m-shared']);
    expect(blockerOf('m-left')).toMatchObject({ cause: 'MaxNodes', out: ['shared'] });
  });
});

describe('thousands of applicants', () => {
  /** How often a node's labels are read, which is what deciding about it costs. */
  function reads(count: number): number {
    let read = 0;
    const counted = nodes(count).map((node) => ({
      ...node,
      get labels() {
        read += 1;
        return { zone: 'a' };
      },
    }));
    const policy = aPolicy({
      selected: counted,
      maxNodes: { percent: 50 },
      perGroup: [{ label: 'zone', maxNodes: { percent: 60 } }],
    });
    expect(
      admit(
        [policy],
        counted.map((node) => applying(node)),
      ).started,
    ).toHaveLength(count / 2);
    return read;
  }

  it('cost ten times as much as a tenth of them, not a hundred times', () => {
    expect(reads(5_000)).toBe(10 * reads(500));
  });

  it('are all told one list of the nodes that are out', () => {
    const many = nodes(5_000);
    const { admissions } = admit(
      [aPolicy({ selected: many, maxNodes: { percent: 50 } })],
      many.map((node) => applying(node)),
    );
    const lists = new Set(admissions.flatMap(({ blocker }) => (blocker?.cause === 'MaxNodes' ? [blocker.out] : [])));
    expect([...lists].map((list) => list.length)).toEqual([2_500]);
  });
});

describe('a node that is out', () => {
  it('takes no new pods or cannot run them', () => {
    expect(isOut(aNode())).toBe(false);
    expect(isOut(aNode({ unschedulable: true }))).toBe(true);
    expect(isOut(aNode({ ready: false }))).toBe(true);
  });
});

describe('a node that another maintenance has in hand', () => {
  it('waits, and says for which one', () => {
    const [node] = nodes(1);
    if (!node) throw new Error('no node');
    const byHand = applying(node, { id: 'second', policy: null });
    const { started, blockerOf } = admit([], [byHand], { taken: new Map([[node.name, 'first']]) });
    expect(started).toEqual([]);
    expect(blockerOf('second')).toEqual({ cause: 'NodeTaken', by: 'first' });
  });

  it('is begun once when two ask for it at the same moment', () => {
    const [node] = nodes(1);
    if (!node) throw new Error('no node');
    const both = [applying(node, { id: 'a', policy: null }), applying(node, { id: 'b', policy: null, priority: 1 })];
    const { started, blockerOf } = admit([], both);
    expect(started).toEqual(['b']);
    expect(blockerOf('a')).toEqual({ cause: 'NodeTaken', by: 'b' });
  });
});
