/** Reboots on a real control plane. kwok plays the kubelets, and this test the machines: each pod that tells one to reboot gives it a new boot id. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { NodeMaintenance } from '../../../src/api/resources.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { type FaultProxy, type Sent, startFaultProxy } from '../../beds/fault-proxy.ts';
import { deployment } from '../../beds/objects.ts';
import { brisk, type Case, setStage } from '../case.ts';
import { type Cluster, fingerprint, maintenanceObject, openCluster, type PodObject } from '../cluster.ts';
import { installResources } from '../controller-process.ts';
import { drover, type Running, startDrover } from '../drover.ts';
import { eventually } from '../eventually.ts';

// All cases share one controller: whoever kills it kills it for all.
vi.setConfig({ maxConcurrency: 8 });

const NAMESPACE = 'default';
const maintenances = '/apis/drover.dev/v1alpha1/nodemaintenances';
const isFatal = (sent: Sent) => sent.method !== 'GET';

let bed: ControlPlane;
let cluster: Cluster;
let proxy: FaultProxy;
let controller: ReturnType<typeof supervise>;
let machines: ReturnType<typeof playMachines>;

beforeAll(async () => {
  bed = await startControlPlane({ audit: 'Metadata', podReadyMs: 300, podStopMs: 300 });
  cluster = openCluster(bed);
  await installResources(bed);
  proxy = await startFaultProxy(bed);
  machines = playMachines();
  controller = supervise(proxy.kubeconfigFor('peer'));
});

afterAll(async () => {
  await machines?.stop();
  expect(await controller?.stop(), controller?.log()).toBe(0);
  await proxy?.stop();
  await bed?.stop();
});

/** `drover controller`, started again at once whenever it was killed. */
function supervise(kubeconfig: string) {
  const start = () => startDrover(['controller', `--kubeconfig=${kubeconfig}`, '--metrics-address=0', '--no-leader-elect']);
  let child: Running = start();
  return {
    async kill() {
      const victim = child;
      victim.signal('SIGKILL');
      await victim.finished;
      if (child === victim) child = start();
    },
    log: () => child.stderr(),
    async stop() {
      child.signal('SIGTERM');
      return (await child.finished).code;
    },
  };
}

interface NodeStatus {
  readonly status: { readonly nodeInfo: { readonly bootID: string } };
}

const bootIdOf = async (name: string) =>
  (await cluster.api<NodeStatus>({ path: `/api/v1/nodes/${name}` })).status.nodeInfo.bootID;

/** Every running pod that tells its node to reboot does so once, but on nodes that are broken. */
function playMachines() {
  const done = new Set<string>();
  const broken = new Set<string>();
  const play = { goesOn: true };
  const look = async () => {
    const { items } = await cluster.api<{ items: PodObject[] }>({
      path: `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=drover.dev%2Faction%3Dreboot`,
    });
    for (const { metadata, spec, status } of items) {
      const { nodeName = '' } = spec;
      if (status.phase !== 'Running' || done.has(metadata.uid) || broken.has(nodeName)) continue;
      done.add(metadata.uid);
      const bootID = (await bootIdOf(nodeName)).replace(/\d+$/, (count) => String(Number(count) + 1));
      await cluster.patchNode(`${nodeName}/status`, { status: { nodeInfo: { bootID } } });
    }
  };
  const loop = (async () => {
    while (play.goesOn) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    break: (node: string) => void broken.add(node),
    mend: (node: string) => void broken.delete(node),
    async stop() {
      play.goesOn = false;
      await loop;
    },
  };
}

interface Rebooted extends Case {
  readonly before: string;
}

async function stage(name: string): Promise<Rebooted> {
  const made = await setStage(cluster, name, { objects: (ns) => [deployment(ns, 'web', 2)], pods: 2 });
  await cluster.readyPods(made.namespace, 2);
  return { ...made, before: fingerprint(await cluster.node(made.old)) };
}

const verify = { healthyFor: '1s', readyTimeout: '2m' };

async function reboot({ name, old }: Case, spec: object = {}): Promise<void> {
  await cluster.create(maintenanceObject(name, { nodeName: old, action: 'Reboot', drain: brisk, verify, ...spec }));
}

const look = (name: string) => cluster.api<NodeMaintenance>({ path: `${maintenances}/${name}` });

const reach = (name: string, wanted: string) =>
  eventually(
    `${name} to be ${wanted}`,
    () => look(name),
    ({ status }) => status?.phase === wanted,
    { timeoutMs: 240_000, everyMs: 300, also: () => controller.log() },
  );

/** Names of the pods that were created for it, each as often as it was. */
async function podsFor({ metadata }: NodeMaintenance): Promise<string[]> {
  const lines = await bed.auditLog({ user: 'peer', namespace: NAMESPACE, resource: 'pods', verb: 'create', code: 201 });
  return lines.map((line) => line.name ?? '').filter((each) => each.includes(metadata.uid ?? 'no uid'));
}

/** Handed back, as before, under the second boot id, by exactly one pod. */
async function expectRebooted({ name, old, before }: Rebooted): Promise<void> {
  const ended = await reach(name, 'HandedBack');
  expect(ended.status?.action).toMatchObject({ attempt: 1, bootIdBefore: `${old}-boot-1`, bootIdAfter: `${old}-boot-2` });
  expect(await podsFor(ended)).toEqual([`drover-reboot-${ended.metadata.uid}-1`]);
  expect(await bootIdOf(old)).toBe(`${old}-boot-2`);
  await eventually(
    `${name} to be as before`,
    async () => fingerprint(await cluster.node(old)),
    (now) => now === before,
  );
}

type Matches = (sent: Sent, made: Case) => boolean;

const onNode = (sent: Sent, { old }: Case) => sent.method === 'PATCH' && sent.path === `/api/v1/nodes/${old}`;
const onStatus = (sent: Sent, { name }: Case) => sent.method === 'PATCH' && sent.path === `${maintenances}/${name}/status`;

/** Every kind of write between the drained node and the one that is handed back. */
const writes: Readonly<Record<string, Matches>> = {
  'cordons the node': (sent, made) => onNode(sent, made) && sent.body.includes('"unschedulable":true'),
  'writes the boot id down': (sent, made) => onStatus(sent, made) && sent.body.includes('bootIdBefore'),
  'creates the pod': (sent, { old }) =>
    sent.method === 'POST' && sent.path === `/api/v1/namespaces/${NAMESPACE}/pods` && sent.body.includes(`"nodeName":"${old}"`),
  'writes the node conditions': (sent, { old }) =>
    sent.method === 'PATCH' && sent.path === `/api/v1/nodes/${old}/status` && sent.body.includes('DroverActing'),
  'writes that it is rebooted': (sent, made) => onStatus(sent, made) && sent.body.includes('bootIdAfter'),
  'writes that it is verified': (sent, made) => onStatus(sent, made) && sent.body.includes('doneAt'),
  'hands the node back': (sent, made) => onNode(sent, made) && sent.body.includes('"unschedulable":null'),
  'writes the end': (sent, made) => onStatus(sent, made) && sent.body.includes('"HandedBack"'),
};

describe.concurrent('a reboot is carried on by the next controller when this one is killed', () => {
  const points = Object.keys(writes).flatMap((kind, index) =>
    (['before', 'after'] as const).map((when) => ({ kind, when, name: `kill-${index}-${when}` })),
  );

  it.each(points)('right $when it $kind, and the node is rebooted once', async ({ kind, when, name }) => {
    const made = await stage(name);
    let fired = false;
    const remove = proxy.on(
      (sent) => !fired && isFatal(sent) && (writes[kind]?.(sent, made) ?? false),
      async (_, forward) => {
        fired = true;
        remove();
        if (when === 'after') expect((await forward()).status).toBeLessThan(300);
        await controller.kill();
        return null;
      },
    );
    await reboot(made);
    await expectRebooted(made);
    expect(fired).toBe(true);
  });

  it('again and again, all the time', async () => {
    const made = await stage('kill-often');
    await reboot(made, { reboot: { delayBefore: '3s' } });
    await reach(made.name, 'Rebooting');
    for (let kills = 0; kills < 10; kills += 1) {
      await controller.kill();
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
    await expectRebooted(made);
  });
});

describe('a reboot', () => {
  it('whose pod is created, and the answer lost, has one pod', async () => {
    const made = await stage('lost');
    const remove = proxy.on(
      (sent) => writes['creates the pod']?.(sent, made) ?? false,
      async (_, forward) => {
        remove();
        await forward();
        return null;
      },
    );
    await reboot(made);
    await expectRebooted(made);
  });

  it('by drover reboot is waited for, one node after the other', async () => {
    const [one, two] = [await stage('by-command-1'), await stage('by-command-2')];
    const run = await drover(bed.kubeconfig, 'reboot', one.old, two.old, '--reason', 'new kernel');
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toContain(`${one.old}: drained, rebooting`);
    expect(run.stdout.indexOf(`${one.old}: back in service`)).toBeLessThan(run.stdout.indexOf(`${two.old}: `));
    const ended = await Promise.all([one, two].map(async ({ old }) => (await cluster.maintenancesOf(old))[0]));
    expect(ended.map((each) => each?.status?.phase)).toEqual(['HandedBack', 'HandedBack']);
    expect(ended[0]?.spec.reason.message).toBe('new kernel');
    expect(await Promise.all([one, two].map(({ old }) => bootIdOf(old)))).toEqual([`${one.old}-boot-2`, `${two.old}-boot-2`]);
  });

  it('that does not come leaves the node cordoned, says so, and is handed back when a person cancels', async () => {
    const made = await stage('stranded');
    machines.break(made.old);
    await reboot(made, { reboot: { timeout: '5s' } });
    const { status } = await reach(made.name, 'ActionFailed');
    expect(status?.waitingFor).toMatchObject({
      cause: 'RebootFailed',
      message: expect.stringContaining('no new boot id within 0.1 min (attempt 1)'),
      unblock: expect.stringContaining(`drover cancel ${made.old}`),
    });
    expect((await cluster.node(made.old)).spec.unschedulable).toBe(true);
    const why = await drover(bed.kubeconfig, 'why', made.old);
    expect(why.stdout).toContain('stays out of service, because what was done to it failed');
    expect(await drover(bed.kubeconfig, 'cancel', made.old)).toMatchObject({ code: 0 });
    const ended = await reach(made.name, 'Failed');
    expect(fingerprint(await cluster.node(made.old))).toBe(made.before);
    expect(await podsFor(ended)).toHaveLength(1);
    expect(await bootIdOf(made.old)).toBe(`${made.old}-boot-1`);
  });

  it('whose pod fails is tried again as often as the spec says, and tells what the pod has said', async () => {
    const made = await stage('refused');
    machines.break(made.old);
    await reboot(made, { reboot: { attempts: 2 } });
    for (const attempt of [1, 2]) {
      const { metadata } = await eventually(
        `attempt ${attempt}`,
        () => look(made.name),
        ({ status }) => status?.action?.attempt === attempt,
      );
      const path = `/api/v1/namespaces/${NAMESPACE}/pods/drover-reboot-${metadata.uid}-${attempt}`;
      await eventually(
        `pod ${attempt}`,
        () => cluster.pod(NAMESPACE, `drover-reboot-${metadata.uid}-${attempt}`),
        (pod) => pod?.status.phase === 'Running',
      );
      const terminated = { exitCode: 1, reason: 'Error', message: 'Access denied\n', finishedAt: null, startedAt: null };
      const containerStatuses = [
        { name: 'reboot', image: 'busybox:1.37', imageID: '', ready: false, restartCount: 0, state: { terminated } },
      ];
      await cluster.api({ method: 'PATCH', path: `${path}/status`, body: { status: { phase: 'Failed', containerStatuses } } });
    }
    const { status } = await reach(made.name, 'ActionFailed');
    expect(status?.waitingFor?.message).toContain('exit code 1: Access denied');
    expect(status?.action).toMatchObject({ attempt: 2, failures: 1 });
    machines.mend(made.old);
    await drover(bed.kubeconfig, 'cancel', made.old);
    await reach(made.name, 'Failed');
  });
});
