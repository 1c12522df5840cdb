/** Who selects an object, exactly: the selector index with its candidates checked. */
import type { Labels, Selector } from '../kubernetes.ts';
import { matchesSelector } from '../store/label-selectors.ts';
import { createSelectorIndex } from './selector-index.ts';

export interface SelectedBy {
  /** Without a selector it selects nothing; with an empty one everything in the namespace. */
  set(key: string, namespace: string, selector: Selector | undefined): void;
  delete(key: string): void;
  /** The keys whose selectors match, in order. */
  matching(namespace: string, labels: Labels | undefined): readonly string[];
}

const noLabels: Labels = {};
const none: readonly string[] = [];

export function createSelectedBy(): SelectedBy {
  const index = createSelectorIndex();
  const selectors = new Map<string, Selector>();
  // The pods of one owner share their labels, and each of them is asked about ten times on its way from one node to the next.
  let known = new Map<string, WeakMap<Labels, readonly string[]>>();
  const forget = () => {
    if (known.size > 0) known = new Map();
  };
  const remove = (key: string) => {
    index.delete(key);
    if (selectors.delete(key)) forget();
  };
  const find = (namespace: string, labels: Labels): readonly string[] => {
    const found: string[] = [];
    for (const key of index.candidates(namespace, labels)) {
      const selector = selectors.get(key);
      if (selector && matchesSelector(selector, labels)) found.push(key);
    }
    return found.length > 1 ? found.sort() : found;
  };
  return {
    delete: remove,
    set(key, namespace, selector) {
      if (!selector) return remove(key);
      index.set(key, namespace, selector);
      selectors.set(key, selector);
      forget();
    },
    matching(namespace, labels = noLabels) {
      if (selectors.size === 0) return none;
      let here = known.get(namespace);
      if (!here) known.set(namespace, (here = new WeakMap()));
      let found = here.get(labels);
      if (!found) here.set(labels, (found = find(namespace, labels)));
      return found;
    },
  };
}
