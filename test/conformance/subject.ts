import { type KubeObject, merge, namespace as namespaceObject, node } from '../beds/objects.ts';
import type { Door, PatchType, Query, Subject } from './case.ts';
import { collectionOf, pluralOf } from './collections.ts';
import { at, must } from './look.ts';

const patchTypes: Readonly<Record<PatchType, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

interface WithSpec {
  readonly spec: { readonly nodeSelector?: object; readonly template?: unknown };
}

function pinnedTo(namespace: string, object: KubeObject): KubeObject {
  const spec = { nodeSelector: { case: namespace } };
  return merge(object, (object as unknown as WithSpec).spec.template ? { spec: { template: { spec } } } : { spec });
}

/** A namespace of its own on a door, with everything that a case calls. The namespace is made. */
export async function createSubject(door: Door, namespace: string): Promise<Subject> {
  const { clock } = door;
  const collection = (kind: string) => collectionOf(kind, namespace);
  const path = (kind: string, name: string) => `${collection(kind)}/${name}`;

  const eventually: Subject['eventually'] = async (what, look, good, seconds = 60) => {
    const end = clock.now() + seconds * 1000;
    for (;;) {
      const seen = await look();
      if (good(seen)) return seen;
      if (clock.now() >= end)
        throw new Error(`waited ${seconds} s for ${what}; there is: ${JSON.stringify(seen).slice(0, 2000)}`);
      await clock.sleep(100);
    }
  };
  const create = (kind: string, body: object, query?: Query) =>
    door.send({ method: 'POST', path: collection(kind), body, query });
  const make = async (...objects: readonly KubeObject[]) => {
    for (const object of objects) must(await create(pluralOf(object.kind), object));
  };
  const get = (kind: string, name: string, query?: Query) => door.send({ method: 'GET', path: path(kind, name), query });

  await make(namespaceObject(namespace));
  return {
    ...door,
    namespace,
    collection,
    eventually,
    create,
    make,
    get,
    list: (kind, query) => door.send({ method: 'GET', path: collection(kind), query }),
    put: (kind, name, body, query) => door.send({ method: 'PUT', path: path(kind, name), body, query }),
    patch: (kind, name, body, type = 'merge', query) =>
      door.send({ method: 'PATCH', path: path(kind, name), body, query, contentType: patchTypes[type] }),
    remove: (kind, name, body, query) => door.send({ method: 'DELETE', path: path(kind, name), body, query }),
    evict(pod, deleteOptions, query) {
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace }, deleteOptions };
      return door.send({ method: 'POST', path: path('pods', `${pod}/eviction`), body, query });
    },
    async nodes(...overrides) {
      const names = overrides.map((_, index) => `${namespace}-${index + 1}`);
      for (const [index, name] of names.entries()) {
        const body = merge(node(name, overrides[index]), { metadata: { name } });
        must(await create('nodes', merge(body, { metadata: { labels: { case: namespace } } })));
      }
      for (const name of names) {
        const taint = (key: string) => `spec.taints[key=node.kubernetes.io/${key}]`;
        await eventually(
          `node ${name} to be Ready`,
          async () => must(await get('nodes', name)),
          (seen) => at(seen, 'status.conditions[type=Ready].status') === 'True' && at(seen, taint('not-ready')) === undefined,
        );
      }
      return names;
    },
    pin: (object) => pinnedTo(namespace, object),
  };
}
