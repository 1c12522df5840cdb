/** A reason is a pure rule: does this node match now, and if time alone would make it match, when. One file per reason. */
import type { Node } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import { annotationReason, labelReason } from './label.ts';
import { conditionReason } from './condition.ts';
import { taintReason } from './taint.ts';

export type ReasonRule = { readonly name?: string } & (
  | { readonly type: 'Taint'; readonly taint: { readonly key: string; readonly value?: string; readonly effect?: string } }
  | { readonly type: 'Condition'; readonly condition: { readonly type: string; readonly status: string; readonly forMs: Millis } }
  | { readonly type: 'Label'; readonly label: { readonly key: string; readonly value?: string } }
  | { readonly type: 'Annotation'; readonly annotation: { readonly key: string; readonly value?: string } }
);

export type RuleOf<T extends ReasonRule['type']> = Extract<ReasonRule, { type: T }>;

export interface ReasonContext {
  readonly now: Millis;
  /** Since when this process knows the condition to have this status; null when it has another one. */
  conditionSince(node: Node, type: string, status: string): Millis | null;
}

export type ReasonMatch =
  | { readonly pass: true; readonly message: string }
  /** `at`: when it will match if nothing changes. */
  | { readonly pass: false; readonly because: string; readonly at?: Millis };

export function matchReason(rule: ReasonRule, node: Node, context: ReasonContext): ReasonMatch {
  switch (rule.type) {
    case 'Taint':
      return taintReason(rule, node);
    case 'Condition':
      return conditionReason(rule, node, context);
    case 'Label':
      return labelReason(rule, node);
    case 'Annotation':
      return annotationReason(rule, node);
  }
}

/**
 * Does a reason that has started a maintenance still hold? A condition that flickers to Unknown and back would otherwise stop and
 * restart the drain: Unknown (the kubelet has gone quiet, the check ran out of time) is no sign that the cause is gone, and when the
 * status is back, its waiting time is not asked for again.
 */
export function stillHolds(rule: ReasonRule, node: Node, context: ReasonContext): boolean {
  const match = matchReason(rule, node, context);
  if (match.pass || match.at !== undefined) return true;
  return (
    rule.type === 'Condition' && node.conditions.some(({ type, status }) => type === rule.condition.type && status === 'Unknown')
  );
}
