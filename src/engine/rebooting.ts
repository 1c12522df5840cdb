/**
 * Exactly one reboot. What a reboot is known by is the boot id: the one before is written into the status first, then the pod is
 * created that ends it, under a name that only this attempt has. After a crash the boot id and the pod tell how far it is.
 */
import type { Node, OneShot } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Acted, Action } from './action.ts';
import {
  attemptAt,
  beforeTheAct,
  failed,
  freshRecord,
  heldByGate,
  mayAppear,
  notThere,
  oneLine,
  openAttempt,
  podRun,
  runsOf,
  standing,
} from './acting.ts';
import type { Blocker } from './blocker.ts';
import { gone } from './interruption.ts';
import type { Maintenance } from './maintenance.ts';
import { rebootPod, rebootPodName } from './reboot-pod.ts';
import type { StepInput, StepResult } from './steps.ts';

export function rebooting(input: StepInput): StepResult {
  const { maintenance, node, now } = input;
  const { action } = maintenance;
  if (!node) return gone(input, 'Failed');
  const acted = openAttempt(maintenance);
  if (!action || !acted) return beforeTheAct(input) ?? heldByGate(input, 'Rebooting') ?? begin(input, node);
  // Whoever has rebooted it.
  if (node.bootId !== '' && node.bootId !== acted.bootIdBefore)
    return { phase: 'Verifying', change: { action: { ...acted, bootIdAfter: node.bootId } }, waitingFor: null };

  const run = podRun(acted.pod ?? '');
  const pods = runsOf(input, 'Pod', run.namespace);
  if (!pods) return waits({ cause: 'NotYetSeen', what: `the pods that reboot nodes in namespace ${run.namespace}` });
  const pod = pods.get(run.name);
  const { reboot } = action;
  const startsAt = acted.since + reboot.delayBeforeMs;
  const until = startsAt + reboot.timeoutMs;
  if (pod) {
    const because = failureOf(pod);
    // The command has ended with an error: the node was not touched, and is given back.
    if (because !== null && maintenance.cancelled) return { phase: 'Undoing', change: { message: 'cancelled' } };
    if (because !== null && acted.failures + 1 < reboot.attempts) return begin(input, node, acted.failures + 1);
    if (because !== null) return failed(input, 'RebootFailed', `the pod ${acted.pod} could not reboot the node: ${because}`);
    if (now >= until) return timedOut(input, action, standing(pod));
    return waits({ cause: 'WaitingForReboot', pod: acted.pod ?? '', says: standing(pod), until }, until);
  }
  const attempt = attemptAt(input, run);
  if (mayAppear(input, run)) return waits(notThere(input, run), Math.min(until, attempt?.retryAt ?? until));

  const stop = beforeTheAct(input);
  if (stop) return stop;
  if (!isRecorded(maintenance, acted)) return waits({ cause: 'NotYetSeen', what: 'that its boot id is written down' });
  if (now < startsAt) return waits({ cause: 'RebootDelay', until: startsAt }, startsAt);
  if (now >= until) return timedOut(input, action, attempt?.failed ?? 'was never seen');
  const body = rebootPod(maintenance, action, node, run.name, acted.bootIdBefore ?? '');
  return {
    ...waits(notThere(input, run), Math.min(until, attempt?.retryAt ?? until)),
    nodeEffect: { do: 'CreateRun', run, body },
  };
}

function waits(waitingFor: Blocker, wakeAt?: Millis): StepResult {
  return { phase: 'Rebooting', waitingFor, ...(wakeAt !== undefined && { wakeAt }) };
}

/** Writes down what is about to be done, and does nothing yet. */
function begin({ maintenance, now }: StepInput, node: Node, failures = 0): StepResult {
  const { action } = maintenance;
  // Its uid comes with the answer to its creation, and that was answered before its status could be written.
  if (!action || action.uid === '') return waits({ cause: 'NotYetSeen', what: `NodeMaintenance ${maintenance.id}` });
  const record = freshRecord(maintenance, now);
  const pod = `${action.reboot.namespace}/${rebootPodName(action.uid, record.attempt)}`;
  return {
    ...waits({ cause: 'NotYetSeen', what: 'that its boot id is written down' }),
    change: { action: { ...record, failures, bootIdBefore: node.bootId, pod } },
  };
}

/** Does the API server have it? */
function isRecorded({ recorded }: Maintenance, { attempt, bootIdBefore, pod }: Acted): boolean {
  const known = recorded?.action;
  return known?.open === true && known.attempt === attempt && known.bootIdBefore === bootIdBefore && known.pod === pod;
}

// What a kubelet says of a pod that it ends because the machine goes down (pkg/kubelet/nodeshutdown).
const shuttingDown: ReadonlySet<string> = new Set(['Terminated', 'NodeShutdown', 'Shutdown']);

/**
 * Why the pod has not rebooted the node; null while it may have. A command that ends by itself with an error has failed; one that was
 * killed, or whose container is lost, may well be a victim of the reboot that it has begun.
 */
function failureOf({ state, reason, message, exitCode }: OneShot): string | null {
  if (state !== 'Failed' || shuttingDown.has(reason)) return null;
  const said = oneLine(message) || reason;
  if (exitCode === undefined) return reason === '' ? null : said;
  if (reason === 'DeadlineExceeded') return said;
  return exitCode > 0 && exitCode < 128 ? `exit code ${exitCode}${said && `: ${said}`}` : null;
}

function timedOut(input: StepInput, { reboot }: Action, how: string): StepResult {
  const { attempt } = openAttempt(input.maintenance) ?? { attempt: 0 };
  const minutes = Math.round(reboot.timeoutMs / 6_000) / 10;
  return failed(
    input,
    'RebootFailed',
    `no new boot id within ${minutes} min (attempt ${attempt}); the pod that tells it to reboot ${how}`,
  );
}
