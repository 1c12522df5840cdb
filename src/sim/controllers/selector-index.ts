/**
 * Which owners might select these labels, and which objects without an owner might a selector want, without going through a namespace:
 * each side is filed under "namespace/label=value" and only the shortest drawer is looked through.
 */
import type { Labels, Selector } from '../kubernetes.ts';
import { createMultiMap } from '../store/multi-map.ts';

const NONE: readonly never[] = [];

// V8 keeps the pieces that a text was put together from as long as the text, unless they are joined.
const kept = (text: string) => [text, ''].join('');

const drawerOf = (namespace: string, key: string, value: string) => `${namespace}/${key}=${value}`;

/** Things filed under all of their labels. */
export interface LabelIndex {
  add(id: string, namespace: string, labels: Labels): void;
  remove(id: string, namespace: string, labels: Labels): void;
  /** Ids of all that might match: a superset. */
  candidates(namespace: string, selector: Selector): Iterable<string>;
}

export function createLabelIndex(): LabelIndex {
  const drawers = createMultiMap<string>();
  return {
    add(id, namespace, labels) {
      drawers.add(namespace, id);
      for (const key in labels) drawers.add(kept(drawerOf(namespace, key, labels[key] ?? '')), id);
    },
    remove(id, namespace, labels) {
      drawers.delete(namespace, id);
      for (const key in labels) drawers.delete(drawerOf(namespace, key, labels[key] ?? ''), id);
    },
    candidates(namespace, { matchLabels }) {
      let drawer = namespace;
      let fewest = drawers.count(namespace);
      if (fewest === 0) return NONE;
      for (const key in matchLabels) {
        const candidate = drawerOf(namespace, key, matchLabels[key] ?? '');
        const count = drawers.count(candidate);
        if (count === 0) return NONE;
        if (count < fewest) [drawer, fewest] = [candidate, count];
      }
      return [...drawers.get(drawer)];
    },
  };
}

/** Selectors filed under one of their labels, the one that the fewest others are filed under. */
export interface SelectorIndex {
  /** Files the selector, in place of what was filed under this id. */
  set(id: string, namespace: string, selector: Selector): void;
  delete(id: string): void;
  /** Ids of all selectors that might match: a superset. */
  candidates(namespace: string, labels: Labels): Iterable<string>;
}

export function createSelectorIndex(): SelectorIndex {
  const drawers = createMultiMap<string>();
  const filed = new Map<string, { readonly drawer: string; readonly selector: Selector }>();
  function remove(id: string): void {
    const entry = filed.get(id);
    if (!entry) return;
    filed.delete(id);
    drawers.delete(entry.drawer, id);
  }
  return {
    delete: remove,
    set(id, namespace, selector) {
      if (filed.get(id)?.selector === selector) return;
      remove(id);
      let drawer = namespace;
      let fewest = Number.POSITIVE_INFINITY;
      for (const key in selector.matchLabels) {
        const candidate = drawerOf(namespace, key, selector.matchLabels[key] ?? '');
        const count = drawers.count(candidate);
        if (count < fewest) [drawer, fewest] = [candidate, count];
      }
      drawer = kept(drawer);
      filed.set(id, { drawer, selector });
      drawers.add(drawer, id);
    },
    candidates(namespace, labels) {
      const found = [...drawers.get(namespace)];
      for (const key in labels) for (const id of drawers.get(drawerOf(namespace, key, labels[key] ?? ''))) found.push(id);
      return found;
    },
  };
}
