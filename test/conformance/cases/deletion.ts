/** Deletion: grace, preconditions, finalizers, dependents. */
import type { Case, Subject } from '../case.ts';
import { answered, at, must, names, pick, said } from '../look.ts';
import { configMap, gone, still, until } from '../stage.ts';

const HOLD = 'conformance.drover.dev/hold';
const held = { metadata: { finalizers: [HOLD] } };

const graceOf = (body: unknown) => pick(body, 'metadata.deletionGracePeriodSeconds', 'metadata.generation');

/** Seconds from now to the deletionTimestamp, as told by the pod itself and its age. */
function secondsLeft(body: unknown): number {
  const [created, deleted] = ['creationTimestamp', 'deletionTimestamp'].map((key) =>
    Date.parse(String(at(body, `metadata.${key}`))),
  );
  return Math.round(((deleted ?? 0) - (created ?? 0)) / 10_000) * 10;
}

async function owned(c: Subject, owner: { kind: string; plural: string; name: string; apiVersion?: string }, more: object = {}) {
  const uid = at(must(await c.get(owner.plural, owner.name)), 'metadata.uid');
  const { kind, name, apiVersion = 'v1' } = owner;
  return { metadata: { ownerReferences: [{ apiVersion, kind, name, uid, ...more }] } };
}

const options = (propagationPolicy: string) => ({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy });
const mapOwner = { kind: 'ConfigMap', plural: 'configmaps', name: 'owner' };

export const deletion: readonly Case[] = [
  {
    name: 'a pod on a node is given its grace',
    async run(c) {
      await c.make(still('a', { spec: { terminationGracePeriodSeconds: 200 } }));
      const answer = await c.remove('pods', 'a');
      return {
        ...answered(answer, 'kind'),
        ...graceOf(answer.body),
        left: secondsLeft(answer.body),
        still: (await c.get('pods', 'a')).code,
      };
    },
  },
  {
    name: 'a pod on no node goes at once, and is the answer',
    async run(c) {
      await c.make(still('a', { spec: { nodeName: '', nodeSelector: { case: 'none' } } }));
      const answer = await c.remove('pods', 'a');
      return { ...answered(answer, 'kind', 'metadata.deletionGracePeriodSeconds'), after: said(await c.get('pods', 'a')) };
    },
  },
  {
    name: 'a finished pod goes at once',
    async run(c) {
      await c.make(still('a'));
      must(await c.patch('pods', 'a/status', { status: { phase: 'Succeeded' } }));
      const answer = await c.remove('pods', 'a');
      return { code: answer.code, after: (await c.get('pods', 'a')).code };
    },
  },
  {
    name: 'grace 0 removes at once',
    async run(c) {
      await c.make(still('a'));
      const answer = await c.remove('pods', 'a', { gracePeriodSeconds: 0 });
      return { ...answered(answer, 'kind', 'metadata.deletionGracePeriodSeconds'), after: (await c.get('pods', 'a')).code };
    },
  },
  {
    name: 'a second deletion shortens the grace and never lengthens it',
    async run(c) {
      await c.make(still('a', { spec: { terminationGracePeriodSeconds: 200 } }));
      const seen = [];
      for (const gracePeriodSeconds of [100, 150, 20, undefined]) {
        const answer = await c.remove('pods', 'a', gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds });
        seen.push({ code: answer.code, ...graceOf(answer.body), left: secondsLeft(answer.body) });
      }
      return seen;
    },
  },
  {
    name: 'a negative grace is taken as 1 s',
    async run(c) {
      await c.make(still('a'));
      const answer = await c.remove('pods', 'a', { gracePeriodSeconds: -5 });
      return answered(answer, 'metadata.deletionGracePeriodSeconds');
    },
  },
  {
    name: 'a grace in the query counts as one in the body',
    async run(c) {
      await c.make(still('a'));
      return answered(await c.remove('pods', 'a', undefined, { gracePeriodSeconds: '7' }), 'metadata.deletionGracePeriodSeconds');
    },
  },
  {
    name: 'a uid that differs is a conflict',
    async run(c) {
      await c.make(configMap('a'));
      const preconditions = { uid: '11111111-2222-3333-4444-555555555555' };
      return { answer: said(await c.remove('configmaps', 'a', { preconditions })), still: (await c.get('configmaps', 'a')).code };
    },
  },
  {
    name: 'a resource version that differs is a conflict',
    async run(c) {
      await c.make(configMap('a'));
      const { code, reason } = said(await c.remove('configmaps', 'a', { preconditions: { resourceVersion: '1' } }));
      return { code, reason };
    },
  },
  {
    name: 'preconditions that fit are no hindrance, and the answer is a Success with the uid',
    async run(c) {
      await c.make(configMap('a'));
      const { uid, resourceVersion } = at(must(await c.get('configmaps', 'a')), 'metadata') as Record<string, string>;
      const answer = await c.remove('configmaps', 'a', { preconditions: { uid, resourceVersion } });
      return { code: answer.code, body: answer.body };
    },
  },
  {
    name: 'what is not there cannot be deleted',
    run: async (c) => said(await c.remove('configmaps', 'none')),
  },
  {
    name: 'a dry run deletes nothing',
    async run(c) {
      await c.make(configMap('a'));
      const answer = said(await c.remove('configmaps', 'a', undefined, { dryRun: 'All' }));
      return { answer, still: (await c.get('configmaps', 'a')).code };
    },
  },
  {
    name: 'a finalizer holds an object until it is taken away',
    async run(c) {
      await c.make(configMap('a', held));
      const first = answered(
        await c.remove('configmaps', 'a'),
        'kind',
        'metadata.deletionGracePeriodSeconds',
        'metadata.finalizers',
      );
      const again = answered(await c.remove('configmaps', 'a'), 'kind');
      const changed = answered(await c.patch('configmaps', 'a', { metadata: { labels: { late: 'yes' } } }), 'metadata.labels');
      const released = answered(await c.patch('configmaps', 'a', { metadata: { finalizers: null } }), 'kind');
      return { first, again, changed, released, after: (await c.get('configmaps', 'a')).code };
    },
  },
  {
    name: 'no finalizer may be added to an object that is being deleted',
    async run(c) {
      await c.make(configMap('a', held));
      must(await c.remove('configmaps', 'a'));
      const answer = said(await c.patch('configmaps', 'a', { metadata: { finalizers: [HOLD, 'conformance.drover.dev/late'] } }));
      must(await c.patch('configmaps', 'a', { metadata: { finalizers: null } }));
      return answer;
    },
  },
  {
    name: 'a pod with a finalizer stays after its grace is over',
    async run(c) {
      await c.make(still('a', held));
      const answer = answered(await c.remove('pods', 'a', { gracePeriodSeconds: 0 }), 'metadata.deletionGracePeriodSeconds');
      const still0 = (await c.get('pods', 'a')).code;
      must(await c.patch('pods', 'a', { metadata: { finalizers: null } }));
      return { answer, still: still0, after: (await c.get('pods', 'a')).code };
    },
  },
  {
    name: 'an unqualified finalizer is refused',
    run: async (c) => said(await c.create('configmaps', configMap('a', { metadata: { finalizers: ['hold'] } }))),
  },
  {
    name: 'dependents follow their owner (Background, the default)',
    async run(c) {
      await c.make(configMap('owner'));
      await c.make(configMap('child', await owned(c, mapOwner)));
      must(await c.remove('configmaps', 'owner'));
      const ownerAfter = (await c.get('configmaps', 'owner')).code;
      await gone(c, 'configmaps', 'child');
      return { ownerAfter };
    },
  },
  {
    name: 'Orphan leaves the dependents without their owner',
    async run(c) {
      await c.make(configMap('owner'));
      await c.make(configMap('child', await owned(c, mapOwner)));
      const answer = answered(await c.remove('configmaps', 'owner', options('Orphan')), 'kind', 'metadata.finalizers');
      await gone(c, 'configmaps', 'owner');
      const child = must(await c.get('configmaps', 'child'));
      return { answer, owners: at(child, 'metadata.ownerReferences') ?? 'none' };
    },
  },
  {
    name: 'Foreground keeps the owner until a dependent that blocks it is gone',
    async run(c) {
      await c.make(configMap('owner'));
      const owner = await owned(c, mapOwner, { blockOwnerDeletion: true });
      await c.make(configMap('child', { metadata: { ...owner.metadata, ...held.metadata } }));
      // the garbage collector must know the dependent before it looks for those that block
      await c.clock.sleep(1000);
      const answer = answered(await c.remove('configmaps', 'owner', options('Foreground')), 'kind', 'metadata.finalizers');
      const child = await until(
        c,
        'configmaps',
        'child',
        'to be deleted',
        (object) => at(object, 'metadata.deletionTimestamp') !== undefined,
      );
      const waits = answered(await c.get('configmaps', 'owner'), 'metadata.finalizers');
      must(await c.patch('configmaps', 'child', { metadata: { finalizers: null } }));
      await gone(c, 'configmaps', 'owner');
      return { answer, child: pick(child, 'metadata.finalizers'), waits };
    },
  },
  {
    name: 'Foreground does not wait for a dependent that does not block',
    async run(c) {
      await c.make(configMap('owner'));
      const owner = await owned(c, mapOwner);
      await c.make(configMap('child', { metadata: { ...owner.metadata, ...held.metadata } }));
      await c.clock.sleep(1000);
      must(await c.remove('configmaps', 'owner', options('Foreground')));
      await gone(c, 'configmaps', 'owner');
      const child = await until(
        c,
        'configmaps',
        'child',
        'to be deleted',
        (object) => at(object, 'metadata.deletionTimestamp') !== undefined,
      );
      must(await c.patch('configmaps', 'child', { metadata: { finalizers: null } }));
      return pick(child, 'metadata.finalizers');
    },
  },
  {
    name: 'an object whose owner is not there is collected',
    async run(c) {
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: '11111111-2222-3333-4444-555555555555' };
      await c.make(configMap('child', { metadata: { ownerReferences: [owner] } }));
      await gone(c, 'configmaps', 'child');
      return 'gone';
    },
  },
  {
    name: 'an object stays while one of its two owners is there',
    async run(c) {
      await c.make(configMap('owner'), configMap('other'));
      const one = await owned(c, mapOwner);
      const two = await owned(c, { ...mapOwner, name: 'other' });
      await c.make(
        configMap('child', { metadata: { ownerReferences: [...one.metadata.ownerReferences, ...two.metadata.ownerReferences] } }),
      );
      must(await c.remove('configmaps', 'owner'));
      const child = await until(
        c,
        'configmaps',
        'child',
        'to lose one',
        (object) => (at(object, 'metadata.ownerReferences') as unknown[]).length === 1,
      );
      return at(child, 'metadata.ownerReferences[].name');
    },
  },
  {
    name: 'a collection is deleted by its selector',
    async run(c) {
      const labelled = (name: string, tier: string) => configMap(name, { metadata: { labels: { tier } } });
      await c.make(labelled('a', 'x'), labelled('b', 'x'), labelled('d', 'y'));
      const answer = await c.send({ method: 'DELETE', path: c.collection('configmaps'), query: { labelSelector: 'tier=x' } });
      const left = names(await c.list('configmaps', { labelSelector: 'tier' }));
      return { code: answer.code, kind: at(answer.body, 'kind'), deleted: at(answer.body, 'items[].metadata.name'), left };
    },
  },
  {
    name: 'orphanDependents together with propagationPolicy is refused',
    async run(c) {
      await c.make(configMap('a'));
      return said(await c.remove('configmaps', 'a', { orphanDependents: true, propagationPolicy: 'Orphan' }));
    },
  },
  {
    name: 'an unknown propagationPolicy is refused',
    async run(c) {
      await c.make(configMap('a'));
      return said(await c.remove('configmaps', 'a', options('Sideways')));
    },
  },
  {
    name: 'a namespace is emptied before it goes, of its pods first, and takes nothing new meanwhile',
    slow: true,
    async run(c) {
      await c.make(configMap('held', held), configMap('free'), still('a'));
      const answer = answered(await c.remove('namespaces', c.namespace), 'kind', 'status.phase', 'spec.finalizers');
      const pod = await until(
        c,
        'pods',
        'a',
        'to be deleted',
        (object) => at(object, 'metadata.deletionTimestamp') !== undefined,
      );
      const refused = said(await c.create('configmaps', configMap('late')));
      const meanwhile = { code: (await c.get('configmaps', 'free')).code, ...pick(pod, 'metadata.deletionGracePeriodSeconds') };
      must(await c.remove('pods', 'a', { gracePeriodSeconds: 0 }));
      // it comes back to its pods after half their grace
      await gone(c, 'configmaps', 'free');
      const waits = await until(
        c,
        'namespaces',
        c.namespace,
        'to say why it waits',
        (object) => at(object, 'status.conditions[type=NamespaceFinalizersRemaining].status') === 'True',
      );
      const conditions = (at(waits, 'status.conditions') as object[]).map((each) =>
        pick(each, 'type', 'status', 'reason', 'message'),
      );
      must(await c.patch('configmaps', 'held', { metadata: { finalizers: null } }));
      await gone(c, 'namespaces', c.namespace);
      return { answer, refused, meanwhile, conditions };
    },
  },
];
