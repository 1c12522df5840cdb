/** The objects of one reflector: by uid, and by namespace and name. */
import type { ObjectMeta } from '../api/objects.ts';

export interface Change<T> {
  readonly type: 'Added' | 'Modified' | 'Deleted';
  /** For Deleted: the last state that is known. */
  readonly object: T;
  /** What the store held before; absent for Added. */
  readonly old?: T;
}

export interface Store<T extends ObjectMeta> {
  readonly size: number;
  items(): IterableIterator<T>;
  get(namespace: string, name: string): T | undefined;
  byUid(uid: string): T | undefined;
  /** Objects whose index key (see `createStore`) is `key`. */
  indexed(key: string): readonly T[];
  /** Puts an object in; the changes come in the order in which they happened (a re-created name: Deleted, then Added). */
  put(object: T): Change<T>[];
  /** Takes an object out; `last` is its final state, when known. */
  remove(uid: string, last?: T): Change<T>[];
}

/** `indexBy` gives the key of an object for `indexed`, such as the node name of a pod. */
export function createStore<T extends ObjectMeta>(indexBy?: (object: T) => string): Store<T> {
  const byUid = new Map<string, T>();
  // Two levels rather than "namespace/name" keys: 150,000 joined strings would be 10 MB.
  const byName = new Map<string, Map<string, T>>();
  const index = new Map<string, Map<string, T>>();

  const enter = (object: T) => {
    byUid.set(object.uid, object);
    let names = byName.get(object.namespace);
    if (!names) byName.set(object.namespace, (names = new Map()));
    names.set(object.name, object);
    if (!indexBy) return;
    const key = indexBy(object);
    let group = index.get(key);
    if (!group) index.set(key, (group = new Map()));
    group.set(object.uid, object);
  };

  const leave = (object: T) => {
    byUid.delete(object.uid);
    const names = byName.get(object.namespace);
    names?.delete(object.name);
    if (names?.size === 0) byName.delete(object.namespace);
    if (!indexBy) return;
    const key = indexBy(object);
    const group = index.get(key);
    group?.delete(object.uid);
    if (group?.size === 0) index.delete(key);
  };

  return {
    get size() {
      return byUid.size;
    },
    items: () => byUid.values(),
    get: (namespace, name) => byName.get(namespace)?.get(name),
    byUid: (uid) => byUid.get(uid),
    indexed: (key) => [...(index.get(key)?.values() ?? [])],
    put(object) {
      const old = byUid.get(object.uid);
      if (old) {
        // A relist sends every object again. Versions are opaque: equal or not, never older or newer.
        if (old.resourceVersion === object.resourceVersion) return [];
        if (indexBy && indexBy(old) !== indexBy(object)) leave(old);
        enter(object);
        return [{ type: 'Modified', object, old }];
      }
      const namesake = byName.get(object.namespace)?.get(object.name);
      const changes: Change<T>[] = namesake ? this.remove(namesake.uid) : [];
      enter(object);
      changes.push({ type: 'Added', object });
      return changes;
    },
    remove(uid, last) {
      const old = byUid.get(uid);
      if (!old) return [];
      leave(old);
      return [{ type: 'Deleted', object: last ?? old, old }];
    },
  };
}
