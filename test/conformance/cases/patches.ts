/** The four patches. */
import { deployment } from '../../beds/objects.ts';
import type { Case, PatchType } from '../case.ts';
import { answered, at, must, pick, said } from '../look.ts';
import { configMap, deserted, still, withoutNamespace } from '../stage.ts';

const data = (c: { data: object }) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, ...c });
const manager = (fieldManager: string, force?: boolean) => ({ fieldManager, ...(force ? { force: 'true' } : {}) });
const web = () => withoutNamespace(deployment('', 'web', 0));

/** One patch on ConfigMap a {data: {x: 1, y: 2}, labels {keep: yes}}: what comes out. */
const onConfigMap = (name: string, type: PatchType, patch: unknown): Case => ({
  name,
  async run(c) {
    await c.make(configMap('a', { data: { x: '1', y: '2' }, metadata: { labels: { keep: 'yes' } } }));
    const answer = await c.patch('configmaps', 'a', patch, type);
    return answered(answer, 'data', 'metadata.labels');
  },
});

/** One strategic merge patch on a pod template: which parts are merged and which replaced. */
const onDeployment = (name: string, template: object, patch: object, ...paths: readonly string[]): Case => ({
  name,
  async run(c) {
    const base = web();
    const spec = base['spec'] as { template: { spec: object } };
    const pod = { containers: [{ name: 'app', image: 'app' }], ...template };
    await c.make({ ...base, spec: { ...spec, template: { ...spec.template, spec: pod } } });
    const answer = await c.patch('deployments', 'web', { spec: { template: { spec: patch } } }, 'strategic');
    return answer.code < 400 ? pick(at(answer.body, 'spec.template.spec'), ...paths) : said(answer);
  },
});

export const patches: readonly Case[] = [
  onConfigMap('a merge patch sets, adds and removes by null', 'merge', { data: { x: '9', y: null, z: '3' } }),
  onConfigMap('a merge patch of null removes the whole field', 'merge', { data: null }),
  onConfigMap('a merge patch that is a list is refused', 'merge', [1]),
  onConfigMap('a merge patch that changes the name is refused', 'merge', { metadata: { name: 'b' } }),
  onConfigMap('a JSON patch adds, replaces and removes', 'json', [
    { op: 'add', path: '/data/z', value: '3' },
    { op: 'replace', path: '/data/x', value: '9' },
    { op: 'remove', path: '/data/y' },
  ]),
  onConfigMap('a JSON patch copies and moves', 'json', [
    { op: 'copy', from: '/data/x', path: '/data/copy' },
    { op: 'move', from: '/data/y', path: '/data/moved' },
  ]),
  onConfigMap('a JSON patch whose test holds is applied', 'json', [
    { op: 'test', path: '/data/x', value: '1' },
    { op: 'replace', path: '/data/x', value: '9' },
  ]),
  onConfigMap('a JSON patch whose test fails is refused', 'json', [
    { op: 'test', path: '/data/x', value: '7' },
    { op: 'replace', path: '/data/x', value: '9' },
  ]),
  onConfigMap('a JSON patch that removes what is not there is refused', 'json', [{ op: 'remove', path: '/data/none' }]),
  onConfigMap('a JSON patch into what is not there is refused', 'json', [{ op: 'add', path: '/none/deep', value: 'x' }]),
  onConfigMap('a JSON patch of an unknown operation is refused', 'json', [{ op: 'shake', path: '/data/x' }]),
  onConfigMap('a JSON patch with escaped keys finds them', 'json', [
    { op: 'add', path: '/metadata/labels/example.com~1tier', value: 'x' },
  ]),
  onConfigMap('a JSON patch that is an object is refused', 'json', { op: 'add' }),
  onConfigMap('a strategic merge patch on a map is a merge', 'strategic', { data: { x: '9', y: null } }),
  onConfigMap('a strategic merge patch with $patch: replace replaces the map', 'strategic', {
    data: { $patch: 'replace', only: '1' },
  }),
  {
    name: 'a merge patch of a wrong type is refused',
    async run(c) {
      await c.make(configMap('a'));
      const { code, reason, details } = said(await c.patch('configmaps', 'a', { data: { x: 1 } }));
      // the message quotes the whole object
      return { code, reason, causes: ((at(details, 'causes') ?? []) as object[]).map((cause) => pick(cause, 'reason', 'field')) };
    },
  },
  {
    name: 'a patch of an unknown type is refused',
    async run(c) {
      await c.make(configMap('a'));
      const path = `${c.collection('configmaps')}/a`;
      const { code, reason } = said(await c.send({ method: 'PATCH', path, body: {}, contentType: 'application/json' }));
      return { code, reason };
    },
  },
  {
    name: 'a patch of what is not there is 404',
    run: async (c) => said(await c.patch('configmaps', 'none', { data: { x: '1' } })),
  },
  {
    name: 'a patch with another resource version is a conflict',
    async run(c) {
      await c.make(configMap('a'));
      return said(await c.patch('configmaps', 'a', { metadata: { resourceVersion: '1' }, data: { x: '1' } }));
    },
  },
  {
    name: 'a patch with another uid is a conflict',
    async run(c) {
      await c.make(configMap('a'));
      return said(await c.patch('configmaps', 'a', { metadata: { uid: '11111111-2222-3333-4444-555555555555' } }));
    },
  },
  {
    name: 'a dry run of a patch shows it and keeps nothing',
    async run(c) {
      await c.make(configMap('a', { data: { x: '1' } }));
      const shown = answered(await c.patch('configmaps', 'a', { data: { x: '2' } }, 'merge', { dryRun: 'All' }), 'data');
      return { shown, kept: at(must(await c.get('configmaps', 'a')), 'data') };
    },
  },
  onDeployment(
    'containers are merged by their name',
    {},
    {
      containers: [
        { name: 'app', env: [{ name: 'X', value: '1' }] },
        { name: 'side', image: 'side' },
      ],
    },
    'containers[].name',
    'containers[].image',
    'containers[].env',
  ),
  onDeployment(
    'a container goes by $patch: delete',
    {
      containers: [
        { name: 'app', image: 'app' },
        { name: 'side', image: 'side' },
      ],
    },
    { containers: [{ name: 'side', $patch: 'delete' }] },
    'containers[].name',
  ),
  onDeployment(
    'env is merged by name, ports by their port',
    {
      containers: [
        { name: 'app', image: 'app', env: [{ name: 'X', value: '1' }], ports: [{ containerPort: 80, protocol: 'TCP' }] },
      ],
    },
    {
      containers: [
        {
          name: 'app',
          env: [
            { name: 'Y', value: '2' },
            { name: 'X', value: '9' },
          ],
          ports: [{ containerPort: 81 }, { containerPort: 80, name: 'web' }],
        },
      ],
    },
    'containers[].env',
    'containers[].ports',
  ),
  onDeployment(
    '$setElementOrder orders the merged list',
    {
      containers: [
        { name: 'app', image: 'app' },
        { name: 'side', image: 'side' },
      ],
    },
    {
      $setElementOrder: undefined,
      '$setElementOrder/containers': [{ name: 'side' }, { name: 'app' }],
      containers: [{ name: 'side', image: 'new' }],
    },
    'containers[].name',
    'containers[].image',
  ),
  onDeployment(
    'tolerations are replaced as a whole',
    { tolerations: [{ key: 'a', operator: 'Exists' }] },
    { tolerations: [{ key: 'b', operator: 'Exists' }] },
    'tolerations',
  ),
  onDeployment(
    'volumes are merged by name, and another source takes the place with $retainKeys',
    {
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'w', emptyDir: {} },
      ],
    },
    { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'x' } }] },
    'volumes',
  ),
  {
    name: '$deleteFromPrimitiveList takes values out of a list, and finalizers are merged',
    async run(c) {
      const finalizers = ['conformance.drover.dev/a', 'conformance.drover.dev/b'];
      await c.make(configMap('a', { metadata: { finalizers } }));
      const added = await c.patch('configmaps', 'a', { metadata: { finalizers: ['conformance.drover.dev/d'] } }, 'strategic');
      const taken = await c.patch(
        'configmaps',
        'a',
        { metadata: { '$deleteFromPrimitiveList/finalizers': finalizers } },
        'strategic',
      );
      return [added, taken].map((answer) => at(must(answer), 'metadata.finalizers'));
    },
  },
  {
    name: "a node's taints are replaced by a strategic merge patch, its conditions merged by type",
    async run(c) {
      const name = `${c.namespace}-x`;
      await c.make(deserted(name, { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }));
      const taints = await c.patch('nodes', name, { spec: { taints: [{ key: 'b', effect: 'NoSchedule' }] } }, 'strategic');
      const condition = (type: string) =>
        c.patch('nodes', `${name}/status`, { status: { conditions: [{ type, status: 'True' }] } }, 'strategic');
      must(await condition('One'));
      const conditions = must(await condition('Two'));
      must(await c.remove('nodes', name));
      return {
        taints: (at(must(taints), 'spec.taints[].key') as string[]).filter((key) => !key.startsWith('node.kubernetes.io/')),
        conditions: (at(conditions, 'status.conditions[].type') as string[])
          .filter((type) => ['One', 'Two'].includes(type))
          .sort(),
      };
    },
  },
  {
    name: 'apply creates what is not there',
    async run(c) {
      const answer = await c.patch('configmaps', 'a', data({ data: { x: '1' } }), 'apply', manager('one'));
      return {
        ...answered(answer, 'data'),
        managers: at(answer.body, 'metadata.managedFields[].manager'),
        fields: at(answer.body, 'metadata.managedFields[0].fieldsV1'),
      };
    },
  },
  {
    name: 'apply needs a field manager',
    run: async (c) => said(await c.patch('configmaps', 'a', data({ data: { x: '1' } }), 'apply')),
  },
  {
    name: 'apply takes away what the same manager applied before and does not any more',
    async run(c) {
      must(await c.patch('configmaps', 'a', data({ data: { x: '1', y: '2' } }), 'apply', manager('one')));
      const answer = await c.patch('configmaps', 'a', data({ data: { y: '2' } }), 'apply', manager('one'));
      return { ...answered(answer, 'data'), fields: at(answer.body, 'metadata.managedFields[0].fieldsV1') };
    },
  },
  {
    name: 'two managers apply different fields side by side',
    async run(c) {
      must(await c.patch('configmaps', 'a', data({ data: { x: '1' } }), 'apply', manager('one')));
      const answer = await c.patch('configmaps', 'a', data({ data: { y: '2' } }), 'apply', manager('two'));
      return { ...answered(answer, 'data'), managers: at(answer.body, 'metadata.managedFields[].manager') };
    },
  },
  {
    name: 'the same value by two managers is owned by both',
    async run(c) {
      must(await c.patch('configmaps', 'a', data({ data: { x: '1' } }), 'apply', manager('one')));
      must(await c.patch('configmaps', 'a', data({ data: { x: '1' } }), 'apply', manager('two')));
      const left = must(await c.patch('configmaps', 'a', data({ data: {} }), 'apply', manager('one')));
      return { data: at(left, 'data'), managers: at(left, 'metadata.managedFields[].manager') };
    },
  },
  {
    name: 'another value for a field of another manager is a conflict, which force takes over',
    async run(c) {
      must(await c.patch('configmaps', 'a', data({ data: { x: '1', y: '1' } }), 'apply', manager('one')));
      const refused = said(await c.patch('configmaps', 'a', data({ data: { x: '2' } }), 'apply', manager('two')));
      const forced = await c.patch('configmaps', 'a', data({ data: { x: '2' } }), 'apply', manager('two', true));
      return { refused, forced: answered(forced, 'data'), fields: at(forced.body, 'metadata.managedFields[].fieldsV1') };
    },
  },
  {
    name: 'a field that was updated, not applied, is a conflict for an apply',
    async run(c) {
      await c.make(configMap('a', { data: { x: '1' } }));
      const { code, reason, details } = said(
        await c.patch('configmaps', 'a', data({ data: { x: '2' } }), 'apply', manager('two')),
      );
      return { code, reason, causes: ((at(details, 'causes') ?? []) as object[]).map((cause) => pick(cause, 'reason', 'field')) };
    },
  },
  {
    name: 'apply with another name in the body is refused',
    run: async (c) => said(await c.patch('configmaps', 'b', data({ data: { x: '1' } }), 'apply', manager('one'))),
  },
  {
    name: 'apply with managedFields in the body is refused',
    async run(c) {
      const body = {
        ...data({ data: {} }),
        metadata: {
          name: 'a',
          managedFields: [{ manager: 'x', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }],
        },
      };
      return said(await c.patch('configmaps', 'a', body, 'apply', manager('one')));
    },
  },
  {
    name: 'apply merges containers by name, and conflicts name them',
    async run(c) {
      const body = (image: string, more: object[] = []) => ({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: 'web' } },
          template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image }, ...more] } },
        },
      });
      must(await c.patch('deployments', 'web', body('one'), 'apply', manager('one')));
      const refused = said(await c.patch('deployments', 'web', body('two'), 'apply', manager('two')));
      const side = await c.patch('deployments', 'web', body('one', [{ name: 'side', image: 'side' }]), 'apply', manager('two'));
      return { refused, containers: at(must(side), 'spec.template.spec.containers[].name') };
    },
  },
  {
    name: 'a pod may be patched in its labels and image, and nowhere else',
    async run(c) {
      await c.make(still('a'));
      const labelled = answered(await c.patch('pods', 'a', { metadata: { labels: { late: 'yes' } } }), 'metadata.labels');
      const image = answered(
        await c.patch('pods', 'a', { spec: { containers: [{ name: 'app', image: 'new' }] } }, 'strategic'),
        'spec.containers[].image',
        'metadata.generation',
      );
      const toleration = answered(
        await c.patch(
          'pods',
          'a',
          [{ op: 'add', path: '/spec/tolerations/-', value: { key: 'late', operator: 'Exists' } }],
          'json',
        ),
        'spec.tolerations[].key',
      );
      const { code, reason, details } = said(await c.patch('pods', 'a', { spec: { terminationGracePeriodSeconds: 5 } }));
      const node = said(await c.patch('pods', 'a', { spec: { nodeName: 'other' } }));
      return {
        labelled,
        image,
        toleration,
        grace: { code, reason, fields: at(details, 'causes[].field') },
        node: { code: node['code'], fields: at(node['details'], 'causes[].field') },
      };
    },
  },
];
