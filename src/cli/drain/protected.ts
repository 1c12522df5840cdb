/** The look before the leap: pods that forbid the drain, found before anything is changed. */
import type { Pod } from '../../api/objects.ts';
import type { ProtectedWhy } from '../../engine/blocker.ts';
import { explain } from '../../engine/explain.ts';
import { readHandover } from '../../engine/handover.ts';
import { classifyPod, ownerKey, podKey } from '../../engine/pods.ts';
import type { DrainSettings } from '../../engine/settings.ts';
import type { Millis } from '../../lib/clock.ts';
import { CommandError } from '../errors.ts';

export interface ProtectedPod {
  readonly node: string;
  /** "namespace/name" */
  readonly pod: string;
  readonly why: ProtectedWhy;
  readonly message: string;
  /** The flag that lets it go. */
  readonly flag: string;
}

const flagFor = {
  NoController: '--force',
  EmptyDir: '--delete-emptydir-data',
  DaemonSet: '--ignore-daemonsets',
} as const satisfies Record<ProtectedWhy, string>;

export function protectedPods(node: string, pods: readonly Pod[], settings: DrainSettings, now: Millis): ProtectedPod[] {
  return pods.flatMap((pod) => {
    const found = classifyPod(pod, settings, readHandover(pod) !== null, now);
    if (found.kind !== 'Protect') return [];
    const { why } = found;
    const { message } = explain({ cause: 'ProtectedPod', pod: podKey(pod), owner: ownerKey(pod), why }, now);
    return [{ node, pod: podKey(pod), why, message, flag: flagFor[why] }];
  });
}

// With a DaemonSet or two on each of twenty nodes the list would hide the sentence above it.
const SHOWN = 20;

/** Refuses, naming the pods and the flags. Nothing has been changed when this is thrown. */
export function refusal(found: readonly ProtectedPod[]): CommandError {
  const nodes = [...new Set(found.map(({ node }) => node))];
  const flags = [...new Set(found.map(({ flag }) => flag))];
  const where = nodes.length === 1 ? `node ${nodes[0]}` : `${nodes.length} nodes`;
  const pods = found.length === 1 ? '1 pod' : `${found.length} pods`;
  const details = found
    .slice(0, SHOWN)
    .map(({ node, pod, message, flag }) => `  ${nodes.length > 1 ? `${node}: ` : ''}${pod}: ${message} (${flag})`);
  if (found.length > SHOWN) details.push(`  ... and ${found.length - SHOWN} more`);
  return new CommandError(
    `${where} cannot be drained, because of ${pods}; nothing was changed. Add ${flags.join(' ')} if ${meaning(found)}:`,
    { details },
  );
}

/** A DaemonSet's pod does not go with its flag: it stays. */
function meaning(found: readonly ProtectedPod[]): string {
  const stay = found.filter(({ why }) => why === 'DaemonSet').length;
  return stay === found.length ? 'these may stay' : stay > 0 ? 'these may go, or stay' : 'these may go';
}
