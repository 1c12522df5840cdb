/** The StatefulSet controller (pkg/controller/statefulset). Claims are kept when their pod or set goes: the retention policy is not served. */
import type { Api, Part } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { claims, pods, statefulSets } from '../apiserver/kinds.ts';
import type { Pod, StatefulSet } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import { claim } from './controller-ref.ts';
import {
  byRevision,
  type ControllerRevision,
  isOfTemplate,
  removeRevision,
  renumber,
  revisionDraft,
  revisions,
  templateOf,
} from './controller-revision.ts';
import { createEventRecorder } from './event-recorder.ts';
import { watchOwned } from './owned.ts';
import { availableIn } from './pod-state.ts';
import { type ControllerOptions, isNamespaceTerminating } from './replica-set.ts';
import { statefulCounts, type StatefulStep, statefulSteps } from './stateful-plan.ts';
import { claimsOf, isMemberOf, podNameOf, revisionOfPod, statefulPod, withIdentity } from './stateful-pods.ts';
import { createWorkQueue, splitKey } from './work-queue.ts';

const HASH_LABEL = 'controller.kubernetes.io/hash';

interface SetStatus {
  readonly observedGeneration?: number;
  readonly currentRevision?: string;
  readonly updateRevision?: string;
  readonly collisionCount?: number;
}

interface SetRevisions {
  readonly all: readonly ControllerRevision[];
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
}

const statusOf = (set: StatefulSet): SetStatus => set.status ?? {};

export function startStatefulSets(api: Api, { latency, events }: ControllerOptions = {}): Part {
  const recorder = createEventRecorder(api, statefulSets, 'statefulset-controller', events);
  const tell = (set: StatefulSet, verb: 'create' | 'delete', pod: string) => {
    const reason = verb === 'create' ? 'SuccessfulCreate' : 'SuccessfulDelete';
    recorder.tell(set, 'Normal', reason, `${verb} Pod ${pod} in StatefulSet ${set.metadata.name} successful`);
  };
  const queue = createWorkQueue({ clock: api.clock, random: api.random, latency, process: sync });
  const selectorOf = (set: StatefulSet) => set.spec.selector;
  const owned = watchOwned({
    api,
    owners: statefulSets,
    dependents: pods,
    selectorOf,
    changed: (key) => queue.add(key),
  });
  // Read when the set is looked at; a change of one wakes nobody, as upstream.
  const history = watchOwned({ api, owners: statefulSets, dependents: revisions, selectorOf, changed: () => {} });

  function createRevision(set: StatefulSet, revision: number, hash?: string): ControllerRevision {
    return api.create(
      revisions,
      revisionDraft({
        ownerKind: statefulSets,
        owner: set,
        revision,
        hashLabel: HASH_LABEL,
        collisions: statusOf(set).collisionCount ?? 0,
        ...(hash !== undefined && { hash }),
      }),
    );
  }

  /**
   * The revision of the set's template. A status that has seen this generation has also named its revision: that one holds even when its
   * text differs from ours (written by another version of Kubernetes) or it was not loaded with the set; otherwise a cluster read from a
   * snapshot would begin to roll.
   */
  function updateRevision(set: StatefulSet, all: readonly ControllerRevision[]): ControllerRevision {
    const last = all.at(-1);
    const { observedGeneration, updateRevision: named } = statusOf(set);
    if (named !== undefined && observedGeneration === set.metadata.generation) {
      const seen = all.find(({ metadata }) => metadata.name === named);
      if (seen) return seen;
      const prefix = `${set.metadata.name}-`;
      if (named.startsWith(prefix)) return createRevision(set, (last?.revision ?? 0) + 1, named.slice(prefix.length));
    }
    const equal = all.findLast((revision) => isOfTemplate(revision, set.spec.template));
    if (!equal) return createRevision(set, (last?.revision ?? 0) + 1);
    return equal === last ? equal : (renumber(api, equal, (last?.revision ?? 0) + 1) ?? equal);
  }

  function revisionsOf(set: StatefulSet): SetRevisions {
    const all = claim({
      api,
      ownerKind: statefulSets,
      owner: set,
      selector: set.spec.selector,
      kind: revisions,
      candidates: [...api.dependents(revisions, set.metadata.uid), ...history.orphansFor(set)],
    }).toSorted(byRevision);
    const update = updateRevision(set, all);
    const current = all.find(({ metadata }) => metadata.name === statusOf(set).currentRevision) ?? update;
    return { all, current, update };
  }

  function createClaims(set: StatefulSet, ordinal: number): void {
    for (const draft of claimsOf(set, ordinal)) {
      const { name = '', namespace = '' } = draft.metadata;
      const there = api.get(claims, namespace, name);
      if (there?.metadata.deletionTimestamp !== undefined) throw new Failure(409, 'Conflict', `pvc ${name} is being deleted`);
      if (!there) api.create(claims, draft);
    }
  }

  function take(set: StatefulSet, { current, update }: SetRevisions, step: StatefulStep): void {
    const namespace = set.metadata.namespace ?? '';
    switch (step.act) {
      case 'create': {
        const revision = step.revision === 'current' ? current : update;
        createClaims(set, step.ordinal);
        // The set's own template where it is the one: it has the defaults of this server, and is shared.
        const template = revision === update ? set.spec.template : templateOf(revision);
        api.create(pods, statefulPod(set, template, revision.metadata.name, step.ordinal));
        tell(set, 'create', podNameOf(set, step.ordinal));
        return;
      }
      case 'claim':
        return createClaims(set, step.ordinal);
      case 'identify':
        api.modify(pods, namespace, step.pod.metadata.name, (pod) => withIdentity(pod, step.ordinal));
        return;
      case 'remove':
        api.remove(pods, namespace, step.pod.metadata.name);
        tell(set, 'delete', step.pod.metadata.name);
    }
  }

  function writeStatus(
    set: StatefulSet,
    own: readonly Pod[],
    steps: readonly StatefulStep[],
    { current, update }: SetRevisions,
  ): void {
    const names = { current: current.metadata.name, update: update.metadata.name };
    const counts = statefulCounts({ set, pods: own, ...names, now: api.clock.now() });
    if (steps.some((step) => step.act === 'remove' && step.because === 'updated')) counts.currentReplicas -= 1;
    const replicas = set.spec.replicas ?? 1;
    const rolled =
      (set.spec.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate' &&
      counts.updatedReplicas === replicas &&
      counts.readyReplicas === replicas &&
      counts.replicas === replicas;
    if (rolled) counts.currentReplicas = counts.updatedReplicas;
    const { replicas: running, availableReplicas, readyReplicas, currentReplicas, updatedReplicas } = counts;
    const { generation } = set.metadata;
    const status = {
      ...(generation !== undefined && { observedGeneration: generation }),
      replicas: running,
      // Zero counts but these two are not on the wire (omitempty).
      ...(readyReplicas > 0 && { readyReplicas }),
      ...(currentReplicas !== 0 && { currentReplicas }),
      ...(updatedReplicas > 0 && { updatedReplicas }),
      currentRevision: rolled ? names.update : names.current,
      updateRevision: names.update,
      collisionCount: statusOf(set).collisionCount ?? 0,
      availableReplicas,
    };
    api.modify(
      statefulSets,
      set.metadata.namespace ?? '',
      set.metadata.name,
      (before) => (same(before.status, status) ? before : { ...before, status }),
      { subresource: 'status' },
    );
  }

  function truncate(set: StatefulSet, own: readonly Pod[], { all, current, update }: SetRevisions): void {
    const live = new Set([current.metadata.name, update.metadata.name, ...own.map(revisionOfPod)]);
    const past = all.filter(({ metadata }) => !live.has(metadata.name));
    for (const revision of past.slice(0, Math.max(0, past.length - (set.spec.revisionHistoryLimit ?? 10))))
      removeRevision(api, revision);
  }

  function sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const set = api.get(statefulSets, namespace, name);
    if (!set) return;
    const named = revisionsOf(set);
    const own = claim({
      api,
      ownerKind: statefulSets,
      owner: set,
      selector: set.spec.selector,
      kind: pods,
      candidates: [...api.dependents(pods, set.metadata.uid), ...owned.orphansFor(set)],
      filter: (pod) => isMemberOf(set, pod),
    });
    const now = api.clock.now();
    const world = { set, pods: own, current: named.current.metadata.name, update: named.update.metadata.name, now };
    const steps = set.metadata.deletionTimestamp === undefined ? statefulSteps(world) : [];
    let failure: unknown;
    try {
      for (const step of steps) take(set, named, step);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure = error;
    }
    writeStatus(set, own, steps, named);
    truncate(set, own, named);
    if (failure && !isNamespaceTerminating(failure)) queue.retry(key);
    const waits = own.flatMap((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, now) || []);
    if (waits.length > 0) queue.addAfter(key, Math.min(...waits));
  }

  return {
    name: 'stateful-sets',
    stop() {
      owned.stop();
      history.stop();
      queue.stop();
    },
  };
}
