import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { apply } from '../../beds/kubectl.ts';
import { deployment } from '../../beds/objects.ts';
import { type Case, setStage } from '../case.ts';
import { type Cluster, fingerprint, openCluster, policyObject } from '../cluster.ts';
import { installResources } from '../controller-process.ts';
import { drover, type Finished, startDrover } from '../drover.ts';

let bed: ControlPlane;
let cluster: Cluster;
let made: Case;

beforeAll(async () => {
  bed = await startControlPlane({
    audit: 'Metadata',
    users: [
      { name: 'viewer', groups: [] },
      { name: 'cordoner', groups: [] },
    ],
  });
  cluster = openCluster(bed);
  made = await setStage(cluster, 'worker', { objects: (ns) => [deployment(ns, 'app', 2)], pods: 2 });
});

afterAll(() => bed?.stop());

/** It failed with exactly this line, and said nothing else. */
function oneLine({ code, stdout, stderr }: Finished, line: string | RegExp): void {
  expect(stderr).toMatch(/^error: [^\n]+\n$/);
  if (typeof line === 'string') expect(stderr).toBe(`error: ${line}\n`);
  else expect(stderr).toMatch(line);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
}

/** Neither the node nor a pod was changed by this user. */
async function changedBy(user: string): Promise<string[]> {
  const lines = await bed.auditLog({ user });
  return lines
    .filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
    .map(({ verb, uri, code }) => `${verb} ${uri} ${code}`);
}

/** Before the resources are installed. */
describe('a cluster without the resources', () => {
  it.each([
    ['pause', 'worker-old'],
    ['resume', 'policy/any'],
    ['cancel', 'worker-old'],
  ])('%s says how to install them', async (...args) => {
    oneLine(
      await drover(bed.kubeconfig, ...args),
      'the cluster has no Drover resources; install them with: drover crds | kubectl apply -f -',
    );
  });

  it('the controller says how to install them, and ends', async () => {
    const { code, stderr } = await drover(
      bed.kubeconfig,
      'controller',
      '--metrics-address=0',
      '--leader-elect=false',
      '--log-format=text',
    );
    expect(code).toBe(1);
    expect(stderr).toContain('error: the cluster has no Drover resources; install them with: drover crds | kubectl apply -f -\n');
  });

  it('status says so beside what it knows', async () => {
    const { code, stdout, stderr } = await drover(bed.kubeconfig, 'status');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'no node is under maintenance\n' });
    expect(stderr).toContain('resources are not installed');
  });
});

describe('names', () => {
  it.each(['drain', 'uncordon', 'why', 'status'])('%s names the node that was probably meant', async (command) => {
    oneLine(await drover(bed.kubeconfig, command, 'worker-odl'), 'there is no node "worker-odl"; did you mean worker-old?');
  });

  it('refuses a node that is like none', async () => {
    oneLine(
      await drover(bed.kubeconfig, 'drain', 'x'.repeat(30)),
      `there is no node "${'x'.repeat(30)}"; see: kubectl get nodes`,
    );
  });

  it('refuses a selector without a node', async () => {
    oneLine(await drover(bed.kubeconfig, 'drain', '-l', 'pool=none'), /no node matches the selector "pool=none"/);
  });

  it('refuses a command line that names nothing, with another exit code', async () => {
    const { code, stderr } = await drover(bed.kubeconfig, 'drain');
    expect(code).toBe(2);
    expect(stderr).toBe('error: no node is named; give one or more names, or a --selector\nsee: drover drain --help\n');
  });
});

const rule = (apiGroups: string[], resources: string[], verbs: string[]) => ({ apiGroups, resources, verbs });
const read = ['get', 'list', 'watch'];
const roleFor = (user: string, rules: object[]) => [
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: user }, rules },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: user },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  },
];

describe('rights', () => {
  it('a user without any is told what is forbidden, by every command', async () => {
    const limited = bed.kubeconfigFor('limited');
    for (const command of [['drain', made.old], ['uncordon', made.old], ['status'], ['why', made.old], ['pause', made.old]]) {
      oneLine(
        await drover(limited, ...command),
        /^error: forbidden \(403\) at https:\/\/127\.0\.0\.1:\d+: .*User "limited" cannot (get|list|watch) resource/,
      );
    }
    expect(await changedBy('limited')).toEqual([]);
  });

  it.each([
    [
      'viewer',
      [],
      /^error: forbidden \(403\) at \S+: nodes "worker-old" is forbidden: User "viewer" cannot patch resource "nodes"/,
    ],
    [
      // Its labels may not be changed either: the handover is done without, so that the eviction is what is told.
      'cordoner',
      [rule([''], ['nodes'], ['patch'])],
      /^error: pods "app-\S+" is forbidden: User "cordoner" cannot create resource "pods\/eviction"/,
    ],
  ])('%s, who may read but not do it all, is told so, and the node is as before', async (user, more, line) => {
    const reads = rule(['', 'policy', 'apps', 'discovery.k8s.io', 'networking.k8s.io', 'storage.k8s.io'], ['*'], read);
    await apply(bed.kubeconfig, ...roleFor(user, [reads, ...more]));
    const before = fingerprint(await cluster.node(made.old));
    const result = await drover(bed.kubeconfigFor(user), 'drain', made.old, '--progress=none');
    // the refusal of the cordon may be told before, as it happens
    const told = result.stderr.replace(/^warning: cannot patch node [^\n]+\n/, '');
    oneLine({ ...result, stderr: told }, line);
    expect(result.stderr).toContain('; no pod has left, and the nodes are as they were before');
    expect(fingerprint(await cluster.node(made.old))).toBe(before);
    expect(await cluster.podsOn(made.old)).toHaveLength(2);
  });
});

describe('ways to the cluster', () => {
  const file = (name: string, content: string) => {
    const path = join(bed.folder, name);
    writeFileSync(path, content);
    return path;
  };

  it('a kubeconfig that is missing', async () => {
    oneLine(await drover('/nonexistent/config', 'status'), /\/nonexistent\/config/);
  });

  it('a kubeconfig that is not YAML', async () => {
    const path = file('broken', 'clusters: [\n  - {');
    oneLine(await drover(path, 'status'), new RegExp(`^error: .*${path}`));
  });

  it('a kubeconfig that leads nowhere', async () => {
    oneLine(await drover(file('empty', '{}'), 'status'), /^error: .*(context|cluster)/);
    oneLine(await drover(bed.kubeconfig, 'status', '--context=other'), /context "?other/);
  });

  it('a server that does not answer', async () => {
    oneLine(
      await drover(bed.kubeconfig, 'status', '--server=https://127.0.0.1:1'),
      'cannot reach https://127.0.0.1:1: connection refused; is the cluster up, and is the right context selected?',
    );
  });

  it('credentials that the server does not know, without showing them', async () => {
    const secret = 'no-token-of-yours';
    const result = await drover(bed.kubeconfig, 'status', `--token=${secret}`);
    oneLine(result, /does not accept the credentials of .*\(401\); log in again/);
    expect(result.stderr).not.toContain(secret);
  });
});

describe('the controller', () => {
  const controller = (kubeconfig: string, ...args: string[]) =>
    drover(kubeconfig, 'controller', '--leader-elect=false', '--log-format=text', ...args);

  it('ends with a line when its port is taken', async () => {
    await installResources(bed);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await controller(bed.kubeconfig, `--metrics-address=127.0.0.1:${port}`);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain(
      `error: cannot listen on 127.0.0.1:${port}: the port is in use; choose another one, or stop what has it\n`,
    );
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('ends with a line when it may not read what it watches', async () => {
    const { code, stderr } = await controller(bed.kubeconfigFor('limited'), '--metrics-address=0');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: forbidden \(403\) at .*User "limited" cannot (list|watch) resource/m);
    expect(stderr).not.toContain('warning');
  });

  it('ends with a line for a setting that it does not know', async () => {
    const path = join(bed.folder, 'controller.yaml');
    writeFileSync(path, 'leaderElect: false\nmetricAddress: ":1"\n');
    oneLine(
      await drover(bed.kubeconfig, 'controller', `--config=${path}`),
      /metricAddress: is not a known setting; known are leaderElect,/,
    );
  });
});

describe('a policy', () => {
  it('that is wrong is refused by the API server, with the field', async () => {
    const wrong = policyObject('wrong', {
      nodeSelector: { matchLabels: { a: 'b' } },
      reasons: [{ type: 'Taint', label: { key: 'x' } }],
    });
    const refused = apply(bed.kubeconfig, wrong);
    await expect(refused).rejects.toThrow('spec.reasons[0].taint: Invalid value');
    await expect(refused).rejects.toThrow('taint is required when type is Taint');
  });
});

describe('what is typed wrong', () => {
  it.each([
    ['an unknown flag', ['drain', 'worker-old', '--forse'], /unknown option '--forse'.*--force/],
    ['an unknown command', ['drian', 'worker-old'], /unknown command 'drian'.*drain/],
    [
      'a value that a flag does not take',
      ['drain', 'worker-old', '--handover=perhaps'],
      /must be one of never, when-needed, always/,
    ],
  ])('%s is said, with exit code 2', async (_title, args, line) => {
    const { code, stderr } = await startDrover(args).finished;
    expect(code).toBe(2);
    expect(stderr).toMatch(line);
  });
});
