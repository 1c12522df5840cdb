/** Empties namespaces that are being deleted and lets them go (pkg/controller/namespace). */
import type { Millis } from '../../lib/clock.ts';
import type { Kind, Part } from '../apiserver/api.ts';
import { namespaces, pods } from '../apiserver/kinds.ts';
import type { Registry } from '../apiserver/registry.ts';
import { withCondition } from '../conditions.ts';
import type { Condition, Namespace } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import { createWorkQueue } from './work-queue.ts';

const FINALIZER = 'kubernetes';
// Seconds: namespaced_resources_deleter.go, finalizerEstimateSeconds.
const FINALIZER_ESTIMATE = 15;

interface Remaining {
  readonly byKind: Map<string, number>;
  readonly byFinalizer: Map<string, number>;
}

const lines = (counts: ReadonlyMap<string, number>, line: (name: string, count: number) => string) =>
  [...counts]
    .map(([name, count]) => line(name, count))
    .sort()
    .join(', ');

/** status_condition_utils.go: five conditions, each "False" while nothing is wrong with it. */
function conditionsOf({ byKind, byFinalizer }: Remaining): readonly Condition[] {
  const content = lines(byKind, (name, count) => `${name} has ${count} resource instances`);
  const finalizers = lines(byFinalizer, (name, count) => `${name} in ${count} resource instances`);
  const fine = (type: string, reason: string, message: string): Condition => ({ type, status: 'False', reason, message });
  return [
    fine('NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'),
    fine('NamespaceDeletionGroupVersionParsingFailure', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'),
    fine('NamespaceDeletionContentFailure', 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization'),
    content === ''
      ? fine('NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed')
      : {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${content}`,
        },
    finalizers === ''
      ? fine('NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished')
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${finalizers}`,
        },
  ];
}

export interface NamespaceOptions {
  /** From the deletion to the first look at it. Default 5 s. */
  readonly grace?: Millis;
}

export function startNamespaces(api: Registry, { grace = 5_000 }: NamespaceOptions = {}): Part {
  const { clock } = api;

  /** Deletes all of one kind; what is left waits for grace or finalizers. */
  function empty(kind: Kind, namespace: string, remaining: Remaining): void {
    api.removeAll(kind, { namespace }, { propagation: 'Background' });
    const left = api.list(kind, { namespace });
    if (left.length === 0) return;
    remaining.byKind.set(`${kind.plural}.${kind.group}`, left.length);
    for (const { metadata } of left)
      for (const finalizer of metadata.finalizers ?? [])
        remaining.byFinalizer.set(finalizer, (remaining.byFinalizer.get(finalizer) ?? 0) + 1);
  }

  /** Seconds until the last pod should have ended. */
  function graceLeft(namespace: string): number {
    let longest = 0;
    for (const { spec, status } of api.list(pods, { namespace }))
      if (status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
        longest = Math.max(longest, spec.terminationGracePeriodSeconds ?? 30);
    const deletedAt = Date.parse(api.get(namespaces, '', namespace)?.metadata.deletionTimestamp ?? '');
    return Math.max(0, longest - (clock.now() - deletedAt) / 1000);
  }

  const queue = createWorkQueue({
    clock,
    process(name) {
      const namespace = api.get(namespaces, '', name);
      if (!namespace || namespace.metadata.deletionTimestamp === undefined || !namespace.spec?.finalizers?.includes(FINALIZER))
        return;
      const remaining: Remaining = { byKind: new Map(), byFinalizer: new Map() };
      // Pods first, so that they do not outlive what guards them: OrderedNamespaceDeletion.
      empty(pods, name, remaining);
      const podsLeft = remaining.byKind.size > 0;
      if (!podsLeft) for (const kind of api.kinds()) if (kind.namespaced && kind.plural !== 'pods') empty(kind, name, remaining);
      const now = timestamp(clock.now());
      // While pods remain upstream writes the conditions without what remains (deleteAllContent).
      const told = podsLeft ? { byKind: new Map(), byFinalizer: new Map() } : remaining;
      const set = (each: Namespace): Namespace => {
        let conditions = each.status?.conditions;
        for (const condition of conditionsOf(told)) conditions = withCondition(conditions, condition, now);
        if (conditions === each.status?.conditions || !conditions) return each;
        return { ...each, status: { ...each.status, phase: 'Terminating', conditions } };
      };
      api.modify(namespaces, '', name, set, { subresource: 'status', fieldManager: 'kube-controller-manager' });
      if (remaining.byKind.size > 0) {
        const estimate = podsLeft ? graceLeft(name) : remaining.byFinalizer.size > 0 ? FINALIZER_ESTIMATE : 0;
        return estimate > 0 ? queue.addAfter(name, Math.floor(estimate / 2 + 1) * 1000) : queue.retry(name);
      }
      const finalizers = (namespace.spec.finalizers ?? []).filter((each) => each !== FINALIZER);
      api.finalizeNamespace(name, finalizers);
    },
  });

  const stop = api.watch(
    namespaces,
    ({ type, object, previous }) => {
      const { name, deletionTimestamp } = object.metadata;
      if (type !== 'DELETED' && deletionTimestamp !== undefined && previous?.metadata.deletionTimestamp === undefined)
        queue.addAfter(name, grace);
    },
    { replay: true },
  );
  return {
    name: 'namespaces',
    stop() {
      stop();
      queue.stop();
    },
  };
}
