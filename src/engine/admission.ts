/**
 * Which waiting nodes may start now. The limits count every node of the policy that is out, whoever took it out: a budget that
 * counts only its own drains is how two "one at a time" tools take two nodes down.
 */
import type { Node } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Blocker } from './blocker.ts';
import { type Limit, resolveLimit } from '../api/int-or-percent.ts';
import { isPressing } from './maintenance.ts';
import { type Hold, holdOf, noHold, type ScheduledPolicy } from './schedule/hold.ts';

export interface AdmissionPolicy extends ScheduledPolicy {
  readonly paused: boolean;
  readonly maxNodes: Limit;
  readonly perGroup: readonly { readonly label: string; readonly maxNodes: Limit }[];
  readonly minIntervalMs: Millis;
  readonly massTrigger: Limit;
  /** Nodes that its selector selects. */
  readonly selected: readonly Node[];
  /** Of those, how many match a Condition reason now. */
  readonly matchedByCondition: number;
  /** When one of its maintenances last started. */
  readonly lastStart: Millis | null;
}

export interface Applicant {
  readonly id: string;
  readonly node: Node;
  /** null: asked for by a person, outside every policy. */
  readonly policy: string | null;
  readonly priority: number;
  readonly since: Millis;
  /** Its machine goes then: no window and no limit holds it back, and yet it counts. */
  readonly goneAt?: Millis;
  /** They do hold it back until then. */
  readonly heldUntil?: Millis;
  readonly byCondition: boolean;
  /** Nothing is wrong with it: others go first, and of those like it the oldest. */
  readonly byAge?: boolean;
  /** No window holds it back: a person wants it so, or it was begun already. */
  readonly anyTime: boolean;
}

export interface AdmissionInput {
  readonly policies: ReadonlyMap<string, AdmissionPolicy>;
  readonly applicants: readonly Applicant[];
  /** Nodes under way: cordoned and draining, settling, or being undone. */
  readonly active: ReadonlySet<string>;
  /** Nodes that Drover has emptied: their pods run elsewhere, so they no longer count as out. */
  readonly drained: ReadonlySet<string>;
  /** Nodes that a maintenance has in hand, by node name: its id. One node, one at a time. */
  readonly taken?: ReadonlyMap<string, string>;
  readonly now: Millis;
}

export interface Admission {
  readonly id: string;
  /** null: it may start. */
  readonly blocker: Blocker | null;
  readonly wakeAt?: Millis;
}

// Two of three nodes are no mass event.
const MASS_TRIGGER_FLOOR = 3;

export function decideAdmission(input: AdmissionInput): Admission[] {
  const holds = new Map<string, Hold>();
  for (const policy of input.policies.values()) holds.set(policy.name, holdOf(policy, input.now));
  const holdOn = (applicant: Applicant) => (heedsWindows(applicant, input.now) && holds.get(applicant.policy ?? '')) || noHold;
  // One that the window holds back is not about to start: if it is out, it counts like any other node that is.
  const applying = new Set(input.applicants.flatMap((each) => (holdOn(each).blocker ? [] : each.node.name)));
  const counts = new Map<string, Count>();
  for (const policy of input.policies.values()) counts.set(policy.name, openCount(policy, input, applying));
  const order = [...input.applicants].sort(
    (a, b) =>
      // No limit holds back what a person asks for, so it goes first: decided after the others, it would come on top of what they allow.
      Number(b.policy === null) - Number(a.policy === null) ||
      Number(isPressing(b, input.now)) - Number(isPressing(a, input.now)) ||
      b.priority - a.priority ||
      (a.goneAt ?? Number.POSITIVE_INFINITY) - (b.goneAt ?? Number.POSITIVE_INFINITY) ||
      Number(isOut(b.node)) - Number(isOut(a.node)) ||
      Number(a.byAge === true) - Number(b.byAge === true) ||
      (a.byAge === true ? a.node.createdAt - b.node.createdAt : 0) ||
      a.since - b.since ||
      compare(a.node.name, b.node.name) ||
      compare(a.id, b.id),
  );
  const taken = new Map(input.taken);
  return order.map((applicant) => {
    const by = taken.get(applicant.node.name);
    if (by !== undefined) return { id: applicant.id, blocker: { cause: 'NodeTaken', by } };
    const policy = applicant.policy === null ? undefined : input.policies.get(applicant.policy);
    const count = policy && counts.get(policy.name);
    const verdict =
      policy && count ? judge(applicant, policy, count, holdOn(applicant), input.now) : outsideEveryPolicy(applicant);
    if (verdict.blocker === null) {
      taken.set(applicant.node.name, applicant.id);
      // A node may belong to several policies: it counts in each.
      for (const other of counts.values()) other.take(applicant.node);
      if (count) count.lastStart = input.now;
    }
    return { id: applicant.id, ...verdict };
  });
}

function heedsWindows(applicant: Applicant, now: Millis): boolean {
  return !applicant.anyTime && !isPressing(applicant, now);
}

/** Without its policy nobody knows its limits: only a person may have asked for none. */
function outsideEveryPolicy({ policy }: Applicant): Omit<Admission, 'id'> {
  return { blocker: policy === null ? null : { cause: 'PolicyMissing', policy } };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Out for any cause: closed for new pods, or not able to run them. */
export function isOut(node: Node): boolean {
  return node.unschedulable || !node.ready;
}

/** The nodes of a policy that are out, in all and by group; kept once per pass, for thousands of applicants. */
interface Count {
  readonly out: Names;
  group(label: string, value: string): { readonly size: number; readonly out: Names };
  take(node: Node): void;
  lastStart: Millis | null;
}

/** A set of node names. Thousands of applicants are told the same list, so it is copied only after it has grown. */
interface Names {
  readonly size: number;
  add(name: string): void;
  list(): readonly string[];
}

function openNames(): Names {
  const names = new Set<string>();
  let listed: readonly string[] | null = null;
  return {
    get size() {
      return names.size;
    },
    add(name) {
      names.add(name);
      listed = null;
    },
    list: () => (listed ??= [...names]),
  };
}

function openCount(policy: AdmissionPolicy, input: AdmissionInput, applying: ReadonlySet<string>): Count {
  const members = new Set<string>();
  const out = openNames();
  const groups = new Map<string, { size: number; out: Names }>();
  const group = (label: string, value: string) => {
    const key = `${label}=${value}`;
    let found = groups.get(key);
    if (!found) groups.set(key, (found = { size: 0, out: openNames() }));
    return found;
  };
  const groupsOf = (node: Node) => policy.perGroup.map(({ label }) => group(label, node.labels[label] ?? ''));
  const take = (node: Node) => {
    if (!members.has(node.name)) return;
    out.add(node.name);
    for (const each of groupsOf(node)) each.out.add(node.name);
  };
  for (const node of policy.selected) {
    members.add(node.name);
    for (const each of groupsOf(node)) each.size += 1;
    // A node that waits for its own turn and is out already (not Ready, cordoned by hand) takes nothing more away when it starts.
    const foreign = isOut(node) && !applying.has(node.name) && !input.drained.has(node.name);
    if (input.active.has(node.name) || foreign) take(node);
  }
  return { out, group, take, lastStart: policy.lastStart };
}

function judge(applicant: Applicant, policy: AdmissionPolicy, count: Count, hold: Hold, now: Millis): Omit<Admission, 'id'> {
  const { blocker, wakeAt = null } = judgeLimits(applicant, policy, count, hold, now);
  if (blocker === null) return { blocker };
  // Once the window has closed, or opened, or the machine is about to go, something else is the reason.
  const lastCall = applicant.goneAt === undefined || (applicant.heldUntil ?? now) <= now ? null : applicant.heldUntil;
  const wake = Math.min(...[wakeAt, hold.changesAt, lastCall].map((at) => at ?? Number.POSITIVE_INFINITY));
  return { blocker, ...(Number.isFinite(wake) && { wakeAt: wake }) };
}

function judgeLimits(
  applicant: Applicant,
  policy: AdmissionPolicy,
  count: Count,
  hold: Hold,
  now: Millis,
): Omit<Admission, 'id'> {
  if (policy.paused) return { blocker: { cause: 'PolicyPaused', policy: policy.name } };
  // To wait for a place would only mean to be drained by the machine's end. It takes one, though: others wait for it.
  if (isPressing(applicant, now)) return { blocker: null };

  if (applicant.byCondition) {
    const limit = resolveLimit(policy.massTrigger, policy.selected.length);
    if (policy.matchedByCondition > Math.max(limit, MASS_TRIGGER_FLOOR)) {
      const { matchedByCondition: matched, selected } = policy;
      return { blocker: { cause: 'MassTrigger', policy: policy.name, matched, selected: selected.length, limit } };
    }
  }

  if (hold.blocker) return { blocker: hold.blocker };

  const limit = resolveLimit(policy.maxNodes, policy.selected.length);
  if (count.out.size >= limit) return { blocker: { cause: 'MaxNodes', policy: policy.name, limit, out: count.out.list() } };

  for (const { label, maxNodes } of policy.perGroup) {
    const value = applicant.node.labels[label] ?? '';
    const group = count.group(label, value);
    const groupLimit = resolveLimit(maxNodes, group.size);
    if (group.out.size >= groupLimit) {
      return { blocker: { cause: 'GroupLimit', policy: policy.name, label, value, limit: groupLimit, out: group.out.list() } };
    }
  }

  const until = (count.lastStart ?? Number.NEGATIVE_INFINITY) + policy.minIntervalMs;
  if (policy.minIntervalMs > 0 && now < until)
    return { blocker: { cause: 'MinInterval', policy: policy.name, until }, wakeAt: until };
  return { blocker: null };
}
