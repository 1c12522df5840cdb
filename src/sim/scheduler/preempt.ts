/** Preemption: the node where the least is lost by deleting pods of lower priority (plugins/defaultpreemption). */
import type { Api } from '../apiserver/api.ts';
import { budgets, pods } from '../apiserver/kinds.ts';
import { withPodCondition } from '../conditions.ts';
import type { DisruptionBudget, Pod } from '../kubernetes.ts';
import { matchesSelector } from '../store/label-selectors.ts';
import { timestamp } from '../timestamp.ts';
import type { ClusterView, PodEntry } from './cluster-view.ts';
import type { Candidate, NodeFinder } from './find-node.ts';

interface Victims {
  readonly node: string;
  readonly slot: number;
  readonly pods: readonly PodEntry[];
  readonly violations: number;
}

export type PreemptionOutcome =
  | { readonly node: string; readonly victims: Victims; readonly tried?: undefined }
  | { readonly node?: undefined; readonly victims?: undefined; readonly tried: ReadonlyMap<string, number> };

export interface Preemptor {
  preempt(entry: PodEntry, candidate: Candidate, slots: readonly number[]): PreemptionOutcome;
  /** Deletes the victims; their room is kept for the pod until `release`. */
  makeRoom(entry: PodEntry, outcome: PreemptionOutcome): void;
  release(entry: PodEntry): void;
  /** Pods that wait for victims to leave this node. */
  heldAt(slot: number): readonly PodEntry[];
}

export interface PreemptorOptions {
  readonly api: Api;
  readonly view: ClusterView;
  readonly finder: NodeFinder;
  readonly name: string;
}

const priorityOf = ({ kind }: PodEntry) => kind.traits.priority;
const startOf = ({ pod }: PodEntry) => pod.status?.startTime ?? pod.metadata.creationTimestamp;

function byImportance(a: PodEntry, b: PodEntry): number {
  return priorityOf(b) - priorityOf(a) || (startOf(a) < startOf(b) ? -1 : startOf(a) > startOf(b) ? 1 : 0);
}

/** Victims that a budget would not allow to go now, in order of importance; each victim takes one from its budgets. */
function breaking(victims: readonly PodEntry[], all: readonly DisruptionBudget[]): Set<PodEntry> {
  const left = new Map(all.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]));
  const found = new Set<PodEntry>();
  for (const victim of victims) {
    const { namespace, name, labels = {} } = victim.pod.metadata;
    for (const budget of all) {
      const { selector } = budget.spec;
      // A budget without requirements selects nobody here (default_preemption.go, filterPodsWithPDBViolation).
      const empty = !selector?.matchExpressions?.length && !Object.keys(selector?.matchLabels ?? {}).length;
      if (budget.metadata.namespace !== namespace || !selector || empty || !matchesSelector(selector, labels)) continue;
      if (budget.status?.disruptedPods?.[name] !== undefined) continue;
      const rest = (left.get(budget) ?? 0) - 1;
      left.set(budget, rest);
      if (rest < 0) found.add(victim);
    }
  }
  return found;
}

export function createPreemptor({ api, view, finder, name }: PreemptorOptions): Preemptor {
  const held = new Set<PodEntry>();

  /** Pods that have to go from the node, or why it is in vain. */
  function victimsAt(entry: PodEntry, candidate: Candidate, slot: number, all: readonly DisruptionBudget[]): Victims | undefined {
    const lower = [...view.podsAt(slot)].filter((other) => !held.has(other) && priorityOf(other) < priorityOf(entry));
    if (lower.length === 0) return undefined;
    lower.sort(byImportance);
    const fits = () => finder.prepare(candidate).check(slot) === 0;
    for (const victim of lower) view.unplace(victim);
    const chosen: PodEntry[] = [];
    let violations = 0;
    const possible = fits();
    if (possible) {
      const bad = breaking(lower, all);
      for (const victim of [...lower.filter((one) => bad.has(one)), ...lower.filter((one) => !bad.has(one))]) {
        view.place(victim, slot);
        if (fits()) continue;
        view.unplace(victim);
        chosen.push(victim);
        if (bad.has(victim)) violations++;
      }
    }
    for (const victim of lower) if (victim.slot < 0) view.place(victim, slot);
    chosen.sort(byImportance);
    return possible && chosen.length > 0 ? { node: view.nodes.names[slot] ?? '', slot, pods: chosen, violations } : undefined;
  }

  /** Fewest broken budgets, then lowest first victim, lowest sum, fewest victims, latest start. */
  function better(a: Victims, b: Victims): number {
    const sum = (victims: Victims) => victims.pods.reduce((total, victim) => total + priorityOf(victim) + 2 ** 31, 0);
    const first = ({ pods: [victim] }: Victims) => (victim ? priorityOf(victim) : 0);
    const start = (victims: Victims) =>
      victims.pods
        .filter((victim) => priorityOf(victim) === first(victims))
        .map(startOf)
        .sort()[0] ?? '';
    return (
      a.violations - b.violations ||
      first(a) - first(b) ||
      sum(a) - sum(b) ||
      a.pods.length - b.pods.length ||
      (start(a) > start(b) ? -1 : start(a) < start(b) ? 1 : 0)
    );
  }

  return {
    preempt(entry, candidate, slots) {
      const all = api.list(budgets);
      let best: Victims | undefined;
      let inVain = 0;
      for (const slot of slots) {
        const victims = victimsAt(entry, candidate, slot, all);
        if (!victims) inVain++;
        else if (!best || better(victims, best) < 0) best = victims;
      }
      if (best) return { node: best.node, victims: best };
      return { tried: new Map(inVain > 0 ? [['No preemption victims found for incoming pod', inVain]] : []) };
    },
    makeRoom(entry, { victims }) {
      if (!victims) return;
      view.place(entry, victims.slot);
      held.add(entry);
      for (const { pod } of victims.pods) remove(pod);
    },
    heldAt: (slot) => [...held].filter((entry) => entry.slot === slot),
    release(entry) {
      if (held.delete(entry) && !entry.pod.spec.nodeName) view.unplace(entry);
    },
  };

  function remove({ metadata: { namespace = '', name: podName, uid } }: Pod): void {
    const message = `${name}: preempting to accommodate a higher priority pod`;
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', message } as const;
    const now = timestamp(api.clock.now());
    const change = (pod: Pod) => (pod.metadata.uid === uid ? withPodCondition(pod, condition, now) : pod);
    const found = api.modify(pods, namespace, podName, change, { subresource: 'status' });
    if (found?.metadata.uid === uid && found.metadata.deletionTimestamp === undefined) api.remove(pods, namespace, podName);
  }
}
