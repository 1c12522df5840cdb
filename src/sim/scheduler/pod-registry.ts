/**
 * Which pods stand where, by class, and for every selector that matters how many of the pods it selects stand on each node. Upstream walks
 * all pods of all nodes for each decision; here a class knows which selectors match it, so that a pod that comes or goes costs a handful of
 * additions and a decision looks only at nodes that hold a matching pod.
 */
import { createLabelIndex, createSelectorIndex } from '../controllers/selector-index.ts';
import type { Labels } from '../kubernetes.ts';
import { matchesSelector } from '../store/label-selectors.ts';
import type { AffinityTerm, PodQuery, PodTraits } from './pod-class.ts';
import { createSlotCounts, type SlotCounts } from './slot-counts.ts';

export interface PodClass {
  readonly id: string;
  readonly traits: PodTraits;
  /** Pods of the class, on nodes or waiting. */
  pods: number;
  /** All on nodes; those being deleted are in both. */
  readonly standing: SlotCounts;
  readonly leaving: SlotCounts;
  readonly tallies: Set<Tally>;
  /** Affinity terms of other pods (or its own) that select this class. */
  readonly selectedBy: Set<ForeignTerm>;
  /** What is derived from the class and kept with it, by who derives it. */
  readonly derived: Map<string, unknown>;
  readonly own: Tally[];
}

interface Matcher {
  readonly id: string;
  /** Empty: selects nothing. */
  readonly queries: readonly PodQuery[];
  readonly attached: Set<PodClass>;
  attach(pod: PodClass): void;
  detach(pod: PodClass): void;
}

/** Counts the pods that match every query. */
export interface Tally extends Matcher {
  readonly counts: SlotCounts;
  /** Told about each pod that comes or goes. */
  readonly listeners: ((slot: number, by: number) => void)[];
  readonly countsLeaving: boolean;
  /** What is derived from the tally and kept with it, by who derives it. */
  readonly derived: Map<string, unknown>;
  users: number;
}

export type TermKind = 'affinity' | 'antiAffinity' | 'likes' | 'dislikes';

/** A term of the pods of one class, as it bears on the pods that it selects. */
export interface ForeignTerm extends Matcher {
  readonly holder: PodClass;
  readonly kind: TermKind;
  readonly term: AffinityTerm;
}

export interface PodRegistry {
  classOf(key: string, traits: () => PodTraits): PodClass;
  /** Ends one use of the class; it is forgotten when nobody uses it. */
  release(pod: PodClass): void;
  place(pod: PodClass, slot: number, leaving: boolean): void;
  remove(pod: PodClass, slot: number, leaving: boolean): void;
  /** A pod on a node is being deleted now. */
  leave(pod: PodClass, slot: number): void;
  /** The tally of these queries, kept as long as the class. */
  tally(user: PodClass, queries: readonly PodQuery[], countsLeaving: boolean): Tally;
  setNamespace(name: string, labels: Labels | undefined): void;
  /** True when the query reaches into the namespace by the labels of it. */
  inNamespace(query: PodQuery, namespace: string): boolean;
  readonly classes: ReadonlyMap<string, PodClass>;
}

const NO_LABELS: Labels = {};
const TERM_KINDS = ['affinity', 'antiAffinity', 'likes', 'dislikes'] as const;

const keyOf = ({ namespaces, namespaceSelector, selector }: PodQuery) => [[...namespaces].sort(), namespaceSelector, selector];

export function createPodRegistry(): PodRegistry {
  const classes = new Map<string, PodClass>();
  const byId = new Map<string, PodClass>();
  const matchers = new Map<string, Matcher>();
  const tallies = new Map<string, Tally>();
  const namespaces = new Map<string, Labels>();
  const classIndex = createLabelIndex();
  const matcherIndex = createSelectorIndex();
  // Those that go by the labels of namespaces are asked for every class.
  const anywhere = new Set<Matcher>();
  let lastId = 0;

  function inNamespace({ namespaceSelector }: PodQuery, namespace: string): boolean {
    return namespaceSelector !== undefined && matchesSelector(namespaceSelector, namespaces.get(namespace) ?? NO_LABELS);
  }
  function selects(query: PodQuery, { namespace, labels }: PodTraits): boolean {
    if (!query.selector || !(query.namespaces.has(namespace) || inNamespace(query, namespace))) return false;
    return matchesSelector(query.selector, labels);
  }
  const matches = (matcher: Matcher, { traits }: PodClass) =>
    matcher.queries.length > 0 && matcher.queries.every((query) => selects(query, traits));

  function addMatcher(matcher: Matcher): void {
    const [first] = matcher.queries;
    if (!first?.selector) return;
    matchers.set(matcher.id, matcher);
    if (first.namespaceSelector) {
      anywhere.add(matcher);
      for (const pod of classes.values()) if (matches(matcher, pod)) matcher.attach(pod);
      return;
    }
    for (const namespace of first.namespaces) {
      matcherIndex.set(`${matcher.id} ${namespace}`, namespace, first.selector);
      for (const id of classIndex.candidates(namespace, first.selector)) {
        const pod = byId.get(id);
        if (pod && matches(matcher, pod)) matcher.attach(pod);
      }
    }
  }

  function removeMatcher(matcher: Matcher): void {
    for (const pod of matcher.attached) matcher.detach(pod);
    if (!matchers.delete(matcher.id)) return;
    anywhere.delete(matcher);
    for (const namespace of matcher.queries[0]?.namespaces ?? []) matcherIndex.delete(`${matcher.id} ${namespace}`);
  }

  function foreignTerm(holder: PodClass, kind: TermKind, term: AffinityTerm): ForeignTerm {
    const foreign: ForeignTerm = {
      id: String(++lastId),
      queries: [term],
      holder,
      kind,
      term,
      attached: new Set(),
      attach(pod) {
        pod.selectedBy.add(foreign);
        foreign.attached.add(pod);
      },
      detach(pod) {
        pod.selectedBy.delete(foreign);
        foreign.attached.delete(pod);
      },
    };
    return foreign;
  }

  function createTally(queries: readonly PodQuery[], countsLeaving: boolean): Tally {
    const counts = createSlotCounts();
    const shift = (pod: PodClass, by: number) => {
      pod.standing.forEach((slot, count) => change(tally, slot, by * count));
      if (!countsLeaving) pod.leaving.forEach((slot, count) => change(tally, slot, -by * count));
    };
    const tally: Tally = {
      id: String(++lastId),
      queries,
      counts,
      countsLeaving,
      listeners: [],
      derived: new Map(),
      users: 0,
      attached: new Set(),
      attach(pod) {
        if (pod.tallies.has(tally)) return;
        pod.tallies.add(tally);
        tally.attached.add(pod);
        shift(pod, 1);
      },
      detach(pod) {
        tally.attached.delete(pod);
        if (pod.tallies.delete(tally)) shift(pod, -1);
      },
    };
    return tally;
  }

  function change(tally: Tally, slot: number, by: number): void {
    tally.counts.add(slot, by);
    for (const listener of tally.listeners) listener(slot, by);
  }

  function attachAll(pod: PodClass): void {
    for (const id of matcherIndex.candidates(pod.traits.namespace, pod.traits.labels)) {
      const matcher = matchers.get(id.slice(0, id.indexOf(' ')));
      if (matcher && matches(matcher, pod)) matcher.attach(pod);
    }
    for (const matcher of anywhere) if (matches(matcher, pod)) matcher.attach(pod);
  }

  const foreignTerms = new Map<PodClass, ForeignTerm[]>();

  return {
    classes,
    inNamespace,
    classOf(key, traits) {
      let pod = classes.get(key);
      if (!pod) {
        pod = {
          id: String(++lastId),
          traits: traits(),
          pods: 0,
          standing: createSlotCounts(),
          leaving: createSlotCounts(),
          tallies: new Set(),
          selectedBy: new Set(),
          derived: new Map(),
          own: [],
        };
        classes.set(key, pod);
        byId.set(pod.id, pod);
        classIndex.add(pod.id, pod.traits.namespace, pod.traits.labels);
        attachAll(pod);
        const holder = pod;
        const terms = TERM_KINDS.flatMap((kind) => holder.traits[kind].map((term) => foreignTerm(holder, kind, term)));
        if (terms.length > 0) foreignTerms.set(pod, terms);
        for (const term of terms) addMatcher(term);
      }
      pod.pods++;
      return pod;
    },
    release(pod) {
      if (--pod.pods > 0) return;
      classes.delete(pod.traits.key);
      byId.delete(pod.id);
      classIndex.remove(pod.id, pod.traits.namespace, pod.traits.labels);
      for (const term of foreignTerms.get(pod) ?? []) removeMatcher(term);
      foreignTerms.delete(pod);
      for (const matcher of [...pod.tallies, ...pod.selectedBy]) matcher.attached.delete(pod);
      for (const tally of pod.own) {
        if (--tally.users > 0) continue;
        removeMatcher(tally);
        tallies.delete(tallyKey(tally.queries, tally.countsLeaving));
      }
    },
    place(pod, slot, leaving) {
      pod.standing.add(slot, 1);
      if (leaving) pod.leaving.add(slot, 1);
      for (const tally of pod.tallies) if (!leaving || tally.countsLeaving) change(tally, slot, 1);
    },
    remove(pod, slot, leaving) {
      pod.standing.add(slot, -1);
      if (leaving) pod.leaving.add(slot, -1);
      for (const tally of pod.tallies) if (!leaving || tally.countsLeaving) change(tally, slot, -1);
    },
    leave(pod, slot) {
      pod.leaving.add(slot, 1);
      for (const tally of pod.tallies) if (!tally.countsLeaving) change(tally, slot, -1);
    },
    tally(user, queries, countsLeaving) {
      const key = tallyKey(queries, countsLeaving);
      let tally = tallies.get(key);
      if (!tally) {
        tally = createTally(queries, countsLeaving);
        tallies.set(key, tally);
        addMatcher(tally);
      }
      if (!user.own.includes(tally)) {
        user.own.push(tally);
        tally.users++;
      }
      return tally;
    },
    setNamespace(name, labels) {
      if (labels) namespaces.set(name, labels);
      else namespaces.delete(name);
      if (anywhere.size === 0) return;
      for (const pod of classes.values()) {
        if (pod.traits.namespace !== name) continue;
        for (const matcher of anywhere) {
          if (matches(matcher, pod)) matcher.attach(pod);
          else matcher.detach(pod);
        }
      }
    },
  };
}

const tallyKey = (queries: readonly PodQuery[], countsLeaving: boolean) => JSON.stringify([queries.map(keyOf), countsLeaving]);
