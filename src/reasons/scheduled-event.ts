import type { Node } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import { type Announcement, mostPressing } from './notice.ts';
import type { ReasonContext, ReasonMatch, RuleOf } from './reason.ts';

/** The condition that AKS keeps on every node (its node-problem-detector), so that no agent is needed. */
export const CONDITION = 'VMEventScheduled';

const kinds: Readonly<Record<string, string>> = {
  Preempt: 'SpotInterruption',
  Terminate: 'Terminate',
  Redeploy: 'Redeploy',
  Reboot: 'Reboot',
  Freeze: 'Freeze',
};

/** An event in the node condition VMEventScheduled. */
export function scheduledEventReason(rule: RuleOf<'ScheduledEvent'>, node: Node, context: ReasonContext): ReasonMatch {
  const condition = node.conditions.find(({ type }) => type === CONDITION);
  if (condition?.status !== 'True')
    return {
      pass: false,
      because: condition ? `its condition ${CONDITION} is ${condition.status}` : `it has no condition ${CONDITION}`,
    };
  // Another event may come while the condition stays True: its writer then moves the time of the transition.
  const since = Math.max(
    context.conditionSince(node, CONDITION, 'True') ?? context.now,
    Math.min(condition.lastTransition || 0, context.now),
  );
  const told = readEvents(condition.message ?? '', condition.reason, since).filter(({ type }) =>
    rule.scheduledEvent.types.includes(type),
  );
  return mostPressing(rule, told, context.now, `its event is not of type ${rule.scheduledEvent.types.join(' or ')}`);
}

/** "Preempt Scheduled: Mon, 02 Mar 2026 19:01:45 GMT. DurationInSeconds: -1. ...", perhaps several of them; the time is missing once it has begun. */
const EVENT =
  /\b(Preempt|Terminate|Redeploy|Reboot|Freeze)(?:\s+(?:Scheduled|Started)\b\s*:?\s*([^.]*?GMT|[\dT:.+-]+Z)?|Scheduled\b)/g;

function readEvents(message: string, reason: string, since: Millis): (Announcement & { readonly type: string })[] {
  const found = [...message.matchAll(EVENT), ...(message === '' ? reason.matchAll(EVENT) : [])];
  return found.map(([, type = '', time = '']) => {
    const notBefore = Date.parse(time);
    return {
      type,
      kind: kinds[type] ?? type,
      source: 'azure',
      id: Number.isNaN(notBefore) ? type : `${type}@${new Date(notBefore).toISOString()}`,
      since,
      ...(Number.isFinite(notBefore) && { goneAt: notBefore }),
      // A platform may take a redeploy or a reboot back; a machine that is pre-empted or terminated does go.
      revocable: type !== 'Preempt' && type !== 'Terminate',
      message: message.slice(0, 200),
    };
  });
}
