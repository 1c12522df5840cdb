/** A Deployment's status from its ReplicaSets (pkg/controller/deployment/sync.go and progress.go). */
import type { Millis } from '../../lib/clock.ts';
import { conditionOf } from '../conditions.ts';
import type { Writable } from '../copy.ts';
import type { Condition, Deployment, ReplicaSet } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import { available, rollingLimits, total, wanted } from './deployment-limits.ts';

export type DeploymentStatus = NonNullable<Deployment['status']>;
type Conditions = readonly Condition[];

const NO_DEADLINE = 2 ** 31 - 1;

/** Seconds without progress after which a roll-out counts as failed; undefined when it never does. */
export function progressDeadline({ spec }: Deployment): number | undefined {
  return spec.progressDeadlineSeconds === NO_DEADLINE ? undefined : spec.progressDeadlineSeconds;
}

export interface News {
  readonly type: 'Progressing' | 'Available' | 'ReplicaFailure';
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
}

const without = (conditions: Conditions, type: string): Conditions =>
  conditionOf(conditions, type) ? conditions.filter((condition) => condition.type !== type) : conditions;

/** Sets the condition unless one of the same status and reason is there; a replaced one moves to the end, as upstream. */
export function withNews(conditions: Conditions, news: News, now: Millis): Conditions {
  const before = conditionOf(conditions, news.type);
  if (before?.status === news.status && before.reason === news.reason) return conditions;
  const time = timestamp(now);
  const { type, status, reason, message } = news;
  const kept = before?.status === status ? before.lastTransitionTime : undefined;
  return [
    ...without(conditions, type),
    { type, status, lastUpdateTime: time, lastTransitionTime: kept ?? time, reason, message },
  ];
}

const replicasOf = ({ status }: ReplicaSet) => status?.replicas ?? 0;
const readyOf = ({ status }: ReplicaSet) => status?.readyReplicas ?? 0;

function counts(deployment: Deployment, sets: readonly ReplicaSet[], current: ReplicaSet | undefined) {
  const replicas = total(sets, replicasOf);
  const updatedReplicas = current ? replicasOf(current) : 0;
  const readyReplicas = total(sets, readyOf);
  const availableReplicas = total(sets, available);
  const unavailableReplicas = Math.max(0, total(sets, wanted) - availableReplicas);
  const { generation } = deployment.metadata;
  const collisionCount = deployment.status?.collisionCount;
  const counted: Writable<DeploymentStatus> = {};
  if (generation !== undefined) counted.observedGeneration = generation;
  // Zero counts are not on the wire (omitempty).
  if (replicas > 0) counted.replicas = replicas;
  if (updatedReplicas > 0) counted.updatedReplicas = updatedReplicas;
  if (readyReplicas > 0) counted.readyReplicas = readyReplicas;
  if (availableReplicas > 0) counted.availableReplicas = availableReplicas;
  if (unavailableReplicas > 0) counted.unavailableReplicas = unavailableReplicas;
  if (collisionCount !== undefined) counted.collisionCount = collisionCount;
  return counted;
}

/** The counts and the Available condition: all that is said while a Deployment is paused or scaled. */
export function countedStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
  now: Millis,
): DeploymentStatus {
  const counted = counts(deployment, sets, current);
  const enough = (counted.availableReplicas ?? 0) >= wanted(deployment) - rollingLimits(deployment).unavailable;
  const news: News = enough
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
  counted.conditions = withNews(deployment.status?.conditions ?? [], news, now);
  return counted;
}

/** Every replica is of the current template and available, and no other is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus | undefined): boolean {
  const replicas = wanted(deployment);
  return (
    (status?.updatedReplicas ?? 0) === replicas &&
    (status?.replicas ?? 0) === replicas &&
    (status?.availableReplicas ?? 0) === replicas &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed({ status: before = {} }: Deployment, status: DeploymentStatus): boolean {
  const oldReplicas = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) => replicas - updatedReplicas;
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldReplicas(status) < oldReplicas(before) ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function hasTimedOut(deadline: number, progressing: Condition | undefined, now: Millis): boolean {
  if (!progressing || progressing.reason === 'NewReplicaSetAvailable') return false;
  if (progressing.reason === 'ProgressDeadlineExceeded') return true;
  return Date.parse(progressing.lastUpdateTime ?? '') + deadline * 1000 < now;
}

function withProgress(
  deployment: Deployment,
  status: DeploymentStatus,
  current: ReplicaSet | undefined,
  deadline: number,
  now: Millis,
): Conditions {
  const conditions = status.conditions ?? [];
  const before = conditionOf(conditions, 'Progressing');
  // One template only and done before: a resync, no roll-out to judge.
  if ((status.replicas ?? 0) === (status.updatedReplicas ?? 0) && before?.reason === 'NewReplicaSetAvailable') return conditions;
  const subject = current ? `ReplicaSet "${current.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`;
    return withNews(conditions, { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message }, now);
  }
  if (hasProgressed(deployment, status)) {
    // Told anew at every step, so that lastUpdateTime moves and the deadline counts from the last one.
    const time = timestamp(now);
    const since = before?.status === 'True' ? (before.lastTransitionTime ?? time) : time;
    return [
      ...without(conditions, 'Progressing'),
      {
        type: 'Progressing',
        status: 'True',
        lastUpdateTime: time,
        lastTransitionTime: since,
        reason: 'ReplicaSetUpdated',
        message: `${subject} is progressing.`,
      },
    ];
  }
  if (!hasTimedOut(deadline, before, now)) return conditions;
  const message = `${subject} has timed out progressing.`;
  return withNews(conditions, { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message }, now);
}

const failureOf = (set: ReplicaSet | undefined) => conditionOf(set?.status?.conditions, 'ReplicaFailure');

/** The status during a roll-out: also how it gets on, and why a ReplicaSet could not make its pods. */
export function rolloutStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
  now: Millis,
): DeploymentStatus {
  const status = countedStatus(deployment, sets, current, now);
  const deadline = progressDeadline(deployment);
  let conditions =
    deadline === undefined
      ? without(status.conditions ?? [], 'Progressing')
      : withProgress(deployment, status, current, deadline, now);
  const failure = failureOf(current) ?? sets.map(failureOf).find(Boolean);
  if (!failure) conditions = without(conditions, 'ReplicaFailure');
  else {
    const { reason = '', message = '' } = failure;
    conditions = withNews(conditions, { type: 'ReplicaFailure', status: failure.status, reason, message }, now);
  }
  return { ...status, conditions };
}

/** When to look again whether a roll-out without progress has failed, in milliseconds; undefined when there is nothing to wait for. */
export function progressCheckIn(deployment: Deployment, now: Millis): Millis | undefined {
  const deadline = progressDeadline(deployment);
  const progressing = conditionOf(deployment.status?.conditions, 'Progressing');
  if (deadline === undefined || !progressing) return undefined;
  if (isComplete(deployment, deployment.status) || progressing.reason === 'ProgressDeadlineExceeded') return undefined;
  // A second more: times in objects are cut to seconds (progress.go, requeueStuckDeployment).
  return Math.max(0, Date.parse(progressing.lastUpdateTime ?? '') + deadline * 1000 - now) + 1000;
}
