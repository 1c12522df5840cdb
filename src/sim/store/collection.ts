/**
 * The objects of one kind with their indexes. An index holds entries, not objects: an entry stays the same while its object is replaced,
 * so that a write which leaves name, owners and node alone touches no index.
 */
import type { KubeObject } from '../kubernetes.ts';

export interface Entry {
  object: KubeObject;
  /** "namespace/name", or the name of a cluster-scoped object. Lists are in the order of keys. */
  readonly key: string;
  removed: boolean;
}

/** Which value of an object an index is built on; undefined leaves the object out. */
export type IndexBy = (object: KubeObject) => string | undefined;

export interface Collection {
  find(key: string): Entry | undefined;
  byUid(uid: string): Entry | undefined;
  /** In no particular, but repeatable, order. */
  ownedBy(uid: string): Iterable<Entry>;
  /** By the collection's own index, unordered. */
  indexed(value: string): Iterable<Entry>;
  readonly indexes: boolean;
  /** In the order of keys; of one namespace or of all. Not to be changed, and outdated by the next insert or delete. */
  ordered(namespace?: string): readonly Entry[];
  namespaces(): Iterable<string>;
  size(): number;
  insert(key: string, object: KubeObject): Entry;
  replace(entry: Entry, object: KubeObject): void;
  delete(entry: Entry): void;
}

/** The entries of one namespace: sorted when somebody asks, by merging what came since. */
interface Shelf {
  sorted: Entry[];
  added: Entry[];
  removed: number;
}

const byKey = (a: Entry, b: Entry) => (a.key < b.key ? -1 : 1);

function tidy(shelf: Shelf): readonly Entry[] {
  if (shelf.removed > 0) {
    shelf.sorted = shelf.sorted.filter((entry) => !entry.removed);
    shelf.added = shelf.added.filter((entry) => !entry.removed);
    shelf.removed = 0;
  }
  if (shelf.added.length > 0) {
    // Nearly sorted input is what the sort is good at: it merges the two runs.
    shelf.added.sort(byKey);
    shelf.sorted = shelf.sorted.concat(shelf.added).sort(byKey);
    shelf.added = [];
  }
  return shelf.sorted;
}

function link(index: Map<string, Set<Entry>>, value: string, entry: Entry) {
  const set = index.get(value);
  if (set) set.add(entry);
  else index.set(value, new Set([entry]));
}

function unlink(index: Map<string, Set<Entry>>, value: string, entry: Entry) {
  const set = index.get(value);
  if (!set) return;
  set.delete(entry);
  if (set.size === 0) index.delete(value);
}

export function createCollection(indexBy?: IndexBy): Collection {
  const entries = new Map<string, Entry>();
  // Made when first asked for: of most kinds nobody ever asks.
  let uids: Map<string, Entry> | undefined;
  const owned = new Map<string, Set<Entry>>();
  const index = new Map<string, Set<Entry>>();
  const shelves = new Map<string, Shelf>();
  let all: readonly Entry[] | undefined;

  const shelfOf = (object: KubeObject) => {
    const namespace = object.metadata.namespace ?? '';
    let shelf = shelves.get(namespace);
    if (!shelf) shelves.set(namespace, (shelf = { sorted: [], added: [], removed: 0 }));
    return shelf;
  };
  const linkOwners = (entry: Entry, object: KubeObject) => {
    for (const owner of object.metadata.ownerReferences ?? []) link(owned, owner.uid, entry);
  };
  const unlinkOwners = (entry: Entry, object: KubeObject) => {
    for (const owner of object.metadata.ownerReferences ?? []) unlink(owned, owner.uid, entry);
  };

  return {
    indexes: indexBy !== undefined,
    find: (key) => entries.get(key),
    byUid(uid) {
      if (!uids) {
        uids = new Map();
        for (const entry of entries.values()) uids.set(entry.object.metadata.uid, entry);
      }
      return uids.get(uid);
    },
    ownedBy: (uid) => owned.get(uid) ?? [],
    indexed: (value) => index.get(value) ?? [],
    size: () => entries.size,
    namespaces: () => shelves.keys(),
    ordered(namespace) {
      if (namespace !== undefined) {
        const shelf = shelves.get(namespace);
        return shelf ? tidy(shelf) : [];
      }
      if (!all) {
        const names = [...shelves.keys()].sort((a, b) => (`${a}/` < `${b}/` ? -1 : 1));
        all = names.flatMap((name) => tidy(shelves.get(name) as Shelf));
      }
      return all;
    },
    insert(key, object) {
      const entry: Entry = { object, key, removed: false };
      entries.set(key, entry);
      uids?.set(object.metadata.uid, entry);
      shelfOf(object).added.push(entry);
      linkOwners(entry, object);
      const value = indexBy?.(object);
      if (value !== undefined) link(index, value, entry);
      all = undefined;
      return entry;
    },
    replace(entry, object) {
      const before = entry.object;
      entry.object = object;
      if (before.metadata.ownerReferences !== object.metadata.ownerReferences) {
        unlinkOwners(entry, before);
        linkOwners(entry, object);
      }
      if (!indexBy) return;
      const old = indexBy(before);
      const value = indexBy(object);
      if (old === value) return;
      if (old !== undefined) unlink(index, old, entry);
      if (value !== undefined) link(index, value, entry);
    },
    delete(entry) {
      const object = entry.object;
      entry.removed = true;
      entries.delete(entry.key);
      uids?.delete(object.metadata.uid);
      unlinkOwners(entry, object);
      const value = indexBy?.(object);
      if (value !== undefined) unlink(index, value, entry);
      const shelf = shelfOf(object);
      shelf.removed++;
      if (shelf.removed === shelf.sorted.length + shelf.added.length) shelves.delete(object.metadata.namespace ?? '');
      // Nobody may ever list this namespace: what is gone must not pile up.
      else if (shelf.removed > 64 && shelf.removed * 2 > shelf.sorted.length + shelf.added.length) tidy(shelf);
      all = undefined;
    },
  };
}
