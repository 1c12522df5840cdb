/** Which pods go first when there are too many (pkg/controller/controller_utils.go, ActivePodsWithRanks). */
import type { Millis } from '../../lib/clock.ts';
import { conditionOf } from '../conditions.ts';
import type { Pod } from '../kubernetes.ts';

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

interface Standing {
  readonly pod: Pod;
  readonly unassigned: boolean;
  readonly phase: number;
  readonly ready: boolean;
  readonly cost: number;
  /** Active pods of the same owner on its node. */
  readonly neighbours: number;
  readonly readySince: number;
  readonly restarts: readonly [regular: number, sidecars: number];
  readonly created: number;
}

/** The cost a pod has put on its own deletion; 0 where it is missing or no 32 bit integer. */
function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST];
  if (text === undefined || !/^(0|[1-9][0-9]*|-[1-9][0-9]*)$/.test(text)) return 0;
  const cost = Number(text);
  return cost >= -(2 ** 31) && cost < 2 ** 31 ? cost : 0;
}

function restartsOf({ spec, status }: Pod): readonly [number, number] {
  let regular = 0;
  let sidecars = 0;
  for (const { restartCount } of status?.containerStatuses ?? []) regular = Math.max(regular, restartCount);
  for (const { name, restartCount } of status?.initContainerStatuses ?? [])
    if (spec.initContainers?.some((container) => container.name === name && container.restartPolicy === 'Always'))
      sidecars = Math.max(sidecars, restartCount);
  return [regular, sidecars];
}

function logarithmicAge(since: Millis, now: Millis): number {
  return now > since ? Math.trunc(Math.log2((now - since) * 1e6)) : -1;
}

const byUid = (a: Standing, b: Standing) => (a.pod.metadata.uid < b.pod.metadata.uid ? -1 : 1);
const falseFirst = (a: boolean, b: boolean) => Number(a) - Number(b);

// Times count in powers of two of nanoseconds, so that pods of about the same age are drawn from at random: the feature LogarithmicScaleDown.
function later(a: Standing, b: Standing, field: 'readySince' | 'created', now: Millis | undefined): number {
  if (now === undefined) return b[field] - a[field];
  return logarithmicAge(a[field], now) - logarithmicAge(b[field], now) || byUid(a, b);
}

function compare(a: Standing, b: Standing, now: Millis | undefined): number {
  const plain =
    falseFirst(!a.unassigned, !b.unassigned) ||
    a.phase - b.phase ||
    falseFirst(a.ready, b.ready) ||
    a.cost - b.cost ||
    b.neighbours - a.neighbours;
  if (plain !== 0) return plain;
  if (a.ready && b.ready && a.readySince !== b.readySince) return later(a, b, 'readySince', now);
  const restarts = b.restarts[0] - a.restarts[0] || b.restarts[1] - a.restarts[1];
  if (restarts !== 0) return restarts;
  return a.created === b.created ? 0 : later(a, b, 'created', now);
}

export interface ByReplicaSet {
  readonly now: Millis;
  /** How many active pods of the same owner are on a node. */
  readonly neighbours: (nodeName: string) => number;
}

/** The pods in the order in which they should go. Only a ReplicaSet looks at costs and neighbours and compares ages roughly. */
export function inDeletionOrder(pods: readonly Pod[], replicaSet?: ByReplicaSet): Pod[] {
  const standings = pods.map((pod): Standing => {
    const ready = conditionOf(pod.status?.conditions, 'Ready');
    const nodeName = pod.spec.nodeName ?? '';
    return {
      pod,
      unassigned: nodeName === '',
      phase: PHASES[pod.status?.phase ?? ''] ?? 0,
      ready: ready?.status === 'True',
      cost: replicaSet ? deletionCost(pod) : 0,
      neighbours: replicaSet ? replicaSet.neighbours(nodeName) : 0,
      readySince: Date.parse(ready?.lastTransitionTime ?? '') || 0,
      restarts: restartsOf(pod),
      created: Date.parse(pod.metadata.creationTimestamp),
    };
  });
  return standings.sort((a, b) => compare(a, b, replicaSet?.now)).map(({ pod }) => pod);
}
