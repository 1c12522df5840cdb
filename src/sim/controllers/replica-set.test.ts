import { describe, expect, it } from 'vitest';
import { coreEvents, pods, replicaSets } from '../apiserver/kinds.ts';
import type { Pod, ReplicaSet } from '../kubernetes.ts';
import { createWorkloadBed, NAMESPACE, podTemplate, type WorkloadBedOptions } from '../testing/workload-bed.ts';
import { controllerOf } from './controller-ref.ts';
import { startReplicaSets } from './replica-set.ts';

const labels = { app: 'web', tier: 'front' };

async function started(replicas: number, options: Partial<WorkloadBedOptions> = {}, spec: Partial<ReplicaSet['spec']> = {}) {
  const bed = createWorkloadBed({ controllers: [startReplicaSets], ...options });
  bed.api.create(replicaSets, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: podTemplate(labels), ...spec },
  });
  await bed.clock.advance(1);
  const set = () => bed.api.get(replicaSets, NAMESPACE, 'web');
  const scale = (to: number) =>
    bed.api.modify(replicaSets, NAMESPACE, 'web', (rs) => ({ ...rs, spec: { ...rs.spec, replicas: to } }));
  const relabel = (name: string, to: Record<string, string>) =>
    bed.api.modify(pods, NAMESPACE, name, (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: to } }));
  return { ...bed, set, scale, relabel };
}

describe('a ReplicaSet', () => {
  it('makes its pods from the template, owned by it, and counts them', async () => {
    const { podNames, pod, set } = await started(3);
    expect(podNames()).toHaveLength(3);
    const [name = ''] = podNames();
    expect(name).toMatch(/^web-[a-z0-9]{5}$/);
    expect(pod(name).metadata).toMatchObject({
      labels,
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web', controller: true }],
    });
    expect(set()?.status).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
  });

  it('tells of the pods that it makes and deletes when it is asked to', async () => {
    const { api, scale, clock } = await started(1, { controllers: [(server) => startReplicaSets(server, { events: true })] });
    scale(0);
    await clock.advance(1);
    expect(api.list(coreEvents)).toMatchObject([
      { reason: 'SuccessfulCreate', type: 'Normal', involvedObject: { kind: 'ReplicaSet', name: 'web' }, count: 1 },
      { reason: 'SuccessfulDelete', message: expect.stringMatching(/^Deleted pod: web-\w{5}$/) },
    ]);
  });

  it('never makes more than asked for, however much it makes at once', async () => {
    const { podNames, api, clock } = await started(700);
    expect(podNames()).toHaveLength(700);
    await clock.advance(10_000);
    expect(api.count(pods)).toBe(700);
  });

  it('replaces a pod that is deleted while that pod still stops, and one that has failed', async () => {
    const { api, podNames, kubelet, clock, set } = await started(2, { stop: 5_000 });
    const [first = '', second = ''] = podNames();
    api.remove(pods, NAMESPACE, first);
    kubelet.finish(second, 'Failed');
    await clock.advance(10);
    expect(podNames().filter((name) => name !== second)).toHaveLength(2);
    expect(set()?.status).toMatchObject({ replicas: 2, readyReplicas: 2 });
    expect(api.count(pods)).toBe(4);
  });

  it('counts a pod as available once it has been ready for minReadySeconds, without anything else happening', async () => {
    const { clock, set } = await started(2, {}, { minReadySeconds: 30 });
    expect(set()?.status).toMatchObject({ readyReplicas: 2 });
    expect(set()?.status?.availableReplicas).toBeUndefined();
    await clock.advance(30_000);
    expect(set()?.status?.availableReplicas).toBe(2);
  });

  it('lets go of a pod whose label no longer matches and makes another, and takes it back with the label', async () => {
    const { podNames, pod, relabel, clock, set, api } = await started(2);
    const [name = ''] = podNames();
    await clock.advance(60_000);
    relabel(name, { app: 'detached', tier: 'front' });
    await clock.advance(1);
    expect(controllerOf(pod(name))).toBeUndefined();
    expect(set()?.status?.replicas).toBe(2);
    expect(api.count(pods)).toBe(3);
    relabel(name, labels);
    await clock.advance(1);
    expect(controllerOf(pod(name))?.uid).toBe(set()?.metadata.uid);
    // The replacement is the youngest and goes.
    expect(podNames()).toHaveLength(2);
    expect(podNames()).toContain(name);
  });

  it('does not adopt a pod that is being deleted, nor anything while it is being deleted itself', async () => {
    const { api, clock, podNames } = await started(1, { stop: 60_000 });
    const orphan = (name: string) =>
      api.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: NAMESPACE, labels: { app: 'other' } },
        spec: podTemplate({}).spec,
      });
    const adoptable = (name: string) =>
      api.modify(pods, NAMESPACE, name, (pod) => ({ ...pod, metadata: { ...pod.metadata, labels } }));
    orphan('leaving');
    orphan('late');
    await clock.advance(1);
    api.remove(pods, NAMESPACE, 'leaving');
    adoptable('leaving');
    await clock.advance(1);
    expect(api.get(pods, NAMESPACE, 'leaving')?.metadata.ownerReferences).toBeUndefined();
    api.modify(replicaSets, NAMESPACE, 'web', (rs) => ({ ...rs, metadata: { ...rs.metadata, finalizers: ['test/hold'] } }));
    api.remove(replicaSets, NAMESPACE, 'web');
    adoptable('late');
    await clock.advance(1);
    expect(api.get(pods, NAMESPACE, 'late')?.metadata.ownerReferences).toBeUndefined();
    expect(podNames()).toHaveLength(2);
  });

  it('says why it could not make its pods, goes on trying, and says so no more when it can', async () => {
    const bed = await started(0);
    const { api, clock, set, scale } = bed;
    api.create(replicaSets, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'bad', namespace: NAMESPACE },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'bad' } },
        template: podTemplate({ app: 'bad' }, 'web:1', { priorityClassName: 'missing' }),
      },
    });
    scale(1);
    await clock.advance(1_000);
    const bad = api.get(replicaSets, NAMESPACE, 'bad');
    expect(set()?.status?.replicas).toBe(1);
    expect(bad?.status?.conditions).toMatchObject([{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' }]);
  });
});

describe('scaling a ReplicaSet down', () => {
  it('takes the pod of the least deletion cost, then the younger', async () => {
    const bed = await started(1, { nodes: 1 });
    const { clock, scale, podNames, api } = bed;
    const annotate = (name: string, annotations: Record<string, string>) =>
      api.modify(pods, NAMESPACE, name, (pod): Pod => ({ ...pod, metadata: { ...pod.metadata, annotations } }));
    const [oldest = ''] = podNames();
    const grow = async (to: number) => {
      const before = new Set(podNames());
      scale(to);
      await clock.advance(100_000);
      return podNames().find((name) => !before.has(name)) ?? '';
    };
    await clock.advance(1_000_000);
    const middle = await grow(2);
    await clock.advance(300_000);
    const youngest = await grow(3);
    annotate(oldest, { 'controller.kubernetes.io/pod-deletion-cost': '-5' });
    scale(2);
    await clock.advance(1);
    expect(podNames()).not.toContain(oldest);
    scale(1);
    await clock.advance(1);
    expect(podNames()).toEqual([middle]);
    expect(youngest).not.toBe(middle);
  });

  it('thins out a node that carries two before one that carries one', async () => {
    const { podNames, pod, scale, clock } = await started(3, { nodes: 2 });
    scale(2);
    await clock.advance(1);
    expect(new Set(podNames().map((name) => pod(name).spec.nodeName)).size).toBe(2);
  });
});
