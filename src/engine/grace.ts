/** How long a pod gets to stop, given when its machine is gone. Never 0: the pod may be alive, and 0 skips its kubelet. */
import type { Pod } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Drain } from './world.ts';

/**
 * Absolute time by which pods have to have stopped: the machine's end, or the policy's deadline where its ladder may delete,
 * whichever is sooner; null where budgets are never bypassed. A machine that goes at a known time takes its pods with it: a clean
 * stop before is better than none.
 */
export function endOf({ settings, startedAt, goneAt }: Drain): Millis | null {
  const { deadlineMs, ladder } = settings;
  const deadline = deadlineMs !== undefined && ladder.some((step) => step.do === 'Delete') ? startedAt + deadlineMs : undefined;
  if (goneAt === undefined || deadline === undefined) return goneAt ?? deadline ?? null;
  return Math.min(goneAt, deadline);
}

/** When the pod's full grace has to begin to end in time; null where the drain has no such end. */
export function lastMoment(pod: Pod, drain: Drain): Millis | null {
  const end = endOf(drain);
  return end === null ? null : end - normalGrace(pod, drain) * 1_000;
}

function normalGrace(pod: Pod, drain: Drain): number {
  return Math.max(1, drain.settings.graceSeconds ?? pod.graceSeconds);
}

/** Seconds to ask for; undefined means the pod's own, which needs no override. */
export function graceFor(pod: Pod, drain: Drain, now: Millis): number | undefined {
  const normal = normalGrace(pod, drain);
  // Only a machine that really goes shortens the grace: a policy's deadline does so through its ladder.
  const left = drain.goneAt === undefined ? normal : Math.max(1, Math.floor((drain.goneAt - now) / 1_000));
  const seconds = Math.min(normal, left);
  return seconds === pod.graceSeconds ? undefined : seconds;
}
