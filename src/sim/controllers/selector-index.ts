/**
 * Which owners might select these labels, and which objects without an owner might a selector want, without going through a namespace:
 * each side is filed under "namespace/label=value" and only the shortest drawer is looked through.
 */
import type { Labels, Selector } from '../kubernetes.ts';

const drawerOf = (namespace: string, key: string, value: string) => `${namespace}/${key}=${value}`;

/** Things filed under all of their labels. */
export interface LabelIndex {
  add(id: string, namespace: string, labels: Labels): void;
  remove(id: string, namespace: string, labels: Labels): void;
  /** Ids of all that might match: a superset. */
  candidates(namespace: string, selector: Selector): Iterable<string>;
}

export function createLabelIndex(): LabelIndex {
  const drawers = new Map<string, Set<string>>();
  const put = (drawer: string, id: string) => {
    const ids = drawers.get(drawer);
    if (ids) ids.add(id);
    else drawers.set(drawer, new Set([id]));
  };
  const take = (drawer: string, id: string) => {
    const ids = drawers.get(drawer);
    if (ids?.delete(id) && ids.size === 0) drawers.delete(drawer);
  };
  return {
    add(id, namespace, labels) {
      put(namespace, id);
      for (const key in labels) put(drawerOf(namespace, key, labels[key] ?? ''), id);
    },
    remove(id, namespace, labels) {
      take(namespace, id);
      for (const key in labels) take(drawerOf(namespace, key, labels[key] ?? ''), id);
    },
    candidates(namespace, { matchLabels = {} }) {
      let fewest = drawers.get(namespace);
      if (!fewest) return [];
      for (const key in matchLabels) {
        const ids = drawers.get(drawerOf(namespace, key, matchLabels[key] ?? ''));
        if (!ids) return [];
        if (ids.size < fewest.size) fewest = ids;
      }
      return [...fewest];
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
  const drawers = new Map<string, Set<string>>();
  const filed = new Map<string, { readonly drawer: string; readonly selector: Selector }>();
  function remove(id: string): void {
    const entry = filed.get(id);
    if (!entry) return;
    filed.delete(id);
    const ids = drawers.get(entry.drawer);
    if (ids?.delete(id) && ids.size === 0) drawers.delete(entry.drawer);
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
        const size = drawers.get(candidate)?.size ?? 0;
        if (size < fewest) [drawer, fewest] = [candidate, size];
      }
      filed.set(id, { drawer, selector });
      const ids = drawers.get(drawer);
      if (ids) ids.add(id);
      else drawers.set(drawer, new Set([id]));
    },
    candidates(namespace, labels) {
      const found = [...(drawers.get(namespace) ?? [])];
      for (const key in labels) {
        const ids = drawers.get(drawerOf(namespace, key, labels[key] ?? ''));
        if (ids) found.push(...ids);
      }
      return found;
    },
  };
}
