import { describe, expect, it } from 'vitest';
import { configMaps, pods, replicaSets } from '../apiserver/kinds.ts';
import type { KubeObject, OwnerReference } from '../kubernetes.ts';
import { createClusterBed, ownedBy } from '../testing/cluster-bed.ts';
import { startGarbageCollector } from './garbage.ts';

function withCollector() {
  const bed = createClusterBed();
  startGarbageCollector(bed.api);
  const map = (name: string, ownerReferences: OwnerReference[] = [], finalizers: string[] = []) =>
    bed.api.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default', ownerReferences, ...(finalizers.length > 0 && { finalizers }) },
    });
  const exists = (...names: string[]) => names.filter((name) => bed.api.get(configMaps, 'default', name));
  const read = (name: string) => bed.api.get(configMaps, 'default', name);
  const free = (name: string) =>
    bed.api.modify(configMaps, 'default', name, (each: KubeObject) => ({
      ...each,
      metadata: { ...each.metadata, finalizers: [] },
    }));
  return { ...bed, map, exists, read, free };
}

describe('the garbage collector', () => {
  it('deletes the dependents after their owner, in the background', async () => {
    const { api, map, exists, pass } = withCollector();
    const owner = map('owner');
    const child = map('child', [ownedBy(owner)]);
    map('grandchild', [ownedBy(child)]);
    api.remove(configMaps, 'default', 'owner');
    expect(exists('owner', 'child')).toEqual(['child']);
    await pass(1);
    expect(exists('child', 'grandchild')).toEqual([]);
  });

  it('deletes the dependents first, in the foreground, and waits for those that block', async () => {
    const { api, map, exists, read, free, pass } = withCollector();
    const owner = map('owner');
    map('blocking', [ownedBy(owner)], ['example.com/hold']);
    map('other', [ownedBy(owner, { blockOwnerDeletion: false })], ['example.com/hold']);
    api.remove(configMaps, 'default', 'owner', { propagation: 'Foreground' });
    await pass(1);
    expect(read('owner')?.metadata.finalizers).toEqual(['foregroundDeletion']);
    expect(read('blocking')?.metadata.deletionTimestamp).toBeDefined();
    free('blocking');
    await pass(1);
    expect(exists('owner', 'blocking', 'other')).toEqual(['other']);
  });

  it('goes down the whole tree in the foreground', async () => {
    const { api, map, exists, read, free, pass } = withCollector();
    const owner = map('owner');
    const child = map('child', [ownedBy(owner)]);
    map('grandchild', [ownedBy(child)], ['example.com/hold']);
    api.remove(configMaps, 'default', 'owner', { propagation: 'Foreground' });
    await pass(1);
    expect(read('child')?.metadata.finalizers).toEqual(['foregroundDeletion']);
    expect(exists('owner', 'child', 'grandchild')).toHaveLength(3);
    free('grandchild');
    await pass(1);
    expect(exists('owner', 'child', 'grandchild')).toEqual([]);
  });

  it('cuts the ties when the dependents are to be orphaned', async () => {
    const { api, map, exists, read, pass } = withCollector();
    map('child', [ownedBy(map('owner'))]);
    api.remove(configMaps, 'default', 'owner', { propagation: 'Orphan' });
    await pass(1);
    expect(exists('owner', 'child')).toEqual(['child']);
    expect(read('child')?.metadata.ownerReferences).toBeUndefined();
  });

  it('deletes what is created for an owner that is not there, or has another uid by now', async () => {
    const { map, exists, pass } = withCollector();
    const owner = map('owner');
    map('late', [{ ...ownedBy(owner), name: 'nobody', uid: 'x' }]);
    map('stale', [{ ...ownedBy(owner), uid: 'old' }]);
    await pass(1);
    expect(exists('late', 'stale')).toEqual([]);
  });

  it('keeps what has one living owner, without the ties to the dead', async () => {
    const { api, map, read, pass } = withCollector();
    const [a, b] = [map('a'), map('b')];
    map('child', [ownedBy(a), ownedBy(b, { controller: false })]);
    api.remove(configMaps, 'default', 'a');
    await pass(1);
    expect(read('child')?.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['b']);
  });

  it('leaves alone what an unknown kind owns', async () => {
    const { map, exists, pass } = withCollector();
    map('child', [{ apiVersion: 'example.com/v1', kind: 'Thing', name: 't', uid: 'u' }]);
    await pass(60);
    expect(exists('child')).toEqual(['child']);
  });

  it('takes the pods of a deleted ReplicaSet with it', async () => {
    const { api, replicaSet, pod, pass } = withCollector();
    const owner = replicaSet('web', 1);
    pod('web-1', { ownerReferences: [ownedBy(owner)] });
    api.remove(replicaSets, 'default', 'web');
    await pass(1);
    expect(api.get(pods, 'default', 'web-1')).toBeUndefined();
  });
});
