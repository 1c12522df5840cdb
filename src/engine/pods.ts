/** Which of a node's pods leave, which stay, which forbid the drain, and in which order they go. */
import { matchesSelector } from '../api/label-selector.ts';
import type { Pod } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { ProtectedWhy } from './blocker.ts';
import type { DrainSettings, PodRule } from './settings.ts';

export type PodClass =
  | { readonly kind: 'Move'; readonly tier: Tier }
  | { readonly kind: 'Skip'; readonly because: SkipBecause }
  | { readonly kind: 'Wait'; readonly tier: Tier; readonly maxWaitMs: number | null }
  | { readonly kind: 'Protect'; readonly tier: Tier; readonly why: ProtectedWhy };

export type SkipBecause = 'LongDeleted' | 'MirrorPod' | 'DaemonSet' | 'Rule';

export interface Tier {
  readonly name: string;
  /** Lowest leaves first. */
  readonly order: number;
}

const tiers = {
  workload: { name: 'workload', order: 0 },
  storage: { name: 'storage', order: 100 },
  daemon: { name: 'daemon', order: 200 },
  critical: { name: 'critical', order: 300 },
} as const satisfies Record<string, Tier>;

// Where the well-known storage systems install themselves; their pods serve volumes to the others and must outlive them
// (kubernetes/kubectl#1347, kubernetes-sigs/cluster-api#11024). Other installations name theirs in a rule with order 100.
const storageNamespaces = new Set([
  'rook-ceph',
  'longhorn-system',
  'openebs',
  'portworx',
  'piraeus-datastore',
  'topolvm-system',
  'mayastor',
]);

export function podKey(pod: { readonly namespace: string; readonly name: string }): string {
  return `${pod.namespace}/${pod.name}`;
}

export function ownerKey(pod: Pod): string {
  return pod.owner ? `${pod.owner.kind}/${pod.owner.name}` : '';
}

/** Succeeded and Failed pods run nothing: they go whatever protects them, as with kubectl drain. */
export function isFinished(pod: Pod): boolean {
  return pod.phase === 'Succeeded' || pod.phase === 'Failed';
}

function builtInTier(pod: Pod): Tier {
  if (pod.priorityClass === 'system-node-critical' || pod.priorityClass === 'system-cluster-critical') return tiers.critical;
  if (pod.owner?.kind === 'DaemonSet') return tiers.daemon;
  if (storageNamespaces.has(pod.namespace)) return tiers.storage;
  return tiers.workload;
}

function ruleFor(pod: Pod, rules: readonly PodRule[]): PodRule | undefined {
  return rules.find(
    (rule) =>
      (rule.namespaces === undefined || rule.namespaces.includes(pod.namespace)) && matchesSelector(rule.podSelector, pod.labels),
  );
}

/** From when on a terminating pod is no longer waited for; null: always. Its deletionTimestamp is when its grace ends, as kubectl counts. */
export function skippedFrom(pod: Pod, { skipDeletedAfterMs }: DrainSettings): Millis | null {
  return pod.deletedAt === undefined || skipDeletedAfterMs === undefined ? null : pod.deletedAt + skipDeletedAfterMs + 1;
}

/**
 * The order of the questions is kubectl's (pkg/drain/filters.go); rules of the policy come before DaemonSets so that they can move one.
 * @param startedAt of the drain
 */
export function classifyPod(
  pod: Pod,
  settings: DrainSettings,
  handedOver: boolean,
  now: Millis,
  startedAt = Number.POSITIVE_INFINITY,
): PodClass {
  if (now >= (skippedFrom(pod, settings) ?? Number.POSITIVE_INFINITY)) return { kind: 'Skip', because: 'LongDeleted' };
  if (pod.mirror) return { kind: 'Skip', because: 'MirrorPod' };
  const rule = ruleFor(pod, settings.rules);
  if (rule?.do === 'Skip') return { kind: 'Skip', because: 'Rule' };
  const tier = rule?.order === undefined ? builtInTier(pod) : { name: `order ${rule.order}`, order: rule.order };
  if (isFinished(pod)) return { kind: 'Move', tier };
  // Its controller does not look at the cordon: it puts another on the node at once, and evicting that one, too, would never end.
  if (pod.owner?.kind === 'DaemonSet' && pod.createdAt >= Math.floor(startedAt / 1_000) * 1_000)
    return { kind: 'Skip', because: 'DaemonSet' };
  if (pod.owner?.kind === 'DaemonSet' && rule?.do !== 'Drain') {
    if (settings.daemonSets === 'Skip') return { kind: 'Skip', because: 'DaemonSet' };
    if (settings.daemonSets === 'Protect') return { kind: 'Protect', tier, why: 'DaemonSet' };
  }
  if (rule?.do === 'WaitCompleted') return { kind: 'Wait', tier, maxWaitMs: rule.maxWaitMs ?? null };
  if (pod.deletedAt === undefined) {
    if (pod.emptyDir && settings.emptyDir === 'Protect') return { kind: 'Protect', tier, why: 'EmptyDir' };
    // A pod that was handed over has no controller because we took its label: it is not a bare pod.
    if (!pod.owner && !handedOver && settings.barePods === 'Protect') return { kind: 'Protect', tier, why: 'NoController' };
  }
  return { kind: 'Move', tier };
}
