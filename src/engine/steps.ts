/**
 * The life of one maintenance as a table: phase -> step. A step looks at the world, says the next phase and at most one change of
 * the node, and lets the world be read again. What a phase is left for when it is undone follows from the object, not from memory.
 */
import { formatDuration } from '../api/duration.ts';
import type { Node } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import { actionFailed, cannotAct, deleting, firstActOf, isDone, type RunEffect, stopReboot } from './acting.ts';
import type { Admission } from './admission.ts';
import type { Blocker } from './blocker.ts';
import type { DrainDecision } from './drain.ts';
import type { PodEffect } from './effect.ts';
import { afterHook, beforeHook } from './hooking.ts';
import {
  gone,
  interruption,
  isCordoned,
  isOurs,
  patchFailure,
  UNCORDONED,
  unseenUntil,
  unwanted,
  wasUncordoned,
} from './interruption.ts';
import type { Approval } from './gates/gate.ts';
import type { GateVerdict } from './gates/gate-blocker.ts';
import { readJournal } from './journal.ts';
import { isPressing, type Maintenance, type MaintenanceState, type Phase } from './maintenance.ts';
import { rebooting } from './rebooting.ts';
import { windowCauses } from './schedule/hold.ts';
import { settlingBlocker } from './settle.ts';
import { takeBack } from './take-back.ts';
import { verifying } from './verifying.ts';
import type { Needs, World } from './world.ts';

export type NodeEffect =
  | RunEffect
  | { readonly do: 'Cordon' | 'Mark'; readonly node: Node }
  | { readonly do: 'Undo' | 'DeleteNode'; readonly node: Node }
  /** Sets spec.paused: the only spec field that Drover writes on its own, and it says why. */
  | { readonly do: 'Pause'; readonly because: string };

export interface StepInput {
  readonly maintenance: Maintenance;
  /** undefined: the node is gone. */
  readonly node: Node | undefined;
  /** Does the reason still hold? Asked again in every pass, so also before every destructive step. */
  readonly cause: boolean;
  readonly admission: Admission | undefined;
  /** Asks the gates of its policy once more, before what cannot be taken back. null: it has none, or no time for them. */
  readonly gates?: () => GateVerdict | null;
  readonly drain: DrainDecision | undefined;
  readonly world: World;
  readonly needs: Needs;
  readonly now: Millis;
}

export interface StepResult {
  readonly phase: Phase;
  readonly change?: Partial<MaintenanceState>;
  readonly nodeEffect?: NodeEffect;
  readonly podEffects?: readonly PodEffect[];
  readonly waitingFor?: Blocker | null;
  readonly wakeAt?: Millis | null;
  /** Who has let it start, where that is asked for. */
  readonly approval?: Approval;
}

type Step = (input: StepInput) => StepResult;

export const steps = {
  // entered: created, resumed, or its back-off is over | left: admitted -> Draining, no longer wanted -> Undoing/Cancelled | undo: the mark
  Pending: pending,
  // entered: admitted | left: empty -> Settling, no longer wanted or stuck -> Undoing | undo: cordon, taint, label; labels of pods
  Draining: draining,
  // entered: no pod left | left: pods came back -> Draining, empty long enough, volumes off, replacements Ready -> Drained, or the first act | undo: as Draining
  Settling: settling,
  // entered: settled, a Job is to run first | left: it succeeded -> the act, failed -> ActionFailed, no longer wanted -> Undoing | undo: as Draining, and the Job
  BeforeHook: beforeHook,
  // entered: settled, or after the Job | left: another boot id -> Verifying, no pod yet and no longer wanted -> Undoing, too late -> ActionFailed | undo: none once the pod is there
  Rebooting: rebooting,
  // entered: as Rebooting | left: the Node is gone -> Drained, no longer wanted -> Undoing | undo: as Draining
  Deleting: deleting,
  // entered: rebooted, or after the Job | left: well for long enough -> AfterHook or Undoing (hand back), too late -> ActionFailed | undo: none
  Verifying: verifying,
  // entered: verified, a Job is to run | left: it succeeded -> Undoing (hand back), failed -> ActionFailed | undo: the Job
  AfterHook: afterHook,
  // entered: what was done to the node failed | left: a person cancels and the node is Ready, or uncordons it -> Undoing | undo: as Draining
  ActionFailed: actionFailed,
  // entered: settled | left: the cause is gone or it is cancelled -> Undoing (hand back) | undo: as Draining
  Drained: drained,
  // entered: undone after an attempt that stood still | left: time is up -> Pending | undo: nothing is changed here
  BackOff: backOff,
  // entered: cancelled, paused, stuck, or to be handed back | left: everything is as before -> what the object says | undo: is the undo
  Undoing: undoing,
  HandedBack: stay,
  Cancelled: stay,
  Failed: stay,
} as const satisfies Record<Phase, Step>;

/** Limits that a node comes under when another one is back. */
const queueCauses: ReadonlySet<Blocker['cause']> = new Set(['MaxNodes', 'GroupLimit', 'ControlPlaneLimit', 'ClusterLimit']);

function pending(input: StepInput): StepResult {
  const { maintenance, node, admission, now } = input;
  if (!node) return gone(input, 'Cancelled');
  const because = unwanted(input);
  if (because) {
    const marked = isOurs(input) || unseenUntil(input) !== null;
    return marked
      ? { phase: 'Undoing', change: { message: because } }
      : { phase: 'Cancelled', change: { finishedAt: now, message: because } };
  }
  if (maintenance.paused) {
    const waitingFor: Blocker = { cause: 'Paused', because: maintenance.pausedBecause };
    return { phase: 'Pending', waitingFor, ...(isOurs(input) && { nodeEffect: { do: 'Undo', node } }) };
  }
  const unable = cannotAct(maintenance, node);
  if (unable) return { phase: 'Pending', waitingFor: unable, ...(isOurs(input) && { nodeEffect: { do: 'Undo', node } }) };
  if (!admission) return { phase: 'Pending' };
  if (admission.blocker) {
    const queued = queueCauses.has(admission.blocker.cause);
    const mark = queued && !node.unschedulable && readJournal(node) === null;
    // The mark is for a turn that comes soon: until the next window, pods may well be put on the node.
    const unmark = windowCauses.has(admission.blocker.cause) && isOurs(input);
    return {
      phase: 'Pending',
      waitingFor: admission.blocker,
      wakeAt: admission.wakeAt ?? null,
      ...(mark && { nodeEffect: { do: 'Mark', node } }),
      ...(unmark && { nodeEffect: { do: 'Undo', node } }),
    };
  }
  if (isLeftOver(maintenance, node)) {
    const message = patchFailure(input);
    const handingBack: Blocker = { cause: 'NotYetSeen', what: `node ${node.name} handed back` };
    return {
      phase: 'Pending',
      nodeEffect: { do: 'Undo', node },
      waitingFor: message === null ? handingBack : { cause: 'UndoFailed', message },
    };
  }
  return { phase: 'Draining', change: { startedAt: now }, ...(admission.approval && { approval: admission.approval }) };
}

/**
 * `drover drain`, later `kubectl uncordon`, and now `drover drain` again: the marks carry this maintenance's name and are older than
 * it is. That uncordon ended the earlier drain and says nothing about this one, so it must not pause it.
 */
function isLeftOver({ id, createdAt }: Maintenance, node: Node): boolean {
  const journal = readJournal(node);
  const older = Date.parse(journal?.since ?? '') < Math.floor(createdAt / 1_000) * 1_000;
  return journal?.by === id && journal.stage === 'Cordoned' && !node.unschedulable && older;
}

function draining(input: StepInput): StepResult {
  const stop = interruption(input);
  if (stop) return stop;
  const { maintenance, node, drain, now } = input;
  if (!node || !drain) return { phase: 'Draining' };
  // Its pods are read meanwhile: what they say would not change the cordon, and each millisecond may bring one more pod.
  if (!isCordoned(input)) {
    const message = patchFailure(input);
    return {
      phase: 'Draining',
      nodeEffect: { do: 'Cordon', node },
      waitingFor: message === null ? drain.waitingFor : { cause: 'CordonFailed', message },
    };
  }
  if (!drain.known) return { phase: 'Draining', waitingFor: drain.waitingFor };
  if (drain.remaining === 0) return { phase: 'Settling', waitingFor: null };

  const progressAt = Math.max(maintenance.memory.progressAt ?? 0, maintenance.state.startedAt ?? 0, maintenance.state.phaseSince);
  const asideAt = progressAt + maintenance.settings.stepAsideMs;
  const because = drain.waitingFor?.cause ?? '';
  const patient = isPressed(input) || waitsAsAsked(drain.waitingFor);
  if (now >= asideAt && !patient)
    return {
      phase: 'Undoing',
      change: { message: `no pod could leave for ${formatDuration(maintenance.settings.stepAsideMs)}: ${because}` },
    };
  return {
    phase: 'Draining',
    podEffects: drain.effects,
    waitingFor: drain.waitingFor,
    wakeAt: patient ? drain.wakeAt : Math.min(drain.wakeAt ?? asideAt, asideAt),
  };
}

function isPressed({ maintenance: { goneAt, notice }, now }: StepInput): boolean {
  return isPressing({ goneAt, heldUntil: notice?.heldUntil }, now);
}

/** A wait that the policy or the pod itself asks for is no standstill; nor is anything, on a machine that goes anyway. */
function waitsAsAsked(blocker: Blocker | null): boolean {
  return blocker?.cause === 'WaitCompleted' || blocker?.cause === 'Terminating';
}

function settling(input: StepInput): StepResult {
  const stop = interruption(input);
  if (stop) return stop;
  const { drain, now } = input;
  if (!drain?.known) return { phase: 'Settling', waitingFor: drain?.waitingFor ?? null };
  if (drain.remaining > 0) return { phase: 'Draining' };
  const waits = settlingBlocker(input);
  if (waits) return { phase: 'Settling', waitingFor: waits.blocker, wakeAt: waits.wakeAt };
  const { action } = input.maintenance;
  return { phase: action ? firstActOf(action) : 'Drained', change: { drainedAt: now }, waitingFor: null };
}

function drained(input: StepInput): StepResult {
  const { maintenance, node, now } = input;
  if (!node) return maintenance.state.finishedAt === undefined ? gone(input, 'Drained') : { phase: 'Drained' };
  if (maintenance.cancelled) return { phase: 'Undoing', change: { message: 'cancelled' } };
  if (!input.cause && maintenance.handBack === 'WhenCauseClears')
    return { phase: 'Undoing', change: { message: 'the reason no longer holds' } };
  if (readJournal(node)?.by !== maintenance.id)
    return { phase: 'HandedBack', change: { finishedAt: now, message: 'someone else took the node back' } };
  if (!node.unschedulable) return { phase: 'Undoing', change: { message: UNCORDONED } };
  return { phase: 'Drained', waitingFor: null };
}

function backOff(input: StepInput): StepResult {
  const { maintenance, node, now } = input;
  if (!node) return gone(input, 'Cancelled');
  const because = unwanted(input);
  if (because) return { phase: 'Cancelled', change: { finishedAt: now, message: because } };
  const until = maintenance.state.retryAt ?? now;
  // What was announced since does not wait for the next try.
  if (now >= until || isPressed(input)) return { phase: 'Pending' };
  return { phase: 'BackOff', waitingFor: waitOut(until, maintenance.state.attempts, maintenance.state.message), wakeAt: until };
}

function waitOut(until: Millis, attempt: number, because = ''): Blocker {
  return { cause: 'BackOff', until, attempt, because };
}

const MAX_RETRY_MS = 6 * 3_600_000;

function undoing(input: StepInput): StepResult {
  const { node, world, needs } = input;
  if (!node) return gone(input, afterUndo(input).phase === 'HandedBack' ? 'Drained' : 'Cancelled');
  const rebooting = stopReboot(input);
  if (rebooting) return { phase: 'Undoing', ...rebooting };
  needs.podsOf.add(node.name);
  const pods = world.podsOn(node.name);
  if (!pods) return { phase: 'Undoing', waitingFor: { cause: 'NotYetSeen', what: `the pods of node ${node.name}` } };
  const pausing = pauseFirst(input);
  const left = pods.filter((pod) => pod.deletedAt === undefined).flatMap((pod) => takeBack(pod, world, needs, input.now) ?? []);
  const [first] = left;
  if (first) {
    const wakeAt = left.reduce<Millis | null>(
      (soonest, each) => (each.wakeAt === undefined ? soonest : Math.min(each.wakeAt, soonest ?? each.wakeAt)),
      null,
    );
    const refused = left.find(({ blocker }) => blocker.cause === 'UndoFailed') ?? first;
    return {
      phase: 'Undoing',
      podEffects: left.flatMap(({ effect }) => effect ?? []),
      waitingFor: refused.blocker,
      wakeAt,
      ...pausing,
    };
  }
  if (pausing) return { phase: 'Undoing', ...pausing, waitingFor: { cause: 'NotYetSeen', what: 'that it is paused' } };
  const unseen: Blocker = { cause: 'NotYetSeen', what: `node ${node.name} handed back` };
  if (isOurs(input)) {
    const message = patchFailure(input);
    return {
      phase: 'Undoing',
      nodeEffect: { do: 'Undo', node },
      waitingFor: message === null ? unseen : { cause: 'UndoFailed', message },
    };
  }
  const until = unseenUntil(input);
  if (until !== null) return { phase: 'Undoing', waitingFor: unseen, wakeAt: until };
  return { waitingFor: null, ...afterUndo(input) };
}

/**
 * The pause that follows a human's uncordon is one request beside the phase; when it was lost, the node would be taken again after a
 * while. It shows on the node for as long as the journal stays, so the journal goes only when the pause has been seen.
 */
function pauseFirst(input: StepInput): { readonly nodeEffect: NodeEffect } | null {
  const { maintenance, node, cause } = input;
  if (maintenance.paused || maintenance.cancelled || !cause || isDone(maintenance) || maintenance.state.action?.failure)
    return null;
  return wasUncordoned(input) && node ? { nodeEffect: { do: 'Pause', because: UNCORDONED } } : null;
}

function afterUndo({ maintenance, cause, now }: StepInput): StepResult {
  const { state, settings, goneAt, notice } = maintenance;
  if (isDone(maintenance)) return { phase: 'HandedBack', change: { finishedAt: now } };
  if (state.action?.failure) return { phase: 'Failed', change: { finishedAt: now } };
  if (maintenance.cancelled || !cause) return { phase: 'Cancelled', change: { finishedAt: now } };
  // Nothing was done to the node, and the next drain is another one.
  const over = state.action && { action: { ...state.action, open: false } };
  if (maintenance.paused)
    return {
      phase: 'Pending',
      waitingFor: { cause: 'Paused', because: maintenance.pausedBecause },
      ...(over && { change: over }),
    };
  const attempts = state.attempts + 1;
  // A machine that goes later is tried once more shortly before, however often it failed: its pods stop then in any case.
  const lastCall = goneAt === undefined ? undefined : notice?.heldUntil;
  if (attempts >= settings.attempts && lastCall === undefined) return { phase: 'Failed', change: { attempts, finishedAt: now } };
  const soon = now + Math.min(MAX_RETRY_MS, settings.retryAfterMs * 2 ** (attempts - 1));
  const retryAt = Math.min(soon, Math.max(now, lastCall ?? soon));
  return {
    phase: 'BackOff',
    change: { attempts, retryAt, ...over },
    waitingFor: waitOut(retryAt, attempts, state.message),
    wakeAt: retryAt,
  };
}

function stay(input: StepInput): StepResult {
  return { phase: input.maintenance.state.phase, waitingFor: null };
}
