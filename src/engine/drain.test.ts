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
import type { Pod } from '../api/objects.ts';
import { decideDrains, type DrainDecision, type PodReport } from './drain.ts';
import type { LadderStep } from './settings.ts';
import type { Drain } from './world.ts';

function decide(drains: readonly Drain[], parts: WorldParts, now = NOW): DrainDecision[] {
  return decideDrains(drains, aWorld(parts), now, noNeeds());
}

function decideOne(parts: WorldParts, drain: Drain = aDrain(), now = NOW): DrainDecision {
  const [decision] = decide([drain], parts, now);
  if (!decision) throw new Error('no decision');
  return decision;
}

/** The report about the only pod. */
function reportOf(
  pod: Pod,
  parts: WorldParts = {},
  drain: Drain = aDrain(),
  now = NOW,
): PodReport & { readonly decision: DrainDecision } {
  const decision = decideOne({ pods: [pod], ...parts }, drain, now);
  const [report] = decision.pods;
  if (!report) throw new Error('no report');
  return { ...report, decision };
}

const exhausted = aBudget({ disruptionsAllowed: 0, currentHealthy: 2 });
const evicted = (decision: DrainDecision) =>
  decision.effects.flatMap((effect) => (effect.do === 'Evict' ? [effect.pod.name] : []));
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

describe('a pod whose last try was answered', () => {
  const refused = (answer: string, more = {}) => anAttempt({ answer, message: 'said so', retryAt: NOW + 5 * SECOND, ...more });
  const withAttempt = (attempt: ReturnType<typeof anAttempt>, parts: WorldParts = {}) =>
    reportOf(aPod(), { attempts: { 'uid-web-1': attempt }, ...parts });

  it('waits for the answer while the request is under way', () => {
    expect(withAttempt(anAttempt({ inFlight: true }))).toMatchObject({ state: 'Evicting', blocker: { cause: 'InFlight' } });
  });

  it('is not evicted twice before its deletion shows, but again when it stays', () => {
    const done = anAttempt({ answer: 'Done' });
    expect(withAttempt(done).decision).toMatchObject({ effects: [], wakeAt: NOW + 29 * SECOND });
    expect(reportOf(aPod(), { attempts: { 'uid-web-1': done } }, aDrain(), NOW + 30 * SECOND).decision.effects).toHaveLength(1);
  });

  it.each([
    ['Throttled', 'Throttled'],
    ['NamespaceTerminating', 'NamespaceTerminating'],
    ['Forbidden', 'Forbidden'],
    ['SeveralBudgets', 'SeveralBudgets'],
    ['Unavailable', 'ApiUnavailable'],
    ['Refused', 'EvictionRefused'],
    ['OtherPod', 'EvictionRefused'],
  ])('is held back after %s, as %s, until it may be tried again', (answer, cause) => {
    expect(withAttempt(refused(answer))).toMatchObject({ state: 'Waiting', blocker: { cause } });
    expect(withAttempt(refused(answer)).decision).toMatchObject({ effects: [], wakeAt: NOW + 5 * SECOND });
    expect(withAttempt(refused(answer, { retryAt: NOW })).decision.effects).toHaveLength(1);
  });

  it.each([
    ['BudgetRefused', 'BudgetExhausted'],
    ['BudgetStale', 'BudgetStale'],
  ])('is held back after %s until the budget has moved on', (answer, cause) => {
    const parts = { budgets: [aBudget({ resourceVersion: '7' })] };
    expect(withAttempt(refused(answer, { budgetVersion: '7' }), parts)).toMatchObject({ blocker: { cause } });
    expect(withAttempt(refused(answer, { budgetVersion: '6' }), parts).decision.effects).toHaveLength(1);
  });

  it('is held back by a budget that the cache does not know yet, until it does', () => {
    expect(withAttempt(refused('BudgetRefused'))).toMatchObject({
      state: 'Waiting',
      blocker: { cause: 'EvictionRefused', message: 'said so' },
    });
    expect(withAttempt(refused('BudgetRefused'), { budgets: [aBudget()] }).decision.effects).toHaveLength(1);
  });

  it('remembers the budget’s version also where it was not asked', () => {
    const healthy = aBudget({ disruptionsAllowed: 0, currentHealthy: 2, desiredHealthy: 2, resourceVersion: '7' });
    const [effect] = reportOf(aPod({ ready: false }), { budgets: [healthy] }).decision.effects;
    expect(effect).toMatchObject({ do: 'Evict', budgetVersion: '7' });
    expect(effect).not.toHaveProperty('budget');
  });
});

describe('a terminating pod', () => {
  const dying = (overrides: Partial<Pod> = {}) => aPod({ deletedAt: NOW + 20 * SECOND, deletionGraceSeconds: 30, ...overrides });

  it('is waited for until its grace ends', () => {
    expect(reportOf(dying())).toMatchObject({
      state: 'Terminating',
      blocker: { cause: 'Terminating', until: NOW + 20 * SECOND },
    });
    expect(reportOf(dying()).decision.wakeAt).toBe(NOW + 20 * SECOND);
  });

  it('names its finalizers once its grace is over', () => {
    expect(reportOf(dying({ deletedAt: NOW, finalizers: ['a/b'] })).blocker).toEqual({
      cause: 'Finalizer',
      pod: 'shop/web-1',
      finalizers: ['a/b'],
    });
  });

  it('is overdue half a minute after its grace', () => {
    expect(reportOf(dying({ deletedAt: NOW - 29 * SECOND })).blocker).toMatchObject({ cause: 'Terminating' });
    expect(reportOf(dying({ deletedAt: NOW - 30 * SECOND })).blocker).toEqual({
      cause: 'TerminatingOverdue',
      pod: 'shop/web-1',
      owner: 'ReplicaSet/web',
      since: NOW - 30 * SECOND,
    });
  });

  describe('when the ladder shortens graces', () => {
    const drain = aDrain({ with: { ladder: [{ afterMs: 0, do: 'ShortenGrace', graceSeconds: 5 }] } });
    const effects = (pod: Pod, attempt?: ReturnType<typeof anAttempt>) =>
      reportOf(pod, attempt ? { attempts: { 'uid-web-1': attempt } } : {}, drain).decision.effects;

    it('gets the shorter one, once', () => {
      expect(effects(dying())).toMatchObject([{ do: 'Delete', graceSeconds: 5 }]);
      expect(effects(dying(), anAttempt({ effect: 'Delete', answer: 'Done' }))).toEqual([]);
      expect(effects(dying({ deletionGraceSeconds: 5 }))).toEqual([]);
    });

    it('gets it also after an earlier deletion with its full grace', () => {
      expect(
        effects(dying({ resourceVersion: '2' }), anAttempt({ effect: 'Delete', answer: 'Done', podVersion: '1' })),
      ).toHaveLength(1);
    });

    it('is tried again when it failed', () => {
      const failed = anAttempt({ effect: 'Delete', answer: 'Unavailable', retryAt: NOW + SECOND });
      expect(effects(dying(), failed)).toEqual([]);
      expect(effects(dying(), { ...failed, retryAt: NOW })).toHaveLength(1);
    });
  });
});

describe('the last rungs of the ladder', () => {
  const ladder: readonly LadderStep[] = [
    { afterMs: MINUTE, do: 'TellOwner' },
    { afterMs: 2 * MINUTE, do: 'Delete', graceSeconds: 10 },
  ];
  const drain = aDrain({ with: { ladder } });
  const after = (minutes: number, pod: Pod = aPod(), parts: WorldParts = { budgets: [exhausted] }) =>
    reportOf(pod, parts, drain, NOW + minutes * MINUTE);

  it('wake the drain when time alone reaches the next', () => {
    expect(after(0).decision.wakeAt).toBe(NOW + MINUTE);
    expect(after(1).decision.wakeAt).toBe(NOW + 2 * MINUTE);
  });

  it('tell the owner, and still say what is waited for', () => {
    expect(after(1)).toMatchObject({
      state: 'Waiting',
      blocker: { cause: 'BudgetExhausted' },
      decision: { effects: [{ do: 'TellOwner' }], waitingFor: { cause: 'BudgetExhausted' } },
    });
    expect(after(1, aBarePod())).toMatchObject({
      state: 'Protected',
      blocker: { cause: 'ProtectedPod' },
      decision: { effects: [{ do: 'TellOwner' }] },
    });
  });

  it('tell nobody whose pod leaves', () => {
    expect(after(1, aPod(), {}).decision.effects).toMatchObject([{ do: 'Evict' }]);
  });

  it('delete what a budget, a rule, a webhook or a protection still holds', () => {
    const deletes = [{ do: 'Delete', graceSeconds: 10 }];
    expect(after(2).decision.effects).toMatchObject(deletes);
    expect(after(2, aBarePod()).decision.effects).toMatchObject(deletes);
    const webhook = anAttempt({ answer: 'Refused', retryAt: NOW + 60 * MINUTE });
    expect(after(2, aPod(), { attempts: { 'uid-web-1': webhook } }).decision.effects).toMatchObject(deletes);
  });

  it('evict what may be evicted even then', () => {
    expect(after(2, aPod(), { budgets: [aBudget()] }).decision.effects).toMatchObject([{ do: 'Evict' }]);
  });

  it('never lengthen a grace', () => {
    expect(after(2, aPod({ graceSeconds: 3 })).decision.effects).toMatchObject([{ do: 'Delete', graceSeconds: 3 }]);
  });

  it('wait with a deletion that was refused', () => {
    const forbidden = anAttempt({ effect: 'Delete', answer: 'Forbidden', retryAt: NOW + 60 * MINUTE });
    expect(after(2, aPod(), { attempts: { 'uid-web-1': forbidden } })).toMatchObject({
      blocker: { cause: 'Forbidden' },
      decision: { effects: [] },
    });
  });
});

describe('a machine that is gone at a known time', () => {
  const blocked = { budgets: [exhausted] };
  const at = (before: number, parts: WorldParts = blocked, pod: Pod = aPod()) =>
    reportOf(pod, parts, aDrain({ goneAt: NOW + before }));

  it('keeps the budget while a full grace still fits, and wakes when it no longer would', () => {
    expect(at(31 * SECOND)).toMatchObject({
      state: 'Waiting',
      blocker: { cause: 'BudgetExhausted' },
      decision: { wakeAt: NOW + SECOND },
    });
  });

  it('stops the pod with its full grace at the last moment', () => {
    expect(at(30 * SECOND).decision.effects).toMatchObject([{ do: 'Delete', graceSeconds: 30 }]);
  });

  it.each([29_999, 29_500, 12_345, 1])('stops it with a shortened one when it is looked at %i ms before the end', (before) => {
    expect(at(before).decision.effects).toMatchObject([{ do: 'Delete', graceSeconds: Math.max(1, Math.floor(before / 1_000)) }]);
  });

  it('stops it with a grace even when the machine should be gone already', () => {
    expect(at(-MINUTE).decision.effects).toMatchObject([{ do: 'Delete', graceSeconds: 1 }]);
  });

  it('evicts where the budget lets it', () => {
    expect(at(10 * SECOND, { budgets: [aBudget()] }).decision.effects).toMatchObject([{ do: 'Evict', graceSeconds: 10 }]);
  });

  it('does not make a policy’s own deadline one at which budgets are bypassed', () => {
    const drain = aDrain({ goneAt: NOW + 60 * MINUTE, with: { deadlineMs: SECOND } });
    expect(reportOf(aPod(), blocked, drain, NOW + MINUTE)).toMatchObject({ state: 'Waiting', decision: { effects: [] } });
  });

  it('keeps the policy’s deadline where its ladder deletes', () => {
    const drain = aDrain({ with: { deadlineMs: 2 * MINUTE, ladder: [{ afterMs: MINUTE + 59 * SECOND, do: 'Delete' }] } });
    expect(reportOf(aPod(), blocked, drain, NOW + 89 * SECOND).decision).toMatchObject({
      effects: [],
      wakeAt: NOW + 90 * SECOND,
    });
    expect(reportOf(aPod(), blocked, drain, NOW + 90 * SECOND).decision.effects).toMatchObject([
      { do: 'Delete', graceSeconds: 30 },
    ]);
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
    expect(reportOf(aPod(), { namespaces: { shop: view } }, drain).decision.effects).toMatchObject([
      { do: 'Delete', graceSeconds: 30 },
    ]);
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
