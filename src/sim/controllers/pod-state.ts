/** When a pod counts as a replica, and when as an available one. */
import type { Millis } from '../../lib/clock.ts';
import type { WatchEvent } from '../apiserver/api.ts';
import { conditionOf, isPodFinished } from '../conditions.ts';
import type { Pod } from '../kubernetes.ts';

/** Neither finished nor being deleted: what counts as a replica. */
export function isActive(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && !isPodFinished(pod);
}

/** Milliseconds until the pod has been ready for `minReadySeconds`: 0 when it is available now, undefined when it is not ready. */
export function availableIn(pod: Pod, minReadySeconds: number, now: Millis): Millis | undefined {
  const ready = conditionOf(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds <= 0) return 0;
  if (!ready.lastTransitionTime) return undefined;
  return Math.max(0, Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 - now);
}

export function isAvailable(pod: Pod, minReadySeconds: number, now: Millis): boolean {
  return availableIn(pod, minReadySeconds, now) === 0;
}

/**
 * Whether the change can make a difference to a controller that counts active, ready and available pods: not where a pod was bound, its
 * containers told something, or it went after it was deleted. That is most of what happens to a pod.
 */
export function changesCounts({ type, object, previous }: WatchEvent<Pod>): boolean {
  if (type === 'DELETED') return isActive(previous);
  if (!previous || isActive(previous) !== isActive(object)) return true;
  if (!isActive(object)) return false;
  const before = conditionOf(previous.status?.conditions, 'Ready');
  const after = conditionOf(object.status?.conditions, 'Ready');
  return (
    previous.metadata.labels !== object.metadata.labels ||
    before?.status !== after?.status ||
    before?.lastTransitionTime !== after?.lastTransitionTime
  );
}
