/** Lists: pages, selectors, lists of metadata. */
import { pod } from '../../beds/objects.ts';
import type { Case, Query, Subject } from '../case.ts';
import { at, must, names, pick, said, text } from '../look.ts';
import { configMap, setReady, still, withoutNamespace } from '../stage.ts';

const mine = (name: string, labels: object = {}) => configMap(name, { metadata: { labels: { mine: '', ...labels } } });
const many = (count: number) => Array.from({ length: count }, (_, index) => mine(`m-${index}`, { number: String(index) }));

const page = async (c: Subject, query: Query) => {
  const answer = await c.list('configmaps', { labelSelector: 'mine', ...query });
  const body = must(answer);
  return {
    names: names(answer),
    next: at(body, 'metadata.continue') as string | undefined,
    version: text(body, 'metadata.resourceVersion'),
    remaining: at(body, 'metadata.remainingItemCount') ?? 'not told',
  };
};

/** [selector, refused or the names it finds among those of `shelf`] */
const labelSelectors: readonly string[] = [
  'tier=front',
  'tier==front',
  'tier!=front',
  'tier in (front, back)',
  'tier notin (front)',
  'tier',
  '!tier',
  'tier,size=2',
  'size>1',
  'size<2',
  'size>abc',
  'tier in ()',
  'tier=',
  'tier in (front',
  'tier=front=back',
  '=front',
  'tier=not a value',
  'bad key=x',
  'a/b/c=x',
];

const shelf = [
  configMap('a', { metadata: { labels: { shelf: '', tier: 'front', size: '1' } } }),
  configMap('b', { metadata: { labels: { shelf: '', tier: 'back', size: '2' } } }),
  configMap('d', { metadata: { labels: { shelf: '', size: '10' } } }),
  configMap('e', { metadata: { labels: { shelf: '', tier: '' } } }),
];

const fieldSelectors: readonly (readonly [string, string])[] = [
  ['pods', 'metadata.name=a'],
  ['pods', 'metadata.name!=a'],
  ['pods', 'status.phase=Running'],
  ['pods', 'status.phase!=Running,metadata.name!=a'],
  ['pods', 'spec.nodeName=nowhere'],
  ['pods', 'spec.nodeName='],
  ['pods', 'spec.restartPolicy=Always'],
  ['pods', 'spec.schedulerName=default-scheduler'],
  ['pods', 'spec.serviceAccountName=none'],
  ['pods', 'status.podIP='],
  ['pods', 'spec.hostNetwork=false'],
  ['pods', 'spec.containers=x'],
  ['pods', 'status.phase in (Running)'],
  ['pods', 'status.phase'],
  ['configmaps', 'data=x'],
  ['nodes', 'spec.unschedulable=true,metadata.name=none'],
  ['nodes', 'status.phase=x'],
  ['events', 'involvedObject.name=none'],
  ['deployments', 'spec.replicas=1'],
  ['replicasets', 'status.replicas=1'],
  ['jobs', 'status.successful=1'],
  ['secrets', 'type=none'],
];

export const lists: readonly Case[] = [
  {
    name: 'pages hold what one list holds, in the same order, at one version',
    async run(c) {
      await c.make(...many(7));
      const seen = [];
      let next: string | undefined;
      do {
        const one = await page(c, { limit: '3', ...(next ? { continue: next } : {}) });
        seen.push(one);
        next = one.next;
      } while (next);
      return {
        pages: seen.map((one) => ({ names: one.names, remaining: one.remaining, more: one.next !== undefined })),
        oneVersion: new Set(seen.map(({ version }) => version)).size === 1,
        same: JSON.stringify(seen.flatMap((one) => one.names)) === JSON.stringify((await page(c, {})).names),
      };
    },
  },
  {
    name: 'later pages show the state at the first one',
    async run(c) {
      await c.make(...many(4));
      const first = await page(c, { limit: '2' });
      await c.make(mine('m-9'));
      must(await c.remove('configmaps', 'm-3'));
      must(await c.patch('configmaps', 'm-2', { data: { late: 'yes' } }));
      const second = await c.list('configmaps', { labelSelector: 'mine', limit: '10', continue: first.next ?? '' });
      return { names: names(second), data: at(second.body, 'items[].data') };
    },
  },
  {
    name: 'without a selector a page tells how many remain',
    async run(c) {
      await c.make(still('a'), still('b'), still('d'));
      const answer = await c.list('pods', { limit: '1' });
      return { names: names(answer), ...pick(answer.body, 'metadata.remainingItemCount') };
    },
  },
  {
    name: 'a limit that takes all gives no token',
    async run(c) {
      await c.make(...many(2));
      const { next, remaining } = await page(c, { limit: '2' });
      return { next: next ?? 'none', remaining };
    },
  },
  {
    name: 'a broken continue token is refused',
    run: async (c) => {
      const { code, reason } = said(await c.list('configmaps', { limit: '2', continue: 'not-a-token' }));
      return { code, reason };
    },
  },
  {
    name: 'a continue token and a version together are refused',
    async run(c) {
      await c.make(...many(3));
      const { next = '' } = await page(c, { limit: '1' });
      return said(await c.list('configmaps', { limit: '1', continue: next, resourceVersion: '5' }));
    },
  },
  {
    name: 'resourceVersionMatch needs a version',
    run: async (c) => said(await c.list('configmaps', { resourceVersionMatch: 'Exact' })),
  },
  {
    name: 'an exact version lists the state of then',
    async run(c) {
      await c.make(mine('a'), mine('b'));
      const { version } = await page(c, {});
      must(await c.remove('configmaps', 'a'));
      return (await page(c, { resourceVersion: version, resourceVersionMatch: 'Exact' })).names;
    },
  },
  {
    name: 'a list is in the order of the names, and of namespaces before that',
    async run(c) {
      await c.make(mine('b'), mine('a-1'), mine('a'), mine('a.b'), mine('10'), mine('9'));
      return (await page(c, {})).names;
    },
  },
  {
    name: 'items of a list have no kind of their own; the list has',
    async run(c) {
      await c.make(mine('a'));
      const body = must(await c.list('configmaps', { labelSelector: 'mine' }));
      return { ...pick(body, 'kind', 'apiVersion'), item: Object.keys(at(body, 'items[0]') as object).sort() };
    },
  },
  {
    name: 'an empty list has items all the same',
    async run(c) {
      const body = must(await c.list('pods'));
      return { ...pick(body, 'kind', 'items'), metadata: Object.keys(at(body, 'metadata') as object) };
    },
  },
  {
    name: 'a list in a namespace that is not there is empty',
    run: async (c) => {
      const answer = await c.send({ method: 'GET', path: '/api/v1/namespaces/none/pods' });
      return { code: answer.code, ...pick(answer.body, 'kind', 'items') };
    },
  },
  {
    name: 'metadata alone can be asked for',
    async run(c) {
      await c.make(configMap('a', { data: { x: 'y' }, metadata: { labels: { mine: '' } } }));
      const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
      const answer = await c.send({ method: 'GET', path: c.collection('configmaps'), query: { labelSelector: 'mine' }, accept });
      const one = await c.send({
        method: 'GET',
        path: `${c.collection('configmaps')}/a`,
        accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      });
      return {
        list: pick(answer.body, 'kind', 'apiVersion'),
        item: {
          ...pick(at(answer.body, 'items[0]'), 'kind', 'apiVersion', 'metadata.name'),
          keys: Object.keys(at(answer.body, 'items[0]') as object).sort(),
        },
        one: { ...pick(one.body, 'kind', 'apiVersion'), keys: Object.keys(one.body as object).sort() },
      };
    },
  },
  {
    name: 'label selectors find what they say, and bad ones are refused',
    async run(c) {
      await c.make(...shelf);
      const seen: Record<string, unknown> = {};
      for (const labelSelector of labelSelectors) {
        const answer = await c.list('configmaps', { labelSelector: `${labelSelector},shelf` });
        seen[labelSelector] = answer.code < 400 ? names(answer) : said(answer);
      }
      return seen;
    },
  },
  {
    name: 'field selectors find what they say, and unknown fields are refused',
    async run(c) {
      await c.make(still('a'), still('b'), withoutNamespace(pod('', 'free', { spec: { nodeSelector: { case: 'none' } } })));
      await setReady(c, 'a');
      const seen: Record<string, unknown> = {};
      for (const [kind, fieldSelector] of fieldSelectors) {
        const answer = await c.list(kind, { fieldSelector });
        seen[`${kind} ${fieldSelector}`] = answer.code < 400 ? names(answer) : said(answer);
      }
      return seen;
    },
  },
  {
    name: 'field and label selectors are both asked',
    async run(c) {
      await c.make(still('a'), still('b'), still('d', { metadata: { labels: { app: 'other' } } }));
      await setReady(c, 'a');
      await setReady(c, 'd');
      return names(await c.list('pods', { labelSelector: 'app=web', fieldSelector: 'status.phase=Running' }));
    },
  },
];
