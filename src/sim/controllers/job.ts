/**
 * The Job controller (pkg/controller/job) and the one that removes finished Jobs (pkg/controller/ttlafterfinished). Not served: pod failure
 * and success policies, limits per index, and the index in the containers' environment.
 */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Draft, Part } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { jobs, pods } from '../apiserver/kinds.ts';
import { conditionOf, isPodFinished, isPodReady } from '../conditions.ts';
import type { Condition, Job, Pod } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import { timestamp } from '../timestamp.ts';
import { claim, controllerOf } from './controller-ref.ts';
import { inDeletionOrder } from './deletion-order.ts';
import { createEventRecorder } from './event-recorder.ts';
import { backoffAfter, backoffLeft, type JobBackoff, NO_BACKOFF } from './job-backoff.ts';
import { COMPLETION_INDEX, formatIndexes, indexOf, parseIndexes, pendingIndexes } from './job-indexes.ts';
import {
  deadlineLeft,
  ending,
  hasFailed,
  hasFinalizer,
  isDone,
  isIndexed,
  isSuspended,
  isTerminating,
  jobCondition,
  type JobStatus,
  statusOf,
  TRACKING_FINALIZER,
  verdictOf,
  wantedActive,
  withJobCondition,
} from './job-state.ts';
import { watchOwned } from './owned.ts';
import { isActive } from './pod-state.ts';
import { podFromTemplate } from './pod-template.ts';
import { type ControllerOptions, isNamespaceTerminating } from './replica-set.ts';
import { slowStart } from './slow-start.ts';
import { createWorkQueue, keyOf, splitKey } from './work-queue.ts';

// Pods' events and the Job's own status are gathered for a second (job_controller.go, SyncJobBatchPeriod).
const BATCH_MS = 1000;
const BURST = 500;

/** One look at one Job: what there is, and what the look changes about it. */
interface Look {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  readonly now: Millis;
  readonly backoff: JobBackoff;
  readonly doneIndexes: ReadonlySet<number>;
  readonly succeeded: number;
  count: { active: number; ready: number; terminating: number };
}

export function startJobs(api: Api, { latency, events }: ControllerOptions = {}): Part {
  const recorder = createEventRecorder(api, jobs, 'job-controller', events);
  const queue = createWorkQueue({ clock: api.clock, random: api.random, latency, process: sync });
  const strays = createWorkQueue({ clock: api.clock, random: api.random, latency, process: releaseStray });
  const backoffs = new Map<string, JobBackoff>();
  const owned = watchOwned({
    api,
    owners: jobs,
    dependents: pods,
    selectorOf: (job) => job.spec.selector,
    changed(key, event) {
      const respecified = event && event.object.metadata.generation !== event.previous?.metadata.generation;
      if (respecified || event?.type === 'DELETED') queue.add(key);
      else queue.addAfter(key, BATCH_MS);
    },
  });

  const jobOf = (pod: Pod): Job | undefined => {
    const controller = controllerOf(pod);
    return controller?.kind === 'Job' ? api.byUid(jobs, controller.uid) : undefined;
  };
  const isStray = (pod: Pod) => {
    const controller = controllerOf(pod);
    if (controller && controller.kind !== 'Job') return false;
    const job = jobOf(pod);
    return !job || ending(job) !== undefined;
  };

  // A finalizer that no Job will take off any more would keep its pod for ever (syncOrphanPod).
  const stopPods = api.watch(
    pods,
    ({ type, object }) => {
      if (type !== 'DELETED' && hasFinalizer(object) && isStray(object)) strays.add(keyOf(object));
    },
    { replay: true },
  );
  const stopJobs = api.watch(jobs, ({ type, object }) => {
    if (type !== 'DELETED' && !ending(object)) return;
    for (const pod of api.dependents(pods, object.metadata.uid)) if (hasFinalizer(pod)) strays.add(keyOf(pod));
  });

  function releaseStray(key: string): void {
    const { namespace, name } = splitKey(key);
    const pod = api.get(pods, namespace, name);
    if (pod && isStray(pod)) dropFinalizer(pod);
  }

  function dropFinalizer({ metadata: { namespace = '', name } }: Pod): void {
    api.modify(pods, namespace, name, (pod) => {
      if (!hasFinalizer(pod)) return pod;
      const { finalizers, ...metadata } = pod.metadata;
      const left = finalizers?.filter((each) => each !== TRACKING_FINALIZER) ?? [];
      return { ...pod, metadata: { ...metadata, ...(left.length > 0 && { finalizers: left }) } };
    });
  }

  function removePod({ metadata: { namespace = '', name } }: Pod): void {
    try {
      api.remove(pods, namespace, name);
    } catch (error) {
      if (!(error instanceof Failure && error.code === 404)) throw error;
    }
  }

  function removeActive(look: Look, doomed: readonly Pod[], release: boolean): void {
    for (const pod of doomed) {
      if (release) dropFinalizer(pod);
      removePod(pod);
      look.count.active -= 1;
      look.count.terminating += 1;
      if (isPodReady(pod)) look.count.ready -= 1;
    }
  }

  function podDraft(job: Job, index: number | undefined): Draft<Pod> {
    const draft = podFromTemplate(job.spec.template, jobs, job);
    const { metadata } = draft;
    const finalizers = [...(metadata.finalizers ?? []).filter((each) => each !== TRACKING_FINALIZER), TRACKING_FINALIZER];
    if (index === undefined) return { ...draft, metadata: { ...metadata, finalizers } };
    const indexed = { [COMPLETION_INDEX]: String(index) };
    return {
      ...draft,
      metadata: {
        ...metadata,
        finalizers,
        generateName: `${job.metadata.name}-${index}-`,
        annotations: { ...metadata.annotations, ...indexed },
        labels: { ...metadata.labels, ...indexed },
      },
      spec: { ...job.spec.template.spec, hostname: `${job.metadata.name}-${index}` },
    };
  }

  /** Makes or removes pods; returns why some could not be made. */
  function manage(look: Look): Failure | undefined {
    const { job, active, now } = look;
    const wanted = isSuspended(job) ? 0 : wantedActive(job, look.succeeded, active.length);
    if (active.length > wanted) {
      removeActive(look, inDeletionOrder(active).slice(0, Math.min(active.length - wanted, BURST)), true);
      return undefined;
    }
    const held = job.spec.podReplacementPolicy === 'Failed' ? look.count.terminating : 0;
    const missing = Math.min(wanted - active.length - held, BURST);
    if (missing <= 0) return undefined;
    const wait = backoffLeft(look.backoff, now);
    if (wait > 0) {
      queue.addAfter(keyOf(job), Math.max(wait, BATCH_MS));
      // Upstream, too, says for the while that nothing runs.
      look.count.active = 0;
      return undefined;
    }
    const completions = job.spec.completions ?? 0;
    const running = active.flatMap((pod) => indexOf(pod, completions) ?? []);
    const indexes = isIndexed(job) ? pendingIndexes(missing, completions, new Set([...look.doneIndexes, ...running])) : undefined;
    const error = slowStart(indexes?.length ?? missing, (at) => {
      try {
        const pod = api.create(pods, podDraft(job, indexes?.[at]));
        recorder.tell(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
        look.count.active += 1;
      } catch (refusal) {
        if (!isNamespaceTerminating(refusal)) throw refusal;
      }
    });
    if (error !== undefined && !(error instanceof Failure)) throw error;
    return error;
  }

  function write(job: Job, status: JobStatus): Job {
    const change = (before: Job): Job => (same(before.status, status) ? before : { ...before, status: { ...status } });
    return api.modify(jobs, job.metadata.namespace ?? '', job.metadata.name, change, { subresource: 'status' }) ?? job;
  }

  /**
   * Counts what has ended, in two writes with the finalizers taken off in between: first as uncounted, then in the counters. The second also
   * ends the Job, once no pod of it is left on its way out.
   */
  function track(look: Look, status: JobStatus, verdict: Condition | undefined): void {
    const { job, now } = look;
    const tracked = look.pods.filter(hasFinalizer);
    const tracking = new Set(tracked.map(({ metadata }) => metadata.uid));
    const fails = verdict !== undefined && verdict.type !== 'SuccessCriteriaMet';
    const { succeeded: oldSucceeded = [], failed: oldFailed = [] } = status.uncountedTerminatedPods ?? {};
    const uncounted = {
      succeeded: oldSucceeded.filter((uid) => tracking.has(uid)),
      failed: oldFailed.filter((uid) => tracking.has(uid)),
    };
    const counted = {
      succeeded: (status.succeeded ?? 0) + oldSucceeded.length - uncounted.succeeded.length,
      failed: (status.failed ?? 0) + oldFailed.length - uncounted.failed.length,
    };
    const doneIndexes = new Set(look.doneIndexes);
    const releasing: Pod[] = [];
    for (const pod of tracked) {
      const { uid } = pod.metadata;
      const succeeded = pod.status?.phase === 'Succeeded';
      const failed = hasFailed(job, pod);
      if (!succeeded && !failed && !verdict && job.metadata.deletionTimestamp === undefined) continue;
      releasing.push(pod);
      const index = isIndexed(job) ? indexOf(pod, job.spec.completions ?? 0) : undefined;
      if (isIndexed(job) && index === undefined) continue;
      if (succeeded && !uncounted.failed.includes(uid)) {
        if (index !== undefined) doneIndexes.add(index);
        else if (!uncounted.succeeded.includes(uid)) uncounted.succeeded.push(uid);
      } else if ((failed || fails) && !uncounted.failed.includes(uid)) uncounted.failed.push(uid);
    }
    const { conditions = [] } = status;
    const interim = verdict && !conditionOf(conditions, verdict.type) ? [...conditions, verdict] : conditions;
    const common = (left: typeof uncounted, counts: typeof counted, told: readonly Condition[]): JobStatus => {
      const succeeded = isIndexed(job) ? doneIndexes.size : counts.succeeded;
      const { active, ready, terminating } = look.count;
      return {
        ...(status.startTime !== undefined && { startTime: status.startTime }),
        ...(told.length > 0 && { conditions: told }),
        // Zero counts of these three are not on the wire (omitempty).
        ...(active > 0 && { active }),
        ...(succeeded > 0 && { succeeded }),
        ...(counts.failed > 0 && { failed: counts.failed }),
        ready,
        terminating,
        uncountedTerminatedPods: {
          ...(left.succeeded.length > 0 && { succeeded: left.succeeded }),
          ...(left.failed.length > 0 && { failed: left.failed }),
        },
        ...(isIndexed(job) && doneIndexes.size > 0 && { completedIndexes: formatIndexes(doneIndexes) }),
      };
    };
    write(job, common(uncounted, counted, interim));
    backoffs.set(keyOf(job), look.backoff);
    for (const pod of releasing) dropFinalizer(pod);
    const finals = {
      succeeded: counted.succeeded + uncounted.succeeded.length,
      failed: counted.failed + uncounted.failed.length,
    };
    const none = { succeeded: [], failed: [] };
    const ends = verdict !== undefined && look.count.terminating === 0;
    const last = verdict && jobCondition(fails ? 'Failed' : 'Complete', 'True', verdict.reason ?? '', verdict.message ?? '', now);
    const final = common(none, finals, ends && last ? withJobCondition(interim, last) : interim);
    write(job, ends && !fails ? { ...final, completionTime: timestamp(now) } : final);
    if (ends && fails) recorder.tell(job, 'Warning', verdict.reason ?? '', verdict.message ?? '');
    else if (ends) recorder.tell(job, 'Normal', 'Completed', 'Job completed');
  }

  function withSuspension(job: Job, status: JobStatus, now: Millis): JobStatus {
    const { conditions = [] } = status;
    const told = isSuspended(job)
      ? withJobCondition(conditions, jobCondition('Suspended', 'True', 'JobSuspended', 'Job suspended', now))
      : withJobCondition(conditions, jobCondition('Suspended', 'False', 'JobResumed', 'Job resumed', now));
    if (told === conditions) return status;
    return { ...status, conditions: told, ...(!isSuspended(job) && { startTime: timestamp(now) }) };
  }

  /** The Job with what a look begins from: counts, and a verdict on it if there is one. */
  function lookAt(key: string, job: Job, status: JobStatus): Look & { failed: number } {
    const own = claim({
      api,
      ownerKind: jobs,
      owner: job,
      selector: job.spec.selector ?? {},
      kind: pods,
      candidates: [...api.dependents(pods, job.metadata.uid), ...owned.orphansFor(job)],
      finalizer: TRACKING_FINALIZER,
    });
    const completions = job.spec.completions ?? 0;
    const { succeeded: uncountedSuccesses = [], failed: uncountedFailures = [] } = status.uncountedTerminatedPods ?? {};
    const valid = own.filter((pod) => hasFinalizer(pod) && (!isIndexed(job) || indexOf(pod, completions) !== undefined));
    const succeeded = valid.filter(
      ({ status: of, metadata }) => of?.phase === 'Succeeded' && !uncountedSuccesses.includes(metadata.uid),
    );
    const failed = valid.filter((pod) => hasFailed(job, pod) && !uncountedFailures.includes(pod.metadata.uid));
    const active = own.filter(isActive);
    const doneIndexes = parseIndexes(status.completedIndexes ?? '', completions);
    if (isIndexed(job)) for (const pod of succeeded) doneIndexes.add(indexOf(pod, completions) ?? 0);
    return {
      job,
      pods: own,
      active,
      now: api.clock.now(),
      backoff: backoffAfter(backoffs.get(key) ?? NO_BACKOFF, succeeded, failed),
      doneIndexes,
      succeeded: isIndexed(job) ? doneIndexes.size : (status.succeeded ?? 0) + succeeded.length + uncountedSuccesses.length,
      failed: (status.failed ?? 0) + failed.length + uncountedFailures.length,
      count: {
        active: active.length,
        ready: active.filter(isPodReady).length,
        terminating: own.filter((pod) => isTerminating(pod) && !isPodFinished(pod)).length,
      },
    };
  }

  function expire(key: string, job: Job, { lastTransitionTime }: Condition): void {
    const seconds = job.spec.ttlSecondsAfterFinished;
    if (seconds === undefined || job.metadata.deletionTimestamp !== undefined) return;
    const left = Date.parse(lastTransitionTime ?? '') + seconds * 1000 - api.clock.now();
    if (left > 0) return queue.addAfter(key, left);
    const { namespace = '', name, uid } = job.metadata;
    api.remove(jobs, namespace, name, { propagation: 'Foreground', preconditions: { uid } });
  }

  function sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const job = api.get(jobs, namespace, name);
    const ended = job && ending(job);
    if (!job || ended) {
      backoffs.delete(key);
      if (job && ended) expire(key, job, ended);
      return;
    }
    if (job.spec.managedBy !== undefined && job.spec.managedBy !== 'kubernetes.io/job-controller') return;
    const now = api.clock.now();
    let status = statusOf(job);
    if (status.startTime === undefined && !isSuspended(job)) status = { ...status, startTime: timestamp(now) };
    const look = lookAt(key, job, status);
    let verdict = verdictOf(job, look.pods, look.failed, status.startTime, now);
    let failure: Failure | undefined;
    if (verdict) removeActive(look, look.active, false);
    else {
      const deadline = deadlineLeft(job, status.startTime, now);
      if (deadline !== undefined) queue.addAfter(key, deadline);
      const managed = job.metadata.deletionTimestamp === undefined;
      if (managed) failure = manage(look);
      if (isDone(job, look.succeeded, look.count.active))
        verdict = jobCondition(
          'SuccessCriteriaMet',
          'True',
          'CompletionsReached',
          'Reached expected number of succeeded pods',
          now,
        );
      else if (managed) status = withSuspension(job, status, now);
    }
    track(look, status, verdict);
    if (failure) queue.retry(key);
  }

  return {
    name: 'jobs',
    stop() {
      owned.stop();
      stopPods();
      stopJobs();
      queue.stop();
      strays.stop();
    },
  };
}
