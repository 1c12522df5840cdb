/** From the results of the rules to one verdict per condition: the worst of its rules counts, and it must have lasted. */
import type { Millis } from '../../lib/clock.ts';
import type { CheckCondition, CheckRule } from './plugin-config.ts';

export type CheckStatus = 'True' | 'False' | 'Unknown';

/** What one rule has found. */
export interface RuleResult {
  readonly rule: CheckRule;
  readonly status: CheckStatus;
  /** What the check has said. */
  readonly message: string;
}

/** What a condition is to say. */
export interface Verdict {
  readonly type: string;
  readonly status: CheckStatus;
  readonly reason: string;
  readonly message: string;
}

/** A verdict, and since when the rules say something else, if they do. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly other: { readonly status: CheckStatus; readonly since: Millis } | null;
}

const severity: Readonly<Record<CheckStatus, number>> = { False: 0, Unknown: 1, True: 2 };

/** What the rules say at this moment. Two rules on one condition: True beats Unknown beats False, the first of equals. */
export function worstOf(condition: CheckCondition, results: readonly RuleResult[]): Verdict {
  const { type } = condition;
  let worst: RuleResult | undefined;
  for (const result of results) if (!worst || severity[result.status] > severity[worst.status]) worst = result;
  if (!worst || worst.status === 'False') return { type, status: 'False', reason: condition.reason, message: condition.message };
  // As node-problem-detector: the reason is the rule's only where the problem is certain.
  const reason = worst.status === 'True' ? worst.rule.reason : condition.reason;
  return { type, status: worst.status, reason, message: worst.message };
}

/**
 * Another status is told only when a result `holdMs` later still has it: a check that flaps would otherwise drain the node at its first
 * slip, and rewrite it at each. Another reason of the same status is told at once, another message alone when `tellsMessages`, because it
 * costs a write.
 */
export function judge(earlier: Judgement, now: Verdict, at: Millis, holdMs: Millis, tellsMessages: boolean): Judgement {
  if (now.status === earlier.verdict.status) {
    const told = tellsMessages || now.reason !== earlier.verdict.reason;
    return { verdict: told ? now : earlier.verdict, other: null };
  }
  const since = earlier.other?.status === now.status ? earlier.other.since : at;
  return at - since >= holdMs
    ? { verdict: now, other: null }
    : { verdict: earlier.verdict, other: { status: now.status, since } };
}
