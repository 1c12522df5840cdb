/** Who manages an object: the ownerReference with controller: true. */
import type { Api, Kind } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import type { KubeObject, OwnerReference, Selector } from '../kubernetes.ts';
import { matchesSelector } from '../store/label-selectors.ts';

export function controllerOf({ metadata }: Pick<KubeObject, 'metadata'>): OwnerReference | undefined {
  if (!metadata.ownerReferences) return undefined;
  for (const owner of metadata.ownerReferences) if (owner.controller) return owner;
  return undefined;
}

export function groupVersionOf({ group, version }: Pick<Kind, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

export function newControllerRef(kind: Kind, { metadata }: Pick<KubeObject, 'metadata'>): OwnerReference {
  return {
    apiVersion: groupVersionOf(kind),
    kind: kind.kind,
    name: metadata.name,
    uid: metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

export interface Claim<O extends KubeObject, D extends KubeObject> {
  readonly api: Api;
  readonly ownerKind: Kind<O>;
  readonly owner: O;
  readonly selector: Selector;
  readonly kind: Kind<D>;
  /** Those the owner owns and orphans it might want. */
  readonly candidates: Iterable<D>;
  /** More that a match has to fulfil. */
  readonly filter?: (object: D) => boolean;
  /** Put on what is adopted. */
  readonly finalizer?: string;
}

/**
 * Takes orphans that the selector matches and lets go of what it no longer matches; returns what the owner owns after. An owner that is
 * being deleted does neither, and nobody adopts what is being deleted (pkg/controller/controller_ref_manager.go, ClaimObject).
 */
export function claim<O extends KubeObject, D extends KubeObject>(options: Claim<O, D>): D[] {
  const { owner, selector, candidates, filter } = options;
  const { uid, deletionTimestamp } = owner.metadata;
  const claimed: D[] = [];
  for (const object of candidates) {
    const controller = controllerOf(object);
    if (controller && controller.uid !== uid) continue;
    const wanted = matchesSelector(selector, object.metadata.labels ?? {}) && (!filter || filter(object));
    if (controller) {
      if (wanted) claimed.push(object);
      else if (deletionTimestamp === undefined) release(options, object);
    } else if (wanted && deletionTimestamp === undefined && object.metadata.deletionTimestamp === undefined) {
      const adopted = adopt(options, object);
      if (adopted) claimed.push(adopted);
    }
  }
  return claimed;
}

function adopt<O extends KubeObject, D extends KubeObject>(options: Claim<O, D>, object: D): D | undefined {
  const { api, kind, ownerKind, owner, finalizer } = options;
  return api.modify(kind, object.metadata.namespace ?? '', object.metadata.name, (current) => {
    if (current.metadata.uid !== object.metadata.uid) throw changedMeanwhile(kind, current.metadata.name);
    const finalizers = current.metadata.finalizers ?? [];
    return {
      ...current,
      metadata: {
        ...current.metadata,
        ownerReferences: [...(current.metadata.ownerReferences ?? []), newControllerRef(ownerKind, owner)],
        ...(finalizer && !finalizers.includes(finalizer) && { finalizers: [...finalizers, finalizer] }),
      },
    };
  });
}

function release<O extends KubeObject, D extends KubeObject>({ api, kind, owner, finalizer }: Claim<O, D>, object: D): void {
  api.modify(kind, object.metadata.namespace ?? '', object.metadata.name, (current) => {
    if (current.metadata.uid !== object.metadata.uid) return current;
    const { ownerReferences, finalizers, ...metadata } = current.metadata;
    const owners = ownerReferences?.filter((reference) => reference.uid !== owner.metadata.uid) ?? [];
    const held = finalizers?.filter((name) => name !== finalizer) ?? [];
    return {
      ...current,
      metadata: {
        ...metadata,
        ...(owners.length > 0 && { ownerReferences: owners }),
        ...(held.length > 0 && { finalizers: held }),
      },
    };
  });
}

function changedMeanwhile({ plural }: Kind, name: string): Failure {
  return new Failure(409, 'Conflict', `${plural} "${name}" is another object of the same name now`);
}
