/** Why a policy does, or does not, want a node: one sentence. Pure. */
import { isEmptySelector, matchesSelector } from '../../api/label-selector.ts';
import type { LabelSelector, LabelSelectorRequirement, Node } from '../../api/objects.ts';
import type { MaintenancePolicy } from '../../api/resources.ts';
import { parsePolicy } from '../../api/validate.ts';
import { compilePolicy } from '../../controller/compile.ts';
import type { Millis } from '../../lib/clock.ts';
import { createConditionTimes } from '../../reasons/condition.ts';
import { asksOf, createNewestVersions } from '../../reasons/newest-versions.ts';
import { matchReason } from '../../reasons/reason.ts';
import { elapsed } from '../elapsed.ts';

export interface PolicyView {
  readonly policy: string;
  readonly selects: boolean;
  readonly matches: boolean;
  /** Why not, or the reasons that match. */
  readonly because: readonly string[];
}

/** @param peers the nodes of the cluster, for reasons that compare */
export function policyView(written: MaintenancePolicy, node: Node, now: Millis, peers: readonly Node[]): PolicyView {
  const base = { policy: written.metadata.name, matches: false };
  const parsed = parsePolicy(written);
  // The API server lets some through, like a time zone that nobody knows; the controller leaves such a policy alone.
  if (!parsed.ok) {
    const because = parsed.errors.map(({ path, message }) => `${path}: ${message}`).join(', ');
    return { ...base, selects: false, because: [`it cannot be read: ${because}`] };
  }
  const policy = parsed.value;
  const { selector, reasons } = compilePolicy(policy);
  if (isEmptySelector(selector))
    return { ...base, selects: false, because: ['its nodeSelector is empty, which selects no node'] };
  if (!matchesSelector(selector, node.labels)) return { ...base, selects: false, because: [mismatch(selector, node)] };
  const times = createConditionTimes();
  times.see(node, now);
  const newest = createNewestVersions();
  newest.track(asksOf(reasons));
  for (const each of peers) newest.see(each);
  const context = { now, conditionSince: times.since, newestVersion: newest.newest };
  const looked = reasons.map((rule) => ({ rule, match: matchReason(rule, node, context) }));
  const hits = looked.flatMap(({ match }) => (match.pass ? [match.message] : []));
  const held = policy.spec.paused ? ['the policy is paused'] : [];
  if (hits.length > 0) return { ...base, selects: true, matches: true, because: [...hits, ...held] };
  const misses = looked.flatMap(({ rule, match }) => {
    if (match.pass) return [];
    const due = match.at === undefined ? '' : `; it counts in ${elapsed(match.at - now)}`;
    return [`${rule.name ? `${rule.name}: ` : ''}${match.because}${due}`];
  });
  return { ...base, selects: true, because: misses };
}

/** The first term of the selector that the node does not meet. */
function mismatch(selector: LabelSelector, { labels }: Node): string {
  const terms: LabelSelectorRequirement[] = [
    ...Object.entries(selector.matchLabels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] })),
    ...selector.matchExpressions,
  ];
  const failed = terms.find((term) => !matchesSelector({ matchLabels: {}, matchExpressions: [term] }, labels));
  if (!failed) return 'its nodeSelector does not select the node';
  const { key, operator, values } = failed;
  const has = labels[key] === undefined ? `has no label ${key}` : `has label ${key}=${labels[key]}`;
  const wanted = {
    In: `it must be ${values.join(' or ')}`,
    NotIn: `it must not be ${values.join(' or ')}`,
    Exists: 'it must have one',
    DoesNotExist: 'it must have none',
  };
  return `the node ${has}; ${wanted[operator]}`;
}
