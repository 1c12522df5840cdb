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

export function createSelectedBy(): SelectedBy {
  const index = createSelectorIndex();
  const selectors = new Map<string, Selector>();
  const remove = (key: string) => {
    index.delete(key);
    selectors.delete(key);
  };
  return {
    delete: remove,
    set(key, namespace, selector) {
      if (!selector) return remove(key);
      index.set(key, namespace, selector);
      selectors.set(key, selector);
    },
    matching(namespace, labels = noLabels) {
      const found: string[] = [];
      for (const key of index.candidates(namespace, labels)) {
        const selector = selectors.get(key);
        if (selector && matchesSelector(selector, labels)) found.push(key);
      }
      return found.length > 1 ? found.sort() : found;
    },
  };
}
