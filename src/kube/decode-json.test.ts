import { describe, expect, it } from 'vitest';
import { decodeNodeJson, decodePodJson } from './decode-json.ts';
import { BrokenFrame } from './proto-reader.ts';

const metadata = { name: 'web-0', namespace: 'shop', uid: 'u', resourceVersion: '5' };

describe('a Pod', () => {
  it('that names nothing gets what the API server would default', () => {
    expect(decodePodJson({ metadata })).toStrictEqual({
      ...metadata,
      labels: {},
      annotations: {},
      createdAt: 0,
      finalizers: [],
      nodeName: '',
      phase: 'Pending',
      ready: false,
      graceSeconds: 30,
      priority: 0,
      priorityClass: '',
      mirror: false,
      emptyDir: false,
      claims: [],
      hostPorts: [],
      affinityKeys: [],
    });
  });

  it('keeps our annotations, and of the others only whether it is a mirror', () => {
    const annotations = { 'drover.dev/a': '1', 'other/b': '2', 'kubernetes.io/config.mirror': 'x' };
    expect(decodePodJson({ metadata: { ...metadata, annotations } })).toMatchObject({
      annotations: { 'drover.dev/a': '1' },
      mirror: true,
    });
  });

  it('has the owner that controls it, not one that merely owns it', () => {
    const reference = (kind: string, controller: boolean) => ({ kind, name: 'n', uid: kind, controller });
    const ownerReferences = [reference('ConfigMap', false), reference('ReplicaSet', true)];
    expect(decodePodJson({ metadata: { ...metadata, ownerReferences } }).owner).toEqual({
      kind: 'ReplicaSet',
      name: 'n',
      uid: 'ReplicaSet',
    });
    expect(decodePodJson({ metadata: { ...metadata, ownerReferences: [reference('X', false)] } }).owner).toBeUndefined();
  });

  it('keeps a grace of zero apart from none', () => {
    expect(decodePodJson({ metadata, spec: { terminationGracePeriodSeconds: 0 } }).graceSeconds).toBe(0);
    const ending = { ...metadata, deletionTimestamp: '2026-01-02T03:04:05Z', deletionGracePeriodSeconds: 0 };
    expect(decodePodJson({ metadata: ending })).toMatchObject({
      deletedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
      deletionGraceSeconds: 0,
    });
  });

  it('is ready by its condition, and remembers since when', () => {
    const ready = (status: string) => ({ conditions: [{ type: 'Ready', status, lastTransitionTime: '2026-01-01T00:00:00Z' }] });
    expect(decodePodJson({ metadata, status: ready('True') })).toMatchObject({ ready: true, readyAt: Date.UTC(2026, 0, 1) });
    const not = decodePodJson({ metadata, status: ready('False') });
    expect(not.ready).toBe(false);
    expect(not).not.toHaveProperty('readyAt');
  });

  it('names what the scheduler and the kubelet complain of; an init container first', () => {
    const waiting = (reason: string) => [{ state: { running: {} } }, { state: { waiting: { reason } } }];
    const status = {
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }],
      containerStatuses: waiting('PodInitializing'),
      initContainerStatuses: waiting('CrashLoopBackOff'),
    };
    expect(decodePodJson({ metadata, status })).toMatchObject({ unschedulable: '0/3 nodes', waiting: 'CrashLoopBackOff' });
    const gated = { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message: 'x' }] };
    expect(decodePodJson({ metadata, status: gated })).not.toHaveProperty('unschedulable');
  });

  it('names its claims, also those of ephemeral volumes', () => {
    const volumes = [
      { name: 'a', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'scratch', ephemeral: {} },
      { name: 'tmp', emptyDir: {} },
    ];
    expect(decodePodJson({ metadata, spec: { volumes } })).toMatchObject({ claims: ['data', 'web-0-scratch'], emptyDir: true });
  });

  it('counts the host ports of containers and sidecars, not of init containers that end', () => {
    const ports = (...numbers: number[]) => numbers.map((hostPort) => ({ hostPort }));
    const spec = {
      containers: [{ ports: [...ports(9000, 80, 80), { containerPort: 1 }] }],
      initContainers: [{ ports: ports(70) }, { ports: ports(90), restartPolicy: 'Always' }],
    };
    expect(decodePodJson({ metadata, spec }).hostPorts).toEqual([80, 90, 9000]);
  });

  it('knows the label keys that its affinities and spread constraints look at', () => {
    const select = (key: string) => ({ labelSelector: { matchLabels: { [key]: 'x' } } });
    const spec = {
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [select('a')] },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              podAffinityTerm: {
                labelSelector: { matchExpressions: [{ key: 'b', operator: 'Exists' }] },
                mismatchLabelKeys: ['c'],
              },
            },
          ],
        },
        nodeAffinity: { ignored: true },
      },
      topologySpreadConstraints: [{ ...select('d'), matchLabelKeys: ['pod-template-hash'] }],
    };
    expect(decodePodJson({ metadata, spec }).affinityKeys).toEqual(['a', 'b', 'c', 'd', 'pod-template-hash']);
  });

  it('shares equal label sets', () => {
    const labelled = () => decodePodJson({ metadata: { ...metadata, labels: { app: 'web', tier: 'x' } } }).labels;
    expect(labelled()).toBe(labelled());
  });

  it.each([undefined, null, 'text', {}, { metadata: {} }])('is not %j', (object) => {
    expect(() => decodePodJson(object)).toThrow(BrokenFrame);
  });
});

describe('a Node', () => {
  it('keeps its taints, conditions, boot id, versions and all annotations', () => {
    const node = decodeNodeJson({
      metadata: { ...metadata, namespace: undefined, annotations: { 'any/thing': 'ü' }, labels: { zone: 'z' } },
      spec: {
        unschedulable: true,
        taints: [
          { key: 'k', effect: 'NoSchedule' },
          { key: 't', value: 'v', effect: 'NoExecute', timeAdded: '1970-01-01T00:00:01Z' },
        ],
      },
      status: {
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'KubeletReady',
            message: 'dropped',
            lastTransitionTime: '1970-01-01T00:00:02Z',
          },
          { type: 'VMEventScheduled', status: 'True', reason: 'VMEventScheduled', message: 'Preempt Scheduled: soon' },
        ],
        nodeInfo: {
          bootID: 'b',
          kubeletVersion: 'v1.34.1',
          osImage: 'Linux',
          kernelVersion: '6.1',
          containerRuntimeVersion: 'containerd://2',
        },
      },
    });
    expect(node).toStrictEqual({
      namespace: '',
      name: 'web-0',
      uid: 'u',
      resourceVersion: '5',
      labels: { zone: 'z' },
      annotations: { 'any/thing': 'ü' },
      createdAt: 0,
      unschedulable: true,
      taints: [
        { key: 'k', value: '', effect: 'NoSchedule' },
        { key: 't', value: 'v', effect: 'NoExecute', timeAdded: 1000 },
      ],
      conditions: [
        { type: 'Ready', status: 'True', reason: 'KubeletReady', lastTransition: 2000 },
        {
          type: 'VMEventScheduled',
          status: 'True',
          reason: 'VMEventScheduled',
          lastTransition: 0,
          message: 'Preempt Scheduled: soon',
        },
      ],
      ready: true,
      bootId: 'b',
      versions: { kubelet: 'v1.34.1', osImage: 'Linux', kernel: '6.1', containerRuntime: 'containerd://2' },
    });
  });

  it('is not ready when its condition is Unknown or missing', () => {
    expect(decodeNodeJson({ metadata, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }).ready).toBe(false);
    expect(decodeNodeJson({ metadata }).ready).toBe(false);
  });
});
