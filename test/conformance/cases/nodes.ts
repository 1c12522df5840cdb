/** Nodes: taints by condition, taint eviction, what happens to the pods of one that is gone. */
import type { Case, Subject } from '../case.ts';
import { at, by, items, must, pick } from '../look.ts';
import { deserted, setReady, still, until } from '../stage.ts';

const taintsOf = (object: unknown) =>
  ((at(object, 'spec.taints') ?? []) as object[]).map((taint) => pick(taint, 'key', 'value', 'effect'));

const setCondition = (c: Subject, name: string, status: string) =>
  c.patch(
    'nodes',
    `${name}/status`,
    {
      status: {
        conditions: [
          {
            type: 'Ready',
            status,
            reason: 'Conformance',
            message: 'set by the case',
            lastHeartbeatTime: new Date(c.clock.now()).toISOString(),
            lastTransitionTime: new Date(c.clock.now()).toISOString(),
          },
        ],
      },
    },
    'strategic',
  );

const has = (key: string) => (object: unknown) =>
  taintsOf(object).some((taint) => at(taint, 'key') === `node.kubernetes.io/${key}`);

/** Against new pods and against those that run: two controllers set them, one after the other. */
const tainted = (key: string) => (object: unknown) =>
  taintsOf(object).filter((taint) => at(taint, 'key') === `node.kubernetes.io/${key}`).length === 2;

/** As `ready`, beside a node that stays well: where no node is, none is tainted, since the control plane may be what is cut off. */
async function readyBesideAnother(c: Subject): Promise<string> {
  await c.nodes({});
  return ready(c, 'x');
}

/** Ready by the case's own hand. */
async function ready(c: Subject, name: string): Promise<string> {
  const full = `${c.namespace}-${name}`;
  await c.make(deserted(full));
  must(await setCondition(c, full, 'True'));
  await until(c, 'nodes', full, 'to lose its taint', (object) => !has('not-ready')(object));
  return full;
}

const on = (nodeName: string, name: string, spec: object = {}) => still(name, { spec: { nodeName, ...spec } });
const tolerates = (tolerationSeconds?: number) => ({
  tolerations: [
    { key: 'gone', operator: 'Exists', effect: 'NoExecute', ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }) },
  ],
});
const deleted = (object: unknown) => at(object, 'metadata.deletionTimestamp') !== undefined;

export const nodes: readonly Case[] = [
  {
    name: 'a cordon brings the taint unschedulable, an uncordon takes it',
    async run(c) {
      const name = await ready(c, 'x');
      must(await c.patch('nodes', name, { spec: { unschedulable: true } }));
      const cordoned = await until(c, 'nodes', name, 'to be tainted', has('unschedulable'));
      must(await c.patch('nodes', name, { spec: { unschedulable: false } }));
      const open = await until(c, 'nodes', name, 'to lose the taint', (object) => !has('unschedulable')(object));
      return { cordoned: taintsOf(cordoned), open: taintsOf(open), kept: pick(open, 'spec.unschedulable') };
    },
  },
  {
    name: 'a node that is not ready is tainted, first against new pods, then against those that run',
    async run(c) {
      const name = await readyBesideAnother(c);
      must(await setCondition(c, name, 'False'));
      const first = await until(c, 'nodes', name, 'to be tainted', tainted('not-ready'));
      must(await setCondition(c, name, 'True'));
      const after = await until(c, 'nodes', name, 'to be clean', (object) => taintsOf(object).length === 0);
      return { first: taintsOf(first).sort(by('effect')), after: taintsOf(after) };
    },
  },
  {
    name: 'a node whose state is unknown is tainted unreachable',
    async run(c) {
      const name = await readyBesideAnother(c);
      must(await setCondition(c, name, 'Unknown'));
      const seen = await until(c, 'nodes', name, 'to be tainted', tainted('unreachable'));
      return taintsOf(seen).sort(by('effect'));
    },
  },
  {
    name: 'pressure on a node brings its taint',
    async run(c) {
      const name = await ready(c, 'x');
      must(
        await c.patch(
          'nodes',
          `${name}/status`,
          {
            status: {
              conditions: [
                { type: 'MemoryPressure', status: 'True' },
                { type: 'DiskPressure', status: 'True' },
              ],
            },
          },
          'strategic',
        ),
      );
      const seen = await until(
        c,
        'nodes',
        name,
        'to be tainted',
        (object) => has('memory-pressure')(object) && has('disk-pressure')(object),
      );
      return taintsOf(seen).sort(by('key'));
    },
  },
  {
    name: 'a kubelet that calls its node not ready keeps the word over its pods',
    async run(c) {
      const name = await readyBesideAnother(c);
      await c.make(on(name, 'a'));
      await setReady(c, 'a');
      must(await setCondition(c, name, 'False'));
      await until(c, 'nodes', name, 'to be tainted', tainted('not-ready'));
      return pick(must(await c.get('pods', 'a')), 'status.phase', 'status.conditions[type=Ready].status');
    },
  },
  {
    name: 'a node that nothing is heard of becomes unknown, and its pods are taken for not ready',
    slow: true,
    async run(c) {
      const name = await readyBesideAnother(c);
      await c.make(on(name, 'a'));
      await setReady(c, 'a');
      const seen = await c.eventually(
        'the node to be tainted',
        async () => must(await c.get('nodes', name)),
        tainted('unreachable'),
        90,
      );
      const pod = await until(
        c,
        'pods',
        'a',
        'to be unready',
        (object) => at(object, 'status.conditions[type=Ready].status') === 'False',
      );
      return {
        conditions: (at(seen, 'status.conditions') as object[]).map((each) => pick(each, 'type', 'status', 'reason', 'message')),
        taints: taintsOf(seen).sort(by('effect')),
        pod: pick(pod, 'status.phase', 'status.conditions[type=Ready].status', 'status.conditions[type=Ready].reason'),
      };
    },
  },
  {
    name: 'a NoExecute taint deletes the pods that do not tolerate it, and marks them',
    async run(c) {
      const name = await ready(c, 'x');
      await c.make(on(name, 'a'), on(name, 'b', tolerates()));
      must(await c.patch('nodes', name, { spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] } }));
      const seen = await until(c, 'pods', 'a', 'to be deleted', deleted);
      return {
        pod: pick(
          seen,
          'status.conditions[type=DisruptionTarget].status',
          'status.conditions[type=DisruptionTarget].reason',
          'status.conditions[type=DisruptionTarget].message',
          'metadata.deletionGracePeriodSeconds',
        ),
        tolerating: deleted(must(await c.get('pods', 'b'))),
      };
    },
  },
  {
    name: 'tolerationSeconds put a deletion off, and a taint that goes in time prevents it',
    async run(c) {
      const [name, other] = [await ready(c, 'x'), await ready(c, 'y')];
      await c.make(on(name, 'a', tolerates(2)), on(other, 'b', tolerates(2)));
      for (const each of [name, other])
        must(await c.patch('nodes', each, { spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] } }));
      await c.clock.sleep(500);
      const early = [deleted(must(await c.get('pods', 'a'))), deleted(must(await c.get('pods', 'b')))];
      must(await c.patch('nodes', other, { spec: { taints: null } }));
      await until(c, 'pods', 'a', 'to be deleted', deleted);
      await c.clock.sleep(2000);
      return { early, saved: !deleted(must(await c.get('pods', 'b'))) };
    },
  },
  {
    name: 'the shortest of several tolerations counts',
    async run(c) {
      const name = await ready(c, 'x');
      const tolerations = [...tolerates(1).tolerations, ...tolerates(3600).tolerations];
      await c.make(on(name, 'a', { tolerations }));
      must(await c.patch('nodes', name, { spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] } }));
      await until(c, 'pods', 'a', 'to be deleted', deleted);
      return 'deleted';
    },
  },
  {
    name: 'a pod that comes to a node with a NoExecute taint is deleted there too',
    async run(c) {
      const name = await ready(c, 'x');
      must(await c.patch('nodes', name, { spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] } }));
      await c.make(on(name, 'a'));
      await until(c, 'pods', 'a', 'to be deleted', deleted);
      return 'deleted';
    },
  },
  {
    name: 'the pods of a node that is removed are collected after a while, and marked',
    slow: true,
    async run(c) {
      const name = await ready(c, 'x');
      await c.make(on(name, 'a'), on(name, 'held', { terminationGracePeriodSeconds: 1 }));
      must(await c.patch('pods', 'held', { metadata: { finalizers: ['conformance.drover.dev/hold'] } }));
      must(await c.patch('pods', 'held/status', { status: { phase: 'Running' } }));
      must(await c.remove('nodes', name));
      await c.eventually(
        'a to be collected',
        async () => (await c.get('pods', 'a')).code,
        (code) => code === 404,
        120,
      );
      const held = await until(c, 'pods', 'held', 'to be deleted', deleted);
      must(await c.patch('pods', 'held', { metadata: { finalizers: null } }));
      return {
        ...pick(
          held,
          'status.phase',
          'status.conditions[type=DisruptionTarget].status',
          'status.conditions[type=DisruptionTarget].reason',
          'status.conditions[type=DisruptionTarget].message',
        ),
      };
    },
  },
  {
    name: 'the out-of-service taint frees the terminating pods of a node that is down',
    slow: true,
    async run(c) {
      const name = await readyBesideAnother(c);
      await c.make(on(name, 'a'), on(name, 'b'));
      must(await setCondition(c, name, 'Unknown'));
      await until(c, 'nodes', name, 'to be tainted', tainted('unreachable'));
      must(await c.remove('pods', 'a'));
      const before = deleted(must(await c.get('pods', 'a')));
      const taint = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' };
      const kept = (at(must(await c.get('nodes', name)), 'spec.taints') ?? []) as object[];
      must(await c.patch('nodes', name, { spec: { taints: [...kept, taint] } }));
      await c.eventually(
        'both to go',
        async () => items(await c.list('pods')).length,
        (count) => count === 0,
        90,
      );
      return { before, gone: true };
    },
  },
  {
    name: 'what others write into the status of a node stays beside what its kubelet writes',
    async run(c) {
      const [name = ''] = await c.nodes({});
      must(
        await c.patch(
          'nodes',
          `${name}/status`,
          { status: { conditions: [{ type: 'Drained', status: 'True', reason: 'Conformance' }] } },
          'strategic',
        ),
      );
      await c.clock.sleep(1000);
      const seen = must(await c.get('nodes', name));
      return pick(seen, 'status.conditions[type=Drained].status', 'status.conditions[type=Ready].status');
    },
  },
];
