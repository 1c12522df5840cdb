/**
 * The disruption budgets by the pods that they select, kept up to date change by change: the status of a budget changes with each of its
 * pods, what it selects hardly ever.
 */
import { matchesSelector, selectorKeys } from '../api/label-selector.ts';
import type { Budget, LabelSelector, StringMap } from '../api/objects.ts';

export interface BudgetIndex {
  /** Those that select a pod with these labels; a null selector selects nothing, an empty one everything (policy/v1). */
  of(namespace: string, labels: StringMap): readonly Budget[];
  in(namespace: string): Iterable<Budget>;
  /** Label keys that the budgets of a namespace select on. */
  keysIn(namespace: string): ReadonlySet<string>;
}

export interface LiveBudgetIndex extends BudgetIndex {
  put(budget: Budget): void;
  drop(budget: Budget): void;
}

interface Shelf {
  readonly budgets: Map<string, Budget>;
  /** Names of the budgets that select labels. Pods of one owner share their label object: each selector is tried once per owner, not per pod. */
  selecting: WeakMap<StringMap, readonly string[]>;
  keys: ReadonlySet<string> | null;
}

const NONE: readonly Budget[] = [];
const NO_KEYS: ReadonlySet<string> = new Set();

function sameSelector(a: LabelSelector | null, b: LabelSelector | null): boolean {
  const plain = a?.matchExpressions.length === 0 && b?.matchExpressions.length === 0;
  return plain && a.matchLabels === b.matchLabels ? true : JSON.stringify(a) === JSON.stringify(b);
}

export function createBudgetIndex(): LiveBudgetIndex {
  const shelves = new Map<string, Shelf>();

  const forget = (shelf: Shelf) => {
    shelf.selecting = new WeakMap();
    shelf.keys = null;
  };
  const selectingOf = ({ budgets, selecting }: Shelf, labels: StringMap): readonly string[] => {
    let names = selecting.get(labels);
    if (!names) {
      names = [...budgets.values()].flatMap(({ name, selector }) =>
        selector && matchesSelector(selector, labels) ? [name] : [],
      );
      selecting.set(labels, names);
    }
    return names;
  };

  return {
    of(namespace, labels) {
      const shelf = shelves.get(namespace);
      if (!shelf) return NONE;
      const names = selectingOf(shelf, labels);
      return names.length === 0 ? NONE : names.map((name) => shelf.budgets.get(name) as Budget); // `drop` forgets the names
    },
    in: (namespace) => shelves.get(namespace)?.budgets.values() ?? NONE,
    keysIn(namespace) {
      const shelf = shelves.get(namespace);
      if (!shelf) return NO_KEYS;
      return (shelf.keys ??= new Set(
        [...shelf.budgets.values()].flatMap(({ selector }) => (selector ? selectorKeys(selector) : [])),
      ));
    },
    put(budget) {
      const { namespace, name, selector } = budget;
      let shelf = shelves.get(namespace);
      if (!shelf) shelves.set(namespace, (shelf = { budgets: new Map(), selecting: new WeakMap(), keys: null }));
      const old = shelf.budgets.get(name);
      shelf.budgets.set(name, budget);
      if (!old || !sameSelector(old.selector, selector)) forget(shelf);
    },
    drop({ namespace, name }) {
      const shelf = shelves.get(namespace);
      if (!shelf?.budgets.delete(name)) return;
      if (shelf.budgets.size === 0) shelves.delete(namespace);
      else forget(shelf);
    },
  };
}

/** The index of budgets that do not change any more. */
export function indexBudgets(budgets: Iterable<Budget>): BudgetIndex {
  const index = createBudgetIndex();
  for (const budget of budgets) index.put(budget);
  return index;
}
