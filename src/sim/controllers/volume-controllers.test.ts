import { describe, expect, it } from 'vitest';
import { claims, nodes, pods, storageClasses, volumeAttachments, volumes } from '../apiserver/kinds.ts';
import { startKubelets } from '../kubelet/kubelets.ts';
import { instantSteps } from '../kubelet/timing.ts';
import { createClusterBed } from '../testing/cluster-bed.ts';
import { startAttachDetach } from './attach-detach.ts';
import { startVolumeBinding } from './volume-binding.ts';

const ZONE = 'topology.kubernetes.io/zone';
const quick = { least: 1000, spread: 0 };

function withVolumes(mode: 'Immediate' | 'WaitForFirstConsumer' = 'Immediate') {
  const bed = createClusterBed();
  const { api } = bed;
  startVolumeBinding(api, { provision: quick });
  startAttachDetach(api, { attach: quick, detach: { least: 5000, spread: 0 } });
  const kubelets = startKubelets(api, { steps: instantSteps, heartbeats: false, waitForAttachments: true });
  for (const name of ['n1', 'n2']) bed.node(name, { metadata: { labels: { [ZONE]: `zone-${name}` } } });
  api.create(storageClasses, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fast' },
    provisioner: 'disk.csi.example.com',
    volumeBindingMode: mode,
  });
  const claim = (name: string) =>
    api.create(claims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'default' },
      spec: { storageClassName: 'fast', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
  const readClaim = (name: string) => api.get(claims, 'default', name);
  const pod = (name: string, node: string) =>
    bed.pod(name, { spec: { nodeName: node, volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] } });
  const silent = () => {
    kubelets.stopNode('n1');
    api.modify(
      nodes,
      '',
      'n1',
      (each) => ({ ...each, status: { ...each.status, conditions: [{ type: 'Ready', status: 'Unknown' as const }] } }),
      { subresource: 'status' },
    );
  };
  const ephemeralPod = (name: string) => {
    const ephemeral = {
      volumeClaimTemplate: {
        spec: { storageClassName: 'fast', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    };
    bed.pod(name, { spec: { nodeName: 'n1', volumes: [{ name: 'scratch', ephemeral }] } });
  };
  const attached = () => api.list(volumeAttachments).map(({ spec, status }) => `${spec.nodeName} ${status?.attached}`);
  return { ...bed, kubelets, claim, readClaim, pod, ephemeralPod, attached, silent };
}

describe('a claim', () => {
  it('gets a volume made for it, in one zone', async () => {
    const { api, claim, readClaim, pass } = withVolumes();
    claim('data');
    await pass(2);
    expect(readClaim('data')?.status?.phase).toBe('Bound');
    const volume = api.get(volumes, '', readClaim('data')?.spec.volumeName ?? '');
    expect(volume?.status?.phase).toBe('Bound');
    expect(volume?.spec.claimRef).toMatchObject({ namespace: 'default', name: 'data' });
    expect(volume?.spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.key).toBe(ZONE);
  });

  it('waits for the node of its first consumer, and is made in its zone', async () => {
    const { api, claim, readClaim, pass } = withVolumes('WaitForFirstConsumer');
    claim('data');
    await pass(60);
    expect(readClaim('data')?.spec.volumeName).toBeUndefined();
    api.modify(claims, 'default', 'data', (each) => ({
      ...each,
      metadata: { ...each.metadata, annotations: { 'volume.kubernetes.io/selected-node': 'n2' } },
    }));
    await pass(2);
    const volume = api.get(volumes, '', readClaim('data')?.spec.volumeName ?? '');
    expect(volume?.spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values).toEqual(['zone-n2']);
  });

  it('takes a free volume that fits before one is made, and gives it back as Released', async () => {
    const { api, claim, readClaim, pass } = withVolumes();
    for (const [name, storage] of [
      ['small', '500Mi'],
      ['large', '10Gi'],
      ['right', '2Gi'],
    ] as const)
      api.create(volumes, {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name },
        spec: {
          storageClassName: 'fast',
          accessModes: ['ReadWriteOnce'],
          capacity: { storage },
          persistentVolumeReclaimPolicy: 'Retain',
        },
      });
    claim('data');
    await pass(2);
    expect(readClaim('data')?.spec.volumeName).toBe('right');
    api.remove(claims, 'default', 'data');
    await pass(1);
    expect(api.get(volumes, '', 'right')?.status?.phase).toBe('Released');
  });

  it('takes its volume with it when the class says Delete', async () => {
    const { api, claim, pass } = withVolumes();
    claim('data');
    await pass(2);
    api.remove(claims, 'default', 'data');
    await pass(1);
    expect(api.count(volumes)).toBe(0);
  });

  it('is made for a generic ephemeral volume', async () => {
    const { ephemeralPod, readClaim, readPod, pass } = withVolumes();
    ephemeralPod('a');
    await pass(5);
    expect(readClaim('a-scratch')?.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Pod', name: 'a' });
    expect(readPod('a')?.status?.phase).toBe('Running');
  });
});

describe('a volume', () => {
  it('is attached before the pod starts, and detached after it has gone', async () => {
    const { api, claim, pod, readPod, attached, pass } = withVolumes();
    claim('data');
    await pass(2);
    pod('a', 'n1');
    await pass(0.5);
    expect(attached()).toEqual(['n1 false']);
    expect(readPod('a')?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('ContainerCreating');
    await pass(1);
    expect(attached()).toEqual(['n1 true']);
    expect(readPod('a')?.status?.phase).toBe('Running');
    api.remove(pods, 'default', 'a');
    await pass(4);
    expect(attached()).toEqual(['n1 true']);
    await pass(2);
    expect(attached()).toEqual([]);
  });

  it('for one node at a time moves only after the other node has let go of it', async () => {
    const { api, claim, pod, readPod, attached, pass } = withVolumes();
    claim('data');
    pod('a', 'n1');
    await pass(5);
    pod('b', 'n2');
    await pass(60);
    expect(attached()).toEqual(['n1 true']);
    expect(readPod('b')?.status?.phase).toBe('Pending');
    api.remove(pods, 'default', 'a');
    await pass(8);
    expect(attached()).toEqual(['n2 true']);
    expect(readPod('b')?.status?.phase).toBe('Running');
  });

  it('stays for six minutes with a node that does not answer', async () => {
    const { api, claim, pod, attached, silent, pass } = withVolumes();
    claim('data');
    pod('a', 'n1');
    await pass(5);
    silent();
    api.remove(pods, 'default', 'a', { gracePeriodSeconds: 0 });
    await pass(300);
    expect(attached()).toEqual(['n1 true']);
    await pass(70);
    expect(attached()).toEqual([]);
  });

  it('is taken from a node that is out of service, or gone, without that wait', async () => {
    const { api, claim, pod, attached, silent, pass } = withVolumes();
    claim('data');
    pod('a', 'n1');
    await pass(5);
    silent();
    api.remove(pods, 'default', 'a', { gracePeriodSeconds: 0 });
    await pass(60);
    expect(attached()).toEqual(['n1 true']);
    const taints = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' as const }];
    api.modify(nodes, '', 'n1', (each) => ({ ...each, spec: { ...each.spec, taints } }));
    await pass(6);
    expect(attached()).toEqual([]);
  });
});
