/** A Job's status and what follows from it: pure (pkg/controller/job/job_controller.go). */
import type { Millis } from '../../lib/clock.ts';
import { conditionOf } from '../conditions.ts';
import type { Condition, Job, Pod } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';

export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

export interface JobStatus {
  readonly active?: number;
  readonly ready?: number;
  readonly terminating?: number;
  readonly succeeded?: number;
  readonly failed?: number;
  readonly startTime?: string;
  readonly completionTime?: string;
  readonly completedIndexes?: string;
  /** Uids of pods that have ended and still have the finalizer: neither lost nor counted twice when the controller dies in between. */
  readonly uncountedTerminatedPods?: { readonly succeeded?: readonly string[]; readonly failed?: readonly string[] };
  readonly conditions?: readonly Condition[];
}

export const statusOf = (job: Job): JobStatus => job.status ?? {};
export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed';
export const isSuspended = ({ spec }: Job): boolean => spec.suspend === true;
export const hasFinalizer = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(TRACKING_FINALIZER) ?? false;
export const isTerminating = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;

/** The condition that ended the Job, if it has ended. */
export function ending(job: Job): Condition | undefined {
  return statusOf(job).conditions?.find(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'));
}

/** A pod that is deleted counts as failed at once, unless the Job waits for its end before it replaces it. */
export function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true;
  return job.spec.podReplacementPolicy !== 'Failed' && isTerminating(pod) && pod.status?.phase !== 'Succeeded';
}

export function jobCondition(type: string, status: 'True' | 'False', reason: string, message: string, now: Millis): Condition {
  const time = timestamp(now);
  return { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message };
}

/** Sets the condition; one that would be False is not added where there is none. */
export function withJobCondition(conditions: readonly Condition[], next: Condition): readonly Condition[] {
  const before = conditionOf(conditions, next.type);
  if (!before) return next.status === 'False' ? conditions : [...conditions, next];
  const unchanged = before.status === next.status && before.reason === next.reason && before.message === next.message;
  return unchanged ? conditions : conditions.map((condition) => (condition === before ? next : condition));
}

function restartsPastLimit({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const { status } of pods)
    if (status?.phase === 'Running' || status?.phase === 'Pending')
      for (const { restartCount } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
        restarts += restartCount;
  const limit = spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** Milliseconds until the Job has been active for too long; undefined without a deadline. */
export function deadlineLeft(job: Job, startTime: string | undefined, now: Millis): Millis | undefined {
  const seconds = job.spec.activeDeadlineSeconds;
  if (seconds === undefined || startTime === undefined || isSuspended(job)) return undefined;
  return Math.max(0, Date.parse(startTime) + seconds * 1000 - now);
}

/** The condition under which the Job ends although not everything was done, or one that an earlier look has set. */
export function verdictOf(
  job: Job,
  pods: readonly Pod[],
  failed: number,
  startTime: string | undefined,
  now: Millis,
): Condition | undefined {
  const { conditions } = statusOf(job);
  const met = conditionOf(conditions, 'SuccessCriteriaMet');
  if (met?.status === 'True') return met;
  const target = conditionOf(conditions, 'FailureTarget');
  if (target?.status === 'True') return target;
  const fails = (reason: string, message: string) => jobCondition('FailureTarget', 'True', reason, message, now);
  if (failed > (job.spec.backoffLimit ?? 6) || restartsPastLimit(job, pods))
    return fails('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  if (deadlineLeft(job, startTime, now) === 0) return fails('DeadlineExceeded', 'Job was active longer than specified deadline');
  return undefined;
}

/** How many pods should run, when this many have succeeded and this many run. */
export function wantedActive({ spec }: Job, succeeded: number, active: number): number {
  const parallelism = spec.parallelism ?? 1;
  // Without a number of completions the first success ends it; those that run may go on.
  if (spec.completions === undefined) return succeeded > 0 ? active : parallelism;
  return Math.max(0, Math.min(parallelism, spec.completions - succeeded));
}

export function isDone({ spec }: Job, succeeded: number, active: number): boolean {
  if (active > 0) return false;
  return spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions;
}
