/** The drawn nodes, and what people do to a node. */
import * as kinds from '../../src/sim/apiserver/kinds.ts';
import { withCondition } from '../../src/sim/conditions.ts';
import type { Node, Taint } from '../../src/sim/kubernetes.ts';
import { timestamp } from '../../src/sim/timestamp.ts';
import type { DrawnNode, DrawnPolicy } from './case.ts';
import type { Stage } from './stage.ts';

export const POOL = 'example.com/pool';
export const ZONE = 'topology.kubernetes.io/zone';
/** What calls a node out, by the reason of a policy. */
export const CALL = { taint: 'example.com/retire', label: 'example.com/retire', condition: 'RetireSoon' } as const;
const FOREIGN: Taint = { key: 'example.com/quirk', value: 'odd', effect: 'PreferNoSchedule' };

export function createNode({ api, cluster }: Stage, name: string, drawn: DrawnNode): void {
  const { zone, pool, marked } = drawn;
  const size = { cpu: '8', memory: '32Gi', pods: '110' };
  api.create(kinds.nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        [ZONE]: `zone-${zone}`,
        [POOL]: pool,
        ...(marked && { 'example.com/owner': 'someone' }),
      },
      ...(marked && { annotations: { 'example.com/note': 'do not touch' } }),
    },
    spec: { ...(drawn.cordoned && { unschedulable: true }), ...(marked && { taints: [FOREIGN] }) },
    status: { capacity: size, allocatable: size },
  });
  if (drawn.slowness !== 1) cluster.kubelets?.slow(name, drawn.slowness);
}

const change = ({ api }: Stage, name: string, how: (node: Node) => Node) => void api.modify(kinds.nodes, '', name, how);

export function cordon(stage: Stage, name: string, closed: boolean): void {
  change(stage, name, (node) => {
    if ((node.spec.unschedulable ?? false) === closed) return node;
    const { unschedulable: _, ...spec } = node.spec;
    return { ...node, spec: closed ? { ...spec, unschedulable: true } : spec };
  });
}

function taint(stage: Stage, name: string, mark: Taint, on: boolean): void {
  change(stage, name, (node) => {
    const { taints = [], ...spec } = node.spec;
    const others = taints.filter((each) => each.key !== mark.key);
    const next = on ? [...others, mark] : others;
    return { ...node, spec: next.length > 0 ? { ...spec, taints: next } : spec };
  });
}

function label(stage: Stage, name: string, key: string, on: boolean): void {
  change(stage, name, (node) => {
    const { [key]: _, ...labels } = node.metadata.labels ?? {};
    return { ...node, metadata: { ...node.metadata, labels: on ? { ...labels, [key]: 'yes' } : labels } };
  });
}

export function mark(stage: Stage, name: string, on: boolean): void {
  taint(stage, name, FOREIGN, on);
  label(stage, name, 'example.com/owner', on);
}

/** Sets or takes away what a policy of this sort takes for its reason. */
export function callOut(stage: Stage, name: string, reason: DrawnPolicy['reason'], on: boolean): void {
  if (reason === 'taint') return taint(stage, name, { key: CALL.taint, effect: 'PreferNoSchedule' }, on);
  if (reason === 'label') return label(stage, name, CALL.label, on);
  const now = timestamp(stage.clock.now());
  const condition = { type: CALL.condition, status: on ? ('True' as const) : ('False' as const), lastTransitionTime: now };
  stage.api.modify(
    kinds.nodes,
    '',
    name,
    (node) => ({ ...node, status: { ...node.status, conditions: withCondition(node.status?.conditions, condition, now) } }),
    { subresource: 'status' },
  );
}
