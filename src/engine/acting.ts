/**
 * What the steps that act on an empty node share. Two rules hold for all of them. Nothing is done before the API server has the
 * status that says what will be done, so that whoever goes on after a crash knows what to look for. And what has failed leaves the
 * node cordoned: it may be half done, and only a person can tell.
 */
import type { OneShot } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Acted, Action, FailureCause } from './action.ts';
import type { Blocker } from './blocker.ts';
import { gone, interruption, isCordoned, patchFailure, UNCORDONED, wasUncordoned } from './interruption.ts';
import { readJournal } from './journal.ts';
import type { Maintenance, Phase } from './maintenance.ts';
import type { StepInput, StepResult } from './steps.ts';
import { isWindows } from './reboot-pod.ts';
import type { RunAttempt, RunKind } from './world.ts';

/** A pod or Job of ours, by name. */
export interface Run {
  readonly kind: RunKind;
  readonly namespace: string;
  readonly name: string;
}

export type RunEffect =
  | { readonly do: 'CreateRun'; readonly run: Run; readonly body: Readonly<Record<string, unknown>> }
  /** With the uid that was seen: never another one of that name. */
  | { readonly do: 'RemoveRun'; readonly run: Run; readonly uid: string };

export function runKey({ kind, namespace, name }: Run): string {
  return `${kind} ${namespace}/${name}`;
}

/** The phase that follows Settling. */
export function firstActOf(action: Action): Phase {
  return action.before ? 'BeforeHook' : mainActOf(action);
}

export function mainActOf({ kind }: Action): Phase {
  return kind === 'Reboot' ? 'Rebooting' : kind === 'Delete' ? 'Deleting' : 'Verifying';
}

/** What keeps a node from ever being acted on, told before it is cordoned; null: nothing. */
export function cannotAct({ action }: Maintenance, node: StepInput['node']): Blocker | null {
  if (action?.kind !== 'Reboot' || !node) return null;
  if (node.bootId === '') return { cause: 'CannotReboot', why: 'its status has no boot id, by which a reboot is known' };
  if (isWindows(node) && action.reboot.windowsImage === undefined)
    return { cause: 'CannotReboot', why: 'it runs Windows, and spec.reboot.windowsImage is not set' };
  return null;
}

/** Has the action been done and verified? */
export function isDone({ action, state }: Maintenance): boolean {
  return action === undefined ? state.drainedAt !== undefined : state.action?.doneAt !== undefined;
}

/** The attempt under way; undefined: nothing was written down since the node was drained. */
export function openAttempt({ state }: Maintenance): Acted | undefined {
  return state.action?.open ? state.action : undefined;
}

/** As long as nothing has been done to the node, all that ends a drain ends this, too. null: go on. */
export function beforeTheAct(input: StepInput): StepResult | null {
  const stop = interruption(input);
  if (stop) return stop;
  if (!isCordoned(input) || (input.drain?.known && input.drain.remaining > 0)) return { phase: 'Draining' };
  return null;
}

/** Asked before it is written down that the act begins: from then on it has a time limit. null: go on. */
export function heldByGate(input: StepInput, phase: Phase): StepResult | null {
  const held = input.gates?.();
  return held?.blocker ? { phase, waitingFor: held.blocker, wakeAt: held.wakeAt } : null;
}

export function failed(input: StepInput, cause: FailureCause, message: string): StepResult {
  const acted = input.maintenance.state.action ?? freshRecord(input.maintenance, input.now);
  return {
    phase: 'ActionFailed',
    change: { action: { ...acted, failure: { cause, message } }, message },
    waitingFor: { cause, message },
  };
}

/** For the next attempt: numbered on, so that it shares no name with one before. */
export function freshRecord({ state }: Maintenance, now: Millis): Acted {
  return { since: now, attempt: (state.action?.attempt ?? 0) + 1, failures: 0, open: true };
}

/** The action is over, and the node verified. */
export function done(input: StepInput): StepResult {
  const { maintenance, now } = input;
  const { healthySince: _, ...acted } = maintenance.state.action ?? freshRecord(maintenance, now);
  const message = maintenance.action?.kind === 'Reboot' ? 'rebooted and verified' : 'the hook has run, and the node is verified';
  return {
    phase: maintenance.handBack === 'Never' ? 'Drained' : 'Undoing',
    change: { action: { ...acted, doneAt: now }, message },
    waitingFor: null,
  };
}

/** The runs of one namespace; null until they have been read. Asks for them. */
export function runsOf({ world, needs }: StepInput, kind: RunKind, namespace: string): ReadonlyMap<string, OneShot> | null {
  (kind === 'Pod' ? needs.rebootPods : needs.hookJobs).add(namespace);
  return world.runs?.(kind, namespace) ?? null;
}

export function attemptAt({ world }: StepInput, run: Run): RunAttempt | undefined {
  return world.runAttempts?.get(runKey(run));
}

/** A creation is on its way, or was answered so lately that it may not show yet. */
export function mayAppear(input: StepInput, run: Run): boolean {
  const attempt = attemptAt(input, run);
  return attempt !== undefined && (attempt.inFlight || (attempt.mayShow && input.now < attempt.retryAt));
}

/** What is waited for while it is not there. */
export function notThere(input: StepInput, run: Run): Blocker {
  const what = `${run.kind} ${run.namespace}/${run.name}`;
  const message = attemptAt(input, run)?.failed ?? null;
  return message === null ? { cause: 'NotYetSeen', what } : { cause: 'ActRefused', what: `the creation of ${what}`, message };
}

/** "is waiting (ImagePullBackOff): ..." */
export function standing({ state, reason, message, deletedAt }: OneShot): string {
  const why = [reason && ` (${reason})`, message && `: ${oneLine(message)}`].join('');
  const word = { Pending: 'is waiting', Running: 'is running', Succeeded: 'has done so', Failed: 'has failed' }[state];
  return `${deletedAt === undefined ? word : 'is being deleted'}${why}`;
}

/** What a program has written at its end may have many lines. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}

export function isOver({ state }: OneShot): boolean {
  return state === 'Succeeded' || state === 'Failed';
}

/**
 * The pod that could still reboot the node is removed before the node is given back. Its end is waited for: a kubelet that was cut off
 * may start it late, and then it would reboot a node with pods on it. null: there is none, and none is on its way.
 */
export function stopReboot(input: StepInput): Pick<StepResult, 'nodeEffect' | 'waitingFor' | 'wakeAt'> | null {
  const { maintenance } = input;
  const { action } = maintenance;
  const key = openAttempt(maintenance)?.pod;
  if (action?.kind !== 'Reboot' || key === undefined || maintenance.state.action?.bootIdAfter !== undefined) return null;
  const run = podRun(key);
  const pods = runsOf(input, 'Pod', run.namespace);
  const waitingFor: Blocker = { cause: 'StoppingReboot', pod: key };
  if (!pods) return { waitingFor: { cause: 'NotYetSeen', what: `the pods that reboot nodes in namespace ${run.namespace}` } };
  const pod = pods.get(run.name);
  if (!pod) {
    const attempt = attemptAt(input, run);
    return mayAppear(input, run) ? { waitingFor, wakeAt: attempt?.inFlight ? null : (attempt?.retryAt ?? null) } : null;
  }
  if (isOver(pod)) return null;
  return { waitingFor, ...(pod.deletedAt === undefined && { nodeEffect: { do: 'RemoveRun', run, uid: pod.uid } }) };
}

export function podRun(key: string): Run {
  const [namespace = '', name = ''] = key.split('/');
  return { kind: 'Pod', namespace, name };
}

/** It has failed, and nothing is done any more. A person looks at the machine, and ends it: `drover cancel`, or `kubectl uncordon`. */
export function actionFailed(input: StepInput): StepResult {
  const { maintenance, node } = input;
  const acted = maintenance.state.action;
  if (!node) return gone(input, 'Failed');
  const stays: StepResult = {
    phase: 'ActionFailed',
    waitingFor: acted?.failure ?? { cause: 'RebootFailed', message: maintenance.state.message ?? '' },
  };
  const left = stopReboot(input);
  if (wasUncordoned(input)) return { phase: 'Undoing', change: { message: UNCORDONED } };
  if (left?.nodeEffect) return { ...stays, ...left };
  if (!maintenance.cancelled) return stays;
  if (left) return { ...stays, ...left };
  // Whatever a person wishes: pods must not be put on a node that is not there.
  if (!node.ready) return { ...stays, waitingFor: { cause: 'NotReadyYet', until: null } };
  return { phase: 'Undoing', change: { message: `cancelled after: ${acted?.failure?.message ?? ''}` } };
}

/** The Node object goes; a kubelet that still runs registers anew, and that is another node. */
export function deleting(input: StepInput): StepResult {
  const { maintenance, node, now } = input;
  const name = maintenance.nodeName;
  const acted = openAttempt(maintenance);
  const over = (message: string): StepResult => ({
    phase: 'Drained',
    change: { action: { ...(acted ?? freshRecord(maintenance, now)), doneAt: now }, finishedAt: now, message },
    waitingFor: null,
  });
  if (!node) return over(`node ${name} was deleted`);
  if (!acted)
    return (
      beforeTheAct(input) ??
      heldByGate(input, 'Deleting') ?? { phase: 'Deleting', change: { action: freshRecord(maintenance, now) } }
    );
  if (readJournal(node) === null) return over(`node ${name} was deleted, and has registered again`);
  const stop = beforeTheAct(input);
  if (stop) return stop;
  if (maintenance.recorded?.action?.attempt !== acted.attempt)
    return { phase: 'Deleting', waitingFor: { cause: 'NotYetSeen', what: 'that the deletion is written down' } };
  const effect = { do: 'DeleteNode', node } as const;
  const message = patchFailure(input);
  const waitingFor: Blocker =
    message === null ? { cause: 'DeletingNode' } : { cause: 'ActRefused', what: 'its deletion', message };
  return { phase: 'Deleting', nodeEffect: effect, waitingFor };
}
