/** How the disruption controller counts. */
import { deployment, job, type KubeObject, statefulSet } from '../../beds/objects.ts';
import type { Case, Subject } from '../case.ts';
import { at, must, pick, said, text } from '../look.ts';
import { budget, counted, isReady, nowhere, pods, readyPods, setReady, still, until, withoutNamespace } from '../stage.ts';

type Spec = Readonly<Record<string, unknown>>;

const replicaSet = (name: string, replicas: number): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web', set: name } },
    template: {
      metadata: { labels: { app: 'web', set: name } },
      spec: { ...nowhere.spec, containers: [{ name: 'app', image: 'app' }] },
    },
  },
});

/** A ReplicaSet whose pods no kubelet touches; the first `healthy` of them are Ready. */
async function owned(c: Subject, name: string, replicas: number, healthy = replicas): Promise<readonly string[]> {
  await c.make(replicaSet(name, replicas));
  const seen = await pods(c, `set=${name}`, replicas, () => true);
  const podNames = seen.map((object) => text(object, 'metadata.name'));
  for (const pod of podNames.slice(0, healthy)) await setReady(c, pod);
  return podNames;
}

const numbers = (status: unknown) =>
  pick(status, 'expectedPods', 'currentHealthy', 'desiredHealthy', 'disruptionsAllowed', 'observedGeneration');
const allowed = (status: unknown) => pick(at(status, 'conditions[type=DisruptionAllowed]'), 'status', 'reason', 'message');

/** [spec, replicas, healthy]: what the budget counts. */
const arithmetic: readonly (readonly [Spec, number, number])[] = [
  [{ minAvailable: '50%' }, 3, 3],
  [{ minAvailable: '1%' }, 3, 3],
  [{ minAvailable: '100%' }, 3, 3],
  [{ minAvailable: '0%' }, 3, 3],
  [{ minAvailable: 2 }, 3, 3],
  [{ minAvailable: 5 }, 3, 3],
  [{ maxUnavailable: 0 }, 3, 3],
  [{ maxUnavailable: 1 }, 3, 2],
  [{ maxUnavailable: '34%' }, 3, 3],
  [{ maxUnavailable: '33%' }, 3, 3],
  [{ maxUnavailable: '0%' }, 3, 3],
  [{ maxUnavailable: '100%' }, 3, 1],
  [{ maxUnavailable: 5 }, 3, 3],
];

const sums: readonly Case[] = arithmetic.map(([spec, replicas, healthy]) => ({
  name: `${JSON.stringify(spec)} over ${replicas} replicas with ${healthy} healthy`,
  async run(c) {
    await owned(c, 'web', replicas, healthy);
    await c.make(budget(spec));
    const status = await counted(c, { currentHealthy: healthy, expectedPods: replicas });
    return { ...numbers(status), condition: allowed(status) };
  },
}));

export const budgets: readonly Case[] = [
  ...sums,
  {
    name: 'a budget without pods allows nothing, with the reason',
    async run(c) {
      await c.make(budget({ minAvailable: 0 }));
      const status = await counted(c, { expectedPods: 0 });
      return { ...numbers(status), condition: allowed(status) };
    },
  },
  {
    name: 'an integer minAvailable counts pods without an owner',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await c.make(budget({ minAvailable: 1 }));
      return numbers(await counted(c, { currentHealthy: 2 }));
    },
  },
  ...[{ maxUnavailable: 1 }, { minAvailable: '50%' }].map(
    (spec): Case => ({
      name: `${JSON.stringify(spec)} does not count a pod without an owner, and refuses it`,
      async run(c) {
        await readyPods(c, 'a');
        await c.make(budget(spec));
        const seen = await until(
          c,
          'poddisruptionbudgets',
          'web',
          'to be counted',
          (object) => allowed(at(object, 'status'))['reason'] !== undefined,
        );
        const status = at(seen, 'status');
        return { ...numbers(status), condition: allowed(status), eviction: said(await c.evict('a')) };
      },
    }),
  ),
  {
    name: 'a pod that its ReplicaSet let go of is counted by maxUnavailable on top of the replicas',
    async run(c) {
      const [first = ''] = await owned(c, 'web', 3);
      await c.make(budget({ maxUnavailable: 0 }));
      const before = numbers(await counted(c, { currentHealthy: 3 }));
      must(await c.patch('pods', first, { metadata: { labels: { set: null } } }));
      const replaced = await pods(c, 'set=web', 3, () => true);
      const fresh = replaced.find((object) => !isReady(object));
      const between = numbers(await counted(c, { expectedPods: 3, currentHealthy: 3 }));
      await setReady(c, text(fresh, 'metadata.name'));
      const after = numbers(await counted(c, { currentHealthy: 4 }));
      return { before, between, after, eviction: said(await c.evict(first)) };
    },
  },
  {
    name: 'several owners under one budget are summed',
    async run(c) {
      await owned(c, 'one', 2);
      await owned(c, 'two', 3);
      await c.make(budget({ maxUnavailable: '50%' }));
      return numbers(await counted(c, { currentHealthy: 5 }));
    },
  },
  {
    name: 'replicas that are not there yet count as expected',
    async run(c) {
      await owned(c, 'web', 2);
      await c.make(budget({ maxUnavailable: 1 }));
      await counted(c, { currentHealthy: 2 });
      must(await c.patch('replicasets', 'web', { spec: { replicas: 4 } }));
      return numbers(await counted(c, { expectedPods: 4 }));
    },
  },
  {
    name: 'scaling down lowers what is desired',
    async run(c) {
      await owned(c, 'web', 4);
      await c.make(budget({ minAvailable: '75%' }));
      const before = numbers(await counted(c, { currentHealthy: 4 }));
      must(await c.patch('replicasets', 'web', { spec: { replicas: 2 } }));
      return { before, after: numbers(await counted(c, { expectedPods: 2, currentHealthy: 2 })) };
    },
  },
  {
    name: 'a pod that is being deleted is not healthy',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 2 });
      must(await c.remove('pods', 'b'));
      return numbers(await counted(c, { currentHealthy: 1 }));
    },
  },
  {
    name: 'a pod that is not Ready is not healthy',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 2 });
      await setReady(c, 'b', false);
      return numbers(await counted(c, { currentHealthy: 1 }));
    },
  },
  {
    name: 'finished pods are expected all the same, and not healthy',
    async run(c) {
      await readyPods(c, 'a', 'b');
      must(
        await c.patch(
          'pods',
          'b/status',
          { status: { phase: 'Succeeded', conditions: [{ type: 'Ready', status: 'False' }] } },
          'strategic',
        ),
      );
      await c.make(budget({ minAvailable: 1 }));
      return numbers(await counted(c, { currentHealthy: 1 }));
    },
  },
  {
    name: 'a pod in disruptedPods is not healthy until it is deleted or two minutes are over',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 2 });
      // charged, and not deleted: what an eviction leaves behind that the server loses half-way
      const disruptedPods = { a: new Date(c.clock.now()).toISOString().replace(/\.\d+/, '') };
      must(await c.patch('poddisruptionbudgets', 'web/status', { status: { disruptedPods } }));
      const status = await counted(c, { currentHealthy: 1 });
      return { ...numbers(status), disrupted: Object.keys(at(status, 'disruptedPods') as object) };
    },
  },
  {
    name: 'a disrupted pod that is gone leaves disruptedPods',
    async run(c) {
      await readyPods(c, 'a', 'b', 'd');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { disruptionsAllowed: 2 });
      must(await c.evict('a', { gracePeriodSeconds: 0 }));
      const seen = await until(c, 'poddisruptionbudgets', 'web', 'to forget', (object) => {
        const left = Object.keys(at(object, 'status.disruptedPods') ?? {});
        return left.length === 0 && at(object, 'status.expectedPods') === 2;
      });
      return numbers(at(seen, 'status'));
    },
  },
  {
    name: 'observedGeneration follows a change of the spec',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await c.make(budget({ minAvailable: 2 }));
      const before = await counted(c, { currentHealthy: 2 });
      must(await c.patch('poddisruptionbudgets', 'web', { spec: { minAvailable: 1 } }));
      return { before: numbers(before), after: numbers(await counted(c, { desiredHealthy: 1 })) };
    },
  },
  {
    name: 'a selector that is changed selects anew',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(still('b', { metadata: { labels: { app: 'other' } } }));
      await setReady(c, 'b');
      await c.make(budget({ minAvailable: 0 }));
      await counted(c, { currentHealthy: 1 });
      must(
        await c.patch('poddisruptionbudgets', 'web', {
          spec: { selector: { matchLabels: null, matchExpressions: [{ key: 'app', operator: 'Exists' }] } },
        }),
      );
      return numbers(await counted(c, { currentHealthy: 2 }));
    },
  },
  {
    name: 'a pod that gets the labels of a budget is counted from then on',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(still('b', { metadata: { labels: { app: 'other' } } }), budget({ minAvailable: 1 }));
      await setReady(c, 'b');
      const before = numbers(await counted(c, { currentHealthy: 1 }));
      must(await c.patch('pods', 'b', { metadata: { labels: { app: 'web' } } }));
      return { before, after: numbers(await counted(c, { currentHealthy: 2 })) };
    },
  },
  {
    name: 'a budget over the pods of a StatefulSet counts its replicas',
    async run(c) {
      const template = { spec: nowhere.spec };
      const set = statefulSet('', 'web', 3, { spec: { podManagementPolicy: 'Parallel', template } });
      await c.make(withoutNamespace(set), budget({ maxUnavailable: 1 }));
      for (const object of await pods(c, 'app=web', 3, () => true)) await setReady(c, text(object, 'metadata.name'));
      return numbers(await counted(c, { currentHealthy: 3, expectedPods: 3 }));
    },
  },
  {
    name: 'a budget over the pods of a Deployment counts its replicas, not those of its ReplicaSets',
    async run(c) {
      const template = { spec: nowhere.spec };
      await c.make(withoutNamespace(deployment('', 'web', 2, { spec: { template } })), budget({ maxUnavailable: '50%' }));
      for (const object of await pods(c, 'app=web', 2, () => true)) await setReady(c, text(object, 'metadata.name'));
      const before = numbers(await counted(c, { currentHealthy: 2, expectedPods: 2 }));
      must(await c.patch('deployments', 'web', { spec: { paused: true } }));
      must(await c.patch('deployments', 'web', { spec: { replicas: 4 } }));
      return { before, after: numbers(await counted(c, { expectedPods: 4 })) };
    },
  },
  {
    name: 'a budget that needs replicas cannot count the pods of a Job, and says so',
    async run(c) {
      await c.make(
        withoutNamespace(job('', 'web', { spec: { template: { spec: nowhere.spec } } })),
        budget({ maxUnavailable: 1 }),
      );
      const [object] = await pods(c, 'app=web', 1, () => true);
      await setReady(c, text(object, 'metadata.name'));
      const seen = await until(
        c,
        'poddisruptionbudgets',
        'web',
        'to fail',
        (each) => allowed(at(each, 'status'))['reason'] === 'SyncFailed',
      );
      const { code } = said(await c.evict(text(object, 'metadata.name')));
      return { ...pick(seen, 'status.disruptionsAllowed'), condition: allowed(at(seen, 'status')), eviction: code };
    },
  },
  {
    name: 'a budget with both minAvailable and maxUnavailable is refused',
    async run(c) {
      const { code, reason, details } = said(
        await c.create('poddisruptionbudgets', budget({ minAvailable: 1, maxUnavailable: 1 })),
      );
      // the message quotes the server's own form of the spec
      const message = text(details, 'causes[0].message').replace(/\{.*\}/, 'SPEC');
      return { code, reason, message, field: at(details, 'causes[0].field') };
    },
  },
  ...[
    ['a negative minAvailable', { minAvailable: -1 }],
    ['more than 100%', { maxUnavailable: '101%' }],
    ['a percentage without its sign', { maxUnavailable: '50' }],
    ['an unknown unhealthyPodEvictionPolicy', { minAvailable: 1, unhealthyPodEvictionPolicy: 'Sometimes' }],
  ].map(
    ([title, spec]): Case => ({
      name: `a budget with ${title as string} is refused`,
      run: async (c) => said(await c.create('poddisruptionbudgets', budget(spec as Spec))),
    }),
  ),
];
