/**
 * PodDisruptionBudget arithmetic: would the API server let this pod go now? Follows kube-apiserver's
 * pkg/registry/core/pod/storage/eviction.go (canIgnorePDB, checkAndDecrement). Evictions that are under way are counted
 * against the budget before its status shows them, so that hardly a request is spent on a refusal.
 */
import { selectorKeys } from '../api/label-selector.ts';
import type { Budget, Pod } from '../api/objects.ts';
import type { BudgetNumbers } from './blocker.ts';
import type { BudgetIndex } from './budget-index.ts';

export type Verdict =
  | { readonly kind: 'Free' } // no budget is asked
  | { readonly kind: 'Allowed'; readonly budget: Budget }
  | { readonly kind: 'Refused'; readonly budget: Budget; readonly never: boolean }
  | { readonly kind: 'Crowded'; readonly budget: Budget } // it would allow more than are worth sending at once
  | { readonly kind: 'Stale'; readonly budget: Budget }
  | { readonly kind: 'NotComputed'; readonly budget: Budget; readonly message: string }
  | { readonly kind: 'Several'; readonly budgets: readonly Budget[] };

// Above about 8 evictions at once per budget the server only conflicts with itself on the budget's status and retries inside
// the request in steps of 0.5 s: 40 pods took 2.0 s 8 at a time, 3.0 s all at once (kube-apiserver 1.34.4).
const MAX_IN_FLIGHT_PER_BUDGET = 8;
// With many budgets at work the lanes get narrower: every change of a pod makes the disruption controller write the budget's status,
// and an eviction that meets such a write also waits 0.5 s inside the server.
const IN_FLIGHT_OVER_ALL_BUDGETS = 32;

const keys = new WeakMap<object, string>();

export function budgetKey(budget: { readonly namespace: string; readonly name: string }): string {
  let key = keys.get(budget);
  if (key === undefined) keys.set(budget, (key = `${budget.namespace}/${budget.name}`)); // asked for each waiting pod in each pass
  return key;
}

export function budgetNumbers(budget: Budget): BudgetNumbers {
  const { namespace, name, currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed } = budget;
  return { namespace, name, currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed };
}

/**
 * True when no number of healthy pods ever allows a disruption: the budget demands every expected pod. Only a pod more than
 * expected (a handover) or a change of the budget helps.
 */
export function neverAllows(budget: Budget): boolean {
  return budget.expectedPods > 0 && budget.desiredHealthy >= budget.expectedPods;
}

export interface BudgetBook {
  /** Budgets that select the pod; a null selector selects nothing, an empty one everything (policy/v1). */
  of(pod: Pod): readonly Budget[];
  verdict(pod: Pod): Verdict;
  /** Charges one eviction of this pass. */
  charge(budget: Budget): void;
  /** Divides what may be in flight at once among this many budgets. */
  spread(over: number): void;
  /** Label keys without which a budget would begin or cease to select the pod. */
  keysHolding(pod: Pod): ReadonlySet<string>;
  /** Label keys that the budgets of a namespace select on. */
  keysIn(namespace: string): ReadonlySet<string>;
}

export function openBudgetBook(budgets: BudgetIndex, charges: (budget: string) => number): BudgetBook {
  const chargedNow = new Map<string, number>();
  let lane = MAX_IN_FLIGHT_PER_BUDGET;

  const of: BudgetBook['of'] = ({ namespace, labels }) => budgets.of(namespace, labels);

  const verdict: BudgetBook['verdict'] = (pod) => {
    // Such pods run nothing that a budget could protect: canIgnorePDB.
    if (pod.phase === 'Pending' || pod.phase === 'Succeeded' || pod.phase === 'Failed' || pod.deletedAt !== undefined)
      return { kind: 'Free' };
    const matching = of(pod);
    const budget = matching[0];
    if (!budget) return { kind: 'Free' };
    // The server answers 500 here, whatever the numbers are (kubernetes/kubernetes#75957).
    if (matching.length > 1) return { kind: 'Several', budgets: matching };
    if (!pod.ready) {
      if (budget.unhealthyPodEviction === 'AlwaysAllow') return { kind: 'Free' };
      if (budget.currentHealthy >= budget.desiredHealthy && budget.desiredHealthy > 0) return { kind: 'Free' };
    }
    // kubernetes pkg/controller/disruption/disruption.go, failSafe: nothing is allowed, and the generation stays unobserved.
    if (budget.syncFailed !== undefined) return { kind: 'NotComputed', budget, message: budget.syncFailed };
    if (budget.observedGeneration < budget.generation) return { kind: 'Stale', budget };
    const key = budgetKey(budget);
    const pending = charges(key) + (chargedNow.get(key) ?? 0);
    if (pending < budget.disruptionsAllowed) return { kind: pending < lane ? 'Allowed' : 'Crowded', budget };
    // An eviction that the server gave up between the charge and the deletion keeps its pod counted out for two minutes
    // (disruption.go, DeletionTimeout): that passes.
    const charged = budget.disruptedPods.includes(pod.name);
    return {
      kind: 'Refused',
      budget,
      never: !charged && pending === 0 && budget.disruptionsAllowed === 0 && neverAllows(budget),
    };
  };

  return {
    of,
    verdict,
    charge(budget) {
      const key = budgetKey(budget);
      chargedNow.set(key, (chargedNow.get(key) ?? 0) + 1);
    },
    keysHolding(pod) {
      const holding = of(pod).flatMap((budget) => (budget.selector ? selectorKeys(budget.selector) : []));
      // Losing a label can make a pod match another budget only where that one wants the label away.
      const others = [...budgets.in(pod.namespace)].flatMap((budget) => budget.selector?.matchExpressions ?? []);
      return new Set([...holding, ...others.map((term) => term.key)]);
    },
    keysIn: budgets.keysIn,
    spread(over) {
      lane = Math.max(1, Math.min(MAX_IN_FLIGHT_PER_BUDGET, Math.ceil(IN_FLIGHT_OVER_ALL_BUDGETS / Math.max(1, over))));
    },
  };
}
