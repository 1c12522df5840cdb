import { describe, expect, it } from 'vitest';
import {
  aBudget,
  aDrain,
  aHandedOverPod,
  anAttempt,
  aPod,
  aReplicaSet,
  aService,
  aSlice,
  aView,
  aWorld,
  MINUTE,
  noNeeds,
  NOW,
  ownedBy,
  SECOND,
  selecting,
  type ViewParts,
  type WorldParts,
} from '../../test/builders.ts';
import type { Pod } from '../api/objects.ts';
import { decideDrains } from './drain.ts';
import { UNLIST_HOLD_MS } from './handover.ts';
import type { DrainSettings } from './settings.ts';

// A handover is decided within a drain: the pass hands the budgets and the pods that leave from one pod to the next.
function decide(
  pods: readonly Pod[],
  view: ViewParts | null,
  parts: WorldParts = {},
  changed: Partial<DrainSettings> = {},
  now = NOW + MINUTE,
) {
  const needs = noNeeds();
  const namespaces = view ? { shop: aView({ ...view, pods: [...pods, ...(view.pods ?? [])] }) } : {};
  const [decision] = decideDrains(
    [aDrain({ with: { handover: 'Always', ...changed } })],
    aWorld({ pods, namespaces, unread: ['node-2', 'node-3'], ...parts }),
    now,
    needs,
  );
  if (!decision) throw new Error('no decision');
  return { ...decision, needs, did: decision.effects.map((effect) => `${effect.do} ${effect.pod.name}`) };
}

const never = aBudget({ disruptionsAllowed: 0, desiredHealthy: 3 });
// The time of its condition is cut to whole seconds: it is certain to be Ready from the end of that second.
const CUT_OFF = 999;
const replacement = aPod({ name: 'web-new', nodeName: 'node-2', readyAt: NOW - CUT_OFF });

describe('whether a pod is handed over', () => {
  it('is never asked with Never', () => {
    expect(decide([aPod()], null, {}, { handover: 'Never' }).did).toEqual(['Evict web-1']);
  });

  it('with Always begins with the detach, and remembers how many are Ready', () => {
    const { effects } = decide([aPod()], { pods: [aPod({ name: 'b', nodeName: 'node-2' })] });
    expect(effects).toEqual([{ do: 'Detach', pod: aPod(), labels: { 'pod-template-hash': 'h1' }, readyAtStart: 2 }]);
  });

  it('with Always waits until the namespace has been read, and asks for it', () => {
    const decision = decide([aPod()], null);
    expect(decision).toMatchObject({ did: [], waitingFor: { cause: 'NotYetSeen' } });
    expect([...decision.needs.namespaces]).toEqual(['shop']);
  });

  it('reads no namespace for pods that can never be handed over', () => {
    const decision = decide([aPod({ owner: ownedBy('StatefulSet', 'db') })], null);
    expect(decision.did).toEqual(['Evict web-1']);
    expect(decision.needs.namespaces.size).toBe(0);
  });

  it('is not asked of a pod that is not running, or not Ready', () => {
    expect(decide([aPod({ phase: 'Pending', ready: false })], null).did).toEqual(['Evict web-1']);
    expect(decide([aPod({ ready: false })], {}).did).toEqual(['Evict web-1']);
  });

  it('keeps an unready pod under a budget that is short waiting, not handed over', () => {
    const short = aBudget({ disruptionsAllowed: 0, currentHealthy: 1 });
    expect(decide([aPod({ ready: false })], {}, { budgets: [short] })).toMatchObject({
      did: [],
      waitingFor: { cause: 'BudgetExhausted' },
    });
  });

  it('is paced: what is over the allowance comes next', () => {
    const pods = [aPod({ name: 'a' }), aPod({ name: 'b' })];
    const decision = decide(pods, { replicaSets: [aReplicaSet({ replicas: 2 })] }, { detachAllowance: 1 });
    expect(decision.did).toEqual(['Detach a']);
    expect(decision.wakeAt).toBeGreaterThan(NOW + MINUTE);
    expect(decision.pods[1]).toMatchObject({ state: 'HandingOver', handover: 'next to be handed over' });
  });
});

describe('WhenNeeded', () => {
  const whenNeeded = (pods: readonly Pod[], view: ViewParts | null, parts: WorldParts = {}) =>
    decide(pods, view, parts, { handover: 'WhenNeeded' });
  const elsewhere = aPod({ name: 'b', nodeName: 'node-2' });

  it('hands over the only Ready pod of its owner', () => {
    expect(whenNeeded([aPod()], {}).did).toEqual(['Detach web-1']);
    expect(whenNeeded([aPod()], { pods: [{ ...elsewhere, ready: false }] }).did).toEqual(['Detach web-1']);
  });

  it('evicts where another one is Ready and no budget objects', () => {
    expect(whenNeeded([aPod()], { pods: [elsewhere] }).did).toEqual(['Evict web-1']);
  });

  it('hands over what its budget would refuse', () => {
    expect(whenNeeded([aPod()], { pods: [elsewhere] }, { budgets: [never] }).did).toEqual(['Detach web-1']);
  });

  it('hands over also where only our own evictions take what the budget allows', () => {
    expect(whenNeeded([aPod()], { pods: [elsewhere] }, { budgets: [aBudget()], charged: { 'shop/web': 1 } }).did).toEqual([
      'Detach web-1',
    ]);
  });

  it('does not hand over what only has to wait for its turn among eight', () => {
    const roomy = aBudget({ disruptionsAllowed: 20, expectedPods: 40 });
    expect(whenNeeded([aPod()], { pods: [elsewhere] }, { budgets: [roomy], charged: { 'shop/web': 8 } }).did).toEqual([]);
  });

  it('waits for a budget that is stale, and for one of several, without handing over', () => {
    expect(whenNeeded([aPod()], {}, { budgets: [aBudget({ generation: 2 })] })).toMatchObject({
      did: [],
      waitingFor: { cause: 'BudgetStale' },
    });
    expect(whenNeeded([aPod()], {}, { budgets: [never, { ...never, name: 'second' }] })).toMatchObject({
      did: [],
      waitingFor: { cause: 'SeveralBudgets' },
    });
  });

  it('reads the namespace only when the pods and budgets at hand do not answer', () => {
    const twins = [aPod({ name: 'a' }), aPod({ name: 'b' }), aPod({ name: 'c', ready: false })];
    expect(whenNeeded([aPod()], null)).toMatchObject({ did: [], waitingFor: { cause: 'NotYetSeen' } });
    expect(whenNeeded(twins, null).did).toContain('Evict a');
  });

  it('hands over the last of two copies on one node instead of evicting both at once', () => {
    const twins = [aPod({ name: 'a' }), aPod({ name: 'b' })];
    expect(whenNeeded(twins, { replicaSets: [aReplicaSet({ replicas: 2 })] }).did).toEqual(['Evict a', 'Detach b']);
  });

  it('does not count on a copy whose eviction is on its way', () => {
    const attempts = { 'uid-b': anAttempt({ inFlight: true }) };
    expect(whenNeeded([aPod()], { pods: [elsewhere] }, { attempts }).did).toEqual(['Detach web-1']);
  });
});

describe('a pod that was handed over', () => {
  it('is evicted once its replacement is Ready and the budget allows it', () => {
    const { effects } = decide([aHandedOverPod()], { pods: [replacement] }, { budgets: [aBudget()] });
    expect(effects).toMatchObject([{ do: 'Evict', budget: 'shop/web' }]);
  });

  it('goes on whoever began it', () => {
    expect(decide([aHandedOverPod({ by: 'another-maintenance' })], { pods: [replacement] }).did).toEqual(['Evict web-1']);
    expect(decide([aHandedOverPod()], { pods: [replacement] }, {}, { handover: 'Never' }).did).toEqual(['Evict web-1']);
  });

  it('waits for the budget when it is covered and the budget is short', () => {
    expect(decide([aHandedOverPod()], { pods: [replacement] }, { budgets: [never] })).toMatchObject({
      did: [],
      waitingFor: { cause: 'BudgetNeverAllows' },
    });
  });

  it('is evicted without its replacement when it is not Ready itself', () => {
    expect(decide([aHandedOverPod({}, { ready: false })], {}).did).toEqual(['Evict web-1']);
  });

  it('is evicted when its owner is gone', () => {
    expect(decide([aHandedOverPod()], { replicaSets: [] }).did).toEqual(['Evict web-1']);
  });

  it('leaves as its owner would have removed it when a budget of no expected pods would refuse it for ever', () => {
    const pod = aHandedOverPod();
    const ofNone = aBudget({ disruptionsAllowed: 0, desiredHealthy: 0, expectedPods: 0, currentHealthy: 1 });
    const deleted = decide([pod], { replicaSets: [] }, { budgets: [ofNone] });
    expect(deleted.effects).toEqual([{ do: 'Delete', pod, because: 'its ReplicaSet was deleted while it was handed over' }]);
    expect(decide([pod], { replicaSets: [aReplicaSet({ replicas: 0 })] }, { budgets: [ofNone] }).effects).toEqual([
      { do: 'GiveBack', pod },
    ]);
    expect(decide([pod], { replicaSets: [aReplicaSet()] }, { budgets: [ofNone] }).did).toEqual([]);
    expect(decide([pod], { replicaSets: [] }, { budgets: [{ ...ofNone, expectedPods: 3 }] }).did, 'others count there').toEqual(
      [],
    );
    const unreadable = { ...pod, annotations: { ...pod.annotations, 'drover.dev/handover': '{' } };
    expect(decide([unreadable], { replicaSets: [] }, { budgets: [ofNone] }).did).toEqual([]);
  });

  it('waits until the namespace has been read', () => {
    expect(decide([aHandedOverPod()], null)).toMatchObject({ did: [], waitingFor: { cause: 'NotYetSeen' } });
  });

  it.each([
    ['HandoverReleasing', { ...aHandedOverPod(), owner: ownedBy('ReplicaSet', 'web') }, []],
    ['ReplacementMissing', aHandedOverPod(), []],
    ['ReplacementNotReady', aHandedOverPod(), [{ ...replacement, ready: false }]],
    ['ReplacementNoRoom', aHandedOverPod(), [{ ...replacement, ready: false, unschedulable: '0/3 nodes are available' }]],
    ['ReplacementSettling', aHandedOverPod(), [{ ...replacement, readyAt: NOW + MINUTE - CUT_OFF }]],
  ] as const)('waits and says so: %s', (cause, pod, pods) => {
    const decision = decide([pod], { pods });
    expect(decision).toMatchObject({ did: [], waitingFor: { cause }, pods: [{ state: 'HandingOver' }] });
    expect(decision.wakeAt).toBe(cause === 'ReplacementSettling' ? NOW + MINUTE + SECOND : NOW + 10 * MINUTE);
  });

  it('is given back when its replacement takes too long, with the reason', () => {
    const { effects, waitingFor } = decide([aHandedOverPod()], {}, {}, {}, NOW + 10 * MINUTE);
    expect(effects).toMatchObject([{ do: 'GiveBack', refusedBecause: 'Missing' }]);
    expect(waitingFor).toMatchObject({ cause: 'ReplacementMissing' });
  });

  it('is not given back while its Ready replacement settles', () => {
    const replicaSets = [aReplicaSet({ minReadySeconds: 1_200 })];
    const decision = decide([aHandedOverPod()], { pods: [replacement], replicaSets }, {}, {}, NOW + 15 * MINUTE);
    expect(decision).toMatchObject({ did: [], waitingFor: { cause: 'ReplacementSettling' }, wakeAt: NOW + 1_201 * SECOND });
  });

  it('is then evicted like any other, not handed over again', () => {
    const pod = aPod({ annotations: { 'drover.dev/handover-refused': 'Missing' } });
    const decision = decide([pod], {});
    expect(decision.did).toEqual(['Evict web-1']);
    expect(decision.pods[0]?.handover).toBe('not handed over: its replacement did not get Ready before');
  });
});

describe('several pods of one owner that were handed over', () => {
  const two = { replicaSets: [aReplicaSet({ replicas: 2 })] };
  const pods = [aHandedOverPod({ readyAtStart: 2 }, { name: 'a' }), aHandedOverPod({ readyAtStart: 2 }, { name: 'b' })];
  const second = { ...replacement, name: 'web-newer', uid: 'uid-web-newer' };

  it('leave one by one with one replacement, both with two', () => {
    expect(decide(pods, { ...two, pods: [replacement] }).did).toEqual(['Evict a']);
    expect(decide(pods, { ...two, pods: [replacement, second] }).did).toEqual(['Evict a', 'Evict b']);
  });

  it.each([
    ['an eviction under way', anAttempt({ inFlight: true })],
    ['an eviction that has been granted', anAttempt({ answer: 'Done', startedAt: NOW + MINUTE })],
    ['an eviction whose answer was lost', anAttempt({ answer: 'Unavailable', retryAt: NOW + 5 * MINUTE })],
    ['an unlisting that does not show yet', anAttempt({ effect: 'Unlist', answer: 'Done', startedAt: NOW + MINUTE })],
  ])('do not count on one another across passes after %s', (_, attempt) => {
    const decision = decide(pods, { ...two, pods: [replacement] }, { attempts: { 'uid-a': attempt } });
    expect(decision.did).toEqual([]);
    expect(decision.pods.find((each) => each.pod.name === 'b')).toMatchObject({ blocker: { cause: 'ReplacementMissing' } });
  });

  it('do not count on one that its node no longer shows, although its namespace still does', () => {
    const gone = aHandedOverPod({ readyAtStart: 2 }, { name: 'a' });
    expect(decide(pods.slice(1), { ...two, pods: [gone, replacement] }).waitingFor).toMatchObject({
      cause: 'ReplacementMissing',
    });
    expect(
      decide(pods.slice(1), { ...two, pods: [{ ...gone, nodeName: 'unread' }, replacement] }, { unread: ['unread', 'node-2'] })
        .did,
    ).toEqual(['Evict b']);
  });

  it('do not count on a copy that is evicted in the same pass', () => {
    const plain = aPod({ name: 'a', annotations: { 'drover.dev/handover-refused': 'NoRoom' } });
    const handedOver = aHandedOverPod({ readyAtStart: 2 }, { name: 'b' });
    expect(decide([plain, handedOver], { ...two, pods: [replacement] }).did).toEqual(['Evict a']);
  });
});

describe('unlisting', () => {
  const services = [aService()];
  const covered: ViewParts = { pods: [replacement], services };
  const unlisted = aHandedOverPod({ unlisted: { app: 'web' }, unlistedAt: NOW + MINUTE });

  it('comes before the eviction, where it touches nothing else', () => {
    const { effects } = decide([aHandedOverPod()], covered);
    expect(effects).toMatchObject([{ do: 'Unlist', labels: { app: 'web' } }]);
  });

  it('takes one of two pods that share a replacement, and goes on counting on the other', () => {
    const pods = ['a', 'b'].map((name) => aHandedOverPod({ readyAtStart: 2 }, { name }));
    const view = { ...covered, replicaSets: [aReplicaSet({ replicas: 2 })] };
    expect(decide(pods, view).did).toEqual(['Unlist a']);
  });

  it('is left out where the policy says so, or a budget counts by the same label', () => {
    expect(decide([aHandedOverPod()], covered, {}, { unlist: false }).did).toEqual(['Evict web-1']);
    expect(decide([aHandedOverPod()], covered, { budgets: [aBudget()] }).did).toEqual(['Evict web-1']);
  });

  it('does not begin before the budget would allow the eviction, and reserves it', () => {
    const lb = { selector: { app: 'web', lb: 'blue' } };
    const labels = { app: 'web', lb: 'blue', 'pod-template-hash': 'h1' };
    const pods = ['a', 'b'].map((name) => aHandedOverPod({ readyAtStart: 2 }, { name, labels }));
    const others = ['c', 'd', 'e'].map((name) => ({ ...replacement, name, uid: name, labels }));
    const view = { pods: others, services: [aService(lb)], replicaSets: [aReplicaSet({ replicas: 2 })] };
    expect(decide(pods, view, { budgets: [never] }).did).toEqual([]);
    expect(decide(pods, view, { budgets: [aBudget()] }).did).toEqual(['Unlist a']);
    expect(decide(pods, view, { budgets: [aBudget({ disruptionsAllowed: 2 })] }).did).toEqual(['Unlist a', 'Unlist b']);
  });

  it('is held for what is on its way, then ends with the eviction', () => {
    const held = decide([unlisted], covered);
    expect(held).toMatchObject({
      did: [],
      waitingFor: { cause: 'Unlisting', services: [] },
      wakeAt: NOW + MINUTE + UNLIST_HOLD_MS,
    });
    expect(decide([unlisted], covered, {}, {}, NOW + MINUTE + UNLIST_HOLD_MS).did).toEqual(['Evict web-1']);
  });

  it('is held for a slice that still names the pod, without looking at the clock again', () => {
    const endpointSlices = [aSlice({ readyPods: [unlisted.uid] })];
    const decision = decide([unlisted], { ...covered, endpointSlices }, {}, {}, NOW + 2 * MINUTE);
    expect(decision).toMatchObject({ did: [], waitingFor: { cause: 'Unlisting', services: ['web'] }, wakeAt: null });
  });

  it('is not undone by a Service that no longer selects anything of the pod', () => {
    expect(
      decide([unlisted], { pods: [replacement], services: [aService({ selector: { app: 'db' } })] }, {}, {}, NOW + 2 * MINUTE)
        .did,
    ).toEqual(['Evict web-1']);
  });

  it('takes all of several Services at once', () => {
    const labels = { app: 'web', tier: 'front', 'pod-template-hash': 'h1' };
    const view = {
      pods: [replacement],
      services: [aService(), aService({ name: 'front', selector: { tier: 'front' } })],
      replicaSets: [aReplicaSet({ selector: selecting({ app: 'web', 'pod-template-hash': 'h1' }) })],
    };
    expect(decide([aHandedOverPod({}, { labels })], view).effects).toMatchObject([
      { do: 'Unlist', labels: { app: 'web', tier: 'front' } },
    ]);
  });
});
