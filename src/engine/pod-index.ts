/**
 * The pods of one namespace by whom they serve, kept up to date change by change: a namespace may hold thousands of pods, and a pass
 * asks for the few of one owner at a time. What is handed out keeps its identity until a pod of that owner changes.
 */
import type { Pod } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import { readHandover } from './handover.ts';

export interface PodIndex extends Iterable<Pod> {
  /** Pods that the owner runs, terminating ones too, and those that were detached from it. */
  of(ownerUid: string): readonly Pod[];
  /**
   * Since when it is certain to be Ready. Its condition says so in whole seconds, cut off: the second that this leaves open is as long as
   * all that its endpoints are given to spread. So what was seen counts; of what was Ready when it was first seen, the end of that second.
   */
  readySince(pod: Pod): Millis | undefined;
  /** Label keys that an affinity or a spread of some pod looks at. */
  affinityKeys(): Iterable<string>;
}

export interface LivePodIndex extends PodIndex {
  put(pod: Pod, now: Millis): void;
  drop(pod: Pod): void;
}

/** The owner's copy list: its pods by uid, and the list as last asked for. */
interface Shelf {
  readonly pods: Map<string, Pod>;
  list: readonly Pod[] | null;
}

/** What the times of conditions may lack. */
const CUT_OFF_MS = 999;
const NONE: readonly Pod[] = [];
const servedBy = (pod: Pod): string | undefined => pod.owner?.uid ?? readHandover(pod)?.owner.uid;

export function createPodIndex(): LivePodIndex {
  const pods = new Map<string, Pod>();
  const shelves = new Map<string, Shelf>();
  const keys = new Map<string, number>();
  const becameReady = new Map<string, Millis>(); // by uid

  const count = (list: readonly string[], by: 1 | -1) => {
    for (const key of list) {
      const now = (keys.get(key) ?? 0) + by;
      if (now > 0) keys.set(key, now);
      else keys.delete(key);
    }
  };
  const leave = (owner: string | undefined, uid: string) => {
    const shelf = owner === undefined ? undefined : shelves.get(owner);
    if (!shelf) return;
    shelf.pods.delete(uid);
    shelf.list = null;
    if (shelf.pods.size === 0) shelves.delete(owner as string);
  };

  return {
    [Symbol.iterator]: () => pods.values(),
    of(ownerUid) {
      const shelf = shelves.get(ownerUid);
      return shelf ? (shelf.list ??= [...shelf.pods.values()]) : NONE;
    },
    readySince: ({ uid, readyAt }) => becameReady.get(uid) ?? (readyAt === undefined ? undefined : readyAt + CUT_OFF_MS),
    affinityKeys: () => keys.keys(),
    put(pod, now) {
      const old = pods.get(pod.uid);
      if (!pod.ready) becameReady.delete(pod.uid);
      else if (old?.ready === false) becameReady.set(pod.uid, now);
      const owner = servedBy(pod);
      if (old) {
        const before = servedBy(old);
        if (before !== owner) leave(before, old.uid);
        count(old.affinityKeys, -1);
      }
      pods.set(pod.uid, pod);
      count(pod.affinityKeys, 1);
      if (owner === undefined) return;
      let shelf = shelves.get(owner);
      if (!shelf) shelves.set(owner, (shelf = { pods: new Map(), list: null }));
      shelf.pods.set(pod.uid, pod);
      shelf.list = null;
    },
    drop({ uid }) {
      const old = pods.get(uid);
      if (!old) return;
      pods.delete(uid);
      becameReady.delete(uid);
      leave(servedBy(old), uid);
      count(old.affinityKeys, -1);
    },
  };
}

/** The index of pods that do not change any more. */
export function indexPods(pods: Iterable<Pod>): PodIndex {
  const index = createPodIndex();
  for (const pod of pods) index.put(pod, 0);
  return index;
}
