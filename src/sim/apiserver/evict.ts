/** The eviction subresource, row by row as kubernetes pkg/registry/core/pod/storage/eviction.go answers. */
import { isPodFinished, isPodReady, withCondition, withPodCondition } from '../conditions.ts';
import { copyOf, emptyNameMap, type Writable } from '../copy.ts';
import type { DisruptionBudget, Pod } from '../kubernetes.ts';
import type { Entry } from '../store/collection.ts';
import { matchesSelector } from '../store/label-selectors.ts';
import type { DeleteOptions } from './api.ts';
import { checkNamespace } from './create.ts';
import { Failure } from './failure.ts';
import { budgets, pods } from './kinds.ts';
import { forbidden, notFound, preconditionFailed } from './refusals.ts';
import type { Core } from './registry.ts';
import { removeEntry } from './remove.ts';
import { bucketOf } from './strategies/budget.ts';
import { replaceObject } from './update.ts';

const MOST_DISRUPTED_PODS = 2000;

/** `retryAfterSeconds` 0 stands for no Retry-After header. */
function tooManyRequests(cause: string, retryAfterSeconds: number): Failure {
  return new Failure(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    ...(retryAfterSeconds > 0 && { retryAfterSeconds }),
    causes: [{ reason: 'DisruptionBudget', message: cause }],
  });
}

const processing = (budget: DisruptionBudget) =>
  tooManyRequests(`The disruption budget ${budget.metadata.name} is still being processed by the server.`, 10);

function budgetsOf(core: Core, { metadata: { namespace, labels } }: Pod): Entry[] {
  const { objects } = core.resources.of(budgets).shelf;
  const found: Entry[] = [];
  const look = (bucket: string) => {
    for (const entry of objects.indexed(bucket)) {
      const { selector } = (entry.object as DisruptionBudget).spec;
      if (selector && matchesSelector(selector, labels)) found.push(entry);
    }
  };
  look(bucketOf(namespace));
  for (const key in labels) look(bucketOf(namespace, key, labels[key]));
  return found;
}

/** Takes one disruption from the budget, in its status, so that two evictions cannot both have the last one. */
function charge(core: Core, entry: Entry, podName: string, dryRun: boolean): void {
  const budget = entry.object as DisruptionBudget;
  const { name, generation = 0 } = budget.metadata;
  const status = budget.status;
  const allowed = status?.disruptionsAllowed ?? 0;
  if ((status?.observedGeneration ?? 0) < generation) throw processing(budget);
  if (allowed < 0) throw forbidden(budgets, name, 'pdb disruptions allowed is negative');
  if (status?.disruptedPods && Object.keys(status.disruptedPods).length > MOST_DISRUPTED_PODS)
    throw forbidden(budgets, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (!status || allowed === 0) {
    const needs = `needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`;
    throw tooManyRequests(`The disruption budget ${name} ${needs}`, 0);
  }
  if (dryRun) return;
  const now = core.now();
  const none = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'InsufficientPods',
    observedGeneration: generation,
  } as const;
  const charged: Writable<NonNullable<DisruptionBudget['status']>> = copyOf(status);
  charged.disruptionsAllowed = allowed - 1;
  const disrupted = Object.assign(emptyNameMap<string>(), status.disruptedPods);
  disrupted[podName] = now;
  charged.disruptedPods = disrupted;
  if (allowed === 1) charged.conditions = withCondition(status.conditions, none, now);
  const next: DisruptionBudget = { ...budget, status: charged };
  replaceObject(core, core.resources.of(budgets), entry, next, { subresource: 'status' });
}

/** The pod's condition and its deletion; the budget stays charged when the preconditions do not hold. */
function conditionAndRemove(core: Core, entry: Entry, options: DeleteOptions): void {
  const resource = core.resources.of(pods);
  if (!options.dryRun) {
    const pod = entry.object as Pod;
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid && uid !== pod.metadata.uid) throw preconditionFailed(pods, pod.metadata.name, 'UID', uid, pod.metadata.uid);
    if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion)
      throw preconditionFailed(pods, pod.metadata.name, 'ResourceVersion', resourceVersion, pod.metadata.resourceVersion);
    const target = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
      // What the server itself adds to a list of pod conditions carries the empty probe time of its type.
      lastProbeTime: null,
    } as const;
    const next = withPodCondition(pod, target, core.now());
    if (next !== pod) replaceObject(core, resource, entry, next, { subresource: 'status' });
  }
  if (options.dryRun || !options.preconditions) return void removeEntry(core, resource, entry, options);
  // The condition has made another version of it.
  const { resourceVersion: _, ...preconditions } = options.preconditions;
  removeEntry(core, resource, entry, { ...options, preconditions });
}

/** Throws a Failure when the pod may not be evicted; dry run charges and changes nothing. */
export function evictPod(core: Core, namespace: string, name: string, options: DeleteOptions): void {
  const resource = core.resources.of(pods);
  checkNamespace(core, resource, namespace, name);
  const entry = resource.shelf.objects.find(namespace, name);
  if (!entry) throw notFound(pods, name);
  const pod = entry.object as Pod;
  // Out of service already, or not yet in it: no budget is asked.
  const uncounted = isPodFinished(pod) || pod.status?.phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined;
  if (!uncounted) {
    const found = budgetsOf(core, pod);
    if (found.length > 1)
      throw new Failure(
        500,
        '',
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      );
    const [only] = found;
    if (only && !mayGoUnhealthy(pod, only.object as DisruptionBudget)) charge(core, only, name, options.dryRun ?? false);
  }
  conditionAndRemove(core, entry, options);
}

/** A pod that is not Ready is no loss to a budget that says so, or that has what it needs. */
function mayGoUnhealthy(pod: Pod, budget: DisruptionBudget): boolean {
  if (isPodReady(pod)) return false;
  if (budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}
