/** The chart on real nodes, from install to uninstall, in a namespace that enforces restricted pods, with the image of this checkout. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { droverImage, writeDroverImage } from '../../beds/drover-image.ts';
import { chartFolder, helm } from '../../beds/helm.ts';
import { toolsArchive, toolsImage } from '../../beds/image.ts';
import { apply, kubectl } from '../../beds/kubectl.ts';
import { appTemplate, deployment, namespace, podDisruptionBudget } from '../../beds/objects.ts';
import { type RealNodes, startRealNodes } from '../../beds/real-nodes.ts';
import { type Cluster, fingerprint, isReady, openCluster, type PodObject } from '../cluster.ts';
import { eventually } from '../eventually.ts';

const NODES = ['node1', 'node2', 'node3'];
const REPLICAS = 3;
const HOME = 'drover-system';
const CONTROLLER = `system:serviceaccount:${HOME}:drover-controller`;
const AGENT = `system:serviceaccount:${HOME}:drover-agent`;
const REBOOTS = 'drover-reboots';
const POLICY = { nodeSelector: { matchLabels: { fleet: 'tried' } }, reasons: [{ type: 'Label', label: { key: 'retire' } }] };

let bed: RealNodes;
let cluster: Cluster;
let folder: string;
let before: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-chart-'));
  bed = await startRealNodes({ nodes: NODES.length, labels: { fleet: 'tried' }, audit: 'Metadata' });
  cluster = openCluster(bed);
  bed.loadImage(writeDroverImage(folder));
  const tools = join(folder, 'tools.tar');
  writeFileSync(tools, toolsArchive());
  bed.loadImage(tools);
  for (const name of NODES) await cluster.quietNode(name);
  await apply(
    bed.kubeconfig,
    namespace(HOME, { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } }),
    namespace('shop'),
    deployment('shop', 'web', REPLICAS, appTemplate({ readyAfterMs: 500 })),
    podDisruptionBudget('shop', 'web', { maxUnavailable: 1 }),
  );
  await cluster.readyPods('shop', REPLICAS);
  before = await inventory();
});

afterAll(async () => {
  await bed?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** "ConfigMap/default/kube-root-ca.crt", of all kinds. Without what comes and goes by itself: events, and the pods of the app. */
async function inventory(): Promise<string[]> {
  const kinds = await kubectl(bed.kubeconfig, 'api-resources', '--verbs=list', '--output=name');
  const listed = kinds.split('\n').filter((kind) => kind !== '' && !kind.startsWith('events'));
  const line = '{range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
  const found = await kubectl(bed.kubeconfig, 'get', listed.join(','), '--all-namespaces', `--output=jsonpath=${line}`);
  return [...new Set(found.split('\n'))].filter((each) => each !== '' && !each.startsWith('Pod/shop/'));
}

async function release(verb: 'install' | 'upgrade', values: object): Promise<void> {
  const file = join(folder, 'values.json');
  writeFileSync(file, JSON.stringify({ image: { ...droverImage, pullPolicy: 'Never' }, ...values }));
  await helm(bed.kubeconfig, verb, 'drover', chartFolder, `--namespace=${HOME}`, `--values=${file}`, '--wait', '--timeout=150s');
}

const podsOf = async (component: string): Promise<PodObject[]> =>
  (await cluster.podsIn(HOME)).filter(
    ({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === component && !metadata.deletionTimestamp,
  );

/** What the API server refused to the accounts of the release for want of a right, as "patch nodes node1". */
async function refusals(): Promise<string[]> {
  const lines = await bed.auditLog();
  return lines
    .filter(({ user, code }) => (user === CONTROLLER || user === AGENT) && (code === 401 || code === 403))
    .map(({ user, verb, uri }) => `${user}: ${verb} ${uri}`);
}

const retire = (name: string, value: string | null) => cluster.patchNode(name, { metadata: { labels: { retire: value } } });

/** From the label to the empty node, and back. */
async function takesOutAndBack(name: string): Promise<void> {
  const untouched = fingerprint(await cluster.node(name));
  await retire(name, 'yes');
  await cluster.phase(name, ['Drained'], 120_000);
  expect((await cluster.podsOn(name)).filter(({ metadata }) => metadata.namespace === 'shop')).toEqual([]);
  await cluster.readyPods('shop', REPLICAS);
  await retire(name, null);
  await cluster.phase(name, ['HandedBack'], 120_000);
  expect(fingerprint(await cluster.node(name))).toBe(untouched);
}

const leader = async () => {
  const lease = await bed.api<{ spec?: { holderIdentity?: string } }>({
    path: `/apis/coordination.k8s.io/v1/namespaces/${HOME}/leases/drover-controller`,
  });
  return lease.spec?.holderIdentity ?? '';
};

it('installs two controllers apart from each other and an agent on every node, none with a right beyond "restricted"', async () => {
  await release('install', { policies: [{ name: 'retired', spec: POLICY }] });
  const controllers = await podsOf('controller');
  expect(controllers.filter(isReady)).toHaveLength(2);
  expect(new Set(controllers.map(({ spec }) => spec.nodeName)).size).toBe(2);
  const agents = await eventually(
    'an agent on every node',
    () => podsOf('agent'),
    (pods) => pods.filter(isReady).length === NODES.length,
  );
  expect(new Set(agents.map(({ spec }) => spec.nodeName))).toEqual(new Set(NODES));
  expect(await leader()).toMatch(/^drover-controller-/);
});

it('drains a node by a policy from the values, under the rights of the chart', async () => {
  await takesOutAndBack('node1');
});

it('holds each agent to its own node', async () => {
  const of = async (name: string) => {
    const { uid } = (await cluster.node(name)).metadata;
    return bed.kubeconfigForServiceAccount(HOME, 'drover-agent', { name, uid });
  };
  const mark = (name: string) => ['annotate', `node/${name}`, 'drover.dev/signals=[]', '--overwrite'];
  const own = await of('node1');
  const refused = kubectl(own, ...mark('node2'), '--dry-run=server');
  await expect(refused).rejects.toThrow('the agent of node node1 may not change node node2');
  expect(await kubectl(own, ...mark('node1'), '--dry-run=server')).toContain('node/node1 annotated');
});

// The pod only has to come up: who reboots the machine is the test.
const rebootPolicy = {
  ...POLICY,
  reasons: [{ type: 'Label', label: { key: 'reboot' } }],
  action: 'Reboot',
  reboot: { image: toolsImage },
  verify: { healthyFor: '1s' },
};

it('goes on after an upgrade that changes settings, policies and the number of replicas', async () => {
  const [first] = (await leader()).split('_');
  await release('upgrade', {
    controller: { replicas: 3, config: { logLevel: 'debug' } },
    reboot: { enabled: true },
    policies: [
      { name: 'retired-too', spec: POLICY },
      { name: 'reboots', spec: rebootPolicy },
    ],
  });
  const controllers = await podsOf('controller');
  expect(controllers.filter(isReady)).toHaveLength(3);
  expect(controllers.map(({ metadata }) => metadata.name)).not.toContain(first);
  await takesOutAndBack('node2');
  expect((await cluster.maintenancesOf('node2'))[0]?.spec.policy).toBe('retired-too');
});

it('reboots a node by a privileged pod in the namespace for that, and every DaemonSet pod is back before the node is', async () => {
  await cluster.patchNode('node3', { metadata: { labels: { reboot: 'yes' } } });
  const [pod] = await eventually(
    'the pod that reboots node3',
    () => cluster.podsIn(REBOOTS),
    (pods) => pods.some(({ status }) => status.phase === 'Running' || status.phase === 'Succeeded'),
    { timeoutMs: 120_000 },
  );
  expect(pod?.spec.nodeName).toBe('node3');
  await bed.nodeReboot(3);
  await cluster.phase('node3', ['HandedBack'], 180_000);
  expect((await podsOf('agent')).filter(isReady)).toHaveLength(NODES.length);
  expect((await cluster.node('node3')).spec.unschedulable).toBeUndefined();
  await cluster.patchNode('node3', { metadata: { labels: { reboot: null } } });
});

it('was refused nothing for want of a right, by its log and by the API server', async () => {
  // The one refusal is the one that the test above asked for.
  const asked = `${AGENT}: patch /api/v1/nodes/node2?dryRun=All`;
  expect((await refusals()).filter((line) => !line.startsWith(asked))).toEqual([]);
  expect(await refusals()).toHaveLength(1);
  const used = await bed.auditLog({ user: CONTROLLER });
  expect(used.some(({ verb, subresource }) => verb === 'create' && subresource === 'eviction')).toBe(true);
  for (const component of ['controller', 'agent']) {
    for (const { metadata } of await podsOf(component)) {
      const log = await kubectl(bed.kubeconfig, 'logs', `--namespace=${HOME}`, metadata.name);
      expect(log).not.toMatch(/forbidden|unauthorized|may not|cannot \w+ resource/i);
    }
  }
});

it('leaves nothing behind when it is removed, but the CRDs and the records of what was done', async () => {
  await helm(bed.kubeconfig, 'uninstall', 'drover', `--namespace=${HOME}`, '--wait', '--timeout=120s');
  const isKept = (each: string) => /^(CustomResourceDefinition|APIService|NodeMaintenance)\/\//.test(each);
  const left = await eventually(
    'everything to be gone',
    async () => (await inventory()).filter((each) => !before.includes(each)),
    (lines) => lines.every(isKept),
    { timeoutMs: 90_000 },
  );
  expect(left.filter((each) => each.startsWith('CustomResourceDefinition/')).map((each) => each.split('/').at(-1))).toEqual([
    'maintenancepolicies.drover.dev',
    'nodemaintenances.drover.dev',
  ]);
  const annotations = await Promise.all(NODES.map(async (name) => (await cluster.node(name)).metadata.annotations ?? {}));
  expect(annotations.flatMap((of) => Object.keys(of)).filter((key) => key.startsWith('drover.dev/maintenance'))).toEqual([]);
});
