/** How long a pod gets to stop, given when its machine is gone. Never 0: the pod may be alive, and 0 skips its kubelet. */
import type { Pod } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Drain } from './world.ts';

/**
 * Absolute time by which pods have to have stopped: the machine's end, or the policy's deadline where its ladder may delete,
 * whichever is sooner; null where budgets are never bypassed. A machine that goes at a known time takes its pods with it: a clean
 * stop before is better than none.
 */
export function endOf(drain: Drain): Millis | null {
  const { deadlineMs, ladder } = drain.settings;
  const deadline =
    deadlineMs !== undefined && ladder.some((step) => step.do === 'Delete') ? drain.startedAt + deadlineMs : undefined;
  const goneAt = stoppedBy(drain);
  if (goneAt === undefined || deadline === undefined) return goneAt ?? deadline ?? null;
  return Math.min(goneAt, deadline);
}

/** When the pods of a machine that goes have to have stopped: a notice is best effort, and its clock another one. */
function stoppedBy({ goneAt, settings }: Drain): Millis | undefined {
  return goneAt === undefined ? undefined : goneAt - (settings.hurry?.marginMs ?? 0);
}

/**
 * When no budget is waited for any more; null where the drain has no such end. That is when the pod's full grace has to begin to end in
 * time, or after a share of a short notice: a pod with a long grace would otherwise not wait at all, one with a short one too long.
 */
export function lastMoment(pod: Pod, drain: Drain): Millis | null {
  const { startedAt, goneAt, settings } = drain;
  const end = endOf(drain);
  if (end === null) return null;
  const share = settings.hurry?.budgetShare ?? null;
  if (goneAt === undefined || share === null) return end - normalGrace(pod, drain) * 1_000;
  // What was known before the drain began has run out in part; what came midway counts from then.
  const from = Math.max(startedAt, settings.hurry?.since ?? startedAt);
  return from + share * Math.max(0, goneAt - from);
}

function normalGrace(pod: Pod, drain: Drain): number {
  return Math.max(1, drain.settings.graceSeconds ?? pod.graceSeconds);
}

/** Seconds to ask for; undefined means the pod's own, which needs no override. */
export function graceFor(pod: Pod, drain: Drain, now: Millis): number | undefined {
  const normal = normalGrace(pod, drain);
  // Only a machine that really goes shortens the grace: a policy's deadline does so through its ladder.
  const end = stoppedBy(drain);
  const left = end === undefined ? normal : Math.max(1, Math.floor((end - now) / 1_000));
  const seconds = Math.min(normal, left);
  return seconds === pod.graceSeconds ? undefined : seconds;
}
