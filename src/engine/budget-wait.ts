/** What a pod waits for that its budgets do not let go. */
import type { Budget, Pod } from '../api/objects.ts';
import type { Blocker } from './blocker.ts';
import { budgetKey, budgetNumbers, type Verdict } from './budgets.ts';
import { ownerKey, podKey } from './pods.ts';

type Refusal = Extract<Verdict, { kind: 'Refused' | 'Stale' | 'NotComputed' | 'Several' }>;

// Of hundreds of pods under one budget all but a few wait for it in every pass, and in most of them nothing about it has changed.
const waits = new WeakMap<Pod, { readonly budget: Budget; readonly never: boolean; readonly blocker: Blocker }>();

export function waitForBudget(pod: Pod, verdict: Refusal): Blocker {
  if (verdict.kind !== 'Refused') return blockerOf(pod, verdict);
  const { budget, never } = verdict;
  const known = waits.get(pod);
  if (known?.budget === budget && known.never === never) return known.blocker;
  const blocker = blockerOf(pod, verdict);
  waits.set(pod, { budget, never, blocker });
  return blocker;
}

function blockerOf(pod: Pod, verdict: Refusal): Blocker {
  const who = { pod: podKey(pod), owner: ownerKey(pod) };
  if (verdict.kind === 'Several') return { cause: 'SeveralBudgets', ...who, budgets: verdict.budgets.map(budgetKey) };
  if (verdict.kind === 'NotComputed')
    return { cause: 'BudgetNotComputed', ...who, budget: budgetNumbers(verdict.budget), message: verdict.message };
  const cause = verdict.kind === 'Stale' ? 'BudgetStale' : verdict.never ? 'BudgetNeverAllows' : 'BudgetExhausted';
  return { cause, ...who, budget: budgetNumbers(verdict.budget) };
}
