/** What etcd and the watch cache are to the real API server: versions, collections, history, watchers. It knows no rules. */
import type { WatchEvent } from '../apiserver/api.ts';
import type { KubeObject } from '../kubernetes.ts';
import { createCollection, type Collection, type Entry, type IndexBy } from './collection.ts';
import { type Audience, createFanOut, type Handler, type Watcher } from './fan-out.ts';
import { createHistory, type History, type VersionedEvent } from './history.ts';

export interface Shelved {
  readonly objects: Collection;
  readonly history: History;
  readonly audience: Audience;
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
  /** Undefined when events since `version` are forgotten. The missed ones come first, by the same handler, before this returns. */
  /** `value` of the collection's index: only events of objects that have it, or had it. The missed ones may be others. */
  watchSince(shelf: Shelved, version: number, handler: Handler, value?: string): (() => void) | undefined;
  /** Forgets the events up to `version` (default: all). */
  compact(version?: number): void;
}

export interface StoreOptions {
  /** Events kept of each kind for watches that come back. Default 4096. */
  readonly history?: number;
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
    const { all, byValue } = shelf.audience;
    if (all.length + byValue.size > 0) fanOut.tell(shelf.audience, version, event);
  };
  const join = ({ audience }: Shelved, handler: Handler, value?: string): (() => void) => {
    const watcher: Watcher = { handler, since: version, stopped: false };
    const { byValue } = audience;
    if (value === undefined) audience.all = [...audience.all, watcher];
    else byValue.set(value, [...(byValue.get(value) ?? []), watcher]);
    return () => {
      if (watcher.stopped) return;
      watcher.stopped = true;
      if (value === undefined) audience.all = audience.all.filter((each) => each !== watcher);
      else {
        const left = byValue.get(value)?.filter((each) => each !== watcher) ?? [];
        if (left.length > 0) byValue.set(value, left);
        else byValue.delete(value);
      }
    };
  };

  return {
    version: () => version,
    shelf(id, indexBy) {
      let shelf = shelves.get(id);
      if (!shelf) {
        const audience: Audience = { all: [], byValue: new Map(), indexBy };
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
    watchSince(shelf, since, handler, value) {
      const missed: readonly VersionedEvent[] | undefined = shelf.history.since(since);
      if (!missed) return undefined;
      const stop = join(shelf, handler, value);
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
