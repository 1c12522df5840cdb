/** Which waits of a drain are worth a line, and their words. */
import type { NodeReport } from '../../controller/drain-report.ts';
import type { Blocker, BlockerCause } from '../../engine/blocker.ts';
import type { PodReport } from '../../engine/drain.ts';
import { explain } from '../../engine/explain.ts';
import type { Viewpoint } from '../../engine/phrasing.ts';
import { podKey } from '../../engine/pods.ts';
import type { Millis } from '../../lib/clock.ts';

export const commandLine: Viewpoint = { of: 'CommandLine' };

// The ordinary course of an eviction.
const ordinary: ReadonlySet<BlockerCause> = new Set(['InFlight', 'NotYetSeen', 'EarlierTier', 'Terminating']);

/** "time" needs no telling. */
export function helps(unblock: string): boolean {
  return unblock !== '' && unblock !== 'time';
}

export function isNotable(blocker: Blocker | null | undefined): blocker is Blocker {
  return blocker != null && !ordinary.has(blocker.cause);
}

/** Pods that something keeps, what never passes by itself first. */
export function waitingPods(
  { pods }: NodeReport,
  now: Millis,
): { readonly pod: string; readonly blocker: Blocker; readonly message: string }[] {
  return pods
    .flatMap(({ pod, blocker }) => (isNotable(blocker) ? [{ pod: podKey(pod), blocker, ...explain(blocker, now) }] : []))
    .sort((a, b) => Number(a.passes) - Number(b.passes) || (a.pod < b.pod ? -1 : 1))
    .map(({ message, blocker, pod }) => ({ pod, blocker, message }));
}

/** "3 pods left (3 wait for disruption budget ...)": why a node is not done, in one sentence. */
export function standOf(node: NodeReport, now: Millis): string {
  const left = node.remaining === 1 ? '1 pod is left' : `${node.remaining} pods are left`;
  if (!node.waitingFor) return left;
  const { message } = explain(node.waitingFor, now);
  const pod = 'pod' in node.waitingFor ? `${node.waitingFor.pod}: ` : '';
  return node.remaining === 0 ? message : `${left}; ${pod}${message}`;
}

/** One pod that has not left, for -o json and yaml. */
export function leftOver({ pod, state, blocker, handover }: PodReport, now: Millis): object {
  return {
    pod: podKey(pod),
    state,
    ...(pod.owner && { owner: `${pod.owner.kind}/${pod.owner.name}` }),
    ...(blocker && waitObject(blocker, now)),
    ...(handover !== undefined && { handover }),
  };
}

export function waitObject(blocker: Blocker, now: Millis): object {
  const { message, unblock, passes } = explain(blocker, now, commandLine);
  return { cause: blocker.cause, message, unblock, passes };
}
