import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { podAnnotations } from '../../beds/kwok-stages.ts';
import { daemonSet, deployment, job, pod, podDisruptionBudget, statefulSet } from '../../beds/objects.ts';
import { type Case, setStage } from '../case.ts';
import { type Cluster, fingerprint, openCluster } from '../cluster.ts';
import { drover, startDrover } from '../drover.ts';
import { eventually } from '../eventually.ts';

vi.setConfig({ maxConcurrency: 6 });

let bed: ControlPlane;
let cluster: Cluster;
let peer: string;

// Nothing is installed in this cluster: the command brings all it needs.
beforeAll(async () => {
  bed = await startControlPlane({ audit: 'Metadata', podReadyMs: 300, podStopMs: 300 });
  cluster = openCluster(bed);
  peer = bed.kubeconfigFor('peer');
});

afterAll(() => bed?.stop());

const annotated = (annotations: Record<string, string>) => ({ spec: { template: { metadata: { annotations } } } });
const withVolume = { spec: { template: { spec: { volumes: [{ name: 'scratch', emptyDir: {} }] } } } };
const names = async (made: Case) => (await cluster.podsOn(made.old)).map(({ metadata }) => metadata.name).sort();
const everything = ['--force', '--delete-emptydir-data', '--ignore-daemonsets'];

/** Changes that the command has sent to the node or to pods of the case. */
async function changes({ old, namespace }: Case): Promise<string[]> {
  const lines = await bed.auditLog({ user: 'peer' });
  return lines
    .filter((line) => !['get', 'list', 'watch'].includes(line.verb))
    .filter((line) => (line.resource === 'nodes' && line.name === old) || line.namespace === namespace)
    .map(({ verb, uri, code }) => `${verb} ${uri} ${code}`);
}

describe.concurrent('drover drain', () => {
  it('refuses before anything is changed when pods need a flag, and names pods and flags', async () => {
    const made = await setStage(cluster, 'refuses', {
      objects: (ns) => [
        pod(ns, 'alone'),
        daemonSet(ns, 'agent'),
        deployment(ns, 'app', 1, withVolume),
        deployment(ns, 'free', 1),
      ],
      pods: 4,
    });
    const before = fingerprint(await cluster.node(made.old));
    const { code, stdout, stderr } = await drover(peer, 'drain', made.old);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^error: node refuses-old cannot be drained, because of 3 pods; nothing was changed\. Add --ignore-daemonsets --force --delete-emptydir-data /,
    );
    expect(stderr).toContain('refuses/alone: no controller would re-create it');
    expect(stderr).toContain('keeps data in an emptyDir');
    expect(stderr).toContain('its DaemonSet would put it back');
    expect(await changes(made)).toEqual([]);
    expect(fingerprint(await cluster.node(made.old))).toBe(before);
    expect(await names(made)).toHaveLength(4);

    const again = await drover(peer, 'drain', made.old, '--force', '--ignore-daemonsets');
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('because of 1 pod; nothing was changed. Add --delete-emptydir-data');
    expect(await changes(made)).toEqual([]);
  });

  it('drains a node of every kind of pod with the flags, and uncordon gives it back as it was', async () => {
    const made = await setStage(cluster, 'every-kind', {
      objects: (ns) => [
        pod(ns, 'alone'),
        pod(ns, 'static', {
          metadata: { annotations: { 'kubernetes.io/config.mirror': 'hash' } },
          spec: { nodeName: 'every-kind-old' },
        }),
        daemonSet(ns, 'agent'),
        statefulSet(ns, 'db', 2),
        deployment(ns, 'app', 2, withVolume),
        deployment(ns, 'slow', 1, annotated({ [podAnnotations.readyMs]: '3600000' })),
        podDisruptionBudget(ns, 'slow', { maxUnavailable: 0 }),
        job(ns, 'once', annotated({ [podAnnotations.completeMs]: '0' })),
      ],
      pods: 9,
    });
    await eventually(
      'the Job to be done',
      () => cluster.podsOn(made.old),
      (pods) => pods.some(({ status }) => status.phase === 'Succeeded'),
    );
    const before = fingerprint(await cluster.node(made.old));
    const { code, stdout, stderr } = await drover(peer, 'drain', made.old, ...everything);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^every-kind-old: drained in \d+s, 7 pods moved$/m);
    expect(await names(made)).toEqual([expect.stringMatching(/^agent-/), 'static']);
    expect(await cluster.node(made.old)).toMatchObject({ spec: { unschedulable: true } });
    const evicted = (await bed.auditLog({ user: 'peer', namespace: made.namespace, subresource: 'eviction' })).map(
      ({ name, code }) => `${name} ${code}`,
    );
    expect(evicted.filter((line) => line.startsWith('db-')).sort()).toEqual(['db-0 201', 'db-1 201']);

    expect(await drover(peer, 'uncordon', made.old)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('uncordoned'),
      stderr: '',
    });
    expect(fingerprint(await cluster.node(made.old))).toBe(before);
  });

  it('gives up in time with a budget that never allows it, says how to go on, and hands over when it may', async () => {
    const made = await setStage(cluster, 'in-time', {
      objects: (ns) => [deployment(ns, 'app', 1), podDisruptionBudget(ns, 'app', { maxUnavailable: 0 })],
      pods: 1,
    });
    await cluster.readyPods(made.namespace, 1);
    const { code, stderr } = await drover(peer, 'drain', made.old, '--handover=never', '--timeout=8s');
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^error: node in-time-old was not drained in time, after \d+s: 1 pod is left; in-time\/app-\S+: disruption budget in-time\/app can never allow/,
    );
    expect(stderr).toContain('It stays cordoned. Run the same command to go on, or give back with: drover uncordon in-time-old');
    expect(await changes(made)).toHaveLength(1); // the cordon

    expect(await drover(peer, 'drain', made.old)).toMatchObject({ code: 0 });
    expect((await cluster.readyPods(made.namespace, 1))[0]?.spec.nodeName).toBe(made.spare);
  });

  it('names both budgets of a pod that two select', async () => {
    const made = await setStage(cluster, 'two', {
      objects: (ns) => [
        deployment(ns, 'app', 2),
        podDisruptionBudget(ns, 'app', { maxUnavailable: 1 }),
        podDisruptionBudget(ns, 'more', { maxUnavailable: 1 }, { spec: { selector: { matchLabels: { app: 'app' } } } }),
      ],
      pods: 2,
    });
    await cluster.readyPods(made.namespace, 2);
    const running = startDrover([`--kubeconfig=${peer}`, 'drain', made.old]);
    await eventually(
      'both budgets to be named',
      async () => running.stdout(),
      (text) => text.includes('disruption budgets two/app and two/more both select it'),
    );
    running.signal('SIGTERM');
    expect((await running.finished).stderr).toContain('2 pods are left');
    expect(await names(made)).toHaveLength(2);
  });

  it('names the finalizer that holds a pod', async () => {
    const made = await setStage(cluster, 'held', { objects: (ns) => [deployment(ns, 'app', 1)], pods: 1 });
    await cluster.readyPods(made.namespace, 1);
    const held = pod(made.namespace, (await names(made))[0] ?? '');
    await cluster.patch(held, { metadata: { finalizers: ['example.com/hold'] } });
    const { code, stderr } = await drover(peer, 'drain', made.old, '--grace-period=1', '--timeout=15s', '--handover=never');
    expect(code).toBe(3);
    expect(stderr).toContain('it is held by finalizer example.com/hold');
    await cluster.patch(held, { metadata: { finalizers: null } });
  });

  it('moves only the pods of --pod-selector', async () => {
    const made = await setStage(cluster, 'some', {
      objects: (ns) => [deployment(ns, 'app', 1), deployment(ns, 'kept', 1)],
      pods: 2,
    });
    expect(await drover(peer, 'drain', made.old, '--pod-selector=app=app')).toMatchObject({ code: 0, stderr: '' });
    expect(await names(made)).toEqual([expect.stringMatching(/^kept-/)]);
  });

  it('changes nothing in a dry run, and says which pod can never leave', async () => {
    const made = await setStage(cluster, 'dry', {
      objects: (ns) => [statefulSet(ns, 'db', 1), podDisruptionBudget(ns, 'db', { maxUnavailable: 0 }), deployment(ns, 'app', 2)],
      pods: 3,
    });
    await cluster.readyPods(made.namespace, 3);
    const before = await cluster.node(made.old);
    const client = await drover(peer, 'drain', made.old, '--dry-run=client');
    expect(client.stdout).toContain('would be cordoned; 3 of its 3 pods would leave (dry run)');
    expect(client.stdout).toMatch(/dry\/db-0\s+CANNOT LEAVE\s+disruption budget dry\/db can never allow a disruption/);
    expect(client.code).toBe(3);
    expect(await changes(made)).toEqual([]);
    const server = await drover(peer, 'drain', made.old, '--dry-run=server', '-o', 'json');
    expect(server.code).toBe(3);
    expect(JSON.parse(server.stdout)).toMatchObject({ ok: false, nodes: [{ server: 'accepted' }] });
    expect(fingerprint(await cluster.node(made.old))).toBe(fingerprint(before));
    expect(await names(made)).toHaveLength(3);
  });

  it('deletes around the budget only with --disable-eviction', async () => {
    const made = await setStage(cluster, 'no-eviction', {
      objects: (ns) => [deployment(ns, 'app', 1), podDisruptionBudget(ns, 'app', { maxUnavailable: 0 })],
      pods: 1,
    });
    await cluster.readyPods(made.namespace, 1);
    expect(await drover(peer, 'drain', made.old, '--disable-eviction')).toMatchObject({ code: 0, stderr: '' });
    expect(await bed.auditLog({ user: 'peer', namespace: made.namespace, subresource: 'eviction' })).toEqual([]);
  });

  it('leaves the node cordoned and the pods in place when it is interrupted', async () => {
    const made = await setStage(cluster, 'interrupted', {
      objects: (ns) => [statefulSet(ns, 'db', 1), podDisruptionBudget(ns, 'db', { maxUnavailable: 0 })],
      pods: 1,
    });
    await cluster.readyPods(made.namespace, 1);
    const running = startDrover([`--kubeconfig=${peer}`, 'drain', made.old]);
    await eventually(
      'the cordon',
      () => cluster.node(made.old),
      ({ spec }) => spec.unschedulable === true,
    );
    running.signal('SIGINT');
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stderr).toContain('error: node interrupted-old was not drained when it was stopped');
    expect(await names(made)).toEqual(['db-0']);
    expect((await cluster.node(made.old)).spec.unschedulable).toBe(true);
  });
});
