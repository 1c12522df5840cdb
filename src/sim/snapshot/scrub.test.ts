import { describe, expect, it } from 'vitest';
import * as kinds from '../apiserver/kinds.ts';
import { isPodReady } from '../conditions.ts';
import type { KubeObject, Node, Pod } from '../kubernetes.ts';
import { loaded, MINUTE, settled } from '../testing/snapshot-bed.ts';
import { scrubSnapshot } from './scrub.ts';
import type { Snapshot } from './snapshot.ts';

const secret = 'acme';

const scenario = {
  pools: [
    { name: 'acme-pool', count: 4, zones: ['zone-a', 'zone-b'], labels: { 'acme.example/rack': 'acme-r7', 'acme-tier': 'gold' } },
    {
      name: 'acme-gpu',
      count: 1,
      taints: [{ key: 'acme.example/only', value: 'acme-ml' }],
      size: { more: { 'acme.example/gpu': 2 } },
    },
  ],
  workloads: [
    {
      name: 'acme-shop',
      namespace: 'acme-prod',
      replicas: 6,
      budget: { maxUnavailable: 1 },
      service: { rate: 0 },
      pool: 'acme-pool',
    },
    { name: 'acme-db', kind: 'StatefulSet', replicas: 3, storage: '1Gi', service: { rate: 0 }, apart: 'node' },
    { name: 'acme-ml', kind: 'DaemonSet', pool: 'acme-gpu', requests: { 'acme.example/gpu': 1 } },
    { name: 'acme-report', kind: 'Job', runFor: '2h', labels: { 'acme.example/team': 'acme-bi' } },
  ],
};

const taken = () => settled(undefined, undefined, scenario);

const find = <T extends KubeObject>({ objects }: Snapshot, kind: string) =>
  objects.filter((each): each is T => each.kind === kind);

describe('a scrubbed snapshot', () => {
  it('has no name, address or image of the cluster in it', async () => {
    const snapshot = await taken();
    expect(JSON.stringify(snapshot)).toContain(secret);
    const text = JSON.stringify(scrubSnapshot({ ...snapshot, server: 'https://acme.example' }));
    expect(text).not.toContain(secret);
    const addresses = find<Pod>(snapshot, 'Pod').flatMap(({ status }) => status?.podIP ?? []);
    expect(addresses.length).toBeGreaterThan(5);
    for (const address of addresses) expect(text).not.toContain(`"${address}"`);
  });

  it('is the same cluster: nothing happens when it is loaded, and its pods are made anew as before', async () => {
    const snapshot = scrubSnapshot(await taken());
    const to = loaded(snapshot);
    await to.clock.advance(10 * MINUTE);
    expect(to.written()).toEqual([]);
    const before = to.api
      .list(kinds.pods)
      .map(({ spec }) => spec.containers[0]?.image ?? '')
      .sort();
    for (const { metadata } of to.api.list(kinds.pods)) to.api.remove(kinds.pods, metadata.namespace ?? '', metadata.name);
    await to.clock.advance(10 * MINUTE);
    expect(to.api.list(kinds.pods).filter((pod) => !isPodReady(pod))).toEqual([]);
    expect(
      to.api
        .list(kinds.pods)
        .map(({ spec }) => spec.containers[0]?.image ?? '')
        .sort(),
    ).toEqual(before);
    to.cluster.stop();
  });

  it('calls the same thing the same everywhere, and keeps zones, uids and ordinals', async () => {
    const snapshot = await taken();
    const scrubbed = scrubSnapshot(snapshot);
    const nodes = new Set(find<Node>(scrubbed, 'Node').map(({ metadata }) => metadata.name));
    for (const { spec } of find<Pod>(scrubbed, 'Pod')) expect(nodes).toContain(spec.nodeName);
    const [set] = find(scrubbed, 'StatefulSet');
    const members = find(scrubbed, 'Pod').filter(({ metadata }) => metadata.ownerReferences?.[0]?.kind === 'StatefulSet');
    expect(members.map(({ metadata }) => metadata.name).sort()).toEqual([0, 1, 2].map((at) => `${set?.metadata.name}-${at}`));
    const cpus = (of: Snapshot) => find<Node>(of, 'Node').map(({ status }) => status?.allocatable?.['cpu']);
    expect(cpus(scrubbed)).toEqual(cpus(snapshot));
    const zones = (of: Snapshot) => find(of, 'Node').map(({ metadata }) => metadata.labels?.['topology.kubernetes.io/zone']);
    expect(zones(scrubbed)).toEqual(zones(snapshot));
    const uids = (of: Snapshot) => of.objects.map(({ metadata }) => metadata.uid);
    expect(uids(scrubbed)).toEqual(uids(snapshot));
  });

  it('leaves out what Drover has under way, and names static pods after their scrubbed node', () => {
    const metadata = (name: string, more = {}) => ({
      name,
      uid: 'b243f7f2-b651-4c7a-9cd4-0ee671ddb0dd',
      resourceVersion: '',
      creationTimestamp: '2026-11-21T12:00:00Z',
      ...more,
    });
    const objects: KubeObject[] = [
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: metadata('ip-10-0-0-7.acme', {
          annotations: { 'drover.dev/maintenance': '{"by":"acme"}', 'acme.example/disk': 'bad' },
        }),
        spec: {
          unschedulable: true,
          providerID: 'aws:///acme',
          taints: [{ key: 'drover.dev/maintenance', effect: 'PreferNoSchedule' }],
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: metadata('kube-proxy-ip-10-0-0-7.acme', {
          namespace: 'kube-system',
          annotations: { 'kubernetes.io/config.mirror': 'x' },
        }),
        spec: { nodeName: 'ip-10-0-0-7.acme', containers: [] },
      },
      { apiVersion: 'drover.dev/v1alpha1', kind: 'NodeMaintenance', metadata: metadata('acme'), spec: {} },
    ];
    const { objects: out } = scrubSnapshot({ takenAt: 0, server: 'x', objects, missing: [] });
    expect(out.map(({ kind, metadata: { name } }) => `${kind} ${name}`)).toEqual(['Node node-1', 'Pod n5-n6-node-1']);
    expect(out[0]?.['spec']).toEqual({ unschedulable: true });
    expect(JSON.stringify(out)).not.toMatch(/acme|10-0-0-7|drover\.dev/);
  });
});
