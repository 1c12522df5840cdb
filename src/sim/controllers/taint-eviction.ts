/** Deletes pods from nodes with NoExecute taints that they do not tolerate, or tolerate only for a time (pkg/controller/tainteviction). */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Latency, Part } from '../apiserver/api.ts';
import { nodes, pods } from '../apiserver/kinds.ts';
import { observedGeneration, withPodCondition } from '../conditions.ts';
import type { Pod, Taint, Toleration } from '../kubernetes.ts';
import { tolerates } from '../scheduler/tolerations.ts';
import { timestamp } from '../timestamp.ts';
import { createWorkQueue, keyOf, splitKey } from './work-queue.ts';

/**
 * How long the pod may stay with these taints: Infinity for ever, undefined when one of them is not tolerated at all. Of each taint the first
 * toleration that matches counts (pkg/apis/core/v1/helper, GetMatchingTolerations), of all of those the shortest.
 */
export function toleratedFor(tolerations: readonly Toleration[] = [], taints: readonly Taint[]): Millis | undefined {
  let least = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const matching = tolerations.find((each) => tolerates(each, taint));
    if (!matching) return undefined;
    const { tolerationSeconds } = matching;
    if (tolerationSeconds !== undefined) least = Math.min(least, Math.max(0, tolerationSeconds) * 1000);
  }
  return least;
}

interface Planned {
  readonly since: Millis;
  readonly cancel: () => void;
}

const EVICTED = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'DeletionByTaintManager',
  message: 'Taint manager: deleting due to NoExecute taint',
} as const;

export function startTaintEviction(api: Api, options: { readonly latency?: Latency } = {}): Part {
  const { clock } = api;
  const tainted = new Map<string, readonly Taint[]>();
  const planned = new Map<string, Planned>();

  function evict(key: string, uid: string): void {
    planned.delete(key);
    const { namespace, name } = splitKey(key);
    const pod = api.get(pods, namespace, name);
    if (pod?.metadata.uid !== uid) return;
    const now = timestamp(clock.now());
    const mark = (each: Pod): Pod => withPodCondition(each, { ...EVICTED, ...observedGeneration(each) }, now);
    api.modify(pods, namespace, name, mark, { subresource: 'status', fieldManager: 'kube-controller-manager' });
    api.remove(pods, namespace, name, { preconditions: { uid } });
  }

  function cancel(key: string): void {
    planned.get(key)?.cancel();
    planned.delete(key);
  }

  function plan(pod: Pod, taints: readonly Taint[]): void {
    const key = keyOf(pod);
    const wait = toleratedFor(pod.spec.tolerations, taints);
    if (wait === Number.POSITIVE_INFINITY) return cancel(key);
    const known = planned.get(key);
    // A pod that waits already waits on, even where its time has become shorter since: taint_eviction.go, processPodOnNode.
    if (wait !== undefined && known && known.since < clock.now()) return;
    cancel(key);
    const drop = clock.after(wait ?? 0, () => evict(key, pod.metadata.uid));
    planned.set(key, { since: clock.now(), cancel: drop });
  }

  const nodeQueue = createWorkQueue({
    clock,
    random: api.random,
    latency: options.latency,
    process(name) {
      const taints = (api.get(nodes, '', name)?.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
      if (taints.length > 0) tainted.set(name, taints);
      // Nothing to call off: most changes of a node have nothing to do with its taints.
      else if (!tainted.delete(name)) return;
      for (const pod of api.list(pods, { fields: { 'spec.nodeName': name } })) {
        if (taints.length > 0) plan(pod, taints);
        else cancel(keyOf(pod));
      }
    },
  });
  const podQueue = createWorkQueue({
    clock,
    random: api.random,
    latency: options.latency,
    process(key) {
      const { namespace, name } = splitKey(key);
      const pod = api.get(pods, namespace, name);
      const taints = pod && tainted.get(pod.spec.nodeName ?? '');
      if (taints) plan(pod, taints);
    },
  });

  const stops = [
    api.watch(
      nodes,
      ({ type, object, previous }) => {
        if (type !== 'MODIFIED' || previous.spec.taints !== object.spec.taints) nodeQueue.add(object.metadata.name);
      },
      { replay: true },
    ),
    api.watch(pods, ({ type, object, previous }) => {
      if (type === 'DELETED') return cancel(keyOf(object));
      const { nodeName, tolerations } = object.spec;
      // A node that gets its taint after this looks at all of its pods itself.
      if (!nodeName || !tainted.has(nodeName)) return;
      if (previous?.spec.nodeName !== nodeName || previous.spec.tolerations !== tolerations) podQueue.add(keyOf(object));
    }),
  ];
  return {
    name: 'taint-eviction',
    stop() {
      for (const stop of stops) stop();
      nodeQueue.stop();
      podQueue.stop();
      for (const { cancel: drop } of planned.values()) drop();
    },
  };
}
