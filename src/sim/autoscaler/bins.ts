/** Nodes that are not there yet, and the packing of waiting pods into them. */
import type { Api } from '../apiserver/api.ts';
import { daemonSets } from '../apiserver/kinds.ts';
import type { Node, Pod } from '../kubernetes.ts';
import { milliOf, unitsOf } from '../quantity.ts';
import { placementFlags, type VolumeRules } from '../scheduler/placement-filter.ts';
import { portsClash } from '../scheduler/host-ports.ts';
import { type HostPort, readPod } from '../scheduler/pod-class.ts';
import type { PodClass } from '../scheduler/pod-registry.ts';
import type { Requests } from '../scheduler/requests.ts';
import { type NodePool, nodeOf } from './node-pool.ts';

const HOSTNAME = 'kubernetes.io/hostname';

/** A pod that waits, and what its volumes demand. */
export interface WaitingPod {
  readonly kind: PodClass;
  readonly volumes: VolumeRules | undefined;
}

/** What one empty node of a pool in a zone has to give, its DaemonSets' pods taken off. */
export interface Shape {
  readonly pool: NodePool;
  readonly zone: string;
  readonly node: Node;
  readonly free: ReadonlyMap<string, number>;
  /** By placement rules: whether they allow the node. */
  readonly allows: Map<string, boolean>;
}

export interface Bin {
  readonly shape: Shape;
  readonly free: Map<string, number>;
  readonly pods: Map<PodClass, number>;
  ports: readonly HostPort[];
}

export function* amounts({ cpu, memory, storage, scalars }: Requests): Generator<[string, number]> {
  yield ['cpu', cpu];
  yield ['memory', memory];
  yield ['ephemeral-storage', storage];
  yield ['pods', 1];
  yield* scalars;
}

function take(free: Map<string, number>, requests: Requests): void {
  for (const [name, amount] of amounts(requests)) free.set(name, (free.get(name) ?? 0) - amount);
}

export function shapeOf(api: Api, pool: NodePool, zone: string): Shape {
  const draft = nodeOf(pool, `${pool.name}-next`, zone);
  const node = { ...draft, metadata: { uid: '', resourceVersion: '', creationTimestamp: '', ...draft.metadata } } as Node;
  const free = new Map<string, number>();
  const { allocatable = {} } = node.status ?? {};
  for (const name in allocatable) free.set(name, name === 'cpu' ? milliOf(allocatable[name]) : unitsOf(allocatable[name]));
  for (const { metadata, spec } of api.list(daemonSets)) {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, ...spec.template.metadata },
      spec: spec.template.spec,
    } as Pod;
    const traits = readPod(pod).traits();
    if (placementFlags(traits.placement, undefined, node) === 0) take(free, traits.requests);
  }
  return { pool, zone, node, free, allows: new Map() };
}

export function createBin(shape: Shape): Bin {
  return { shape, free: new Map(shape.free), pods: new Map(), ports: [] };
}

export function allowed({ allows, node }: Shape, { kind, volumes }: WaitingPod): boolean {
  const { placement } = kind.traits;
  const key = volumes ? `${placement.key}\n${volumes.key}` : placement.key;
  let answer = allows.get(key);
  if (answer === undefined) allows.set(key, (answer = placementFlags(placement, volumes, node) === 0));
  return answer;
}

const keepsOff = (holder: PodClass, other: PodClass) =>
  [...other.selectedBy].some(
    (term) => term.holder === holder && term.kind === 'antiAffinity' && term.term.topologyKey === HOSTNAME,
  );

/** True when the pod goes into the bin beside what is in it: rules that hold within one node are all looked at. */
export function fitsBin(bin: Bin, pod: WaitingPod): boolean {
  const { kind } = pod;
  const { requests, ports, hardSpread } = kind.traits;
  if (!allowed(bin.shape, pod)) return false;
  for (const [name, amount] of amounts(requests)) if (amount > 0 && amount > (bin.free.get(name) ?? 0)) return false;
  if (ports.length > 0 && portsClash(ports, bin.ports)) return false;
  for (const { topologyKey, maxSkew } of hardSpread)
    if (topologyKey === HOSTNAME && (bin.pods.get(kind) ?? 0) >= maxSkew) return false;
  for (const other of bin.pods.keys()) if (keepsOff(kind, other) || keepsOff(other, kind)) return false;
  return true;
}

export function putIntoBin(bin: Bin, { kind }: WaitingPod): void {
  take(bin.free, kind.traits.requests);
  bin.pods.set(kind, (bin.pods.get(kind) ?? 0) + 1);
  if (kind.traits.ports.length > 0) bin.ports = [...bin.ports, ...kind.traits.ports];
}

/** Share of cpu and memory that stays unused in the bins: what the least-waste expander compares. 0 to 2. */
export function wasteOf(bins: readonly Bin[]): number {
  const share = (name: string) => {
    let left = 0;
    let all = 0;
    for (const bin of bins) {
      left += bin.free.get(name) ?? 0;
      all += bin.shape.free.get(name) ?? 0;
    }
    return all > 0 ? left / all : 0;
  };
  return share('cpu') + share('memory');
}
