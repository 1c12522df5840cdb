/** Topology spread: the hard constraints as a filter, the soft ones as a score (plugins/podtopologyspread). */
import { matchesSelector } from '../store/label-selectors.ts';
import type { Domains, NodeTable } from './node-table.ts';
import { TAINTED, UNMATCHED, type PlacementFilter } from './placement-filter.ts';
import type { SpreadConstraint } from './pod-class.ts';
import type { PodClass, PodRegistry, Tally } from './pod-registry.ts';

const HOSTNAME = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';

/** Matching pods by domain over the nodes that count for a constraint; kept up with pods, made anew when nodes change. */
interface Counter {
  readonly hard: boolean;
  /** By domain id. */
  counts: Int32Array;
  /** 1 for a domain with a node that counts; only hard constraints ask. */
  present: Int32Array;
  labelsVersion: number;
  taintsVersion: number;
}

interface Spread {
  readonly constraint: SpreadConstraint;
  readonly domains: Domains;
  /** A node without all of these labels does not count. */
  readonly keys: readonly Domains[];
  readonly tally: Tally | undefined;
  readonly counter: Counter | undefined;
}

function hasAll(keys: readonly Domains[], slot: number): boolean {
  for (const { of } of keys) if ((of[slot] ?? -1) < 0) return false;
  return true;
}

/** Holds for one decision: nothing may be bound between making it and asking it. */
export interface SpreadFilter {
  /** 0 fits, 1 the node lacks a topology label, 2 the skew would be too large. */
  check(slot: number): number;
}

export interface TopologySpread {
  filter(pod: PodClass, placement: PlacementFilter): SpreadFilter | undefined;
  /** Adds `weight` times the normalised score to each of the first `count` nodes of `slots`. */
  score(pod: PodClass, placement: PlacementFilter, slots: Int32Array, count: number, totals: Float64Array, weight: number): void;
}

/** The selector of a pod's Services and owner, undefined when there is none, and a version that changes whenever the answer may. */
export interface DefaultSelectors {
  version(namespace: string): number;
  selectorOf(pod: PodClass['traits']): SpreadConstraint['selector'];
}

// apis/config/v1/defaults.go via plugin.go, systemDefaultConstraints.
const DEFAULTS = [
  { maxSkew: 3, topologyKey: HOSTNAME },
  { maxSkew: 5, topologyKey: ZONE },
] as const;

const NO_COUNTS = new Int32Array(0);

export function createTopologySpread(table: NodeTable, registry: PodRegistry, defaults: DefaultSelectors): TopologySpread {
  // Used again for each decision, so that scoring a thousand nodes leaves no garbage.
  let raw = new Float64Array(0);
  let ignored = new Uint8Array(0);
  let marks = new Int32Array(0);
  let round = 0;

  const isFresh = (counter: Counter, { honorTaints }: SpreadConstraint) =>
    counter.labelsVersion === table.labelsVersion && (!honorTaints || counter.taintsVersion === table.taintsVersion);

  function counts(placement: PlacementFilter, { honorAffinity, honorTaints }: SpreadConstraint, slot: number): boolean {
    const mask = (honorAffinity && !placement.anyNode ? UNMATCHED : 0) | (honorTaints ? TAINTED : 0);
    return mask === 0 || (placement.check(slot) & mask) === 0;
  }

  function recount({ counter, constraint, domains, tally, keys }: Spread, placement: PlacementFilter): Counter | undefined {
    if (!counter || isFresh(counter, constraint)) return counter;
    const size = domains.values.length + 8;
    counter.counts = counter.counts.length < size ? new Int32Array(size * 2) : counter.counts.fill(0);
    const { of } = domains;
    const eligible = (slot: number) => hasAll(keys, slot) && counts(placement, constraint, slot);
    if (counter.hard) {
      counter.present = counter.present.length < size ? new Int32Array(size * 2) : counter.present.fill(0);
      for (const slot of table.order()) {
        const domain = of[slot] ?? -1;
        if (domain >= 0 && eligible(slot)) counter.present[domain] = 1;
      }
    }
    tally?.counts.forEach((slot, count) => {
      const domain = of[slot] ?? -1;
      if (domain >= 0 && table.nodes[slot] && eligible(slot)) counter.counts[domain] = (counter.counts[domain] ?? 0) + count;
    });
    counter.labelsVersion = table.labelsVersion;
    counter.taintsVersion = table.taintsVersion;
    return counter;
  }

  function createCounter(
    hard: boolean,
    spread: Omit<Spread, 'counter'>,
    keys: readonly Domains[],
    placement: PlacementFilter,
  ): Counter {
    const { constraint, domains, tally } = spread;
    const { honorAffinity, honorTaints } = constraint;
    const key = JSON.stringify([hard, domains.key, keys.map((other) => other.key), honorAffinity, honorTaints, placement.key]);
    // Shared by all classes of one selector: each pod of a StatefulSet is a class of its own.
    const known = tally?.derived.get(key) as Counter | undefined;
    if (known) return known;
    const counter: Counter = {
      hard,
      counts: new Int32Array(0),
      present: new Int32Array(0),
      labelsVersion: -1,
      taintsVersion: -1,
    };
    tally?.derived.set(key, counter);
    tally?.listeners.push((slot, by) => {
      const domain = domains.of[slot] ?? -1;
      if (domain < 0 || !table.nodes[slot] || !isFresh(counter, constraint)) return;
      if (hasAll(keys, slot) && counts(placement, constraint, slot)) counter.counts[domain] = (counter.counts[domain] ?? 0) + by;
    });
    return counter;
  }

  function prepare(
    pod: PodClass,
    constraints: readonly SpreadConstraint[],
    placement: PlacementFilter,
    hard: boolean,
  ): readonly Spread[] {
    const keys = constraints.map(({ topologyKey }) => table.domains(topologyKey));
    return constraints.map((constraint) => {
      const { selector, topologyKey } = constraint;
      // An empty selector counts nobody here, although it matches everybody (common.go, countPodsMatchSelector).
      const empty = !selector || (!Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length);
      const query = { namespaces: new Set([pod.traits.namespace]), namespaceSelector: undefined, selector };
      const tally = empty ? undefined : registry.tally(pod, [query], false);
      const domains = table.domains(topologyKey);
      // Only with constraints of its own does a pod pass over nodes without one of the labels (scoring.go, requireAllTopologies).
      const needed = pod.traits.ownSpread ? keys : [domains];
      // The counts by host are the tally itself when nobody asks for the least of them.
      const counted = hard || topologyKey !== HOSTNAME;
      const spread = { constraint, domains, tally, keys: needed };
      return { ...spread, counter: counted ? createCounter(hard, spread, needed, placement) : undefined };
    });
  }

  function spreads(pod: PodClass, placement: PlacementFilter, hard: boolean): readonly Spread[] {
    const { traits, derived } = pod;
    if (hard || traits.ownSpread) {
      const name = hard ? 'hard spread' : 'soft spread';
      let own = derived.get(name) as readonly Spread[] | undefined;
      if (!own) derived.set(name, (own = prepare(pod, hard ? traits.hardSpread : traits.softSpread, placement, hard)));
      return own;
    }
    const version = defaults.version(traits.namespace);
    const known = derived.get('default spread') as { version: number; selector: string; all: readonly Spread[] } | undefined;
    if (known?.version === version) return known.all;
    const selector = defaults.selectorOf(traits);
    const text = JSON.stringify(selector) ?? '';
    const constraint = { selector, minDomains: 1, honorAffinity: true, honorTaints: false };
    const same = known?.selector === text;
    const all = same
      ? known.all
      : !selector
        ? []
        : prepare(
            pod,
            DEFAULTS.map((part) => ({ ...part, ...constraint })),
            placement,
            false,
          );
    derived.set('default spread', { version, selector: text, all });
    return all;
  }

  return {
    filter(pod, placement) {
      if (pod.traits.hardSpread.length === 0) return undefined;
      const all = spreads(pod, placement, true);
      const limits = all.map((spread) => {
        const counter = recount(spread, placement);
        const { constraint } = spread;
        let least = Number.MAX_SAFE_INTEGER;
        let found = 0;
        for (const [domain, nodes] of counter?.present.entries() ?? []) {
          if (nodes === 0) continue;
          found++;
          least = Math.min(least, counter?.counts[domain] ?? 0);
        }
        if (found < constraint.minDomains) least = 0;
        const self = constraint.selector && matchesSelector(constraint.selector, pod.traits.labels) ? 1 : 0;
        return { of: spread.domains.of, counts: counter?.counts ?? NO_COUNTS, most: least + constraint.maxSkew - self };
      });
      return {
        check(slot) {
          for (const { of, counts, most } of limits) {
            const domain = of[slot] ?? -1;
            if (domain < 0) return 1;
            if ((counts[domain] ?? 0) > most) return 2;
          }
          return 0;
        },
      };
    },
    score(pod, placement, slots, count, totals, weight) {
      const all = spreads(pod, placement, false);
      if (all.length === 0) return;
      if (raw.length < count) {
        raw = new Float64Array(count * 2);
        ignored = new Uint8Array(count * 2);
      }
      raw.fill(0, 0, count);
      ignored.fill(0, 0, count);
      let scored = count;
      if (pod.traits.ownSpread) {
        for (let i = 0; i < count; i++) {
          if (all.every(({ keys }) => hasAll(keys, slots[i] ?? 0))) continue;
          ignored[i] = 1;
          scored--;
        }
      }
      for (const spread of all) {
        if (spread.constraint.topologyKey === HOSTNAME) addByHost(spread, slots, count, scored, raw, ignored);
        else addByDomain(spread, recount(spread, placement)?.counts ?? NO_COUNTS, slots, count, raw, ignored);
      }
      addNormalised(raw, ignored, count, totals, weight);
    },
  };

  function addByHost(
    { constraint, domains, tally }: Spread,
    slots: Int32Array,
    count: number,
    scored: number,
    raw: Float64Array,
    ignored: Uint8Array,
  ): void {
    const { of } = domains;
    const counts = tally?.counts.borrow(table.capacity) ?? NO_COUNTS;
    const factor = Math.log(scored + 2);
    const base = constraint.maxSkew - 1;
    for (let i = 0; i < count; i++) {
      const slot = slots[i] ?? 0;
      if ((of[slot] ?? -1) < 0 || ignored[i] === 1) continue;
      raw[i] = (raw[i] ?? 0) + (counts[slot] ?? 0) * factor + base;
    }
    tally?.counts.done();
  }

  function addByDomain(
    { constraint, domains }: Spread,
    counts: Int32Array,
    slots: Int32Array,
    count: number,
    raw: Float64Array,
    ignored: Uint8Array,
  ): void {
    const { of } = domains;
    // Nodes without the label are a domain of their own as far as the number of domains goes.
    if (marks.length <= domains.values.length + 1) marks = new Int32Array(domains.values.length * 2 + 8);
    const seen = marks;
    const now = ++round;
    let size = 0;
    for (let i = 0; i < count; i++) {
      const mark = (of[slots[i] ?? 0] ?? -1) + 1;
      if (seen[mark] === now || ignored[i] === 1) continue;
      seen[mark] = now;
      size++;
    }
    const factor = Math.log(size + 2);
    const base = constraint.maxSkew - 1;
    for (let i = 0; i < count; i++) {
      const domain = of[slots[i] ?? 0] ?? -1;
      if (domain < 0 || ignored[i] === 1) continue;
      raw[i] = (raw[i] ?? 0) + (counts[domain] ?? 0) * factor + base;
    }
  }
}

function addNormalised(raw: Float64Array, ignored: Uint8Array, count: number, totals: Float64Array, weight: number): void {
  let least = Number.MAX_SAFE_INTEGER;
  let most = 0;
  for (let i = 0; i < count; i++) {
    if (ignored[i]) continue;
    const score = Math.round(raw[i] ?? 0);
    raw[i] = score;
    if (score < least) least = score;
    if (score > most) most = score;
  }
  for (let i = 0; i < count; i++) {
    if (ignored[i]) continue;
    const score = most === 0 ? 100 : Math.floor((100 * (most + least - (raw[i] ?? 0))) / most);
    totals[i] = (totals[i] ?? 0) + weight * score;
  }
}
