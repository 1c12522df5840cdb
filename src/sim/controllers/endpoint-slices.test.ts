import { describe, expect, it } from 'vitest';
import { endpointSlices, pods, services } from '../apiserver/kinds.ts';
import type { Endpoint, Pod, Service } from '../kubernetes.ts';
import { createClusterBed } from '../testing/cluster-bed.ts';
import { startEndpointSlices, type EndpointSliceOptions } from './endpoint-slices.ts';

function withService(spec: Partial<Service['spec']> = {}, options?: EndpointSliceOptions) {
  const bed = createClusterBed();
  startEndpointSlices(bed.api, options);
  bed.node('n1', { metadata: { labels: { 'topology.kubernetes.io/zone': 'z1' } } });
  bed.api.create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', labels: { team: 'shop' } },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
  });
  let ips = 0;
  const web = (name: string, ready = true, container: Pod['spec']['containers'][number] = { name: 'app', image: 'i' }) => {
    bed.pod(name, { labels: { app: 'web' }, spec: { nodeName: 'n1', containers: [container] } });
    const podIP = `10.0.0.${++ips}`;
    bed.api.modify(
      pods,
      'default',
      name,
      (each): Pod => ({ ...each, status: { ...each.status, podIP, podIPs: [{ ip: podIP }] } }),
      {
        subresource: 'status',
      },
    );
    bed.report(name, ready);
  };
  const slices = () => bed.api.list(endpointSlices, { namespace: 'default' });
  const states = () =>
    Object.fromEntries(
      slices().flatMap(({ endpoints }) => endpoints.map((each: Endpoint) => [each.targetRef?.name ?? '', states1(each)])),
    );
  return { ...bed, web, slices, states };
}

const states1 = ({ conditions }: Endpoint) =>
  ['ready', 'serving', 'terminating'].filter((name) => conditions?.[name as 'ready' | 'serving' | 'terminating']).join(' ');

describe('EndpointSlices', () => {
  it('list the pods of a Service with address, node, zone and conditions', async () => {
    const { web, pass, slices } = withService();
    web('a');
    await pass(1);
    expect(slices()).toHaveLength(1);
    expect(slices()[0]).toMatchObject({
      addressType: 'IPv4',
      metadata: {
        generateName: 'web-',
        labels: {
          team: 'shop',
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [{ kind: 'Service', name: 'web', controller: true }],
      },
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: 'n1',
          zone: 'z1',
          targetRef: { kind: 'Pod', namespace: 'default', name: 'a' },
        },
      ],
    });
  });

  it('keep a terminating pod as serving, and drop it when it has finished', async () => {
    const { api, web, report, pass, states } = withService();
    web('a');
    web('b', false);
    await pass(1);
    expect(states()).toEqual({ a: 'ready serving', b: '' });
    api.remove(pods, 'default', 'a');
    await pass(1);
    expect(states()).toEqual({ a: 'serving terminating', b: '' });
    report('a', false, 'Succeeded');
    await pass(1);
    expect(states()).toEqual({ b: '' });
  });

  it('publish addresses that are not ready where the Service says so', async () => {
    const { web, pass, states } = withService({ publishNotReadyAddresses: true });
    web('a', false);
    await pass(1);
    expect(states()).toEqual({ a: 'ready' });
  });

  it('follow a pod that loses and regains the label', async () => {
    const { api, web, pass, states } = withService();
    web('a');
    await pass(1);
    const label = (labels: Record<string, string>) =>
      api.modify(pods, 'default', 'a', (each) => ({ ...each, metadata: { ...each.metadata, labels } }));
    label({ app: 'other' });
    await pass(1);
    expect(states()).toEqual({});
    label({ app: 'web' });
    await pass(1);
    expect(states()).toEqual({ a: 'ready serving' });
  });

  it('have one slice per set of ports that named target ports come to', async () => {
    const { web, pass, slices } = withService({ ports: [{ port: 80, targetPort: 'http' }] });
    web('a', true, { name: 'app', image: 'i', ports: [{ name: 'http', containerPort: 8080 }] });
    web('b', true, { name: 'app', image: 'i', ports: [{ name: 'http', containerPort: 9090 }] });
    await pass(1);
    expect(
      slices()
        .map(({ ports, endpoints }) => `${ports?.[0]?.port} ${endpoints.length}`)
        .sort((a, b) => a.localeCompare(b)),
    ).toEqual(['8080 1', '9090 1']);
  });

  it('hold a hundred endpoints at most, and fill gaps before they grow', async () => {
    const { api, web, pass, slices } = withService({}, { mostPerSlice: 3 });
    for (let i = 0; i < 7; i++) web(`p${i}`);
    await pass(1);
    expect(
      slices()
        .map(({ endpoints }) => endpoints.length)
        .sort((a, b) => a - b),
    ).toEqual([1, 3, 3]);
    api.remove(pods, 'default', 'p0', { gracePeriodSeconds: 0 });
    web('new');
    await pass(1);
    expect(
      slices()
        .map(({ endpoints }) => endpoints.length)
        .sort((a, b) => a - b),
    ).toEqual([1, 3, 3]);
  });

  it('leave one empty slice for a Service without pods, and mark headless ones', async () => {
    const { pass, slices } = withService({ clusterIP: 'None' });
    await pass(1);
    expect(slices()).toHaveLength(1);
    expect(slices()[0]).toMatchObject({ endpoints: [], metadata: { labels: { 'service.kubernetes.io/headless': '' } } });
  });

  it('are put back when somebody deletes one', async () => {
    const { api, web, pass, slices, states } = withService();
    web('a');
    await pass(1);
    api.remove(endpointSlices, 'default', slices()[0]?.metadata.name ?? '');
    await pass(1);
    expect(states()).toEqual({ a: 'ready serving' });
  });

  it('wait for other changes when told to', async () => {
    const { web, pass, states } = withService({}, { batch: 1000 });
    await pass(2);
    web('a');
    await pass(0.5);
    expect(states()).toEqual({});
    await pass(1);
    expect(states()).toEqual({ a: 'ready serving' });
  });
});
