/**
 * Which nodes the policies want, kept up to date node by node: with thousands of nodes only the one that changed is looked at.
 * A node belongs to the policy of the highest priority that has a matching reason (then by name), unless its machine is about to go: then
 * to the one that knows that first.
 */
import { isEmptySelector, matchesSelector } from '../api/label-selector.ts';
import type { Node } from '../api/objects.ts';
import type { AdmissionPolicy } from '../engine/admission.ts';
import { type Maintenance, terminalPhases } from '../engine/maintenance.ts';
import type { Millis } from '../lib/clock.ts';
import { createConditionTimes } from '../reasons/condition.ts';
import { asksOf, createNewestVersions } from '../reasons/newest-versions.ts';
import type { Notice } from '../reasons/notice.ts';
import { announces, isFickle, matchReason, type ReasonContext, type ReasonRule, stillHolds } from '../reasons/reason.ts';
import type { Policy } from './compile.ts';

export interface Match {
  readonly policy: Policy;
  readonly rule: ReasonRule;
  readonly message: string;
  /** What was announced for the machine, where that is the reason. */
  readonly notice?: Notice;
}

/** What the maintenances of a policy have done so far; asked only where it matters. */
export interface History {
  /** When one last started. */
  lastStart(policy: string): Millis | null;
  /** How long the slowest of the last 10 drains took; null: none is known. */
  slowestDrain(policy: string): Millis | null;
}

/** What stands on a policy beside its spec. */
export type PolicyHold = (policy: Policy) => Pick<AdmissionPolicy, 'breaker' | 'approval'>;

export interface Matcher {
  setPolicies(policies: readonly Policy[]): void;
  see(node: Node, now: Millis): void;
  /** Some nodes are newer versions with nothing new in them. */
  renew(): void;
  forget(nodeName: string): void;
  /** Looks at the nodes that have changed, or whose time has come, since the last call. Returns their names. */
  look(now: Millis): readonly string[];
  /** The reason that takes the node out, as of the last look. */
  match(nodeName: string): Match | undefined;
  /** When a condition will have lasted long enough, if nothing else happens. */
  dueAt(): Millis | null;
  holds(maintenance: Maintenance, now: Millis): boolean;
  /** The limits with today's nodes. @param hold what a person, or its failures, have done to a policy */
  admission(history: History, hold: PolicyHold): ReadonlyMap<string, AdmissionPolicy>;
  counts(policy: string): { readonly selected: number; readonly matched: number };
}

const NONE: readonly string[] = [];
/** So long after it should have gone, a machine that is Ready, and of which nobody says so any more, has not gone, or is back. */
const BACK_AFTER_MS = 15 * 60_000;

const goneAtOf = (match: Match | undefined): Millis => match?.notice?.goneAt ?? Number.POSITIVE_INFINITY;

export function createMatcher(nodes: ReadonlyMap<string, Node>): Matcher {
  const times = createConditionTimes();
  const found = new Map<string, Match>();
  const due = new Map<string, Millis>();
  const selected = new Map<string, Set<string>>(); // policy -> nodes
  const dirty = new Set<string>();
  let policies: readonly Policy[] = [];
  /** The selected nodes of each policy, as they are now; empty after a change. */
  const members = new Map<string, readonly Node[]>();
  /** Of policies whose answer does not depend on the time. */
  const held = new WeakMap<Node, { readonly policy: Policy; readonly holds: boolean }>();

  const newest = createNewestVersions();
  /** When a machine that should have gone counts as back, by node. */
  const backAt = new Map<string, Millis>();

  const contextAt = (now: Millis): ReasonContext => ({ now, conditionSince: times.since, newestVersion: newest.newest });
  const selects = (policy: Policy, node: Node) =>
    !isEmptySelector(policy.selector) && matchesSelector(policy.selector, node.labels);

  const judge = (node: Node, now: Millis) => {
    found.delete(node.name);
    due.delete(node.name);
    const context = contextAt(now);
    for (const policy of policies) {
      const chosen = selected.get(policy.name);
      if (!selects(policy, node)) {
        chosen?.delete(node.name);
        continue;
      }
      chosen?.add(node.name);
      for (const rule of policy.reasons) {
        const before = found.get(node.name);
        if (before && (!announces(rule) || policy.limits.paused)) continue;
        const match = matchReason(rule, node, context);
        if (!match.pass) {
          if (match.at !== undefined) due.set(node.name, Math.min(due.get(node.name) ?? Number.POSITIVE_INFINITY, match.at));
          continue;
        }
        const { notice } = match;
        const message = rule.name ? `${rule.name}: ${match.message}` : match.message;
        const next = { policy, rule, message, ...(notice && { notice }) };
        if (!before || goneAtOf(next) < goneAtOf(before)) found.set(node.name, next);
      }
    }
  };

  /** Its machine goes, and that cannot be taken back: the node stays out, unless the machine is there long after. */
  const isFinal = ({ nodeName, notice, goneAt, state }: Maintenance, node: Node, now: Millis): boolean => {
    if (!notice || notice.revocable || terminalPhases.has(state.phase)) return false;
    backAt.delete(nodeName);
    if (goneAt === undefined || !node.ready || found.get(nodeName)?.notice?.id === notice.id) return true;
    if (now >= goneAt + BACK_AFTER_MS) return false;
    backAt.set(nodeName, goneAt + BACK_AFTER_MS);
    return true;
  };

  return {
    setPolicies(next) {
      policies = [...next].sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
      selected.clear();
      members.clear();
      for (const policy of policies) selected.set(policy.name, new Set());
      newest.track(policies.flatMap(({ reasons }) => asksOf(reasons)));
      for (const node of nodes.values()) newest.see(node);
      for (const name of nodes.keys()) dirty.add(name);
    },
    see(node, now) {
      times.see(node, now);
      members.clear();
      dirty.add(node.name);
      for (const name of newest.see(node)) dirty.add(name);
    },
    renew: () => members.clear(),
    forget(nodeName) {
      times.forget(nodeName);
      members.clear();
      found.delete(nodeName);
      due.delete(nodeName);
      backAt.delete(nodeName);
      for (const name of newest.forget(nodeName)) dirty.add(name);
      dirty.delete(nodeName);
      for (const chosen of selected.values()) chosen.delete(nodeName);
    },
    look(now) {
      for (const [name, at] of due) if (at <= now) dirty.add(name);
      for (const [name, at] of backAt) if (at <= now) backAt.delete(name); // asked in this pass: `holds`
      if (dirty.size === 0) return NONE;
      const looked = [...dirty];
      for (const name of looked) {
        const node = nodes.get(name);
        if (node) judge(node, now);
      }
      members.clear();
      dirty.clear();
      return looked;
    },
    match: (nodeName) => found.get(nodeName),
    dueAt() {
      let earliest: Millis | null = null;
      for (const at of due.values()) if (earliest === null || at < earliest) earliest = at;
      for (const at of backAt.values()) if (earliest === null || at < earliest) earliest = at;
      return earliest;
    },
    holds(maintenance, now) {
      const { policy: name, nodeName, reasonType, goneAt } = maintenance;
      if (name === null) return true;
      const policy = policies.find((each) => each.name === name);
      const node = nodes.get(nodeName);
      if (!policy || !node) return false;
      if (isFinal(maintenance, node, now)) return true;
      // Handed back for its own reason, it would be taken again at once for the machine's.
      if (
        goneAt !== undefined &&
        !terminalPhases.has(maintenance.state.phase) &&
        found.get(nodeName)?.notice?.goneAt !== undefined
      )
        return true;
      const known = held.get(node);
      if (known?.policy === policy) return known.holds;
      if (!policy.reasons.some(isFickle)) {
        const holds = selects(policy, node) && policy.reasons.some((rule) => matchReason(rule, node, contextAt(now)).pass);
        held.set(node, { policy, holds });
        return holds;
      }
      if (!selects(policy, node)) return false;
      const context = contextAt(now);
      // The patience is for the reason that has started it: a check that is Unknown for ever must not keep a node that a taint took out.
      return policy.reasons.some((rule) =>
        rule.type === reasonType ? stillHolds(rule, node, context) : matchReason(rule, node, context).pass,
      );
    },
    admission(history, hold) {
      return new Map(
        policies.map((policy) => {
          let own = members.get(policy.name);
          if (!own)
            members.set(policy.name, (own = [...(selected.get(policy.name) ?? [])].flatMap((name) => nodes.get(name) ?? [])));
          let matchedByCondition = 0;
          if (policy.reasons.some(({ type }) => type === 'Condition'))
            for (const match of found.values())
              if (match.policy.name === policy.name && match.rule.type === 'Condition') matchedByCondition += 1;
          return [
            policy.name,
            {
              ...policy.limits,
              ...hold(policy),
              selected: own,
              matchedByCondition,
              lastStart: policy.limits.minIntervalMs > 0 ? history.lastStart(policy.name) : null,
              schedule: policy.schedule,
              expectMs: policy.expectMs === null ? null : Math.max(policy.expectMs, history.slowestDrain(policy.name) ?? 0),
            },
          ];
        }),
      );
    },
    counts(name) {
      let matched = 0;
      for (const match of found.values()) if (match.policy.name === name) matched += 1;
      return { selected: selected.get(name)?.size ?? 0, matched };
    },
  };
}
