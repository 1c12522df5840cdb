import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { type KubeObject, namespace, node, pod } from '../../beds/objects.ts';
import { createNodes } from '../../beds/seed.ts';
import { brisk } from '../case.ts';
import { type Cluster, fingerprint, maintenanceObject, openCluster, policyObject } from '../cluster.ts';
import { type ControllerProcess, installResources, startController } from '../controller-process.ts';
import { drover } from '../drover.ts';
import { eventually } from '../eventually.ts';

vi.setConfig({ maxConcurrency: 12 });

let bed: ControlPlane;
let cluster: Cluster;
let controller: ControllerProcess;

beforeAll(async () => {
  bed = await startControlPlane({ podStopMs: 200 });
  cluster = openCluster(bed);
  await installResources(bed);
  await cluster.create(namespace('blockers'));
  controller = await startController(bed);
});

afterAll(async () => {
  expect(await controller?.stop(), controller?.log()).toBe(0);
  await bed?.stop();
});

const wanted = (name: string) => ({ metadata: { labels: { [`retire-${name}`]: 'yes' } } });
const unwanted = (name: string) => ({ metadata: { labels: { [`retire-${name}`]: null } } });

/** A node, a policy that wants it for a label, and, unless it may go at once, a pod that keeps it from being drained. */
async function makeCase(name: string, drain: object = {}, blocked = true): Promise<{ policy: KubeObject; blocker: KubeObject }> {
  await createNodes(bed.api, [node(name, { metadata: { labels: { case: name } } })]);
  const blocker = pod('blockers', name, { spec: { nodeName: name } });
  if (blocked) await cluster.create(blocker);
  const policy = policyObject(name, {
    nodeSelector: { matchLabels: { case: name } },
    reasons: [{ type: 'Label', label: { key: `retire-${name}` } }],
    drain: { ...brisk, ...drain },
  });
  await cluster.create(policy);
  await cluster.quietNode(name);
  return { policy, blocker };
}

const look = async (name: string) => fingerprint(await cluster.node(name));

/** The conditions of the node go a moment after its cordon. */
/** The status and the cordon are two requests on their way at once: either may be seen first. */
const isCordoned = (name: string) =>
  eventually(
    `${name} to be cordoned`,
    () => cluster.node(name),
    (node) => node.spec.unschedulable === true,
  );
const isBack = (name: string, before: string) =>
  eventually(
    `${name} to be as before`,
    () => look(name),
    (now) => now === before,
  );

describe.concurrent('a node is handed back', () => {
  it('byte for byte when its reason is gone while it is drained', async () => {
    await makeCase('gone-meanwhile');
    const before = await look('gone-meanwhile');
    await cluster.patchNode('gone-meanwhile', wanted('gone-meanwhile'));
    await cluster.waitsFor('gone-meanwhile', 'ProtectedPod');
    expect(await look('gone-meanwhile')).not.toBe(before);
    await cluster.patchNode('gone-meanwhile', unwanted('gone-meanwhile'));
    expect((await cluster.phase('gone-meanwhile', ['Cancelled'])).status?.message).toBe('the reason no longer holds');
    expect(await look('gone-meanwhile')).toBe(before);
  });

  it('byte for byte when its reason is gone after it was drained', async () => {
    await makeCase('gone-after', { excludeFromLoadBalancers: true }, false);
    const before = await look('gone-after');
    await cluster.patchNode('gone-after', wanted('gone-after'));
    await cluster.phase('gone-after', ['Drained']);
    await cluster.patchNode('gone-after', unwanted('gone-after'));
    await cluster.phase('gone-after', ['HandedBack']);
    expect(await look('gone-after')).toBe(before);
  });

  it('with the cordon, taints and labels that others have set before and meanwhile', async () => {
    await makeCase('foreign');
    const taints = [{ key: 'theirs', value: 'before', effect: 'NoSchedule' }];
    await cluster.patchNode('foreign', {
      spec: { unschedulable: true, taints },
      metadata: { annotations: { theirs: 'before' } },
    });
    await cluster.patchNode('foreign', wanted('foreign'));
    await cluster.waitsFor('foreign', 'ProtectedPod');
    const { spec } = await cluster.node('foreign');
    const more = [...(spec.taints ?? []), { key: 'theirs', value: 'meanwhile', effect: 'PreferNoSchedule' }];
    await cluster.patchNode('foreign', { spec: { taints: more }, metadata: { labels: { theirs: 'meanwhile' } } });
    await cluster.patchNode('foreign', unwanted('foreign'));
    await cluster.phase('foreign', ['Cancelled']);
    const after = await cluster.node('foreign');
    expect(after.metadata).toMatchObject({ labels: { theirs: 'meanwhile' }, annotations: { theirs: 'before' } });
    expect(after.metadata.annotations).not.toHaveProperty('drover.dev/maintenance');
    expect(after.spec.unschedulable).toBe(true);
    const left = (after.spec.taints ?? []).map(({ key, value, effect }) => `${key}=${value ?? ''}:${effect}`);
    expect(left.filter((each) => !each.startsWith('node.kubernetes.io/')).sort()).toEqual([
      'theirs=before:NoSchedule',
      'theirs=meanwhile:PreferNoSchedule',
    ]);
  });

  it('when its policy is deleted, drained or not', async () => {
    const { policy } = await makeCase('no-policy');
    await createNodes(bed.api, [node('no-policy-free', { metadata: { labels: { case: 'no-policy' } } })]);
    await cluster.quietNode('no-policy-free');
    await cluster.patch(policy, { spec: { disruption: { maxNodes: 2 } } });
    const before = [await look('no-policy'), await look('no-policy-free')];
    await cluster.patchNode('no-policy', wanted('no-policy'));
    await cluster.patchNode('no-policy-free', wanted('no-policy'));
    await cluster.waitsFor('no-policy', 'ProtectedPod');
    await cluster.phase('no-policy-free', ['Drained']);
    await cluster.remove(policy);
    await cluster.phase('no-policy', ['Cancelled']);
    await cluster.phase('no-policy-free', ['HandedBack']);
    await cluster.patchNode('no-policy', unwanted('no-policy'));
    await cluster.patchNode('no-policy-free', unwanted('no-policy'));
    expect([await look('no-policy'), await look('no-policy-free')]).toEqual(before);
  });

  it('when its NodeMaintenance is deleted, and the object goes only then', async () => {
    await createNodes(bed.api, [node('deleted')]);
    await cluster.quietNode('deleted');
    await cluster.create(pod('blockers', 'deleted', { spec: { nodeName: 'deleted' } }));
    const before = await look('deleted');
    // made by a person, outside every policy
    const object = maintenanceObject('by-hand', { nodeName: 'deleted', reason: { message: 'new memory' }, drain: brisk });
    await cluster.create(object);
    await cluster.waitsFor('deleted', 'ProtectedPod');
    const why = (await drover(bed.kubeconfig, 'why', 'deleted')).stdout;
    for (const fact of ['Draining', 'new memory', 'asked for by hand', 'blockers/deleted: no controller would re-create it'])
      expect(why).toContain(fact);
    expect((await drover(bed.kubeconfig, 'status', 'deleted')).stdout).toMatch(
      /^deleted +Draining +0\/1 +\d+s +by hand +new memory +blockers\/deleted: no controller/m,
    );
    await cluster.remove(object);
    await eventually(
      'the object to go',
      () => cluster.maintenancesOf('deleted'),
      (all) => all.length === 0,
    );
    expect(await look('deleted')).toBe(before);
  });

  it('after standing still, tried again later, and left alone after the last try', async () => {
    await makeCase('aside', { stepAside: '4s', retryAfter: '5s', attempts: 2 });
    await cluster.patchNode('aside', wanted('aside'));
    const before = await look('aside');
    await cluster.waitsFor('aside', 'ProtectedPod');
    const { status } = await cluster.phase('aside', ['BackOff']);
    expect(status).toMatchObject({ attempts: 1, message: expect.stringContaining('ProtectedPod') });
    expect(status?.waitingFor).toMatchObject({ cause: 'BackOff', message: expect.stringContaining('attempt 1 stood still') });
    expect(await look('aside')).toBe(before);
    await cluster.phase('aside', ['Draining']);
    expect((await cluster.phase('aside', ['Failed'])).status).toMatchObject({ attempts: 2 });
    expect(await look('aside')).toBe(before);
    expect(await cluster.maintenancesOf('aside')).toHaveLength(1);
    expect((await drover(bed.kubeconfig, 'why', 'aside')).stdout).toContain('ended Failed');
  });
});

describe.concurrent('people', () => {
  it('may uncordon a node that is being drained: it is paused, and goes on when they resume it', async () => {
    const { blocker } = await makeCase('uncordoned');
    await cluster.patchNode('uncordoned', wanted('uncordoned'));
    const before = await look('uncordoned');
    await cluster.waitsFor('uncordoned', 'ProtectedPod');
    await isCordoned('uncordoned');
    await cluster.patchNode('uncordoned', { spec: { unschedulable: null } });
    const waits = await cluster.waitsFor('uncordoned', 'Paused');
    expect(waits).toMatchObject({
      message: 'it is paused: the node was uncordoned by someone else',
      unblock: '`drover resume uncordoned`',
    });
    await isBack('uncordoned', before);
    expect(await drover(bed.kubeconfig, 'resume', 'uncordoned')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('resumed, node uncordoned'),
    });
    await cluster.waitsFor('uncordoned', 'ProtectedPod');
    await isCordoned('uncordoned');
    await cluster.remove(blocker);
    await cluster.phase('uncordoned', ['Drained']);
  });

  it('pause, resume and cancel the maintenance of a node', async () => {
    await makeCase('held');
    await cluster.patchNode('held', wanted('held'));
    const before = await look('held');
    await cluster.waitsFor('held', 'ProtectedPod');

    const paused = await drover(bed.kubeconfig, 'pause', 'held', '--reason', 'quarter end');
    expect(paused).toMatchObject({ code: 0, stderr: '' });
    expect(await cluster.waitsFor('held', 'Paused')).toMatchObject({ message: 'it is paused: quarter end' });
    await isBack('held', before);

    expect(await drover(bed.kubeconfig, 'resume', 'node/held')).toMatchObject({ code: 0 });
    await cluster.waitsFor('held', 'ProtectedPod');
    const [maintenance] = await cluster.maintenancesOf('held');
    expect(maintenance?.spec.pausedBecause).toBeUndefined();

    expect(await drover(bed.kubeconfig, 'cancel', 'held', '--dry-run=server')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('(server dry run)'),
    });
    expect((await cluster.maintenancesOf('held'))[0]?.spec.cancelled).toBe(false);
    expect(await drover(bed.kubeconfig, 'cancel', `maintenance/${maintenance?.metadata.name}`)).toMatchObject({ code: 0 });
    const { status } = await cluster.phase('held', ['Cancelled']);
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'CauseHolds', status: 'True' }));
    expect(await look('held')).toBe(before);
    const again = await drover(bed.kubeconfig, 'cancel', 'held');
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/^error: [^\n]*node held [^\n]*\n$/);
  });

  it('get a cancelled node maintained again once its reason has gone and come back', async () => {
    const { blocker } = await makeCase('again');
    await cluster.patchNode('again', wanted('again'));
    await cluster.waitsFor('again', 'ProtectedPod');
    await drover(bed.kubeconfig, 'cancel', 'again');
    await cluster.phase('again', ['Cancelled']);
    await cluster.remove(blocker);
    await cluster.patchNode('again', unwanted('again'));
    const holds = async () =>
      (await cluster.maintenancesOf('again'))[0]?.status?.conditions?.find(({ type }) => type === 'CauseHolds')?.status;
    await eventually('the cause to be seen gone', holds, (status) => status === 'False');
    expect(await cluster.maintenancesOf('again')).toHaveLength(1);
    await cluster.patchNode('again', wanted('again'));
    await cluster.phase('again', ['Drained']);
    expect(await cluster.maintenancesOf('again')).toHaveLength(2);
  });
});
