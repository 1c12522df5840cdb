/** Node labels and taints against one set of placement rules, remembered a node until the node changes. */
import type { Node, NodeSelectorTerm } from '../kubernetes.ts';
import { matchesPairs, matchesTerm, matchesTerms } from './node-affinity.ts';
import type { NodeTable } from './node-table.ts';
import type { PlacementRules } from './pod-class.ts';
import { dislikedTaints, isTolerated, repellingTaint } from './tolerations.ts';

/** Why a node is no place, in the order in which the plugins filter. */
export const CORDONED = 1;
export const TAINTED = 2;
export const UNMATCHED = 4;
export const VOLUME_ELSEWHERE = 8;
export const VOLUME_ZONE = 16;

/** What volumes add to a pod's placement. */
export interface VolumeRules {
  readonly key: string;
  /** One entry a volume with node affinity. */
  readonly affinity: readonly (readonly NodeSelectorTerm[])[];
  /** Zone labels of volumes: any of the values. */
  readonly zones: readonly { readonly label: string; readonly values: readonly string[] }[];
}

export interface PlacementFilter {
  readonly key: string;
  /** Flags a slot; 0 is a place. Only right while `stamps` agrees with the table: else `refresh` first. */
  flags: Uint8Array;
  /** PreferNoSchedule taints that are not tolerated. */
  disliked: Uint8Array;
  /** Weights of the preferred terms that match. */
  preferred: Int32Array;
  stamps: Int32Array;
  readonly hasPreferences: boolean;
  /** True when no node selector or affinity is given: every node is eligible for spreading. */
  readonly anyNode: boolean;
  refresh(slot: number): void;
  /** The flags, up to date. */
  check(slot: number): number;
  /** Makes the arrays as long as the table. */
  fit(): void;
}

const UNSCHEDULABLE = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;
const BETA_TO_GA: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};
export const TOPOLOGY_LABELS = [...Object.keys(BETA_TO_GA), ...Object.values(BETA_TO_GA)];

function fitsZones(node: Node, zones: VolumeRules['zones']): boolean {
  const labels = node.metadata.labels ?? {};
  if (!TOPOLOGY_LABELS.some((label) => label in labels)) return true;
  return zones.every(({ label, values }) => {
    const value = labels[label] ?? labels[BETA_TO_GA[label] ?? label];
    return value !== undefined && values.includes(value);
  });
}

/** The flags of one node, without memory: also for nodes that do not exist yet. */
export function placementFlags(rules: PlacementRules, volumes: VolumeRules | undefined, node: Node): number {
  const { tolerations, nodeSelector, required } = rules;
  const labels = node.metadata.labels ?? {};
  let flags = 0;
  if (node.spec.unschedulable && !isTolerated(UNSCHEDULABLE, tolerations)) flags |= CORDONED;
  if (repellingTaint(node.spec.taints, tolerations)) flags |= TAINTED;
  if (!matchesPairs(nodeSelector, labels) || (required && !matchesTerms(required, node))) flags |= UNMATCHED;
  if (volumes) {
    if (!volumes.affinity.every((terms) => matchesTerms(terms, node))) flags |= VOLUME_ELSEWHERE;
    if (!fitsZones(node, volumes.zones)) flags |= VOLUME_ZONE;
  }
  return flags;
}

export function createPlacementFilter(table: NodeTable, rules: PlacementRules, volumes?: VolumeRules): PlacementFilter {
  const filter: PlacementFilter = {
    key: rules.key,
    flags: new Uint8Array(0),
    disliked: new Uint8Array(0),
    preferred: new Int32Array(0),
    stamps: new Int32Array(0),
    hasPreferences: rules.preferred.length > 0,
    anyNode: !rules.nodeSelector && !rules.required,
    fit() {
      if (filter.flags.length >= table.capacity) return;
      filter.flags = new Uint8Array(table.capacity);
      filter.disliked = new Uint8Array(table.capacity);
      filter.preferred = new Int32Array(table.capacity);
      filter.stamps = new Int32Array(table.capacity);
    },
    refresh(slot) {
      filter.stamps[slot] = table.stamps[slot] ?? 0;
      const node = table.nodes[slot];
      if (!node) {
        filter.flags[slot] = UNMATCHED;
        return;
      }
      filter.flags[slot] = placementFlags(rules, volumes, node);
      filter.disliked[slot] = dislikedTaints(node.spec.taints, rules.tolerations);
      let weight = 0;
      for (const term of rules.preferred) {
        if (matchesTerm(term.preference, node.metadata.name, node.metadata.labels ?? {})) weight += term.weight;
      }
      filter.preferred[slot] = weight;
    },
    check(slot) {
      filter.fit();
      if (filter.stamps[slot] !== table.stamps[slot]) filter.refresh(slot);
      return filter.flags[slot] ?? 0;
    },
  };
  return filter;
}

// A filter takes some ten bytes a node; pods with a volume of their own each would otherwise keep thousands.
const MOST_FILTERS = 512;

/** Hands out one filter for all pods of the same rules. */
export function createPlacementFilters(table: NodeTable): (rules: PlacementRules, volumes?: VolumeRules) => PlacementFilter {
  const filters = new Map<string, PlacementFilter>();
  return (rules, volumes) => {
    const key = volumes ? `${rules.key}\n${volumes.key}` : rules.key;
    let filter = filters.get(key);
    if (!filter) {
      if (filters.size >= MOST_FILTERS) filters.clear();
      filter = createPlacementFilter(table, rules, volumes);
      filters.set(key, filter);
    }
    return filter;
  };
}
