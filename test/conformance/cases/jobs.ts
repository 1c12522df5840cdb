/** Jobs: completion, failure, suspension. */
import { job } from '../../beds/objects.ts';
import type { Case } from '../case.ts';
import { at, items, must, pick, text } from '../look.ts';
import { completesAfter, conditions, isReady, nowhere, ownerOf, pods, until, withoutNamespace } from '../stage.ts';

export const jobs: readonly Case[] = [
  {
    name: 'a Job ends when its pods have',
    async run(c) {
      await c.nodes({});
      const body = job('', 'once', { spec: { completions: 2, parallelism: 2, template: completesAfter(100) } });
      await c.make(c.pin(withoutNamespace(body)));
      const seen = await until(
        c,
        'jobs',
        'once',
        'to be complete',
        (object) => at(object, 'status.conditions[type=Complete].status') === 'True',
      );
      const left = items(await c.list('pods'));
      return {
        ...pick(seen, 'status.succeeded', 'status.failed', 'status.active', 'status.ready'),
        conditions: conditions(seen),
        pods: left.map((object) => ({ ...pick(object, 'status.phase', 'metadata.finalizers'), owner: ownerOf(object) })),
      };
    },
  },
  {
    name: 'a Job makes a new pod for one that failed, until its limit',
    async run(c) {
      const body = job('', 'once', { spec: { backoffLimit: 0, template: { spec: nowhere.spec } } });
      await c.make(withoutNamespace(body));
      const [first] = await pods(c, 'job-name=once', 1, () => true);
      const held = at(first, 'metadata.finalizers');
      must(await c.patch('pods', `${text(first, 'metadata.name')}/status`, { status: { phase: 'Failed' } }));
      const seen = await until(
        c,
        'jobs',
        'once',
        'to fail',
        (object) => at(object, 'status.conditions[type=Failed].status') === 'True',
      );
      return {
        held,
        ...pick(seen, 'status.failed', 'status.active'),
        conditions: conditions(seen),
        message: at(seen, 'status.conditions[type=Failed].message'),
      };
    },
  },
  {
    name: 'a suspended Job has no pods',
    async run(c) {
      await c.make(withoutNamespace(job('', 'once', { spec: { suspend: true, template: { spec: nowhere.spec } } })));
      const seen = await until(
        c,
        'jobs',
        'once',
        'to be suspended',
        (object) => at(object, 'status.conditions[type=Suspended].status') === 'True',
      );
      must(await c.patch('jobs', 'once', { spec: { suspend: false } }));
      const made = await pods(c, 'job-name=once', 1, () => true);
      return { conditions: conditions(seen), labels: Object.keys(at(made[0], 'metadata.labels') as object).sort() };
    },
  },
  {
    name: "an evicted Job's pod is replaced",
    async run(c) {
      await c.nodes({});
      await c.make(c.pin(withoutNamespace(job('', 'once'))));
      const [first] = await pods(c, 'job-name=once', 1);
      must(await c.evict(text(first, 'metadata.name')));
      const fresh = await c.eventually(
        'another pod',
        async () => items(await c.list('pods')),
        (seen) => seen.some((object) => isReady(object) && at(object, 'metadata.uid') !== at(first, 'metadata.uid')),
      );
      const seen = await until(c, 'jobs', 'once', 'to count it', (object) => at(object, 'status.failed') === 1);
      return { fresh: fresh.length > 0, ...pick(seen, 'status.failed') };
    },
  },
];
