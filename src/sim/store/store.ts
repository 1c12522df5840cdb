/** What etcd and the watch cache are to the real API server: versions, collections, history, watchers. It knows no rules. */
import type { WatchEvent } from '../apiserver/api.ts';
import type { KubeObject } from '../kubernetes.ts';
import { createCollection, type Collection, type Entry, type IndexBy } from './collection.ts';
import { type Audience, createFanOut, type Handler, type Watcher, type Watchers } from './fan-out.ts';
import { createHistory, type History, type VersionedEvent } from './history.ts';

export interface Shelved {
  readonly objects: Collection;
  readonly history: History;
  readonly audience: Audience;
}

/** The part of a collection that a watch wants: by one value of the collection's index, else by a namespace, else all of it. */
export interface WatchScope {
  readonly value?: string | undefined;
  readonly namespace?: string | undefined;
}

export interface Store {
  /** The version of the last commit. */
  version(): number;
  /** `id` is "group/plural"; made when first asked for. */
  shelf(id: string, indexBy?: IndexBy): Shelved;
  /** Each takes an object that nobody else holds yet, gives it the next version, and tells the watchers. */
  insert(shelf: Shelved, object: KubeObject): KubeObject;
  replace(shelf: Shelved, entry: Entry, object: KubeObject): KubeObject;
  remove(shelf: Shelved, entry: Entry, last: KubeObject): KubeObject;
  watch(shelf: Shelved, handler: Handler, replay: boolean): () => void;
  /**
   * Undefined when events since `version` are forgotten. The missed ones come first, by the same handler, before this returns; they may
   * be of objects outside of the scope. Later ones are only of objects that are in it, or were.
   */
  watchSince(shelf: Shelved, version: number, handler: Handler, scope?: WatchScope): (() => void) | undefined;
  /** Forgets the events up to `version` (default: all). */
  compact(version?: number): void;
}

export interface StoreOptions {
  /** Events kept of each kind for watches that come back. Default 4096. */
  readonly history?: number;
}

/** Returns what takes it out again. */
function joinPart(parts: Map<string, Watchers>, key: string, watcher: Watcher): () => void {
  parts.set(key, [...(parts.get(key) ?? []), watcher]);
  return () => {
    const left = parts.get(key)?.filter((each) => each !== watcher) ?? [];
    if (left.length > 0) parts.set(key, left);
    else parts.delete(key);
  };
}

export function createStore({ history = 4096 }: StoreOptions = {}): Store {
  const shelves = new Map<string, Shelved>();
  const fanOut = createFanOut();
  let version = 0;
  let compacted = 0;

  const stamp = (object: KubeObject) => {
    version++;
    (object.metadata as { resourceVersion: string }).resourceVersion = String(version);
    return object;
  };
  const tell = (shelf: Shelved, event: WatchEvent<KubeObject>) => {
    shelf.history.add(version, event);
    const { all, byNamespace, byValue } = shelf.audience;
    if (all.length + byNamespace.size + byValue.size > 0) fanOut.tell(shelf.audience, version, event);
  };
  const join = ({ audience }: Shelved, handler: Handler, { value, namespace }: WatchScope = {}): (() => void) => {
    const watcher: Watcher = { handler, since: version, stopped: false };
    const leave =
      value !== undefined
        ? joinPart(audience.byValue, value, watcher)
        : namespace !== undefined
          ? joinPart(audience.byNamespace, namespace, watcher)
          : undefined;
    if (!leave) audience.all = [...audience.all, watcher];
    return () => {
      if (watcher.stopped) return;
      watcher.stopped = true;
      if (leave) leave();
      else audience.all = audience.all.filter((each) => each !== watcher);
    };
  };

  return {
    version: () => version,
    shelf(id, indexBy) {
      let shelf = shelves.get(id);
      if (!shelf) {
        const audience: Audience = { all: [], byNamespace: new Map(), byValue: new Map(), indexBy };
        shelf = { objects: createCollection(indexBy), history: createHistory(history), audience };
        shelf.history.compact(compacted);
        shelves.set(id, shelf);
      }
      return shelf;
    },
    insert(shelf, object) {
      shelf.objects.insert(stamp(object));
      tell(shelf, { type: 'ADDED', object });
      return object;
    },
    replace(shelf, entry, object) {
      const previous = entry.object;
      shelf.objects.replace(entry, stamp(object));
      tell(shelf, { type: 'MODIFIED', object, previous });
      return object;
    },
    remove(shelf, entry, last) {
      const previous = entry.object;
      shelf.objects.delete(entry);
      tell(shelf, { type: 'DELETED', object: stamp(last), previous });
      return last;
    },
    watch(shelf, handler, replay) {
      const there = replay ? shelf.objects.ordered().map((entry) => entry.object) : [];
      const stop = join(shelf, handler);
      // Held: a handler that writes while it is told what is there must hear ADDED before the MODIFIED that it caused.
      fanOut.hold(() => {
        for (const object of there) handler({ type: 'ADDED', object });
      });
      return stop;
    },
    watchSince(shelf, since, handler, scope) {
      const missed: readonly VersionedEvent[] | undefined = shelf.history.since(since);
      if (!missed) return undefined;
      const stop = join(shelf, handler, scope);
      fanOut.hold(() => {
        for (const { event } of missed) handler(event);
      });
      return stop;
    },
    compact(to = version) {
      compacted = Math.max(compacted, to);
      for (const shelf of shelves.values()) shelf.history.compact(to);
    },
  };
}
