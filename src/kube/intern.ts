/** One copy of each string and label set that many objects share: 150,000 pods have about 2,500 label sets and 5,000 node names. */
import type { StringMap } from '../api/objects.ts';

/**
 * A cache of two generations: when the young one is full the old one is dropped, and what is still in use moves back on its next hit.
 * So names of long gone objects do not pile up in a process that runs for months.
 */
export function createCache<V>(perGeneration: number): (key: string, make: () => V) => V {
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  return (key, make) => {
    const hit = young.get(key);
    if (hit !== undefined) return hit;
    const value = old.get(key) ?? make();
    if (young.size >= perGeneration) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
    return value;
  };
}

const strings = createCache<string>(50_000);
const labelSets = createCache<StringMap>(20_000);

/** The one copy of `text`. For strings that repeat (namespaces, nodes, owners), not for pod names and uids. */
export function intern(text: string): string {
  return text === '' ? '' : strings(text, () => text);
}

export const NO_LABELS: StringMap = Object.freeze({});

/** The one copy of a label set. `key` tells sets apart (raw bytes or JSON text); `make` runs when the set is new. */
export function internLabels(key: string, make: () => StringMap): StringMap {
  return key === '' ? NO_LABELS : labelSets(key, make);
}
