import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { appTemplate, daemonSet, deployment, merge, podDisruptionBudget } from '../../beds/objects.ts';
import { type RealNodes, startRealNodes } from '../../beds/real-nodes.ts';
import { brisk } from '../case.ts';
import { type Cluster, fingerprint, maintenanceObject, openCluster, type PodObject } from '../cluster.ts';
import { type ControllerProcess, installResources, startController } from '../controller-process.ts';
import { drover } from '../drover.ts';
import { eventually } from '../eventually.ts';
import { printFigures, serve, underTraffic } from './traffic.ts';

const NODES = ['node1', 'node2', 'node3'];
const RATE = 200;
const REPLICAS = 3;

let bed: RealNodes;
let cluster: Cluster;
let controller: ControllerProcess;
let urls: string[];

beforeAll(async () => {
  bed = await startRealNodes({ nodes: NODES.length });
  cluster = openCluster(bed);
  await installResources(bed);
  for (const name of NODES) await cluster.quietNode(name);
  controller = await startController(bed);
  // Slow to get ready: there is time to break something in the middle of a handover.
  const app = merge(appTemplate({ readyAfterMs: 4000, workMs: 20, onTerm: 'exit' }), {
    spec: { template: { metadata: { labels: { app: 'web', serve: 'yes' } } } },
  });
  urls = await serve(bed, cluster, {
    namespace: 'shop',
    pods: REPLICAS,
    selector: { serve: 'yes' },
    objects: (ns) => [podDisruptionBudget(ns, 'web', { maxUnavailable: 0 }), deployment(ns, 'web', REPLICAS, app)],
  });
});

const begun = new Set<string>();

/** A maintenance of a node, as a person would write it. */
async function maintain(nodeName: string, drain: object = {}): Promise<void> {
  await cluster.create(maintenanceObject(nodeName, { nodeName, drain: { ...brisk, ...drain } }));
  begun.add(nodeName);
}

/** Ends the maintenance and takes its object away, so that the next test may make another of the same name. */
async function giveBack(nodeName: string): Promise<void> {
  const object = maintenanceObject(nodeName, {});
  await cluster.patch(object, { spec: { cancelled: true } });
  await cluster.phase(nodeName, ['HandedBack', 'Cancelled']);
  await cluster.remove(object);
  await eventually(
    `maintenance ${nodeName} to be gone`,
    () => cluster.maintenancesOf(nodeName),
    (left) => left.length === 0,
  );
  begun.delete(nodeName);
}

afterEach(async () => {
  for (const nodeName of begun) await giveBack(nodeName);
});

afterAll(async () => {
  expect(await controller?.stop(), controller?.log()).toBe(0);
  await bed?.stop();
});

const handedOver = ({ metadata: { annotations = {} } }: PodObject) => 'drover.dev/handover' in annotations;

/** A pod of the app's has been detached, and its replacement is not Ready yet. */
const midHandover = () =>
  eventually(
    'a pod in the middle of its handover',
    () => cluster.podsIn('shop'),
    (pods) => pods.some(handedOver) && pods.length > REPLICAS,
  );

/** Drains the busiest node under traffic while `disturb` happens in the middle of a handover. */
async function drainWhile(title: string, disturb: () => Promise<void>): Promise<void> {
  const pods = await cluster.readyPods('shop', REPLICAS);
  const busiest = NODES.map((name) => ({ name, pods: pods.filter(({ spec }) => spec.nodeName === name) })).sort(
    (a, b) => b.pods.length - a.pods.length,
  )[0];
  if (!busiest) throw new Error('unreachable');
  const before = fingerprint(await cluster.node(busiest.name));
  const report = await underTraffic(urls, RATE, async () => {
    await maintain(busiest.name, { handover: 'Always' });
    await midHandover();
    await disturb();
    await cluster.phase(busiest.name, ['Drained'], 120_000).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${controller.log()}`);
    });
  });
  printFigures(title, { [`${busiest.pods.length} of ${REPLICAS} pods moved`]: report });

  expect(report.failures).toEqual([]);
  expect(report.sent).toBeGreaterThan(2 * RATE);
  const after = await cluster.readyPods('shop', REPLICAS);
  expect(after.filter(({ spec }) => spec.nodeName === busiest.name)).toEqual([]);
  expect(after.filter(({ metadata }) => !metadata.labels?.['pod-template-hash'] || !metadata.labels['serve'])).toEqual([]);
  expect(after.filter(handedOver)).toEqual([]);
  const stayed = (kept: readonly PodObject[]) =>
    kept.filter(({ spec }) => spec.nodeName !== busiest.name).map(({ metadata }) => metadata.uid);
  expect(stayed(after), 'pods of other nodes are left alone').toEqual(expect.arrayContaining(stayed(pods)));
  await giveBack(busiest.name);
  expect(fingerprint(await cluster.node(busiest.name))).toBe(before);
}

describe('a drain on real nodes', () => {
  it('loses no request when the controller is killed in the middle of a handover and started again', () =>
    drainWhile('controller killed in the middle of a handover', async () => {
      await controller.kill();
      controller = await startController(bed);
    }));

  it('loses no request when the API server is restarted in the middle of a handover', () =>
    drainWhile('API server restarted in the middle of a handover', () => bed.restartApiServer()));

  it('waits for a pod whose emptyDir is protected, names it, and lets the pod of a DaemonSet run on', async () => {
    const [ns, node] = ['kept', 'node2'];
    const scratch = { spec: { template: { spec: { volumes: [{ name: 'scratch', emptyDir: {} }] } } } };
    const front = merge(appTemplate(), {
      spec: { template: { metadata: { labels: { tier: 'front' } }, spec: { nodeSelector: { 'kubernetes.io/hostname': node } } } },
    });
    await serve(bed, cluster, {
      namespace: ns,
      pods: 2,
      selector: { tier: 'front' },
      objects: () => [deployment(ns, 'cache', 1, merge(front, scratch)), daemonSet(ns, 'agent', front)],
    });
    const identities = async () =>
      (await cluster.podsIn(ns)).map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.deletionTimestamp}`).sort();
    const before = await identities();

    await maintain(node, { emptyDir: 'Protect' });
    const { pod } = await cluster.waitsFor(node, 'ProtectedPod', 120_000);
    expect(pod).toMatch(/^kept\/cache-/);
    await eventually(
      'the pods of the shop to have left',
      () => cluster.podsOn(node),
      (pods) => pods.every(({ metadata }) => metadata.namespace === ns),
      { timeoutMs: 120_000 },
    );
    const { code, stdout } = await drover(bed.kubeconfig, 'why', node);
    expect(code).toBe(0);
    expect(stdout).toMatch(/kept\/cache-\S+: it keeps data in an emptyDir/);
    expect(stdout).not.toContain('kept/agent');
    expect(await identities()).toEqual(before);

    const daemon = before.find((line) => line.startsWith('agent-'))?.split(' ')[0] ?? '';
    await cluster.remove(deployment(ns, 'cache', 1));
    await cluster.phase(node, ['Drained']);
    expect((await cluster.pod(ns, daemon))?.metadata.deletionTimestamp).toBeUndefined();
    expect((await cluster.podsOn(node)).map(({ metadata }) => metadata.name)).toEqual([daemon]);
  });

  it('names the pod that a dead machine never reports gone, and is done when the machine is back', async () => {
    const ns = 'slow';
    const slow = merge(appTemplate({ onTerm: 'drain', graceMs: 8000 }), {
      spec: { template: { spec: { terminationGracePeriodSeconds: 10 } } },
    });
    await serve(bed, cluster, { namespace: ns, pods: 1, objects: () => [deployment(ns, 'web', 1, slow)] });
    const [pod] = await cluster.readyPods(ns, 1);
    const [name, node] = [pod?.metadata.name ?? '', pod?.spec.nodeName ?? ''];

    await maintain(node);
    await eventually(
      'its pod to be told to end',
      () => cluster.pod(ns, name),
      (seen) => seen?.metadata.deletionTimestamp !== undefined,
    );
    bed.nodeDown(NODES.indexOf(node) + 1);
    const waiting = await cluster.waitsFor(node, 'TerminatingOverdue', 120_000);
    expect(waiting.unblock).toContain('its kubelet reporting it gone');
    const { stdout } = await drover(bed.kubeconfig, 'why', node);
    expect(stdout).toMatch(new RegExp(`slow/${name}.*its grace ended .* ago and it is still there`));
    expect(stdout).toContain('check the kubelet and the container runtime of the node');
    expect(
      (await cluster.pod(ns, name))?.metadata.deletionTimestamp,
      'nothing takes the pod from a machine that may be alive',
    ).toBeDefined();

    await bed.nodeUp(NODES.indexOf(node) + 1);
    await cluster.phase(node, ['Drained'], 120_000);
    expect(await cluster.pod(ns, name)).toBeNull();
  });
});
