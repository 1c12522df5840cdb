/** Matching of label selectors, as apimachinery's labels package does it. */
import type { LabelSelector, LabelSelectorRequirement, StringMap } from './objects.ts';

function meets(requirement: LabelSelectorRequirement, labels: StringMap): boolean {
  const value = labels[requirement.key];
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && requirement.values.includes(value);
    case 'NotIn':
      // A missing key satisfies NotIn: apimachinery pkg/labels/selector.go, Requirement.Matches.
      return value === undefined || !requirement.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** True when every term holds. An empty selector matches everything here, as in Kubernetes; who wants otherwise asks `isEmptySelector`. */
export function matchesSelector(selector: LabelSelector, labels: StringMap): boolean {
  for (const key in selector.matchLabels) if (labels[key] !== selector.matchLabels[key]) return false;
  return selector.matchExpressions.every((requirement) => meets(requirement, labels));
}

export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0;
}

/** A Service's plain map selector. */
export function matchesMap(selector: StringMap, labels: StringMap): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** The label keys that a selector looks at. */
export function selectorKeys(selector: LabelSelector): string[] {
  return [...Object.keys(selector.matchLabels), ...selector.matchExpressions.map((requirement) => requirement.key)];
}
