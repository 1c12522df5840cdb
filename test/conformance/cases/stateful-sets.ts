/** StatefulSets: order, names, updates, claims. */
import { statefulSet } from '../../beds/objects.ts';
import type { Case, Subject } from '../case.ts';
import { at, items, must, pick, sorted } from '../look.ts';
import { life, steps } from '../pod-events.ts';
import { gone, isReady, neverReady, ownerOf, pods, slowToStop, until, withoutNamespace } from '../stage.ts';

type Spec = Readonly<Record<string, unknown>>;

const image = (name: string) => ({ spec: { template: { spec: { containers: [{ name: 'app', image: name }] } } } });

async function stateful(c: Subject, replicas: number, spec: Spec = {}) {
  await c.nodes({});
  await c.make(c.pin(withoutNamespace(statefulSet('', 'db', replicas, { spec }))));
}

export const statefulSets: readonly Case[] = [
  {
    name: 'a StatefulSet makes its pods one after the other, each when the one before is ready',
    async run(c) {
      return life(c, steps(6), () => stateful(c, 3));
    },
  },
  {
    name: 'a parallel StatefulSet does not wait',
    async run(c) {
      await stateful(c, 3, { podManagementPolicy: 'Parallel', template: neverReady });
      return sorted((await pods(c, 'app=db', 3, () => true)).map((object) => at(object, 'metadata.name')));
    },
  },
  {
    name: 'a StatefulSet that waits for a pod that is not ready makes no other',
    async run(c) {
      await stateful(c, 2, { template: neverReady });
      await pods(c, 'app=db', 1, (object) => at(object, 'status.phase') === 'Running');
      await c.clock.sleep(1500);
      return (await pods(c, 'app=db', 1, () => true)).map((object) => at(object, 'metadata.name'));
    },
  },
  {
    name: "a StatefulSet's pods carry their identity",
    async run(c) {
      await stateful(c, 1);
      const [pod] = await pods(c, 'app=db', 1);
      const set = await until(
        c,
        'statefulsets',
        'db',
        'to be current',
        (object) => at(object, 'status.currentReplicas') === 1 && at(object, 'status.availableReplicas') === 1,
      );
      const labels = at(pod, 'metadata.labels') as Record<string, string>;
      return {
        labels: {
          ...pick(labels, 'app', '["statefulset.kubernetes.io/pod-name"]', '["apps.kubernetes.io/pod-index"]'),
          keys: Object.keys(labels).sort(),
        },
        ...pick(pod, 'spec.hostname', 'spec.subdomain'),
        owner: ownerOf(pod),
        revision: labels['controller-revision-hash'] === at(set, 'status.currentRevision'),
        status: pick(
          set,
          'status.replicas',
          'status.readyReplicas',
          'status.currentReplicas',
          'status.updatedReplicas',
          'status.availableReplicas',
          'status.collisionCount',
          'status.observedGeneration',
        ),
      };
    },
  },
  {
    name: "a StatefulSet's pod comes back under its name, and only when the old one is gone",
    async run(c) {
      await stateful(c, 2, { template: slowToStop });
      await pods(c, 'app=db', 2);
      const before = at(must(await c.get('pods', 'db-0')), 'metadata.uid');
      must(await c.evict('db-0'));
      await c.clock.sleep(1500);
      const waiting = must(await c.get('pods', 'db-0'));
      must(await c.remove('pods', 'db-0', { gracePeriodSeconds: 0 }));
      const after = await until(
        c,
        'pods',
        'db-0',
        'to be back',
        (object) => isReady(object) && at(object, 'metadata.uid') !== before,
      );
      return {
        waiting: {
          same: at(waiting, 'metadata.uid') === before,
          deleting: at(waiting, 'metadata.deletionTimestamp') !== undefined,
        },
        back: at(after, 'metadata.uid') !== before,
      };
    },
  },
  {
    name: 'a StatefulSet is scaled down from the highest number',
    async run(c) {
      await stateful(c, 3);
      await pods(c, 'app=db', 3);
      return life(c, steps(2), async () => must(await c.patch('statefulsets', 'db', { spec: { replicas: 1 } })));
    },
  },
  {
    name: 'a StatefulSet rolls from the highest number down',
    async run(c) {
      await stateful(c, 3);
      await pods(c, 'app=db', 3);
      const isNew = (object: unknown) => at(object, 'spec.containers[0].image') === 'new';
      const change = async () => must(await c.patch('statefulsets', 'db', image('new'), 'strategic'));
      const told = await life(c, (each) => each.includes('ready db-0'), change, isNew);
      // a controller that has not yet seen its own last write sometimes makes a pod twice
      return ['create', 'ready'].map((step) => [...new Set(told.filter((each) => each.startsWith(step)))]);
    },
  },
  {
    name: 'a partition keeps the lower numbers as they are',
    async run(c) {
      await stateful(c, 3, { updateStrategy: { rollingUpdate: { partition: 2 } } });
      await pods(c, 'app=db', 3);
      must(await c.patch('statefulsets', 'db', image('new'), 'strategic'));
      await until(
        c,
        'pods',
        'db-2',
        'to be new',
        (object) => isReady(object) && at(object, 'spec.containers[0].image') === 'new',
      );
      const seen = await until(
        c,
        'statefulsets',
        'db',
        'to be counted',
        (object) => at(object, 'status.updatedReplicas') === 1 && at(object, 'status.readyReplicas') === 3,
      );
      return {
        images: (await pods(c, 'app=db', 3)).map((object) => at(object, 'spec.containers[0].image')),
        ...pick(seen, 'status.currentReplicas', 'status.updatedReplicas'),
      };
    },
  },
  {
    name: 'OnDelete changes a pod only when somebody deletes it',
    async run(c) {
      await stateful(c, 2, { updateStrategy: { type: 'OnDelete', rollingUpdate: null } });
      await pods(c, 'app=db', 2);
      must(await c.patch('statefulsets', 'db', image('new'), 'strategic'));
      await until(
        c,
        'statefulsets',
        'db',
        'to have seen it',
        (object) => at(object, 'status.observedGeneration') === at(object, 'metadata.generation'),
      );
      must(await c.remove('pods', 'db-0'));
      await until(
        c,
        'pods',
        'db-0',
        'to be new',
        (object) => isReady(object) && at(object, 'spec.containers[0].image') === 'new',
      );
      return (await pods(c, 'app=db', 2)).map((object) => at(object, 'spec.containers[0].image'));
    },
  },
  {
    name: 'a StatefulSet makes a claim for each pod, and leaves it when the pod goes',
    async run(c) {
      const claim = {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', resources: { requests: { storage: '1Gi' } } },
      };
      await c.nodes({});
      await c.make(c.pin(withoutNamespace(statefulSet('', 'db', 1, { spec: { volumeClaimTemplates: [claim] } }))));
      const seen = await c.eventually(
        'the claim',
        async () => items(await c.list('persistentvolumeclaims')),
        (claims) => claims.length === 1,
      );
      const pod = await until(c, 'pods', 'db-0', 'to be there', (object) => at(object, 'kind') === 'Pod');
      must(await c.patch('statefulsets', 'db', { spec: { replicas: 0 } }));
      await gone(c, 'pods', 'db-0');
      const left = items(await c.list('persistentvolumeclaims'));
      return {
        claim: { ...pick(seen[0], 'metadata.name', 'metadata.labels', 'status.phase'), owner: ownerOf(seen[0]) },
        volume: at(pod, 'spec.volumes[name=data]'),
        left: left.map((object) => at(object, 'metadata.name')),
      };
    },
  },
];
