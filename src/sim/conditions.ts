/** Conditions in an object's status: reading one, and setting one without losing its transition time. */
import { copyOf } from './copy.ts';
import type { Condition, Node, Pod } from './kubernetes.ts';

type Conditions = readonly Condition[] | undefined;

export function conditionOf(conditions: Conditions, type: string): Condition | undefined {
  if (!conditions) return undefined;
  for (const condition of conditions) if (condition.type === type) return condition;
  return undefined;
}

function saysTheSame(a: Condition, b: Condition): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration &&
    a.lastProbeTime === b.lastProbeTime &&
    a.lastHeartbeatTime === b.lastHeartbeatTime
  );
}

/**
 * Sets the condition of its type, at its place or at the end. Without a `lastTransitionTime` of its own it keeps the old one while the status
 * stays, else it gets `now` (an RFC 3339 text). Returns the same list when nothing changed.
 */
export function withCondition(conditions: Conditions, condition: Condition, now: string): readonly Condition[] {
  const old = conditionOf(conditions, condition.type);
  const kept = old?.status === condition.status ? old.lastTransitionTime : undefined;
  const since = condition.lastTransitionTime ?? kept ?? now;
  if (conditions && old && since === old.lastTransitionTime && saysTheSame(old, condition)) return conditions;
  const set = copyOf(condition);
  set.lastTransitionTime = since;
  if (!conditions || !old) return [...(conditions ?? []), set];
  return conditions.with(conditions.indexOf(old), set);
}

/** The pod with the condition set; the same object when nothing changed. */
export function withPodCondition(pod: Pod, condition: Condition, now: string): Pod {
  const conditions = withCondition(pod.status?.conditions, condition, now);
  if (conditions === pod.status?.conditions) return pod;
  const status = copyOf(pod.status ?? {});
  status.conditions = conditions;
  return { ...pod, status };
}

/** What a condition or a status says it is about; nothing where the pod has no generation. */
export function observedGeneration({ metadata: { generation } }: Pod): { readonly observedGeneration?: number } {
  return generation === undefined ? {} : { observedGeneration: generation };
}

export function isPodReady(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, 'Ready')?.status === 'True';
}

/** Succeeded or Failed: its containers run no more. */
export function isPodFinished(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed';
}

export function isNodeReady(node: Node): boolean {
  return conditionOf(node.status?.conditions, 'Ready')?.status === 'True';
}
