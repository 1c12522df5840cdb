/** No budget is below what it asks for because of Drover: not by a pod that goes, and not by a label that is taken. */
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import { isPodReady } from '../../../src/sim/conditions.ts';
import type { Pod } from '../../../src/sim/kubernetes.ts';
import type { Millis } from '../../../src/lib/clock.ts';
import { isSelectedBy, keyOf } from './marks-of-drover.ts';
import type { KeepWatch } from './promise.ts';

const PROMISE = 'no budget is broken';
/** The disruption controller follows the pods within 25 ms; an eviction that it allowed in between is not Drover's doing. */
const FOLLOWS_MS: Millis = 1_000;

const isHealthy = (pod: Pod): boolean => isPodReady(pod) && pod.metadata.deletionTimestamp === undefined;

export const keepsBudgets: KeepWatch = (stage) => {
  const { api, clock } = stage;
  /** When somebody else last took a healthy pod from a budget, or asked more of it. */
  const foreign = new Map<string, Millis>();
  stage.watch(kinds.budgets, ({ object, previous }) => {
    if ((object.status?.desiredHealthy ?? 0) > (previous?.status?.desiredHealthy ?? 0)) foreign.set(keyOf(object), clock.now());
  });
  stage.watch(kinds.pods, ({ type, object, previous }, by) => {
    if (!previous) return;
    for (const budget of api.list(kinds.budgets, { namespace: object.metadata.namespace ?? '' })) {
      const counted = isSelectedBy(budget, previous.metadata.labels) && isHealthy(previous);
      const remains = type !== 'DELETED' && isSelectedBy(budget, object.metadata.labels) && isHealthy(object);
      if (!counted || remains) continue;
      if (!by) {
        foreign.set(keyOf(budget), clock.now());
        continue;
      }
      const { desiredHealthy = 0, observedGeneration } = budget.status ?? {};
      if (observedGeneration !== budget.metadata.generation) continue;
      const healthy = api
        .list(kinds.pods, { namespace: budget.metadata.namespace ?? '' })
        .filter((pod) => isSelectedBy(budget, pod.metadata.labels) && isHealthy(pod)).length;
      if (healthy >= desiredHealthy) continue;
      if (clock.now() - (foreign.get(keyOf(budget)) ?? Number.NEGATIVE_INFINITY) < FOLLOWS_MS) continue;
      // What may be deleted around its budget is the promise about deletions.
      if (by.method === 'DELETE') continue;
      const how = `${keyOf(budget)} wants ${desiredHealthy} healthy pods and has ${healthy} after ${by.method} ${by.path}`;
      stage.broken(PROMISE, how);
    }
  });
  return {};
};
