/** Removes pods that no kubelet will remove: of nodes that are gone, of nodes out of service, finished ones beyond a number (pkg/controller/podgc). */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Part } from '../apiserver/api.ts';
import { nodes, pods } from '../apiserver/kinds.ts';
import { isNodeReady, isPodFinished, observedGeneration, withCondition } from '../conditions.ts';
import type { Condition, Node, Pod } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';

export interface PodGcOptions {
  /** Between two collections. Default 20 s. */
  readonly period?: Millis;
  /** How long a node that pods are bound to has to be missing. Default 40 s. */
  readonly quarantine?: Millis;
  /** Finished pods that may stay; 0 keeps all. Default 12,500. */
  readonly finishedPods?: number;
}

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
const manager = { subresource: 'status', fieldManager: 'kube-controller-manager' } as const;

function isOutOfService(node: Node): boolean {
  return !isNodeReady(node) && (node.spec.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE);
}

/** Those that were evicted for want of resources first, then the oldest. */
function collectedFirst(a: Pod, b: Pod): number {
  const evicted = (pod: Pod) => (pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted' ? 0 : 1);
  const key = (pod: Pod) => `${pod.metadata.creationTimestamp} ${pod.metadata.name}`;
  return evicted(a) - evicted(b) || (key(a) < key(b) ? -1 : 1);
}

export function startPodGc(api: Api, options: PodGcOptions = {}): Part {
  const { clock } = api;
  const { period = 20_000, quarantine = 40_000, finishedPods = 12_500 } = options;
  const begun = clock.now();
  /** Nodes that are bound to but missing, and since when. */
  const missing = new Map<string, Millis>();
  const finished = new Set<string>();
  const unplaced = new Set<string>();
  const outOfService = new Set<string>();
  let cancel: (() => void) | undefined;

  /** Upstream looks every 20 s at every pod; here it is the same instants, and only what is known to be amiss. */
  function look(): void {
    cancel ??= clock.after(period - ((clock.now() - begun) % period), () => {
      cancel = undefined;
      collect();
    });
  }

  function collect(): void {
    for (const node of outOfService)
      for (const pod of podsOf(node)) if (pod.metadata.deletionTimestamp !== undefined) remove(pod);
    const excess = finished.size - finishedPods;
    if (finishedPods > 0 && excess > 0) for (const pod of byUids(finished).sort(collectedFirst).slice(0, excess)) remove(pod);
    for (const [node, since] of missing) {
      if (clock.now() < since + quarantine) continue;
      missing.delete(node);
      if (api.get(nodes, '', node)) continue;
      for (const pod of podsOf(node)) remove(pod, orphaned());
    }
    for (const pod of byUids(unplaced)) remove(pod);
    if (missing.size > 0 || outOfService.size > 0) look();
  }

  const podsOf = (node: string) => api.list(pods, { fields: { 'spec.nodeName': node } });
  const byUids = (uids: ReadonlySet<string>) => [...uids].flatMap((uid) => api.byUid(pods, uid) ?? []);

  function orphaned(): Condition {
    return { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };
  }

  function remove(pod: Pod, condition?: Condition): void {
    const { namespace = '', name, uid } = pod.metadata;
    const now = timestamp(clock.now());
    if (!isPodFinished(pod)) {
      const fail = (each: Pod): Pod => {
        const generation = observedGeneration(each);
        const conditions = condition && withCondition(each.status?.conditions, { ...condition, ...generation }, now);
        return { ...each, status: { ...each.status, ...generation, phase: 'Failed', ...(conditions && { conditions }) } };
      };
      api.modify(pods, namespace, name, fail, manager);
    }
    api.remove(pods, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
  }

  function miss(node: string): void {
    if (missing.has(node) || api.get(nodes, '', node)) return;
    missing.set(node, clock.now());
    look();
  }

  const stops = [
    api.watch(
      nodes,
      ({ type, object }) => {
        const { name } = object.metadata;
        if (type === 'DELETED') {
          outOfService.delete(name);
          if (podsOf(name).length > 0) miss(name);
        } else if (isOutOfService(object)) {
          outOfService.add(name);
          look();
        } else {
          outOfService.delete(name);
        }
      },
      { replay: true },
    ),
    api.watch(
      pods,
      ({ type, object, previous }) => {
        const { uid, deletionTimestamp } = object.metadata;
        const { nodeName } = object.spec;
        if (type === 'DELETED') {
          finished.delete(uid);
          unplaced.delete(uid);
          return;
        }
        if (isPodFinished(object) && !finished.has(uid)) {
          finished.add(uid);
          if (finishedPods > 0 && finished.size > finishedPods) look();
        }
        if (nodeName && previous?.spec.nodeName !== nodeName) miss(nodeName);
        if (!nodeName && deletionTimestamp !== undefined && !unplaced.has(uid)) {
          unplaced.add(uid);
          look();
        }
      },
      { replay: true },
    ),
  ];

  return {
    name: 'pod-gc',
    stop() {
      for (const stop of stops) stop();
      cancel?.();
    },
  };
}
