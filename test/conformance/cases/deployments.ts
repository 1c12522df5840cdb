/** Deployments: rollouts and their bounds, revisions, what goes with them. */
import { deployment, merge } from '../../beds/objects.ts';
import type { Case, Subject } from '../case.ts';
import { at, by, items, must, pick, sorted, text } from '../look.ts';
import { bounds, life, steps } from '../pod-events.ts';
import { conditions, gone, neverReady, ownerOf, pods, until, withoutNamespace } from '../stage.ts';

type Spec = Readonly<Record<string, unknown>>;

const web = (c: Subject, replicas: number, spec: Spec = {}) => c.pin(withoutNamespace(deployment('', 'web', replicas, { spec })));

const image = (name: string) => ({ spec: { template: { spec: { containers: [{ name: 'app', image: name }] } } } });

const rolled = (object: unknown) => {
  const wanted = at(object, 'spec.replicas');
  return (
    at(object, 'status.observedGeneration') === at(object, 'metadata.generation') &&
    ['replicas', 'updatedReplicas', 'availableReplicas'].every((key) => at(object, `status.${key}`) === wanted)
  );
};

const settled = (c: Subject, what = 'to have rolled') => until(c, 'deployments', 'web', what, rolled);

const strategy = (maxSurge: string | number, maxUnavailable: string | number) => ({
  strategy: { rollingUpdate: { maxSurge, maxUnavailable } },
});

const rolling = (maxSurge: string | number, maxUnavailable: string | number, replicas: number, fewest: number): Case => ({
  name: `a rollout of ${replicas} with surge ${maxSurge} and unavailable ${maxUnavailable} keeps its bounds`,
  async run(c) {
    await c.nodes({});
    await c.make(web(c, replicas, strategy(maxSurge, maxUnavailable)));
    await settled(c);
    const { asked, ready } = await bounds(c, async () => {
      must(await c.patch('deployments', 'web', image('new'), 'strategic'));
      await settled(c);
    });
    return { asked, enough: ready >= fewest };
  },
});

export const deployments: readonly Case[] = [
  {
    name: 'a Deployment is Available and Complete when its pods are',
    async run(c) {
      await c.nodes({});
      await c.make(web(c, 2));
      const seen = await settled(c);
      const sets = items(await c.list('replicasets'));
      const hash = text(sets[0], 'metadata.labels["pod-template-hash"]');
      const [pod] = await pods(c, 'app=web', 2);
      return {
        conditions: conditions(seen),
        status: pick(
          seen,
          'status.replicas',
          'status.updatedReplicas',
          'status.readyReplicas',
          'status.availableReplicas',
          'status.unavailableReplicas',
          'status.observedGeneration',
        ),
        annotations: pick(
          at(sets[0], 'metadata.annotations'),
          '["deployment.kubernetes.io/desired-replicas"]',
          '["deployment.kubernetes.io/max-replicas"]',
          '["deployment.kubernetes.io/revision"]',
        ),
        revision: at(seen, 'metadata.annotations["deployment.kubernetes.io/revision"]'),
        hash: {
          inName: text(sets[0], 'metadata.name') === `web-${hash}`,
          onPod: at(pod, 'metadata.labels["pod-template-hash"]') === hash,
          inSelector: at(sets[0], 'spec.selector.matchLabels["pod-template-hash"]') === hash,
        },
        owner: ownerOf(sets[0]),
      };
    },
  },
  rolling(1, 0, 3, 3),
  rolling(0, 1, 3, 2),
  rolling('25%', '25%', 4, 3),
  rolling('100%', 0, 2, 2),
  rolling('30%', '30%', 3, 3),
  {
    name: 'a rollout does not pass pods that never get ready',
    async run(c) {
      await c.nodes({});
      await c.make(web(c, 4, strategy(1, 1)));
      await settled(c);
      const broken = { spec: { template: neverReady } };
      must(await c.patch('deployments', 'web', merge(broken, image('broken')), 'strategic'));
      const seen = await until(
        c,
        'deployments',
        'web',
        'to stand still',
        (object) => at(object, 'status.updatedReplicas') === 2 && at(object, 'status.availableReplicas') === 3,
      );
      return pick(
        seen,
        'status.replicas',
        'status.updatedReplicas',
        'status.readyReplicas',
        'status.availableReplicas',
        'status.unavailableReplicas',
      );
    },
  },
  {
    name: 'Recreate lets the old pods go before it makes new ones',
    async run(c) {
      await c.nodes({});
      await c.make(web(c, 2, { strategy: { type: 'Recreate' } }));
      await settled(c);
      const order = await life(c, steps(6), async () => must(await c.patch('deployments', 'web', image('new'), 'strategic')));
      const lastGone = order.findLastIndex((each) => each.startsWith('gone'));
      const firstMade = order.findIndex((each) => each.startsWith('create'));
      return { goneFirst: lastGone < firstMade };
    },
  },
  {
    name: 'a paused Deployment does not roll, and does when it goes on',
    async run(c) {
      await c.nodes({});
      await c.make(web(c, 2));
      await settled(c);
      must(await c.patch('deployments', 'web', { spec: { paused: true } }));
      must(await c.patch('deployments', 'web', image('new'), 'strategic'));
      const paused = await until(
        c,
        'deployments',
        'web',
        'to have seen it',
        (object) => at(object, 'status.observedGeneration') === at(object, 'metadata.generation'),
      );
      const sets = items(await c.list('replicasets')).length;
      must(await c.patch('deployments', 'web', { spec: { paused: false } }));
      await settled(c);
      return {
        paused: pick(paused, 'status.updatedReplicas'),
        conditions: conditions(paused),
        sets,
        after: items(await c.list('replicasets')).length,
      };
    },
  },
  {
    name: 'going back to an earlier template takes its ReplicaSet again, with a new revision',
    async run(c) {
      await c.nodes({});
      await c.make(web(c, 1));
      await settled(c);
      for (const name of ['two', 'app']) {
        must(await c.patch('deployments', 'web', image(name), 'strategic'));
        await settled(c);
      }
      // the annotation follows the rollout
      const revision = 'metadata.annotations["deployment.kubernetes.io/revision"]';
      const seen = await until(c, 'deployments', 'web', 'to be at revision 3', (object) => at(object, revision) === '3');
      const sets = items(await c.list('replicasets')).map((object) => ({
        replicas: at(object, 'spec.replicas'),
        revision: at(object, revision),
        image: at(object, 'spec.template.spec.containers[0].image'),
      }));
      return { revision: at(seen, revision), sets: sets.sort(by('image')) };
    },
  },
  {
    name: 'old ReplicaSets beyond the history limit are removed',
    async run(c) {
      await c.nodes({});
      await c.make(web(c, 1, { revisionHistoryLimit: 1 }));
      await settled(c);
      for (const name of ['two', 'three', 'four']) {
        must(await c.patch('deployments', 'web', image(name), 'strategic'));
        await settled(c);
      }
      const left = await c.eventually(
        'old sets to go',
        async () => items(await c.list('replicasets')),
        (sets) => sets.length === 2,
      );
      return sorted(left.map((object) => at(object, 'spec.template.spec.containers[0].image')));
    },
  },
  {
    name: 'scaling a Deployment leaves its revision and its template alone',
    async run(c) {
      await c.nodes({});
      await c.make(web(c, 1));
      await settled(c);
      must(await c.patch('deployments', 'web/scale', { spec: { replicas: 3 } }));
      const seen = await settled(c);
      return {
        sets: items(await c.list('replicasets')).length,
        revision: at(seen, 'metadata.annotations["deployment.kubernetes.io/revision"]'),
        ...pick(seen, 'status.replicas', 'metadata.generation'),
      };
    },
  },
  {
    name: 'a Deployment that is deleted takes its ReplicaSets and pods along',
    async run(c) {
      await c.nodes({});
      await c.make(web(c, 2));
      await settled(c);
      must(await c.remove('deployments', 'web'));
      await c.eventually(
        'everything to go',
        async () => [items(await c.list('replicasets')).length, items(await c.list('pods')).length],
        ([sets, left]) => sets === 0 && left === 0,
      );
      return 'gone';
    },
  },
  {
    name: 'a Deployment that is deleted as an orphan leaves both',
    async run(c) {
      await c.nodes({});
      await c.make(web(c, 1));
      await settled(c);
      must(await c.remove('deployments', 'web', { propagationPolicy: 'Orphan' }));
      await gone(c, 'deployments', 'web');
      const [set] = items(await c.list('replicasets'));
      return { owner: ownerOf(set), pods: items(await c.list('pods')).length };
    },
  },
];
