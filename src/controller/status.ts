/**
 * The status of a NodeMaintenance, from the engine's decision. Pure. Writing it is the dearest thing that the controller does beside
 * the evictions themselves, so what is written is made to change rarely: no sentence in it counts down, and `statusChanged` tells
 * what must be known at once from what may wait for the next write.
 */
import type { Condition, JournalEntry, NodeMaintenanceStatus, PodStatus, Progress, Waiting } from '../api/resources.ts';
import type { Blocker, BlockerCause } from '../engine/blocker.ts';
import type { Decision } from '../engine/decide.ts';
import type { PodReport } from '../engine/drain.ts';
import { explain } from '../engine/explain.ts';
import type { Viewpoint } from '../engine/phrasing.ts';
import { isoSeconds } from '../engine/journal.ts';
import { actingPhases, type Maintenance, type MaintenanceState, type Phase } from '../engine/maintenance.ts';
import { writtenActed } from './compile-action.ts';
import { ownerKey, podKey, type SkipBecause } from '../engine/pods.ts';
import type { Millis } from '../lib/clock.ts';

/** What the decision does not know, beside the number of pods that have left. */
export interface StatusFacts {
  /** metadata.generation of the object that was decided on. */
  readonly generation?: number;
  /** What was done since `previous`, oldest first (journal-entry.ts). */
  readonly entries?: readonly JournalEntry[];
}

export type StatusChange = 'No' | 'Soon' | 'Now';

const MAX_PODS = 200;
const MAX_JOURNAL = 100;
const MAX_TEXT = 4_096;
const SOON_MS = 2_000;
// All maintenances together: 20 nodes at a write in 2 s each would cost as much as their evictions.
const SOON_PER_MAINTENANCE_MS = 500;

/** How long a change that is `Soon` may wait since the last write of its object: 2 s, and longer when many nodes are under way. */
export function soonMs(active: number): Millis {
  return Math.max(SOON_MS, active * SOON_PER_MAINTENANCE_MS);
}

/** The causes that do not pass unless somebody does something. The same are `passes: false` in explain.ts, which needs a whole blocker. */
export const stuckCauses: ReadonlySet<string> = new Set<BlockerCause>([
  'Paused',
  'PolicyPaused',
  'PolicyMissing',
  'MassTrigger',
  'NoWindow',
  'BreakerOpen',
  'GateUnanswered',
  'GateApproval',
  'BudgetNeverAllows',
  'BudgetNotComputed',
  'SeveralBudgets',
  'ProtectedPod',
  'TerminatingOverdue',
  'Finalizer',
  'Forbidden',
  'EvictionRefused',
  'CannotReboot',
  'ActRefused',
  'RebootFailed',
  'VerifyFailed',
  'HookFailed',
  'CordonFailed',
  'UndoFailed',
]);

/** The maintenance's state once the decision is taken in. */
export function stateAfter({ maintenance: { state }, phase, change }: Decision, now: Millis): MaintenanceState {
  return { ...state, phase, phaseSince: phase === state.phase ? state.phaseSince : now, ...change };
}

/**
 * @param decision its maintenance may carry the state from before the decision or from after it
 * @param previous as last written, or about to be: waits that go on keep its times
 * @param gone pods that have left in this try; after a restart the caller goes on counting from `previous.progress.gone`
 */
export function statusOf(
  decision: Decision,
  previous: NodeMaintenanceStatus | undefined,
  now: Millis,
  gone: number,
  facts: StatusFacts = {},
): NodeMaintenanceStatus {
  const state = stateAfter(decision, now);
  const { phase } = state;
  const waitingFor = waitingOf(decision.waitingFor ?? null, previous?.waitingFor, now, decision.maintenance);
  const progress = progressOf(decision, phase, previous?.progress, gone);
  const pods = podsOf(decision, phase, previous, now);
  const journal = [...(previous?.journal ?? []), ...(facts.entries ?? [])].slice(-MAX_JOURNAL);
  const message = speaks.has(phase) && state.message ? cut(state.message, MAX_TEXT) : undefined;
  return {
    phase,
    phaseSince: isoSeconds(state.phaseSince),
    ...(facts.generation !== undefined && { observedGeneration: facts.generation }),
    ...(state.startedAt !== undefined && { startedAt: isoSeconds(state.startedAt) }),
    ...(state.drainedAt !== undefined && { drainedAt: isoSeconds(state.drainedAt) }),
    ...(state.finishedAt !== undefined && { finishedAt: isoSeconds(state.finishedAt) }),
    attempts: state.attempts,
    ...(phase === 'BackOff' && state.retryAt !== undefined && { retryAt: isoSeconds(state.retryAt) }),
    ...(message !== undefined && { message }),
    ...(state.action && { action: writtenActed(state.action) }),
    ...(progress && { progress }),
    ...(waitingFor && { waitingFor }),
    ...pods,
    ...(journal.length > 0 && { journal }),
    conditions: conditionsOf(phase, waitingFor, previous?.conditions, now, facts.generation),
  };
}

/** Where `state.message` says why it is as it is; in the other phases it would be about an earlier try. */
const speaks: ReadonlySet<Phase> = new Set([
  'Drained',
  'BackOff',
  'ActionFailed',
  'Undoing',
  'HandedBack',
  'Cancelled',
  'Failed',
]);

/**
 * A wait as it is shown. `since` is kept while cause and pod stay the same, and durations in the sentences count from there:
 * "its grace ends in 30s", since 14:02:00, stays true without being written again.
 */
function waitingOf(
  blocker: Blocker | null,
  previous: Waiting | undefined,
  now: Millis,
  maintenance: Maintenance,
): Waiting | undefined {
  if (!blocker) return undefined;
  const pod = 'pod' in blocker ? blocker.pod : undefined;
  const kept = previous?.cause === blocker.cause && previous.pod === pod ? previous.since : undefined;
  const since = kept ?? isoSeconds(now);
  const owner = deciderOf(blocker);
  return { ...sentences(blocker, since, maintenance), ...(owner && { owner }), ...(pod !== undefined && { pod: cut(pod, 317) }) };
}

function sentences(blocker: Blocker, since: string, maintenance: Maintenance): NonNullable<PodStatus['because']> {
  const { message, unblock } = explain(blocker, Date.parse(since), viewpointOf(maintenance));
  return { cause: blocker.cause, message: cut(message, MAX_TEXT), since, unblock: cut(unblock, MAX_TEXT) };
}

/** For the hints of `explain`. */
export function viewpointOf({ id, nodeName, policy }: Maintenance): Viewpoint {
  return { of: 'Controller', node: nodeName, maintenance: id, policy };
}

/** The object that decides how long the wait lasts, where there is one. */
export function deciderOf(blocker: Blocker): Waiting['owner'] {
  if ('policy' in blocker) return { kind: 'MaintenancePolicy', name: blocker.policy };
  if ('budget' in blocker) return { kind: 'PodDisruptionBudget', namespace: blocker.budget.namespace, name: blocker.budget.name };
  if (!('owner' in blocker)) return undefined;
  const [kind, name] = blocker.owner.split('/');
  const namespace = blocker.pod.split('/')[0];
  return kind && name && namespace ? { kind, namespace, name } : undefined;
}

function progressOf(
  { pods, remaining }: Decision,
  phase: Phase,
  previous: Progress | undefined,
  gone: number,
): Progress | undefined {
  if (phase === 'Pending') return undefined;
  if (pods === null || remaining === null) return isEmptied(phase) && previous ? completed(previous, gone) : previous;
  const total = gone + remaining;
  const evicted = gone + pods.filter((each) => each.state === 'Terminating').length;
  const percent = total === 0 ? 100 : Math.floor((gone * 100) / total);
  return { total, evicted, gone, remaining, percent, summary: `${gone}/${total}` };
}

const isEmptied = (phase: Phase): boolean => phase === 'Drained' || actingPhases.has(phase);

/**
 * A drained node has nothing left to count, and the last count may never have been written: the step before it takes a moment, and a
 * write that was under way, or a crash, swallows it.
 */
function completed(previous: Progress, gone: number): Progress {
  const total = Math.max(gone, previous.gone + previous.remaining);
  return { total, evicted: total, gone: total, remaining: 0, percent: 100, summary: `${total}/${total}` };
}

type PodList = Pick<NodeMaintenanceStatus, 'pods' | 'podsOmitted'>;

/** Only while the node is being emptied: afterwards the list would be about pods that nobody looks at any more. */
function podsOf(
  { pods, maintenance }: Decision,
  phase: Phase,
  previous: NodeMaintenanceStatus | undefined,
  now: Millis,
): PodList {
  if (phase !== 'Draining' && phase !== 'Settling') return {};
  if (pods === null) {
    return {
      ...(previous?.pods && { pods: previous.pods }),
      ...(previous?.podsOmitted !== undefined && { podsOmitted: previous.podsOmitted }),
    };
  }
  const before = new Map(previous?.pods?.map((each) => [each.uid, each]));
  const sorted = pods.map((report) => ({ report, rank: rankOf(report), key: podKey(report.pod) }));
  sorted.sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const omitted = sorted.length - MAX_PODS;
  return {
    pods: sorted.slice(0, MAX_PODS).map(({ report }) => podStatus(report, before.get(report.pod.uid), now, maintenance)),
    ...(omitted > 0 && { podsOmitted: omitted }),
  };
}

const stateRank: { readonly [S in PodReport['state']]: number } = {
  Protected: 0,
  Waiting: 2,
  HandingOver: 3,
  Terminating: 4,
  Evicting: 5,
  Skipped: 6,
};

function rankOf({ state, blocker }: PodReport): number {
  return blocker && stuckCauses.has(blocker.cause) ? Math.min(1, stateRank[state]) : stateRank[state];
}

const stays: { readonly [B in SkipBecause]: string } = {
  MirrorPod: 'a static pod: its kubelet keeps it',
  DaemonSet: 'its DaemonSet keeps it on the node',
  Rule: 'a rule of the drain says Skip',
  LongDeleted: 'it should have been gone long ago and is not waited for',
};

function podStatus(
  { pod, tier, state, skipped, blocker, handover }: PodReport,
  before: PodStatus | undefined,
  now: Millis,
  maintenance: Maintenance,
): PodStatus {
  const cause = blocker?.cause ?? skipped;
  const since = cause !== undefined && before?.because?.cause === cause ? before.because.since : isoSeconds(now);
  const because = blocker
    ? sentences(blocker, since, maintenance)
    : skipped && { cause: skipped, message: stays[skipped], since, unblock: '' };
  const owner = ownerKey(pod);
  return {
    namespace: pod.namespace,
    name: pod.name,
    uid: pod.uid,
    ...(owner !== '' && { owner }),
    tier,
    state,
    ...(because && { because }),
    ...(handover !== undefined && { handover: cut(handover, 1_024) }),
  };
}

const ownConditions: ReadonlySet<string> = new Set(['Drained', 'Blocked']);

/** For `kubectl wait --for=condition=Drained`, and for alerts on `Blocked`. */
function conditionsOf(
  phase: Phase,
  waiting: Waiting | undefined,
  previous: readonly Condition[] = [],
  now: Millis,
  generation?: number,
): Condition[] {
  const condition = (type: string, holds: boolean, reason: string, message: string): Condition => {
    const status = holds ? 'True' : 'False';
    const before = previous.find((each) => each.type === type);
    return {
      type,
      status,
      ...(generation !== undefined && { observedGeneration: generation }),
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : isoSeconds(now),
      reason,
      message,
    };
  };
  const stuck = waiting && stuckCauses.has(waiting.cause) ? waiting : undefined;
  return [
    ...previous.filter((each) => !ownConditions.has(each.type)),
    condition('Drained', isEmptied(phase) || phase === 'ActionFailed', phase, ''),
    condition(
      'Blocked',
      stuck !== undefined,
      stuck?.cause ?? 'NotBlocked',
      stuck ? `${stuck.message}; what would help: ${stuck.unblock}` : '',
    ),
  ];
}

/**
 * Must the object be written before the ordinary delay is over? Cheap: asked in every pass, so that `statusOf` need not be.
 * A wait that passes by itself is not worth a write of its own: under a tight budget it comes and goes with every pod.
 */
export function isUrgent(decision: Decision, written: NodeMaintenanceStatus | undefined): boolean {
  // That a drain begins is said together with the first look at its pods, a moment later: alone it would be a Draining without progress
  // and without a wait, for as long as the ordinary delay is.
  if ((written?.phase ?? 'Pending') === 'Pending' && decision.phase === 'Draining' && decision.pods === null) return false;
  if (written === undefined || written.phase !== decision.phase) return true;
  return cameOrWent(written.waitingFor?.cause, decision.waitingFor?.cause);
}

function cameOrWent(before: string | undefined, after: string | undefined): boolean {
  return before !== after && (stuckCauses.has(before ?? '') || stuckCauses.has(after ?? ''));
}

/** `Now`: a new phase, or something that needs a person began or ended. `Soon`: anything else that people read. Times alone: `No`. */
export function statusChanged(a: NodeMaintenanceStatus | undefined, b: NodeMaintenanceStatus): StatusChange {
  if (a === undefined || a.phase !== b.phase || cameOrWent(a.waitingFor?.cause, b.waitingFor?.cause)) return 'Now';
  const same =
    a.observedGeneration === b.observedGeneration &&
    a.attempts === b.attempts &&
    a.message === b.message &&
    JSON.stringify(a.action) === JSON.stringify(b.action) &&
    sameProgress(a.progress, b.progress) &&
    sameWait(a.waitingFor, b.waitingFor) &&
    a.waitingFor?.pod === b.waitingFor?.pod &&
    a.podsOmitted === b.podsOmitted &&
    sameList(a.pods, b.pods, samePod) &&
    sameList(a.journal, b.journal, (x, y) => x.at === y.at && x.do === y.do && x.object === y.object);
  return same ? 'No' : 'Soon';
}

function sameProgress(a: Progress | undefined, b: Progress | undefined): boolean {
  return a?.summary === b?.summary && a?.evicted === b?.evicted;
}

type Because = NonNullable<PodStatus['because']>;

function sameWait(a: Because | undefined, b: Because | undefined): boolean {
  return a?.cause === b?.cause && a?.message === b?.message && a?.unblock === b?.unblock;
}

function samePod(a: PodStatus, b: PodStatus): boolean {
  return (
    a.uid === b.uid && a.state === b.state && a.tier === b.tier && a.handover === b.handover && sameWait(a.because, b.because)
  );
}

function sameList<T>(a: readonly T[] = [], b: readonly T[] = [], same: (x: T, y: T) => boolean): boolean {
  return a.length === b.length && a.every((x, index) => same(x, b[index] as T));
}

/** At most `max` characters; a cut text ends in "…". */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  // Half of a surrogate pair is no character: the API server would store a replacement, and the next comparison would differ.
  return `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
