/**
 * Which waiting nodes may start now. The limits count every node of the policy that is out, whoever took it out: a budget that
 * counts only its own drains is how two "one at a time" tools take two nodes down.
 */
import { labels } from '../api/names.ts';
import type { Node } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Blocker } from './blocker.ts';
import type { Breaker } from './gates/breaker.ts';
import type { Approval, GateRule } from './gates/gate.ts';
import type { GateVerdict } from './gates/gate-blocker.ts';
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
  /** How many nodes of the control plane may be out, of whatever policy. */
  readonly controlPlane: Limit;
  /** null: it has none. */
  readonly breaker: (Breaker & { readonly failures: number }) | null;
  readonly gates: readonly GateRule[];
  /** `drover approve policy/NAME`. */
  readonly approval: Approval | null;
}

/** Of the controller: for all policies together. */
export interface ClusterLimits {
  /** null: there is none. */
  readonly maxNodes: Limit | null;
  readonly perGroup: readonly { readonly label: string; readonly maxNodes: Limit }[];
}

export const noClusterLimits: ClusterLimits = { maxNodes: null, perGroup: [] };

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
  /** It was begun already: neither breaker nor gates stop it halfway. */
  readonly begun?: boolean;
  readonly approval?: Approval;
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
  /** Every node of the cluster. */
  readonly cluster: Iterable<Node>;
  readonly limits: ClusterLimits;
  /** Asked last, for those that would start but for it. */
  readonly gates: (applicant: Applicant, policy: AdmissionPolicy) => GateVerdict;
  readonly now: Millis;
}

export interface Admission {
  readonly id: string;
  /** null: it may start. */
  readonly blocker: Blocker | null;
  readonly wakeAt?: Millis;
  /** What has opened an approval gate. */
  readonly approval?: Approval;
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
  const wide = input.applicants.length > 0 ? openWide(input, applying) : null;
  const order = [...input.applicants].sort(
    (a, b) =>
      // No limit holds these back, so they go first: decided after the others, they would come on top of what those are allowed.
      Number(heedsLimits(a, input.now)) - Number(heedsLimits(b, input.now)) ||
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
      policy && count && wide
        ? judge(applicant, policy, { own: count, wide }, holdOn(applicant), input)
        : outsideEveryPolicy(applicant);
    if (verdict.blocker === null) {
      taken.set(applicant.node.name, applicant.id);
      // A node may belong to several policies: it counts in each.
      for (const other of counts.values()) other.take(applicant.node);
      wide?.all.take(applicant.node);
      wide?.controlPlane.take(applicant.node);
      if (count) count.lastStart = input.now;
    }
    return { id: applicant.id, ...verdict };
  });
}

/** Neither what a person asks for outside every policy, nor a machine that goes anyway: to hold that back only takes time from its pods. */
function heedsLimits(applicant: Applicant, now: Millis): boolean {
  return applicant.policy !== null && !isPressing(applicant, now);
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

interface Wide {
  readonly all: Count;
  readonly controlPlane: Count & { readonly of: number };
  readonly size: number;
}

/** What all policies share: the whole cluster, and its control plane. */
function openWide(input: AdmissionInput, applying: ReadonlySet<string>): Wide {
  const every = [...input.cluster];
  const control = every.filter((node) => labels.controlPlane in node.labels);
  const { perGroup, maxNodes } = input.limits;
  const counted = maxNodes === null && perGroup.length === 0 ? [] : every;
  return {
    all: openCount({ selected: counted, perGroup, lastStart: null }, input, applying),
    controlPlane: { ...openCount({ selected: control, perGroup: [], lastStart: null }, input, applying), of: control.length },
    size: every.length,
  };
}

type Counted = Pick<AdmissionPolicy, 'selected' | 'perGroup' | 'lastStart'>;

function openCount(policy: Counted, input: AdmissionInput, applying: ReadonlySet<string>): Count {
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

interface Counts {
  readonly own: Count;
  readonly wide: Wide;
}

function judge(
  applicant: Applicant,
  policy: AdmissionPolicy,
  counts: Counts,
  hold: Hold,
  input: AdmissionInput,
): Omit<Admission, 'id'> {
  const verdict = judgeLimits(applicant, policy, counts, hold, input);
  const { blocker, wakeAt = null } = verdict;
  if (blocker === null) return verdict;
  const { now } = input;
  // Once the window has closed, or opened, or the machine is about to go, something else is the reason.
  const lastCall = applicant.goneAt === undefined || (applicant.heldUntil ?? now) <= now ? null : applicant.heldUntil;
  const wake = Math.min(...[wakeAt, hold.changesAt, lastCall].map((at) => at ?? Number.POSITIVE_INFINITY));
  return { blocker, ...(Number.isFinite(wake) && { wakeAt: wake }) };
}

function judgeLimits(
  applicant: Applicant,
  policy: AdmissionPolicy,
  { own, wide }: Counts,
  hold: Hold,
  input: AdmissionInput,
): Omit<Admission, 'id'> {
  const { now } = input;
  const { name } = policy;
  if (policy.paused) return { blocker: { cause: 'PolicyPaused', policy: name } };
  // To wait for a place would only mean to be drained by the machine's end. It takes one, though: others wait for it.
  if (!heedsLimits(applicant, now)) return { blocker: null };

  if (applicant.byCondition) {
    const limit = resolveLimit(policy.massTrigger, policy.selected.length);
    if (policy.matchedByCondition > Math.max(limit, MASS_TRIGGER_FLOOR)) {
      const { matchedByCondition: matched, selected } = policy;
      return { blocker: { cause: 'MassTrigger', policy: name, matched, selected: selected.length, limit } };
    }
  }
  const { breaker } = policy;
  if (breaker?.open && !applicant.begun)
    return { blocker: { cause: 'BreakerOpen', policy: name, since: breaker.since, failures: breaker.failures } };

  if (hold.blocker) return { blocker: hold.blocker };

  const full = ownLimit(applicant, policy, own) ?? wideLimit(applicant, policy, wide, input.limits);
  if (full) return { blocker: full };

  const until = (own.lastStart ?? Number.NEGATIVE_INFINITY) + policy.minIntervalMs;
  if (policy.minIntervalMs > 0 && now < until) return { blocker: { cause: 'MinInterval', policy: name, until }, wakeAt: until };

  if (applicant.begun) return { blocker: null };
  const { blocker, wakeAt, approval } = input.gates(applicant, policy);
  return { blocker, ...(wakeAt !== null && { wakeAt }), ...(approval && { approval }) };
}

function ownLimit({ node }: Applicant, policy: AdmissionPolicy, count: Count): Blocker | null {
  const limit = resolveLimit(policy.maxNodes, policy.selected.length);
  if (count.out.size >= limit) return { cause: 'MaxNodes', policy: policy.name, limit, out: count.out.list() };
  const full = fullGroup(node, policy.perGroup, count);
  return full && { cause: 'GroupLimit', policy: policy.name, ...full };
}

function wideLimit({ node }: Applicant, policy: AdmissionPolicy, wide: Wide, limits: ClusterLimits): Blocker | null {
  if (labels.controlPlane in node.labels) {
    const limit = resolveLimit(policy.controlPlane, wide.controlPlane.of);
    const { out } = wide.controlPlane;
    if (out.size >= limit) return { cause: 'ControlPlaneLimit', policy: policy.name, limit, out: out.list() };
  }
  if (limits.maxNodes !== null) {
    const limit = resolveLimit(limits.maxNodes, wide.size);
    if (wide.all.out.size >= limit) return { cause: 'ClusterLimit', limit, out: wide.all.out.list(), group: null };
  }
  const full = fullGroup(node, limits.perGroup, wide.all);
  return full && { cause: 'ClusterLimit', limit: full.limit, out: full.out, group: `${full.label}=${full.value || '(none)'}` };
}

/** The first of its groups of which no more may be out. */
function fullGroup(node: Node, perGroup: AdmissionPolicy['perGroup'], count: Count) {
  for (const { label, maxNodes } of perGroup) {
    const value = node.labels[label] ?? '';
    const group = count.group(label, value);
    const limit = resolveLimit(maxNodes, group.size);
    if (group.out.size >= limit) return { label, value, limit, out: group.out.list() };
  }
  return null;
}
