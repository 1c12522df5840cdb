/** One decision: which nodes a pod fits, and the best of them. The plugins, weights and sampling are those of upstream's default profile. */
import type { ClusterView } from './cluster-view.ts';
import { portsClash } from './host-ports.ts';
import type { PlacementFilter } from './placement-filter.ts';
import type { PodAffinityFilter } from './pod-affinity.ts';
import type { PodClass } from './pod-registry.ts';
import type { ResourceFit } from './resource-fit.ts';
import type { SpreadFilter } from './topology-spread.ts';

/** A pod to be placed. */
export interface Candidate {
  readonly kind: PodClass;
  /** The only node it may go to. */
  readonly pin: string | undefined;
  /** With the demands of its volumes. */
  readonly placement: PlacementFilter;
}

/** Prepared for one decision: stands until a pod or node changes. */
export interface Fit {
  /** 0 when the pod fits, else the number of the plugin that refuses, in the order in which upstream asks them. */
  check(slot: number): number;
  readonly resources: ResourceFit;
  readonly spread: SpreadFilter | undefined;
  readonly affinity: PodAffinityFilter | undefined;
}

export const REFUSED_BY = { placement: 1, ports: 2, resources: 3, volumes: 4, spread: 5, affinity: 6 } as const;

export interface NodeFinder {
  prepare(candidate: Candidate): Fit;
  /** The slot of the best node, or -1. */
  find(candidate: Candidate): number;
}

// schedule_one.go, numFeasibleNodesToFind.
const FEWEST_TO_FIND = 100;
const LEAST_PERCENT = 5;

/** How many nodes that fit are enough to choose among. */
export function enoughNodes(count: number): number {
  if (count < FEWEST_TO_FIND) return count;
  const percent = Math.max(LEAST_PERCENT, 50 - Math.trunc(count / 125));
  return Math.max(FEWEST_TO_FIND, Math.trunc((count * percent) / 100));
}

const WEIGHT = { taints: 3, nodeAffinity: 2, spread: 2, podAffinity: 2 } as const;

/** Flags of the placement filter that are asked before resources; those of volumes come after. */
const BEFORE_RESOURCES = 1 | 2 | 4;

/** `random`: 0 <= x < 1, drawn for ties only. */
export function createNodeFinder(view: ClusterView, random: () => number): NodeFinder {
  const { nodes, spread, affinity } = view;
  let next = 0;
  let feasible = new Int32Array(0);
  let totals = new Float64Array(0);

  function prepare({ kind, placement }: Candidate): Fit {
    const { ports } = kind.traits;
    const resources = view.sizeOf(kind);
    placement.fit();
    const spreadFilter = spread.filter(kind, placement);
    const affinityFilter = affinity.filter(kind);
    const { flags, stamps } = placement;
    const { scores, uses } = resources;
    const currentStamps = nodes.stamps;
    const currentUses = nodes.uses;
    return {
      resources,
      spread: spreadFilter,
      affinity: affinityFilter,
      check(slot) {
        if (stamps[slot] !== currentStamps[slot]) placement.refresh(slot);
        const flag = flags[slot] ?? 0;
        if ((flag & BEFORE_RESOURCES) !== 0) return REFUSED_BY.placement;
        if (ports.length > 0 && portsClash(ports, view.portsAt(slot))) return REFUSED_BY.ports;
        if (uses[slot] !== currentUses[slot]) resources.refresh(slot);
        if ((scores[slot] ?? 0) < 0) return REFUSED_BY.resources;
        if (flag !== 0) return REFUSED_BY.volumes;
        if (spreadFilter && spreadFilter.check(slot) !== 0) return REFUSED_BY.spread;
        if (affinityFilter && affinityFilter.check(slot) !== 0) return REFUSED_BY.affinity;
        return 0;
      },
    };
  }

  function addTaints({ disliked }: PlacementFilter, count: number): void {
    let most = 0;
    for (let i = 0; i < count; i++) most = Math.max(most, disliked[feasible[i] ?? 0] ?? 0);
    // With none disliked all get the full score, which decides nothing.
    if (most === 0) return;
    for (let i = 0; i < count; i++) {
      const score = 100 - Math.floor((100 * (disliked[feasible[i] ?? 0] ?? 0)) / most);
      totals[i] = (totals[i] ?? 0) + WEIGHT.taints * score;
    }
  }

  function addPreferences({ preferred, hasPreferences }: PlacementFilter, count: number): void {
    if (!hasPreferences) return;
    let most = 0;
    for (let i = 0; i < count; i++) most = Math.max(most, preferred[feasible[i] ?? 0] ?? 0);
    if (most === 0) return;
    for (let i = 0; i < count; i++) {
      totals[i] = (totals[i] ?? 0) + WEIGHT.nodeAffinity * Math.floor((100 * (preferred[feasible[i] ?? 0] ?? 0)) / most);
    }
  }

  function best({ kind, placement }: Candidate, { scores }: ResourceFit, count: number): number {
    const fitting = feasible;
    const sums = totals;
    for (let i = 0; i < count; i++) sums[i] = scores[fitting[i] ?? 0] ?? 0;
    addTaints(placement, count);
    addPreferences(placement, count);
    spread.score(kind, placement, feasible, count, totals, WEIGHT.spread);
    affinity.score(kind, feasible, count, totals, WEIGHT.podAffinity);
    let chosen = 0;
    let most = sums[0] ?? 0;
    let ties = 1;
    for (let i = 1; i < count; i++) {
      const sum = sums[i] ?? 0;
      if (sum < most) continue;
      if (sum > most) {
        most = sum;
        chosen = i;
        ties = 1;
      } else if (random() * ++ties < 1) chosen = i;
    }
    return fitting[chosen] ?? -1;
  }

  function findPinned(candidate: Candidate, name: string): number {
    const slot = nodes.slotOf(name);
    if (slot === undefined || !nodes.nodes[slot]) return -1;
    next = (next + 1) % nodes.count;
    return prepare(candidate).check(slot) === 0 ? slot : -1;
  }

  return {
    prepare,
    find(candidate) {
      if (nodes.count === 0) return -1;
      if (candidate.pin !== undefined) return findPinned(candidate, candidate.pin);
      const order = nodes.order();
      const { length } = order;
      if (feasible.length < length) {
        feasible = new Int32Array(length * 2);
        totals = new Float64Array(length * 2);
      }
      const fit = prepare(candidate);
      const enough = enoughNodes(length);
      const { placement } = candidate;
      const { flags, stamps } = placement;
      const { scores, uses } = fit.resources;
      const { stamps: currentStamps, uses: currentUses } = nodes;
      const plain = candidate.kind.traits.ports.length === 0 && !fit.spread && !fit.affinity;
      const fitting = feasible;
      let found = 0;
      let visited = 0;
      let at = next % length;
      for (; visited < length && found < enough; visited++) {
        const slot = order[at] ?? 0;
        if (++at === length) at = 0;
        if (plain) {
          // What `check` does for most pods, without the call: this loop is where the time goes.
          if (stamps[slot] !== currentStamps[slot]) placement.refresh(slot);
          if (uses[slot] !== currentUses[slot]) fit.resources.refresh(slot);
          if (flags[slot] !== 0 || (scores[slot] ?? -1) < 0) continue;
        } else if (fit.check(slot) !== 0) continue;
        fitting[found++] = slot;
      }
      next = (next + visited) % length;
      if (found === 0) return -1;
      return found === 1 ? (feasible[0] ?? -1) : best(candidate, fit.resources, found);
    },
  };
}
