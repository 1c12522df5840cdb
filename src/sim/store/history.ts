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
  const ring: (VersionedEvent | undefined)[] = [];
  let first = 0;
  let length = 0;
  let forgotten = 0;

  const dropFirst = () => {
    const dropped = ring[first];
    ring[first] = undefined;
    first = (first + 1) % capacity;
    length--;
    if (dropped && dropped.version > forgotten) forgotten = dropped.version;
  };

  return {
    add(version, event) {
      if (capacity === 0) {
        forgotten = version;
        return;
      }
      if (length === capacity) dropFirst();
      ring[(first + length) % capacity] = { version, event };
      length++;
    },
    since(version) {
      if (version < forgotten) return undefined;
      const found: VersionedEvent[] = [];
      // From the newest backwards: a watch that comes back has missed few.
      for (let i = length - 1; i >= 0; i--) {
        const entry = ring[(first + i) % capacity];
        if (!entry || entry.version <= version) break;
        found.push(entry);
      }
      return found.reverse();
    },
    compact(version) {
      for (let oldest = ring[first]; oldest && oldest.version <= version; oldest = ring[first]) dropFirst();
      forgotten = Math.max(forgotten, version);
    },
    oldest: () => forgotten,
  };
}
