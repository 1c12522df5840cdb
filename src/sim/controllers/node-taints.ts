/** The taints that follow from a node's conditions and its cordon (TaintNodesByCondition). */
import type { Condition, Node, Taint } from '../kubernetes.ts';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';
export const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/** Condition type and status to the key. */
const BY_CONDITION: Readonly<Record<string, string>> = {
  'Ready False': NOT_READY,
  'Ready Unknown': UNREACHABLE,
  'MemoryPressure True': 'node.kubernetes.io/memory-pressure',
  'DiskPressure True': 'node.kubernetes.io/disk-pressure',
  'PIDPressure True': 'node.kubernetes.io/pid-pressure',
  'NetworkUnavailable True': 'node.kubernetes.io/network-unavailable',
};

const OWN_KEYS = new Set([...Object.values(BY_CONDITION), UNSCHEDULABLE]);

type Taints = readonly Taint[] | undefined;

function wantedKeys(conditions: readonly Condition[] = [], unschedulable = false): readonly string[] {
  const keys: string[] = [];
  for (const { type, status } of conditions) {
    const key = BY_CONDITION[`${type} ${status}`];
    if (key !== undefined) keys.push(key);
  }
  if (unschedulable) keys.push(UNSCHEDULABLE);
  return keys;
}

/** The node with the NoSchedule taints that it should have; the same node when it has them. Those that are there keep their time. */
export function withScheduleTaints(node: Node, now: string): Node {
  const wanted = wantedKeys(node.status?.conditions, node.spec.unschedulable);
  const kept = (node.spec.taints ?? []).filter(
    ({ key, effect }) => effect !== 'NoSchedule' || !OWN_KEYS.has(key) || wanted.includes(key),
  );
  const missing = wanted.filter((key) => !kept.some((taint) => taint.key === key && taint.effect === 'NoSchedule'));
  if (missing.length === 0 && kept.length === (node.spec.taints?.length ?? 0)) return node;
  return withTaints(node, [...kept, ...missing.map((key): Taint => ({ key, effect: 'NoSchedule', timeAdded: now }))]);
}

export function hasExecuteTaint(node: Node, key: string): boolean {
  return (node.spec.taints ?? []).some((taint) => taint.key === key && taint.effect === 'NoExecute');
}

/** With this one of the two taints of a node that is not ready, or with neither. */
export function withExecuteTaint(node: Node, key: typeof NOT_READY | typeof UNREACHABLE | undefined, now: string): Node {
  const before: Taints = node.spec.taints ?? [];
  const others = before.filter(
    (taint) => taint.effect !== 'NoExecute' || (taint.key !== NOT_READY && taint.key !== UNREACHABLE) || taint.key === key,
  );
  if (key === undefined || hasExecuteTaint(node, key)) return others.length === before.length ? node : withTaints(node, others);
  return withTaints(node, [...others, { key, effect: 'NoExecute', timeAdded: now }]);
}

function withTaints(node: Node, taints: readonly Taint[]): Node {
  const { taints: _, ...spec } = node.spec;
  return { ...node, spec: taints.length > 0 ? { ...spec, taints } : spec };
}
