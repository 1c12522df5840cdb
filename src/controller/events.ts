/**
 * Which Kubernetes events Drover writes, their words, and what makes two of them the same. Pure. One event per change that an
 * operator acts on, none per pod that simply leaves: a drain that nothing hinders writes two, its beginning and its end.
 */
import { GROUP_VERSION } from '../api/names.ts';
import type { Node, Pod } from '../api/objects.ts';
import type { Blocker } from '../engine/blocker.ts';
import type { Decision } from '../engine/decide.ts';
import type { PodEffect } from '../engine/effect.ts';
import { explain } from '../engine/explain.ts';
import { readHandover } from '../engine/handover.ts';
import { actingPhases, type Maintenance } from '../engine/maintenance.ts';
import type { NodeEffect } from '../engine/steps.ts';
import type { Millis } from '../lib/clock.ts';
import { ANNOUNCE_AFTER_MS } from './conditions.ts';
import { deciderOf, stuckCauses, viewpointOf } from './status.ts';

export interface Regarding {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
}

export type EventReason =
  | 'MaintenancePlanned'
  | 'Draining'
  | 'Drained'
  | 'Rebooting'
  | 'Rebooted'
  | 'HookStarted'
  | 'DeletingNode'
  | 'ActionFailed'
  | 'HandedBack'
  | 'Waiting'
  | 'PodBlocked'
  | 'TellOwner'
  | 'HandoverGivenBack'
  | 'ForcedDelete'
  | 'BreakerOpen'
  | 'BreakerClosed'
  | 'Failed'
  | 'NotificationFailed';

interface Told {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
}

export interface EventSpec extends Told {
  readonly regarding: Regarding;
  /** Events with one key are one event, told once in 5 minutes. */
  readonly dedupKey: string;
}

/** What has been told about one maintenance. */
export interface EventMemory {
  /** Its plan was told, and nothing since. */
  readonly planned: boolean;
  readonly wait: Wait | null;
  /** Of pods that wait for what does not pass by itself, by uid. */
  readonly pods: ReadonlyMap<string, Wait>;
}

interface Wait {
  readonly key: string;
  readonly since: Millis;
  readonly told: boolean;
}

export interface EventsResult {
  readonly events: readonly EventSpec[];
  /** To be handed in next time. */
  readonly memory: EventMemory;
  /** When time alone brings the next event. */
  readonly wakeAt: Millis | null;
}

const TELL_WAIT_AFTER_MS = 10_000;
const TELL_POD_AFTER_MS = 30_000;

// What a drain always goes through. A pod that takes its grace is no news.
const ordinary = new Set<Blocker['cause']>([
  'InFlight',
  'NotYetSeen',
  'Terminating',
  'EarlierTier',
  'NotEmptyLongEnough',
  'BackOff',
  // Minutes are ordinary for a machine; what lasts too long fails, and that is told.
  'WaitingForReboot',
  'RebootDelay',
  'NotReadyYet',
  'DaemonSetNotUp',
  'HealthyFor',
  'HookRunning',
  'DeletingNode',
  // Told by the phase.
  'RebootFailed',
  'VerifyFailed',
  'HookFailed',
]);

/**
 * What is to be told after a decision, beside answers.
 * @param previous undefined for a maintenance that this process sees for the first time
 * @param node undefined when it is gone: an event needs its uid, and nobody looks there any more
 */
export function eventsFor(
  previous: EventMemory | undefined,
  decision: Decision,
  node: Node | undefined,
  now: Millis,
): EventsResult {
  const { maintenance, phase, waitingFor } = decision;
  const pass: Pass = { events: [], wake: [], decision, now };
  const planned = node ? tellPlan(previous, node, pass) : (previous?.planned ?? false);
  if (node && phase !== maintenance.state.phase) {
    const told = onPhase(decision, previous, now);
    if (told)
      pass.events.push({ ...told, regarding: ofNode(node), dedupKey: `${maintenance.id}/${told.reason}/${told.message}` });
  }
  const wait = waitingFor && node ? tellWait(carry(previous?.wait, waitKey(waitingFor), now), waitingFor, node, pass) : null;
  const pods = new Map<string, Wait>();
  for (const { pod, blocker } of decision.pods ?? []) {
    if (!blocker || !stuckCauses.has(blocker.cause)) continue;
    pods.set(pod.uid, tellPod(carry(previous?.pods.get(pod.uid), blocker.cause, now), blocker, pod, pass));
  }
  return { events: pass.events, memory: { planned, wait, pods }, wakeAt: pass.wake.length > 0 ? Math.min(...pass.wake) : null };
}

interface Pass {
  readonly events: EventSpec[];
  readonly wake: Millis[];
  readonly decision: Decision;
  readonly now: Millis;
}

/** One that starts soon is not announced: the beginning of its drain says it all. Returns whether the plan is known. */
function tellPlan(previous: EventMemory | undefined, node: Node, { events, wake, decision, now }: Pass): boolean {
  const { maintenance, phase, waitingFor } = decision;
  const { state, id } = maintenance;
  if (phase !== 'Pending') return previous?.planned === true && state.phase === 'Pending';
  if (previous?.planned) return true;
  // Back to Pending after an undo: that it stays planned is said by the other event.
  if (!waitingFor || state.phase !== phase) return false;
  const at = state.phaseSince + ANNOUNCE_AFTER_MS;
  if (now < at) {
    wake.push(at);
    return false;
  }
  // First seen long after: an earlier leader has told.
  if (previous === undefined && now > at + ANNOUNCE_AFTER_MS) return true;
  const message = `${named('to be drained', maintenance)}; not yet: ${explain(waitingFor, now).message}`;
  events.push({
    regarding: ofNode(node),
    type: 'Normal',
    reason: 'MaintenancePlanned',
    message,
    dedupKey: `${id}/MaintenancePlanned`,
  });
  return true;
}

function named(what: string, { reason, id, policy }: Maintenance): string {
  return `${what}: ${reason} (NodeMaintenance ${id}${policy === null ? '' : `, policy ${policy}`})`;
}

function onPhase({ maintenance, phase, change }: Decision, previous: EventMemory | undefined, now: Millis): Told | null {
  const { state } = maintenance;
  const because = change?.message ?? state.message ?? '';
  switch (phase) {
    case 'Draining':
      // From Settling: pods came back to an empty node, and the same drain goes on.
      return state.phase === 'Settling' ? null : normal('Draining', named('cordoned and being drained', maintenance));
    case 'BeforeHook':
    case 'AfterHook':
      return normal(
        'HookStarted',
        `${emptied(maintenance, now)}the Job of hooks.${phase === 'BeforeHook' ? 'before' : 'after'} runs`,
      );
    case 'Rebooting':
      return normal('Rebooting', `${emptied(maintenance, now)}to be rebooted`);
    case 'Deleting':
      return normal('DeletingNode', `${emptied(maintenance, now)}the Node is deleted`);
    case 'Verifying':
      return state.phase === 'Rebooting'
        ? normal('Rebooted', `rebooted: boot ${change?.action?.bootIdAfter ?? ''} follows ${change?.action?.bootIdBefore ?? ''}`)
        : null;
    case 'ActionFailed':
      return warning('ActionFailed', `the node stays cordoned until someone has looked at it: ${because}`);
    case 'Drained': {
      if (actingPhases.has(state.phase)) return normal('Drained', `${because}; it stays out of service`);
      const took = state.startedAt === undefined ? 'drained' : `drained in ${Math.round((now - state.startedAt) / 1_000)}s`;
      const late = `${took}, but not everything that left it was Ready elsewhere in time`;
      return gaveUpSettling(maintenance, previous, now) ? warning('Drained', late) : normal('Drained', took);
    }
    case 'HandedBack':
      return normal('HandedBack', `back in service: ${because || 'the maintenance is over'}`);
    case 'Cancelled':
      if (state.phase === 'Undoing') return normal('HandedBack', `back in service, not drained: ${because}`);
      return previous?.planned ? normal('HandedBack', `not to be drained any more: ${because}`) : null;
    case 'Pending':
      return state.phase === 'Undoing' ? normal('HandedBack', `back in service for now: ${because}`) : null;
    case 'BackOff': {
      const seconds = Math.round(((change?.retryAt ?? now) - now) / 1_000);
      return warning('HandedBack', `back in service for now, tried again in ${seconds}s: ${because}`);
    }
    case 'Failed':
      // A node that is gone midway has no event of its own any more.
      if (state.action?.failure) return warning('Failed', `back in service: ${because}`);
      return warning('Failed', `given up after ${change?.attempts ?? state.attempts} attempts, back in service: ${because}`);
    case 'Settling':
    case 'Undoing':
      return null;
  }
}

/** "drained in 12s; ": the end of the drain, where something follows. */
function emptied({ state }: Maintenance, now: Millis): string {
  if (state.phase !== 'Settling' || state.startedAt === undefined) return '';
  return `drained in ${Math.round((now - state.startedAt) / 1_000)}s; `;
}

function gaveUpSettling({ state, settings }: Maintenance, previous: EventMemory | undefined, now: Millis): boolean {
  const waited = previous?.wait?.key === ('NotSettled' satisfies Blocker['cause']);
  return waited && settings.settleTimeoutMs !== null && now >= state.phaseSince + settings.settleTimeoutMs;
}

function normal(reason: EventReason, message: string): Told {
  return { type: 'Normal', reason, message };
}

function warning(reason: EventReason, message: string): Told {
  return { type: 'Warning', reason, message };
}

/** The pod is left out: while a budget lets one after the other go, it is one wait, whichever pod is foremost. */
export function waitKey(blocker: Blocker): string {
  const decider = deciderOf(blocker);
  return decider ? `${blocker.cause} ${decider.kind}/${decider.namespace ?? ''}/${decider.name}` : blocker.cause;
}

/** Queueing is what Pending is for; of a thousand nodes that wait for their turn each would tell so. */
export function isNews(phase: Decision['phase'], { cause }: Blocker): boolean {
  return (stuckCauses.has(cause) && phase !== 'ActionFailed') || (phase !== 'Pending' && !ordinary.has(cause));
}

function carry(before: Wait | null | undefined, key: string, now: Millis): Wait {
  return before?.key === key ? before : { key, since: now, told: false };
}

/** Has it lasted? If not, it is looked at again when it has. */
function lasted({ since }: Wait, ms: Millis, { wake, now }: Pass): boolean {
  if (now > since + ms) return true;
  wake.push(since + ms + 1);
  return false;
}

function tellWait(wait: Wait, blocker: Blocker, node: Node, pass: Pass): Wait {
  const { decision, now } = pass;
  const stuck = stuckCauses.has(blocker.cause);
  if (wait.told || !isNews(decision.phase, blocker) || !lasted(wait, TELL_WAIT_AFTER_MS, pass)) return wait;
  const { message, unblock, pod } = explain(blocker, now, viewpointOf(decision.maintenance));
  const text = `${pod === undefined ? '' : `pod ${pod}: `}${message}; what would help: ${unblock}`;
  // A paused policy or a mass trigger holds many nodes back, but is one thing to know: the first node tells it for all.
  const scope = 'policy' in blocker ? `policy/${blocker.policy}` : decision.maintenance.id;
  const told = stuck ? warning('Waiting', text) : normal('Waiting', text);
  pass.events.push({ ...told, regarding: ofNode(node), dedupKey: `${scope}/Waiting/${wait.key}` });
  return { ...wait, told: true };
}

function tellPod(wait: Wait, blocker: Blocker, pod: Pod, pass: Pass): Wait {
  if (wait.told || !lasted(wait, TELL_POD_AFTER_MS, pass)) return wait;
  const { message, unblock } = explain(blocker, pass.now, viewpointOf(pass.decision.maintenance));
  const text = `keeps node ${pass.decision.maintenance.nodeName} from being drained: ${message}; what would help: ${unblock}`;
  pass.events.push({ ...warning('PodBlocked', text), regarding: ofPod(pod), dedupKey: `${pod.uid}/PodBlocked/${wait.key}` });
  return { ...wait, told: true };
}

/** What is told of an effect once it has been answered (`answer` as the runner's onAnswer has it). */
export function eventsOfAnswer(maintenance: Maintenance, effect: PodEffect | NodeEffect, answer: string): EventSpec[] {
  if (answer !== 'Done' || !('pod' in effect)) return [];
  const { pod } = effect;
  const onPod = (told: Told): EventSpec => ({ ...told, regarding: ofPod(pod), dedupKey: `${pod.uid}/${told.reason}` });
  switch (effect.do) {
    case 'TellOwner': {
      const text = `${effect.message} (NodeMaintenance ${maintenance.id})`;
      const owner = ofOwner(pod);
      if (!owner) return [onPod(warning('TellOwner', text))];
      // An owner with ten such pods is told of the first.
      const dedupKey = `${owner.uid}/TellOwner/${maintenance.nodeName}`;
      return [
        onPod(warning('TellOwner', text)),
        { ...warning('TellOwner', `pod ${pod.name}: ${text}`), regarding: owner, dedupKey },
      ];
    }
    case 'Delete': {
      const text = `deleted without asking its disruption budgets, to drain node ${maintenance.nodeName}: ${effect.because}`;
      return [onPod(warning('ForcedDelete', text))];
    }
    case 'GiveBack': {
      const back = `given back to ReplicaSet ${readHandover(pod)?.owner.name ?? ''}`;
      if (effect.refusedBecause === undefined) {
        const why = maintenance.state.phase === 'Draining' ? 'it wants no pods any more' : 'the drain was stopped';
        return [onPod(normal('HandoverGivenBack', `${back}: ${why}`))];
      }
      return [
        onPod(warning('HandoverGivenBack', `${back}: its replacement did not get Ready in time (${effect.refusedBecause})`)),
      ];
    }
    case 'Evict':
    case 'Detach':
    case 'Unlist':
      return [];
  }
}

/** Of a policy whose breaker has turned. */
export function breakerEvent(
  { name, uid }: { readonly name: string; readonly uid: string },
  open: boolean,
  failures: number,
): EventSpec {
  const told = open
    ? warning(
        'BreakerOpen',
        `${failures === 1 ? 'a maintenance has' : `${failures} maintenances have`} failed: nothing new is started until \`drover resume policy/${name}\``,
      )
    : normal('BreakerClosed', 'its breaker is closed again: maintenances may start');
  const regarding = { apiVersion: GROUP_VERSION, kind: 'MaintenancePolicy', name, uid };
  return { ...told, regarding, dedupKey: `${uid}/${told.reason}` };
}

function ofNode({ name, uid }: Node): Regarding {
  return { apiVersion: 'v1', kind: 'Node', name, uid };
}

function ofPod({ namespace, name, uid }: Pod): Regarding {
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
}

const apiVersions: Readonly<Record<string, string>> = {
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  ReplicationController: 'v1',
};

function ofOwner({ owner, namespace }: Pod): Regarding | null {
  if (!owner) return null;
  const apiVersion = apiVersions[owner.kind];
  return { ...(apiVersion !== undefined && { apiVersion }), kind: owner.kind, namespace, name: owner.name, uid: owner.uid };
}
