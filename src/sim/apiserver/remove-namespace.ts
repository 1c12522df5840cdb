/** DELETE of a namespace: it goes in two steps, with spec.finalizers between (kubernetes pkg/registry/core/namespace/storage/storage.go). */
import type { KubeObject, Metadata, Namespace } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import type { Entry } from '../store/collection.ts';
import type { DeleteOptions } from './api.ts';
import { namespaces } from './kinds.ts';
import { conflict, forbidden } from './refusals.ts';
import type { Core } from './registry.ts';
import { collectedFinalizers, removeEntry, type Removal } from './remove.ts';
import type { Resource } from './resource.ts';

const IMMORTAL = ['default', 'kube-system', 'kube-public'];

function checkPreconditions(object: KubeObject, { preconditions = {} }: DeleteOptions): void {
  const { name, uid, resourceVersion } = object.metadata;
  const failed = (what: string, asked: string, is: string) =>
    conflict(namespaces, name, `Precondition failed: ${what} in precondition: ${asked}, ${what} in object meta: ${is}`);
  if (preconditions.uid !== undefined && preconditions.uid !== uid) throw failed('UID', preconditions.uid, uid);
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion)
    throw failed('ResourceVersion', preconditions.resourceVersion, resourceVersion);
}

export function removeNamespace(core: Core, resource: Resource, entry: Entry, options: DeleteOptions): Removal {
  const namespace = entry.object as Namespace;
  const { metadata } = namespace;
  if (IMMORTAL.includes(metadata.name)) throw forbidden(namespaces, metadata.name, 'this namespace may not be deleted');
  checkPreconditions(namespace, options);
  if (!metadata.deletionTimestamp) {
    const { finalizers: _, ...rest } = metadata;
    const finalizers = collectedFinalizers(resource, metadata, options);
    const next: Namespace = {
      ...namespace,
      metadata: { ...rest, deletionTimestamp: core.now(), ...(finalizers.length > 0 && { finalizers }) },
      status: { ...namespace.status, phase: 'Terminating' },
    };
    return { object: options.dryRun ? next : core.store.replace(resource.shelf, entry, next), gone: false };
  }
  if (namespace.spec?.finalizers?.length) return { object: namespace, gone: false };
  return removeEntry(core, resource, entry, options);
}

/** The finalize subresource: only spec.finalizers change; with the last one gone a namespace that is being deleted is gone too. */
export function finalizeNamespace(core: Core, resource: Resource, entry: Entry, finalizers: readonly string[]): KubeObject {
  const namespace = entry.object as Namespace;
  const ending = namespace.metadata.deletionTimestamp && finalizers.length === 0 && !namespace.metadata.finalizers?.length;
  const { finalizers: before, ...spec } = namespace.spec ?? {};
  if (!ending && same(before ?? [], finalizers)) return namespace;
  const metadata: Metadata = { ...namespace.metadata };
  const next = { ...namespace, metadata, spec: { ...spec, ...(finalizers.length > 0 && { finalizers }) } };
  return ending ? core.store.remove(resource.shelf, entry, next) : core.store.replace(resource.shelf, entry, next);
}
