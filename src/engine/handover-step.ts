/** One pod's next step towards, through, or out of a handover. The rules are in handover.ts; here they meet the pass. */
import type { Pod } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Blocker } from './blocker.ts';
import type { Pass, PodDecision } from './drain.ts';
import {
  coverOf,
  type Cover,
  handoverEligibility,
  type HandoverJournal,
  isOnlyReady,
  labelsToUnlist,
  refusalSentence,
  stillListedIn,
  UNLIST_HOLD_MS,
} from './handover.ts';
import type { LadderState } from './ladder.ts';
import { podKey } from './pods.ts';
import type { HandoverMode } from './settings.ts';
import type { Attempt, Drain, NamespaceView } from './world.ts';

/** Either the pod's decision, or "go on to the eviction", with a note on the handover for people. */
export type HandoverDecision =
  | { readonly kind: 'Decided'; readonly decision: PodDecision }
  | { readonly kind: 'Evict'; readonly note?: string };

const decided = (decision: PodDecision): HandoverDecision => ({ kind: 'Decided', decision });
const evict = (note?: string): HandoverDecision => (note === undefined ? { kind: 'Evict' } : { kind: 'Evict', note });

// The token bucket fills every 10 ms; the runner's coarsest look is well below this.
const PACE_MS = 50;

/** A pod that is not handed over: does it need to be, and may it? */
export function decideHandover(
  drain: Drain,
  pod: Pod,
  siblings: readonly Pod[],
  ladder: LadderState,
  pass: Pass,
): HandoverDecision {
  const mode = handoverMode(drain, ladder);
  if (mode === 'Never' || pod.phase !== 'Running' || drain.settings.disableEviction) return evict();
  if (mode === 'WhenNeeded') {
    if (mayNotDetach(pass.world.attempts.get(pod.uid), mode)) return evict('not handed over: its labels may not be changed');
    const need = needsHandover(pod, siblings, pass);
    if (need === 'No') return evict();
    if (need === 'Unknown')
      return decided({ state: 'Waiting', blocker: { cause: 'NotYetSeen', what: `the workloads of namespace ${pod.namespace}` } });
  }
  if (pod.owner?.kind !== 'ReplicaSet') return evict(`not handed over: ${refusalSentence.NotAReplicaSetPod}`);
  pass.needs.namespaces.add(pod.namespace);
  const view = pass.world.namespace(pod.namespace);
  if (!view)
    return decided({ state: 'Waiting', blocker: { cause: 'NotYetSeen', what: `the workloads of namespace ${pod.namespace}` } });
  const eligible = handoverEligibility(pod, view, pass.budgets, pass.world.schedulableNodes);
  if (!eligible.pass) return evict(`not handed over: ${refusalSentence[eligible.because]}`);
  if (pass.detachesLeft < 1) {
    return decided({
      state: 'HandingOver',
      blocker: { cause: 'InFlight', pod: podKey(pod) },
      handover: 'next to be handed over',
      wakeAt: pass.now + PACE_MS,
    });
  }
  pass.detachesLeft -= 1;
  return decided({
    state: 'HandingOver',
    effect: { do: 'Detach', pod, labels: eligible.labels, readyAtStart: eligible.readyAtStart },
    handover: 'its ReplicaSet is asked for another',
  });
}

export function handoverMode(drain: Drain, ladder: LadderState): HandoverMode {
  return ladder.handover ? 'Always' : drain.settings.handover;
}

/** Who may evict pods but not patch them can drain as kubectl does, unless a handover was asked for in so many words. */
export function mayNotDetach(attempt: Attempt | undefined, mode: HandoverMode): boolean {
  return mode === 'WhenNeeded' && attempt?.effect === 'Detach' && attempt.answer === 'Forbidden';
}

/**
 * WhenNeeded means: it is the only Ready pod of its owner, or its budget would refuse it.
 * Reading a namespace's workloads costs requests, so the pods and budgets at hand are asked first.
 */
function needsHandover(pod: Pod, siblings: readonly Pod[], pass: Pass): 'Yes' | 'No' | 'Unknown' {
  if (!pod.ready || pod.owner?.kind !== 'ReplicaSet') return 'No';
  const verdict = pass.budgets.verdict(pod);
  if (verdict.kind === 'Refused') return 'Yes';
  if (verdict.kind === 'Stale' || verdict.kind === 'NotComputed' || verdict.kind === 'Several') return 'No';
  // Two copies on one node: the first may go, and makes the second the only one.
  const twin = siblings.some(
    (other) =>
      other.uid !== pod.uid &&
      other.owner?.uid === pod.owner?.uid &&
      other.ready &&
      other.deletedAt === undefined &&
      !pass.isLeaving(other),
  );
  if (twin) return 'No';
  // What a handover reads beside the pods is asked for when there is one.
  pass.needs.workloads.add(pod.namespace);
  const workloads = pass.world.workloads(pod.namespace);
  if (!workloads) return 'Unknown';
  return isOnlyReady(pod, workloads, pass.isLeaving) ? 'Yes' : 'No';
}

/** A pod that is handed over already, by this maintenance or by another one. */
export function decideHandedOver(drain: Drain, pod: Pod, journal: HandoverJournal, pass: Pass): HandoverDecision {
  pass.needs.namespaces.add(pod.namespace);
  const view = pass.world.namespace(pod.namespace);
  if (!view)
    return decided({
      state: 'HandingOver',
      blocker: { cause: 'NotYetSeen', what: `the workloads of namespace ${pod.namespace}` },
    });
  // Nothing is lost by letting an unready pod go: nobody is served by it.
  if (!pod.ready) return evict('handed over, and not Ready any more');

  const left = leftByOwner(pod, journal, view, pass);
  if (left) return decided(left);
  const cover = coverOf(pod, journal, view, pass.isLeaving, pass.now);
  if (cover.kind === 'OwnerGone') return evict('handed over; its owner is gone');
  if (cover.kind !== 'Covered') return uncovered(drain, pod, journal, cover, pass.now);

  const verdict = pass.budgets.verdict(pod);
  if (verdict.kind !== 'Free' && verdict.kind !== 'Allowed') return evict('its replacement is Ready');
  const unlist = drain.settings.unlist ? decideUnlist(pod, journal, view, pass) : null;
  pass.leaving.add(pod.uid);
  if (!unlist) return evict('its replacement is Ready');
  // It still serves and the budget still counts it, so what it takes of the budget stays reserved for it.
  if (verdict.kind === 'Allowed') pass.budgets.charge(verdict.budget);
  return decided(unlist);
}

/**
 * A budget allows nothing, for ever, once the owners of its pods want none (kubernetes pkg/controller/disruption/disruption.go,
 * updatePdbStatus: expectedCount <= 0). Its owner would have removed this pod without asking a budget, had it not been handed over at that
 * moment: so it is done now.
 */
function leftByOwner(pod: Pod, journal: HandoverJournal, view: NamespaceView, pass: Pass): PodDecision | null {
  const verdict = pass.budgets.verdict(pod);
  if (verdict.kind !== 'Refused' || verdict.budget.expectedPods > 0) return null;
  const owner = view.replicaSets.get(journal.owner.uid);
  if (owner && owner.deletedAt === undefined) {
    if (owner.replicas > 0) return null;
    return {
      state: 'HandingOver',
      effect: { do: 'GiveBack', pod },
      handover: 'its ReplicaSet wants no pods any more; given back, so that it is removed',
    };
  }
  // An unreadable journal: what may be somebody's is not deleted.
  if (journal.owner.uid === '') return null;
  const because = 'its ReplicaSet was deleted while it was handed over';
  return {
    state: 'Evicting',
    effect: { do: 'Delete', pod, ...(pod.graceSeconds < 1 && { graceSeconds: 1 }), because },
    handover: because,
  };
}

function decideUnlist(pod: Pod, journal: HandoverJournal, view: NamespaceView, pass: Pass): PodDecision | null {
  if (journal.unlistedAt === undefined) {
    const labels = labelsToUnlist(pod, view, pass.budgets);
    if (!labels) return null;
    return {
      state: 'HandingOver',
      effect: { do: 'Unlist', pod, labels },
      handover: 'its replacement is Ready; it leaves its Services',
    };
  }
  const services = stillListedIn(pod, journal, view);
  const until = journal.unlistedAt + UNLIST_HOLD_MS;
  if (services.length === 0 && pass.now >= until) return null;
  const blocker: Blocker = { cause: 'Unlisting', pod: podKey(pod), services };
  // Once the hold is over only a change of the slices ends the wait.
  return {
    state: 'HandingOver',
    blocker,
    handover: 'what is on its way to it is waited for',
    ...(pass.now < until && { wakeAt: until }),
  };
}

function uncovered(
  drain: Drain,
  pod: Pod,
  journal: HandoverJournal,
  cover: Exclude<Cover, { kind: 'Covered' | 'OwnerGone' }>,
  now: Millis,
): HandoverDecision {
  const names = { pod: podKey(pod), owner: `ReplicaSet/${journal.owner.name}` };
  const patienceEnds = journal.at + drain.settings.handoverTimeoutMs;
  const blocker = blockerOf(cover, names);
  // Ready, only not for long enough: giving it back now would throw the replacement away.
  if (now >= patienceEnds && cover.kind !== 'Settling') {
    return decided({
      state: 'HandingOver',
      effect: { do: 'GiveBack', pod, refusedBecause: cover.kind },
      blocker,
      handover: 'its replacement did not get Ready in time; given back',
    });
  }
  const wakeAt: Millis = cover.kind === 'Settling' ? cover.until : patienceEnds;
  return decided({ state: 'HandingOver', blocker, handover: 'waits for its replacement', wakeAt });
}

function blockerOf(cover: Exclude<Cover, { kind: 'Covered' | 'OwnerGone' }>, names: { pod: string; owner: string }): Blocker {
  switch (cover.kind) {
    case 'Releasing':
      return { cause: 'HandoverReleasing', ...names };
    case 'Settling':
      return { cause: 'ReplacementSettling', pod: names.pod, until: cover.until };
    case 'Missing':
      return { cause: 'ReplacementMissing', ...names };
    case 'NoRoom':
      return { cause: 'ReplacementNoRoom', ...names, replacement: podKey(cover.replacement), message: cover.message };
    case 'NotReady':
      return { cause: 'ReplacementNotReady', ...names, replacement: podKey(cover.replacement), why: cover.why };
  }
}
