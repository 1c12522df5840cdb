/** Counts what has left a node: the engine sees only what is there. */
import type { Pod } from '../api/objects.ts';
import type { MaintenanceMemory, MovedPod } from '../engine/maintenance.ts';
import type { Millis } from '../lib/clock.ts';

export interface Progress {
  /** Pods that had to leave and have left. */
  gone(id: string): number;
  memory(id: string): MaintenanceMemory;
  /** The uids that had to leave when the node was last looked at. */
  expect(id: string, leaving: readonly Pod[]): void;
  left(id: string, pod: Pod, now: Millis): void;
  forget(id: string): void;
}

export function createProgress(): Progress {
  const byId = new Map<string, { expected: Set<string>; gone: number; at: Millis | null; moved: MovedPod[]; claims: boolean | null }>();
  const entry = (id: string) => {
    let found = byId.get(id);
    if (!found) byId.set(id, (found = { expected: new Set(), gone: 0, at: null, moved: [], claims: null }));
    return found;
  };
  return {
    gone: (id) => byId.get(id)?.gone ?? 0,
    memory(id) {
      const found = byId.get(id);
      return { progressAt: found?.at ?? null, moved: found?.moved ?? [], movedClaims: found?.claims ?? null };
    },
    expect(id, leaving) {
      const found = entry(id);
      found.claims ??= false;
      for (const pod of leaving) {
        found.expected.add(pod.uid);
        if (pod.claims.length > 0) found.claims = true;
      }
    },
    left(id, pod, now) {
      const found = entry(id);
      if (!found.expected.delete(pod.uid)) return;
      found.gone += 1;
      found.at = now;
      if (pod.owner) found.moved.push({ namespace: pod.namespace, name: pod.name, owner: pod.owner });
    },
    forget: (id) => void byId.delete(id),
  };
}
