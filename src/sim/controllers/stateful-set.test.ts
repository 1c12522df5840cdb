import { describe, expect, it } from 'vitest';
import { claims, pods, statefulSets } from '../apiserver/kinds.ts';
import type { Pod, StatefulSet } from '../kubernetes.ts';
import { createWorkloadBed, NAMESPACE, podTemplate, type WorkloadBedOptions } from '../testing/workload-bed.ts';
import { revisions } from './controller-revision.ts';
import { startStatefulSets } from './stateful-set.ts';

type Spec = StatefulSet['spec'];
const labels = { app: 'db' };

async function started(spec: Partial<Spec> = {}, options: Partial<WorkloadBedOptions> = {}, advance = 30_000) {
  const bed = createWorkloadBed({ controllers: [startStatefulSets], start: 1_000, stop: 500, ...options });
  const { api, clock } = bed;
  api.create(statefulSets, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: NAMESPACE },
    spec: { replicas: 3, serviceName: 'db', selector: { matchLabels: labels }, template: podTemplate(labels, 'db:1'), ...spec },
  });
  const seen: string[] = [];
  api.watch(pods, ({ type, object }) => {
    if (type !== 'MODIFIED') seen.push(`${type === 'ADDED' ? '+' : '-'}${object.metadata.name}`);
  });
  await clock.advance(advance);
  const set = () => {
    const found = api.get(statefulSets, NAMESPACE, 'db');
    if (!found) throw new Error('no set');
    return found;
  };
  const change = (to: (spec: Spec) => Spec) =>
    api.modify(statefulSets, NAMESPACE, 'db', (before): StatefulSet => ({ ...before, spec: to(before.spec) }));
  return {
    ...bed,
    set,
    change,
    /** Pods made and gone since the last time asked. */
    happened: () => seen.splice(0),
    setImage: (image: string) => change((before) => ({ ...before, template: podTemplate(labels, image) })),
    images: () => Object.fromEntries(bed.pods().map(({ metadata, spec: of }) => [metadata.name, of.containers[0]?.image])),
  };
}

describe('a StatefulSet', () => {
  it('makes its pods one after the other, each when the one before is ready, with their identity', async () => {
    const bed = await started({}, {}, 500);
    expect(bed.podNames()).toEqual(['db-0']);
    await bed.clock.advance(1_000);
    expect(bed.podNames()).toEqual(['db-0', 'db-1']);
    await bed.clock.advance(10_000);
    expect(bed.podNames()).toEqual(['db-0', 'db-1', 'db-2']);
    const revision = bed.set().status?.currentRevision as string;
    expect(bed.pod('db-1')).toMatchObject({
      metadata: {
        labels: {
          app: 'db',
          'statefulset.kubernetes.io/pod-name': 'db-1',
          'apps.kubernetes.io/pod-index': '1',
          'controller-revision-hash': revision,
        },
        ownerReferences: [{ kind: 'StatefulSet', name: 'db', controller: true }],
      },
      spec: { hostname: 'db-1', subdomain: 'db' },
    });
    expect(bed.pod('db-1').metadata.generateName).toBeUndefined();
    expect(bed.set().status).toEqual({
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
      currentRevision: revision,
      updateRevision: revision,
      collisionCount: 0,
    });
  });

  it('makes and removes all at once when it is Parallel', async () => {
    const bed = await started({ podManagementPolicy: 'Parallel' }, {}, 10);
    expect(bed.podNames()).toHaveLength(3);
    bed.change((spec) => ({ ...spec, replicas: 0 }));
    await bed.clock.advance(10);
    expect(bed.podNames()).toEqual([]);
  });

  it('counts from its first ordinal', async () => {
    const bed = await started({ replicas: 2, ordinals: { start: 5 } });
    expect(bed.podNames()).toEqual(['db-5', 'db-6']);
  });

  it('makes a deleted pod anew under its name, and not before the old one is gone', async () => {
    const bed = await started({}, { stop: 20_000 });
    const before = bed.pod('db-1').metadata.uid;
    bed.happened();
    bed.api.remove(pods, NAMESPACE, 'db-1');
    await bed.clock.advance(19_000);
    expect(bed.happened()).toEqual([]);
    await bed.clock.advance(10_000);
    expect(bed.happened()).toEqual(['-db-1', '+db-1']);
    expect(bed.pod('db-1').metadata.uid).not.toBe(before);
  });

  it('does not adopt a pod of its name that is being deleted, and makes its own when that is gone', async () => {
    const bed = createWorkloadBed({ controllers: [startStatefulSets], stop: 20_000 });
    const { api, clock } = bed;
    api.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'db-0', namespace: NAMESPACE, labels },
      spec: podTemplate(labels).spec,
    });
    await clock.advance(10);
    const { uid } = bed.pod('db-0').metadata;
    api.remove(pods, NAMESPACE, 'db-0');
    api.create(statefulSets, {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: NAMESPACE },
      spec: { replicas: 1, serviceName: 'db', selector: { matchLabels: labels }, template: podTemplate(labels) },
    });
    await clock.advance(10_000);
    expect(bed.pod('db-0').metadata.ownerReferences).toBeUndefined();
    await clock.advance(20_000);
    expect(bed.pod('db-0').metadata.uid).not.toBe(uid);
    expect(bed.pod('db-0').metadata.ownerReferences).toMatchObject([{ name: 'db' }]);
  });

  it('replaces a pod that has failed', async () => {
    const bed = await started();
    bed.happened();
    bed.kubelet.finish('db-2', 'Failed');
    await bed.clock.advance(5_000);
    expect(bed.happened()).toEqual(['-db-2', '+db-2']);
  });

  it('scales down from the highest ordinal, one at a time, each when the one before is gone', async () => {
    const bed = await started();
    bed.happened();
    bed.change((spec) => ({ ...spec, replicas: 1 }));
    await bed.clock.advance(10);
    expect(bed.podNames()).toEqual(['db-0', 'db-1']);
    await bed.clock.advance(10_000);
    expect(bed.happened()).toEqual(['-db-2', '-db-1']);
  });

  it('does not scale down while a pod that stays is unready', async () => {
    let broken = false;
    const bed = await started({}, { becomesReady: ({ metadata }) => !(broken && metadata.name === 'db-0') });
    broken = true;
    bed.api.remove(pods, NAMESPACE, 'db-0');
    await bed.clock.advance(5_000);
    bed.change((spec) => ({ ...spec, replicas: 2 }));
    await bed.clock.advance(10_000);
    expect(bed.podNames()).toEqual(['db-0', 'db-1', 'db-2']);
  });

  it('rolls from the highest ordinal down and names the new revision when it is done', async () => {
    const bed = await started();
    const old = bed.set().status?.currentRevision;
    bed.happened();
    bed.setImage('db:2');
    await bed.clock.advance(1_800);
    expect(bed.set().status).toMatchObject({ currentRevision: old });
    await bed.clock.advance(30_000);
    expect(bed.happened()).toEqual(['-db-2', '+db-2', '-db-1', '+db-1', '-db-0', '+db-0']);
    expect(bed.images()).toEqual({ 'db-0': 'db:2', 'db-1': 'db:2', 'db-2': 'db:2' });
    const { currentRevision, updateRevision, updatedReplicas } = bed.set().status ?? {};
    expect(currentRevision).toBe(updateRevision);
    expect(updateRevision).not.toBe(old);
    expect(updatedReplicas).toBe(3);
  });

  it('rolls one at a time also when it is Parallel', async () => {
    const bed = await started({ podManagementPolicy: 'Parallel' });
    bed.happened();
    bed.setImage('db:2');
    await bed.clock.advance(30_000);
    expect(bed.happened()).toEqual(['-db-2', '+db-2', '-db-1', '+db-1', '-db-0', '+db-0']);
  });

  it('leaves ordinals below the partition as they were, also when one of them is deleted', async () => {
    const bed = await started({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } });
    bed.happened();
    bed.setImage('db:2');
    await bed.clock.advance(20_000);
    expect(bed.happened()).toEqual(['-db-2', '+db-2']);
    expect(bed.images()).toEqual({ 'db-0': 'db:1', 'db-1': 'db:1', 'db-2': 'db:2' });
    bed.api.remove(pods, NAMESPACE, 'db-0');
    await bed.clock.advance(20_000);
    expect(bed.images()).toEqual({ 'db-0': 'db:1', 'db-1': 'db:1', 'db-2': 'db:2' });
    expect(bed.set().status).toMatchObject({ currentReplicas: 2, updatedReplicas: 1 });
  });

  it('waits with OnDelete until somebody else deletes a pod', async () => {
    const bed = await started({ updateStrategy: { type: 'OnDelete' } });
    bed.setImage('db:2');
    await bed.clock.advance(20_000);
    expect(bed.images()).toEqual({ 'db-0': 'db:1', 'db-1': 'db:1', 'db-2': 'db:1' });
    bed.api.remove(pods, NAMESPACE, 'db-1');
    await bed.clock.advance(20_000);
    expect(bed.images()).toEqual({ 'db-0': 'db:1', 'db-1': 'db:2', 'db-2': 'db:1' });
  });

  it('makes the claims of each pod, and finds them again for the next pod of that name', async () => {
    const bed = await started({
      replicas: 1,
      volumeClaimTemplates: [
        { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      ],
    });
    const claim = () => bed.api.get(claims, NAMESPACE, 'data-db-0');
    const uid = claim()?.metadata.uid;
    expect(claim()?.metadata.labels).toEqual(labels);
    expect(bed.pod('db-0').spec.volumes).toMatchObject([{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }]);
    bed.api.remove(pods, NAMESPACE, 'db-0');
    await bed.clock.advance(20_000);
    expect(bed.podNames()).toEqual(['db-0']);
    expect(claim()?.metadata.uid).toBe(uid);
  });

  it('keeps its templates as revisions that can be put back, numbered in the order of their use', async () => {
    const bed = await started({ revisionHistoryLimit: 1 });
    const known = () => bed.api.list(revisions, { namespace: NAMESPACE }).toSorted((a, b) => a.revision - b.revision);
    const image = (index: number) => known().at(index)?.data.spec.template.spec.containers[0]?.image;
    bed.setImage('db:2');
    await bed.clock.advance(30_000);
    expect(known().map(({ revision }) => revision)).toEqual([1, 2]);
    expect(known()[0]?.data.spec.template.$patch).toBe('replace');
    bed.setImage('db:1');
    await bed.clock.advance(30_000);
    expect(known().map(({ revision }) => revision)).toEqual([2, 3]);
    expect(image(-1)).toBe('db:1');
    bed.setImage('db:3');
    await bed.clock.advance(30_000);
    bed.setImage('db:4');
    await bed.clock.advance(30_000);
    expect(known().map(({ revision }) => revision)).toEqual([4, 5]);
  });

  it('waits minReadySeconds between two pods', async () => {
    const bed = await started({ minReadySeconds: 20 }, {}, 15_000);
    expect(bed.podNames()).toEqual(['db-0']);
    await bed.clock.advance(10_000);
    expect(bed.podNames()).toEqual(['db-0', 'db-1']);
  });
});

describe('a StatefulSet read from a snapshot', () => {
  it('does not roll, although the revision that its status names did not come with it', async () => {
    const first = await started();
    const { clock, api } = createWorkloadBed({ controllers: [] });
    const set = first.set();
    const named = 'db-5d4c7b9f6';
    const relabelled = first.pods().map(
      (pod): Pod => ({
        ...pod,
        metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, 'controller-revision-hash': named } },
      }),
    );
    api.load([{ ...set, status: { ...set.status, currentRevision: named, updateRevision: named } }, ...relabelled]);
    const uids = relabelled.map(({ metadata }) => metadata.uid);
    startStatefulSets(api);
    await clock.advance(60_000);
    expect(api.list(pods, { namespace: NAMESPACE }).map(({ metadata }) => metadata.uid)).toEqual(uids);
    expect(api.list(revisions).map(({ metadata }) => metadata.name)).toEqual([named]);
  });
});
