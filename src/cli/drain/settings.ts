/** The flags of `drover drain` -> what the engine reads. */
import { labels } from '../../api/names.ts';
import { defaultDrainSettings, type DrainSettings, type PodRule } from '../../engine/settings.ts';
import { UsageError } from '../errors.ts';
import { handoverModes } from '../handover-modes.ts';
import { negated, parseSelectorText } from '../selector-text.ts';
import type { DrainFlags } from './command.ts';

const SETTLE_TIMEOUT_MS = 600_000;

/** @throws UsageError for flags that do not go together. */
export function settingsOf(flags: DrainFlags, nodeCount: number): DrainSettings {
  if (flags.deadline === 0) throw new UsageError('--deadline must be longer than 0; leave it out for none');
  return {
    ...defaultDrainSettings,
    // 0 would skip the kubelet and free the names of StatefulSet pods that may still run; `kubectl delete` makes it 1 for the same reason.
    ...(flags.gracePeriod >= 0 && { graceSeconds: Math.max(1, flags.gracePeriod) }),
    handover: handoverModes[flags.handover],
    handoverTimeoutMs: flags.handoverTimeout,
    unlist: flags.unlist,
    emptyDir: flags.deleteEmptydirData ? 'Evict' : 'Protect',
    barePods: flags.force ? 'Evict' : 'Protect',
    daemonSets: flags.ignoreDaemonsets ? 'Skip' : 'Protect',
    rules: rulesOf(flags.podSelector),
    ...(flags.deadline !== null && { deadlineMs: flags.deadline, ladder: [{ afterMs: flags.deadline, do: 'Delete' }] }),
    // A person waits for the command, and nothing re-creates pods on a cordoned node: empty is empty.
    emptyForMs: 0,
    settleTimeoutMs: (flags.settle ?? nodeCount > 1) ? SETTLE_TIMEOUT_MS : null,
    ...(flags.skipWaitForDeleteTimeout > 0 && { skipDeletedAfterMs: flags.skipWaitForDeleteTimeout * 1_000 }),
    disableEviction: flags.disableEviction,
  };
}

/**
 * "Only these pods" as rules that skip the others: a pod is another one when any one term does not hold. A pod that is being handed
 * over stays one of ours although the handover has taken labels from it.
 */
function rulesOf(podSelector: string | null): PodRule[] {
  if (podSelector === null) return [];
  const handedOver: PodRule = {
    podSelector: { matchLabels: {}, matchExpressions: [{ key: labels.handedOver, operator: 'Exists', values: [] }] },
    do: 'Drain',
  };
  const others = parseSelectorText(podSelector).map(
    (requirement): PodRule => ({ podSelector: { matchLabels: {}, matchExpressions: [negated(requirement)] }, do: 'Skip' }),
  );
  return [handedOver, ...others];
}
