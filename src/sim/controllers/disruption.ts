/** The disruption controller: fills in the status of PodDisruptionBudgets, from which the eviction subresource decides. */
import type { Api, Latency, Part } from '../apiserver/api.ts';
import { budgets, pods } from '../apiserver/kinds.ts';
import { conditionOf, isPodFinished, isPodReady, observedGeneration, withCondition, withPodCondition } from '../conditions.ts';
import type { Writable } from '../copy.ts';
import type { DisruptionBudget, Pod } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import { timestamp } from '../timestamp.ts';
import { createTally, expectation, openGrants, type Tally } from './disruption-tally.ts';
import { scaleOfOwner } from './owner-scale.ts';
import { createSelectedPods } from './selected-pods.ts';
import { createWorkQueue, keyOf, splitKey } from './work-queue.ts';

type Status = NonNullable<DisruptionBudget['status']>;

// disruption.go, stalePodDisruptionTimeout.
const STALE_CONDITION_MS = 120_000;

const NONE: Readonly<Record<string, string>> = {};

function firstOf(tally: Tally, uid: string): string {
  for (const [name, { ref }] of tally.pods) if (ref?.uid === uid) return name;
  return '';
}

function addScales(api: Api, namespace: string, tally: Tally): number {
  const scales = new Map<string, number>();
  for (const { ref } of tally.owners.values()) {
    const scale = scaleOfOwner(api, namespace, ref);
    if (!scale) throw new Error(`found no controllers for pod "${firstOf(tally, ref.uid)}"`);
    scales.set(scale.uid, scale.replicas);
  }
  let sum = 0;
  for (const replicas of scales.values()) sum += replicas;
  return sum;
}

function allowedConditions(status: Status, now: string): Status['conditions'] {
  const allowed = status.disruptionsAllowed > 0;
  return withCondition(
    status.conditions,
    {
      type: 'DisruptionAllowed',
      status: allowed ? 'True' : 'False',
      reason: allowed ? 'SufficientPods' : 'InsufficientPods',
      message: '',
      ...(status.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }),
    },
    now,
  );
}

function upToDate({ metadata, status }: DisruptionBudget, next: Status): boolean {
  const condition = conditionOf(status?.conditions, 'DisruptionAllowed');
  return (
    status?.currentHealthy === next.currentHealthy &&
    status.desiredHealthy === next.desiredHealthy &&
    status.expectedPods === next.expectedPods &&
    status.disruptionsAllowed === next.disruptionsAllowed &&
    status.observedGeneration === metadata.generation &&
    condition?.status === (next.disruptionsAllowed > 0 ? 'True' : 'False') &&
    condition.reason === (next.disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods')
  );
}

/** Only closes the budget, so that nothing is evicted on a count that cannot be made: disruption.go, failSafe. */
function closed(budget: DisruptionBudget, why: string, now: string): DisruptionBudget {
  const none: Status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  const status: Status = { ...none, ...budget.status, disruptionsAllowed: 0 };
  const conditions = withCondition(
    status.conditions,
    {
      type: 'DisruptionAllowed',
      status: 'False',
      reason: 'SyncFailed',
      message: why,
      ...(status.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }),
    },
    now,
  );
  return { ...budget, status: { ...status, conditions } };
}

/** Bound, and what its containers tell: most of what happens to a pod changes nothing that is looked at here. */
function isNoNews(previous: Pod, pod: Pod): boolean {
  return (
    previous.metadata.labels === pod.metadata.labels &&
    previous.metadata.ownerReferences === pod.metadata.ownerReferences &&
    previous.metadata.deletionTimestamp === pod.metadata.deletionTimestamp &&
    isPodReady(previous) === isPodReady(pod) &&
    isPodFinished(previous) === isPodFinished(pod) &&
    conditionOf(previous.status?.conditions, 'DisruptionTarget') === conditionOf(pod.status?.conditions, 'DisruptionTarget')
  );
}

export function startDisruption(api: Api, options: { readonly latency?: Latency } = {}): Part {
  const { clock } = api;
  const tallies = createSelectedPods<Tally>(api);
  /** Events that come while it writes are of its own writes: nothing to look at again. */
  let writing = false;

  function sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const tally = tallies.of(key);
    if (!tally || !api.get(budgets, namespace, name)) return;
    const now = timestamp(clock.now());
    let until: number | undefined;
    writing = true;
    try {
      api.modify(
        budgets,
        namespace,
        name,
        (budget) => {
          let counted: ReturnType<typeof expectation>;
          try {
            counted = expectation(budget.spec, tally.pods.size, () => addScales(api, namespace, tally));
          } catch (error) {
            if (!(error instanceof Error)) throw error;
            return closed(budget, error.message, now);
          }
          tally.read();
          const grants = openGrants(tally, budget.status?.disruptedPods, clock.now());
          until = grants.until;
          const currentHealthy = tally.healthy - grants.healthy;
          const next = {} as Writable<Status>;
          if (budget.metadata.generation !== undefined) next.observedGeneration = budget.metadata.generation;
          if (grants.pods) next.disruptedPods = grants.pods;
          // A budget that expects no pods allows nothing, or the first pods to come could be taken before they are counted.
          next.disruptionsAllowed = counted.expected <= 0 ? 0 : Math.max(0, currentHealthy - counted.desired);
          next.currentHealthy = currentHealthy;
          next.desiredHealthy = counted.desired;
          next.expectedPods = counted.expected;
          if (budget.status?.conditions) next.conditions = budget.status.conditions;
          if (upToDate(budget, next) && same(budget.status?.disruptedPods ?? NONE, grants.pods ?? NONE)) return budget;
          const conditions = allowedConditions(next, now);
          if (conditions) next.conditions = conditions;
          return { ...budget, status: next };
        },
        { subresource: 'status', fieldManager: 'kube-controller-manager' },
      );
    } finally {
      writing = false;
    }
    if (until !== undefined) queue.addAfter(key, until - clock.now() + 1);
  }

  const queue = createWorkQueue({ clock, random: api.random, latency: options.latency, process: sync });

  function isStale(pod: Pod): number | undefined {
    if (pod.metadata.deletionTimestamp !== undefined || isPodFinished(pod)) return undefined;
    const condition = conditionOf(pod.status?.conditions, 'DisruptionTarget');
    if (condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return undefined;
    return Math.max(0, Date.parse(condition.lastTransitionTime ?? '') + STALE_CONDITION_MS - clock.now());
  }

  const stale = createWorkQueue({
    clock,
    process(key) {
      const { namespace, name } = splitKey(key);
      const pod = api.get(pods, namespace, name);
      const wait = pod && isStale(pod);
      if (wait === undefined) return;
      if (wait > 0) return stale.addAfter(key, wait);
      const now = timestamp(clock.now());
      const set = (each: Pod): Pod =>
        withPodCondition(each, { type: 'DisruptionTarget', status: 'False', ...observedGeneration(each) }, now);
      api.modify(pods, namespace, name, set, { subresource: 'status', fieldManager: 'kube-controller-manager' });
    },
  });

  const stops = [
    api.watch(
      budgets,
      (event) => {
        const budget = event.object;
        const key = keyOf(budget);
        const { namespace = '' } = budget.metadata;
        if (event.type === 'DELETED') return tallies.delete(key);
        if (event.type === 'ADDED' || event.previous.spec !== budget.spec)
          tallies.set(key, namespace, budget.spec.selector, createTally());
        if (!writing) queue.add(key);
      },
      { replay: true },
    ),
    api.watch(
      pods,
      (event) => {
        const pod = event.object;
        if (event.type === 'MODIFIED' && isNoNews(event.previous, pod)) return;
        const [woken] = tallies.told(event).now;
        // Upstream wakes one budget of a pod, an arbitrary one, and none for the labels that it had before (disruption.go, getPdbForPod):
        // the others go stale until something else wakes them. Here it is the first by name.
        if (woken !== undefined && tallies.peek(woken)?.hasNews()) queue.add(woken);
        const wait = event.type === 'DELETED' ? undefined : isStale(pod);
        if (wait !== undefined) stale.addAfter(keyOf(pod), wait);
      },
      { replay: true },
    ),
  ];

  return {
    name: 'disruption',
    stop() {
      for (const stop of stops) stop();
      queue.stop();
      stale.stop();
    },
  };
}
