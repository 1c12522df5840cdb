import { describe, expect, it } from 'vitest';
import type { Taint } from '../../kubernetes.ts';
import {
  autoscalers,
  claims,
  clusterRoleBindings,
  configMaps,
  leases,
  namespaces,
  nodes,
  priorityClasses,
  secrets,
  services,
  storageClasses,
  volumeAttachments,
  volumes,
} from '../kinds.ts';
import { createApiBed, refusal } from '../testing/api-bed.ts';

describe('nodes', () => {
  it('begin with the taint that keeps pods off until they are ready', () => {
    const { make } = createApiBed();
    const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
    expect(make(nodes, 'a').spec).toEqual({ taints: [notReady] });
    const own: Taint = { key: 'a', effect: 'NoExecute' };
    expect(make(nodes, 'b', { spec: { taints: [own] } }).spec.taints).toEqual([own, notReady]);
    expect(make(nodes, 'c', { spec: { taints: [notReady] } }).spec.taints).toEqual([notReady]);
  });

  it.each<[string, object[], string]>([
    [
      'an unknown effect',
      [{ key: 'a', effect: 'Sometimes' }],
      'metadata.taints[0].effect: Unsupported value: "Sometimes": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
    ['no effect', [{ key: 'a' }], 'metadata.taints[0].effect: Required value'],
    [
      'a taint twice',
      [
        { key: 'a', value: '1', effect: 'NoSchedule' },
        { key: 'a', value: '2', effect: 'NoSchedule' },
      ],
      'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"2","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
    ],
  ])('are refused with %s', (_, taints, expected) => {
    const { api, make } = createApiBed();
    make(nodes, 'a');
    const write = () => api.modify(nodes, '', 'a', (node) => ({ ...node, spec: { taints: taints as Taint[] } }));
    expect(refusal(write)).toBe(`422 Invalid: Node "a" is invalid: ${expected}`);
  });

  it('keep the provider id that they have', () => {
    const { api, make } = createApiBed();
    make(nodes, 'a', { spec: { providerID: 'x' } });
    const write = () => api.modify(nodes, '', 'a', (node) => ({ ...node, spec: { ...node.spec, providerID: 'y' } }));
    expect(refusal(write)).toContain(
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    );
  });

  it('leave out that they are not cordoned', () => {
    const { api, make } = createApiBed();
    make(nodes, 'a', { spec: { unschedulable: true, podCIDR: '10.0.0.0/24' } });
    const back = api.modify(nodes, '', 'a', (node) => ({ ...node, spec: { ...node.spec, unschedulable: false } }));
    expect(back?.spec).not.toHaveProperty('unschedulable');
    expect(back?.spec.podCIDR).toBe('10.0.0.0/24');
  });

  it('take labels with their status, as kubelets write them', () => {
    const { api, make } = createApiBed();
    make(nodes, 'a');
    const node = api.modify(
      nodes,
      '',
      'a',
      (one) => ({ ...one, metadata: { ...one.metadata, labels: { a: 'b' } }, spec: {}, status: { capacity: { cpu: '1' } } }),
      { subresource: 'status' },
    );
    expect([node?.metadata.labels, node?.spec.taints?.length, node?.status]).toEqual([{ a: 'b' }, 1, { capacity: { cpu: '1' } }]);
  });
});

describe('services', () => {
  it('get an address of their own, and keep it', () => {
    const { api, make } = createApiBed();
    const [a, b] = ['a', 'b'].map((name) => make(services, name, { spec: { ports: [{ port: 80 }] } }));
    expect(a?.spec.clusterIP).toMatch(/^10\.96\.\d+\.\d+$/);
    expect(a?.spec.clusterIP).not.toBe(b?.spec.clusterIP);
    expect(a).toMatchObject({
      spec: {
        type: 'ClusterIP',
        sessionAffinity: 'None',
        clusterIPs: [a?.spec.clusterIP],
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      },
      status: { loadBalancer: {} },
    });
    const put = api.modify(services, 'default', 'a', (one) => ({ ...one, spec: { ports: [{ port: 81 }] } }));
    expect(put?.spec.clusterIP).toBe(a?.spec.clusterIP);
    const change = () =>
      api.modify(services, 'default', 'a', (one) => ({ ...one, spec: { ...one.spec, clusterIP: '10.96.0.1' } }));
    expect(refusal(change)).toBe(
      '422 Invalid: Service "a" is invalid: spec.clusterIPs[0]: Invalid value: "10.96.0.1": field is immutable',
    );
  });

  it('stay without one when headless, and get node ports where they are for the outside', () => {
    const { make } = createApiBed();
    expect(make(services, 'a', { spec: { clusterIP: 'None' } }).spec.clusterIP).toBe('None');
    const [port] = make(services, 'b', { spec: { type: 'NodePort', ports: [{ port: 80 }] } }).spec.ports ?? [];
    expect(port?.nodePort).toBeGreaterThanOrEqual(30000);
    expect(refusal(() => make(services, 'c', { spec: {} }))).toBe(
      '422 Invalid: Service "c" is invalid: spec.ports: Required value',
    );
  });
});

describe('storage', () => {
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

  it('gives a claim the default class, unless it asks for none', () => {
    const { make } = createApiBed();
    make(
      storageClasses,
      'usual',
      { provisioner: 'p' },
      { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    );
    expect(make(claims, 'a', { spec: claim })).toMatchObject({
      spec: { storageClassName: 'usual', volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    });
    expect(make(claims, 'b', { spec: { ...claim, storageClassName: '' } }).spec.storageClassName).toBe('');
  });

  it('lets a claim be bound once', () => {
    const { api, make } = createApiBed();
    make(claims, 'a', { spec: claim });
    const bind = (volumeName: string) => () =>
      api.modify(claims, 'default', 'a', (one) => ({ ...one, spec: { ...one.spec, volumeName } }));
    expect(bind('one')()?.spec.volumeName).toBe('one');
    expect(refusal(bind('other'))).toContain('spec: Forbidden: spec is immutable after creation except');
  });

  it('keeps the source of a volume and the spec of an attachment', () => {
    const { api, make } = createApiBed();
    make(volumes, 'a', { spec: { csi: { driver: 'd', volumeHandle: 'h' } } });
    expect(
      api.modify(volumes, '', 'a', (one) => ({ ...one, spec: { ...one.spec, claimRef: { namespace: 'n', name: 'c' } } })),
    ).toBeDefined();
    const write = () =>
      api.modify(volumes, '', 'a', (one) => ({ ...one, spec: { ...one.spec, csi: { driver: 'd', volumeHandle: 'i' } } }));
    expect(refusal(write)).toContain(
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
    );
    make(volumeAttachments, 'b', { spec: { attacher: 'd', nodeName: 'n', source: {} } });
    const move = () => api.modify(volumeAttachments, '', 'b', (one) => ({ ...one, spec: { ...one.spec, nodeName: 'm' } }));
    expect(refusal(move)).toContain('spec: Invalid value: {"attacher":"d","nodeName":"m","source":{}}: field is immutable');
  });

  it('keeps the parameters of a class', () => {
    const { api, make } = createApiBed();
    make(storageClasses, 'a', { provisioner: 'p' });
    expect(refusal(() => api.modify(storageClasses, '', 'a', (one) => ({ ...one, provisioner: 'q' })))).toBe(
      '422 Invalid: StorageClass.storage.k8s.io "a" is invalid: provisioner: Forbidden: updates to provisioner are forbidden.',
    );
  });
});

describe('kinds with few rules', () => {
  it('a namespace has its name as a label and the finalizer "kubernetes"', () => {
    const { make } = createApiBed();
    expect(make(namespaces, 'a')).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'a' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  it('a Secret is written as text and kept encoded', () => {
    const { make } = createApiBed();
    const secret = make(secrets, 'a', { stringData: { key: 'text' }, data: { other: 'eA==' } });
    expect(secret).toMatchObject({ type: 'Opaque', data: { key: 'dGV4dA==', other: 'eA==' } });
    expect(secret).not.toHaveProperty('stringData');
  });

  it('what says that it is immutable is', () => {
    const { api, make } = createApiBed();
    make(configMaps, 'a', { data: { a: 'b' }, immutable: true });
    expect(refusal(() => api.modify(configMaps, 'default', 'a', (one) => ({ ...one, data: {}, immutable: false })))).toBe(
      '422 Invalid: ConfigMap "a" is invalid: [immutable: Forbidden: field is immutable when `immutable` is set, data: Forbidden: field is immutable when `immutable` is set]',
    );
  });

  it('a priority class keeps its value, and only the system has the highest', () => {
    const { api, make } = createApiBed();
    make(priorityClasses, 'a', { value: 5 });
    expect(refusal(() => api.modify(priorityClasses, '', 'a', (one) => ({ ...one, value: 6 })))).toContain(
      'value: Forbidden: may not be changed in an update.',
    );
    expect(refusal(() => make(priorityClasses, 'b', { value: 1_000_000_001 }))).toContain(
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    );
  });

  it('a binding keeps its role', () => {
    const { api, make } = createApiBed();
    make(clusterRoleBindings, 'a', { roleRef: { name: 'x' } });
    expect(refusal(() => api.modify(clusterRoleBindings, '', 'a', (one) => ({ ...one, roleRef: { name: 'y' } })))).toContain(
      'roleRef: Invalid value: {"name":"y"}: cannot change roleRef',
    );
  });

  it('a Lease and an autoscaler want sensible figures', () => {
    const { make } = createApiBed();
    expect(refusal(() => make(leases, 'a', { spec: { leaseDurationSeconds: 0 } }))).toContain(
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    );
    const scaleTargetRef = { kind: 'Deployment', name: 'x' };
    expect(make(autoscalers, 'a', { spec: { scaleTargetRef, maxReplicas: 3 } }).spec.minReplicas).toBe(1);
    expect(refusal(() => make(autoscalers, 'b', { spec: { scaleTargetRef, minReplicas: 4, maxReplicas: 3 } }))).toContain(
      'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
    );
  });
});
