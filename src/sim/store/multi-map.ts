/**
 * Several values to a key, each once, in the order in which they came. Most keys have a single one - a Deployment its ReplicaSet, a label its
 * application - and a Set for each of a hundred thousand of those would take a fifth of the memory of a large cluster.
 */
export interface MultiMap<V> {
  get(key: string): Iterable<V>;
  /** How many values the key has. */
  count(key: string): number;
  add(key: string, value: V): void;
  /** Whether it was there. */
  delete(key: string, value: V): boolean;
  /** Deletes all values of the key and returns them. */
  take(key: string): Iterable<V>;
  keys(): Iterable<string>;
}

const NOTHING: readonly never[] = [];

/** Values are objects or texts, never themselves a Set. */
export function createMultiMap<V extends object | string>(): MultiMap<V> {
  const known = new Map<string, V | Set<V>>();
  const get = (key: string): Iterable<V> => {
    const held = known.get(key);
    if (held === undefined) return NOTHING;
    return held instanceof Set ? held : [held];
  };
  return {
    get,
    keys: () => known.keys(),
    take(key) {
      const held = get(key);
      known.delete(key);
      return held;
    },
    count(key) {
      const held = known.get(key);
      if (held === undefined) return 0;
      return held instanceof Set ? held.size : 1;
    },
    add(key, value) {
      const held = known.get(key);
      if (held === undefined) known.set(key, value);
      else if (held instanceof Set) held.add(value);
      else if (held !== value) known.set(key, new Set([held, value]));
    },
    delete(key, value) {
      const held = known.get(key);
      if (held === value) return known.delete(key);
      if (!(held instanceof Set) || !held.delete(value)) return false;
      if (held.size === 0) known.delete(key);
      return true;
    },
  };
}
