import { describe, expect, it } from 'vitest';
import { daemonSets, nodes, pods } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { DaemonSet, Node, Pod, Taint } from '../kubernetes.ts';
import { createWorkloadBed, NAMESPACE, podTemplate, type WorkloadBedOptions } from '../testing/workload-bed.ts';
import { revisions } from './controller-revision.ts';
import { startDaemonSets } from './daemon-set.ts';

type Spec = DaemonSet['spec'];
const labels = { app: 'agent' };

async function started(spec: Partial<Spec> = {}, options: Partial<WorkloadBedOptions> = {}) {
  const bed = createWorkloadBed({ nodes: 3, controllers: [startDaemonSets], start: 1_000, stop: 500, ...options });
  const { api, clock } = bed;
  api.create(daemonSets, {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: NAMESPACE },
    spec: { selector: { matchLabels: labels }, template: podTemplate(labels, 'agent:1'), ...spec },
  });
  await clock.advance(10_000);
  const set = () => {
    const found = api.get(daemonSets, NAMESPACE, 'agent');
    if (!found) throw new Error('no set');
    return found;
  };
  const change = (to: (spec: Spec) => Spec) =>
    api.modify(daemonSets, NAMESPACE, 'agent', (before): DaemonSet => ({ ...before, spec: to(before.spec) }));
  const node = (name: string, to: (node: Node) => Node) => api.modify(nodes, '', name, to);
  return {
    ...bed,
    set,
    change,
    setImage: (image: string) => change((before) => ({ ...before, template: podTemplate(labels, image) })),
    taint: (name: string, taint: Taint) => node(name, (before) => ({ ...before, spec: { ...before.spec, taints: [taint] } })),
    label: (name: string, to: Record<string, string>) =>
      node(name, (before) => ({ ...before, metadata: { ...before.metadata, labels: to } })),
    /** Nodes of the pods that are not being deleted. */
    where: () =>
      bed
        .podNames()
        .flatMap((name) => bed.pod(name).spec.nodeName ?? [])
        .toSorted(),
    podOn: (name: string): Pod | undefined =>
      bed.pods().find(({ metadata, spec: { nodeName } }) => nodeName === name && !metadata.deletionTimestamp),
    images: () =>
      bed
        .pods()
        .flatMap(({ spec: { containers } }) => containers[0]?.image ?? [])
        .toSorted(),
  };
}

describe('a DaemonSet', () => {
  it('has one pod on every node, tied to it by name and with the tolerations of daemons', async () => {
    const bed = await started();
    expect(bed.where()).toEqual(['node-1', 'node-2', 'node-3']);
    const [{ spec, metadata } = bed.pod('')] = bed.pods();
    expect(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([
      { matchFields: [{ key: 'metadata.name', operator: 'In', values: [spec.nodeName] }] },
    ]);
    for (const [key, effect] of [
      ['not-ready', 'NoExecute'],
      ['unreachable', 'NoExecute'],
      ['disk-pressure', 'NoSchedule'],
      ['memory-pressure', 'NoSchedule'],
      ['pid-pressure', 'NoSchedule'],
      ['unschedulable', 'NoSchedule'],
    ])
      expect(spec.tolerations).toContainEqual({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect });
    expect(metadata.labels?.['controller-revision-hash']).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{6,10}$/);
    expect(bed.set().status).toMatchObject({
      currentNumberScheduled: 3,
      numberMisscheduled: 0,
      desiredNumberScheduled: 3,
      numberReady: 3,
      updatedNumberScheduled: 3,
      numberAvailable: 3,
      observedGeneration: 1,
    });
  });

  it('comes to a new node, and to a cordoned one', async () => {
    const bed = await started();
    bed.addNode('node-4');
    bed.taint('node-4', { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
    await bed.clock.advance(5_000);
    expect(bed.where()).toContain('node-4');
    expect(bed.set().status).toMatchObject({ desiredNumberScheduled: 4, numberReady: 4 });
  });

  it('makes a pod anew on its node, also a cordoned one, once the old one is gone', async () => {
    const bed = await started({}, { stop: 20_000 });
    bed.taint('node-2', { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
    const before = bed.podOn('node-2')?.metadata.name ?? '';
    bed.api.remove(pods, NAMESPACE, before);
    await bed.clock.advance(19_000);
    expect(bed.where()).toEqual(['node-1', 'node-3']);
    expect(bed.set().status).toMatchObject({ currentNumberScheduled: 3 });
    await bed.clock.advance(5_000);
    expect(bed.where()).toEqual(['node-1', 'node-2', 'node-3']);
    expect(bed.podOn('node-2')?.metadata.name).not.toBe(before);
  });

  it('goes only where selector and affinity say, and leaves a node that no longer fits', async () => {
    const bed = await started({ template: podTemplate(labels, 'agent:1', { nodeSelector: { disk: 'ssd' } }) });
    expect(bed.where()).toEqual([]);
    bed.label('node-1', { disk: 'ssd' });
    await bed.clock.advance(5_000);
    expect(bed.where()).toEqual(['node-1']);
    bed.label('node-1', {});
    await bed.clock.advance(5_000);
    expect(bed.pods()).toEqual([]);
    expect(bed.set().status).toMatchObject({ desiredNumberScheduled: 0, currentNumberScheduled: 0 });
  });

  it('stays under a NoSchedule taint that came later, goes under NoExecute, and comes to neither', async () => {
    const bed = await started();
    bed.taint('node-1', { key: 'mine', effect: 'NoSchedule' });
    bed.taint('node-2', { key: 'mine', effect: 'NoExecute' });
    await bed.clock.advance(5_000);
    expect(bed.where()).toEqual(['node-1', 'node-3']);
    expect(bed.set().status).toMatchObject({ desiredNumberScheduled: 1, numberMisscheduled: 1 });
    bed.api.remove(pods, NAMESPACE, bed.podOn('node-1')?.metadata.name ?? '');
    await bed.clock.advance(5_000);
    expect(bed.where()).toEqual(['node-3']);
  });

  it('replaces a pod that fails, and waits longer each time that it fails again at once', async () => {
    const bed = await started({}, { nodes: 1, stop: 0, start: 0 });
    let made = 0;
    bed.api.watch(pods, ({ type }) => {
      if (type === 'ADDED') made += 1;
    });
    for (let round = 0; round < 100; round += 1) {
      for (const name of bed.podNames()) bed.kubelet.finish(name, 'Failed');
      await bed.clock.advance(100);
    }
    // Ten seconds: at once, then after 1, 2 and 4 s.
    expect(made).toBeGreaterThan(2);
    expect(made).toBeLessThan(6);
  });

  it('deletes an unbound pod whose node went away', async () => {
    const bed = await started({}, { nodes: 1 });
    bed.api.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'gone' }, spec: {} });
    bed.taint('gone', { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
    bed.kubelet.stop();
    await bed.clock.advance(0);
    bed.api.remove(nodes, '', 'gone');
    await bed.clock.advance(5_000);
    expect(bed.where()).toEqual(['node-1']);
    expect(bed.pods()).toHaveLength(1);
  });

  it('counts a pod as available after minReadySeconds', async () => {
    const bed = await started({ minReadySeconds: 60 });
    expect(bed.set().status).toMatchObject({ numberReady: 3, numberUnavailable: 3 });
    await bed.clock.advance(60_000);
    expect(bed.set().status).toMatchObject({ numberAvailable: 3 });
    expect(bed.set().status?.numberUnavailable).toBeUndefined();
  });

  it('lets go of a pod whose label is taken away, and makes another', async () => {
    const bed = await started({}, { nodes: 1 });
    const [name = ''] = bed.podNames();
    bed.api.modify(pods, NAMESPACE, name, (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: {} } }));
    await bed.clock.advance(5_000);
    expect(bed.pod(name).metadata.ownerReferences).toBeUndefined();
    expect(bed.where()).toEqual(['node-1', 'node-1']);
  });
});

describe('the rolling update of a DaemonSet', () => {
  async function lowest(bed: Awaited<ReturnType<typeof started>>, action: () => void) {
    let available = Number.POSITIVE_INFINITY;
    let most = 0;
    const stop = bed.api.watch(pods, () => {
      const alive = bed.pods().filter(({ metadata }) => !metadata.deletionTimestamp);
      most = Math.max(most, alive.length);
      available = Math.min(
        available,
        alive.filter(({ status }) => conditionOf(status?.conditions, 'Ready')?.status === 'True').length,
      );
    });
    action();
    await bed.clock.advance(60_000);
    stop();
    return { available, most };
  }

  it.each([
    { limits: { maxUnavailable: 1 }, available: 3, most: 4 },
    { limits: { maxUnavailable: '50%' }, available: 2, most: 4 },
    { limits: { maxUnavailable: 0, maxSurge: 1 }, available: 4, most: 5 },
  ])('keeps to $limits', async ({ limits, ...bounds }) => {
    const bed = await started({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: limits } }, { nodes: 4 });
    expect(await lowest(bed, () => bed.setImage('agent:2'))).toEqual(bounds);
    expect(bed.images()).toEqual(['agent:2', 'agent:2', 'agent:2', 'agent:2']);
    expect(bed.set().status).toMatchObject({ updatedNumberScheduled: 4, numberAvailable: 4, observedGeneration: 2 });
  });

  it('goes on although a node of the old revision is down', async () => {
    const bed = await started({}, { becomesReady: ({ spec }) => spec.nodeName !== 'node-3' });
    bed.setImage('agent:2');
    await bed.clock.advance(30_000);
    expect(bed.podOn('node-3')?.spec.containers[0]?.image).toBe('agent:2');
    // Its replacement does not come up either and is the one that may be unavailable: the others wait.
    expect(bed.images()).toEqual(['agent:1', 'agent:1', 'agent:2']);
  });

  it('waits with OnDelete until somebody else deletes a pod', async () => {
    const bed = await started({ updateStrategy: { type: 'OnDelete' } });
    bed.setImage('agent:2');
    await bed.clock.advance(10_000);
    expect(bed.images()).toEqual(['agent:1', 'agent:1', 'agent:1']);
    bed.api.remove(pods, NAMESPACE, bed.podNames()[0] ?? '');
    await bed.clock.advance(10_000);
    expect(bed.images()).toEqual(['agent:1', 'agent:1', 'agent:2']);
    expect(bed.set().status).toMatchObject({ updatedNumberScheduled: 1 });
  });

  it('keeps revisions under the hash of their pods, as many as it is told', async () => {
    const bed = await started({ revisionHistoryLimit: 1 });
    for (const image of ['agent:2', 'agent:3']) {
      bed.setImage(image);
      await bed.clock.advance(30_000);
    }
    const known = bed.api.list(revisions, { namespace: NAMESPACE }).toSorted((a, b) => a.revision - b.revision);
    expect(known.map(({ revision }) => revision)).toEqual([2, 3]);
    const hash = bed.pods()[0]?.metadata.labels?.['controller-revision-hash'] ?? '';
    expect(known[1]?.metadata).toMatchObject({ name: `agent-${hash}`, labels: { 'controller-revision-hash': hash } });
  });
});

describe('a DaemonSet read from a snapshot', () => {
  it('does not roll, although its revisions did not come with it', async () => {
    const first = await started();
    const { clock, api } = createWorkloadBed({ nodes: 3, controllers: [] });
    const old = first.pods().map((pod): Pod => {
      const before = { ...pod.metadata.labels, 'controller-revision-hash': '5d4c7b9f6' };
      return { ...pod, metadata: { ...pod.metadata, labels: before } };
    });
    api.load([first.set(), ...old]);
    startDaemonSets(api);
    await clock.advance(60_000);
    const uids = (list: readonly Pod[]) => list.map(({ metadata }) => metadata.uid);
    expect(uids(api.list(pods, { namespace: NAMESPACE }))).toEqual(uids(old));
    expect(api.list(revisions).map(({ metadata }) => metadata.name)).toEqual(['agent-5d4c7b9f6']);
  });

  it('does not roll either when its revision was written by another version of Kubernetes, with other defaults', async () => {
    const first = await started();
    const { clock, api } = createWorkloadBed({ nodes: 3, controllers: [] });
    const [revision] = first.api.list(revisions);
    if (!revision) throw new Error('no revision');
    const older = { ...revision, data: { spec: { template: podTemplate(labels, 'agent:1') } } };
    api.load([first.set(), older, ...first.pods()]);
    startDaemonSets(api);
    await clock.advance(60_000);
    const uids = (list: readonly Pod[]) => list.map(({ metadata }) => metadata.uid);
    expect(uids(api.list(pods, { namespace: NAMESPACE }))).toEqual(uids(first.pods()));
    expect(api.list(revisions)).toHaveLength(1);
    api.remove(pods, NAMESPACE, first.podNames()[0] ?? '');
    await clock.advance(10_000);
    expect(api.list(pods, { namespace: NAMESPACE })).toHaveLength(3);
  });
});
