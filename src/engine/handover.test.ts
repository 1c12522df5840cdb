import { describe, expect, it } from 'vitest';
import {
  aBudget,
  aDeployment,
  aHandedOverPod,
  aLabelUse,
  aPod,
  aReplicaSet,
  aService,
  aSlice,
  aView,
  MINUTE,
  NOW,
  ownedBy,
  SECOND,
  selecting,
  type ViewParts,
} from '../../test/builders.ts';
import { annotations } from '../api/names.ts';
import type { Budget, Claim, Pod } from '../api/objects.ts';
import { indexBudgets } from './budget-index.ts';
import { openBudgetBook } from './budgets.ts';
import {
  coverOf,
  ENDPOINT_PROPAGATION_MS,
  handoverEligibility,
  isOnlyReady,
  labelsToUnlist,
  readHandover,
  refusalSentence,
  servicesOf,
  stillListedIn,
} from './handover.ts';

// The time of its condition is cut to whole seconds: a pod is certain to be Ready from the end of that second.
const CUT_OFF = 999;
const book = (budgets: readonly Budget[] = []) => openBudgetBook(indexBudgets(budgets), () => 0);
const aClaim = (...accessModes: string[]): Claim => ({
  namespace: 'shop',
  name: 'data',
  uid: 'u',
  resourceVersion: '1',
  accessModes,
  volumeName: 'v',
});

function eligibility(pod: Pod, parts: ViewParts = {}, budgets: readonly Budget[] = [], schedulableNodes = 3) {
  return handoverEligibility(pod, aView({ pods: [pod], ...parts }), book(budgets), schedulableNodes);
}

describe('what is handed over', () => {
  it('is a Ready pod of a ReplicaSet, by its pod-template-hash', () => {
    expect(eligibility(aPod())).toEqual({ pass: true, labels: { 'pod-template-hash': 'h1' }, readyAtStart: 1 });
  });

  it('counts the Ready pods at the start, those handed over before included, those terminating not', () => {
    const pods = [
      aPod(),
      aPod({ name: 'b' }),
      aPod({ name: 'c', ready: false }),
      aPod({ name: 'd', deletedAt: NOW }),
      aHandedOverPod({}, { name: 'e' }),
    ];
    expect(eligibility(aPod(), { pods })).toMatchObject({ readyAtStart: 3 });
  });

  it('is a pod of a bare ReplicaSet by any label that nobody else uses', () => {
    const replicaSets = [aReplicaSet({ selector: selecting({ app: 'web', tier: 'front' }) })];
    const pod = aPod({ labels: { app: 'web', tier: 'front' } });
    expect(eligibility(pod, { replicaSets, services: [aService()] })).toMatchObject({ pass: true, labels: { tier: 'front' } });
    expect(
      eligibility(pod, { replicaSets, services: [aService()] }, [aBudget({ selector: selecting({ tier: 'front' }) })]),
    ).toMatchObject({
      because: 'NoLabelToTake',
    });
  });

  it.each([
    ['NotAReplicaSetPod', aPod({ owner: ownedBy('StatefulSet', 'db') }), {}],
    ['NotReady', aPod({ ready: false }), {}],
    ['OwnerNotFound', aPod(), { replicaSets: [] }],
    ['OwnerNotFound', aPod(), { replicaSets: [aReplicaSet({ deletedAt: NOW })] }],
    ['OwnerScaledToZero', aPod(), { replicaSets: [aReplicaSet({ replicas: 0 })] }],
    ['StrategyRecreate', aPod(), { deployments: [aDeployment({ strategy: 'Recreate' })] }],
    ['ReadWriteOnceVolume', aPod({ claims: ['data'] }), { claims: new Map([['data', aClaim('ReadWriteOnce')]]) }],
    ['ReadWriteOnceVolume', aPod({ claims: ['data'] }), { claims: new Map([['data', aClaim('ReadWriteOncePod')]]) }],
    ['ReadWriteOnceVolume', aPod({ claims: ['unread'] }), {}],
    ['HostPortOnEveryNode', aPod({ hostPorts: [80] }), { replicaSets: [aReplicaSet({ replicas: 4 })] }],
    ['NoLabelToTake', aPod(), { replicaSets: [aReplicaSet({ selector: selecting({ app: 'web' }) })], services: [aService()] }],
    [
      'NoLabelToTake',
      aPod(),
      { replicaSets: [aReplicaSet({ selector: selecting({}, [{ key: 'app', operator: 'Exists', values: [] }]) })] },
    ],
    [
      'NoLabelToTake',
      aPod(),
      {
        replicaSets: [aReplicaSet({ selector: selecting({ app: 'web' }) })],
        labelUses: [aLabelUse({ selectors: [selecting({ app: 'web' })] })],
      },
    ],
    [
      'AnotherControllerWouldAdopt',
      aPod(),
      { replicaSets: [aReplicaSet(), aReplicaSet({ name: 'other', selector: selecting({ app: 'web' }) })] },
    ],
    [
      'AnotherControllerWouldAdopt',
      aPod(),
      { labelUses: [aLabelUse({ kind: 'ReplicationController', selectors: [selecting({ app: 'web' })] })] },
    ],
    ['TriedBefore', aPod({ annotations: { [annotations.handoverRefused]: 'NoRoom' } }), {}],
  ] as const satisfies readonly (readonly [string, Pod, ViewParts])[])('refuses with %s', (because, pod, parts) => {
    expect(eligibility(pod, parts)).toEqual({ pass: false, because });
    expect(refusalSentence[because]).not.toBe('');
  });

  it('refuses where several budgets select it', () => {
    expect(eligibility(aPod(), {}, [aBudget(), aBudget({ name: 'second' })])).toEqual({ pass: false, because: 'SeveralBudgets' });
  });

  it('does not refuse a volume that many nodes may mount, nor a host port with room', () => {
    expect(eligibility(aPod({ claims: ['data'] }), { claims: new Map([['data', aClaim('ReadWriteMany')]]) })).toMatchObject({
      pass: true,
    });
    expect(eligibility(aPod({ hostPorts: [80] }), { replicaSets: [aReplicaSet({ replicas: 3 })] })).toMatchObject({ pass: true });
  });

  it('does not mind the StatefulSet, the NetworkPolicy or the older revision beside it', () => {
    const labelUses = [
      aLabelUse({ selectors: [selecting({ app: 'web' })] }),
      aLabelUse({ kind: 'StatefulSet', selectors: [selecting({ app: 'web' })] }),
    ];
    const older = aReplicaSet({ name: 'web-old', replicas: 0, selector: selecting({ app: 'web', 'pod-template-hash': 'h0' }) });
    expect(eligibility(aPod(), { labelUses, replicaSets: [aReplicaSet(), older] })).toMatchObject({ pass: true });
  });
});

describe('the only Ready pod of its owner', () => {
  const only = (pod: Pod, others: readonly Pod[] = [], leaving: readonly string[] = []) =>
    isOnlyReady(pod, aView({ pods: [pod, ...others] }), (each) => leaving.includes(each.uid));

  it('is one whose siblings are not Ready, terminating or leaving', () => {
    expect(only(aPod())).toBe(true);
    expect(only(aPod(), [aPod({ name: 'b', ready: false }), aPod({ name: 'c', deletedAt: NOW })])).toBe(true);
    expect(only(aPod(), [aPod({ name: 'b' })], ['uid-b'])).toBe(true);
    expect(only(aPod(), [aPod({ name: 'b' })])).toBe(false);
    expect(only(aPod({ ready: false }))).toBe(false);
  });
});

describe('the cover of a pod that was handed over', () => {
  function cover(parts: ViewParts, journal: Record<string, unknown> = {}, leaving: readonly string[] = [], now = NOW + MINUTE) {
    const pod = aHandedOverPod(journal);
    const written = readHandover(pod);
    if (!written) throw new Error('no journal');
    return coverOf(
      pod,
      written,
      aView({ ...parts, pods: [pod, ...(parts.pods ?? [])] }),
      (each) => leaving.includes(each.uid),
      now,
    );
  }
  const replacement = (overrides: Partial<Pod> = {}) =>
    aPod({ name: 'web-new', nodeName: 'node-2', readyAt: NOW - CUT_OFF, createdAt: NOW, ...overrides });

  it('is complete when its replacement is Ready', () => {
    expect(cover({ pods: [replacement()] })).toEqual({ kind: 'Covered' });
  });

  it('is gone with its owner', () => {
    expect(cover({ replicaSets: [] })).toEqual({ kind: 'OwnerGone' });
    expect(cover({ replicaSets: [aReplicaSet({ deletedAt: NOW })] })).toEqual({ kind: 'OwnerGone' });
  });

  it('has not begun while the ReplicaSet has not let go', () => {
    const pod = { ...aHandedOverPod(), owner: ownedBy('ReplicaSet', 'web') };
    const journal = readHandover(pod);
    expect(journal && coverOf(pod, journal, aView({ pods: [pod, replacement()] }), () => false, NOW)).toEqual({
      kind: 'Releasing',
    });
  });

  it.each([
    ['missing', [], { kind: 'Missing' }],
    ['not Ready', [replacement({ ready: false })], { kind: 'NotReady', why: 'Running' }],
    [
      'crash-looping',
      [replacement({ ready: false, waiting: 'CrashLoopBackOff' })],
      { kind: 'NotReady', why: 'CrashLoopBackOff' },
    ],
    [
      'without room',
      [replacement({ ready: false, phase: 'Pending', nodeName: '', unschedulable: '0/3 nodes' })],
      { kind: 'NoRoom', message: '0/3 nodes' },
    ],
    ['terminating', [replacement({ deletedAt: NOW })], { kind: 'Missing' }],
  ] as const)('names a replacement that is %s', (_, pods, expected) => {
    expect(cover({ pods })).toMatchObject(expected);
  });

  it('names the newest of several unready ones', () => {
    const pods = [
      replacement({ name: 'older', ready: false, createdAt: 1 }),
      replacement({ name: 'newer', ready: false, createdAt: 2 }),
    ];
    expect(cover({ pods })).toMatchObject({ kind: 'NotReady', replacement: { name: 'newer' } });
  });

  it('settles until the endpoints have spread', () => {
    const until = NOW + ENDPOINT_PROPAGATION_MS;
    expect(cover({ pods: [replacement()] }, {}, [], until - 1)).toEqual({ kind: 'Settling', until });
    expect(cover({ pods: [replacement()] }, {}, [], until)).toEqual({ kind: 'Covered' });
  });

  it('settles through minReadySeconds', () => {
    const parts = { pods: [replacement()], replicaSets: [aReplicaSet({ minReadySeconds: 30 })] };
    expect(cover(parts, {}, [], NOW + 30 * SECOND)).toEqual({ kind: 'Settling', until: NOW + 31 * SECOND });
    expect(cover(parts, {}, [], NOW + 31 * SECOND)).toEqual({ kind: 'Covered' });
  });

  describe('with other pods of the owner', () => {
    const three = { replicaSets: [aReplicaSet({ replicas: 3 })] };
    const detached = (name: string, journal = {}) =>
      aHandedOverPod({ readyAtStart: 3, ...journal }, { name, nodeName: 'node-3' });

    it('counts pods that were handed over themselves and still serve', () => {
      const pods = [detached('d-1'), detached('d-2'), replacement()];
      expect(cover({ ...three, pods }, { readyAtStart: 3 })).toEqual({ kind: 'Covered' });
    });

    it('does not count those that leave in this pass or have left their Services', () => {
      const pods = [detached('d-1'), detached('d-2'), replacement()];
      expect(cover({ ...three, pods }, { readyAtStart: 3 }, ['uid-d-1'])).toEqual({ kind: 'Missing' });
      expect(
        cover(
          { ...three, pods: [detached('d-1', { unlisted: { app: 'web' }, unlistedAt: NOW }), ...pods.slice(1)] },
          { readyAtStart: 3 },
        ),
      ).toEqual({
        kind: 'Missing',
      });
    });

    it('asks a chronically short owner only for what it had', () => {
      const pods = [replacement(), replacement({ name: 'broken', ready: false })];
      expect(cover({ ...three, pods }, { readyAtStart: 1 })).toEqual({ kind: 'Covered' });
      expect(cover({ ...three, pods }, { readyAtStart: 2 })).toMatchObject({ kind: 'NotReady' });
    });

    it.each([
      ['up', 5, 'Covered'],
      ['down', 2, 'Covered'],
      ['to zero', 0, 'Covered'],
    ] as const)('follows an owner that was scaled %s meanwhile', (_, replicas, kind) => {
      const pods = [detached('d-1'), detached('d-2'), replacement()].slice(0, Math.min(3, replicas));
      expect(cover({ replicaSets: [aReplicaSet({ replicas })], pods }, { readyAtStart: 3 })).toEqual({ kind });
    });

    it('lets go of a revision that was rolled away', () => {
      const next = aReplicaSet({ name: 'web-next', replicas: 3, selector: selecting({ app: 'web', 'pod-template-hash': 'h2' }) });
      expect(cover({ replicaSets: [aReplicaSet({ replicas: 0 }), next] }, { readyAtStart: 3 })).toEqual({ kind: 'Covered' });
    });

    it('waits for the last of them to settle', () => {
      const pods = [detached('d-1'), replacement(), replacement({ name: 'late', readyAt: NOW + 40 * SECOND - CUT_OFF })];
      expect(cover({ ...three, pods }, { readyAtStart: 3 }, [], NOW + 40 * SECOND)).toEqual({
        kind: 'Settling',
        until: NOW + 41 * SECOND,
      });
    });
  });
});

describe('the labels that take a pod out of its Services', () => {
  const pod = aHandedOverPod({}, { labels: { app: 'web', lb: 'blue', tier: 'front', 'pod-template-hash': 'h1' } });
  const unlist = (parts: ViewParts, budgets: readonly Budget[] = []) =>
    labelsToUnlist(pod, aView({ pods: [pod], ...parts }), book(budgets));
  const byLb = aService({ selector: { app: 'web', lb: 'blue' } });

  it('are one of each Service’s selector', () => {
    expect(unlist({ services: [aService()] })).toEqual({ app: 'web' });
    expect(unlist({ services: [byLb, aService({ name: 'front', selector: { tier: 'front' } })] })).toEqual({
      app: 'web',
      tier: 'front',
    });
  });

  it('are taken once where two Services share one', () => {
    expect(unlist({ services: [aService(), byLb] })).toEqual({ app: 'web' });
  });

  it('are none where no Service selects the pod', () => {
    expect(unlist({ services: [] })).toBeNull();
    expect(
      unlist({ services: [aService({ selector: null }), aService({ selector: {} }), aService({ selector: { app: 'db' } })] }),
    ).toBeNull();
  });

  it('spare those of a budget, which must go on counting the pod', () => {
    expect(unlist({ services: [byLb] }, [aBudget()])).toEqual({ lb: 'blue' });
    expect(unlist({ services: [aService()] }, [aBudget()])).toBeNull();
    // A budget of another application may use the same key: this pod is none of its pods, with the label or without.
    const another = aBudget({ name: 'db', selector: { matchLabels: { app: 'db' }, matchExpressions: [] } });
    expect(unlist({ services: [aService()] }, [another])).toEqual({ app: 'web' });
    const wantsItAway = aBudget({
      name: 'rest',
      selector: { matchLabels: {}, matchExpressions: [{ key: 'app', operator: 'DoesNotExist', values: [] }] },
    });
    expect(unlist({ services: [aService()] }, [wantsItAway])).toBeNull();
  });

  it.each([
    ['a NetworkPolicy', { labelUses: [aLabelUse({ selectors: [selecting({ app: 'web' })] })] }],
    [
      'a controller that wants the label away',
      {
        labelUses: [
          aLabelUse({ kind: 'Job', selectors: [selecting({}, [{ key: 'app', operator: 'DoesNotExist', values: [] }])] }),
        ],
      },
    ],
    [
      'a ReplicaSet that wants the label away',
      {
        replicaSets: [
          aReplicaSet(),
          aReplicaSet({ name: 'canary', selector: selecting({ c: '1' }, [{ key: 'app', operator: 'NotIn', values: ['web'] }]) }),
        ],
      },
    ],
    ['another pod’s affinity', { pods: [pod, aPod({ name: 'cache', affinityKeys: ['app'] })] }],
  ] satisfies readonly (readonly [string, ViewParts])[])('spare those of %s', (_, parts) => {
    expect(unlist({ ...parts, services: [byLb] })).toEqual({ lb: 'blue' });
    expect(unlist({ ...parts, services: [aService()] })).toBeNull();
  });

  it('are not taken at all where one of several Services cannot be left', () => {
    const services = [byLb, aService({ name: 'plain', selector: { tier: 'front' } })];
    expect(unlist({ services }, [aBudget({ selector: selecting({ tier: 'front' }) })])).toBeNull();
  });

  it('may be called like a property of every object', () => {
    const odd = aPod({ labels: { app: 'web', constructor: 'x' } });
    const services = [aService({ selector: { constructor: 'x' } })];
    expect(labelsToUnlist(odd, aView({ services }), book())).toEqual({ constructor: 'x' });
  });
});

describe('the Services that still send to a pod', () => {
  const pod = aHandedOverPod({ unlisted: { app: 'web' }, unlistedAt: NOW });
  const journal = readHandover(pod);
  const listed = (parts: ViewParts) => journal && stillListedIn(pod, journal, aView(parts));

  it('are those whose slice still names it', () => {
    const endpointSlices = [aSlice({ readyPods: [pod.uid] }), aSlice({ name: 'other', service: 'other', readyPods: ['uid-x'] })];
    expect(listed({ services: [aService()], endpointSlices })).toEqual(['web']);
    expect(listed({ services: [aService()], endpointSlices: [aSlice()] })).toEqual([]);
  });

  it('are not those whose slices someone else manages', () => {
    const services = [aService(), aService({ name: 'leader', selector: null })];
    expect(listed({ services, endpointSlices: [aSlice({ service: 'leader', readyPods: [pod.uid] })] })).toEqual([]);
  });

  it('are found by the labels that the pod wore', () => {
    const view = aView({ services: [aService()] });
    expect(servicesOf(pod.labels, view)).toEqual([]);
    expect(servicesOf({ ...pod.labels, app: 'web' }, view)).toHaveLength(1);
  });
});

describe('the journal on a pod', () => {
  it('is null on a pod that was never handed over', () => {
    expect(readHandover(aPod())).toBeNull();
  });

  it.each([
    '',
    'no json',
    'null',
    '[]',
    '7',
    '{"owner":null}',
    '{"owner":{"uid":7}}',
    '{"labels":null}',
    '{"labels":{"a":1}}',
    '{"at":"x"}',
    '{"unlisted":null}',
  ])('edited to %j still marks the pod, and breaks nothing', (text) => {
    const pod = aPod({ annotations: { [annotations.handover]: text } });
    const journal = readHandover(pod);
    expect(journal).toMatchObject({ owner: { uid: '' }, labels: {} });
    expect(journal && coverOf(pod, journal, aView(), () => false, NOW)).toEqual({ kind: 'OwnerGone' });
  });
});
