/** DaemonSets: a pod on each node that fits, whatever happens to the nodes. */
import { daemonSet } from '../../beds/objects.ts';
import type { Case, Subject } from '../case.ts';
import { at, must, pick, sorted, text } from '../look.ts';
import { life, steps } from '../pod-events.ts';
import { isReady, neverReady, ownerOf, pods, until, withoutNamespace } from '../stage.ts';

type Spec = Readonly<Record<string, unknown>>;

/** The label is the case's own, as its nodes stand among those of others. */
const mark = (c: Subject) => ({ metadata: { labels: { [`agent-${c.namespace}`]: 'yes' } } });

const nodesOf = (seen: readonly unknown[]) => sorted(seen.map((object) => at(object, 'spec.nodeName')));

async function started(c: Subject, count: number, spec: Spec = {}): Promise<readonly unknown[]> {
  const template = { metadata: { labels: { app: 'agent' } }, spec: { nodeSelector: { [`agent-${c.namespace}`]: 'yes' } } };
  await c.make(withoutNamespace(daemonSet('', 'agent', { spec: { template, ...spec } })));
  return pods(c, 'app=agent', count);
}

export const daemonSets: readonly Case[] = [
  {
    name: 'a node that is added gets a pod, one that does not fit any more loses it',
    async run(c) {
      const [first = '', second = ''] = await c.nodes(mark(c), {});
      const before = nodesOf(await started(c, 1));
      const label = (name: string, value: string | null) =>
        c.patch('nodes', name, { metadata: { labels: { [`agent-${c.namespace}`]: value } } });
      must(await label(second, 'yes'));
      const both = nodesOf(await pods(c, 'app=agent', 2));
      must(await label(first, null));
      return { before, both, after: nodesOf(await pods(c, 'app=agent', 1)) };
    },
  },
  {
    name: 'a pod that is deleted comes back on its node, also when that is cordoned',
    async run(c) {
      const [first = ''] = await c.nodes(mark(c));
      const [pod] = await started(c, 1);
      must(await c.patch('nodes', first, { spec: { unschedulable: true } }));
      must(await c.evict(text(pod, 'metadata.name')));
      const uid = at(pod, 'metadata.uid');
      const back = await pods(c, 'app=agent', 1, (object) => isReady(object) && at(object, 'metadata.uid') !== uid);
      return { nodes: nodesOf(back), owner: ownerOf(back[0]) };
    },
  },
  {
    name: 'a pod that has failed is replaced',
    async run(c) {
      await c.nodes(mark(c));
      const [pod] = await started(c, 1);
      const uid = at(pod, 'metadata.uid');
      must(await c.patch('pods', `${text(pod, 'metadata.name')}/status`, { status: { phase: 'Failed' } }));
      const fresh = await pods(c, 'app=agent', 1, (object) => isReady(object) && at(object, 'metadata.uid') !== uid);
      return nodesOf(fresh);
    },
  },
  {
    name: 'an update goes from node to node, each when the one before is ready',
    async run(c) {
      await c.nodes(mark(c), mark(c), mark(c));
      await started(c, 3);
      const isNew = (object: unknown) => at(object, 'spec.containers[0].image') === 'new';
      const change = { spec: { template: { spec: { containers: [{ name: 'app', image: 'new' }] } } } };
      const told = await life(c, steps(6), async () => must(await c.patch('daemonsets', 'agent', change, 'strategic')), isNew);
      return told.map((step) => step.split(' ')[0]);
    },
  },
  {
    name: 'an update stops at the first node whose pod does not get ready',
    async run(c) {
      await c.nodes(mark(c), mark(c), mark(c));
      await started(c, 3);
      must(await c.patch('daemonsets', 'agent', { spec: { template: neverReady } }));
      const seen = await until(
        c,
        'daemonsets',
        'agent',
        'to stand still',
        (object) => at(object, 'status.updatedNumberScheduled') === 1 && at(object, 'status.numberReady') === 2,
      );
      return pick(seen, 'status.desiredNumberScheduled', 'status.numberAvailable', 'status.numberUnavailable');
    },
  },
  {
    name: 'OnDelete changes a pod only when somebody deletes it',
    async run(c) {
      await c.nodes(mark(c), mark(c));
      const [pod] = await started(c, 2, { updateStrategy: { type: 'OnDelete' } });
      const change = { spec: { template: { spec: { containers: [{ name: 'app', image: 'new' }] } } } };
      must(await c.patch('daemonsets', 'agent', change, 'strategic'));
      await until(
        c,
        'daemonsets',
        'agent',
        'to have seen it',
        (object) => at(object, 'status.observedGeneration') === at(object, 'metadata.generation'),
      );
      must(await c.remove('pods', text(pod, 'metadata.name')));
      const uid = at(pod, 'metadata.uid');
      const after = await pods(c, 'app=agent', 2, (object) => isReady(object) && at(object, 'metadata.uid') !== uid);
      return sorted(after.map((object) => at(object, 'spec.containers[0].image')));
    },
  },
  {
    name: "a DaemonSet's status counts its nodes and pods",
    async run(c) {
      await c.nodes(mark(c), mark(c));
      await started(c, 2);
      const seen = await until(
        c,
        'daemonsets',
        'agent',
        'to be available',
        (object) => at(object, 'status.numberAvailable') === 2,
      );
      return at(seen, 'status');
    },
  },
];
