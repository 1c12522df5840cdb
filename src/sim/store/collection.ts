/**
 * The objects of one kind with their indexes. An index holds entries, not objects: an entry stays the same while its object is replaced,
 * so that a write which leaves name, owners and node alone touches no index.
 */
import type { KubeObject } from '../kubernetes.ts';
import { createMultiMap } from './multi-map.ts';

const NONE: readonly never[] = [];

export interface Entry {
  object: KubeObject;
  removed: boolean;
}

/** Which value of an object an index is built on; undefined leaves the object out. */
export type IndexBy = (object: KubeObject) => string | undefined;

export interface Collection {
  /** The namespace of a cluster-scoped object is ''. */
  find(namespace: string, name: string): Entry | undefined;
  byUid(uid: string): Entry | undefined;
  /** In no particular, but repeatable, order. */
  ownedBy(uid: string): Iterable<Entry>;
  /** By the collection's own index, unordered. */
  indexed(value: string): Iterable<Entry>;
  readonly indexes: boolean;
  /** In the order of keys ("namespace/name"); of one namespace or of all. Not to be changed, and outdated by the next insert or delete. */
  ordered(namespace?: string): readonly Entry[];
  namespaces(): Iterable<string>;
  size(): number;
  insert(object: KubeObject): Entry;
  replace(entry: Entry, object: KubeObject): void;
  delete(entry: Entry): void;
}

/**
 * The entries of one namespace: sorted when somebody asks, by merging what came since. Found by two names that somebody has at hand, not by a
 * key that would be put together, and hashed, for each of the seventy times that something about a moved pod is looked up.
 */
interface Shelf {
  readonly byName: Map<string, Entry>;
  sorted: Entry[];
  added: Entry[];
  removed: number;
}

const byName = (a: Entry, b: Entry) => (a.object.metadata.name < b.object.metadata.name ? -1 : 1);

/** The order of lists: of "namespace/name", or of the names of cluster-scoped objects. */
export function byKey({ object: { metadata: a } }: Entry, { object: { metadata: b } }: Entry): number {
  if (a.namespace !== b.namespace) return `${a.namespace}/` < `${b.namespace}/` ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

function tidy(shelf: Shelf): readonly Entry[] {
  if (shelf.removed > 0) {
    shelf.sorted = shelf.sorted.filter((entry) => !entry.removed);
    shelf.added = shelf.added.filter((entry) => !entry.removed);
    shelf.removed = 0;
  }
  if (shelf.added.length > 0) {
    // Nearly sorted input is what the sort is good at: it merges the two runs.
    shelf.added.sort(byName);
    shelf.sorted = shelf.sorted.concat(shelf.added).sort(byName);
    shelf.added = [];
  }
  return shelf.sorted;
}

export function createCollection(indexBy?: IndexBy): Collection {
  let size = 0;
  // Made when first asked for: of most kinds nobody ever asks.
  let uids: Map<string, Entry> | undefined;
  const owned = createMultiMap<Entry>();
  const index = createMultiMap<Entry>();
  const shelves = new Map<string, Shelf>();
  let all: readonly Entry[] | undefined;

  const shelfOf = (object: KubeObject) => {
    const namespace = object.metadata.namespace ?? '';
    let shelf = shelves.get(namespace);
    if (!shelf) shelves.set(namespace, (shelf = { byName: new Map(), sorted: [], added: [], removed: 0 }));
    return shelf;
  };
  const linkOwners = (entry: Entry, object: KubeObject) => {
    for (const owner of object.metadata.ownerReferences ?? NONE) owned.add(owner.uid, entry);
  };
  const unlinkOwners = (entry: Entry, object: KubeObject) => {
    for (const owner of object.metadata.ownerReferences ?? NONE) owned.delete(owner.uid, entry);
  };

  return {
    indexes: indexBy !== undefined,
    find: (namespace, name) => shelves.get(namespace)?.byName.get(name),
    byUid(uid) {
      if (!uids) {
        uids = new Map();
        for (const { byName: entries } of shelves.values())
          for (const entry of entries.values()) uids.set(entry.object.metadata.uid, entry);
      }
      return uids.get(uid);
    },
    ownedBy: (uid) => owned.get(uid),
    indexed: (value) => index.get(value),
    size: () => size,
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
    insert(object) {
      const entry: Entry = { object, removed: false };
      const shelf = shelfOf(object);
      shelf.byName.set(object.metadata.name, entry);
      shelf.added.push(entry);
      size++;
      uids?.set(object.metadata.uid, entry);
      linkOwners(entry, object);
      const value = indexBy?.(object);
      if (value !== undefined) index.add(value, entry);
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
      if (old !== undefined) index.delete(old, entry);
      if (value !== undefined) index.add(value, entry);
    },
    delete(entry) {
      const object = entry.object;
      const shelf = shelfOf(object);
      entry.removed = true;
      shelf.byName.delete(object.metadata.name);
      size--;
      uids?.delete(object.metadata.uid);
      unlinkOwners(entry, object);
      const value = indexBy?.(object);
      if (value !== undefined) index.delete(value, entry);
      shelf.removed++;
      if (shelf.removed === shelf.sorted.length + shelf.added.length) shelves.delete(object.metadata.namespace ?? '');
      // Nobody may ever list this namespace: what is gone must not pile up.
      else if (shelf.removed > 64 && shelf.removed * 2 > shelf.sorted.length + shelf.added.length) tidy(shelf);
      all = undefined;
    },
  };
}
