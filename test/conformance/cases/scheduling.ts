/** Where the scheduler puts pods, and what it says when it cannot. */
import { daemonSet, deployment, type KubeObject, merge, pod } from '../../beds/objects.ts';
import type { Case, Subject } from '../case.ts';
import { at, must, pick, sorted, text } from '../look.ts';
import { isReady, pods, slowToStop, until, withoutNamespace } from '../stage.ts';

type Spec = Readonly<Record<string, unknown>>;

/**
 * Only the nodes of this case, by name: then all others are one group in the message, which is cut out of it, as their number is another
 * case's matter.
 */
function onlyHere(nodeNames: readonly string[], object: KubeObject): KubeObject {
  const nodeSelectorTerms = nodeNames.map((name) => ({
    matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }],
  }));
  const spec = { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
  return merge(object, 'template' in (object['spec'] as object) ? { spec: { template: { spec } } } : { spec });
}

const free = (name: string, spec: Spec = {}, labels: Spec = {}) =>
  withoutNamespace(pod('', name, { spec, metadata: { labels } }));

/** "0/N nodes are available: 1 node(s) were unschedulable" without what concerns the nodes of other cases, and without preemption. */
function unschedulable(object: unknown): unknown {
  const { status, reason, message = '' } = (at(object, 'status.conditions[type=PodScheduled]') ?? {}) as Record<string, string>;
  const [own = ''] = message.split(/\.? preemption: |\. not found$/);
  const reasons = own
    .replace(/^0\/\d+ nodes are available: /, '')
    .replace(/\.$/, '')
    .split(/, (?=\d+ )/)
    .filter((each) => !each.includes("didn't satisfy plugin(s) [NodeAffinity]"));
  return { status, reason, reasons };
}

const scheduled = (object: unknown) => at(object, 'status.conditions[type=PodScheduled].status') === 'True';
const failed = (object: unknown) => at(object, 'status.conditions[type=PodScheduled].reason') === 'Unschedulable';

/** Where the pod went: NS-1 ... */
async function placed(c: Subject, name: string): Promise<string> {
  return text(await until(c, 'pods', name, 'to be scheduled', scheduled), 'spec.nodeName');
}

async function refused(c: Subject, name: string): Promise<unknown> {
  return unschedulable(await until(c, 'pods', name, 'to be unschedulable', failed));
}

const taint = (effect: string, key = 'dedicated', value = 'db') => ({ spec: { taints: [{ key, value, effect }] } });
const zone = (name: string) => ({ metadata: { labels: { 'topology.kubernetes.io/zone': name } } });
const cpu = (requests: string) => ({ containers: [{ name: 'app', image: 'app', resources: { requests: { cpu: requests } } }] });
const port = (hostPort: number) => ({ containers: [{ name: 'app', image: 'app', ports: [{ containerPort: 80, hostPort }] }] });
const small = { status: { allocatable: { cpu: '2' }, capacity: { cpu: '2' } } };
const own = (c: Subject) => ({ nodeSelector: { case: c.namespace } });
const level = (more: Spec = {}) => ({
  maxSkew: 1,
  topologyKey: 'topology.kubernetes.io/zone',
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: 'wide' } },
  ...more,
});
const near = (app: string, topologyKey: string) => ({ labelSelector: { matchLabels: { app } }, topologyKey });
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

/** One pod on one node that cannot take it: the message. */
const message = (name: string, nodeOverrides: Spec, spec: Spec, labels: Spec = {}): Case => ({
  name,
  async run(c) {
    const own = await c.nodes(nodeOverrides);
    await c.make(onlyHere(own, free('a', spec, labels)));
    return refused(c, 'a');
  },
});

async function spreadOver(c: Subject, name: string): Promise<readonly unknown[]> {
  const seen = await pods(c, `app=${name}`, 6, scheduled);
  const perNode = new Map<string, number>();
  for (const object of seen) perNode.set(text(object, 'spec.nodeName'), (perNode.get(text(object, 'spec.nodeName')) ?? 0) + 1);
  return sorted([...perNode.values()]);
}

export const scheduling: readonly Case[] = [
  message('a taint that is not tolerated is named', taint('NoSchedule'), {}),
  message('a NoExecute taint keeps new pods away as well', taint('NoExecute'), {}),
  message('a toleration of another value does not help', taint('NoSchedule'), {
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'web', effect: 'NoSchedule' }],
  }),
  message('a toleration of another effect does not help', taint('NoSchedule'), {
    tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }],
  }),
  message('a cordoned node is told as unschedulable', { spec: { unschedulable: true } }, {}),
  message('a node selector that no node has is told', {}, { nodeSelector: { disk: 'fast' } }),
  message('too little CPU is told', small, cpu('3')),
  message(
    'too little CPU and memory are both told',
    { status: { allocatable: { cpu: '2', memory: '1Gi' }, capacity: {} } },
    { containers: [{ name: 'app', image: 'app', resources: { requests: { cpu: '3', memory: '2Gi' } } }] },
  ),
  message(
    'an extended resource that no node has is told',
    {},
    { containers: [{ name: 'app', image: 'app', resources: { limits: { 'example.com/gpu': '1' } } }] },
  ),
  message(
    'an anti-affinity to itself does not keep a pod away, an affinity to nobody does',
    {},
    { affinity: { podAffinity: { [REQUIRED]: [near('nobody', 'kubernetes.io/hostname')] } } },
  ),
  message('too few pods fit a node without places', { status: { allocatable: { pods: '0' }, capacity: {} } }, {}),
  message(
    'a spread over a key that the node has not is told',
    {},
    {
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'a' } } },
      ],
    },
  ),
  message('a claim that is not there is told', {}, { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'none' } }] }),
  {
    name: 'several nodes give several reasons, counted and in order',
    async run(c) {
      const own = await c.nodes(taint('NoSchedule'), taint('NoSchedule'), small, { spec: { unschedulable: true } });
      await c.make(onlyHere(own, free('a', cpu('3'))));
      return refused(c, 'a');
    },
  },
  {
    name: 'a toleration opens a tainted node',
    async run(c) {
      await c.nodes(taint('NoSchedule'));
      const tolerations = [
        [{ key: 'dedicated', operator: 'Equal', value: 'db', effect: 'NoSchedule' }],
        [{ key: 'dedicated', operator: 'Exists' }],
        [{ operator: 'Exists' }],
      ];
      for (const [index, each] of tolerations.entries()) await c.make(free(`a-${index}`, { ...own(c), tolerations: each }));
      return Promise.all(tolerations.map((_, index) => placed(c, `a-${index}`)));
    },
  },
  {
    name: 'a node that is only preferred not to be used is used last',
    async run(c) {
      await c.nodes(taint('PreferNoSchedule'), {});
      for (const name of ['a', 'b']) await c.make(free(name, own(c)));
      return [await placed(c, 'a'), await placed(c, 'b')];
    },
  },
  {
    name: 'a pod waits for a node that is uncordoned, and goes there at once',
    async run(c) {
      const [first = ''] = await c.nodes({ spec: { unschedulable: true } });
      await c.make(onlyHere([first], free('a')));
      const before = await refused(c, 'a');
      must(await c.patch('nodes', first, { spec: { unschedulable: false } }));
      return { before, after: await placed(c, 'a') };
    },
  },
  {
    name: 'a pod waits for room, and takes it when another pod has gone',
    async run(c) {
      const [first = ''] = await c.nodes(small);
      await c.make(onlyHere([first], free('big', cpu('1500m'))));
      await placed(c, 'big');
      await c.make(onlyHere([first], free('a', cpu('1'))));
      const before = await refused(c, 'a');
      must(await c.remove('pods', 'big'));
      return { before, after: await placed(c, 'a') };
    },
  },
  {
    name: 'a pod waits for a node that is not there yet',
    async run(c) {
      await c.make(free('a', own(c)));
      const { status, reason } = (await refused(c, 'a')) as Record<string, string>;
      await c.nodes({});
      return { status, reason, after: await placed(c, 'a') };
    },
  },
  {
    name: 'node affinity knows In, NotIn, Exists, DoesNotExist, Gt and Lt',
    async run(c) {
      const rack = (value: string) => ({ metadata: { labels: { rack: value } } });
      await c.nodes(rack('1'), rack('5'), {});
      const expressions = {
        in: { key: 'rack', operator: 'In', values: ['5'] },
        'not-in': { key: 'rack', operator: 'NotIn', values: ['1', '5'] },
        absent: { key: 'rack', operator: 'DoesNotExist' },
        gt: { key: 'rack', operator: 'Gt', values: ['3'] },
        lt: { key: 'rack', operator: 'Lt', values: ['3'] },
      };
      const seen: Record<string, string> = {};
      for (const [name, expression] of Object.entries(expressions)) {
        const nodeAffinity = { [REQUIRED]: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } };
        await c.make(free(name, { ...own(c), affinity: { nodeAffinity } }));
        seen[name] = await placed(c, name);
      }
      return seen;
    },
  },
  {
    name: 'a preferred node affinity decides between nodes that are otherwise alike',
    async run(c) {
      await c.nodes({}, { metadata: { labels: { disk: 'fast' } } }, {});
      const preference = { matchExpressions: [{ key: 'disk', operator: 'In', values: ['fast'] }] };
      await c.make(free('a', { ...own(c), affinity: { nodeAffinity: { [PREFERRED]: [{ weight: 100, preference }] } } }));
      return placed(c, 'a');
    },
  },
  {
    name: 'the emptier node is taken',
    async run(c) {
      await c.nodes(small, small);
      await c.make(free('big', { nodeName: `${c.namespace}-1`, ...cpu('1500m') }));
      await c.clock.sleep(500);
      await c.make(free('a', { ...own(c), ...cpu('100m') }));
      return placed(c, 'a');
    },
  },
  {
    name: 'required anti-affinity keeps pods of one app on different nodes, and the third waits',
    async run(c) {
      const nodes = await c.nodes({}, {});
      const affinity = { podAntiAffinity: { [REQUIRED]: [near('one', 'kubernetes.io/hostname')] } };
      const where = [];
      for (const name of ['a', 'b']) {
        await c.make(free(name, { ...own(c), affinity }, { app: 'one' }));
        where.push(await placed(c, name));
      }
      await c.make(merge(onlyHere(nodes, free('d', {}, { app: 'one' })), { spec: { affinity } }));
      return { where: where.sort(), third: await refused(c, 'd') };
    },
  },
  {
    name: "a running pod's anti-affinity keeps a newcomer away that has none itself",
    async run(c) {
      const nodes = await c.nodes({});
      await c.make(
        free('a', { ...own(c), affinity: { podAntiAffinity: { [REQUIRED]: [near('two', 'kubernetes.io/hostname')] } } }),
      );
      await placed(c, 'a');
      await c.make(onlyHere(nodes, free('b', {}, { app: 'two' })));
      return refused(c, 'b');
    },
  },
  {
    name: 'pod affinity brings a pod into the zone of another',
    async run(c) {
      await c.nodes(zone(`${c.namespace}-east`), zone(`${c.namespace}-west`), zone(`${c.namespace}-east`));
      await c.make(free('a', { nodeName: `${c.namespace}-2` }, { app: 'one' }));
      await c.clock.sleep(500);
      const affinity = { podAffinity: { [REQUIRED]: [near('one', 'topology.kubernetes.io/zone')] } };
      await c.make(free('b', { ...own(c), affinity }));
      return placed(c, 'b');
    },
  },
  {
    name: 'the first pod of an app with an affinity to itself may go anywhere',
    async run(c) {
      await c.nodes({});
      await c.make(
        free(
          'a',
          { ...own(c), affinity: { podAffinity: { [REQUIRED]: [near('self', 'kubernetes.io/hostname')] } } },
          { app: 'self' },
        ),
      );
      return placed(c, 'a');
    },
  },
  {
    name: 'a hard topology spread keeps zones level',
    async run(c) {
      await c.nodes(zone(`${c.namespace}-a`), zone(`${c.namespace}-b`), zone(`${c.namespace}-d`));
      await c.make(
        c.pin(
          withoutNamespace(deployment('', 'wide', 6, { spec: { template: { spec: { topologySpreadConstraints: [level()] } } } })),
        ),
      );
      return spreadOver(c, 'wide');
    },
  },
  {
    name: 'a hard topology spread refuses what would tip it',
    async run(c) {
      const nodes = await c.nodes(zone(`${c.namespace}-a`), { ...zone(`${c.namespace}-b`), spec: { unschedulable: true } });
      const wide = (name: string) => onlyHere(nodes, free(name, { topologySpreadConstraints: [level()] }, { app: 'wide' }));
      await c.make(wide('a'));
      const first = await placed(c, 'a');
      await c.make(wide('b'));
      return { first, second: await refused(c, 'b') };
    },
  },
  {
    name: 'a hard topology spread with more domains than there are takes one pod in each',
    async run(c) {
      const nodes = await c.nodes(zone(`${c.namespace}-a`), zone(`${c.namespace}-b`));
      const wide = (name: string) =>
        onlyHere(nodes, free(name, { topologySpreadConstraints: [level({ minDomains: 3 })] }, { app: 'wide' }));
      const where = [];
      for (const name of ['a', 'b']) {
        await c.make(wide(name));
        where.push(await placed(c, name));
      }
      await c.make(wide('d'));
      return { where: sorted(where), third: await refused(c, 'd') };
    },
  },
  {
    name: 'replicas without any rule are spread over the nodes by default',
    async run(c) {
      await c.nodes({}, {}, {});
      await c.make(c.pin(withoutNamespace(deployment('', 'plain', 6))));
      return spreadOver(c, 'plain');
    },
  },
  {
    name: 'a host port is there once on a node',
    async run(c) {
      const nodes = await c.nodes({});
      await c.make(onlyHere(nodes, free('a', port(8080))));
      await placed(c, 'a');
      await c.make(onlyHere(nodes, free('b', port(8080))), onlyHere(nodes, free('d', port(8081))));
      return { same: await refused(c, 'b'), other: await placed(c, 'd') };
    },
  },
  {
    name: 'a gated pod is not looked at until its gates are gone',
    async run(c) {
      await c.nodes({});
      await c.make(free('a', { ...own(c), schedulingGates: [{ name: 'example.com/wait' }] }));
      const gated = await until(
        c,
        'pods',
        'a',
        'to be told gated',
        (object) => at(object, 'status.conditions[type=PodScheduled].reason') !== undefined,
      );
      must(await c.patch('pods', 'a', { spec: { schedulingGates: null } }, 'merge'));
      return {
        gated: pick(at(gated, 'status.conditions[type=PodScheduled]'), 'status', 'reason', 'message'),
        after: await placed(c, 'a'),
      };
    },
  },
  {
    name: 'a pod of another scheduler is left alone',
    async run(c) {
      await c.nodes({});
      await c.make(free('a', { ...own(c), schedulerName: 'nobody' }), free('b', own(c)));
      await placed(c, 'b');
      return pick(must(await c.get('pods', 'a')), 'spec.nodeName', 'status');
    },
  },
  {
    name: 'a DaemonSet runs on a cordoned node, and not where a taint is not tolerated',
    async run(c) {
      await c.nodes({ spec: { unschedulable: true } }, {}, taint('NoSchedule'));
      const plain = daemonSet('', 'agent', { spec: { template: { spec: { tolerations: [] } } } });
      await c.make(c.pin(withoutNamespace(plain)));
      const seen = await pods(c, 'app=agent', 2);
      return {
        nodes: seen.map((object) => text(object, 'spec.nodeName')).sort(),
        tolerations: (at(seen[0], 'spec.tolerations') as object[]).map((each) => pick(each, 'key', 'operator', 'effect')),
      };
    },
  },
  {
    name: 'a pod that names its node goes there past cordon and taints',
    async run(c) {
      const [first = ''] = await c.nodes({ spec: { unschedulable: true, taints: [{ key: 'x', effect: 'NoSchedule' }] } });
      await c.make(free('a', { nodeName: first }));
      return pick(
        await until(c, 'pods', 'a', 'to run', (object) => at(object, 'status.phase') === 'Running'),
        'spec.nodeName',
        'status.phase',
      );
    },
  },
  {
    name: 'a pod that is being deleted frees its place only when it is gone',
    async run(c) {
      const [first = ''] = await c.nodes(small);
      await c.make(onlyHere([first], merge(free('old', cpu('1500m')), slowToStop)));
      await until(c, 'pods', 'old', 'to be Ready', isReady);
      must(await c.remove('pods', 'old'));
      await c.make(onlyHere([first], free('a', cpu('1'))));
      const before = await refused(c, 'a');
      must(await c.remove('pods', 'old', { gracePeriodSeconds: 0 }));
      return { before, after: await placed(c, 'a') };
    },
  },
];
