/** Node selectors and node affinity (component-helpers scheduling/corev1/nodeaffinity). */
import type { Labels, Node, NodeSelectorTerm, SelectorRequirement } from '../kubernetes.ts';
import { matchesSelector } from '../store/label-selectors.ts';

function matchesField({ key, operator, values = [] }: SelectorRequirement, name: string): boolean {
  if (key !== 'metadata.name') return false;
  if (operator === 'In') return values.includes(name);
  return operator === 'NotIn' && !values.includes(name);
}

/** True when the term holds; a term without any requirement holds nowhere. */
export function matchesTerm({ matchExpressions, matchFields }: NodeSelectorTerm, name: string, labels: Labels): boolean {
  if (!matchExpressions?.length && !matchFields?.length) return false;
  if (matchExpressions?.length && !matchesSelector({ matchExpressions }, labels)) return false;
  return !matchFields || matchFields.every((requirement) => matchesField(requirement, name));
}

/** True when one of the terms holds; no term at all holds nowhere. */
export function matchesTerms(terms: readonly NodeSelectorTerm[], { metadata }: Pick<Node, 'metadata'>): boolean {
  return terms.some((term) => matchesTerm(term, metadata.name, metadata.labels ?? {}));
}

/** A pod's nodeSelector: every pair stands on the node. */
export function matchesPairs(pairs: Labels | undefined, labels: Labels): boolean {
  for (const key in pairs) if (labels[key] !== pairs[key]) return false;
  return true;
}
