import type { Node } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { ReasonContext, ReasonMatch, RuleOf } from './reason.ts';

/** A node condition that has had a status for a while. Drover times it: lastTransitionTime is another machine's clock, and some writers never set it. */
export function conditionReason({ condition }: RuleOf<'Condition'>, node: Node, context: ReasonContext): ReasonMatch {
  // What Drover writes about its own work (reason Drover...) is no reason for it: the node would never be handed back.
  const isOwn = node.conditions.some((each) => each.type === condition.type && each.reason.startsWith('Drover'));
  const since = isOwn ? null : context.conditionSince(node, condition.type, condition.status);
  if (since === null) {
    const has = node.conditions.find((each) => each.type === condition.type);
    return {
      pass: false,
      because: has ? `its condition ${condition.type} is ${has.status}` : `it has no condition ${condition.type}`,
    };
  }
  const at = since + condition.forMs;
  if (context.now < at)
    return { pass: false, at, because: `its condition ${condition.type} is ${condition.status} only since a short while` };
  const reason = node.conditions.find((each) => each.type === condition.type)?.reason;
  return { pass: true, message: `condition ${condition.type}=${condition.status}${reason ? ` (${reason})` : ''}` };
}

export interface ConditionTimes {
  /** To be called with every version of a node. */
  see(node: Node, now: Millis): void;
  forget(nodeName: string): void;
  since(node: Node, type: string, status: string): Millis | null;
}

/**
 * Remembers since when each condition has its status. What was already so when this process first saw the node counts from
 * lastTransitionTime, but never from the future or from nothing; what changes later counts from when it was seen.
 */
export function createConditionTimes(): ConditionTimes {
  const byNode = new Map<string, Map<string, { status: string; since: Millis }>>();
  return {
    see(node, now) {
      const known = byNode.get(node.name);
      const next = new Map<string, { status: string; since: Millis }>();
      for (const { type, status, lastTransition } of node.conditions) {
        const before = known?.get(type);
        const first = Number.isFinite(lastTransition) && lastTransition > 0 ? Math.min(lastTransition, now) : now;
        next.set(type, before?.status === status ? before : { status, since: known ? now : first });
      }
      byNode.set(node.name, next);
    },
    forget: (nodeName) => void byNode.delete(nodeName),
    since(node, type, status) {
      const entry = byNode.get(node.name)?.get(type);
      return entry?.status === status ? entry.since : null;
    },
  };
}
