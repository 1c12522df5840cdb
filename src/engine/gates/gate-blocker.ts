/**
 * Whether the gates of a policy let a node go on: asked before a start, and again before anything that cannot be taken back. What is not
 * known holds back, like a gate that is closed.
 */
import type { Node } from '../../api/objects.ts';
import type { Millis } from '../../lib/clock.ts';
import type { Blocker } from '../blocker.ts';
import { type Approval, FRESH_MS, type GateNeeds, type GateRule, type GateWorld, trustMs, type Verdict } from './gate.ts';

export interface GateInput {
  readonly policy: string;
  readonly rules: readonly GateRule[];
  readonly node: Node;
  /** Nodes that the policy selects. */
  readonly selected: readonly Node[];
  /** Nodes that a maintenance is for, by name: being worked on or waiting for it. That these are not well is why. */
  readonly inHand: ReadonlySet<string>;
  /** Of the maintenance, and of the policy. */
  readonly approvals: readonly Approval[];
  readonly now: Millis;
}

export interface GateVerdict {
  /** null: all are open. */
  readonly blocker: Blocker | null;
  /** When time alone may change it. */
  readonly wakeAt: Millis | null;
  /** What has opened an approval gate. */
  readonly approval: Approval | null;
}

/** How far ahead the clock of whoever approves may be. */
const SKEW_MS = 600_000;

/**
 * The first gate that holds the node back, in the order in which they are written. All are looked at, so that all are asked at once: one
 * after the other they would add up their intervals.
 * @param world null: nothing is asked, and every gate is taken as open (a plan)
 * @param needs takes what must be asked for
 */
export function gateBlocker(input: GateInput, world: GateWorld | null, needs: GateNeeds): GateVerdict {
  let found: GateVerdict | null = null;
  let approval: Approval | null = null;
  if (world === null) return open;
  for (const rule of input.rules) {
    const verdict = judge(rule, input, world, needs);
    approval ??= verdict.approval;
    // What is only about to be answered says less than what is closed.
    if (verdict.blocker && (!found || (found.blocker?.cause === 'GateAsked' && verdict.blocker.cause !== 'GateAsked')))
      found = verdict;
  }
  return found ?? refresh(input, world, needs) ?? { blocker: null, wakeAt: null, approval };
}

/** All are open, by answers that may be as old as their intervals: those that are not new are asked once more. */
function refresh({ rules, policy, now }: GateInput, world: GateWorld, needs: GateNeeds): GateVerdict | null {
  let first: GateVerdict | null = null;
  for (const rule of rules) {
    if (rule.gate !== 'Asked' || Math.abs(now - (world.answer(rule.asked)?.at ?? 0)) <= FRESH_MS) continue;
    needs.anew.add(rule.asked.key);
    first ??= closed({ cause: 'GateAsked', policy, gate: rule.name });
  }
  return first;
}

/**
 * The gates that are asked once more before the empty node is rebooted or deleted. Not those whose answer the drain itself has changed, or
 * a person has given for all of it.
 */
export function gatesOfAct(rules: readonly GateRule[]): readonly GateRule[] {
  return rules.filter((rule) => rule.gate === 'Pods' || (rule.gate === 'Asked' && rule.asked.question.ask !== 'Workloads'));
}

const open: GateVerdict = { blocker: null, wakeAt: null, approval: null };

function closed(blocker: Blocker, wakeAt: Millis | null = null): GateVerdict {
  return { blocker, wakeAt, approval: null };
}

function judge(rule: GateRule, input: GateInput, world: GateWorld, needs: GateNeeds): GateVerdict {
  const { policy, node, now } = input;
  const { name: gate } = rule;
  switch (rule.gate) {
    case 'Pods': {
      needs.pods.set(rule.pods.key, rule.pods);
      const pods = world.pods(rule.pods, now);
      if (pods === null) return closed({ cause: 'GateAsked', policy, gate });
      if ('failed' in pods) return closed({ cause: 'GateUnanswered', policy, gate, message: pods.failed, since: pods.since });
      const where = rule.scope === 'Node' ? node.name : null;
      const found = pods.on(where);
      return found.length === 0 ? open : closed({ cause: 'GatePods', policy, gate, node: where, pods: found });
    }
    case 'Asked': {
      const { asked } = rule;
      needs.asked.set(asked.key, asked);
      const answer = world.answer(asked);
      if (!answer || now - answer.at > trustMs(asked)) return closed({ cause: 'GateAsked', policy, gate });
      return heed(answer.verdict, answer.since, { policy, gate });
    }
    case 'NodesReady':
      return settledNodes(rule.forMs, gate, input);
    case 'Approval': {
      const given = input.approvals.filter(({ at }) => at <= now + SKEW_MS);
      const valid = given.find(({ at }) => now < at + rule.validForMs);
      if (valid) return { ...open, approval: valid };
      const stale = given.reduce<Approval | null>((last, each) => (last && last.at >= each.at ? last : each), null);
      return closed({ cause: 'GateApproval', policy, gate, validForMs: rule.validForMs, stale });
    }
  }
}

function heed(verdict: Verdict, since: Millis, of: { readonly policy: string; readonly gate: string }): GateVerdict {
  switch (verdict.is) {
    case 'Open':
      return open;
    case 'Alerts':
      return closed({ cause: 'GateAlerts', ...of, from: verdict.from, alerts: verdict.alerts });
    case 'Result':
      return closed({ cause: 'GateQuery', ...of, result: verdict.result });
    case 'Unfit':
      return closed({ cause: 'GateHttp', ...of, found: verdict.found });
    case 'Unsettled':
      return closed({ cause: 'GateNotSettled', ...of, what: verdict.what, until: null });
    case 'Settling':
      return closed({ cause: 'GateNotSettled', ...of, what: [], until: verdict.until });
    case 'Unanswered':
      return closed({ cause: 'GateUnanswered', ...of, message: verdict.message, since });
  }
}

function settledNodes(forMs: Millis, gate: string, { policy, selected, inHand, now }: GateInput): GateVerdict {
  const what: string[] = [];
  let until = Number.NEGATIVE_INFINITY;
  for (const node of selected) {
    if (inHand.has(node.name) || node.deletedAt !== undefined) continue;
    if (!node.ready) what.push(`node ${node.name}`);
    const since = node.conditions.find(({ type }) => type === 'Ready')?.lastTransition ?? node.createdAt;
    until = Math.max(until, since + forMs);
  }
  if (what.length > 0) return closed({ cause: 'GateNotSettled', policy, gate, what, until: null });
  return now < until ? closed({ cause: 'GateNotSettled', policy, gate, what, until }, until) : open;
}
