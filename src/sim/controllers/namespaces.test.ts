import { describe, expect, it } from 'vitest';
import { configMaps, namespaces, pods } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { KubeObject } from '../kubernetes.ts';
import { createClusterBed } from '../testing/cluster-bed.ts';
import { startNamespaces } from './namespaces.ts';

function withNamespace() {
  const bed = createClusterBed();
  startNamespaces(bed.api);
  bed.api.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const map = (name: string, finalizers: string[] = []) =>
    bed.api.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop', finalizers } });
  return { ...bed, map, read: () => bed.api.get(namespaces, '', 'shop') };
}

describe('a namespace that is deleted', () => {
  it('is emptied and goes', async () => {
    const { api, map, read, pass } = withNamespace();
    map('a');
    api.remove(namespaces, '', 'shop');
    expect(read()?.status?.phase).toBe('Terminating');
    await pass(4);
    expect(api.get(configMaps, 'shop', 'a')).toBeDefined();
    await pass(2);
    expect(api.get(configMaps, 'shop', 'a')).toBeUndefined();
    expect(read()).toBeUndefined();
  });

  it('says which finalizers it waits for', async () => {
    const { api, map, read, pass } = withNamespace();
    map('a', ['example.com/hold']);
    api.remove(namespaces, '', 'shop');
    await pass(6);
    expect(conditionOf(read()?.status?.conditions, 'NamespaceFinalizersRemaining')).toMatchObject({
      status: 'True',
      reason: 'SomeFinalizersRemain',
      message: 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    });
    expect(conditionOf(read()?.status?.conditions, 'NamespaceContentRemaining')?.message).toBe(
      'Some resources are remaining: configmaps. has 1 resource instances',
    );
    api.modify(configMaps, 'shop', 'a', (each: KubeObject) => ({ ...each, metadata: { ...each.metadata, finalizers: [] } }));
    await pass(30);
    expect(read()).toBeUndefined();
  });

  it('lets its pods end before it takes the rest', async () => {
    const { api, map, node, pod, read, pass } = withNamespace();
    node('n1');
    map('config');
    pod('a', { namespace: 'shop', spec: { nodeName: 'n1' } });
    api.remove(namespaces, '', 'shop');
    await pass(6);
    expect(api.get(pods, 'shop', 'a')?.metadata.deletionTimestamp).toBeDefined();
    expect(api.get(configMaps, 'shop', 'config')).toBeDefined();
    api.remove(pods, 'shop', 'a', { gracePeriodSeconds: 0 });
    await pass(60);
    expect(read()).toBeUndefined();
  });
});
