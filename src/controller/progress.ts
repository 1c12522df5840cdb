/** Counts what has left a node: the engine sees only what is there. Memory: a restart loses it, and is only more careful for it. */
import type { Pod } from '../api/objects.ts';
import type { PodReport } from '../engine/drain.ts';
import type { MaintenanceMemory, MovedPod } from '../engine/maintenance.ts';
import type { Millis } from '../lib/clock.ts';

export interface Progress {
  /** A try starts here: nothing has left yet, and this process will see everything that does. */
  begin(id: string): void;
  /** Pods that had to leave and have left. */
  gone(id: string): number;
  /** Pods that have to leave and are there. */
  remaining(id: string): number;
  memory(id: string, now: Millis): MaintenanceMemory;
  /** The pods of the node when it was last looked at. */
  expect(id: string, pods: readonly Pick<PodReport, 'pod' | 'state'>[]): void;
  left(id: string, pod: Pod, now: Millis): void;
  /** After a restart: what the status says. */
  restore(id: string, gone: number, now: Millis): void;
  forget(id: string): void;
}

interface Entry {
  readonly expected: Set<string>;
  /** Those of them that the last look has seen. */
  present: Set<string>;
  gone: number;
  at: Millis | null;
  readonly moved: MovedPod[];
  /** null: pods may have left before this process looked, with volumes that are still to be waited for. */
  claims: boolean | null;
  /** As last asked for: the same object until something has changed. */
  memory: MaintenanceMemory | undefined;
}

function isPresent(pods: readonly Pick<PodReport, 'pod' | 'state'>[], present: ReadonlySet<string>): boolean {
  let leaving = 0;
  for (const { pod, state } of pods) {
    if (state === 'Skipped') continue;
    if (!present.has(pod.uid)) return false;
    leaving += 1;
  }
  return leaving === present.size;
}

const NOTHING: MaintenanceMemory = { progressAt: null, moved: [], movedClaims: null };

export function createProgress(): Progress {
  const byId = new Map<string, Entry>();
  const fresh = (): Entry => ({
    expected: new Set(),
    present: new Set(),
    gone: 0,
    at: null,
    moved: [],
    claims: null,
    memory: undefined,
  });
  const entry = (id: string) => {
    let found = byId.get(id);
    if (!found) byId.set(id, (found = fresh()));
    return found;
  };
  return {
    begin: (id) => void byId.set(id, { ...fresh(), claims: false }),
    gone: (id) => byId.get(id)?.gone ?? 0,
    remaining: (id) => byId.get(id)?.present.size ?? 0,
    memory(id, now) {
      const found = byId.get(id);
      if (!found) return NOTHING;
      // The clock was set back: a standstill would be noticed only when it has caught up.
      if (found.at !== null && found.at > now) Object.assign(found, { at: now, memory: undefined });
      return (found.memory ??= { progressAt: found.at, moved: found.moved, movedClaims: found.claims });
    },
    expect(id, pods) {
      const found = entry(id);
      // Asked in every pass, and most find the pods of the last one.
      if (isPresent(pods, found.present)) return;
      const leaving = pods.flatMap(({ pod, state }) => (state === 'Skipped' ? [] : pod));
      found.memory = undefined;
      found.present = new Set(leaving.map((pod) => pod.uid));
      for (const pod of leaving) {
        found.expected.add(pod.uid);
        if (pod.claims.length > 0) found.claims = true;
      }
    },
    left(id, pod, now) {
      const found = entry(id);
      found.present.delete(pod.uid);
      if (!found.expected.delete(pod.uid)) return;
      found.gone += 1;
      found.at = now;
      found.memory = undefined;
      if (pod.owner) found.moved.push({ namespace: pod.namespace, name: pod.name, owner: pod.owner });
    },
    restore(id, gone, now) {
      const found = entry(id);
      found.gone = gone;
      found.memory = undefined;
      // What left before this process looked is not known: a standstill is timed from here.
      found.at = now;
    },
    forget: (id) => void byId.delete(id),
  };
}
