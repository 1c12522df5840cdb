/** ReplicaSets: making, letting go, taking back, taking away. */
import type { KubeObject } from '../../beds/objects.ts';
import type { Case } from '../case.ts';
import { at, items, must, pick, sorted, text } from '../look.ts';
import { nowhere, ownerOf, pods, setReady, still, until } from '../stage.ts';

type Spec = Readonly<Record<string, unknown>>;

const template = (labels: Spec, spec: Spec = {}) => ({
  metadata: { labels },
  spec: { ...nowhere.spec, containers: [{ name: 'app', image: 'app' }], ...spec },
});

/** A ReplicaSet whose pods no kubelet touches. */
const replicaSet = (name: string, replicas: number, more: Spec = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template({ app: name }), ...more },
});

export const replicaSets: readonly Case[] = [
  {
    name: 'a ReplicaSet makes its pods with itself as owner and its name before theirs',
    async run(c) {
      await c.make(replicaSet('web', 2));
      const seen = await pods(c, 'app=web', 2, () => true);
      return seen.map((object) => ({
        name: text(object, 'metadata.name'),
        owner: ownerOf(object),
        ...pick(object, 'metadata.generateName', 'metadata.labels'),
      }));
    },
  },
  {
    name: 'a ReplicaSet lets go of a pod that loses its label, and makes another',
    async run(c) {
      await c.make(replicaSet('web', 2));
      const [first] = await pods(c, 'app=web', 2, () => true);
      const name = text(first, 'metadata.name');
      must(await c.patch('pods', name, { metadata: { labels: { app: 'loose' } } }));
      await pods(c, 'app=web', 2, () => true);
      const loose = await until(c, 'pods', name, 'to be let go', (object) => ownerOf(object) === 'none');
      return { owner: ownerOf(loose), deleted: at(loose, 'metadata.deletionTimestamp') !== undefined };
    },
  },
  {
    name: 'a ReplicaSet takes back a pod that gets its label again, and deletes the newest',
    async run(c) {
      await c.make(replicaSet('web', 2));
      const made = await pods(c, 'app=web', 2, () => true);
      const old = made.map((object) => text(object, 'metadata.name'));
      for (const name of old) await setReady(c, name);
      const [first = ''] = old;
      // which of two is the newer is told by the order of magnitude of their ages (LogarithmicScaleDown)
      await c.clock.sleep(5000);
      must(await c.patch('pods', first, { metadata: { labels: { app: 'loose' } } }));
      const replaced = await pods(c, 'app=web', 2, () => true);
      const fresh = replaced.map((object) => text(object, 'metadata.name')).find((name) => !old.includes(name)) ?? '';
      await setReady(c, fresh);
      await until(c, 'pods', first, 'to be let go', (object) => ownerOf(object) === 'none');
      must(await c.patch('pods', first, { metadata: { labels: { app: 'web' } } }));
      const doomed = await until(
        c,
        'pods',
        fresh,
        'to be deleted',
        (object) => at(object, 'metadata.deletionTimestamp') !== undefined || at(object, 'kind') === 'Status',
      );
      const back = must(await c.get('pods', first));
      return {
        back: ownerOf(back),
        deleted: at(back, 'metadata.deletionTimestamp') ?? 'no',
        newest: at(doomed, 'metadata.name') === fresh,
      };
    },
  },
  {
    name: 'a ReplicaSet takes over a pod without an owner that fits it',
    async run(c) {
      await c.make(still('orphan'), replicaSet('web', 1));
      const seen = await until(c, 'pods', 'orphan', 'to be taken over', (object) => ownerOf(object) !== 'none');
      return { owner: ownerOf(seen), count: (await pods(c, 'app=web', 1, () => true)).length };
    },
  },
  {
    name: 'a ReplicaSet that is scaled down takes those that are not ready first',
    async run(c) {
      await c.make(replicaSet('web', 3));
      const made = (await pods(c, 'app=web', 3, () => true)).map((object) => text(object, 'metadata.name'));
      const [unready = '', ...rest] = made;
      for (const name of rest) await setReady(c, name);
      await until(c, 'replicasets', 'web', 'to see two ready', (object) => at(object, 'status.readyReplicas') === 2);
      must(await c.patch('replicasets', 'web', { spec: { replicas: 2 } }));
      const seen = await until(
        c,
        'pods',
        unready,
        'to be deleted',
        (object) => at(object, 'metadata.deletionTimestamp') !== undefined || at(object, 'kind') === 'Status',
      );
      return { first: at(seen, 'metadata.name') === unready };
    },
  },
  {
    name: 'a ReplicaSet that is scaled down takes the lowest deletion cost first',
    async run(c) {
      await c.make(replicaSet('web', 3));
      const made = (await pods(c, 'app=web', 3, () => true)).map((object) => text(object, 'metadata.name'));
      for (const name of made) await setReady(c, name);
      const [, cheap = ''] = made;
      must(await c.patch('pods', cheap, { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } } }));
      await until(c, 'replicasets', 'web', 'to see three ready', (object) => at(object, 'status.readyReplicas') === 3);
      must(await c.patch('replicasets', 'web', { spec: { replicas: 2 } }));
      const seen = await until(
        c,
        'pods',
        cheap,
        'to be deleted',
        (object) => at(object, 'metadata.deletionTimestamp') !== undefined,
      );
      return { first: at(seen, 'metadata.name') === cheap };
    },
  },
  {
    name: "a ReplicaSet's status counts its pods, ready and available ones apart",
    async run(c) {
      await c.make(replicaSet('web', 2, { minReadySeconds: 3600 }));
      const [first] = await pods(c, 'app=web', 2, () => true);
      await setReady(c, text(first, 'metadata.name'));
      const seen = await until(
        c,
        'replicasets',
        'web',
        'to count one ready',
        (object) => at(object, 'status.readyReplicas') === 1,
      );
      return at(seen, 'status');
    },
  },
  {
    name: 'a ReplicaSet replaces a pod that was deleted, at once, not when it is gone',
    async run(c) {
      await c.make(replicaSet('web', 1));
      const [first] = await pods(c, 'app=web', 1, () => true);
      must(await c.remove('pods', text(first, 'metadata.name')));
      const seen = await pods(c, 'app=web', 2, () => true);
      return seen.map((object) => (at(object, 'metadata.deletionTimestamp') ? 'deleting' : 'alive')).sort();
    },
  },
  {
    name: 'a ReplicaSet replaces a failed pod and leaves it lying',
    async run(c) {
      await c.make(replicaSet('web', 1));
      const [first] = await pods(c, 'app=web', 1, () => true);
      must(await c.patch('pods', `${text(first, 'metadata.name')}/status`, { status: { phase: 'Failed' } }));
      const seen = await pods(c, 'app=web', 2, () => true);
      return sorted(seen.map((object) => at(object, 'status.phase')));
    },
  },
  {
    name: 'a ReplicaSet tells of the pods that it makes in events',
    async run(c) {
      await c.make(replicaSet('web', 1));
      await pods(c, 'app=web', 1, () => true);
      const seen = await c.eventually(
        'the event',
        async () => items(await c.list('events')),
        (events) => events.some((event) => at(event, 'reason') === 'SuccessfulCreate'),
      );
      const event = seen.find((each) => at(each, 'reason') === 'SuccessfulCreate');
      return {
        ...pick(event, 'type', 'reason', 'message', 'source.component', 'involvedObject.kind', 'involvedObject.name', 'count'),
      };
    },
  },
  {
    name: 'two ReplicaSets of one selector do not share pods',
    async run(c) {
      const shared = { selector: { matchLabels: { app: 'web' } }, template: template({ app: 'web' }) };
      await c.make(replicaSet('one', 1, shared));
      await pods(c, 'app=web', 1, () => true);
      await c.make(replicaSet('two', 1, shared));
      const seen = await pods(c, 'app=web', 2, () => true);
      return {
        owners: sorted(seen.map((object) => at(object, 'metadata.ownerReferences[0].name'))),
      };
    },
  },
];
