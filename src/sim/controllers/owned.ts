/** Wakes the owner of what changed: the one that controls it, or every one that might adopt it. */
import type { Api, Kind, WatchEvent } from '../apiserver/api.ts';
import type { KubeObject, Labels, Selector } from '../kubernetes.ts';
import { matchesSelector } from '../store/label-selectors.ts';
import { controllerOf } from './controller-ref.ts';
import { createLabelIndex, createSelectorIndex } from './selector-index.ts';
import { keyOf } from './work-queue.ts';

const NO_LABELS: Labels = {};

export interface Owned<O extends KubeObject, D extends KubeObject> {
  /** What has no controller and is matched by the owner's selector. */
  orphansFor(owner: O): D[];
  stop(): void;
}

export interface OwnedOptions<O extends KubeObject, D extends KubeObject> {
  readonly api: Api;
  readonly owners: Kind<O>;
  readonly dependents: Kind<D>;
  readonly selectorOf: (owner: O) => Selector | undefined;
  /** The owner's key: it, or something that it owns or might own, has changed. `event` is there in the first case. */
  readonly changed: (key: string, event?: WatchEvent<O>) => void;
  /** Whether a change of the owner itself matters. Default: any. */
  readonly ownerMatters?: (event: WatchEvent<O>) => boolean;
  /** Whether a change of what an owner has and keeps matters to it. Default: any. */
  readonly dependentMatters?: (event: WatchEvent<D>) => boolean;
}

/** Nobody takes it, and nobody lets go of it: nearly all that ever happens to a pod. */
function keepsPlace({ metadata: before }: KubeObject, { metadata: after }: KubeObject): boolean {
  return before.ownerReferences === after.ownerReferences && before.labels === after.labels;
}

/** Watches the owners and what they own, with replay. */
export function watchOwned<O extends KubeObject, D extends KubeObject>(options: OwnedOptions<O, D>): Owned<O, D> {
  const { api, owners, dependents, selectorOf, changed, ownerMatters, dependentMatters } = options;
  const selectors = createSelectorIndex();
  const orphans = createLabelIndex();

  function wake(object: D): boolean {
    const controller = controllerOf(object);
    if (!controller) return false;
    const owner = controller.kind === owners.kind ? api.byUid(owners, controller.uid) : undefined;
    if (owner) changed(keyOf(owner));
    return true;
  }

  function wakeAdopters({ metadata: { namespace = '', labels = NO_LABELS } }: D): void {
    for (const key of selectors.candidates(namespace, labels)) {
      const owner = api.byUid(owners, key);
      const selector = owner && selectorOf(owner);
      if (owner && selector && matchesSelector(selector, labels)) changed(keyOf(owner));
    }
  }

  const stopOwners = api.watch(
    owners,
    (event) => {
      const { uid, namespace = '' } = event.object.metadata;
      const selector = selectorOf(event.object);
      if (event.type === 'DELETED' || !selector) selectors.delete(uid);
      else selectors.set(uid, namespace, selector);
      if (!ownerMatters || ownerMatters(event)) changed(keyOf(event.object), event);
    },
    { replay: true },
  );
  const stopDependents = api.watch(
    dependents,
    (event) => {
      const { type, object, previous } = event;
      if (type === 'MODIFIED' && keepsPlace(previous, object)) {
        const isOurs = controllerOf(object)?.kind === owners.kind;
        if (isOurs && (!dependentMatters || dependentMatters(event))) wake(object);
        return;
      }
      const { uid, namespace = '', labels = NO_LABELS } = object.metadata;
      const orphaned = type !== 'DELETED' && !controllerOf(object);
      const was = previous && !controllerOf(previous) ? previous : undefined;
      const relabelled = previous === undefined || previous.metadata.labels !== object.metadata.labels;
      if (was && (!orphaned || relabelled)) orphans.remove(uid, namespace, was.metadata.labels ?? NO_LABELS);
      if (orphaned && (!was || relabelled)) {
        orphans.add(uid, namespace, labels);
        wakeAdopters(object);
      }
      // The controller it had: upstream's updatePod wakes both when the reference changes.
      const handedOver = previous && previous.metadata.ownerReferences !== object.metadata.ownerReferences;
      if (handedOver) wake(previous);
      if (handedOver || !dependentMatters || dependentMatters(event)) wake(object);
    },
    { replay: true },
  );
  return {
    orphansFor(owner) {
      const selector = selectorOf(owner);
      const found: D[] = [];
      if (!selector) return found;
      for (const uid of orphans.candidates(owner.metadata.namespace ?? '', selector)) {
        const object = api.byUid(dependents, uid);
        if (object && matchesSelector(selector, object.metadata.labels ?? NO_LABELS)) found.push(object);
      }
      return found;
    },
    stop() {
      stopOwners();
      stopDependents();
    },
  };
}
