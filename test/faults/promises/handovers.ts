/** A handover loses no ready pod, and leaves nothing behind. */
import { parseDuration } from '../../../src/api/duration.ts';
import { annotations, labels } from '../../../src/api/names.ts';
import type { Millis } from '../../../src/lib/clock.ts';
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import { isPodFinished, isPodReady } from '../../../src/sim/conditions.ts';
import type { Pod, ReplicaSet } from '../../../src/sim/kubernetes.ts';
import type { Maintenance } from '../stage.ts';
import { BARE } from '../workloads.ts';
import { budgetsOf, handoverOf, keyOf, maintenanceOf, ownerUid } from './marks-of-drover.ts';
import type { KeepWatch } from './promise.ts';

/** A loss that is so recent may not have reached Drover: the longest that the run keeps a watch back, and some. */
const UNSEEN_MS: Millis = 10_000;

const serves = (pod: Pod): boolean =>
  isPodReady(pod) && pod.metadata.deletionTimestamp === undefined && handoverOf(pod)?.unlistedAt === undefined;

/** It has its labels again, and its ReplicaSet has not taken it back yet. */
const isGivenBackTo = ({ spec }: ReplicaSet, pod: Pod): boolean =>
  ownerUid(pod) === undefined &&
  Object.entries(spec.selector.matchLabels ?? {}).every(([key, value]) => pod.metadata.labels?.[key] === value);

/** A pod that was handed over goes only when its owner has as many ready pods without it as it had, or as it wants. */
export const losesNoReadyPod: KeepWatch = (stage) => {
  const { api, clock } = stage;
  const foreignAt = new Map<string, Millis>();
  const teamOf = (pod: Pod) => ownerUid(pod) ?? handoverOf(pod)?.owner.uid;
  stage.watch(kinds.pods, ({ type, object, previous }, by) => {
    if (!previous || !serves(previous) || (type === 'MODIFIED' && serves(object))) return;
    const uid = teamOf(previous) ?? '';
    if (!by) return void foreignAt.set(uid, clock.now());
    const handover = handoverOf(previous);
    const owner = handover && api.byUid(kinds.replicaSets, handover.owner.uid);
    if (!handover || !owner || owner.metadata.deletionTimestamp !== undefined || by.method === 'DELETE') return;
    const maintenance = maintenanceOf(stage, previous.spec.nodeName ?? '');
    if (maintenance && isLastMoment(maintenance, previous, clock.now())) return;
    if (clock.now() - (foreignAt.get(uid) ?? Number.NEGATIVE_INFINITY) < UNSEEN_MS) return;
    const wanted = Math.min(owner.spec.replicas ?? 1, handover.readyAtStart);
    const ready = api
      .list(kinds.pods, { namespace: owner.metadata.namespace ?? '' })
      .filter((pod) => (teamOf(pod) === uid || isGivenBackTo(owner, pod)) && serves(pod));
    if (ready.length >= wanted) return;
    stage.broken(
      'a handover loses no ready pod',
      `${keyOf(object)} goes (${by.method} ${by.path}) and ReplicaSet ${owner.metadata.name} has ${ready.length} ready pods of ${wanted}`,
    );
  });
  return {};
};

/** It would be deleted around its budget now, were that not asked first whether it allows the eviction: nothing waits any more. */
function isLastMoment({ spec, status }: Maintenance, pod: Pod, now: Millis): boolean {
  const { deadline, ladder } = spec.drain;
  const since = (duration: string) => Date.parse(status?.startedAt ?? '') + parseDuration(duration);
  const step = ladder.find((each) => each.do === 'Delete');
  if (step && now >= since(step.after)) return true;
  const grace = Math.max(1, pod.spec.terminationGracePeriodSeconds ?? 30) * 1_000;
  const ends = [...(spec.deadline ? [Date.parse(spec.deadline)] : []), ...(step && deadline ? [since(deadline)] : [])];
  return now >= Math.min(...ends) - grace;
}

/** Where a handover is always wanted and nothing speaks against it, no ready pod is evicted without one. */
export const handsOverWhereItCan: KeepWatch = (stage) => {
  const { api } = stage;
  stage.watch(kinds.pods, ({ type, object, previous }, by) => {
    if (!by?.path.endsWith('/eviction') || !previous || !serves(previous) || (type === 'MODIFIED' && serves(object))) return;
    const { annotations: notes = {} } = previous.metadata;
    if (notes[annotations.handover] !== undefined || notes[annotations.handoverRefused] !== undefined) return;
    const maintenance = maintenanceOf(stage, object.spec.nodeName ?? '');
    const replicaSet = api.byUid(kinds.replicaSets, ownerUid(previous) ?? '');
    const deployment = replicaSet && api.byUid(kinds.deployments, ownerUid(replicaSet) ?? '');
    if (maintenance?.spec.drain.handover !== 'Always' || !deployment || (replicaSet.spec.replicas ?? 1) === 0) return;
    if (replicaSet.metadata.deletionTimestamp !== undefined || deployment.spec.strategy?.type === 'Recreate') return;
    const usesHostPort = previous.spec.containers.some(({ ports = [] }) => ports.some(({ hostPort }) => hostPort !== undefined));
    if (usesHostPort || budgetsOf(stage, previous).length > 1) return;
    if (isLastMoment(maintenance, previous, stage.clock.now())) return;
    // Ready, or taken back by its ReplicaSet, or that gone or wanted again, only a moment ago: Drover may not have seen it.
    if (stage.clock.now() - (changedAt.get(previous.metadata.uid) ?? 0) < UNSEEN_MS) return;
    if (stage.clock.now() - (changedAt.get(replicaSet.metadata.uid) ?? 0) < UNSEEN_MS) return;
    stage.broken(
      'what can be handed over is',
      `${keyOf(object)} of Deployment ${deployment.metadata.name} is evicted without a handover`,
    );
  });
  const changedAt = new Map<string, Millis>();
  const see = ({ metadata: { uid } }: Pick<Pod, 'metadata'>) => void changedAt.set(uid, stage.clock.now());
  stage.watch(kinds.pods, ({ object, previous }) => {
    const isTaken = previous !== undefined && ownerUid(object) !== undefined && ownerUid(previous) === undefined;
    if (isTaken || (isPodReady(object) && !(previous && isPodReady(previous)))) see(object);
  });
  stage.watch(kinds.replicaSets, ({ object, previous }) => {
    if (object.spec.replicas !== previous?.spec.replicas) see(object);
  });
  return {};
};

export const leavesNoOrphan: KeepWatch = (stage) => ({
  whenAllIsOver() {
    for (const pod of stage.api.list(kinds.pods)) {
      if (pod.metadata.deletionTimestamp !== undefined || isPodFinished(pod)) continue;
      const broken = (how: string) => stage.broken('no pod is left behind', `${keyOf(pod)} on ${pod.spec.nodeName}: ${how}`);
      for (const key of [annotations.handover, annotations.handoverRefused])
        if (pod.metadata.annotations?.[key] !== undefined) broken(`annotation ${key}`);
      if (pod.metadata.labels?.[labels.handedOver] !== undefined) broken(`label ${labels.handedOver}`);
      const owner = pod.metadata.ownerReferences?.[0];
      if (!owner && pod.metadata.labels?.[BARE] === undefined) broken('has no owner any more');
      if (owner?.kind === 'ReplicaSet' && pod.metadata.labels?.['pod-template-hash'] === undefined)
        broken('has no pod-template-hash');
    }
  },
});
