/** Whether the pods of a node could go elsewhere (cluster-autoscaler simulator/drainability, the default flags). */
import { controllerOf } from '../controllers/controller-ref.ts';
import type { Api } from '../apiserver/api.ts';
import { budgets } from '../apiserver/kinds.ts';
import { isPodFinished } from '../conditions.ts';
import type { DisruptionBudget, Pod } from '../kubernetes.ts';
import type { ClusterView, PodEntry } from '../scheduler/cluster-view.ts';
import type { NodeFinder } from '../scheduler/find-node.ts';
import { volumeDemand } from '../scheduler/volumes.ts';
import { matchesSelector } from '../store/label-selectors.ts';

const SAFE = 'cluster-autoscaler.kubernetes.io/safe-to-evict';
const SAFE_VOLUMES = 'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes';
const MIRROR = 'kubernetes.io/config.mirror';

function controllerKind(pod: Pod): string | undefined {
  return controllerOf(pod)?.kind;
}

/** A pod that stays until the node is gone, or is gone already: nothing has to be done for it. */
export function needsNoMove(pod: Pod): boolean {
  return (
    isPodFinished(pod) ||
    pod.metadata.deletionTimestamp !== undefined ||
    controllerKind(pod) === 'DaemonSet' ||
    MIRROR in (pod.metadata.annotations ?? {})
  );
}

function hasLocalStorage({ metadata, spec }: Pod): boolean {
  const named = metadata.annotations?.[SAFE_VOLUMES]?.split(',') ?? [];
  return (spec.volumes ?? []).some((volume) => ('emptyDir' in volume || 'hostPath' in volume) && !named.includes(volume.name));
}

const budgetsOf = (pod: Pod, all: readonly DisruptionBudget[]) =>
  all.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace && spec.selector && matchesSelector(spec.selector, pod.metadata.labels ?? {}),
  );

/** The first pod that holds the node, with what about it does; undefined when none does. */
export function holdsNode(api: Api, pods: readonly Pod[]): string | undefined {
  const all = api.list(budgets);
  for (const pod of pods) {
    const safe = pod.metadata.annotations?.[SAFE];
    const mine = budgetsOf(pod, all);
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (mine.some(({ status }) => (status?.disruptionsAllowed ?? 0) < 1))
      return `${name}: not enough pod disruption budget to move`;
    if (safe === 'true') continue;
    if (safe === 'false') return `${name}: not safe to evict`;
    if (controllerKind(pod) === undefined) return `${name}: not replicated`;
    if (pod.metadata.namespace === 'kube-system' && mine.length === 0) return `${name}: a system pod without disruption budget`;
    if (hasLocalStorage(pod)) return `${name}: local storage`;
  }
  return undefined;
}

/**
 * Tries to find each pod another node, given that the ones before it have moved; `avoid` says where none may go. The view is as before
 * when it returns, unless `keep`, by which later nodes are judged with these pods moved: call the returned function to take it back.
 */
export function tryMove(
  api: Api,
  view: ClusterView,
  finder: NodeFinder,
  entries: readonly PodEntry[],
  avoid: ReadonlySet<number>,
): (() => void) | undefined {
  const moved: { readonly entry: PodEntry; readonly from: number }[] = [];
  const undo = () => {
    for (const { entry, from } of moved.reverse()) {
      view.unplace(entry);
      view.place(entry, from);
    }
  };
  for (const entry of entries) {
    const from = entry.slot;
    const demand = entry.claims.length > 0 ? volumeDemand(api, entry.pod, entry.claims) : undefined;
    view.unplace(entry);
    const candidate = { kind: entry.kind, pin: entry.pin, placement: view.filterOf(entry.kind.traits.placement, demand?.rules) };
    const fit = finder.prepare(candidate);
    let to = -1;
    for (const slot of view.nodes.order()) {
      if (avoid.has(slot) || fit.check(slot) !== 0) continue;
      to = slot;
      break;
    }
    view.place(entry, to < 0 ? from : to);
    if (to < 0) {
      undo();
      return undefined;
    }
    moved.push({ entry, from });
  }
  return undo;
}
