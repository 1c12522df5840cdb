/** Puts a snapshot in: objects as they are, without admission, with new versions. */
import type { Writable } from '../copy.ts';
import type { KubeObject, Metadata } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import type { Core } from './registry.ts';
import type { LoadOptions } from './api.ts';
import { apiVersionOf, type Resource } from './resource.ts';

/** Puts the values of `sibling` in place of equal ones. */
function shareWith<T extends object>(own: T, sibling: Partial<T>): void {
  for (const field in own) {
    const value = own[field];
    const other = sibling[field];
    if (typeof value === 'object' && value !== other && other !== undefined && same(value, other)) own[field] = other;
  }
}

/**
 * Read from a file, every pod has containers and labels of its own, alike in all pods of one owner: in a large snapshot that is most of the
 * memory, so they are kept once. The store writes the version into the metadata, which must be nobody else's then.
 */
function owned(resource: Resource, object: KubeObject, adopt: boolean): KubeObject {
  const owner = object.metadata.ownerReferences?.[0]?.uid;
  const [sibling] = owner ? resource.shelf.objects.ownedBy(owner) : [];
  const own: Writable<KubeObject> = adopt ? object : { ...object, metadata: { ...object.metadata } };
  if (!sibling) return own;
  shareWith(own.metadata, sibling.object.metadata);
  const { spec } = sibling.object;
  if (typeof own.spec !== 'object' || typeof spec !== 'object' || own.spec === null || spec === null) return own;
  if (!adopt) own.spec = { ...own.spec };
  shareWith(own.spec as object, spec);
  return own;
}

/** `adopt`: the objects are given away, and are written into. Throws TypeError for a kind that is not served, or an object without a name or uid. */
export function loadObjects(core: Core, objects: Iterable<KubeObject>, { adopt = false }: LoadOptions = {}): void {
  const { store, resources } = core;
  const byType = new Map(resources.all().map((kind) => [`${apiVersionOf(kind)} ${kind.kind}`, kind]));
  for (const object of objects) {
    const kind = byType.get(`${object.apiVersion} ${object.kind}`);
    if (!kind) throw new TypeError(`the simulated API server does not serve ${object.apiVersion} ${object.kind}`);
    const { name, namespace = '', uid }: Partial<Metadata> = object.metadata ?? {};
    if (!name || !uid) throw new TypeError(`a ${object.kind} without ${name ? 'uid' : 'name'} cannot be loaded`);
    const resource = resources.of(kind);
    const there = resource.shelf.objects.find(kind.namespaced ? namespace : '', name);
    // One that is there already, such as the namespace "default", gives way: owners go by the uids of the snapshot.
    if (there) store.remove(resource.shelf, there, { ...there.object, metadata: { ...there.object.metadata } });
    const { conversion } = resource;
    store.insert(resource.shelf, owned(resource, conversion ? conversion.toStored(object) : object, adopt));
  }
}
