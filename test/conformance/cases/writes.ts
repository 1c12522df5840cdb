/** Creating and replacing: names, versions, defaults, what may not change. */
import type { Case } from '../case.ts';
import { answered, at, must, said, text } from '../look.ts';
import { configMap, still } from '../stage.ts';

const badName = (kind: string, name: string, body: object): Case => ({
  name: `the name ${name.length > 50 ? `of ${name.length} characters` : JSON.stringify(name)} of ${kind} is judged`,
  run: async (c) => said(await c.create(kind, body)),
});
const causes = (answer: Parameters<typeof said>[0]) => {
  const { code, reason, details } = said(answer);
  return { code, reason, fields: at(details, 'causes[].field'), reasons: at(details, 'causes[].reason') };
};

export const writes: readonly Case[] = [
  {
    name: 'a new object gets a uid, a version and a time, whatever it brought',
    async run(c) {
      const body = configMap('a', {
        metadata: {
          uid: 'mine',
          creationTimestamp: '2001-01-01T00:00:00Z',
          generation: 7,
          deletionTimestamp: '2001-01-01T00:00:00Z',
        },
      });
      const answer = await c.create('configmaps', body);
      const made = answer.body;
      return {
        code: answer.code,
        uid: text(made, 'metadata.uid').length,
        fresh: text(made, 'metadata.creationTimestamp') > '2020',
        generation: at(made, 'metadata.generation') ?? 'none',
        deletion: at(made, 'metadata.deletionTimestamp') ?? 'none',
      };
    },
  },
  {
    name: 'a new object may bring no version',
    run: async (c) => said(await c.create('configmaps', configMap('a', { metadata: { resourceVersion: '5' } }))),
  },
  {
    name: 'a second object of the same name is refused',
    async run(c) {
      await c.make(configMap('a'));
      return said(await c.create('configmaps', configMap('a')));
    },
  },
  {
    name: 'what is not there is 404',
    run: async (c) => [
      said(await c.get('pods', 'none')),
      said(await c.get('deployments', 'none')),
      said(await c.get('nodes', 'none')),
    ],
  },
  {
    name: 'nothing can be created in a namespace that is not there',
    run: async (c) => said(await c.send({ method: 'POST', path: '/api/v1/namespaces/none/configmaps', body: configMap('a') })),
  },
  {
    name: 'a namespace in the body that is not the one of the path is refused',
    run: async (c) => said(await c.create('configmaps', configMap('a', { metadata: { namespace: 'other' } }))),
  },
  {
    name: 'a body of another kind is refused',
    run: async (c) => {
      const { code, reason } = said(await c.create('configmaps', still('a')));
      return { code, reason };
    },
  },
  {
    name: 'a body that is not JSON is refused',
    run: async (c) => {
      const { code, reason } = said(await c.send({ method: 'POST', path: c.collection('configmaps'), body: '{"kind":' }));
      return { code, reason };
    },
  },
  {
    name: 'a body of an unknown content type is refused',
    run: async (c) => {
      const { code, reason } = said(
        await c.send({ method: 'POST', path: c.collection('configmaps'), body: 'x', contentType: 'text/plain' }),
      );
      return { code, reason };
    },
  },
  {
    name: 'generateName makes a name of its own each time',
    async run(c) {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'web-' } };
      const made = [must(await c.create('configmaps', body)), must(await c.create('configmaps', body))];
      const given = made.map((object) => text(object, 'metadata.name'));
      return {
        form: given.every((name) => /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/.test(name)),
        differ: given[0] !== given[1],
        kept: at(made[0], 'metadata.generateName'),
      };
    },
  },
  {
    name: 'a name wins over generateName, and without both the object is refused',
    run: async (c) => [
      answered(await c.create('configmaps', configMap('a', { metadata: { generateName: 'web-' } })), 'metadata.name'),
      said(await c.create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} })),
    ],
  },
  {
    name: 'a long generateName is cut to fit',
    async run(c) {
      const made = must(
        await c.create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'x'.repeat(100) } }),
      );
      return { length: text(made, 'metadata.name').length };
    },
  },
  badName('configmaps', 'Not_Valid', configMap('Not_Valid')),
  badName('configmaps', 'a.b-c', configMap('a.b-c')),
  badName('pods', '-a', still('-a')),
  badName('configmaps', 'x'.repeat(254), configMap('x'.repeat(254))),
  badName('namespaces', 'a.b', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a.b' } }),
  badName('services', '1abc', { apiVersion: 'v1', kind: 'Service', metadata: { name: '1abc' }, spec: { ports: [{ port: 80 }] } }),
  {
    name: 'labels and annotations are judged',
    run: async (c) => [
      causes(await c.create('configmaps', configMap('a', { metadata: { labels: { 'bad key': 'x' } } }))),
      causes(await c.create('configmaps', configMap('a', { metadata: { labels: { key: 'bad value' } } }))),
      causes(await c.create('configmaps', configMap('a', { metadata: { annotations: { 'bad key': 'x' } } }))),
      causes(
        await c.create(
          'configmaps',
          configMap('a', { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: '' }] } }),
        ),
      ),
    ],
  },
  {
    name: 'a dry run of a creation shows it and keeps nothing',
    run: async (c) => ({
      shown: answered(
        await c.create('configmaps', configMap('a', { data: { x: '1' } }), { dryRun: 'All' }),
        'metadata.name',
        'data',
      ),
      after: (await c.get('configmaps', 'a')).code,
      bad: said(await c.create('configmaps', configMap('a'), { dryRun: 'Some' })),
    }),
  },
  {
    name: 'a replacement with an older version is a conflict',
    async run(c) {
      await c.make(configMap('a'));
      const old = must(await c.get('configmaps', 'a')) as object;
      must(await c.patch('configmaps', 'a', { data: { x: '1' } }));
      return said(await c.put('configmaps', 'a', { ...old, data: { x: '2' } }));
    },
  },
  {
    name: 'a replacement without a version wins where the kind allows it',
    async run(c) {
      await c.make(configMap('a', { data: { x: '1' } }), still('p'));
      const replaced = answered(await c.put('configmaps', 'a', configMap('a', { data: { y: '2' } })), 'data');
      const lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'l' },
        spec: { holderIdentity: 'one' },
      };
      await c.make(lease);
      const unversioned = said(await c.put('leases', 'l', { ...lease, spec: { holderIdentity: 'two' } }));
      return { replaced, unversioned };
    },
  },
  {
    name: 'a replacement of what is not there is 404, or made for kinds that allow it',
    run: async (c) => [
      said(await c.put('configmaps', 'a', configMap('a'))),
      said(await c.put('pods', 'a', still('a'))),
      said(await c.put('leases', 'l', { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' } })),
    ],
  },
  {
    name: 'a replacement whose body has another name is refused',
    async run(c) {
      await c.make(configMap('a'));
      return said(await c.put('configmaps', 'a', configMap('b')));
    },
  },
  {
    name: 'a replacement with another uid is a conflict',
    async run(c) {
      await c.make(configMap('a'));
      return said(await c.put('configmaps', 'a', configMap('a', { metadata: { uid: '11111111-2222-3333-4444-555555555555' } })));
    },
  },
];
