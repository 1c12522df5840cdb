/** PodDisruptionBudgets (kubernetes pkg/registry/policy/poddisruptionbudget, pkg/apis/policy/validation). */
import type { DisruptionBudget } from '../../kubernetes.ts';
import { invalidValue, notSupported, type FieldError } from '../refusals.ts';
import type { Strategy } from './strategy.ts';
import { intOrPercentErrors, nonNegative, selectorErrors } from './workload-validation.ts';
import { newSpec } from './workloads.ts';

/**
 * One label that the budget demands of its pods, as an index: an eviction looks only at the budgets of its pod's labels, not at all of its
 * namespace. Undefined for a budget that selects nothing.
 */
export function budgetBucket({ metadata, spec }: DisruptionBudget): string | undefined {
  if (!spec?.selector) return undefined;
  for (const key in spec.selector.matchLabels) return bucketOf(metadata.namespace, key, spec.selector.matchLabels[key]);
  return bucketOf(metadata.namespace);
}

/** Without a label: the budgets that demand none by name. */
export const bucketOf = (namespace = '', key = '', value = '') => `${namespace} ${key}=${value}`;

const UNHEALTHY = ['AlwaysAllow', 'IfHealthyBudget'];

/** The server shows its internal type, whose fields have no JSON names. */
const internal = ({ minAvailable, selector, maxUnavailable, unhealthyPodEvictionPolicy }: DisruptionBudget['spec']) => ({
  MinAvailable: minAvailable ?? null,
  Selector: selector ?? null,
  MaxUnavailable: maxUnavailable ?? null,
  UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy ?? null,
});

function errorsOf({ spec }: DisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec;
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    errors.push(invalidValue('spec', internal(spec), 'minAvailable and maxUnavailable cannot be both set'));
  errors.push(...intOrPercentErrors('spec.minAvailable', minAvailable));
  errors.push(...intOrPercentErrors('spec.maxUnavailable', maxUnavailable));
  errors.push(...selectorErrors('spec.selector', spec.selector));
  if (policy && !UNHEALTHY.includes(policy)) errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, UNHEALTHY));
  return errors;
}

export const budgets: Strategy<DisruptionBudget> = {
  unconditionalUpdate: false,
  newGeneration: newSpec,
  newStatus: () => ({ disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }),
  defaults: (budget) => (budget.spec ? budget : { ...budget, spec: {} }),
  validate: errorsOf,
  validateUpdate: (next, current) => (next.spec === current.spec ? [] : errorsOf(next)),
  validateStatus: ({ status }) =>
    (['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const).flatMap((field) =>
      nonNegative(`status.${field}`, status?.[field]),
    ),
};
