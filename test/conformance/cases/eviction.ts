/** What the eviction subresource answers, and what it writes. */
import type { Case, Subject } from '../case.ts';
import { answered, at, must, pick, said } from '../look.ts';
import { budget, counted, nowhere, readyPods, setPhase, setReady, still } from '../stage.ts';

const budgetNow = async (cluster: Subject) => {
  const status = at(must(await cluster.get('poddisruptionbudgets', 'web')), 'status');
  return { allowed: at(status, 'disruptionsAllowed'), disrupted: Object.keys(at(status, 'disruptedPods') ?? {}) };
};

const podNow = async (cluster: Subject, name: string) => {
  const { code, body } = await cluster.get('pods', name);
  const target = at(body, 'status.conditions[type=DisruptionTarget]');
  return {
    code,
    deleted: at(body, 'metadata.deletionTimestamp') !== undefined,
    ...pick(body, 'metadata.deletionGracePeriodSeconds'),
    ...(target === undefined ? {} : { target: pick(target, 'status', 'reason', 'message') }),
  };
};

const spread = { observedGeneration: 1, expectedPods: 1, currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 };

export const eviction: readonly Case[] = [
  {
    name: 'an accepted eviction answers 201 with a Success, and marks and deletes the pod in one go',
    async run(c) {
      await readyPods(c, 'a');
      const answer = await c.evict('a');
      return { answer: answer.body, code: answer.code, pod: await podNow(c, 'a') };
    },
  },
  {
    name: 'the policy/v1beta1 body is accepted as well',
    async run(c) {
      await readyPods(c, 'a');
      const body = { apiVersion: 'policy/v1beta1', kind: 'Eviction', metadata: { name: 'a', namespace: c.namespace } };
      return said(await c.send({ method: 'POST', path: `${c.collection('pods')}/a/eviction`, body }));
    },
  },
  {
    name: 'an eviction of a pod that is not there is 404',
    run: async (c) => said(await c.evict('none')),
  },
  {
    name: 'an eviction whose body names another pod is refused',
    async run(c) {
      await readyPods(c, 'a');
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'b', namespace: c.namespace } };
      return said(await c.send({ method: 'POST', path: `${c.collection('pods')}/a/eviction`, body }));
    },
  },
  {
    name: 'a uid that differs is a conflict, and the budget is charged all the same',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { disruptionsAllowed: 1 });
      const answer = said(await c.evict('a', { preconditions: { uid: '11111111-2222-3333-4444-555555555555' } }));
      return { answer, budget: await budgetNow(c), pod: await podNow(c, 'a') };
    },
  },
  {
    name: 'a uid that differs without a budget is a conflict',
    async run(c) {
      await readyPods(c, 'a');
      return said(await c.evict('a', { preconditions: { uid: '11111111-2222-3333-4444-555555555555' } }));
    },
  },
  {
    name: 'a resource version that differs is a conflict',
    async run(c) {
      await readyPods(c, 'a');
      const { code, reason } = said(await c.evict('a', { preconditions: { resourceVersion: '1' } }));
      return { code, reason, pod: await podNow(c, 'a') };
    },
  },
  {
    name: 'a uid that fits is accepted',
    async run(c) {
      await readyPods(c, 'a');
      const uid = at((await c.get('pods', 'a')).body, 'metadata.uid');
      return said(await c.evict('a', { preconditions: { uid } }));
    },
  },
  {
    name: 'a uid that differs on a Pending pod is a conflict',
    slow: true,
    async run(c) {
      await c.make(still('a'));
      return said(await c.evict('a', { preconditions: { uid: '11111111-2222-3333-4444-555555555555' } }));
    },
  },
  {
    name: 'a budget with nothing left refuses with 429, its cause and no Retry-After',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 1, desiredHealthy: 1 });
      return { answer: said(await c.evict('a')), budget: await budgetNow(c), pod: await podNow(c, 'a') };
    },
  },
  {
    name: 'a budget that still counts too few healthy pods says how many it has',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(budget({ minAvailable: 3 }));
      await counted(c, { currentHealthy: 1, desiredHealthy: 3 });
      return said(await c.evict('a'));
    },
  },
  {
    name: 'an accepted eviction charges its budget at once',
    async run(c) {
      await readyPods(c, 'a', 'b', 'd');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { disruptionsAllowed: 2 });
      const answer = said(await c.evict('a'));
      // whose name it is charged with goes as soon as the controller has seen the deletion
      return { answer, allowed: (await budgetNow(c)).allowed };
    },
  },
  {
    name: 'the budget counts the evicted pod out, and refuses the next',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { disruptionsAllowed: 1 });
      const first = said(await c.evict('a'));
      await counted(c, { currentHealthy: 1, disruptionsAllowed: 0 });
      return { first, second: said(await c.evict('b')) };
    },
  },
  {
    name: 'of many evictions at once exactly as many are accepted as the budget allows',
    async run(c) {
      const all = ['a', 'b', 'd', 'e', 'f', 'g'];
      await readyPods(c, ...all);
      await c.make(budget({ minAvailable: 4 }));
      await counted(c, { disruptionsAllowed: 2 });
      const answers = await Promise.all(all.map((name) => c.evict(name)));
      const left = await counted(c, { currentHealthy: 4, disruptionsAllowed: 0 });
      return { codes: answers.map(({ code }) => code).sort((a, b) => a - b), left: pick(left, 'currentHealthy') };
    },
  },
  {
    name: 'a budget of other pods does not matter',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(still('b', { metadata: { labels: { app: 'other' } } }));
      await setReady(c, 'b');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 1 });
      return said(await c.evict('b'));
    },
  },
  {
    name: 'a budget that is deleted holds nobody any more',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 1 });
      const held = said(await c.evict('a'))['code'];
      must(await c.remove('poddisruptionbudgets', 'web'));
      return { held, free: said(await c.evict('a')) };
    },
  },
  {
    name: 'a budget whose status is behind its generation refuses with Retry-After 10',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(budget({ minAvailable: 0 }));
      await counted(c, { currentHealthy: 1, disruptionsAllowed: 1 });
      // a generation that no controller can have seen
      const status = { ...spread, disruptionsAllowed: 1, observedGeneration: 0 };
      const path = `${c.collection('poddisruptionbudgets')}/web/status`;
      const write = () => c.send({ method: 'PATCH', path, body: { status }, contentType: 'application/merge-patch+json' });
      // the controller puts it right within milliseconds: asked again until the race is won
      return c.eventually(
        'an eviction between the two',
        async () => {
          const [, answer] = await Promise.all([write(), c.evict('a', undefined, { dryRun: 'All' })]);
          return said(answer);
        },
        ({ code }) => code === 429,
      );
    },
  },
  {
    name: 'a budget that no controller has counted yet refuses with Retry-After 10',
    async run(c) {
      await readyPods(c, 'a');
      return c.eventually(
        'an eviction before the first count',
        async () => {
          await c.remove('poddisruptionbudgets', 'web');
          const [, answer] = await Promise.all([
            c.create('poddisruptionbudgets', budget({ minAvailable: 0 })),
            c.evict('a', undefined, { dryRun: 'All' }),
          ]);
          return said(answer);
        },
        ({ code }) => code === 429,
      );
    },
  },
  {
    name: 'a dry run asks the budget and charges nothing',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { disruptionsAllowed: 1 });
      const dry = { dryRun: 'All' };
      const answers = [await c.evict('a', undefined, dry), await c.evict('b', undefined, dry)].map(said);
      return { answers, budget: await budgetNow(c), pod: await podNow(c, 'a') };
    },
  },
  {
    name: 'dryRun in the delete options counts as well',
    async run(c) {
      await readyPods(c, 'a');
      return { answer: said(await c.evict('a', { dryRun: ['All'] })), pod: await podNow(c, 'a') };
    },
  },
  {
    name: 'a dry run is refused as the real one would be',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 1 });
      return said(await c.evict('a', undefined, { dryRun: 'All' }));
    },
  },
  ...['Pending', 'Succeeded', 'Failed'].map((phase) => ({
    name: `a pod that is ${phase} leaves past a budget with nothing left, and does not charge it`,
    async run(c: Subject) {
      await c.make(still('a'));
      await setPhase(c, 'a', phase);
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 0 });
      return { answer: said(await c.evict('a')), budget: await budgetNow(c) };
    },
  })),
  {
    name: 'a pod that is terminating already is not asked of the budget again',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 1 });
      must(await c.remove('pods', 'a'));
      return { answer: said(await c.evict('a')), pod: await podNow(c, 'a') };
    },
  },
  {
    name: 'a second eviction with a shorter grace shortens it, and one with a longer grace does not lengthen it',
    async run(c) {
      await readyPods(c, 'a');
      const seen = [];
      for (const gracePeriodSeconds of [20, 5, 60]) {
        seen.push({ answer: said(await c.evict('a', { gracePeriodSeconds })), pod: await podNow(c, 'a') });
      }
      return seen;
    },
  },
  {
    name: 'an eviction with grace 0 removes the pod at once',
    async run(c) {
      await readyPods(c, 'a');
      return { answer: said(await c.evict('a', { gracePeriodSeconds: 0 })), pod: await podNow(c, 'a') };
    },
  },
  {
    name: 'an eviction of a pod that is bound to no node removes it at once',
    async run(c) {
      await c.make(still('a', { spec: { nodeName: '', nodeSelector: { case: 'none' } } }));
      return { answer: said(await c.evict('a')), pod: await podNow(c, 'a') };
    },
  },
  {
    name: 'two budgets on one pod are a 500 without a reason',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(budget({ minAvailable: 0 }), budget({ minAvailable: 0 }, { metadata: { name: 'second' } }));
      await counted(c, { currentHealthy: 1 }, 'web');
      return { answer: said(await c.evict('a')), pod: await podNow(c, 'a') };
    },
  },
  {
    name: 'two budgets do not matter to a pod that is Pending',
    async run(c) {
      await c.make(still('a'), budget({ minAvailable: 0 }), budget({ minAvailable: 0 }, { metadata: { name: 'second' } }));
      return said(await c.evict('a'));
    },
  },
  {
    name: 'an unhealthy pod may leave while its budget has enough healthy ones (IfHealthyBudget)',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await setReady(c, 'b', false);
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 });
      return { answer: said(await c.evict('b')), budget: await budgetNow(c), other: said(await c.evict('a')) };
    },
  },
  {
    name: 'an unhealthy pod may not leave while its budget has too few healthy ones (IfHealthyBudget)',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await setReady(c, 'b', false);
      await c.make(budget({ minAvailable: 2 }));
      await counted(c, { currentHealthy: 1, desiredHealthy: 2 });
      return said(await c.evict('b'));
    },
  },
  {
    name: 'an unhealthy pod always may leave under AlwaysAllow, without a charge',
    async run(c) {
      await readyPods(c, 'a', 'b');
      await setReady(c, 'b', false);
      await c.make(budget({ minAvailable: 2, unhealthyPodEvictionPolicy: 'AlwaysAllow' }));
      await counted(c, { currentHealthy: 1, desiredHealthy: 2 });
      return { answer: said(await c.evict('b')), budget: await budgetNow(c), healthy: said(await c.evict('a')) };
    },
  },
  {
    name: 'an unhealthy pod of a budget that desires none is asked like a healthy one',
    async run(c) {
      await readyPods(c, 'a');
      await setReady(c, 'a', false);
      await c.make(budget({ minAvailable: 0 }));
      await counted(c, { currentHealthy: 0, desiredHealthy: 0 });
      return { answer: said(await c.evict('a')), budget: await budgetNow(c) };
    },
  },
  {
    name: 'a budget with an empty selector holds every pod of the namespace',
    async run(c) {
      await readyPods(c, 'a');
      await c.make(budget({ minAvailable: 1, selector: null }, { spec: { selector: {} } }));
      await counted(c, { currentHealthy: 1 });
      return said(await c.evict('a'));
    },
  },
  {
    name: 'a mirror pod is evicted like any other',
    async run(c) {
      await c.make(still('a', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }));
      return answered(await c.evict('a'));
    },
  },
  {
    name: 'an eviction in a namespace that is terminating is forbidden, with the cause',
    async run(c) {
      const held = { metadata: { finalizers: ['conformance.drover.dev/hold'] } };
      await c.make(still('a', held));
      await setReady(c, 'a');
      await c.make(budget({ minAvailable: 1 }));
      must(await c.remove('namespaces', c.namespace));
      const answer = await c.eventually(
        'the namespace to terminate',
        async () => said(await c.evict('a', undefined, { dryRun: 'All' })),
        ({ code }) => code === 403,
      );
      must(await c.patch('pods', 'a', { metadata: { finalizers: null } }));
      return answer;
    },
  },
  {
    name: 'an eviction by GET is not there',
    async run(c) {
      await readyPods(c, 'a');
      return said(await c.get('pods', 'a/eviction'));
    },
  },
  {
    name: 'an evicted pod keeps its finalizers and stays',
    async run(c) {
      await c.make(still('a', { metadata: { finalizers: ['conformance.drover.dev/hold'] } }));
      await setReady(c, 'a');
      const answer = said(await c.evict('a', { gracePeriodSeconds: 0 }));
      const pod = await podNow(c, 'a');
      must(await c.patch('pods', 'a', { metadata: { finalizers: null } }));
      return { answer, pod, after: (await c.get('pods', 'a')).code };
    },
  },
  {
    name: 'a negative number of allowed disruptions is forbidden on the budget',
    async run(c) {
      await c.make(still('a', nowhere));
      await setReady(c, 'a');
      await c.make(budget({ minAvailable: 1 }));
      await counted(c, { currentHealthy: 1 });
      return said(await c.patch('poddisruptionbudgets', 'web/status', { status: { disruptionsAllowed: -1 } }));
    },
  },
];
