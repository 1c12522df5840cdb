/**
 * What a StatefulSet does next: pure, from its pods and its two revisions (pkg/controller/statefulset/stateful_set_control.go).
 * OrderedReady goes pod by pod and stops at the first that is not there yet; Parallel does all that is to be done at once.
 */
import type { Millis } from '../../lib/clock.ts';
import { isPodFinished, isPodReady } from '../conditions.ts';
import type { Pod, StatefulSet } from '../kubernetes.ts';
import { isAvailable } from './pod-state.ts';
import { firstOrdinal, hasIdentity, ordinalOf, revisionOfPod } from './stateful-pods.ts';

export type StatefulStep =
  | { readonly act: 'create'; readonly ordinal: number; readonly revision: 'current' | 'update' }
  /** Makes claims that a pending pod lacks. */
  | { readonly act: 'claim'; readonly ordinal: number }
  | { readonly act: 'identify'; readonly pod: Pod; readonly ordinal: number }
  | { readonly act: 'remove'; readonly pod: Pod; readonly because: 'finished' | 'scaled down' | 'updated' };

export interface StatefulWorld {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  /** Names of the revisions that pods are labelled with. */
  readonly current: string;
  readonly update: string;
  readonly now: Millis;
}

const isTerminating = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined;
const isRunningAndReady = (pod: Pod) => pod.status?.phase === 'Running' && isPodReady(pod);

function isUnavailable({ set, now }: StatefulWorld, pod: Pod | undefined): boolean {
  return !pod || isTerminating(pod) || !isAvailable(pod, set.spec.minReadySeconds ?? 0, now);
}

/** Of which revision a missing pod is made: those below the partition stay what they were. */
function revisionFor({ spec, status }: StatefulSet, index: number): 'current' | 'update' {
  const { type = 'RollingUpdate', rollingUpdate } = spec.updateStrategy ?? {};
  if (rollingUpdate) return index < (rollingUpdate.partition ?? 0) ? 'current' : 'update';
  const currentReplicas = typeof status?.currentReplicas === 'number' ? status.currentReplicas : 0;
  return type === 'RollingUpdate' && index < currentReplicas ? 'current' : 'update';
}

/** The steps for one replica; `stop` when an ordered set goes no further this time. */
function replicaSteps(
  { set, now }: StatefulWorld,
  pod: Pod | undefined,
  index: number,
  ordered: boolean,
): { steps: StatefulStep[]; stop: boolean } {
  const ordinal = firstOrdinal(set) + index;
  if (!pod) return { steps: [{ act: 'create', ordinal, revision: revisionFor(set, index) }], stop: true };
  if (isPodFinished(pod)) return { steps: isTerminating(pod) ? [] : [{ act: 'remove', pod, because: 'finished' }], stop: true };
  const steps: StatefulStep[] = pod.status?.phase === 'Pending' ? [{ act: 'claim', ordinal }] : [];
  const there = !isTerminating(pod) && isRunningAndReady(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, now);
  if ((there || !ordered) && !hasIdentity(pod)) steps.push({ act: 'identify', pod, ordinal });
  return { steps, stop: !there };
}

/** From the highest ordinal down, one at a time, each waiting for the one before to be available again. */
function updateStep(world: StatefulWorld, replicas: readonly (Pod | undefined)[]): StatefulStep[] {
  const { updateStrategy } = world.set.spec;
  if ((updateStrategy?.type ?? 'RollingUpdate') === 'OnDelete') return [];
  const least = updateStrategy?.rollingUpdate?.partition ?? 0;
  for (let index = replicas.length - 1; index >= least; index -= 1) {
    const pod = replicas[index];
    if (pod && !isTerminating(pod) && revisionOfPod(pod) !== world.update) return [{ act: 'remove', pod, because: 'updated' }];
    if (isUnavailable(world, pod)) return [];
  }
  return [];
}

export function statefulSteps(world: StatefulWorld): StatefulStep[] {
  const { set, pods } = world;
  const first = firstOrdinal(set);
  const replicas: (Pod | undefined)[] = Array.from({ length: set.spec.replicas ?? 1 }, () => undefined);
  const condemned: { readonly pod: Pod; readonly ordinal: number }[] = [];
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) continue;
    if (ordinal >= first && ordinal < first + replicas.length) replicas[ordinal - first] = pod;
    else condemned.push({ pod, ordinal });
  }
  const ordered = set.spec.podManagementPolicy !== 'Parallel';
  const steps: StatefulStep[] = [];
  for (const [index, pod] of replicas.entries()) {
    const next = replicaSteps(world, pod, index, ordered);
    steps.push(...next.steps);
    if (ordered && next.stop) return steps;
  }
  condemned.sort((a, b) => b.ordinal - a.ordinal);
  const firstUnhealthy =
    replicas.find((pod) => isUnavailable(world, pod)) ?? condemned.findLast(({ pod }) => isUnavailable(world, pod))?.pod;
  for (const { pod } of condemned) {
    const healthy = isRunningAndReady(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, world.now);
    if (!isTerminating(pod) && (!ordered || healthy || pod === firstUnhealthy))
      steps.push({ act: 'remove', pod, because: 'scaled down' });
    if (ordered) return steps;
  }
  return [...steps, ...updateStep(world, replicas)];
}

export interface StatefulCounts {
  replicas: number;
  readyReplicas: number;
  availableReplicas: number;
  currentReplicas: number;
  updatedReplicas: number;
}

export function statefulCounts({ set, pods, current, update, now }: StatefulWorld): StatefulCounts {
  const counts = { replicas: 0, readyReplicas: 0, availableReplicas: 0, currentReplicas: 0, updatedReplicas: 0 };
  for (const pod of pods) {
    counts.replicas += 1;
    if (isRunningAndReady(pod)) {
      counts.readyReplicas += 1;
      if (isAvailable(pod, set.spec.minReadySeconds ?? 0, now)) counts.availableReplicas += 1;
    }
    if (isTerminating(pod)) continue;
    if (revisionOfPod(pod) === current) counts.currentReplicas += 1;
    if (revisionOfPod(pod) === update) counts.updatedReplicas += 1;
  }
  return counts;
}
