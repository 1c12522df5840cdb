/**
 * The finalizer of a NodeMaintenance and its end. The finalizer is there before anything on the node is changed, and goes when nothing of
 * ours is left on it; an ended object is deleted when it is old enough.
 */
import { finalizers } from '../api/names.ts';
import type { NodeMaintenance } from '../api/resources.ts';
import { terminalPhases } from '../engine/maintenance.ts';
import type { KubeClient } from '../kube/client.ts';
import { MERGE_PATCH } from '../kube/patch.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import { maintenancePath } from './custom-kinds.ts';
import { isStale, staleAt } from './ended.ts';
import type { Entry } from './maintenance-entry.ts';

export interface UpkeepOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Sends the request in the background; true when it was done. */
  readonly send: (what: string, request: () => Promise<unknown>) => Promise<boolean>;
  /** Some time after a request: whether it is needed still is to be looked at again. */
  readonly onAgain: (entry: Entry) => void;
  /** Its end is what keeps its node from being acted on anew. */
  readonly isNeeded: (entry: Entry) => boolean;
}

export interface Upkeep {
  keep(entry: Entry): void;
  /** Those of ended maintenances that are due: changed since the last call, or grown old. */
  dueEnded(entries: ReadonlyMap<string, Entry>): readonly Entry[];
  /** This one has ended, or has changed since it did. */
  noteEnded(entry: Entry): void;
}

const RETRY_MS = 1_000;
const SWEEP_RETRY_MS = 600_000;

export const hasFinalizer = (object: NodeMaintenance): boolean => object.metadata.finalizers?.includes(finalizers.undo) ?? false;

export function createUpkeep({ client, clock, send, onAgain, isNeeded }: UpkeepOptions): Upkeep {
  const noted = new Set<Entry>();
  /** No ended one grows old before. */
  let oldAt = Number.POSITIVE_INFINITY;

  const noteEnded = (entry: Entry) => {
    noted.add(entry);
    oldAt = Math.min(oldAt, staleAt(entry.state));
  };

  const once = (entry: Entry, what: string, againMs: Millis, request: () => Promise<unknown>) => {
    entry.housekeeping = true;
    void send(what, request).then(() =>
      clock.after(againMs, () => {
        entry.housekeeping = false;
        onAgain(entry);
      }),
    );
  };

  return {
    keep(entry) {
      const { object, state } = entry;
      if (!object || entry.unborn || entry.housekeeping) return;
      const { metadata } = object;
      // A drained node that is gone has finished, too: there is nothing to undo, and no further phase.
      const ended = terminalPhases.has(state.phase) || state.finishedAt !== undefined;
      const others = () => (metadata.finalizers ?? []).filter((each) => each !== finalizers.undo);
      const patch = (next: readonly string[]) => {
        const body = { metadata: { resourceVersion: metadata.resourceVersion, finalizers: next } };
        once(entry, `patch the finalizers of nodemaintenance ${metadata.name}`, RETRY_MS, () =>
          client.json({ method: 'PATCH', path: maintenancePath(metadata.name), contentType: MERGE_PATCH, body }),
        );
      };
      if (metadata.deletionTimestamp !== undefined && ended && hasFinalizer(object)) patch(others());
      else if (metadata.deletionTimestamp === undefined && !ended && !hasFinalizer(object)) patch([...others(), finalizers.undo]);
      else if (metadata.deletionTimestamp === undefined && isStale(state, clock.now()) && !isNeeded(entry))
        once(entry, `delete nodemaintenance ${metadata.name}`, SWEEP_RETRY_MS, () =>
          client.json({ method: 'DELETE', path: maintenancePath(metadata.name) }),
        );
    },
    noteEnded,
    dueEnded(entries) {
      if (clock.now() > oldAt) {
        oldAt = Number.POSITIVE_INFINITY;
        for (const entry of entries.values()) if (terminalPhases.has(entry.state.phase)) noteEnded(entry);
        oldAt = Math.max(oldAt, clock.now() + SWEEP_RETRY_MS);
      }
      const due = [...noted];
      noted.clear();
      return due;
    },
  };
}
