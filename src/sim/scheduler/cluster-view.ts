/** The scheduler's picture of nodes and of the pods on them: what a decision reads. It changes one pod or node at a time. */
import type { Node, Pod } from '../kubernetes.ts';
import {
  createNodeTable,
  type NodeTable,
  ROW,
  SCORED_CPU,
  SCORED_MEMORY,
  USED_CPU,
  USED_MEMORY,
  USED_PODS,
  USED_STORAGE,
} from './node-table.ts';
import { createPlacementFilters, type PlacementFilter, type VolumeRules } from './placement-filter.ts';
import { createPodAffinity, type PodAffinity } from './pod-affinity.ts';
import { type HostPort, readPod, type PlacementRules } from './pod-class.ts';
import { createPodRegistry, type PodClass, type PodRegistry } from './pod-registry.ts';
import { createResourceFits, type ResourceFit } from './resource-fit.ts';
import { createTopologySpread, type DefaultSelectors, type TopologySpread } from './topology-spread.ts';
import { claimNames } from './volumes.ts';

/** One pod that is waiting or stands on a node. */
export interface PodEntry {
  readonly uid: string;
  pod: Pod;
  kind: PodClass;
  /** The only node it may go to. */
  pin: string | undefined;
  readonly claims: readonly string[];
  /** -1 while it waits. */
  slot: number;
  leaving: boolean;
}

export interface ClusterView {
  readonly nodes: NodeTable;
  readonly registry: PodRegistry;
  readonly spread: TopologySpread;
  readonly affinity: PodAffinity;
  /** Changes with everything that a decision may depend on. */
  version(): number;
  filterOf(rules: PlacementRules, volumes?: VolumeRules): PlacementFilter;
  /** Room and scores for pods of the class's size. */
  sizeOf(kind: PodClass): ResourceFit;
  /** Pods on a node. */
  podsAt(slot: number): ReadonlySet<PodEntry>;
  portsAt(slot: number): readonly HostPort[];
  /** A pod that is known from now on; it stands nowhere yet. */
  enter(pod: Pod): PodEntry;
  /** Reads the pod anew. False when nothing about it matters to a decision. */
  reread(entry: PodEntry, pod: Pod): boolean;
  place(entry: PodEntry, slot: number): void;
  unplace(entry: PodEntry): void;
  leave(entry: PodEntry): void;
  forget(entry: PodEntry): void;
  setNode(node: Node): number;
  removeNode(name: string): number | undefined;
  touch(): void;
}

const NOBODY: ReadonlySet<PodEntry> = new Set();
const NO_PORTS: readonly HostPort[] = [];

export function createClusterView(defaults: DefaultSelectors): ClusterView {
  const nodes = createNodeTable();
  const registry = createPodRegistry();
  const filterOf = createPlacementFilters(nodes);
  const sizeOf = createResourceFits(nodes);
  const residents: (Set<PodEntry> | undefined)[] = [];
  const ports: (HostPort[] | undefined)[] = [];
  let version = 0;

  /** Adds the pod's requests to the node's sums, or takes them off. */
  function charge({ traits }: PodClass, slot: number, sign: 1 | -1): void {
    const { requests } = traits;
    const { rows } = nodes;
    const row = slot * ROW;
    rows[row + USED_CPU] = (rows[row + USED_CPU] ?? 0) + sign * requests.cpu;
    rows[row + USED_MEMORY] = (rows[row + USED_MEMORY] ?? 0) + sign * requests.memory;
    rows[row + USED_STORAGE] = (rows[row + USED_STORAGE] ?? 0) + sign * requests.storage;
    rows[row + USED_PODS] = (rows[row + USED_PODS] ?? 0) + sign;
    rows[row + SCORED_CPU] = (rows[row + SCORED_CPU] ?? 0) + sign * requests.scoredCpu;
    rows[row + SCORED_MEMORY] = (rows[row + SCORED_MEMORY] ?? 0) + sign * requests.scoredMemory;
    for (const [name, amount] of requests.scalars) {
      const used = (nodes.scalars.used[slot] ??= new Map());
      used.set(name, (used.get(name) ?? 0) + sign * amount);
    }
    nodes.charged(slot);
    if (traits.ports.length === 0) return;
    if (sign > 0) ports[slot] = [...(ports[slot] ?? NO_PORTS), ...traits.ports];
    else for (const port of traits.ports) ports[slot]?.splice(ports[slot]?.indexOf(port) ?? 0, 1);
  }

  function lift(entry: PodEntry): void {
    const { slot } = entry;
    if (slot < 0) return;
    registry.remove(entry.kind, slot, entry.leaving);
    charge(entry.kind, slot, -1);
    residents[slot]?.delete(entry);
    if (residents[slot]?.size === 0) residents[slot] = undefined;
    if (!residents[slot] && !nodes.nodes[slot]) nodes.release(slot);
    entry.slot = -1;
    version++;
  }

  function put(entry: PodEntry, slot: number): void {
    registry.place(entry.kind, slot, entry.leaving);
    charge(entry.kind, slot, 1);
    (residents[slot] ??= new Set()).add(entry);
    entry.slot = slot;
    version++;
  }

  return {
    nodes,
    registry,
    filterOf,
    sizeOf({ traits, derived }) {
      let sized = derived.get('size') as ResourceFit | undefined;
      if (!sized) derived.set('size', (sized = sizeOf(traits.requests)));
      sized.fit();
      return sized;
    },
    spread: createTopologySpread(nodes, registry, defaults),
    affinity: createPodAffinity(nodes, registry),
    version: () => version,
    podsAt: (slot) => residents[slot] ?? NOBODY,
    portsAt: (slot) => ports[slot] ?? NO_PORTS,
    enter(pod) {
      const { key, pin, traits } = readPod(pod);
      const { uid, deletionTimestamp } = pod.metadata;
      const leaving = deletionTimestamp !== undefined;
      return { uid, pod, kind: registry.classOf(key, traits), pin, claims: claimNames(pod), slot: -1, leaving };
    },
    reread(entry, pod) {
      const { metadata, spec } = entry.pod;
      entry.pod = pod;
      const same =
        metadata.labels === pod.metadata.labels &&
        metadata.ownerReferences === pod.metadata.ownerReferences &&
        (spec === pod.spec ||
          (spec.containers === pod.spec.containers &&
            spec.affinity === pod.spec.affinity &&
            spec.tolerations === pod.spec.tolerations));
      if (same && spec.nodeSelector === pod.spec.nodeSelector) return false;
      const { key, pin, traits } = readPod(pod);
      entry.pin = pin;
      if (key === entry.kind.traits.key) return false;
      const { slot, kind } = entry;
      const node = nodes.names[slot];
      lift(entry);
      entry.kind = registry.classOf(key, traits);
      registry.release(kind);
      if (node !== undefined && slot >= 0) put(entry, nodes.reserve(node));
      version++;
      return true;
    },
    place: put,
    unplace: lift,
    leave(entry) {
      if (entry.leaving) return;
      entry.leaving = true;
      if (entry.slot >= 0) registry.leave(entry.kind, entry.slot);
      version++;
    },
    forget(entry) {
      lift(entry);
      registry.release(entry.kind);
    },
    setNode(node) {
      version++;
      return nodes.setNode(node);
    },
    removeNode(name) {
      version++;
      const slot = nodes.removeNode(name);
      if (slot !== undefined && !residents[slot]) nodes.release(slot);
      return slot;
    },
    touch() {
      version++;
    },
  };
}
