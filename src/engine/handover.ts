/**
 * Handover: a pod is replaced elsewhere before it is evicted, without touching its owner's spec.
 *
 *   detach   the label that binds the pod to its ReplicaSet is taken away; the ReplicaSet lets go of it and creates another
 *   cover    the other one is Ready: the application has a pod more than it wants, and its budget sees both
 *   unlist   where that is safe, the old pod leaves the Services and what is on its way to it is waited for
 *   evict    the ordinary eviction, now allowed even by maxUnavailable: 0
 *
 * The journal is an annotation on the pod, written in the patch that takes the label, so there is no instant at which the
 * label is gone and nobody knows. Everything else is read back from the cluster: this file keeps no state.
 */
import { matchesMap, matchesSelector, selectorKeys } from '../api/label-selector.ts';
import { annotations } from '../api/names.ts';
import type { Pod, ReplicaSet, Service, StringMap } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { BudgetBook } from './budgets.ts';
import type { NamespaceView, Workloads } from './world.ts';

/** What the annotation `drover.dev/handover` holds. */
export interface HandoverJournal {
  /** The maintenance (or CLI run) that began it; for people. */
  readonly by: string;
  readonly at: Millis;
  readonly owner: { readonly name: string; readonly uid: string };
  /** Labels taken from the pod, with their values. */
  readonly labels: StringMap;
  /** Labels taken to leave the Services. */
  readonly unlisted?: StringMap;
  readonly unlistedAt?: Millis;
  /** Ready pods of the owner when it began: a chronically short application is not asked for more than it had. */
  readonly readyAtStart: number;
}

export type HandoverRefusal =
  | 'NotAReplicaSetPod'
  | 'NotReady'
  | 'OwnerNotFound'
  | 'OwnerScaledToZero'
  | 'StrategyRecreate'
  | 'ReadWriteOnceVolume'
  | 'HostPortOnEveryNode'
  | 'SeveralBudgets'
  | 'NoLabelToTake'
  | 'AnotherControllerWouldAdopt'
  | 'TriedBefore';

export const refusalSentence: Record<HandoverRefusal, string> = {
  NotAReplicaSetPod: 'its owner is not a ReplicaSet',
  NotReady: 'it is not Ready, so there is nothing to hand over',
  OwnerNotFound: 'its ReplicaSet is gone',
  OwnerScaledToZero: 'its ReplicaSet wants no pods',
  StrategyRecreate: 'its Deployment uses strategy Recreate: two copies may not run at once',
  ReadWriteOnceVolume: 'it uses a volume that only one node may mount',
  HostPortOnEveryNode: 'it needs a host port and every schedulable node already runs a copy',
  SeveralBudgets: 'several disruption budgets select it; the disruption controller then loses count',
  NoLabelToTake: 'every label of its ReplicaSet’s selector is also used by a Service, a budget or a NetworkPolicy',
  AnotherControllerWouldAdopt: 'without that label another controller’s selector matches it',
  TriedBefore: 'its replacement did not get Ready before',
};

const parsedJournals = new WeakMap<Pod, HandoverJournal>();

export function readHandover(pod: Pod): HandoverJournal | null {
  const text = pod.annotations[annotations.handover];
  if (text === undefined) return null;
  let journal = parsedJournals.get(pod);
  if (!journal) {
    journal = parseJournal(text);
    parsedJournals.set(pod, journal);
  }
  return journal;
}

// Someone edited it. The pod is still recognised by its annotation, only what it wore is lost: it leaves by eviction.
const lostJournal: HandoverJournal = { by: '', at: 0, owner: { name: '', uid: '' }, labels: {}, readyAtStart: 0 };

function parseJournal(text: string): HandoverJournal {
  try {
    const journal = { ...lostJournal, ...(JSON.parse(text) as Partial<HandoverJournal>) };
    return isJournal(journal) ? journal : lostJournal;
  } catch {
    return lostJournal;
  }
}

function isJournal({ by, at, owner, labels, unlisted = {}, unlistedAt = 0, readyAtStart }: HandoverJournal): boolean {
  return (
    [by, owner?.name, owner?.uid].every((each) => typeof each === 'string') &&
    [at, unlistedAt, readyAtStart].every(Number.isFinite) &&
    [labels, unlisted].every(
      (map) => typeof map === 'object' && map !== null && Object.values(map).every((value) => typeof value === 'string'),
    )
  );
}

const living = new WeakMap<readonly Pod[], readonly Pod[]>();

/** The living pods of a ReplicaSet: its own and those that were detached from it. */
function podsServing(replicaSetUid: string, { pods: all }: Workloads): readonly Pod[] {
  const pods = all.of(replicaSetUid);
  let found = living.get(pods);
  if (!found) living.set(pods, (found = pods.filter((pod) => pod.deletedAt === undefined)));
  return found;
}

function replicaSetOf(pod: Pod, view: NamespaceView): ReplicaSet | undefined {
  return pod.owner?.kind === 'ReplicaSet' ? view.replicaSets.get(pod.owner.uid) : undefined;
}

function usesExclusiveVolume(pod: Pod, view: NamespaceView): boolean {
  return pod.claims.some((name) => {
    const modes = view.claims.get(name)?.accessModes;
    // A claim that we cannot read is taken for an exclusive one.
    return !modes || !modes.some((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany');
  });
}

/** The Services that send traffic to a pod with these labels. */
export function servicesOf(labels: StringMap, view: NamespaceView): readonly Service[] {
  return view.services.filter(
    (service) => service.selector && Object.keys(service.selector).length > 0 && matchesMap(service.selector, labels),
  );
}

/** The label to take: one of the ReplicaSet's selector that no Service, budget or NetworkPolicy of the namespace looks at. */
function labelToTake(replicaSet: ReplicaSet, view: NamespaceView, budgets: BudgetBook): string | undefined {
  const taken = budgets.keysIn(replicaSet.namespace);
  // A label that a NetworkPolicy looks at decides who may talk to the pod.
  const guarded = new Set(
    view.labelUses.flatMap((use) => (use.kind === 'NetworkPolicy' ? use.selectors.flatMap(selectorKeys) : [])),
  );
  const usable = Object.keys(replicaSet.selector.matchLabels).filter(
    (key) =>
      !taken.has(key) &&
      !guarded.has(key) &&
      !view.services.some((service) => service.selector && Object.hasOwn(service.selector, key)),
  );
  return usable.includes('pod-template-hash') ? 'pod-template-hash' : usable[0];
}

export type Eligibility =
  | { readonly pass: true; readonly labels: StringMap; readonly readyAtStart: number }
  | { readonly pass: false; readonly because: HandoverRefusal };

export function handoverEligibility(pod: Pod, view: NamespaceView, budgets: BudgetBook, schedulableNodes: number): Eligibility {
  const no = (because: HandoverRefusal): Eligibility => ({ pass: false, because });
  if (pod.annotations[annotations.handoverRefused] !== undefined) return no('TriedBefore');
  if (pod.owner?.kind !== 'ReplicaSet') return no('NotAReplicaSetPod');
  const replicaSet = replicaSetOf(pod, view);
  if (!replicaSet || replicaSet.deletedAt !== undefined) return no('OwnerNotFound');
  if (replicaSet.replicas === 0) return no('OwnerScaledToZero');
  if (!pod.ready) return no('NotReady');
  const deployment = replicaSet.owner?.kind === 'Deployment' ? view.deployments.get(replicaSet.owner.uid) : undefined;
  if (deployment?.strategy === 'Recreate') return no('StrategyRecreate');
  if (usesExclusiveVolume(pod, view)) return no('ReadWriteOnceVolume');
  // Copies that are still draining hold their port on a node that takes no more pods anyway.
  if (pod.hostPorts.length > 0 && replicaSet.replicas > schedulableNodes) return no('HostPortOnEveryNode');
  if (budgets.of(pod).length > 1) return no('SeveralBudgets');
  const key = labelToTake(replicaSet, view, budgets);
  if (key === undefined) return no('NoLabelToTake');
  if (wouldBeAdopted(without(pod.labels, key), replicaSet, view)) return no('AnotherControllerWouldAdopt');
  return { pass: true, labels: { [key]: pod.labels[key] ?? '' }, readyAtStart: countReady(replicaSet.uid, view) };
}

function without(labels: StringMap, key: string): StringMap {
  const { [key]: _, ...rest } = labels;
  return rest;
}

/** A pod without an owner is adopted by any controller whose selector matches it. StatefulSets adopt by name too, so never ours. */
function wouldBeAdopted(labels: StringMap, own: ReplicaSet, view: NamespaceView): boolean {
  const adopters = view.labelUses.filter((use) => use.kind !== 'NetworkPolicy' && use.kind !== 'StatefulSet');
  return (
    adopters.some((use) => use.selectors.some((selector) => matchesSelector(selector, labels))) ||
    [...view.replicaSets.values()].some((other) => other.uid !== own.uid && matchesSelector(other.selector, labels))
  );
}

function countReady(replicaSetUid: string, view: NamespaceView): number {
  return podsServing(replicaSetUid, view).filter((pod) => pod.ready).length;
}

/** True when this pod is the only Ready one of its owner that stays, so that an eviction is an outage. */
export function isOnlyReady(pod: Pod, workloads: Workloads, isLeaving: (pod: Pod) => boolean): boolean {
  if (!pod.ready || pod.owner === undefined) return false;
  return !podsServing(pod.owner.uid, workloads).some((other) => other.uid !== pod.uid && other.ready && !isLeaving(other));
}

/** The endpoints of a fresh pod reach every kube-proxy about a second after it is Ready (tried on real nodes). */
export const ENDPOINT_PROPAGATION_MS = 1_000;
/** A pod that left the Services still receives for a moment; 4 s lost nothing on real nodes, with the slice already updated. */
export const UNLIST_HOLD_MS = 4_000;

export type Cover =
  | { readonly kind: 'Covered' }
  | { readonly kind: 'OwnerGone' }
  | { readonly kind: 'Releasing' }
  | { readonly kind: 'Settling'; readonly until: Millis }
  | { readonly kind: 'Missing' }
  | { readonly kind: 'NoRoom'; readonly replacement: Pod; readonly message: string }
  | { readonly kind: 'NotReady'; readonly replacement: Pod; readonly why: string };

/**
 * Is the application whole without this pod? Counts pods, not the ReplicaSet's status, which lags behind them.
 * @param isLeaving pods that are let go, or gone: they are not counted on
 */
export function coverOf(
  pod: Pod,
  journal: HandoverJournal,
  view: NamespaceView,
  isLeaving: (pod: Pod) => boolean,
  now: Millis,
): Cover {
  const replicaSet = view.replicaSets.get(journal.owner.uid);
  if (!replicaSet || replicaSet.deletedAt !== undefined) return { kind: 'OwnerGone' };
  // The ReplicaSet controller has not seen the missing label yet: it still counts this pod as its own.
  if (pod.owner?.uid === replicaSet.uid) return { kind: 'Releasing' };

  const hold = replicaSet.minReadySeconds * 1_000 + ENDPOINT_PROPAGATION_MS;
  const wanted = Math.min(replicaSet.replicas, journal.readyAtStart);
  // One loop that ends as soon as the answer is known: this is asked for every pod that is handed over, in every pass.
  let settled = 0;
  const settlesAt: Millis[] = [];
  const unready: Pod[] = [];
  for (const other of podsServing(replicaSet.uid, view)) {
    // A pod that left its Services is Ready but serves nobody any more.
    if (other.uid === pod.uid || isLeaving(other) || readHandover(other)?.unlistedAt !== undefined) continue;
    if (!other.ready) {
      if (other.owner) unready.push(other);
      continue;
    }
    const at = (view.pods.readySince(other) ?? now) + hold;
    if (at <= now) settled += 1;
    if (settled >= wanted) break;
    settlesAt.push(at);
  }
  if (settled >= wanted) return { kind: 'Covered' };
  if (settlesAt.length >= wanted) return { kind: 'Settling', until: settlesAt.sort((a, b) => a - b)[wanted - 1] ?? now };
  unready.sort((a, b) => b.createdAt - a.createdAt);
  const homeless = unready.find((other) => other.unschedulable !== undefined);
  if (homeless) return { kind: 'NoRoom', replacement: homeless, message: homeless.unschedulable ?? '' };
  const replacement = unready[0];
  if (!replacement) return { kind: 'Missing' };
  return { kind: 'NotReady', replacement, why: replacement.waiting ?? replacement.phase };
}

/** The labels whose removal takes the pod out of every Service and out of nothing else; null when there is no such set. */
export function labelsToUnlist(pod: Pod, view: NamespaceView, budgets: BudgetBook): StringMap | null {
  const services = servicesOf(pod.labels, view);
  if (services.length === 0) return null;
  const forbidden = new Set(budgets.keysHolding(pod));
  for (const use of view.labelUses) {
    for (const selector of use.selectors) {
      // Losing a label can make a pod match another controller only where that one wants the label away.
      const keys = use.kind === 'NetworkPolicy' ? selectorKeys(selector) : selector.matchExpressions.map((term) => term.key);
      for (const key of keys) forbidden.add(key);
    }
  }
  for (const key of view.pods.affinityKeys()) forbidden.add(key);
  for (const { selector } of view.replicaSets.values()) for (const { key } of selector.matchExpressions) forbidden.add(key);
  const take: Record<string, string> = {};
  for (const service of services) {
    const keys = Object.keys(service.selector ?? {});
    if (keys.some((key) => Object.hasOwn(take, key))) continue;
    const key = keys.find((candidate) => !forbidden.has(candidate));
    if (key === undefined) return null;
    take[key] = pod.labels[key] ?? '';
  }
  return take;
}

/** The Services that it was taken out of and whose slices still send traffic to it; slices that others manage are theirs. */
export function stillListedIn(pod: Pod, journal: HandoverJournal, view: NamespaceView): string[] {
  const left = new Set(servicesOf({ ...pod.labels, ...journal.unlisted }, view).map((service) => service.name));
  return view.endpointSlices
    .filter((slice) => left.has(slice.service) && slice.readyPods.includes(pod.uid))
    .map((slice) => slice.service);
}
