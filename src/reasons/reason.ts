/** A reason is a pure rule: does this node match now, and if time alone would make it match, when. One file per reason. */
import type { Node } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { ProfileName } from '../engine/deadline-profile.ts';
import { ageReason } from './age.ts';
import { annotationReason, labelReason } from './label.ts';
import { conditionReason } from './condition.ts';
import { driftReason, type DriftRule, type VersionRule } from './drift.ts';
import type { Notice } from './notice.ts';
import { CONDITION, scheduledEventReason } from './scheduled-event.ts';
import { signalReason } from './signal.ts';
import { taintReason } from './taint.ts';

interface RuleCommon {
  readonly name?: string;
  readonly priority?: number;
  readonly when?: 'Now' | 'Before' | 'NextWindow';
  readonly beforeMs?: Millis;
  readonly profile?: ProfileName;
}

export type ReasonRule = RuleCommon &
  (
    | { readonly type: 'Taint'; readonly taint: { readonly key: string; readonly value?: string; readonly effect?: string } }
    | {
        readonly type: 'Condition';
        readonly condition: { readonly type: string; readonly status: string; readonly forMs: Millis };
      }
    | { readonly type: 'Label'; readonly label: { readonly key: string; readonly value?: string } }
    | { readonly type: 'Annotation'; readonly annotation: { readonly key: string; readonly value?: string } }
    | { readonly type: 'Signal'; readonly signal: { readonly kinds: readonly string[]; readonly sources?: readonly string[] } }
    | { readonly type: 'ScheduledEvent'; readonly scheduledEvent: { readonly types: readonly string[] } }
    | { readonly type: 'Drift'; readonly drift: DriftRule }
    | { readonly type: 'Age'; readonly age: { readonly maxAgeMs: Millis; readonly jitterMs: Millis } }
  );

export type RuleOf<T extends ReasonRule['type']> = Extract<ReasonRule, { type: T }>;

export interface ReasonContext {
  readonly now: Millis;
  /** Since when this process knows the condition to have this status; null when it has another one. */
  conditionSince(node: Node, type: string, status: string): Millis | null;
  /** The newest version among the nodes that share its value of the label; null: none is known. */
  newestVersion(node: Node, what: VersionRule['what'], label: string): string | null;
}

export type ReasonMatch =
  | { readonly pass: true; readonly message: string; readonly notice?: Notice }
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
    case 'Signal':
      return signalReason(rule, node, context);
    case 'ScheduledEvent':
      return scheduledEventReason(rule, node, context);
    case 'Drift':
      return driftReason(rule, node, context);
    case 'Age':
      return ageReason(rule, node, context);
  }
}

/** Does it tell of something that happens to the machine at a time? */
export function announces({ type }: ReasonRule): boolean {
  return type === 'Signal' || type === 'ScheduledEvent';
}

/** May the answer change although the node does not: with the time, or with other nodes? */
export function isFickle(rule: ReasonRule): boolean {
  if (announces(rule)) return true;
  if (rule.type === 'Drift') return 'version' in rule.drift && 'newestOf' in rule.drift.version;
  return rule.type === 'Condition' || rule.type === 'Age';
}

/**
 * Does a reason that has started a maintenance still hold? A condition that flickers to Unknown and back would otherwise stop and
 * restart the drain: Unknown (the kubelet has gone quiet, the check ran out of time) is no sign that the cause is gone, and when the
 * status is back, its waiting time is not asked for again.
 */
export function stillHolds(rule: ReasonRule, node: Node, context: ReasonContext): boolean {
  const match = matchReason(rule, node, context);
  if (match.pass || (match.at !== undefined && rule.type === 'Condition')) return true;
  const watched = rule.type === 'Condition' ? rule.condition.type : rule.type === 'ScheduledEvent' ? CONDITION : null;
  return watched !== null && node.conditions.some(({ type, status }) => type === watched && status === 'Unknown');
}
