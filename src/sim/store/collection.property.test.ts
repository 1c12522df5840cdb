import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject, OwnerReference } from '../kubernetes.ts';
import { createCollection, type Entry } from './collection.ts';

interface Placed extends KubeObject {
  readonly node: string | undefined;
}

type Step =
  | { readonly do: 'put'; readonly key: string; readonly owners: readonly string[]; readonly node: string | undefined }
  | { readonly do: 'drop'; readonly key: string }
  | { readonly do: 'look' };

const few = (prefix: string, count: number) => fc.integer({ min: 0, max: count - 1 }).map((at) => `${prefix}${at}`);
const key = fc.tuple(few('n', 3), few('p', 8)).map(([namespace, name]) => `${namespace}/${name}`);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      owners: fc.uniqueArray(few('o', 3), { maxLength: 2 }),
      node: fc.option(few('node', 3), { nil: undefined }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('drop' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
);

const keyOf = ({ object: { metadata } }: Entry) => `${metadata.namespace}/${metadata.name}`;
const ownerOf = (uid: string): OwnerReference => ({ apiVersion: 'v1', kind: 'Owner', name: uid, uid });

describe('the indexes of a collection', () => {
  it('say after any writes what a scan of all objects says', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.boolean(), (steps, asksForUidsEarly) => {
        const collection = createCollection((object) => (object as Placed).node);
        const model = new Map<string, Placed>();
        let made = 0;
        if (asksForUidsEarly) collection.byUid('none');
        const check = () => {
          const all = [...model.values()];
          const keys = [...model.keys()].sort();
          expect(collection.size()).toBe(all.length);
          expect(collection.ordered().map(keyOf)).toEqual(keys);
          for (const namespace of ['n0', 'n1', 'n2'])
            expect(collection.ordered(namespace).map(keyOf)).toEqual(keys.filter((one) => one.startsWith(`${namespace}/`)));
          const names = (entries: Iterable<Entry>) => Array.from(entries, keyOf).sort();
          for (const owner of ['o0', 'o1', 'o2'])
            expect(names(collection.ownedBy(owner))).toEqual(
              keys.filter((one) => model.get(one)?.metadata.ownerReferences?.some(({ uid }) => uid === owner)),
            );
          for (const node of ['node0', 'node1', 'node2'])
            expect(names(collection.indexed(node))).toEqual(keys.filter((one) => model.get(one)?.node === node));
          for (const object of model.values()) {
            expect(collection.find(object.metadata.namespace ?? '', object.metadata.name)?.object).toBe(object);
            expect(collection.byUid(object.metadata.uid)?.object).toBe(object);
          }
        };
        for (const each of steps) {
          if (each.do === 'look') check();
          else if (each.do === 'drop') {
            const [namespace = '', name = ''] = each.key.split('/');
            const entry = collection.find(namespace, name);
            if (entry) collection.delete(entry);
            model.delete(each.key);
          } else {
            const [namespace = '', name = ''] = each.key.split('/');
            const entry = collection.find(namespace, name);
            const uid = entry?.object.metadata.uid ?? `uid-${made++}`;
            const metadata = { name, namespace, uid, resourceVersion: '', creationTimestamp: '' };
            const ownerReferences = each.owners.map(ownerOf);
            const object: Placed = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, ownerReferences }, node: each.node };
            if (entry) collection.replace(entry, object);
            else collection.insert(object);
            model.set(each.key, object);
          }
        }
        check();
      }),
      { numRuns: 150 },
    );
  });
});
