/**
 * The drain: for all nodes that are being emptied at once, what happens to each pod now and what each waits for.
 * All drains are decided together because they share the budgets: when a budget frees one disruption, the node that is nearest
 * to being empty gets it.
 */
import type { Budget, Pod } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Blocker } from './blocker.ts';
import { createBudgetIndex } from './budget-index.ts';
import { waitForBudget } from './budget-wait.ts';
import { budgetKey, openBudgetBook, type BudgetBook } from './budgets.ts';
import type { PodEffect, PodState } from './effect.ts';
import { foremost } from './foremost.ts';
import { graceFor, lastMoment } from './grace.ts';
import { decideHandedOver, decideHandover, handoverMode, mayNotDetach } from './handover-step.ts';
import { readHandover } from './handover.ts';
import { ladderAt, type LadderState } from './ladder.ts';
import { classifyPod, ownerKey, podKey, skippedFrom, type PodClass, type SkipBecause } from './pods.ts';
import { decideTerminating, heldBack } from './pod-wait.ts';
import type { DrainSettings } from './settings.ts';
import type { Attempt, Drain, Needs, World } from './world.ts';

export interface PodReport {
  readonly pod: Pod;
  readonly tier: string;
  readonly state: PodState;
  readonly skipped?: SkipBecause;
  readonly blocker?: Blocker;
  /** For people: how its handover stands, or why there is none. */
  readonly handover?: string;
}

export interface DrainDecision {
  readonly id: string;
  readonly pods: readonly PodReport[];
  readonly effects: readonly PodEffect[];
  /** Pods that must still leave. */
  readonly remaining: number;
  /** The one thing that the node waits for; null while everything it can do is under way, or when it is empty. */
  readonly waitingFor: Blocker | null;
  /** When time alone changes the decision. */
  readonly wakeAt: Millis | null;
  /** False until the node's pods and the budgets have been read. */
  readonly known: boolean;
}

/** What one pod's decision may read and change during one pass. */
export interface Pass {
  readonly world: World;
  readonly now: Millis;
  readonly budgets: BudgetBook;
  readonly needs: Needs;
  /** uids of pods that are let go, in this pass or an earlier one: nobody's replacement may count on them. */
  readonly leaving: Set<string>;
  isLeaving(pod: Pod): boolean;
  detachesLeft: number;
}

/** What happens to one pod now. `wakeAt` is when to look again if nothing else changes. */
export interface PodDecision {
  readonly state: PodState;
  readonly effect?: PodEffect;
  readonly blocker?: Blocker;
  readonly handover?: string;
  readonly wakeAt?: Millis;
}

/** One pod that has to leave, as far as it does not depend on the time. */
interface Leaver {
  readonly pod: Pod;
  readonly class: Exclude<PodClass, { kind: 'Skip' }>;
  /** The tier that leaves first, when it is not the pod's own. */
  readonly behind: { readonly tier: string; readonly remaining: number } | null;
}

/** The pods of one node, sorted out. */
interface Sorted {
  readonly leavers: readonly Leaver[];
  readonly skipped: readonly PodReport[];
}

interface Candidate extends Leaver {
  readonly drain: Drain;
  readonly ladder: LadderState;
  readonly siblings: readonly Pod[];
}

// Refused although the cached budget allowed it: when neither the budget nor a Retry-After wakes us, look again.
export const REFUSED_RETRY_MS = 5_000;

const NO_BUDGETS = createBudgetIndex();

/** A drain while it is decided. */
interface Open {
  readonly drain: Drain;
  readonly ladder: LadderState;
  readonly siblings: readonly Pod[];
  readonly leavers: readonly Leaver[];
  readonly reports: PodReport[];
  readonly effects: PodEffect[];
  readonly wake: Millis[];
  readonly known: boolean;
  readonly remaining: number;
}

export function decideDrains(drains: readonly Drain[], world: World, now: Millis, needs: Needs): DrainDecision[] {
  const budgets = openBudgetBook(world.budgets ?? NO_BUDGETS, world.charges);
  const leaving = leavingAlready(world);
  const isGone = goneAccordingToNodes(world);
  const isLeaving = (pod: Pod) => leaving.has(pod.uid) || isGone(pod);
  const pass: Pass = { world, now, budgets, needs, leaving, isLeaving, detachesLeft: world.detachAllowance };
  const open: Open[] = [];

  for (const drain of drains) {
    needs.podsOf.add(drain.node.name);
    const pods = world.podsOn(drain.node.name);
    const known = pods !== null && world.budgets !== null;
    const siblings = pods ?? [];
    const ladder = ladderAt(drain, now);
    const { leavers, skipped } = sortOut(siblings, drain, now);
    const wake = ladder.nextAt === null ? [] : [ladder.nextAt];
    open.push({
      drain,
      ladder,
      siblings,
      leavers: known ? leavers : [],
      reports: [...skipped],
      effects: [],
      wake,
      known,
      remaining: leavers.length,
    });
  }

  const fair = [...open].sort(byFairness);
  const asked = new Set<Budget>();
  for (const { leavers } of fair) for (const { pod } of leavers) for (const budget of budgets.of(pod)) asked.add(budget);
  budgets.spread(asked.size);
  for (const { drain, ladder, siblings, leavers, reports, effects, wake } of fair) {
    for (const leaver of leavers) {
      const { pod, class: cls, behind } = leaver;
      const candidate: Candidate = { pod, class: cls, behind, drain, ladder, siblings };
      const decision = decidePod(candidate, pass);
      const leaves = decision.effect?.do === 'Evict' || decision.effect?.do === 'Delete';
      if (leaves) pass.leaving.add(candidate.pod.uid);
      if (decision.effect) effects.push(decision.effect);
      if (decision.wakeAt !== undefined) wake.push(decision.wakeAt);
      reports.push({
        pod: candidate.pod,
        tier: candidate.class.tier.name,
        state: decision.state,
        ...(decision.blocker && { blocker: decision.blocker }),
        ...(decision.handover !== undefined && { handover: decision.handover }),
      });
    }
  }

  return open.map(({ drain, reports, effects, wake, known, remaining }) => ({
    id: drain.id,
    pods: reports,
    effects,
    remaining,
    known,
    waitingFor: known ? foremost(reports) : { cause: 'NotYetSeen', what: `the pods of node ${drain.node.name}` },
    wakeAt: wake.length ? Math.min(...wake) : null,
  }));
}

/** Pods that an earlier pass has let go, or out of their Services, and that the cache may still show as serving. */
function leavingAlready(world: World): Set<string> {
  const leaving = new Set<string>();
  for (const [uid, attempt] of world.attempts) {
    const goes = attempt.effect === 'Evict' || attempt.effect === 'Delete' || attempt.effect === 'Unlist';
    // Unavailable: the answer was lost, the effect perhaps not.
    if (goes && (attempt.inFlight || attempt.answer === 'Done' || attempt.answer === 'Unavailable')) leaving.add(uid);
  }
  return leaving;
}

/**
 * A node's watch and a namespace's are two: once the first has seen a pod go, the attempt is forgotten, while the second may still
 * show the pod as Ready. Counted on then, two copies would leave for one replacement. So a pod counts only where both show it.
 */
function goneAccordingToNodes(world: World): (pod: Pod) => boolean {
  return ({ nodeName, uid }) => {
    const pods = nodeName === '' ? null : world.podsOn(nodeName);
    return pods !== null && !livingOf(pods).has(uid);
  };
}

const living = new WeakMap<readonly Pod[], ReadonlySet<string>>();

function livingOf(pods: readonly Pod[]): ReadonlySet<string> {
  let uids = living.get(pods);
  if (!uids) {
    uids = new Set(pods.flatMap((pod) => (pod.deletedAt === undefined ? [pod.uid] : [])));
    living.set(pods, uids);
  }
  return uids;
}

// The pods of a node are a snapshot: the same array until one of them changes, and most passes find no change on most nodes.
const sorted = new WeakMap<
  readonly Pod[],
  { readonly settings: DrainSettings; readonly startedAt: Millis; readonly of: Sorted }
>();

function sortOut(pods: readonly Pod[], { settings, startedAt }: Drain, now: Millis): Sorted {
  const known = sorted.get(pods);
  // Only with skipDeletedAfterMs does the answer depend on the time.
  if (known?.settings === settings && known.startedAt === startedAt && settings.skipDeletedAfterMs === undefined) return known.of;
  const skipped: PodReport[] = [];
  const own: Leaver[] = [];
  for (const pod of inNameOrder(pods)) {
    const cls = classifyPod(pod, settings, readHandover(pod) !== null, now, startedAt);
    if (cls.kind === 'Skip') skipped.push({ pod, tier: '', state: 'Skipped', skipped: cls.because });
    else own.push({ pod, class: cls, behind: null });
  }
  const found = { leavers: settings.hurry?.allAtOnce === true ? own : inTierOrder(own), skipped };
  sorted.set(pods, { settings, startedAt, of: found });
  return found;
}

/** Only the lowest tier that still has pods moves; the others wait and say for whom. */
function inTierOrder(own: readonly Leaver[]): Leaver[] {
  let lowest = Number.POSITIVE_INFINITY;
  for (const leaver of own) lowest = Math.min(lowest, leaver.class.tier.order);
  const first = own.filter((leaver) => leaver.class.tier.order === lowest);
  const behind = { tier: first[0]?.class.tier.name ?? '', remaining: first.length };
  return own.map((leaver) => (leaver.class.tier.order === lowest ? leaver : { ...leaver, behind }));
}

const NEVER = Number.MAX_SAFE_INTEGER; // unlike Infinity, never from never is 0

function byFairness(a: Open, b: Open): number {
  return (
    // A node that is not closed yet, perhaps because it cannot be, must not keep what a closed one could use.
    Number(b.drain.node.unschedulable) - Number(a.drain.node.unschedulable) ||
    // What a budget frees is for the machine that goes first: the others can wait.
    (a.drain.goneAt ?? NEVER) - (b.drain.goneAt ?? NEVER) ||
    a.remaining - b.remaining ||
    a.drain.startedAt - b.drain.startedAt ||
    compare(a.drain.id, b.drain.id)
  );
}

function inNameOrder(pods: readonly Pod[]): readonly Pod[] {
  return [...pods].sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function decidePod(candidate: Candidate, pass: Pass): PodDecision {
  const { drain, pod, ladder } = candidate;
  const attempt = pass.world.attempts.get(pod.uid);
  if (pod.deletedAt !== undefined) {
    const decision = decideTerminating(pod, pod.deletedAt, ladder, attempt, pass.now);
    const skipAt = skippedFrom(pod, drain.settings);
    return skipAt === null ? decision : { ...decision, wakeAt: Math.min(skipAt, decision.wakeAt ?? skipAt) };
  }
  if (attempt?.inFlight) return { state: 'Evicting', blocker: { cause: 'InFlight', pod: podKey(pod) } };
  // A deletion waits for its answer to show, or for what refused it, as an eviction does - also of a pod that is never evicted.
  const asked = attempt?.effect === 'Delete' ? heldBack(pod, attempt, pass) : null;
  if (asked) return asked;
  const gentle = decideGently(candidate, attempt, pass);
  if (gentle.state === 'Evicting') return gentle;
  const last = decideByLadder(candidate, gentle, pass.now);
  if (last.effect?.do !== 'Delete') return last;
  // Only what a budget refuses is deleted around it: else another pod may take, in this same pass, what it would have allowed this one.
  const eviction = heldBack(pod, attempt, pass) ? null : decideEviction(candidate, gentle.handover, pass);
  if (eviction?.effect?.do !== 'Evict') return last;
  const { graceSeconds } = last.effect;
  return { ...eviction, effect: { ...eviction.effect, ...(graceSeconds !== undefined && { graceSeconds }) } };
}

/** Without the ladder's last rungs. */
function decideGently(candidate: Candidate, attempt: Attempt | undefined, pass: Pass): PodDecision {
  const { drain, pod, class: cls, ladder, siblings, behind } = candidate;
  if (behind) return { state: 'Waiting', blocker: { cause: 'EarlierTier', pod: podKey(pod), ...behind } };
  if (cls.kind === 'Protect') {
    return { state: 'Protected', blocker: { cause: 'ProtectedPod', pod: podKey(pod), owner: ownerKey(pod), why: cls.why } };
  }
  if (cls.kind === 'Wait') {
    const until = cls.maxWaitMs === null ? null : drain.startedAt + cls.maxWaitMs;
    if (until === null || pass.now < until) {
      const blocker: Blocker = { cause: 'WaitCompleted', pod: podKey(pod), owner: ownerKey(pod), until };
      return { state: 'Waiting', blocker, ...(until !== null && { wakeAt: until }) };
    }
  }
  const held = mayNotDetach(attempt, handoverMode(drain, ladder)) ? null : heldBack(pod, attempt, pass);
  if (held) return held;

  const journal = readHandover(pod);
  const handover = journal ? decideHandedOver(drain, pod, journal, pass) : decideHandover(drain, pod, siblings, ladder, pass);
  if (handover.kind === 'Decided') return handover.decision;
  return decideEviction(candidate, handover.note, pass);
}

/** The ordinary way: evict when the budget will let it, else say which budget does not. */
function decideEviction(candidate: Candidate, note: string | undefined, pass: Pass): PodDecision {
  const { drain, pod } = candidate;
  const says = note === undefined ? {} : { handover: note };
  const grace = graceFor(pod, drain, pass.now);
  const withGrace = grace === undefined ? {} : { graceSeconds: grace };
  if (drain.settings.disableEviction)
    return { state: 'Evicting', effect: { do: 'Delete', pod, ...withGrace, because: 'eviction is disabled' }, ...says };

  const verdict = pass.budgets.verdict(pod);
  switch (verdict.kind) {
    case 'Free': {
      // No budget is asked; if the server does ask one, that one's next version is what to wait for.
      const budgetVersion = pass.budgets.of(pod)[0]?.resourceVersion;
      return {
        state: 'Evicting',
        effect: { do: 'Evict', pod, ...withGrace, ...(budgetVersion !== undefined && { budgetVersion }) },
        ...says,
      };
    }
    case 'Allowed': {
      pass.budgets.charge(verdict.budget);
      const budget = budgetKey(verdict.budget);
      return {
        state: 'Evicting',
        effect: { do: 'Evict', pod, ...withGrace, budget, budgetVersion: verdict.budget.resourceVersion },
        ...says,
      };
    }
    case 'Crowded':
      return { state: 'Waiting', blocker: { cause: 'InFlight', pod: podKey(pod) }, ...says };
    default:
      return { state: 'Waiting', blocker: waitForBudget(pod, verdict), ...says };
  }
}

// What the owner of a pod can do something about.
const ownersMatter: ReadonlySet<Blocker['cause']> = new Set([
  'BudgetExhausted',
  'BudgetNeverAllows',
  'BudgetNotComputed',
  'SeveralBudgets',
  'ProtectedPod',
  'WaitCompleted',
  'EvictionRefused',
]);

/** The last rungs: only where the policy's ladder says Delete, or the machine goes before the pod's grace would end. */
function decideByLadder({ drain, pod, ladder }: Candidate, gentle: PodDecision, now: Millis): PodDecision {
  const says = gentle.handover === undefined ? {} : { handover: gentle.handover };
  const grace = Math.max(1, graceFor(pod, drain, now) ?? pod.graceSeconds);
  if (ladder.deleteGrace !== undefined) {
    const graceSeconds = Math.max(1, Math.min(grace, ladder.deleteGrace ?? grace));
    return {
      state: 'Evicting',
      effect: { do: 'Delete', pod, graceSeconds, because: 'the policy’s ladder reached Delete' },
      ...says,
    };
  }
  const last = lastMoment(pod, drain);
  if (last !== null && now >= last) {
    const because = 'its grace must start now to end before the deadline';
    return { state: 'Evicting', effect: { do: 'Delete', pod, graceSeconds: grace, because }, ...says };
  }
  const tell = ladder.tell && gentle.blocker !== undefined && ownersMatter.has(gentle.blocker.cause);
  const told: PodDecision = tell
    ? { ...gentle, effect: { do: 'TellOwner', pod, message: `this pod keeps node ${drain.node.name} from being drained` } }
    : gentle;
  return last === null ? told : { ...told, wakeAt: Math.min(last, told.wakeAt ?? last) };
}
