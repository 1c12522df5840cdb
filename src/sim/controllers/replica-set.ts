/** The ReplicaSet controller: as many pods as asked for (pkg/controller/replicaset/replica_set.go). */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Latency, Part } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { pods, replicaSets } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { Writable } from '../copy.ts';
import type { Condition, Pod, ReplicaSet } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import { timestamp } from '../timestamp.ts';
import { claim, controllerOf } from './controller-ref.ts';
import { inDeletionOrder } from './deletion-order.ts';
import { createEventRecorder } from './event-recorder.ts';
import { watchOwned } from './owned.ts';
import { changesCounts, isActive } from './pod-state.ts';
import { podFromTemplate } from './pod-template.ts';
import { createReplicaTally, type ReplicaCounts, type ReplicaTally } from './replica-tally.ts';
import { slowStart } from './slow-start.ts';
import { createWorkQueue, splitKey } from './work-queue.ts';

const BURST = 500;

export type ReplicaSetStatus = NonNullable<ReplicaSet['status']>;

/** Whether the API server refused because the namespace goes away: then there is nothing to do. */
export function isNamespaceTerminating(error: unknown): boolean {
  return error instanceof Failure && (error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false);
}

function failureOf(error: unknown): Failure | undefined {
  if (error === undefined) return undefined;
  if (error instanceof Failure) return error;
  throw error;
}

function conditionsAfter(
  rs: ReplicaSet,
  active: number,
  failure: Failure | undefined,
  now: Millis,
): readonly Condition[] | undefined {
  const conditions = rs.status?.conditions;
  const failed = conditionOf(conditions, 'ReplicaFailure');
  if (!failure) return failed ? conditions?.filter(({ type }) => type !== 'ReplicaFailure') : conditions;
  if (failed) return conditions;
  return [
    ...(conditions ?? []),
    {
      type: 'ReplicaFailure',
      status: 'True',
      lastTransitionTime: timestamp(now),
      reason: active < (rs.spec.replicas ?? 1) ? 'FailedCreate' : 'FailedDelete',
      message: failure.message,
    },
  ];
}

/** The status for these counts; `failure` is why pods could not be made or deleted. */
export function replicaSetStatus(
  rs: ReplicaSet,
  { active, fullyLabeled, ready, available }: ReplicaCounts,
  failure: Failure | undefined,
  now: Millis,
): ReplicaSetStatus {
  const conditions = conditionsAfter(rs, active, failure, now);
  const { generation } = rs.metadata;
  const status: Writable<ReplicaSetStatus> = { replicas: active };
  // Zero counts are not on the wire (omitempty).
  if (fullyLabeled > 0) status.fullyLabeledReplicas = fullyLabeled;
  if (ready > 0) status.readyReplicas = ready;
  if (available > 0) status.availableReplicas = available;
  if (generation !== undefined) status.observedGeneration = generation;
  if (conditions && conditions.length > 0) status.conditions = conditions;
  return status;
}

export interface ControllerOptions {
  /** From a change to the controller's look at it. Default: 0 ms. */
  readonly latency?: Latency | undefined;
  /** Whether it tells what it does in Events. Default: no. */
  readonly events?: boolean | undefined;
}

export function startReplicaSets(api: Api, { latency, events }: ControllerOptions = {}): Part {
  const recorder = createEventRecorder(api, replicaSets, 'replicaset-controller', events);
  const queue = createWorkQueue({ clock: api.clock, random: api.random, latency, process: sync });
  const tallies = new Map<string, ReplicaTally>();
  const tallyOf = (pod: Pod) => {
    const controller = controllerOf(pod);
    return controller?.kind === 'ReplicaSet' ? tallies.get(controller.uid) : undefined;
  };
  const stopPods = api.watch(pods, (event) => {
    const { object, previous } = event;
    const handedOver = previous && previous.metadata.ownerReferences !== object.metadata.ownerReferences;
    if (handedOver) tallyOf(previous)?.dirty.add(object.metadata.uid);
    if (handedOver || changesCounts(event)) tallyOf(object)?.dirty.add(object.metadata.uid);
  });
  const stopSets = api.watch(replicaSets, ({ type, object }) => {
    if (type === 'DELETED') tallies.delete(object.metadata.uid);
  });
  const owned = watchOwned({
    api,
    owners: replicaSets,
    dependents: pods,
    selectorOf: (rs) => rs.spec.selector,
    changed: (key) => queue.add(key),
    // Its own status is all that this controller writes; nothing here is decided by it.
    ownerMatters: ({ object, previous }) =>
      object.spec !== previous?.spec || object.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp,
    dependentMatters: changesCounts,
  });

  /** Active pods of all ReplicaSets of the same Deployment, per node: those to thin out first. */
  function neighboursOf(rs: ReplicaSet): (nodeName: string) => number {
    const controller = controllerOf(rs);
    const siblings = controller ? api.dependents(replicaSets, controller.uid) : [rs];
    const perNode = new Map<string, number>();
    for (const { metadata } of siblings)
      for (const pod of api.dependents(pods, metadata.uid)) {
        const nodeName = pod.spec.nodeName ?? '';
        if (isActive(pod)) perNode.set(nodeName, (perNode.get(nodeName) ?? 0) + 1);
      }
    return (nodeName) => perNode.get(nodeName) ?? 0;
  }

  // No expectations as upstream keeps them: reads here see every write made before, so that nothing is created twice.
  function manage(rs: ReplicaSet, tally: ReplicaTally): Failure | undefined {
    const namespace = rs.metadata.namespace ?? '';
    const missing = (rs.spec.replicas ?? 1) - tally.pods.size;
    if (missing > 0) {
      const draft = podFromTemplate(rs.spec.template, replicaSets, rs);
      const error = slowStart(Math.min(missing, BURST), () => {
        try {
          const pod = api.create(pods, draft);
          recorder.tell(rs, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
        } catch (refusal) {
          if (isNamespaceTerminating(refusal)) return;
          if (refusal instanceof Failure) recorder.tell(rs, 'Warning', 'FailedCreate', `Error creating: ${refusal.message}`);
          throw refusal;
        }
      });
      return failureOf(error);
    }
    if (missing === 0) return undefined;
    const surplus = Math.min(-missing, BURST);
    const active = found(tally.pods.keys());
    const doomed =
      surplus < active.length ? inDeletionOrder(active, { now: api.clock.now(), neighbours: neighboursOf(rs) }) : active;
    let first: unknown;
    for (const { metadata } of doomed.slice(0, surplus)) {
      try {
        api.remove(pods, namespace, metadata.name);
        recorder.tell(rs, 'Normal', 'SuccessfulDelete', `Deleted pod: ${metadata.name}`);
      } catch (error) {
        if (!(error instanceof Failure && error.code === 404)) first ??= error;
      }
    }
    return failureOf(first);
  }

  const found = (uids: Iterable<string>) => [...uids].flatMap((uid) => api.byUid(pods, uid) ?? []);

  /** The set's active pods, after it took and let go of what it should. */
  function claimPods(rs: ReplicaSet, now: Millis): ReplicaTally {
    const { uid } = rs.metadata;
    let tally = tallies.get(uid);
    if (!tally?.isFor(rs)) {
      tally = createReplicaTally(rs);
      tallies.set(uid, tally);
      for (const { metadata } of api.dependents(pods, uid)) tally.dirty.add(metadata.uid);
    }
    const left = tally.dirty;
    tally.dirty = new Set();
    const candidates = owned.orphansFor(rs).filter(isActive);
    for (const changed of left) {
      const pod = api.byUid(pods, changed);
      if (pod && isActive(pod)) candidates.push(pod);
    }
    for (const pod of claim({ api, ownerKind: replicaSets, owner: rs, selector: rs.spec.selector, kind: pods, candidates })) {
      tally.put(rs, pod, now);
      left.delete(pod.metadata.uid);
    }
    for (const each of left) tally.drop(each);
    return tally;
  }

  function sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const rs = api.get(replicaSets, namespace, name);
    if (!rs) return;
    const now = api.clock.now();
    const tally = claimPods(rs, now);
    const nextAvailable = tally.ripen(now);
    // Counted before: what is made and deleted now is in the status after the next look, as upstream.
    const counts = tally.counts();
    const failure = rs.metadata.deletionTimestamp === undefined ? manage(rs, tally) : undefined;
    const status = replicaSetStatus(rs, counts, failure, now);
    api.modify(replicaSets, namespace, name, (current) => (same(current.status, status) ? current : { ...current, status }), {
      subresource: 'status',
    });
    if (failure) queue.retry(key);
    if (nextAvailable !== undefined) queue.addAfter(key, nextAvailable);
  }

  return {
    name: 'replica-sets',
    stop() {
      owned.stop();
      stopPods();
      stopSets();
      queue.stop();
    },
  };
}
