/** CustomResourceDefinitions: Drover's own, and one of the case's own. */
import { crds } from '../../../src/api/crd.ts';
import { GROUP_VERSION } from '../../../src/api/names.ts';
import { type Case, REMEMBERED, type Subject } from '../case.ts';
import { answered, at, must, names, pick, said, sorted, told } from '../look.ts';

const policies = `/apis/${GROUP_VERSION}/maintenancepolicies`;
const maintenances = `/apis/${GROUP_VERSION}/nodemaintenances`;

/** Installs Drover's resources, unless another case has. */
async function installed(c: Subject): Promise<void> {
  for (const crd of crds()) await c.create('customresourcedefinitions', crd);
  for (const path of [policies, maintenances])
    await c.eventually(
      `${path} to be served`,
      async () => (await c.list(path)).code,
      (code) => code === 200,
    );
}

const maintenance = (c: Subject, spec: object, name = c.namespace) => ({
  apiVersion: GROUP_VERSION,
  kind: 'NodeMaintenance',
  metadata: { name },
  spec,
});
const policy = (c: Subject, spec: object) => ({
  apiVersion: GROUP_VERSION,
  kind: 'MaintenancePolicy',
  metadata: { name: c.namespace },
  spec,
});
const label = { type: 'Label', label: { key: 'broken' } };

const group = (c: Subject) => `${c.namespace}.example.com`;

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 5 },
        colour: { type: 'string', enum: ['red', 'green'], default: 'green' },
        name: { type: 'string', pattern: '^[a-z]+$', maxLength: 5 },
        parts: {
          type: 'array',
          maxItems: 2,
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, weight: { type: 'number', default: 1 } },
          },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        },
        limits: { type: 'object', additionalProperties: { type: 'integer' } },
        amount: { 'x-kubernetes-int-or-string': true },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: { type: 'object', properties: { phase: { type: 'string' } } },
  },
};

function definition(c: Subject): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group(c)}` },
    spec: {
      group: group(c),
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', shortNames: ['wd'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
          selectableFields: [{ jsonPath: '.spec.colour' }],
        },
      ],
    },
  };
}

/** Installs the case's own kind; gives its collection and what makes one. */
async function widgets(c: Subject) {
  must(await c.create('customresourcedefinitions', definition(c)));
  const path = `/apis/${group(c)}/v1/namespaces/${c.namespace}/widgets`;
  await c.eventually(
    'widgets to be served',
    async () => (await c.list(path)).code,
    (code) => code === 200,
  );
  // the handler of a new version is there a moment before writes find its storage
  await c.clock.sleep(500);
  return {
    path,
    widget: (name: string, spec: object, more: object = {}) => ({
      apiVersion: `${group(c)}/v1`,
      kind: 'Widget',
      metadata: { name },
      spec,
      ...more,
    }),
  };
}

const refusals: readonly (readonly [string, object])[] = [
  ['a field that is required', { colour: 'red' }],
  ['a number under its minimum', { size: 0 }],
  ['a number over its maximum', { size: 6 }],
  ['a text in the place of a number', { size: 'big' }],
  ['a fraction in the place of an integer', { size: 1.5 }],
  ['a value that is not in the list', { size: 1, colour: 'blue' }],
  ['a text against its pattern', { size: 1, name: 'A1' }],
  ['a text that is too long', { size: 1, name: 'abcdef' }],
  ['too many items', { size: 1, parts: [{ name: 'a' }, { name: 'b' }, { name: 'd' }] }],
  ['an item without its key', { size: 1, parts: [{}] }],
  ['two items of one key', { size: 1, parts: [{ name: 'a' }, { name: 'a' }] }],
  ['a wrong value in a map', { size: 1, limits: { cpu: 'much' } }],
  ['several faults at once', { size: 9, colour: 'blue', name: 'A1' }],
];

export const customResources: readonly Case[] = [
  {
    name: 'a definition is accepted, established, and serves its kind',
    async run(c) {
      await widgets(c);
      const crd = must(await c.get('customresourcedefinitions', `widgets.${group(c)}`));
      const conditions = at(crd, 'status.conditions') as { type: string; status: string; reason: string; message: string }[];
      const discovery = must(await c.send({ method: 'GET', path: `/apis/${group(c)}/v1` }));
      return {
        conditions: conditions.map((condition) => pick(condition, 'type', 'status', 'reason', 'message')),
        status: pick(crd, 'status.acceptedNames', 'status.storedVersions'),
        resources: (at(discovery, 'resources') as object[]).map((each) => ({
          ...pick(each, 'name', 'singularName', 'namespaced', 'kind', 'shortNames'),
          verbs: sorted(at(each, 'verbs') as string[]),
        })),
      };
    },
  },
  {
    name: 'a kind that no definition serves is 404 without a body of its own',
    run: async (c) => {
      const answer = await c.send({ method: 'GET', path: `/apis/${group(c)}/v1/widgets` });
      return { code: answer.code, body: answer.body };
    },
  },
  {
    name: 'defaults are set, also inside lists, and unknown fields pruned but where they are kept',
    async run(c) {
      const { path, widget } = await widgets(c);
      const spec = {
        size: 2,
        parts: [{ name: 'a' }, { name: 'b', weight: 0.5 }],
        amount: '50%',
        strange: true,
        free: { any: { thing: 1 } },
      };
      return answered(await c.create(path, widget('a', spec, { odd: 1 })), 'spec', 'odd', 'metadata.generation');
    },
  },
  {
    name: 'what the schema forbids is refused, each with its field and cause',
    async run(c) {
      const { path, widget } = await widgets(c);
      const seen: Record<string, unknown> = {};
      for (const [title, spec] of refusals) {
        const { code, reason, message, details } = said(await c.create(path, widget('a', spec)));
        const causes = at(details, 'causes') as object[];
        // upstream goes through the fields of a schema in the order of a Go map
        const told = causes.length > 1 ? {} : { message, details };
        seen[title] = { code, reason, ...told, causes: causes.map((cause) => JSON.stringify(cause)).sort() };
      }
      return seen;
    },
  },
  {
    name: 'an unknown field is refused by strict validation and warned of otherwise',
    async run(c) {
      const { path, widget } = await widgets(c);
      const body = widget('a', { size: 1, strange: true, parts: [{ name: 'a', odd: 1 }] });
      const warned = await c.create(path, body, { fieldValidation: 'Warn', dryRun: 'All' });
      return { strict: said(await c.create(path, body, { fieldValidation: 'Strict' })), warned: warned.warnings };
    },
  },
  {
    name: 'the status is a subresource of its own, and the generation follows the rest',
    async run(c) {
      const { path, widget } = await widgets(c);
      const created = await c.create(path, widget('a', { size: 1 }, { status: { phase: 'Born' } }));
      const main = await c.patch(path, 'a', { status: { phase: 'Main' }, spec: { size: 2 } });
      const sub = await c.patch(path, 'a/status', {
        status: { phase: 'Sub' },
        spec: { size: 3 },
        metadata: { labels: { x: 'y' } },
      });
      const shown = ['spec.size', 'status', 'metadata.generation', 'metadata.labels'];
      return [created, main, sub].map((answer) => answered(answer, ...shown));
    },
  },
  {
    name: 'a selectable field selects, also a watch; another field is refused',
    async run(c) {
      const { path, widget } = await widgets(c);
      must(await c.create(path, widget('a', { size: 1, colour: 'red' })));
      const version = String(at(must(await c.create(path, widget('b', { size: 1 }))), 'metadata.resourceVersion'));
      const watching = await c.watch({
        method: 'GET',
        path,
        query: { fieldSelector: 'spec.colour=red', resourceVersion: version },
      });
      must(await c.patch(path, 'b', { spec: { colour: 'red' } }));
      must(await c.patch(path, 'a', { spec: { colour: 'green' } }));
      const seen = await c.eventually(
        'two events',
        async () => told(watching.frames),
        (frames) => frames.length >= 2,
      );
      watching.close();
      return {
        red: names(await c.list(path, { fieldSelector: 'spec.colour=red' })),
        seen,
        other: said(await c.list(path, { fieldSelector: 'spec.size=1' })),
      };
    },
  },
  {
    name: 'a watch from a version that is not remembered any more is told 410 in the stream',
    async run(c) {
      const { path, widget } = await widgets(c);
      must(await c.create(path, widget('a', { size: 1 })));
      // a real server remembers nothing from before its first watch of a kind, a simulated one so many changes
      for (let count = 0; count <= REMEMBERED; count++)
        must(await c.patch(path, 'a', { metadata: { labels: { count: String(count) } } }));
      const watching = await c.watch({ method: 'GET', path, query: { resourceVersion: '1' } });
      if (watching.refusal) return said(watching.refusal);
      const [frame] = await c.eventually(
        'an event',
        async () => watching.frames,
        (frames) => frames.length > 0,
      );
      watching.close();
      return { type: frame?.type, ...pick(frame?.object, 'kind', 'code', 'reason', 'message') };
    },
  },
  {
    name: 'merge and JSON patches work on custom resources, strategic ones are refused',
    async run(c) {
      const { path, widget } = await widgets(c);
      must(await c.create(path, widget('a', { size: 1, parts: [{ name: 'a' }] })));
      const merged = answered(await c.patch(path, 'a', { spec: { parts: [{ name: 'b' }] } }), 'spec.parts');
      const json = answered(await c.patch(path, 'a', [{ op: 'replace', path: '/spec/size', value: 4 }], 'json'), 'spec.size');
      const strategic = said(await c.patch(path, 'a', { spec: { size: 2 } }, 'strategic'));
      return { merged, json, strategic };
    },
  },
  {
    name: 'apply merges the list of a map type by its keys',
    async run(c) {
      const { path, widget } = await widgets(c);
      must(
        await c.patch(path, 'a', widget('a', { size: 1, parts: [{ name: 'a', weight: 2 }] }), 'apply', { fieldManager: 'one' }),
      );
      const second = await c.patch(path, 'a', widget('a', { size: 1, parts: [{ name: 'b', weight: 3 }] }), 'apply', {
        fieldManager: 'two',
      });
      const conflict = said(
        await c.patch(path, 'a', widget('a', { size: 2, parts: [{ name: 'a', weight: 9 }] }), 'apply', { fieldManager: 'two' }),
      );
      return { parts: at(must(second), 'spec.parts'), conflict };
    },
  },
  {
    name: 'a replacement of a custom resource needs its version',
    async run(c) {
      const { path, widget } = await widgets(c);
      must(await c.create(path, widget('a', { size: 1 })));
      return said(await c.put(path, 'a', widget('a', { size: 2 })));
    },
  },
  {
    name: 'a deleted definition takes its objects along and is not served any more',
    async run(c) {
      const { path, widget } = await widgets(c);
      must(await c.create(path, widget('a', { size: 1 })));
      must(await c.remove('customresourcedefinitions', `widgets.${group(c)}`));
      await c.eventually(
        'the definition to go',
        async () => (await c.get('customresourcedefinitions', `widgets.${group(c)}`)).code,
        (code) => code === 404,
      );
      return {
        list: await c.eventually(
          'widgets to go',
          async () => (await c.list(path)).code,
          (code) => code === 404,
        ),
      };
    },
  },
  {
    name: 'a definition whose name is not plural and group is refused',
    async run(c) {
      const wrong = { ...(definition(c) as { metadata: object }), metadata: { name: `gadgets.${group(c)}` } };
      return said(await c.create('customresourcedefinitions', wrong));
    },
  },
  {
    name: "Drover's maintenance gets its defaults",
    async run(c) {
      await installed(c);
      return answered(
        await c.create(maintenances, maintenance(c, { nodeName: 'worker' }), { dryRun: 'All' }),
        'spec',
        'metadata.generation',
      );
    },
  },
  {
    name: "Drover's policy is refused where it contradicts itself",
    async run(c) {
      await installed(c);
      const tell = async (spec: object) => said(await c.create(policies, policy(c, spec), { dryRun: 'All' }));
      return [
        await tell({ reasons: [label] }),
        await tell({ nodeSelector: {}, reasons: [] }),
        await tell({ nodeSelector: {}, reasons: [{ type: 'Taint' }] }),
        await tell({ nodeSelector: {}, reasons: [{ type: 'Weather' }] }),
      ];
    },
  },
  {
    name: "a maintenance's node is a selectable field, and cannot be changed",
    async run(c) {
      await installed(c);
      must(await c.create(maintenances, maintenance(c, { nodeName: `${c.namespace}-1` })));
      const found = names(await c.list(maintenances, { fieldSelector: `spec.nodeName=${c.namespace}-1` }));
      const moved = said(await c.patch(maintenances, c.namespace, { spec: { nodeName: 'other' } }));
      must(await c.remove(maintenances, c.namespace));
      return { found, moved };
    },
  },
];
