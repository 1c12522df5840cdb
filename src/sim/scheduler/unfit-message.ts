/** What is said of a pod that fits nowhere, in upstream's words (framework/types.go, FitError). */
import type { ClusterView } from './cluster-view.ts';
import { REFUSED_BY, type Candidate, type Fit } from './find-node.ts';
import { CPU, MEMORY, PODS, ROW, STORAGE, USED_CPU, USED_MEMORY, USED_PODS, USED_STORAGE } from './node-table.ts';
import { CORDONED, TAINTED, VOLUME_ELSEWHERE } from './placement-filter.ts';
import type { PodClass } from './pod-registry.ts';

interface Refusal {
  readonly reasons: readonly string[];
  /** False when no pod that goes could change it. */
  readonly resolvable: boolean;
}

const final = (reason: string): Refusal => ({ reasons: [reason], resolvable: false });
const passing = (reason: string): Refusal => ({ reasons: [reason], resolvable: true });

const CORDONED_NODE = final('node(s) were unschedulable');
const TAINTED_NODE = final('node(s) had untolerated taint(s)');
const OTHER_NODE = final("node(s) didn't match Pod's node affinity/selector");
const PORTS_TAKEN = passing("node(s) didn't have free ports for the requested pod ports");
const VOLUME_NODE = final("node(s) didn't match PersistentVolume's node affinity");
const ZONE = final('node(s) had no available volume zone');
const SPREAD: readonly Refusal[] = [
  final("node(s) didn't match pod topology spread constraints (missing required label)"),
  passing("node(s) didn't match pod topology spread constraints"),
];
const AFFINITY: readonly Refusal[] = [
  final("node(s) didn't match pod affinity rules"),
  passing("node(s) didn't match pod anti-affinity rules"),
  passing("node(s) didn't satisfy existing pods anti-affinity rules"),
];

function lackingResources({ nodes }: ClusterView, { traits }: PodClass, slot: number): Refusal {
  const { rows, scalars } = nodes;
  const row = slot * ROW;
  const at = (column: number) => rows[row + column] ?? 0;
  const { requests } = traits;
  const reasons: string[] = [];
  let resolvable = true;
  const compare = (name: string, asked: number, capacity: number, used: number) => {
    if (asked <= 0 || asked <= capacity - used) return;
    reasons.push(`Insufficient ${name}`);
    if (asked > capacity) resolvable = false;
  };
  if (at(USED_PODS) + 1 > at(PODS)) reasons.push('Too many pods');
  compare('cpu', requests.cpu, at(CPU), at(USED_CPU));
  compare('memory', requests.memory, at(MEMORY), at(USED_MEMORY));
  compare('ephemeral-storage', requests.storage, at(STORAGE), at(USED_STORAGE));
  for (const [name, asked] of requests.scalars) {
    compare(name, asked, scalars.all[slot]?.get(name) ?? 0, scalars.used[slot]?.get(name) ?? 0);
  }
  return { reasons, resolvable };
}

function refusalAt(view: ClusterView, { kind, placement }: Candidate, fit: Fit, slot: number): Refusal | undefined {
  const plugin = fit.check(slot);
  const flags = placement.check(slot);
  switch (plugin) {
    case 0:
      return undefined;
    case REFUSED_BY.placement:
      if (flags & CORDONED) return CORDONED_NODE;
      return flags & TAINTED ? TAINTED_NODE : OTHER_NODE;
    case REFUSED_BY.ports:
      return PORTS_TAKEN;
    case REFUSED_BY.resources:
      return lackingResources(view, kind, slot);
    case REFUSED_BY.volumes:
      return flags & VOLUME_ELSEWHERE ? VOLUME_NODE : ZONE;
    case REFUSED_BY.spread:
      return SPREAD[(fit.spread?.check(slot) ?? 1) - 1];
    default:
      return AFFINITY[(fit.affinity?.check(slot) ?? 1) - 1];
  }
}

function histogram(count: number, tally: ReadonlyMap<string, number>): string {
  const parts = [...tally].map(([reason, nodes]) => `${nodes} ${reason}`).sort();
  return `0/${count} nodes are available:${parts.length > 0 ? ` ${parts.join(', ')}.` : ''}`;
}

export interface Unfit {
  readonly message: string;
  /** Slots where the pod might fit if lower pods went. */
  readonly resolvable: readonly number[];
}

/** What preemption says when it found nothing to do; `tried` nodes were looked at in vain. */
export function preemptionNote(view: ClusterView, { traits }: PodClass, tried: ReadonlyMap<string, number>): string {
  if (!traits.mayPreempt) return 'preemption: not eligible due to preemptionPolicy=Never.';
  const tally = new Map(tried);
  const rest = view.nodes.count - [...tried.values()].reduce((sum, nodes) => sum + nodes, 0);
  if (rest > 0) tally.set('Preemption is not helpful for scheduling', rest);
  return `preemption: ${histogram(view.nodes.count, tally)}`;
}

/** Why the pod fits no node; the note on preemption is the caller's. */
export function explainUnfit(view: ClusterView, candidate: Candidate, fit: Fit): Unfit {
  const { nodes } = view;
  const tally = new Map<string, number>();
  const resolvable: number[] = [];
  const pinned = candidate.pin === undefined ? undefined : nodes.slotOf(candidate.pin);
  const slots = candidate.pin === undefined ? nodes.order() : pinned !== undefined && nodes.nodes[pinned] ? [pinned] : [];
  for (const slot of slots) {
    const refusal = refusalAt(view, candidate, fit, slot);
    if (!refusal) continue;
    for (const reason of refusal.reasons) tally.set(reason, (tally.get(reason) ?? 0) + 1);
    if (refusal.resolvable) resolvable.push(slot);
  }
  if (nodes.count > slots.length) tally.set("node(s) didn't satisfy plugin(s) [NodeAffinity]", nodes.count - slots.length);
  return { message: histogram(nodes.count, tally), resolvable };
}

/** The message when something about the pod itself keeps it from every node. */
export function refusedEverywhere(view: ClusterView, problem: string): string {
  return `0/${view.nodes.count} nodes are available: ${problem}.`;
}
