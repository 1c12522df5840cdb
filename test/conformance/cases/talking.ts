/** How the server presents itself: tables, discovery, access reviews, paths that are not there. */
import { deployment, podDisruptionBudget, statefulSet } from '../../beds/objects.ts';
import type { Case, Subject } from '../case.ts';
import { answered, at, by, must, pick, said } from '../look.ts';
import { budget, configMap, counted, readyPods, still, withoutNamespace } from '../stage.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

async function table(c: Subject, kind: string, query: Readonly<Record<string, string>> = {}) {
  const answer = await c.send({ method: 'GET', path: c.collection(kind), query, accept: TABLE });
  const columns = at(answer.body, 'columnDefinitions') as { name: string; type: string; priority: number }[];
  const rows = (at(answer.body, 'rows') ?? []) as { cells: unknown[] }[];
  const age = columns.map(({ name }) => name === 'Age' || name === 'Created At' || name === 'Last Seen');
  return {
    ...pick(answer.body, 'kind', 'apiVersion'),
    columns: columns.map(({ name, type, priority }) => `${name} ${type} ${priority}`),
    rows: rows.map(({ cells }) => cells.map((cell, index) => (age[index] ? 'AGE' : cell))),
    row: Object.keys(rows[0] ?? {}).sort(),
    object: pick(at(rows[0], 'object'), 'kind', 'apiVersion'),
  };
}

const columnsOnly = (kind: string): Case => ({
  name: `the table of ${kind} has the columns that kubectl prints`,
  run: async (c) => (await table(c, kind, { fieldSelector: 'metadata.name=none' })).columns,
});

const described = (list: unknown, ...wanted: readonly string[]) =>
  (at(list, 'resources') as { name: string }[])
    .filter(({ name }) => wanted.includes(name))
    .map((each) =>
      pick(each, 'name', 'singularName', 'namespaced', 'group', 'version', 'kind', 'verbs', 'shortNames', 'categories'),
    )
    .sort(by('name'));

const review = (resourceAttributes: object) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  spec: { resourceAttributes },
});

export const talking: readonly Case[] = [
  {
    name: 'a table of pods shows what kubectl prints',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(still('b'));
      must(await c.remove('pods', 'b'));
      return table(c, 'pods');
    },
  },
  {
    name: 'a table of Deployments shows their numbers',
    async run(c) {
      await c.make(withoutNamespace(deployment('', 'web', 0)));
      await c.eventually(
        'it to be seen',
        async () => at((await c.get('deployments', 'web')).body, 'status.observedGeneration'),
        (generation) => generation === 1,
      );
      return table(c, 'deployments');
    },
  },
  {
    name: 'a table of budgets shows what they allow',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(budget({ minAvailable: 0 }), withoutNamespace(podDisruptionBudget('', 'half', { maxUnavailable: '50%' })));
      await counted(c, { currentHealthy: 1 });
      await counted(c, { expectedPods: 0 }, 'half');
      return table(c, 'poddisruptionbudgets');
    },
  },
  {
    name: 'a table of nodes shows their state',
    async run(c) {
      await c.nodes({}, { spec: { unschedulable: true }, metadata: { labels: { 'node-role.kubernetes.io/worker': '' } } });
      const seen = await table(c, 'nodes', { labelSelector: `case=${c.namespace}` });
      return { columns: seen.columns, rows: seen.rows.map((cells) => cells.slice(0, 3)) };
    },
  },
  {
    name: 'a table of one object is a table as well',
    async run(c) {
      await c.make(configMap('a', { data: { x: '1', y: '2' } }));
      const answer = await c.send({ method: 'GET', path: `${c.collection('configmaps')}/a`, accept: TABLE });
      return {
        ...pick(answer.body, 'kind'),
        cells: (at(answer.body, 'rows[0].cells') as unknown[]).slice(0, 2),
        object: pick(at(answer.body, 'rows[0].object'), 'kind', 'apiVersion'),
      };
    },
  },
  {
    name: 'a watch can be one of tables',
    async run(c) {
      await c.make(configMap('a', { metadata: { labels: { mine: '' } } }));
      const watching = await c.watch({
        method: 'GET',
        path: c.collection('configmaps'),
        query: { labelSelector: 'mine' },
        accept: TABLE,
      });
      await c.eventually(
        'an event',
        async () => watching.frames.length,
        (count) => count > 0,
      );
      watching.close();
      const [frame] = watching.frames;
      return {
        type: frame?.type,
        ...pick(frame?.object, 'kind'),
        cells: (at(frame?.object, 'rows[0].cells') as unknown[]).slice(0, 2),
      };
    },
  },
  ...[
    'replicasets',
    'statefulsets',
    'daemonsets',
    'jobs',
    'services',
    'endpointslices',
    'namespaces',
    'events',
    'leases',
    'persistentvolumeclaims',
    'persistentvolumes',
    'configmaps',
    'secrets',
    'serviceaccounts',
    'clusterroles',
    'priorityclasses',
    'storageclasses',
    'customresourcedefinitions',
  ].map(columnsOnly),
  {
    name: 'a table of StatefulSets shows their numbers',
    async run(c) {
      await c.make(withoutNamespace(statefulSet('', 'db', 0)));
      await c.eventually(
        'it to be seen',
        async () => at((await c.get('statefulsets', 'db')).body, 'status.observedGeneration'),
        (generation) => generation === 1,
      );
      return (await table(c, 'statefulsets')).rows;
    },
  },
  {
    name: 'discovery tells the core kinds with their verbs, short names and subresources',
    async run(c) {
      const seen = must(await c.send({ method: 'GET', path: '/api/v1' }));
      return {
        ...pick(seen, 'kind', 'groupVersion'),
        resources: described(
          seen,
          'pods',
          'pods/status',
          'pods/eviction',
          'pods/binding',
          'nodes',
          'nodes/status',
          'namespaces',
          'configmaps',
          'services',
          'events',
        ),
      };
    },
  },
  {
    name: 'discovery tells the kinds of apps and policy',
    async run(c) {
      const apps = must(await c.send({ method: 'GET', path: '/apis/apps/v1' }));
      const policy = must(await c.send({ method: 'GET', path: '/apis/policy/v1' }));
      return {
        apps: described(
          apps,
          'deployments',
          'deployments/scale',
          'deployments/status',
          'replicasets',
          'statefulsets',
          'daemonsets',
        ),
        policy: described(policy, 'poddisruptionbudgets', 'poddisruptionbudgets/status'),
      };
    },
  },
  {
    name: 'discovery tells the core versions and the groups',
    async run(c) {
      const core = must(await c.send({ method: 'GET', path: '/api' }));
      const groups = must(await c.send({ method: 'GET', path: '/apis' }));
      const found = (at(groups, 'groups') as { name: string }[]).filter(({ name }) =>
        ['apps', 'batch', 'policy', 'coordination.k8s.io', 'discovery.k8s.io'].includes(name),
      );
      return {
        core: pick(core, 'kind', 'versions'),
        kind: at(groups, 'kind'),
        groups: found.map((each) => pick(each, 'name', 'preferredVersion')).sort(by('name')),
      };
    },
  },
  {
    name: 'discovery can be had in one piece',
    async run(c) {
      const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
      const answer = await c.send({ method: 'GET', path: '/apis', accept });
      const apps = (at(answer.body, 'items') as object[]).find((each) => at(each, 'metadata.name') === 'apps');
      const resource = (at(apps, 'versions[0].resources') as object[]).find((each) => at(each, 'resource') === 'deployments');
      return {
        ...pick(answer.body, 'kind', 'apiVersion'),
        type: answer.contentType,
        deployments: {
          ...pick(resource, 'resource', 'responseKind', 'scope', 'singularResource', 'verbs', 'shortNames', 'categories'),
          subresources: (at(resource, 'subresources') as object[])
            .map((each) => pick(each, 'subresource', 'responseKind', 'verbs'))
            .sort(by('subresource')),
        },
      };
    },
  },
  {
    name: 'paths that are not there are 404',
    run: async (c) => {
      const tell = async (path: string) => {
        const { code, body } = await c.send({ method: 'GET', path });
        return { code, body };
      };
      return [
        await tell('/nothing'),
        await tell('/apis/none.example.com/v1'),
        await tell('/apis/apps/v1/nothings'),
        await tell(`/api/v1/namespaces/${c.namespace}/pods/a/nothing`),
      ];
    },
  },
  {
    name: 'a method that a path does not take is 405',
    run: async (c) => {
      await c.make(configMap('a'));
      return [
        said(await c.send({ method: 'POST', path: `${c.collection('configmaps')}/a`, body: configMap('a') })),
        said(await c.send({ method: 'PUT', path: c.collection('configmaps'), body: configMap('a') })),
      ];
    },
  },
  {
    name: 'an answer in a form that the server does not speak is 406',
    run: async (c) => {
      const { code, reason } = said(await c.send({ method: 'GET', path: c.collection('configmaps'), accept: 'text/html' }));
      return { code, reason };
    },
  },
  {
    name: 'the server tells its version and that it is well',
    async run(c) {
      const version = must(await c.send({ method: 'GET', path: '/version' }));
      const tell = async (path: string) => {
        const { code, body } = await c.send({ method: 'GET', path, accept: '*/*' });
        return { code, body };
      };
      return {
        version: pick(version, 'major', 'minor'),
        healthz: await tell('/healthz'),
        livez: await tell('/livez'),
        readyz: await tell('/readyz'),
      };
    },
  },
  {
    name: 'an admin is told that he may',
    run: async (c) => {
      const ask = async (attributes: object) =>
        answered(await c.create('selfsubjectaccessreviews', review(attributes)), 'kind', 'status.allowed', 'spec');
      return [
        await ask({ verb: 'create', resource: 'pods', subresource: 'eviction', namespace: c.namespace }),
        await ask({ verb: 'patch', resource: 'nodes' }),
      ];
    },
  },
  {
    name: 'a stranger is told that he may not',
    run: async (c) => {
      const spec = { user: 'nobody-known', resourceAttributes: { verb: 'delete', resource: 'nodes' } };
      return answered(
        await c.create('subjectaccessreviews', { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec }),
        'status.allowed',
      );
    },
  },
  {
    name: 'an access review without a question is refused',
    run: async (c) =>
      said(
        await c.create('selfsubjectaccessreviews', {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: {},
        }),
      ),
  },
];
