import type { Node } from '../api/objects.ts';
import { mostPressing } from './notice.ts';
import type { ReasonContext, ReasonMatch, RuleOf } from './reason.ts';
import { signalsOf } from './signals-of.ts';

/** What the agent of the node has been told: a reboot that is wanted, an interruption, an event of its cloud. */
export function signalReason(rule: RuleOf<'Signal'>, node: Node, { now }: ReasonContext): ReasonMatch {
  const { kinds, sources } = rule.signal;
  const told = signalsOf(node).filter(
    ({ kind, source }) => kinds.includes(kind) && (sources === undefined || sources.includes(source)),
  );
  return mostPressing(rule, told, now, `it has no signal ${kinds.join(' or ')}${sources ? ` from ${sources.join(' or ')}` : ''}`);
}
