/** How long a Job waits before it tries again: 10 s after the first failure, doubling to 10 minutes (pkg/controller/job/backoff_utils.go). */
import type { Millis } from '../../lib/clock.ts';
import { conditionOf } from '../conditions.ts';
import type { Pod } from '../kubernetes.ts';

const FIRST = 10_000;
const LAST = 600_000;

export interface JobBackoff {
  readonly failures: number;
  readonly lastFailure: Millis;
}

export const NO_BACKOFF: JobBackoff = { failures: 0, lastFailure: 0 };

/** When the pod ended: its last container, else when it stopped being ready, else when it was deleted, else when it was made. */
export function finishedAt({ metadata, status }: Pod): Millis {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''));
  if (ends.length > 0 && ends.every((end) => !Number.isNaN(end))) return Math.max(...ends);
  const ready = conditionOf(status?.conditions, 'Ready');
  if (ready?.status === 'False' && ready.lastTransitionTime) return Date.parse(ready.lastTransitionTime);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = metadata;
  return deletionTimestamp ? Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000 : Date.parse(creationTimestamp);
}

/** Failures since the last success, with those that have just been seen. */
export function backoffAfter(before: JobBackoff, succeeded: readonly Pod[], failed: readonly Pod[]): JobBackoff {
  const ends = failed.map(finishedAt).toSorted((a, b) => a - b);
  if (succeeded.length === 0) {
    const lastFailure = ends.at(-1);
    return lastFailure === undefined ? before : { failures: before.failures + ends.length, lastFailure };
  }
  const lastSuccess = Math.max(...succeeded.map(finishedAt));
  const later = ends.filter((end) => end > lastSuccess);
  return { failures: later.length, lastFailure: later.at(-1) ?? 0 };
}

/** Milliseconds to wait now; 0 when it may try. */
export function backoffLeft({ failures, lastFailure }: JobBackoff, now: Millis): Millis {
  if (failures === 0) return 0;
  return Math.max(0, Math.min(LAST, FIRST * 2 ** Math.min(failures - 1, 30)) - (now - lastFailure));
}
