/** Unmodified kubectl of Kubernetes 1.32 against the simulated cluster, verb by verb. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createScaledClock } from '../../../src/lib/clock.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../../../src/sim/cluster.ts';
import { nodes } from '../../../src/sim/apiserver/kinds.ts';
import { type ApiServer, startApiServer } from '../../../src/sim/apiserver/http.ts';
import { programPath } from '../../beds/binaries.ts';

let cluster: SimulatedCluster;
let server: ApiServer;
let folder: string;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Never fails: exit code and both outputs. */
function run(args: readonly string[], input = ''): Promise<Ran> {
  const options = { encoding: 'utf8', timeout: 60_000, env: { ...process.env, HOME: folder } } as const;
  return new Promise((resolve) => {
    const child = execFile(
      programPath('kubectl-1.32'),
      [`--kubeconfig=${join(folder, 'config')}`, `--cache-dir=${join(folder, 'cache')}`, ...args],
      options,
      (error, out, err) => resolve({ code: error ? Number(error.code ?? 1) : 0, out: out.trim(), err: err.trim() }),
    );
    child.stdin?.on('error', () => {}); // EPIPE when kubectl fails before it reads
    child.stdin?.end(input);
  });
}

/** stdout. @throws Error with stderr when kubectl fails */
async function kubectl(...args: string[]): Promise<string> {
  const { code, out, err } = await run(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err}`);
  return out;
}

async function kubectlWith(input: object | readonly object[], ...args: string[]): Promise<string> {
  const objects = Array.isArray(input) ? { apiVersion: 'v1', kind: 'List', items: input } : input;
  const { code, out, err } = await run([...args, '-f', '-'], JSON.stringify(objects));
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err}`);
  return out;
}

const template = (app: string, image = 'shop:1') => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'app', image, ports: [{ containerPort: 8080 }] }] },
});

const deployment = (name: string, replicas: number, image?: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name, image) },
});

const budget = (name: string) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: 'default' },
  spec: { minAvailable: 1, selector: { matchLabels: { app: name } } },
});

function addNode(name: string): void {
  const size = { cpu: '8', memory: '32Gi', pods: '110' };
  cluster.api.create(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'node-role.kubernetes.io/worker': '' } },
    spec: {},
    status: { capacity: size, allocatable: size },
  });
}

/** The cells of each row below the heading. */
const rows = (table: string) =>
  table
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s{2,}/));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-kubectl-'));
  cluster = createSimulatedCluster({ clock: createScaledClock(20), without: ['autoscaler'] });
  server = await startApiServer({ handle: cluster.handle });
  writeFileSync(join(folder, 'config'), server.kubeconfig);
  for (const name of ['n1', 'n2', 'n3']) addNode(name);
  await kubectl('wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=30s');
  await kubectlWith([deployment('shop', 4), budget('shop')], 'apply');
  await kubectl('rollout', 'status', 'deployment/shop', '--timeout=30s');
});

afterAll(async () => {
  await server?.close();
  cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('kubectl get', () => {
  it('prints the table of the server', async () => {
    const [heading] = (await kubectl('get', 'pods')).split('\n');
    expect(heading?.split(/\s+/)).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE']);
    expect(rows(await kubectl('get', 'deployments')).map(([name, ready]) => [name, ready])).toContainEqual(['shop', '4/4']);
  });

  it('-o wide adds columns', async () => {
    expect(await kubectl('get', 'nodes', '-o', 'wide')).toMatch(/INTERNAL-IP .*CONTAINER-RUNTIME/);
    expect(await kubectl('get', 'pods', '-o', 'wide')).toMatch(/IP +NODE +NOMINATED NODE/);
  });

  it('-o yaml, json, jsonpath, name and custom-columns give the object', async () => {
    expect(await kubectl('get', 'deployment', 'shop', '-o', 'yaml')).toMatch(/^apiVersion: apps\/v1\nkind: Deployment\n/);
    expect(JSON.parse(await kubectl('get', 'deployment', 'shop', '-o', 'json')).spec.replicas).toBe(4);
    expect(await kubectl('get', 'deployment', 'shop', '-o', 'jsonpath={.spec.replicas}')).toBe('4');
    expect(await kubectl('get', 'nodes', '-o', 'name')).toBe('node/n1\nnode/n2\nnode/n3');
    expect(await kubectl('get', 'nodes', '-o', 'custom-columns=WHO:.metadata.name')).toBe('WHO\nn1\nn2\nn3');
  });

  it('selects by label and by field, in one namespace and in all', async () => {
    expect(rows(await kubectl('get', 'pods', '-l', 'app in (shop)'))).toHaveLength(4);
    expect(rows(await kubectl('get', 'pods', '-A', '--field-selector', 'spec.nodeName!=none'))[0]?.[0]).toBe('default');
    expect((await run(['get', 'pods', '--field-selector', 'spec.colour=red'])).err).toContain(
      'field label not supported: spec.colour',
    );
  });

  it('-w prints what changes', async () => {
    const watching = run(['get', 'configmaps', '-w', '--request-timeout=3s', '-o', 'name']);
    await expect.poll(async () => (await run(['create', 'configmap', `seen-${Date.now()}`])).code).toBe(0);
    const { out } = await watching;
    expect(out).toContain('configmap/seen-');
  });

  it('all and several kinds at once', async () => {
    const all = await kubectl('get', 'all');
    for (const kind of ['pod/', 'deployment.apps/', 'replicaset.apps/']) expect(all).toContain(kind);
    expect(await kubectl('get', 'nodes,pdb')).toContain('poddisruptionbudget.policy/shop');
  });

  it('says in one line what is not there', async () => {
    expect((await run(['get', 'pod', 'none'])).err).toBe('Error from server (NotFound): pods "none" not found');
    expect((await run(['get', 'unicorns'])).err).toBe(`error: the server doesn't have a resource type "unicorns"`);
  });
});

describe('kubectl describe', () => {
  it('a pod, a node and a deployment', async () => {
    const [pod = ''] = (await kubectl('get', 'pods', '-l', 'app=shop', '-o', 'name')).split('\n');
    expect(await kubectl('describe', pod)).toMatch(/Controlled By: +ReplicaSet\/shop-/);
    const node = await kubectl('describe', 'node', 'n1');
    expect(node).toMatch(/Roles: +worker/);
    expect(node).toMatch(/Ready +True/);
    expect(await kubectl('describe', 'deployment', 'shop')).toMatch(/4 desired \| 4 updated \| 4 total \| 4 available/);
  });
});

describe('kubectl apply', () => {
  it('creates, configures, and finds nothing to do', async () => {
    expect(await kubectlWith(deployment('applied', 1), 'apply')).toBe('deployment.apps/applied created');
    expect(await kubectlWith(deployment('applied', 1), 'apply')).toBe('deployment.apps/applied unchanged');
    expect(await kubectlWith(deployment('applied', 2), 'apply')).toBe('deployment.apps/applied configured');
    expect(await kubectl('get', 'deployment', 'applied', '-o', 'jsonpath={.spec.replicas}')).toBe('2');
  });

  it('--server-side owns fields and tells conflicts', async () => {
    const apply = (replicas: number, manager: string) =>
      run(['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'], JSON.stringify(deployment('owned', replicas)));
    expect((await apply(1, 'one')).out).toBe('deployment.apps/owned serverside-applied');
    const refused = await apply(2, 'two');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('conflict with "one"');
    expect(refused.err).toContain('.spec.replicas');
  });

  it('refuses a field that nobody knows', async () => {
    const { code, err } = await run(
      ['apply', '-f', '-'],
      JSON.stringify({ ...deployment('strange', 1), spec: { ...deployment('strange', 1).spec, colour: 'red' } }),
    );
    expect(code).toBe(1);
    expect(err).toContain('unknown field "spec.colour"');
  });

  it('--dry-run=server keeps nothing', async () => {
    expect(await kubectlWith(deployment('dry', 1), 'apply', '--dry-run=server')).toContain('created (server dry run)');
    expect((await run(['get', 'deployment', 'dry'])).code).toBe(1);
  });
});

describe('kubectl create, patch, label, annotate, taint, scale', () => {
  it('create deployment, namespace, secret and token', async () => {
    expect(await kubectl('create', 'deployment', 'made', '--image=made:1', '--replicas=2')).toBe('deployment.apps/made created');
    expect(await kubectl('create', 'namespace', 'made')).toBe('namespace/made created');
    await kubectl('create', 'secret', 'generic', 'made', '--from-literal=a=b');
    expect(await kubectl('get', 'secret', 'made', '-o', 'jsonpath={.data.a}')).toBe('Yg==');
    await kubectl('create', 'serviceaccount', 'made');
    expect(await kubectl('create', 'token', 'made')).toMatch(/\S+/);
  });

  it('patch in its three types', async () => {
    await kubectl('patch', 'node', 'n3', '-p', '{"metadata":{"labels":{"strategic":"yes"}}}');
    await kubectl('patch', 'node', 'n3', '--type=merge', '-p', '{"metadata":{"labels":{"merge":"yes"}}}');
    await kubectl('patch', 'node', 'n3', '--type=json', '-p', '[{"op":"add","path":"/metadata/labels/json","value":"yes"}]');
    expect(await kubectl('get', 'nodes', '-l', 'strategic,merge,json', '-o', 'name')).toBe('node/n3');
  });

  it('label and annotate, and take it back', async () => {
    expect(await kubectl('label', 'node', 'n3', 'colour=red')).toBe('node/n3 labeled');
    expect((await run(['label', 'node', 'n3', 'colour=blue'])).err).toContain('already has a value');
    await kubectl('label', 'node', 'n3', 'colour-');
    await kubectl('annotate', 'node', 'n3', 'note=this');
    expect(await kubectl('get', 'node', 'n3', '-o', 'jsonpath={.metadata.labels.colour}{.metadata.annotations.note}')).toBe(
      'this',
    );
  });

  it('taint, and take it back', async () => {
    expect(await kubectl('taint', 'node', 'n3', 'out=soon:PreferNoSchedule')).toBe('node/n3 tainted');
    expect(await kubectl('get', 'node', 'n3', '-o', 'jsonpath={.spec.taints[0].key}')).toBe('out');
    expect(await kubectl('taint', 'node', 'n3', 'out-')).toBe('node/n3 untainted');
  });

  it('scale, and wait until it is done', async () => {
    await kubectlWith(deployment('scaled', 1), 'apply');
    expect(await kubectl('scale', 'deployment/scaled', '--replicas=3')).toBe('deployment.apps/scaled scaled');
    await kubectl('wait', '--for=jsonpath={.status.readyReplicas}=3', 'deployment/scaled', '--timeout=30s');
  });
});

describe('kubectl rollout', () => {
  it('status, restart, history and undo', async () => {
    const pods = () => kubectl('get', 'pods', '-l', 'app=rolled', '-o', 'name');
    await kubectlWith(deployment('rolled', 2, 'rolled:1'), 'apply');
    await kubectl('rollout', 'status', 'deployment/rolled', '--timeout=30s');
    const before = await pods();
    await kubectl('rollout', 'restart', 'deployment/rolled');
    await kubectl('rollout', 'status', 'deployment/rolled', '--timeout=30s');
    expect(await pods()).not.toBe(before);
    await kubectl('set', 'image', 'deployment/rolled', 'app=rolled:2');
    await kubectl('rollout', 'status', 'deployment/rolled', '--timeout=30s');
    expect(await kubectl('rollout', 'history', 'deployment/rolled')).toContain('REVISION');
    await kubectl('rollout', 'undo', 'deployment/rolled');
    await kubectl('rollout', 'status', 'deployment/rolled', '--timeout=30s');
    expect(await kubectl('get', 'deployment', 'rolled', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe(
      'rolled:1',
    );
  });
});

describe('kubectl cordon, drain, uncordon', () => {
  it('empty a node through evictions and give it back', async () => {
    const onNode = () => kubectl('get', 'pods', '-A', '--field-selector', 'spec.nodeName=n1', '-o', 'name');
    expect(await kubectl('cordon', 'n1')).toBe('node/n1 cordoned');
    expect(await kubectl('get', 'node', 'n1')).toContain('Ready,SchedulingDisabled');
    const drained = await kubectl('drain', 'n1', '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=60s');
    expect(drained).toContain('node/n1 drained');
    expect(await onNode()).toBe('');
    expect(await kubectl('uncordon', 'n1')).toBe('node/n1 uncordoned');
    await kubectl('rollout', 'status', 'deployment/shop', '--timeout=30s');
  });

  it('drain --dry-run=server evicts nobody', async () => {
    const pods = await kubectl('get', 'pods', '-l', 'app=shop', '-o', 'name');
    expect(await kubectl('drain', 'n2', '--dry-run=server')).toContain('drained (server dry run)');
    expect(await kubectl('get', 'pods', '-l', 'app=shop', '-o', 'name')).toBe(pods);
  });

  it('drain waits where a budget forbids it, and says so', async () => {
    await kubectlWith([deployment('single', 1), budget('single')], 'apply');
    await kubectl('rollout', 'status', 'deployment/single', '--timeout=30s');
    const node = await kubectl('get', 'pods', '-l', 'app=single', '-o', 'jsonpath={.items[0].spec.nodeName}');
    const { code, err } = await run(['drain', node, '--pod-selector=app=single', '--timeout=2s']);
    expect(code).toBe(1);
    expect(err).toContain("Cannot evict pod as it would violate the pod's disruption budget.");
    await kubectl('uncordon', node);
  });
});

describe('kubectl delete', () => {
  it('waits until the object and what it owns are gone', async () => {
    await kubectlWith(deployment('doomed', 1), 'apply');
    await kubectl('rollout', 'status', 'deployment/doomed', '--timeout=30s');
    expect(await kubectl('delete', 'deployment', 'doomed', '--cascade=foreground', '--timeout=30s')).toBe(
      'deployment.apps "doomed" deleted',
    );
    expect(await kubectl('get', 'pods,rs', '-l', 'app=doomed', '-o', 'name')).toBe('');
  });

  it('takes what a selector names, and wait --for=delete sees it go', async () => {
    await kubectlWith([deployment('gone', 2)], 'apply');
    await kubectl('rollout', 'status', 'deployment/gone', '--timeout=30s');
    const [first = ''] = (await kubectl('get', 'pods', '-l', 'app=gone', '-o', 'name')).split('\n');
    await kubectl('delete', 'pods', '-l', 'app=gone', '--wait=false');
    expect((await run(['wait', '--for=delete', first, '--timeout=30s'])).code).toBe(0);
    expect((await run(['get', first])).err).toContain('not found');
  });
});

describe('kubectl logs', () => {
  it('prints what the container wrote, and explains itself', async () => {
    const [pod = ''] = (await kubectl('get', 'pods', '-l', 'app=shop', '-o', 'name')).split('\n');
    expect(await kubectl('logs', pod)).toMatch(/app started$/);
    expect(await kubectl('logs', '--help')).toContain('Print the logs for a container in a pod');
  });
});

describe('kubectl api-resources, api-versions, auth', () => {
  it('tell what is served', async () => {
    const resources = await kubectl('api-resources', '--no-headers');
    for (const kind of ['Pod', 'PodDisruptionBudget', 'EndpointSlice', 'Lease'])
      expect(resources).toMatch(new RegExp(` ${kind}$`, 'm'));
    expect((await kubectl('api-versions')).split('\n')).toContain('policy/v1');
  });

  it('auth can-i says yes to everybody', async () => {
    expect(await kubectl('auth', 'can-i', 'delete', 'nodes')).toBe('yes');
    expect(await kubectl('auth', 'can-i', '--list')).toContain('*.*');
    expect(await kubectl('auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}')).toBe('kubernetes-admin');
  });
});
