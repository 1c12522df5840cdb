/**
 * What is known of one ReplicaSet's pods between two looks at it, so that a look costs what changed since the last one: a pod that is replaced
 * wakes its set three or four times, and going through thirty pods each time would be most of the time of a simulated rotation.
 */
import type { Millis } from '../../lib/clock.ts';
import { conditionOf } from '../conditions.ts';
import type { Pod, ReplicaSet } from '../kubernetes.ts';
import { availableIn } from './pod-state.ts';

// What a pod counts for, as bits: there may be 150,000 of them.
const LABELLED = 1;
const READY = 2;
const AVAILABLE = 4;

export interface ReplicaCounts {
  readonly active: number;
  readonly fullyLabeled: number;
  readonly ready: number;
  readonly available: number;
}

export interface ReplicaTally {
  /** Uids of pods to look at again. */
  dirty: Set<string>;
  /** Uids of the active pods, in the order in which they came. */
  readonly pods: ReadonlyMap<string, number>;
  counts(): ReplicaCounts;
  /** Counts an active pod, in place of what it counted for before. */
  put(rs: ReplicaSet, pod: Pod, now: Millis): void;
  drop(uid: string): void;
  /** Counts those as available whose time has come. Returns how long until the next; undefined when none waits. */
  ripen(now: Millis): Millis | undefined;
  /** Whether the pods were counted by this template and minReadySeconds. */
  isFor(rs: ReplicaSet): boolean;
}

function isFullyLabelled({ spec }: ReplicaSet, { metadata }: Pod): boolean {
  const labels = metadata.labels ?? {};
  const wanted = spec.template.metadata?.labels;
  for (const key in wanted) if (labels[key] !== wanted[key]) return false;
  return true;
}

export function createReplicaTally({ spec: { template, minReadySeconds = 0 } }: ReplicaSet): ReplicaTally {
  const pods = new Map<string, number>();
  // Made late: without minReadySeconds nobody ever waits.
  let waiting: Map<string, Millis> | undefined;
  let fullyLabeled = 0;
  let ready = 0;
  let available = 0;
  function count(bits: number, sign: 1 | -1): void {
    if (bits & LABELLED) fullyLabeled += sign;
    if (bits & READY) ready += sign;
    if (bits & AVAILABLE) available += sign;
  }
  function set(uid: string, bits: number): void {
    count(pods.get(uid) ?? 0, -1);
    count(bits, 1);
    pods.set(uid, bits);
  }
  return {
    dirty: new Set(),
    pods,
    counts: () => ({ active: pods.size, fullyLabeled, ready, available }),
    put(rs, pod, now) {
      const { uid } = pod.metadata;
      const isReady = conditionOf(pod.status?.conditions, 'Ready')?.status === 'True';
      const wait = isReady ? availableIn(pod, minReadySeconds, now) : undefined;
      set(uid, (isFullyLabelled(rs, pod) ? LABELLED : 0) | (isReady ? READY : 0) | (wait === 0 ? AVAILABLE : 0));
      if (wait) (waiting ??= new Map()).set(uid, now + wait);
      else waiting?.delete(uid);
    },
    drop(uid) {
      count(pods.get(uid) ?? 0, -1);
      pods.delete(uid);
      waiting?.delete(uid);
    },
    ripen(now) {
      if (!waiting) return undefined;
      let next: Millis | undefined;
      for (const [uid, at] of waiting) {
        if (at > now) next = Math.min(next ?? at, at);
        else {
          waiting.delete(uid);
          set(uid, (pods.get(uid) ?? 0) | AVAILABLE);
        }
      }
      return next === undefined ? undefined : next - now;
    },
    isFor: ({ spec }) => spec.template === template && (spec.minReadySeconds ?? 0) === minReadySeconds,
  };
}
