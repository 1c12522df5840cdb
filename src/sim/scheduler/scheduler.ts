/** The scheduler: watches, decides, binds. Decisions are in find-node.ts; here is what starts them and what becomes of them. */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Latency, Part, WatchEvent } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { claims, namespaces, nodes, pods, volumes } from '../apiserver/kinds.ts';
import { isPodFinished } from '../conditions.ts';
import type { Node, Pod } from '../kubernetes.ts';
import { drawLatency } from '../latency.ts';
import { createClusterView, type ClusterView, type PodEntry } from './cluster-view.ts';
import { createServiceSelectors } from './default-selector.ts';
import { type Candidate, createNodeFinder } from './find-node.ts';
import { nodeChange } from './node-table.ts';
import { type Preemptor, createPreemptor } from './preempt.ts';
import { createSchedulingQueue, type QueuedPod } from './queue.ts';
import { createReporter } from './report.ts';
import { createClaimBinder } from './claim-binder.ts';
import { explainUnfit, preemptionNote, refusedEverywhere } from './unfit-message.ts';
import { type VolumeDemand, volumeDemand } from './volumes.ts';
import { createWaker } from './wake.ts';

export interface SchedulerOptions {
  /** Pods that name another scheduler are not touched. Default "default-scheduler". */
  readonly name?: string;
  /** From a pod or event being seen to the decision. Default 0 ms, still through the clock. */
  readonly latency?: Latency;
  /** What one decision takes, from its start to the next one's. Default 0: as many as there are, at one instant. */
  readonly perPod?: Millis;
  /** Takes room from pods of lower priority. Default false. */
  readonly preemption?: boolean;
  /** Writes an Event for each pod scheduled or refused. Default false. */
  readonly events?: boolean;
}

export interface Scheduler extends Part {
  /** What the scheduler knows of nodes and pods; to be read only. */
  readonly view: ClusterView;
  /** Pods that fit nowhere at the moment. */
  unschedulable(): readonly Pod[];
  /** The same as the view has them. */
  waiting(): readonly PodEntry[];
}

// A turn of the event loop decides so many at most, so that a server in the same process still answers.
const BATCH = 64;

interface Verdict {
  readonly version: number;
  readonly message: string;
}

export function startScheduler(api: Api, options: SchedulerOptions = {}): Scheduler {
  const { name = 'default-scheduler', latency, perPod = 0, preemption = false } = options;
  const { clock } = api;
  const selectors = createServiceSelectors(api);
  const view = createClusterView(selectors);
  const finder = createNodeFinder(view, api.random);
  const entries = new Map<string, PodEntry>();
  const queue = createSchedulingQueue({ clock, onReady: kick });
  const report = createReporter(api, { name, events: options.events ?? false });
  const wake = createWaker(view, queue);
  const binder = createClaimBinder(api, bind);
  const preemptor: Preemptor | undefined = preemption ? createPreemptor({ api, view, finder, name }) : undefined;
  let cancelTurn: (() => void) | undefined;
  let stopped = false;

  function kick(): void {
    if (cancelTurn || stopped) return;
    const wait = latency ? drawLatency(latency.least, latency.spread, api.random) : 0;
    cancelTurn = clock.after(wait, turn);
  }

  function turn(): void {
    cancelTurn = undefined;
    for (let left = perPod > 0 ? 1 : BATCH; left > 0; left--) {
      const pod = queue.pop();
      if (!pod) break;
      attempt(pod);
    }
    if (queue.waiting && !stopped) cancelTurn ??= clock.after(perPod, turn);
  }

  function attempt(queued: QueuedPod): void {
    const { entry } = queued;
    const { kind, pin } = entry;
    preemptor?.release(entry);
    // Pods of one class fail alike as long as nothing changes: thousands that wait for room are one decision, not thousands.
    const plain = pin === undefined && entry.claims.length === 0;
    const known = plain ? (kind.derived.get('unfit') as Verdict | undefined) : undefined;
    if (known?.version === view.version() && !preemptor) return refuse(queued, known.message);
    if (view.nodes.count === 0) return refuse(queued, 'no nodes available to schedule pods');
    const demand: VolumeDemand | undefined = entry.claims.length > 0 ? volumeDemand(api, entry.pod, entry.claims) : undefined;
    if (demand?.problem !== undefined) {
      return refuse(queued, `${refusedEverywhere(view, demand.problem)} ${preemptionNote(view, kind, new Map())}`);
    }
    const candidate: Candidate = { kind, pin, placement: view.filterOf(kind.traits.placement, demand?.rules) };
    const slot = finder.find(candidate);
    if (slot >= 0) {
      view.place(entry, slot);
      if (demand && demand.unbound.length > 0) return binder.selectNode(queued, demand.unbound, view.nodes.names[slot] ?? '');
      return bind(queued);
    }
    const message = unfitMessage(queued, candidate);
    if (message === undefined) return;
    if (plain) kind.derived.set('unfit', { version: view.version(), message } satisfies Verdict);
    refuse(queued, message);
  }

  /** Undefined when preemption has made room that the pod now waits for. */
  function unfitMessage(queued: QueuedPod, candidate: Candidate): string | undefined {
    const { entry } = queued;
    const { message, resolvable } = explainUnfit(view, candidate, finder.prepare(candidate));
    const tried = new Map(resolvable.length > 0 ? [['No preemption victims found for incoming pod', resolvable.length]] : []);
    if (!preemptor || !candidate.kind.traits.mayPreempt) return `${message} ${preemptionNote(view, candidate.kind, tried)}`;
    const outcome = preemptor.preempt(entry, candidate, resolvable);
    if (outcome.node === undefined) return `${message} ${preemptionNote(view, candidate.kind, outcome.tried)}`;
    queue.fail(queued);
    report.refused(entry.pod, message, outcome.node);
    preemptor.makeRoom(entry, outcome);
    return undefined;
  }

  function refuse(queued: QueuedPod, message: string): void {
    queue.fail(queued);
    report.refused(queued.entry.pod, message);
  }

  /** The pod stands in the view already; undone when the server refuses. */
  function bind(queued: QueuedPod): void {
    const { entry } = queued;
    const { namespace = '', name: podName } = entry.pod.metadata;
    const node = view.nodes.names[entry.slot] ?? '';
    try {
      api.bind(namespace, podName, node);
    } catch (error) {
      if (!(error instanceof Failure) || (error.code !== 404 && error.code !== 409)) throw error;
      view.unplace(entry);
      queue.retry(queued);
      return;
    }
    report.scheduled(entry.pod, node);
  }

  const isOurs = ({ metadata, spec }: Pod) =>
    metadata.deletionTimestamp === undefined &&
    !spec.nodeName &&
    !spec.schedulingGates?.length &&
    (spec.schedulerName ?? 'default-scheduler') === name;

  function drop(entry: PodEntry): void {
    const { slot, kind, uid } = entry;
    entries.delete(uid);
    queue.delete(entry);
    binder.forget(entry);
    preemptor?.release(entry);
    view.unplace(entry);
    if (slot >= 0) {
      wake.freed(slot, kind);
      for (const waiting of preemptor?.heldAt(slot) ?? []) wake.changed(waiting);
    }
    view.forget(entry);
  }

  function onPod({ type, object: pod, previous }: WatchEvent<Pod>): void {
    const { uid } = pod.metadata;
    let entry = entries.get(uid);
    if (type === 'DELETED' || isPodFinished(pod)) {
      if (entry) drop(entry);
      return;
    }
    if (entry && previous) {
      if (pod.metadata.deletionTimestamp !== undefined) view.leave(entry);
      const { kind, slot } = entry;
      if (view.reread(entry, pod)) {
        if (slot >= 0) wake.turned(slot, kind, entry.kind);
        else wake.changed(entry);
      }
    } else {
      entry = view.enter(pod);
      entries.set(uid, entry);
    }
    if (pod.spec.nodeName) {
      if (previous?.spec.nodeName) return;
      queue.delete(entry);
      preemptor?.release(entry);
      const slot = view.nodes.reserve(pod.spec.nodeName);
      if (entry.slot !== slot) {
        view.unplace(entry);
        view.place(entry, slot);
      }
      wake.placed(entry.kind);
    } else if (isOurs(pod)) queue.add(entry);
    else {
      queue.delete(entry);
      preemptor?.release(entry);
    }
  }

  function onNode({ type, object: node, previous }: WatchEvent<Node>): void {
    if (type === 'DELETED') {
      view.removeNode(node.metadata.name);
      return wake.nodesChanged();
    }
    const change = previous ? nodeChange(previous, node) : undefined;
    if (change && !change.labels && !change.taints && !change.capacity) return;
    const slot = view.setNode(node);
    wake.roomAt(slot);
    if (!change || change.labels || change.taints) wake.nodesChanged();
  }

  const waiting = () => [...queue.stuck.values()].flatMap((alike) => [...alike].map(({ entry }) => entry));

  const replay = { replay: true } as const;
  const stops = [
    api.watch(
      namespaces,
      ({ type, object }) => {
        view.registry.setNamespace(object.metadata.name, type === 'DELETED' ? undefined : (object.metadata.labels ?? {}));
        view.touch();
      },
      replay,
    ),
    api.watch(nodes, onNode, replay),
    api.watch(pods, onPod, replay),
    api.watch(claims, ({ object }) => {
      binder.claimChanged(object);
      wake.claimChanged(object);
    }),
    api.watch(volumes, () => wake.volumesChanged()),
  ];

  return {
    name: 'scheduler',
    view,
    unschedulable: () => waiting().map(({ pod }) => pod),
    waiting,
    stop() {
      stopped = true;
      cancelTurn?.();
      for (const stop of stops) stop();
      selectors.stop();
      binder.stop();
      queue.stop();
    },
  };
}
