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

/** The place of one budget: who holds it sees its newest version. */
interface Slot {
  budget: Budget;
  /** Itself as a list: nearly every pod is selected by one budget. */
  alone: readonly Budget[];
}

interface Shelf {
  readonly slots: Map<string, Slot>;
  /** Which budgets select labels. Pods of one owner share their label object: each selector is tried once per owner, not per pod. */
  selecting: WeakMap<StringMap, readonly Slot[]>;
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
  const selectingOf = ({ slots, selecting }: Shelf, labels: StringMap): readonly Slot[] => {
    let found = selecting.get(labels);
    if (!found) {
      found = [...slots.values()].filter(({ budget: { selector } }) => selector && matchesSelector(selector, labels));
      selecting.set(labels, found);
    }
    return found;
  };
  const budgetsIn = (namespace: string): Budget[] => {
    const shelf = shelves.get(namespace);
    return shelf ? [...shelf.slots.values()].map(({ budget }) => budget) : [];
  };

  return {
    of(namespace, labels) {
      const shelf = shelves.get(namespace);
      const slots = shelf && selectingOf(shelf, labels);
      if (!slots?.[0]) return NONE;
      return slots.length === 1 ? slots[0].alone : slots.map(({ budget }) => budget);
    },
    in: budgetsIn,
    keysIn(namespace) {
      const shelf = shelves.get(namespace);
      if (!shelf) return NO_KEYS;
      return (shelf.keys ??= new Set(budgetsIn(namespace).flatMap(({ selector }) => (selector ? selectorKeys(selector) : []))));
    },
    put(budget) {
      const { namespace, name, selector } = budget;
      let shelf = shelves.get(namespace);
      if (!shelf) shelves.set(namespace, (shelf = { slots: new Map(), selecting: new WeakMap(), keys: null }));
      const slot = shelf.slots.get(name);
      if (!slot || !sameSelector(slot.budget.selector, selector)) forget(shelf);
      if (slot) Object.assign(slot, { budget, alone: [budget] });
      else shelf.slots.set(name, { budget, alone: [budget] });
    },
    drop({ namespace, name }) {
      const shelf = shelves.get(namespace);
      if (!shelf?.slots.delete(name)) return;
      if (shelf.slots.size === 0) shelves.delete(namespace);
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
