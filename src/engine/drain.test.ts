import { describe, expect, it } from 'vitest';
import {
  aBarePod,
  aBudget,
  aCordonedNode,
  aDrain,
  anAttempt,
  aNode,
  aPod,
  aView,
  aWorld,
  MINUTE,
  noNeeds,
  NOW,
  ownedBy,
  SECOND,
  selecting,
  type WorldParts,
} from '../../test/builders.ts';
import { decide, decideOne, evicted, reportOf } from '../../test/deciding.ts';
import type { Pod } from '../api/objects.ts';
import { decideDrains } from './drain.ts';
import type { Drain } from './world.ts';

const exhausted = aBudget({ disruptionsAllowed: 0, currentHealthy: 2 });
const daemonTier = aPod({ name: 'agent', owner: ownedBy('DaemonSet', 'agent') });

describe('what is not known', () => {
  it('is waited for before anything is decided', () => {
    const decision = decideOne({ unread: ['node-1'] });
    expect(decision).toMatchObject({ known: false, effects: [], waitingFor: { cause: 'NotYetSeen' } });
  });

  it('includes the budgets', () => {
    expect(decideOne({ pods: [aPod()], budgets: null })).toMatchObject({ known: false, effects: [], remaining: 1 });
  });

  it('is asked for', () => {
    const needs = noNeeds();
    decideDrains([aDrain()], aWorld(), NOW, needs);
    expect([...needs.podsOf]).toEqual(['node-1']);
  });
});

describe('an ordinary pod', () => {
  it('is evicted, charged to the budget that allows it', () => {
    const { decision } = reportOf(aPod(), { budgets: [aBudget({ resourceVersion: '7' })] });
    expect(decision.effects).toEqual([{ do: 'Evict', pod: aPod(), budget: 'shop/web', budgetVersion: '7' }]);
    expect(decision).toMatchObject({ remaining: 1, waitingFor: null, known: true });
  });

  it('is evicted without a charge where no budget selects it', () => {
    expect(reportOf(aPod()).decision.effects).toEqual([{ do: 'Evict', pod: aPod() }]);
  });

  it('names the budget that is exhausted, with its numbers', () => {
    expect(reportOf(aPod(), { budgets: [exhausted] })).toMatchObject({
      state: 'Waiting',
      blocker: {
        cause: 'BudgetExhausted',
        pod: 'shop/web-1',
        owner: 'ReplicaSet/web',
        budget: { name: 'web', currentHealthy: 2, disruptionsAllowed: 0 },
      },
    });
  });

  it.each([
    ['BudgetNeverAllows', [aBudget({ disruptionsAllowed: 0, desiredHealthy: 3 })]],
    ['BudgetStale', [aBudget({ generation: 2 })]],
    ['SeveralBudgets', [aBudget(), aBudget({ name: 'second' })]],
  ] as const)('names %s', (cause, budgets) => {
    expect(reportOf(aPod(), { budgets })).toMatchObject({ state: 'Waiting', blocker: { cause } });
  });

  it('takes its turn while eight evictions of a roomy budget are under way', () => {
    const pods = Array.from({ length: 12 }, (_, index) => aPod({ name: `web-${index}` }));
    const decision = decideOne({ pods, budgets: [aBudget({ disruptionsAllowed: 20, expectedPods: 40 })] });
    expect(evicted(decision)).toHaveLength(8);
    expect(decision.pods.filter((each) => each.blocker?.cause === 'InFlight')).toHaveLength(4);
  });

  it('is deleted where eviction is disabled, whatever the budgets say', () => {
    const { decision } = reportOf(
      aPod(),
      { budgets: [exhausted] },
      aDrain({ with: { disableEviction: true, handover: 'Always' } }),
    );
    expect(decision.effects).toMatchObject([{ do: 'Delete' }]);
  });

  it('gets the shortened grace of a machine that goes', () => {
    expect(reportOf(aPod(), {}, aDrain({ goneAt: NOW + 10 * SECOND })).decision.effects).toMatchObject([
      { do: 'Evict', graceSeconds: 10 },
    ]);
  });
});

describe('pods that stay or forbid', () => {
  it('skips without counting what stays', () => {
    const decision = decideOne({ pods: [aPod({ mirror: true })] });
    expect(decision).toMatchObject({
      remaining: 0,
      effects: [],
      waitingFor: null,
      pods: [{ state: 'Skipped', skipped: 'MirrorPod' }],
    });
  });

  it('says which pod is protected and why', () => {
    expect(reportOf(aBarePod())).toMatchObject({
      state: 'Protected',
      blocker: { cause: 'ProtectedPod', pod: 'shop/web-1', why: 'NoController' },
    });
  });

  it('waits for completion only as long as the rule says, then evicts', () => {
    const drain = aDrain({
      with: { rules: [{ podSelector: selecting({ app: 'web' }), do: 'WaitCompleted', maxWaitMs: MINUTE }] },
    });
    expect(reportOf(aPod(), {}, drain)).toMatchObject({
      state: 'Waiting',
      blocker: { cause: 'WaitCompleted', until: NOW + MINUTE },
    });
    expect(decideOne({ pods: [aPod()] }, drain).wakeAt).toBe(NOW + MINUTE);
    expect(evicted(decideOne({ pods: [aPod()] }, drain, NOW + MINUTE))).toEqual(['web-1']);
  });
});

describe('tiers', () => {
  const drain = aDrain({ with: { daemonSets: 'Evict' } });

  it('leave lowest first; the others say for whom they wait', () => {
    const decision = decideOne({ pods: [daemonTier, aPod()] }, drain);
    expect(evicted(decision)).toEqual(['web-1']);
    expect(decision.remaining).toBe(2);
    expect(decision.pods.find((each) => each.pod.name === 'agent')).toMatchObject({
      state: 'Waiting',
      tier: 'daemon',
      blocker: { cause: 'EarlierTier', tier: 'workload', remaining: 1 },
    });
  });

  it('follow when the lower one is empty', () => {
    expect(evicted(decideOne({ pods: [daemonTier] }, drain))).toEqual(['agent']);
  });

  it('wait for a terminating pod of the lower one', () => {
    expect(evicted(decideOne({ pods: [daemonTier, aPod({ deletedAt: NOW + SECOND })] }, drain))).toEqual([]);
  });

  it('still say what holds a terminating pod of a higher one', () => {
    const stuck = { ...daemonTier, deletedAt: NOW - SECOND, finalizers: ['example.com/hold'] };
    const report = decideOne({ pods: [stuck, aPod()] }, drain).pods.find((each) => each.pod.name === 'agent');
    expect(report).toMatchObject({ state: 'Terminating', blocker: { cause: 'Finalizer' } });
  });

  it('do not keep a higher pod from its full grace before the machine goes', () => {
    const decision = decideOne({ pods: [daemonTier, aPod()], budgets: [exhausted] }, { ...drain, goneAt: NOW + 30 * SECOND });
    expect(decision.effects.map((effect) => [effect.do, effect.pod.name])).toEqual([
      ['Delete', 'agent'],
      ['Delete', 'web-1'],
    ]);
  });
});

describe('several nodes and one budget', () => {
  const two = (first: Partial<Drain> = {}, second: Partial<Drain> = {}) => [
    aDrain({ id: 'm-1', node: aCordonedNode('m-1', { name: 'node-1' }), ...first }),
    aDrain({ id: 'm-2', node: aCordonedNode('m-2', { name: 'node-2' }), ...second }),
  ];
  const full = [aPod({ name: 'a-1' }), aPod({ name: 'a-2' }), aPod({ name: 'a-3' })];
  const nearlyEmpty = aPod({ name: 'b-1', nodeName: 'node-2' });

  it('give a single disruption to the node that is nearest to being empty', () => {
    const [first, second] = decide(two(), { pods: [...full, nearlyEmpty], budgets: [aBudget()] });
    expect(first && evicted(first)).toEqual([]);
    expect(second && evicted(second)).toEqual(['b-1']);
  });

  it('prefer the one that began first when both are as full', () => {
    const pods = [aPod({ name: 'a-1' }), nearlyEmpty];
    const [first, second] = decide(two({ startedAt: NOW }, { startedAt: NOW - MINUTE }), { pods, budgets: [aBudget()] });
    expect(first && evicted(first)).toEqual([]);
    expect(second && evicted(second)).toEqual(['b-1']);
  });

  it('do not let a node that is not closed yet keep the disruption', () => {
    const open = { node: aNode({ name: 'node-2' }) };
    const [first] = decide(two({}, open), { pods: [...full, nearlyEmpty], budgets: [aBudget()] });
    expect(first && evicted(first)).toEqual(['a-1']);
  });

  it('never take more together than the budget allows', () => {
    const decisions = decide(two(), {
      pods: [...full, nearlyEmpty],
      budgets: [aBudget({ disruptionsAllowed: 3 })],
      charged: { 'shop/web': 1 },
    });
    expect(decisions.flatMap(evicted).sort()).toEqual(['a-1', 'b-1']);
  });

  it('come out the same whatever the order of the input', () => {
    const parts = { pods: [...full, nearlyEmpty], budgets: [aBudget({ disruptionsAllowed: 2 })] };
    const there = decide(two(), parts).flatMap(evicted).sort();
    expect(
      decide([...two()].reverse(), { ...parts, pods: [...parts.pods].reverse() })
        .flatMap(evicted)
        .sort(),
    ).toEqual(there);
  });
});

describe('what the node waits for', () => {
  const waitingFor = (pods: readonly Pod[], parts: WorldParts = {}) => decideOne({ pods, ...parts }).waitingFor;

  it('is nothing while all it can do is under way', () => {
    expect(waitingFor([aPod()])).toBeNull();
    expect(waitingFor([])).toBeNull();
  });

  it('is what never ends by itself before what passes', () => {
    const pods = [aPod({ name: 'a' }), aPod({ name: 'b', deletedAt: NOW + SECOND }), aBarePod({ name: 'c', labels: {} })];
    expect(waitingFor(pods, { budgets: [exhausted] })).toMatchObject({ cause: 'ProtectedPod', pod: 'shop/c' });
    expect(waitingFor(pods.slice(0, 2), { budgets: [exhausted] })).toMatchObject({ cause: 'BudgetExhausted', pod: 'shop/a' });
    expect(waitingFor(pods.slice(1, 2), { budgets: [exhausted] })).toMatchObject({ cause: 'Terminating' });
  });

  it('is a finalizer before a budget', () => {
    const held = aPod({ name: 'z', deletedAt: NOW - SECOND, finalizers: ['x'] });
    expect(waitingFor([aPod(), held], { budgets: [exhausted] })).toMatchObject({ cause: 'Finalizer' });
  });

  it('is the earlier tier only when nothing else is', () => {
    const decision = decideOne({ pods: [daemonTier, aPod()], budgets: [exhausted] }, aDrain({ with: { daemonSets: 'Evict' } }));
    expect(decision.waitingFor).toMatchObject({ cause: 'BudgetExhausted' });
  });
});

describe('handover within a drain', () => {
  const view = aView({ pods: [aPod()] });
  const mode = (handover: 'Never' | 'WhenNeeded' | 'Always', more = {}) => aDrain({ with: { handover, ...more } });

  it('is reached by the ladder also where the policy never hands over', () => {
    const drain = mode('Never', { ladder: [{ afterMs: MINUTE, do: 'Handover' }] });
    const parts = { budgets: [exhausted], namespaces: { shop: view } };
    expect(reportOf(aPod(), parts, drain).decision.effects).toEqual([]);
    expect(reportOf(aPod(), parts, drain, NOW + MINUTE).decision.effects).toMatchObject([{ do: 'Detach' }]);
  });

  it('says why there is none and goes on to the eviction', () => {
    const report = reportOf(aPod({ owner: ownedBy('StatefulSet', 'db') }), {}, mode('Always'));
    expect(report).toMatchObject({ state: 'Evicting', handover: 'not handed over: its owner is not a ReplicaSet' });
  });

  it('does not keep a pod from its last moment', () => {
    const drain = { ...mode('Always'), goneAt: NOW + 30 * SECOND };
    const effects = (parts: WorldParts) => reportOf(aPod(), { namespaces: { shop: view }, ...parts }, drain).decision.effects;
    expect(effects({})).toMatchObject([{ do: 'Evict', graceSeconds: 30 }]);
    expect(effects({ budgets: [exhausted] })).toMatchObject([{ do: 'Delete', graceSeconds: 30 }]);
  });

  it('leaves what a budget allows to the pod at its last moment, not to another beside a deletion', () => {
    const last = { ...aDrain({ with: { handover: 'Always' } }), goneAt: NOW + 30 * SECOND };
    const report = reportOf(aPod(), { budgets: [aBudget({ disruptionsAllowed: 1 })], namespaces: {} }, last);
    expect(report.decision.effects).toMatchObject([{ do: 'Evict', budget: 'shop/web', graceSeconds: 30 }]);
  });

  it('is done without where labels may not be changed, unless it was asked for in so many words', () => {
    const attempts = { 'uid-web-1': anAttempt({ effect: 'Detach', answer: 'Forbidden', retryAt: NOW + MINUTE }) };
    const alone = { attempts, namespaces: { shop: view } };
    expect(reportOf(aPod(), alone, mode('WhenNeeded'))).toMatchObject({
      state: 'Evicting',
      handover: 'not handed over: its labels may not be changed',
      decision: { effects: [{ do: 'Evict' }] },
    });
    const refused = { ...alone, budgets: [exhausted] };
    expect(reportOf(aPod(), refused, mode('WhenNeeded'))).toMatchObject({ blocker: { cause: 'BudgetExhausted' } });
    expect(reportOf(aPod(), alone, mode('Always'))).toMatchObject({ blocker: { cause: 'Forbidden' }, decision: { effects: [] } });
  });

  it('waits for a detach to show, then repeats it', () => {
    const attempts = { 'uid-web-1': anAttempt({ effect: 'Detach', answer: 'Done' }) };
    expect(reportOf(aPod(), { attempts, namespaces: { shop: view } }, mode('Always'))).toMatchObject({
      state: 'HandingOver',
      decision: { effects: [] },
    });
    expect(
      reportOf(aPod(), { attempts, namespaces: { shop: view } }, mode('Always'), NOW + 29 * SECOND).decision.effects,
    ).toMatchObject([{ do: 'Detach' }]);
  });
});

describe('a pod that should have been gone', () => {
  const held = aPod({ name: 'held', deletedAt: NOW - SECOND, finalizers: ['example.com/hold'] });
  const drain = aDrain({ with: { skipDeletedAfterMs: 10 * SECOND } });

  it('is waited for until the settings say otherwise, and looked at again just then', () => {
    const decision = decideOne({ pods: [held] }, drain);
    expect(decision).toMatchObject({ remaining: 1, waitingFor: { cause: 'Finalizer' } });
    expect(decideOne({ pods: [held] }, drain, (decision.wakeAt ?? 0) - 1).remaining).toBe(1);
    const later = decideOne({ pods: [held] }, drain, decision.wakeAt ?? 0);
    expect(later).toMatchObject({ remaining: 0, waitingFor: null, pods: [{ state: 'Skipped', skipped: 'LongDeleted' }] });
  });

  it('does not hold back a later tier once it is skipped', () => {
    const pods = [held, { ...daemonTier, uid: 'later' }];
    const settingsOf = { skipDeletedAfterMs: 10 * SECOND, daemonSets: 'Evict' } as const;
    expect(evicted(decideOne({ pods }, aDrain({ with: settingsOf })))).toEqual([]);
    expect(evicted(decideOne({ pods }, aDrain({ with: settingsOf }), NOW + MINUTE))).toEqual(['agent']);
  });
});
