/** The last events of one collection, so that a watch can go on from an old version. */
import type { WatchEvent } from '../apiserver/api.ts';
import type { KubeObject } from '../kubernetes.ts';

export interface VersionedEvent {
  readonly version: number;
  readonly event: WatchEvent<KubeObject>;
}

export interface History {
  add(version: number, event: WatchEvent<KubeObject>): void;
  /** Events after `version`, oldest first; undefined when some of them are forgotten. */
  since(version: number): readonly VersionedEvent[] | undefined;
  /** Forgets what happened up to and with `version`. */
  compact(version: number): void;
  /** A watch may begin at this version or later. */
  oldest(): number;
}

/** `capacity` events are kept; 0 keeps none. */
export function createHistory(capacity: number): History {
  // Two rings, not one of pairs: most events are never asked for.
  const events: (WatchEvent<KubeObject> | undefined)[] = [];
  const versions: number[] = [];
  let first = 0;
  let length = 0;
  let forgotten = 0;

  const dropFirst = () => {
    forgotten = Math.max(forgotten, versions[first] ?? 0);
    events[first] = undefined;
    first = (first + 1) % capacity;
    length--;
  };

  return {
    add(version, event) {
      if (capacity === 0) {
        forgotten = version;
        return;
      }
      if (length === capacity) dropFirst();
      const at = (first + length) % capacity;
      events[at] = event;
      versions[at] = version;
      length++;
    },
    since(after) {
      if (after < forgotten) return undefined;
      const found: VersionedEvent[] = [];
      // From the newest backwards: a watch that comes back has missed few.
      for (let i = length - 1; i >= 0; i--) {
        const at = (first + i) % capacity;
        const version = versions[at] ?? 0;
        const event = events[at];
        if (!event || version <= after) break;
        found.push({ version, event });
      }
      return found.reverse();
    },
    compact(version) {
      for (let left = length; left > 0 && (versions[first] ?? 0) <= version; left--) dropFirst();
      forgotten = Math.max(forgotten, version);
    },
    oldest: () => forgotten,
  };
}
