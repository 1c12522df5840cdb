/** The DaemonSet controller: one pod on every node that fits (pkg/controller/daemon). */
import type { Api, Part, WatchEvent } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { daemonSets, nodes, pods } from '../apiserver/kinds.ts';
import { isPodFinished } from '../conditions.ts';
import type { DaemonSet, Node, Pod } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import { claim, controllerOf } from './controller-ref.ts';
import { revisions } from './controller-revision.ts';
import { createFleet, type Fleet } from './daemon-fleet.ts';
import { daemonHistory, truncateHistory } from './daemon-history.ts';
import { type DaemonView, nextAvailable, NO_TALLY, nodeNeeds, nodeTally } from './daemon-node.ts';
import {
  DAEMON_HASH,
  daemonPod,
  daemonTemplate,
  daemonTolerations,
  placementOn,
  targetNodeOf,
  templateGeneration,
} from './daemon-pods.ts';
import { daemonLimits, type RollingNode, rollingStep, surges } from './daemon-rolling.ts';
import { createEventRecorder } from './event-recorder.ts';
import { watchOwned } from './owned.ts';
import { type ControllerOptions, isNamespaceTerminating } from './replica-set.ts';
import { slowStart } from './slow-start.ts';
import { createWorkQueue, keyOf, splitKey } from './work-queue.ts';

const BURST = 250;

interface Work {
  readonly create: string[];
  readonly remove: Pod[];
}

export function startDaemonSets(api: Api, { latency, events }: ControllerOptions = {}): Part {
  const recorder = createEventRecorder(api, daemonSets, 'daemonset-controller', events);
  const queue = createWorkQueue({ clock: api.clock, random: api.random, latency, process: sync });
  const fleets = new Map<string, Fleet>();
  const selectorOf = (set: DaemonSet) => set.spec.selector;

  const owned = watchOwned({
    api,
    owners: daemonSets,
    dependents: pods,
    selectorOf,
    changed: (key) => queue.add(key),
    ownerMatters: ({ object, previous }) =>
      object.spec !== previous?.spec || object.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp,
  });
  // Read when the set is looked at; a change of one wakes nobody.
  const history = watchOwned({ api, owners: daemonSets, dependents: revisions, selectorOf, changed: () => {} });

  const fleetOf = (pod: Pod): Fleet | undefined => {
    const controller = controllerOf(pod);
    return controller?.kind === 'DaemonSet' ? fleets.get(controller.uid) : undefined;
  };

  function place(fleet: Fleet, pod: Pod): void {
    const node = targetNodeOf(pod);
    if (node === undefined) fleet.take(pod.metadata.uid);
    else fleet.put(pod.metadata.uid, node);
  }

  const stopPods = api.watch(pods, ({ type, object, previous }) => {
    const before = previous && fleetOf(previous);
    const after = type === 'DELETED' ? undefined : fleetOf(object);
    if (before && before !== after) before.take(object.metadata.uid);
    if (after) place(after, object);
  });

  function nodeChanged({ object, previous }: WatchEvent<Node>): void {
    if (previous && same(previous.metadata.labels, object.metadata.labels) && same(previous.spec.taints, object.spec.taints)) {
      if (api.get(nodes, '', object.metadata.name)) return;
    }
    for (const [uid, fleet] of fleets) {
      fleet.dirty.add(object.metadata.name);
      const set = api.byUid(daemonSets, uid);
      if (set) queue.add(keyOf(set));
    }
  }
  const stopNodes = api.watch(nodes, nodeChanged);

  function fleetFor(set: DaemonSet): Fleet {
    const { uid } = set.metadata;
    const known = fleets.get(uid);
    if (known) return known;
    const fleet = createFleet();
    fleets.set(uid, fleet);
    for (const pod of api.dependents(pods, uid)) if (controllerOf(pod)?.uid === uid) place(fleet, pod);
    return fleet;
  }

  const found = (uids: Iterable<string>) => [...uids].flatMap((uid) => api.byUid(pods, uid) ?? []);

  /** The set's pods on a node, after letting go of those that the selector no longer matches. */
  function podsOn(set: DaemonSet, fleet: Fleet, node: string): Pod[] {
    const candidates = found(fleet.podsOn(node));
    return claim({ api, ownerKind: daemonSets, owner: set, selector: set.spec.selector, kind: pods, candidates });
  }

  // What is finished and on its way out is the kubelet's; there is nothing left to do about it.
  const counted = (pod: Pod) => !(isPodFinished(pod) && pod.metadata.deletionTimestamp !== undefined);

  function examine(set: DaemonSet, fleet: Fleet, view: DaemonView, name: string, work: Work): void {
    const node = api.get(nodes, '', name);
    const own = podsOn(set, fleet, name).filter(counted);
    if (!node) {
      // Never bound and never will be: the pod GC only takes those that had a node.
      work.remove.push(...own.filter(({ spec, metadata }) => !spec.nodeName && metadata.deletionTimestamp === undefined));
      fleet.setTally(name, NO_TALLY);
      return;
    }
    const { spec } = set.spec.template;
    const placement = placementOn(spec, daemonTolerations(spec), node);
    const needs = nodeNeeds(view, placement, own, () => {
      const wait = fleet.backOff(name, set.metadata.generation ?? 0, view.now);
      if (wait === 0) return true;
      fleet.wake(name, view.now + wait);
      return false;
    });
    if (needs.create) work.create.push(name);
    work.remove.push(...needs.remove);
    fleet.setTally(name, nodeTally(view, placement, own));
    const wait = nextAvailable(view, own);
    if (wait !== undefined) fleet.wake(name, view.now + wait);
  }

  /** Makes and deletes up to the burst; nodes left out stay to be looked at. Returns the first refusal. */
  function carryOut(set: DaemonSet, fleet: Fleet, hash: string, { create, remove }: Work): Failure | undefined {
    if (create.length === 0 && remove.length === 0) return undefined;
    const template = daemonTemplate(set, hash);
    const creating = create.slice(0, BURST);
    const errors: unknown[] = [
      slowStart(creating.length, (index) => {
        const node = creating[index] ?? '';
        fleet.dirty.add(node);
        try {
          const pod = api.create(pods, daemonPod(set, template, node));
          recorder.tell(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
        } catch (error) {
          if (!isNamespaceTerminating(error)) throw error;
        }
      }),
    ];
    for (const pod of remove.slice(0, BURST)) {
      try {
        api.remove(pods, pod.metadata.namespace ?? '', pod.metadata.name);
        recorder.tell(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
      } catch (error) {
        if (!(error instanceof Failure && error.code === 404)) errors.push(error);
      }
    }
    const left = [...create.slice(BURST), ...remove.slice(BURST).flatMap((pod) => targetNodeOf(pod) ?? [])];
    for (const node of left) fleet.dirty.add(node);
    if (left.length > 0) queue.add(keyOf(set));
    const first = errors.find((error) => error !== undefined);
    if (first !== undefined && !(first instanceof Failure)) throw first;
    return first;
  }

  function* rollingNodes(set: DaemonSet, fleet: Fleet): Generator<RollingNode> {
    for (const name of fleet.nodes()) {
      const run = fleet.tallyOf(name).desired > 0;
      const own = podsOn(set, fleet, name).filter(counted);
      if (run || own.length > 0) yield { name, run, pods: own };
    }
  }

  function writeStatus(set: DaemonSet, { total }: Fleet): void {
    const { generation } = set.metadata;
    const unavailable = total.desired - total.available;
    const { collisionCount } = (set.status ?? {}) as { collisionCount?: number };
    const status = {
      currentNumberScheduled: total.scheduled,
      numberMisscheduled: total.misscheduled,
      desiredNumberScheduled: total.desired,
      numberReady: total.ready,
      ...(generation !== undefined && { observedGeneration: generation }),
      // Zero counts from here on are not on the wire (omitempty).
      ...(total.updated > 0 && { updatedNumberScheduled: total.updated }),
      ...(total.available > 0 && { numberAvailable: total.available }),
      ...(unavailable > 0 && { numberUnavailable: unavailable }),
      ...(collisionCount !== undefined && { collisionCount }),
    };
    const { namespace = '', name } = set.metadata;
    api.modify(daemonSets, namespace, name, (before) => (same(before.status, status) ? before : { ...before, status }), {
      subresource: 'status',
    });
  }

  function adopt(set: DaemonSet): void {
    const candidates = owned.orphansFor(set);
    claim({ api, ownerKind: daemonSets, owner: set, selector: set.spec.selector, kind: pods, candidates });
  }

  function examineDirty(set: DaemonSet, fleet: Fleet, view: DaemonView): Work {
    const { spec, hash } = { spec: set.spec, hash: view.hash };
    if (fleet.judgedBy?.spec !== spec || fleet.judgedBy.hash !== hash) {
      for (const { metadata } of api.list(nodes)) fleet.dirty.add(metadata.name);
      for (const name of fleet.nodes()) fleet.dirty.add(name);
      fleet.judgedBy = { spec, hash };
    }
    fleet.wakeDue(view.now);
    const dirty = [...fleet.dirty];
    fleet.dirty.clear();
    const work: Work = { create: [], remove: [] };
    for (const name of dirty) examine(set, fleet, view, name, work);
    return work;
  }

  function roll(set: DaemonSet, fleet: Fleet, view: DaemonView): Failure | undefined {
    const { desired, outdated } = fleet.total;
    if (outdated === 0 || (set.spec.updateStrategy?.type ?? 'RollingUpdate') !== 'RollingUpdate') return undefined;
    const { remove, create } = rollingStep(view, daemonLimits(set, desired), desired, rollingNodes(set, fleet));
    return carryOut(set, fleet, view.hash, { remove: [...remove], create: [...create] });
  }

  function sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const set = api.get(daemonSets, namespace, name);
    if (!set || set.metadata.deletionTimestamp !== undefined) return;
    const fleet = fleetFor(set);
    const all = () => [...fleet.nodes()].flatMap((node) => found(fleet.podsOn(node)));
    let failure: Failure | undefined;
    try {
      adopt(set);
      const { hash, old } = daemonHistory(api, set, history.orphansFor(set), all);
      const view: DaemonView = {
        hash,
        generation: templateGeneration(set),
        minReadySeconds: set.spec.minReadySeconds ?? 0,
        surges: surges(set),
        now: api.clock.now(),
      };
      const work = examineDirty(set, fleet, view);
      failure = carryOut(set, fleet, hash, work);
      // As upstream, which waits until it has seen what it did: the pods' own events bring the set back here.
      if (!failure && work.create.length + work.remove.length === 0) failure = roll(set, fleet, view);
      const limit = set.spec.revisionHistoryLimit ?? 10;
      truncateHistory(api, limit, old, () => new Set(all().map(({ metadata }) => metadata.labels?.[DAEMON_HASH] ?? '')));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure = error;
    }
    writeStatus(set, fleet);
    if (failure && !isNamespaceTerminating(failure)) queue.retry(key);
    // Asked for at every look: of two delays the queue keeps the earlier, and the later would be forgotten.
    const wake = fleet.nextWake();
    if (wake !== undefined) queue.addAfter(key, wake - api.clock.now());
  }

  const stopSets = api.watch(daemonSets, ({ type, object }) => {
    if (type === 'DELETED') fleets.delete(object.metadata.uid);
  });

  return {
    name: 'daemon-sets',
    stop() {
      owned.stop();
      history.stop();
      stopPods();
      stopNodes();
      stopSets();
      queue.stop();
    },
  };
}
