/** What is still to be done about a node's pods before the node can be handed back. */
import { annotations } from '../api/names.ts';
import type { Pod } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Blocker } from './blocker.ts';
import type { PodEffect } from './effect.ts';
import { readHandover } from './handover.ts';
import { podKey } from './pods.ts';
import type { Attempt, Needs, World } from './world.ts';

export interface TakeBack {
  readonly effect?: PodEffect;
  readonly blocker: Blocker;
  readonly wakeAt?: Millis;
}

// An answered patch shows in the cache within a second; when the pod still has its old version after so long, it is sent again.
const UNSEEN_MS = 30_000;

/** null: nothing of ours is on the pod, nor on its way to it. */
export function takeBack(pod: Pod, world: World, needs: Needs, now: Millis): TakeBack | null {
  const attempt = world.attempts.get(pod.uid);
  const inFlight: Blocker = { cause: 'InFlight', pod: podKey(pod) };
  // A detach that is under way lands after a look that finds nothing: the node is not done before its answer.
  if (attempt?.inFlight) return { blocker: inFlight };
  const journal = readHandover(pod);
  const isMarked = journal !== null || pod.annotations[annotations.handoverRefused] !== undefined;
  const until = unseenUntil(pod, attempt, isMarked);
  if (until !== null && now < until) return { blocker: inFlight, wakeAt: until };
  if (!isMarked) return null;
  if (
    attempt &&
    (attempt.effect === 'GiveBack' || attempt.effect === 'Delete') &&
    attempt.retryAt !== undefined &&
    now < attempt.retryAt
  ) {
    return {
      blocker: { cause: 'UndoFailed', message: `pod ${podKey(pod)}: ${attempt.message ?? attempt.answer ?? ''}` },
      wakeAt: attempt.retryAt,
    };
  }
  // Only the mark of a handover that failed is left: the next try may hand it over again.
  if (!journal) return { effect: { do: 'GiveBack', pod }, blocker: inFlight };
  needs.workloads.add(pod.namespace);
  const workloads = world.workloads(pod.namespace);
  if (!workloads) return { blocker: { cause: 'NotYetSeen', what: `the workloads of namespace ${pod.namespace}` } };
  const owner = workloads.replicaSets.get(journal.owner.uid);
  // A pod whose owner is gone has nobody to take it back: with the owner it would have been deleted. Where the journal is
  // unreadable nobody knows, and what may be somebody's is not deleted.
  const orphan = journal.owner.uid !== '' && (!owner || owner.deletedAt !== undefined);
  const because = 'its ReplicaSet was deleted while it was handed over';
  const effect: PodEffect = orphan
    ? { do: 'Delete', pod, ...(pod.graceSeconds < 1 && { graceSeconds: 1 }), because }
    : { do: 'GiveBack', pod };
  return { effect, blocker: inFlight };
}

/** Until when an answered patch of a pod's labels may not show yet; null when there is none, or it does. */
function unseenUntil(pod: Pod, attempt: Attempt | undefined, isMarked: boolean): Millis | null {
  if (!attempt?.answer || attempt.podVersion !== pod.resourceVersion) return null;
  // The answer of a detach may be lost although it was done.
  const mayHaveBegun =
    (attempt.effect === 'Detach' || attempt.effect === 'Unlist') &&
    (attempt.answer === 'Done' || attempt.answer === 'Unavailable');
  const mayHaveEnded = isMarked && attempt.answer === 'Done' && (attempt.effect === 'GiveBack' || attempt.effect === 'Delete');
  return mayHaveBegun || mayHaveEnded ? attempt.startedAt + UNSEEN_MS : null;
}
