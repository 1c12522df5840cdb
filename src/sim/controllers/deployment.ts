/** The Deployment controller: rolls from one ReplicaSet to the next (pkg/controller/deployment). */
import type { Api, Part } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { deployments, pods, replicaSets } from '../apiserver/kinds.ts';
import { conditionOf, isPodFinished } from '../conditions.ts';
import type { Deployment, Labels, ReplicaSet } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import { claim, controllerOf } from './controller-ref.ts';
import {
  byAge,
  countAnnotation,
  DESIRED_REPLICAS,
  isRollingUpdate,
  isSaturated,
  newSize,
  oldSizes,
  proportionalSizes,
  REVISION,
  revisionOf,
  wanted,
} from './deployment-limits.ts';
import { newReplicaSet, nextRevision, replicasAnnotations, revisionAnnotations, revisionsOf } from './deployment-revision.ts';
import {
  countedStatus,
  type DeploymentStatus,
  isComplete,
  type News,
  progressCheckIn,
  progressDeadline,
  rolloutStatus,
  withNews,
} from './deployment-status.ts';
import { createEventRecorder } from './event-recorder.ts';
import { watchOwned } from './owned.ts';
import { sameTemplate } from './pod-template.ts';
import { type ControllerOptions, isNamespaceTerminating } from './replica-set.ts';
import { createWorkQueue, keyOf, splitKey } from './work-queue.ts';

const ALL_REVISIONS = 2 ** 31 - 1;
const active = (sets: readonly ReplicaSet[]) => sets.filter((set) => wanted(set) > 0);
const together = (current: ReplicaSet | undefined, old: readonly ReplicaSet[]) => (current ? [...old, current] : old);

function sameMetadata({ metadata: a }: Deployment, { metadata: b }: Deployment): boolean {
  return a.deletionTimestamp === b.deletionTimestamp && a.labels === b.labels && a.annotations === b.annotations;
}

const isRolledOut = ({ status }: Deployment) =>
  conditionOf(status?.conditions, 'Progressing')?.reason === 'NewReplicaSetAvailable';

/** One look at one Deployment. Every write brings the copy up to date, so that the next step builds on it. */
interface Rollout {
  deployment: Deployment;
  current: ReplicaSet | undefined;
  old: readonly ReplicaSet[];
}

export function startDeployments(api: Api, { latency, events }: ControllerOptions = {}): Part {
  const recorder = createEventRecorder(api, deployments, 'deployment-controller', events);
  const queue = createWorkQueue({ clock: api.clock, random: api.random, latency, process: sync });
  const owned = watchOwned({
    api,
    owners: deployments,
    dependents: replicaSets,
    selectorOf: (deployment) => deployment.spec.selector,
    changed: (key) => queue.add(key),
    // Its own status matters while a roll-out goes on: for its deadline, and for the old sets when it is done.
    ownerMatters: ({ object, previous }) =>
      object.spec !== previous?.spec || !sameMetadata(object, previous) || !isRolledOut(previous),
  });
  // Recreate waits for the last old pod, which its ReplicaSet has forgotten the moment it was deleted.
  const stopPods = api.watch(pods, ({ type, object }) => {
    const controller = type === 'DELETED' ? controllerOf(object) : undefined;
    const set = controller?.kind === 'ReplicaSet' ? api.byUid(replicaSets, controller.uid) : undefined;
    const owner = set && controllerOf(set);
    const deployment = owner && api.byUid(deployments, owner.uid);
    if (deployment && !isRollingUpdate(deployment)) queue.add(keyOf(deployment));
  });

  function writeStatus(rollout: Rollout, status: DeploymentStatus, annotations?: Labels): void {
    const { namespace = '', name } = rollout.deployment.metadata;
    const written = api.modify(
      deployments,
      namespace,
      name,
      (before) =>
        same(before.status, status) && (!annotations || same(before.metadata.annotations, annotations))
          ? before
          : { ...before, metadata: annotations ? { ...before.metadata, annotations } : before.metadata, status },
      { subresource: 'status' },
    );
    if (written) rollout.deployment = written;
  }

  function tell(rollout: Rollout, news: News): void {
    const { status = {} } = rollout.deployment;
    writeStatus(rollout, { ...status, conditions: withNews(status.conditions ?? [], news, api.clock.now()) });
  }

  function writeSet(set: ReplicaSet, change: (before: ReplicaSet) => ReplicaSet): ReplicaSet {
    return api.modify(replicaSets, set.metadata.namespace ?? '', set.metadata.name, change) ?? set;
  }

  function tellScaled(deployment: Deployment, name: string, from: number, to: number): void {
    const direction = from < to ? 'up' : 'down';
    recorder.tell(deployment, 'Normal', 'ScalingReplicaSet', `Scaled ${direction} replica set ${name} from ${from} to ${to}`);
  }

  function scaleTo({ deployment }: Rollout, set: ReplicaSet, replicas: number): boolean {
    const annotations = replicasAnnotations(deployment);
    writeSet(set, (before) => ({
      ...before,
      metadata: { ...before.metadata, annotations: { ...before.metadata.annotations, ...annotations } },
      spec: { ...before.spec, replicas },
    }));
    const before = wanted(set);
    if (before === replicas) return false;
    tellScaled(deployment, set.metadata.name, before, replicas);
    return true;
  }

  /** The revision is in the Deployment's annotations, which upstream writes through its status: that leaves the generation as it is. */
  function setRevision(rollout: Rollout, revision: string, news?: News): void {
    const { metadata, status = {} } = rollout.deployment;
    const annotations = { ...metadata.annotations, [REVISION]: revision };
    const conditions = news ? withNews(status.conditions ?? [], news, api.clock.now()) : status.conditions;
    writeStatus(rollout, { ...status, ...(conditions && { conditions }) }, annotations);
  }

  /** Brings annotations, minReadySeconds and revision of the current set up to date (sync.go, getNewReplicaSet). */
  function syncRevision(rollout: Rollout): void {
    const { deployment, current, old } = rollout;
    if (!current) return;
    const { annotations = {} } = current.metadata;
    const next = revisionAnnotations(deployment, annotations, nextRevision(old));
    const { minReadySeconds } = deployment.spec;
    if (!same(annotations, next) || (current.spec.minReadySeconds ?? 0) !== (minReadySeconds ?? 0)) {
      rollout.current = writeSet(current, (before) => ({
        ...before,
        metadata: { ...before.metadata, annotations: next },
        spec: { ...before.spec, minReadySeconds: minReadySeconds ?? 0 },
      }));
      return;
    }
    const revision = annotations[REVISION] ?? '';
    const unjudged =
      progressDeadline(deployment) !== undefined && !conditionOf(deployment.status?.conditions, 'Progressing')
        ? ({
            type: 'Progressing',
            status: 'True',
            reason: 'FoundNewReplicaSet',
            message: `Found new replica set "${current.metadata.name}"`,
          } as const)
        : undefined;
    if (deployment.metadata.annotations?.[REVISION] !== revision || unjudged) setRevision(rollout, revision, unjudged);
  }

  function createCurrent(rollout: Rollout): void {
    const { deployment, old } = rollout;
    const draft = newReplicaSet(deployment, old);
    const { name = '', namespace = '' } = draft.metadata;
    try {
      rollout.current = api.create(replicaSets, draft);
      if (wanted(rollout.current) > 0) tellScaled(deployment, name, 0, wanted(rollout.current));
    } catch (error) {
      if (!(error instanceof Failure) || isNamespaceTerminating(error)) throw error;
      if (error.code !== 409) {
        if (progressDeadline(deployment) !== undefined) {
          const message = `Failed to create new replica set "${name}": ${error.message}`;
          tell(rollout, { type: 'Progressing', status: 'False', reason: 'ReplicaSetCreateError', message });
        }
        throw error;
      }
      const there = api.get(replicaSets, namespace, name);
      const ours = there && controllerOf(there)?.uid === deployment.metadata.uid;
      if (!ours || !sameTemplate(there.spec.template, deployment.spec.template)) {
        // Another template with this hash: the count of collisions goes into the next one.
        const { status = {} } = deployment;
        writeStatus(rollout, { ...status, collisionCount: (status.collisionCount ?? 0) + 1 });
        throw error;
      }
      rollout.current = there;
    }
    const message = `Created new replica set "${name}"`;
    const news = { type: 'Progressing', status: 'True', reason: 'NewReplicaSetCreated', message } as const;
    setRevision(rollout, String(nextRevision(old)), progressDeadline(deployment) === undefined ? undefined : news);
  }

  /** Sizes for a change of spec.replicas: all to the one active set, or each its share (sync.go, scale). */
  function scale(rollout: Rollout): void {
    const { deployment, current, old } = rollout;
    const sets = active(together(current, old));
    const only = sets.length === 0 ? (current ?? old.toSorted(byAge).at(-1)) : sets.length === 1 ? sets[0] : undefined;
    if (only) {
      if (wanted(only) !== wanted(deployment)) scaleTo(rollout, only, wanted(deployment));
    } else if (isSaturated(deployment, current)) {
      for (const set of active(old)) scaleTo(rollout, set, 0);
    } else if (isRollingUpdate(deployment)) {
      for (const [set, size] of proportionalSizes(deployment, sets)) scaleTo(rollout, set, size);
    }
  }

  /** Old sets without pods, but for the last few revisions. */
  function cleanUp({ deployment, old }: Rollout): void {
    const limit = deployment.spec.revisionHistoryLimit ?? 10;
    const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (limit === ALL_REVISIONS || alive.length <= limit) return;
    const oldest = alive.toSorted((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b)).slice(0, alive.length - limit);
    for (const { metadata, spec, status } of oldest) {
      const observed = (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
      if (spec.replicas === 0 && (status?.replicas ?? 0) === 0 && observed)
        api.remove(replicaSets, metadata.namespace ?? '', metadata.name);
    }
  }

  function syncRolloutStatus(rollout: Rollout): void {
    const { current, old } = rollout;
    const before = rollout.deployment;
    const now = api.clock.now();
    writeStatus(rollout, rolloutStatus(before, together(current, old), current, now));
    const check = rollout.deployment === before ? progressCheckIn(before, now) : undefined;
    if (check !== undefined) queue.addAfter(keyOf(before), check);
  }

  function rollOver(rollout: Rollout): void {
    if (!rollout.current) createCurrent(rollout);
    const { deployment, current, old } = rollout;
    if (!current) return;
    const sets = together(current, old);
    const size = wanted(current) > wanted(deployment) ? wanted(deployment) : newSize(deployment, sets, wanted(current));
    if (size === wanted(current) || !scaleTo(rollout, current, size)) {
      const sizes = old.length > 0 ? oldSizes(deployment, current, active(old)) : undefined;
      for (const [set, rest] of sizes ?? []) scaleTo(rollout, set, rest);
      if (!sizes?.size && isComplete(deployment, deployment.status)) cleanUp(rollout);
    }
    syncRolloutStatus(rollout);
  }

  const hasPods = (set: ReplicaSet) =>
    (set.status?.replicas ?? 0) > 0 || api.dependents(pods, set.metadata.uid).some((pod) => !isPodFinished(pod));

  function recreate(rollout: Rollout): void {
    const running = active(rollout.old);
    for (const set of running) scaleTo(rollout, set, 0);
    if (running.length === 0 && !rollout.old.some(hasPods)) {
      if (!rollout.current) createCurrent(rollout);
      const { deployment, current } = rollout;
      if (current && wanted(current) !== wanted(deployment)) scaleTo(rollout, current, wanted(deployment));
      if (isComplete(deployment, deployment.status)) cleanUp(rollout);
    }
    syncRolloutStatus(rollout);
  }

  /** So that a pause is not taken for lack of progress. */
  function tellPause(rollout: Rollout): void {
    const { spec, status } = rollout.deployment;
    const reason = conditionOf(status?.conditions, 'Progressing')?.reason;
    if (progressDeadline(rollout.deployment) === undefined || reason === 'ProgressDeadlineExceeded') return;
    const told = reason === 'DeploymentPaused';
    if (spec.paused && !told)
      tell(rollout, { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' });
    else if (!spec.paused && told)
      tell(rollout, { type: 'Progressing', status: 'Unknown', reason: 'DeploymentResumed', message: 'Deployment is resumed' });
  }

  function step(rollout: Rollout): void {
    const counted = () => {
      const { deployment, current, old } = rollout;
      writeStatus(rollout, countedStatus(deployment, together(current, old), current, api.clock.now()));
    };
    if (rollout.deployment.metadata.deletionTimestamp !== undefined) {
      syncRevision(rollout);
      return counted();
    }
    tellPause(rollout);
    syncRevision(rollout);
    const { deployment } = rollout;
    const scaled = active(together(rollout.current, rollout.old)).some((set) => {
      const desired = countAnnotation(set, DESIRED_REPLICAS);
      return desired !== undefined && desired !== wanted(deployment);
    });
    if (deployment.spec.paused || scaled) {
      scale(rollout);
      if (deployment.spec.paused) cleanUp(rollout);
      return counted();
    }
    if (isRollingUpdate(deployment)) rollOver(rollout);
    else recreate(rollout);
  }

  function sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const deployment = api.get(deployments, namespace, name);
    if (!deployment) return;
    const sets = claim({
      api,
      ownerKind: deployments,
      owner: deployment,
      selector: deployment.spec.selector,
      kind: replicaSets,
      candidates: [...api.dependents(replicaSets, deployment.metadata.uid), ...owned.orphansFor(deployment)],
    });
    try {
      step({ deployment, ...revisionsOf(deployment, sets) });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!isNamespaceTerminating(error)) queue.retry(key);
    }
  }

  return {
    name: 'deployments',
    stop() {
      owned.stop();
      stopPods();
      queue.stop();
    },
  };
}
