/** Puts a snapshot in: objects as they are, without admission, with new versions. */
import type { KubeObject, Metadata } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import { keyOf, type Core } from './registry.ts';
import { apiVersionOf, type Resource } from './resource.ts';

/** With the fields of `sibling` in place of equal ones; the same reference where they are the very same already, or none is equal. */
function takeAlike<T extends object>(given: T, sibling: Partial<T>): T {
  let own: T | undefined;
  for (const field in given) {
    const value = given[field];
    const other = sibling[field];
    if (typeof value === 'object' && value !== other && other !== undefined && same(value, other))
      (own ??= { ...given })[field] = other;
  }
  return own ?? given;
}

/**
 * Read from a file, every pod has containers and labels of its own, alike in all pods of one owner: in a large snapshot that is most of the
 * memory, so they are kept once.
 */
function slim(resource: Resource, object: KubeObject): KubeObject {
  const owner = object.metadata.ownerReferences?.[0]?.uid;
  const [sibling] = owner ? resource.shelf.objects.ownedBy(owner) : [];
  // The store writes the version into the metadata, which must be nobody else's then.
  if (!sibling) return { ...object, metadata: { ...object.metadata } };
  const metadata = { ...takeAlike(object.metadata, sibling.object.metadata) };
  if (!object.spec || !sibling.object.spec) return { ...object, metadata };
  return { ...object, metadata, spec: takeAlike(object.spec, sibling.object.spec) };
}

/** Throws TypeError for a kind that is not served, or an object without a name or uid. */
export function loadObjects(core: Core, objects: Iterable<KubeObject>): void {
  const { store, resources } = core;
  const byType = new Map(resources.all().map((kind) => [`${apiVersionOf(kind)} ${kind.kind}`, kind]));
  for (const object of objects) {
    const kind = byType.get(`${object.apiVersion} ${object.kind}`);
    if (!kind) throw new TypeError(`the simulated API server does not serve ${object.apiVersion} ${object.kind}`);
    const { name, namespace = '', uid }: Partial<Metadata> = object.metadata ?? {};
    if (!name || !uid) throw new TypeError(`a ${object.kind} without ${name ? 'uid' : 'name'} cannot be loaded`);
    const resource = resources.of(kind);
    const key = keyOf(resource, namespace, name);
    const there = resource.shelf.objects.find(key);
    // One that is there already, such as the namespace "default", gives way: owners go by the uids of the snapshot.
    if (there) store.remove(resource.shelf, there, { ...there.object, metadata: { ...there.object.metadata } });
    const { conversion } = resource;
    store.insert(resource.shelf, key, slim(resource, conversion ? conversion.toStored(object) : object));
  }
}
