/** How long pods take to get Ready, learned from the pods that run: per owner, else over the whole cluster. */
import type { Millis } from '../../lib/clock.ts';
import type { Latency } from '../../sim/apiserver/api.ts';
import { conditionOf } from '../../sim/conditions.ts';
import { controllerOf } from '../../sim/controllers/controller-ref.ts';
import type { KubeObject, Pod } from '../../sim/kubernetes.ts';
import type { Step } from '../../sim/kubelet/timing.ts';

export interface Timings {
  /** From the binding of a pod until it is Ready: image, start and probes are in it. */
  readonly readyAfter: (pod: Pod) => Latency;
  readonly stepOf: (step: Step) => Latency | undefined;
  /** What people should know that it rests on. */
  readonly readyMs: Millis;
  readonly stopMs: Millis;
  /** Owners whose own pods told how long they take. */
  readonly learnedOwners: number;
}

export interface AssumedTimes {
  /** null: learned. */
  readonly readyMs: Millis | null;
  readonly stopMs: Millis;
}

/** Where not one pod of the cluster tells. */
const USUAL_READY_MS = 5_000;

const exactly = (ms: Millis): Latency => ({ least: ms, spread: 0 });
const ownerOf = (pod: Pod) => controllerOf(pod)?.uid;
const timeOf = (pod: Pod, type: string) => Date.parse(conditionOf(pod.status?.conditions, type)?.lastTransitionTime ?? '');

/** From the binding until Ready; undefined for pods that do not tell: not Ready, or Ready again after a restart. */
function tookUntilReady(pod: Pod): Millis | undefined {
  if (conditionOf(pod.status?.conditions, 'Ready')?.status !== 'True') return undefined;
  if (pod.status?.containerStatuses?.some(({ restartCount }) => restartCount > 0)) return undefined;
  const took = timeOf(pod, 'Ready') - timeOf(pod, 'PodScheduled');
  return took >= 0 ? took : undefined;
}

export function learnTimings(objects: Iterable<KubeObject>, assumed: AssumedTimes): Timings {
  const byOwner = new Map<string, { sum: Millis; count: number }>();
  const all = { sum: 0, count: 0 };
  for (const object of objects) {
    if (object.kind !== 'Pod') continue;
    const owner = ownerOf(object as Pod);
    const took = tookUntilReady(object as Pod);
    if (took === undefined || owner === undefined) continue;
    const known = byOwner.get(owner) ?? { sum: 0, count: 0 };
    // The times are whole seconds: only the mean of several comes near the truth.
    byOwner.set(owner, { sum: known.sum + took, count: known.count + 1 });
    all.sum += took;
    all.count += 1;
  }
  const usual = assumed.readyMs ?? (all.count > 0 ? all.sum / all.count : USUAL_READY_MS);
  const readyAfter = (pod: Pod) => {
    const known = assumed.readyMs === null ? byOwner.get(ownerOf(pod) ?? '') : undefined;
    return exactly(known ? known.sum / known.count : usual);
  };
  return {
    readyMs: usual,
    stopMs: assumed.stopMs,
    learnedOwners: assumed.readyMs === null ? byOwner.size : 0,
    readyAfter,
    stepOf: (step) => (step === 'stop' ? exactly(assumed.stopMs) : undefined),
  };
}
