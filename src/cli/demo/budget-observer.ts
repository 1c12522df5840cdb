/**
 * Are the disruption budgets kept? Counted pod by pod from the API and from what the budgets and workloads say, not from any status
 * field: neither Drover nor the disruption controller is believed.
 */
import type { Millis } from '../../lib/clock.ts';
import type { Api } from '../../sim/apiserver/api.ts';
import { budgets, deployments, pods, statefulSets } from '../../sim/apiserver/kinds.ts';
import { isPodReady } from '../../sim/conditions.ts';
import type { DisruptionBudget, Pod } from '../../sim/kubernetes.ts';
import { matchesSelector } from '../../sim/store/label-selectors.ts';

export interface BudgetRecord {
  readonly namespace: string;
  readonly name: string;
  /** Pods that the workloads behind it want. */
  readonly replicas: number;
  /** Healthy pods that it demands. */
  readonly demands: number;
  readonly ready: number;
  /** Fewest that were Ready at once since the start. */
  readonly fewest: number;
  /** How often a pod went although that left fewer than it demands. */
  readonly violations: number;
  /** When the first one was. */
  readonly firstAt: Millis | null;
}

export interface BudgetObserver {
  records(): BudgetRecord[];
  stop(): void;
}

interface Watched {
  readonly budget: DisruptionBudget;
  readonly ready: Set<string>;
  fewest: number;
  violations: number;
  firstAt: Millis | null;
}

/** From now on, for the budgets that there are now. */
export function observeBudgets(api: Api): BudgetObserver {
  const watched = api.list(budgets).map((budget): Watched => {
    const ready = new Set(
      api
        .list(pods, { namespace: budget.metadata.namespace ?? '' })
        .flatMap((pod) => (counts(budget, pod) ? [pod.metadata.uid] : [])),
    );
    return { budget, ready, fewest: ready.size, violations: 0, firstAt: null };
  });
  const stop = api.watch(pods, ({ type, object }) => {
    const { uid } = object.metadata;
    for (const each of watched) {
      if (type !== 'DELETED' && counts(each.budget, object)) each.ready.add(uid);
      else if (each.ready.delete(uid)) {
        each.fewest = Math.min(each.fewest, each.ready.size);
        if (each.ready.size >= demandOf(api, each.budget).demands) continue;
        each.violations += 1;
        each.firstAt ??= api.clock.now();
      }
    }
  });
  return {
    stop,
    records: () =>
      watched.map(({ budget, ready, fewest, violations, firstAt }) => {
        const { namespace = '', name } = budget.metadata;
        return { namespace, name, ...demandOf(api, budget), ready: ready.size, fewest, violations, firstAt };
      }),
  };
}

function counts({ metadata, spec }: DisruptionBudget, pod: Pod): boolean {
  return (
    pod.metadata.namespace === metadata.namespace &&
    pod.metadata.deletionTimestamp === undefined &&
    isPodReady(pod) &&
    spec.selector !== undefined &&
    matchesSelector(spec.selector, pod.metadata.labels)
  );
}

/** As they are now: somebody may have scaled. */
function demandOf(api: Api, { metadata, spec }: DisruptionBudget): { replicas: number; demands: number } {
  const { namespace = '' } = metadata;
  const workloads = [...api.list(deployments, { namespace }), ...api.list(statefulSets, { namespace })];
  const replicas = workloads
    .filter((each) => spec.selector && matchesSelector(spec.selector, each.spec.template.metadata?.labels))
    .reduce((sum, each) => sum + (each.spec.replicas ?? 1), 0);
  const { minAvailable, maxUnavailable } = spec;
  const demands =
    minAvailable === undefined ? replicas - resolved(maxUnavailable ?? 0, replicas) : resolved(minAvailable, replicas);
  return { replicas, demands: Math.max(0, demands) };
}

/** Both kinds of a percentage round up (kubernetes pkg/controller/disruption). */
function resolved(value: string | number, total: number): number {
  return typeof value === 'number' ? value : Math.ceil((total * Number.parseInt(value, 10)) / 100);
}
