/** Affinity between pods, both directions: the required terms as a filter, the preferred ones as a score (plugins/interpodaffinity). */
import { matchesSelector } from '../store/label-selectors.ts';
import type { Domains, NodeTable } from './node-table.ts';
import type { AffinityTerm } from './pod-class.ts';
import type { PodClass, PodRegistry } from './pod-registry.ts';
import type { SlotCounts } from './slot-counts.ts';

export interface PodAffinityFilter {
  /** 0 fits, 1 its affinity is not met, 2 its anti-affinity forbids, 3 that of pods already there does. */
  check(slot: number): number;
}

export interface PodAffinity {
  /** Undefined when no term bears on the pod. Holds for one decision: until a pod changes or the next filter is made. */
  filter(pod: PodClass): PodAffinityFilter | undefined;
  /** Adds `weight` times the normalised score to each of the first `count` nodes of `slots`. */
  score(pod: PodClass, slots: Int32Array, count: number, totals: Float64Array, weight: number): void;
}

/** Domains of one label that hold something. */
interface Marked {
  readonly key: string;
  readonly of: Int32Array;
  readonly amounts: Float64Array;
}

/** A set of marks whose arrays are used again: as long as there are hosts, made anew they would be most of a decision. */
interface Marks {
  readonly list: readonly Marked[];
  clear(): void;
  /** Adds weight times count in the domain of each slot; a label that no slot has leaves no mark. */
  add(domains: Domains, where: SlotCounts, weight: number): void;
}

function createMarks(): Marks {
  const pool = new Map<string, { amounts: Float64Array; readonly touched: number[] }>();
  let list: Marked[] = [];
  return {
    get list() {
      return list;
    },
    clear() {
      for (const { key } of list) {
        const used = pool.get(key);
        if (!used) continue;
        for (const domain of used.touched) used.amounts[domain] = 0;
        used.touched.length = 0;
      }
      list = [];
    },
    add({ key, of, values }, where, weight) {
      if (where.size === 0) return;
      let used = pool.get(key);
      if (!used) pool.set(key, (used = { amounts: new Float64Array(0), touched: [] }));
      const marked = list.some((other) => other.key === key);
      if (!marked && used.amounts.length < values.length) used.amounts = new Float64Array(values.length * 2);
      const { amounts, touched } = used;
      where.forEach((slot, count) => {
        const domain = of[slot] ?? -1;
        if (domain < 0) return;
        touched.push(domain);
        amounts[domain] = (amounts[domain] ?? 0) + weight * count;
      });
      if (!marked && touched.length > 0) list.push({ key, of, amounts });
    },
  };
}

// apis/config/v1/defaults.go, HardPodAffinityWeight.
const REQUIRED_AFFINITY_WEIGHT = 1;

interface Company {
  readonly of: Int32Array;
  readonly amounts: Float64Array | undefined;
}

/** Every label is on the node, and each has company in the node's domain, or `first` needs none. */
function isMet(keys: readonly Company[], first: boolean, slot: number): boolean {
  let met = true;
  for (const { of, amounts } of keys) {
    const domain = of[slot] ?? -1;
    if (domain < 0) return false;
    if (!((amounts?.[domain] ?? 0) > 0)) met = false;
  }
  return met || first;
}

export function createPodAffinity(table: NodeTable, registry: PodRegistry): PodAffinity {
  // By the compiled term, which lives as long as its class: the registry's own key is a text to be built.
  const known = new WeakMap<object, SlotCounts>();
  function tallyOf(pod: PodClass, asked: AffinityTerm | readonly AffinityTerm[]): SlotCounts {
    let counts = known.get(asked);
    if (!counts) known.set(asked, (counts = registry.tally(pod, [asked].flat(), true).counts));
    return counts;
  }

  const existing = createMarks();
  const against = createMarks();
  const together = createMarks();
  const wishes = createMarks();

  function selectsItself({ traits }: PodClass, terms: readonly AffinityTerm[]): boolean {
    return terms.every(
      (term) =>
        term.selector &&
        (term.namespaces.has(traits.namespace) || registry.inNamespace(term, traits.namespace)) &&
        matchesSelector(term.selector, traits.labels),
    );
  }

  return {
    filter(pod) {
      const { affinity, antiAffinity } = pod.traits;
      for (const marks of [existing, against, together]) marks.clear();
      for (const { kind, term, holder } of pod.selectedBy) {
        if (kind === 'antiAffinity') existing.add(table.domains(term.topologyKey), holder.standing, 1);
      }
      if (existing.list.length === 0 && affinity.length === 0 && antiAffinity.length === 0) return undefined;
      for (const term of antiAffinity) against.add(table.domains(term.topologyKey), tallyOf(pod, term), 1);
      const topologies = [...new Set(affinity.map(({ topologyKey }) => topologyKey))].map((key) => table.domains(key));
      if (affinity.length > 0) {
        const friends = tallyOf(pod, affinity);
        for (const domains of topologies) together.add(domains, friends, 1);
      }
      const keys = topologies.map(({ key, of }) => ({
        of,
        amounts: together.list.find((marked) => marked.key === key)?.amounts,
      }));
      // The first of a group that wants its own company may go anywhere (filtering.go, satisfyPodAffinity).
      const first = together.list.length === 0 && affinity.length > 0 && selectsItself(pod, affinity);
      const wanted = keys.length > 0;
      const forbidden = [...against.list, ...existing.list];
      const own = against.list.length;
      const forbids = forbidden.length;
      return {
        check(slot) {
          if (wanted && !isMet(keys, first, slot)) return 1;
          for (let i = 0; i < forbids; i++) {
            const marked = forbidden[i] as Marked;
            const domain = marked.of[slot] ?? -1;
            if (domain >= 0 && (marked.amounts[domain] ?? 0) > 0) return i < own ? 2 : 3;
          }
          return 0;
        },
      };
    },
    score(pod, slots, count, totals, weight) {
      const { likes, dislikes } = pod.traits;
      if (likes.length === 0 && dislikes.length === 0 && pod.selectedBy.size === 0) return;
      wishes.clear();
      const wish = (term: AffinityTerm, where: SlotCounts, weight: number) =>
        wishes.add(table.domains(term.topologyKey), where, weight);
      for (const term of likes) wish(term, tallyOf(pod, term), term.weight);
      for (const term of dislikes) wish(term, tallyOf(pod, term), -term.weight);
      for (const { kind, term, holder } of pod.selectedBy) {
        if (kind === 'affinity') wish(term, holder.standing, REQUIRED_AFFINITY_WEIGHT);
        else if (kind === 'likes') wish(term, holder.standing, term.weight);
        else if (kind === 'dislikes') wish(term, holder.standing, -term.weight);
      }
      const marks = wishes.list;
      if (marks.length === 0) return;
      const raw = new Float64Array(count);
      let least = Number.MAX_SAFE_INTEGER;
      let most = Number.MIN_SAFE_INTEGER;
      for (let i = 0; i < count; i++) {
        const slot = slots[i] ?? 0;
        let score = 0;
        for (const { of, amounts } of marks) {
          const domain = of[slot] ?? -1;
          if (domain >= 0) score += amounts[domain] ?? 0;
        }
        raw[i] = score;
        if (score < least) least = score;
        if (score > most) most = score;
      }
      if (most === least) return;
      for (let i = 0; i < count; i++) {
        totals[i] = (totals[i] ?? 0) + weight * Math.trunc(100 * (((raw[i] ?? 0) - least) / (most - least)));
      }
    },
  };
}
