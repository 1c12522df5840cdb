/** Watches: order, resuming, bookmarks, transitions of selectors, expiry. */
import type { Case, Query, Subject, Watching } from '../case.ts';
import { at, items, must, pick, said, told } from '../look.ts';
import { configMap, setReady, still } from '../stage.ts';

const open = (c: Subject, kind: string, query: Query = {}) => c.watch({ method: 'GET', path: c.collection(kind), query });
/** Without the ConfigMap that the real plane puts into every namespace. */
const OWN = { labelSelector: 'mine' };
const mine = (name: string, labels: object = {}) => configMap(name, { metadata: { labels: { mine: '', ...labels } } });

async function frames(c: Subject, watching: Watching, count: number) {
  await c.eventually(
    `${count} events`,
    async () => told(watching.frames),
    (seen) => seen.length >= count,
  );
  return watching.frames;
}

async function versionOf(c: Subject, kind = 'configmaps'): Promise<string> {
  return String(at(must(await c.list(kind, OWN)), 'metadata.resourceVersion'));
}

const label = (c: Subject, name: string, labels: object) => c.patch('configmaps', name, { metadata: { labels } });

export const watching: readonly Case[] = [
  {
    name: 'a watch from a list tells what happened since, in its order',
    async run(c) {
      const resourceVersion = await versionOf(c);
      await c.make(mine('a'), mine('b'));
      must(await label(c, 'a', { tier: 'x' }));
      must(await c.remove('configmaps', 'b'));
      const watching = await open(c, 'configmaps', { ...OWN, resourceVersion });
      const seen = told(await frames(c, watching, 4));
      watching.close();
      return seen;
    },
  },
  {
    name: 'a watch without a version begins with what is there',
    async run(c) {
      await c.make(mine('a'), mine('b'));
      const watching = await open(c, 'configmaps', OWN);
      await frames(c, watching, 2);
      await c.make(mine('d'));
      const seen = told(await frames(c, watching, 3));
      watching.close();
      return { first: seen.slice(0, 2).sort(), later: seen.slice(2) };
    },
  },
  {
    name: 'a watch from version 0 begins with what is there',
    async run(c) {
      await c.make(mine('a'));
      const watching = await open(c, 'configmaps', { ...OWN, resourceVersion: '0' });
      await frames(c, watching, 1);
      watching.close();
      return told(watching.frames);
    },
  },
  {
    name: 'a watch that is resumed from the last event misses nothing and repeats nothing',
    async run(c) {
      const watching = await open(c, 'configmaps', { ...OWN, resourceVersion: await versionOf(c) });
      await c.make(mine('a'), mine('b'));
      const [first] = await frames(c, watching, 2);
      watching.close();
      await c.make(mine('d'));
      const resumed = await open(c, 'configmaps', {
        ...OWN,
        resourceVersion: String(at(first?.object, 'metadata.resourceVersion')),
      });
      const seen = told(await frames(c, resumed, 2));
      resumed.close();
      return seen;
    },
  },
  {
    name: 'versions of events rise, and are those of the objects',
    async run(c) {
      const watching = await open(c, 'configmaps', { ...OWN, resourceVersion: await versionOf(c) });
      await c.make(mine('a'));
      for (const tier of ['x', 'y', 'z']) must(await label(c, 'a', { tier }));
      const last = at(must(await c.get('configmaps', 'a')), 'metadata.resourceVersion');
      const versions = (await frames(c, watching, 4)).map(({ object }) => Number(at(object, 'metadata.resourceVersion')));
      watching.close();
      return {
        rising: versions.every((version, index) => index === 0 || version > (versions[index - 1] ?? 0)),
        last: String(versions.at(-1)) === last,
      };
    },
  },
  {
    name: 'a deletion is told with the last state and the version of the deletion',
    async run(c) {
      await c.make(mine('a', { tier: 'x' }));
      const before = Number(at(must(await c.get('configmaps', 'a')), 'metadata.resourceVersion'));
      const watching = await open(c, 'configmaps', { ...OWN, resourceVersion: String(before) });
      must(await c.remove('configmaps', 'a'));
      const [frame] = await frames(c, watching, 1);
      watching.close();
      return {
        type: frame?.type,
        ...pick(frame?.object, 'metadata.labels'),
        later: Number(at(frame?.object, 'metadata.resourceVersion')) > before,
      };
    },
  },
  {
    name: 'an object that begins to match a label selector is ADDED, one that stops is DELETED',
    async run(c) {
      await c.make(mine('a', { tier: 'x' }), mine('b', { tier: 'y' }));
      const watching = await open(c, 'configmaps', { labelSelector: 'tier=x', resourceVersion: await versionOf(c) });
      must(await label(c, 'b', { tier: 'x' }));
      must(await label(c, 'a', { tier: 'y' }));
      must(await label(c, 'b', { more: 'yes' }));
      must(await c.remove('configmaps', 'b'));
      must(await c.remove('configmaps', 'a'));
      await c.make(mine('d', { tier: 'x' }));
      const seen = await frames(c, watching, 5);
      watching.close();
      return seen.map(({ type, object }) => [type, at(object, 'metadata.name'), at(object, 'metadata.labels.tier')]);
    },
  },
  {
    name: 'an object that begins to match a field selector is ADDED, one that stops is DELETED',
    async run(c) {
      await c.make(still('a'), still('b'));
      const resourceVersion = String(at(must(await c.list('pods')), 'metadata.resourceVersion'));
      const watching = await open(c, 'pods', { fieldSelector: 'status.phase=Running', resourceVersion });
      await setReady(c, 'a');
      await setReady(c, 'b');
      must(await c.patch('pods', 'a/status', { status: { phase: 'Succeeded' } }));
      const seen = told(await frames(c, watching, 3));
      watching.close();
      return seen;
    },
  },
  {
    name: 'one object is watched by its name',
    async run(c) {
      await c.make(mine('a'), mine('b'));
      const watching = await open(c, 'configmaps', { fieldSelector: 'metadata.name=b', resourceVersion: await versionOf(c) });
      must(await label(c, 'a', { tier: 'x' }));
      must(await label(c, 'b', { tier: 'x' }));
      const seen = told(await frames(c, watching, 1));
      watching.close();
      return seen;
    },
  },
  {
    name: 'a write that changes nothing is not told, and keeps the version',
    async run(c) {
      await c.make(mine('a', { tier: 'x' }));
      const resourceVersion = await versionOf(c);
      const before = must(await c.get('configmaps', 'a'));
      const watching = await open(c, 'configmaps', { ...OWN, resourceVersion });
      const after = must(await label(c, 'a', { tier: 'x' }));
      must(await c.put('configmaps', 'a', before));
      await c.make(mine('b'));
      const seen = told(await frames(c, watching, 1));
      watching.close();
      return { seen, same: at(before, 'metadata.resourceVersion') === at(after, 'metadata.resourceVersion') };
    },
  },
  {
    name: 'initial events are told first, and their end by a bookmark with an annotation',
    async run(c) {
      await c.make(mine('a'), mine('b'));
      const query = { ...OWN, sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: 'true' };
      const watching = await open(c, 'configmaps', query);
      await frames(c, watching, 3);
      await c.make(mine('d'));
      const seen = await c.eventually(
        'the next event',
        async () => watching.frames,
        (all) => told(all).includes('ADDED d'),
      );
      watching.close();
      const [one, two, bookmark, ...later] = seen;
      return {
        first: told([one, two].flatMap((frame) => frame ?? [])).sort(),
        bookmark: {
          type: bookmark?.type,
          ...pick(bookmark?.object, 'kind', 'metadata.annotations', 'data'),
          version: at(bookmark?.object, 'metadata.resourceVersion') !== '',
        },
        // more bookmarks may come at any time
        later: told(later).filter((each) => each !== 'BOOKMARK'),
      };
    },
  },
  {
    name: 'an empty collection ends its initial events at once',
    async run(c) {
      const query = { ...OWN, sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: 'true' };
      const watching = await open(c, 'configmaps', query);
      const [first] = await frames(c, watching, 1);
      watching.close();
      return { type: first?.type, ...pick(first?.object, 'metadata.annotations') };
    },
  },
  {
    name: 'sendInitialEvents without resourceVersionMatch is refused',
    run: async (c) => {
      const { refusal } = await open(c, 'configmaps', { sendInitialEvents: 'true', allowWatchBookmarks: 'true' });
      return refusal && said(refusal);
    },
  },
  {
    name: 'resourceVersionMatch on a watch without sendInitialEvents is refused',
    run: async (c) => {
      const { refusal } = await open(c, 'configmaps', { resourceVersion: '0', resourceVersionMatch: 'NotOlderThan' });
      return refusal && said(refusal);
    },
  },
  {
    name: 'a version that is no number is refused',
    async run(c) {
      const { code } = await open(c, 'configmaps', { resourceVersion: 'abc' });
      const { code: list, reason } = said(await c.list('configmaps', { resourceVersion: 'abc' }));
      // a real server calls the watch an error of its own (500)
      return { watch: code >= 400, list, reason };
    },
  },
  {
    name: 'a watch ends by itself after timeoutSeconds',
    async run(c) {
      const watching = await open(c, 'configmaps', { ...OWN, timeoutSeconds: '1' });
      await c.eventually(
        'the end of the watch',
        async () => watching.ended(),
        (over) => over,
      );
      return told(watching.frames);
    },
  },
  {
    name: 'a list of version 0 and one of the newest hold the same',
    async run(c) {
      await c.make(mine('a'), mine('b'));
      const seen = await c.eventually(
        'the cache to follow',
        async () => items(await c.list('configmaps', { ...OWN, resourceVersion: '0' })),
        (list) => list.length === 2,
      );
      return [seen.length, items(await c.list('configmaps', OWN)).length];
    },
  },
  {
    name: 'a version of the future is not waited for without end',
    slow: true,
    async run(c) {
      const {
        code,
        reason,
        details,
        'Retry-After': retryAfter,
      } = said(await c.list('configmaps', { resourceVersion: '9000000000' }));
      return { code, reason, details, retryAfter };
    },
  },
  {
    name: 'a pod tells its life in this order: created, bound, started, deleted with grace, gone',
    async run(c) {
      const [first] = await c.nodes({});
      const watching = await open(c, 'pods', {
        resourceVersion: String(at(must(await c.list('pods')), 'metadata.resourceVersion')),
      });
      await c.make(c.pin(still('a', { spec: { nodeName: null } })));
      await c.eventually(
        'a to be Ready',
        async () => must(await c.get('pods', 'a')),
        (object) => at(object, 'status.conditions[type=Ready].status') === 'True',
      );
      must(await c.remove('pods', 'a'));
      await c.eventually(
        'a to be told gone',
        async () => told(watching.frames),
        (seen) => seen.includes('DELETED a'),
      );
      watching.close();
      const states = watching.frames.map(({ type, object }) =>
        [
          type,
          at(object, 'spec.nodeName') === first ? 'bound' : 'free',
          at(object, 'status.phase'),
          at(object, 'status.conditions[type=Ready].status') === 'True' ? 'Ready' : '',
          at(object, 'metadata.deletionTimestamp') ? 'deleting' : '',
        ]
          .filter(Boolean)
          .join(' '),
      );
      // how many steps a start takes is the kubelet's matter
      const phases = states.filter((state, index) => state !== states[index - 1]);
      return {
        begins: phases[0],
        binds: phases.indexOf('MODIFIED bound Pending') === 1,
        ready: phases.includes('MODIFIED bound Running Ready'),
        ends: watching.frames.at(-1)?.type,
      };
    },
  },
];
