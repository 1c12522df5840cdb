import { describe, expect, it } from 'vitest';
import type { Container, Pod, PodSpec } from '../../kubernetes.ts';
import { deployments, pods, priorityClasses, replicaSets } from '../kinds.ts';
import { createApiBed, refusal } from '../testing/api-bed.ts';

const app: Container = { name: 'app', image: 'app:1' };

describe('a new pod', () => {
  it('gets the defaults, the tolerations and the priority of every pod', () => {
    const { pod } = createApiBed();
    const made = pod('x');
    expect(made.spec).toEqual({
      containers: [
        {
          name: 'app',
          image: 'app:1',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
      serviceAccountName: 'default',
      serviceAccount: 'default',
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
    });
    expect(made.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });

  it.each([
    ['app', 'Always'],
    ['app:latest', 'Always'],
    ['registry:5000/app', 'Always'],
    ['registry:5000/app:1', 'IfNotPresent'],
    ['app@sha256:abc', 'IfNotPresent'],
  ])('pulls %s: %s', (image, policy) => {
    const { pod } = createApiBed();
    expect(pod('x', { containers: [{ name: 'app', image }] }).spec.containers[0]).toMatchObject({ imagePullPolicy: policy });
  });

  it('fills in probes, ports, volumes, and requests from limits', () => {
    const { pod } = createApiBed();
    const { spec } = pod('x', {
      hostNetwork: true,
      containers: [
        {
          ...app,
          ports: [{ containerPort: 80 }],
          readinessProbe: { httpGet: { port: 80 } },
          resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
        },
      ],
      volumes: [{ name: 'scratch' }, { name: 'config', configMap: { name: 'c' } }],
    });
    expect(spec.containers[0]).toMatchObject({
      ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
      readinessProbe: {
        httpGet: { port: 80, path: '/', scheme: 'HTTP' },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
      resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } },
    });
    expect(spec.volumes).toEqual([
      { name: 'scratch', emptyDir: {} },
      { name: 'config', configMap: { name: 'c', defaultMode: 420 } },
    ]);
  });

  it.each<[string, Container['resources'], string]>([
    ['nothing', {}, 'BestEffort'],
    ['requests only', { requests: { cpu: '1' } }, 'Burstable'],
    ['equal limits', { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1000m', memory: '1024Mi' } }, 'Guaranteed'],
    ['limits only', { limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    ['a higher limit', { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } }, 'Burstable'],
    ['one limit', { limits: { cpu: '1' } }, 'Burstable'],
    ['disks', { requests: { 'ephemeral-storage': '1Gi' } }, 'BestEffort'],
  ])('with %s is of its quality of service', (_, resources, quality) => {
    const { pod } = createApiBed();
    expect(pod('x', { containers: [{ ...app, resources: resources ?? {} }] }).status?.qosClass).toBe(quality);
  });

  it('tolerates a node that is not ready for as long as it says itself', () => {
    const { pod } = createApiBed();
    const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 } as const;
    expect(pod('x', { tolerations: [own] }).spec.tolerations?.map(({ tolerationSeconds }) => tolerationSeconds)).toEqual([
      5, 300,
    ]);
    const all = [{ operator: 'Exists' }] as const;
    expect(pod('y', { tolerations: all }).spec.tolerations).toEqual(all);
  });

  it('has the priority of its class', () => {
    const { make, pod } = createApiBed();
    expect(pod('x', { priorityClassName: 'system-node-critical' }).spec.priority).toBe(2_000_001_000);
    expect(refusal(() => pod('y', { priorityClassName: 'none' }))).toBe(
      '403 Forbidden: pods "y" is forbidden: no PriorityClass with name none was found',
    );
    expect(refusal(() => pod('y', { priority: 7 }))).toBe(
      '403 Forbidden: pods "y" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    );
    make(priorityClasses, 'usual', { value: 5, globalDefault: true, preemptionPolicy: 'Never' });
    expect(pod('z').spec).toMatchObject({ priority: 5, priorityClassName: 'usual', preemptionPolicy: 'Never' });
  });

  it('says that it is gated', () => {
    const { pod } = createApiBed();
    expect(pod('x', { schedulingGates: [{ name: 'a/b' }] }).status?.conditions).toEqual([
      {
        type: 'PodScheduled',
        status: 'False',
        lastProbeTime: null,
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
        lastTransitionTime: '2030-01-01T00:00:00Z',
      },
    ]);
  });

  it('shares its spec with the other pods of its template', () => {
    const { pod } = createApiBed();
    const template: PodSpec = { containers: [app] };
    const [one, other] = [pod('x', template), pod('y', template)];
    expect(other.spec.containers).toEqual(one.spec.containers);
    const { make, api } = createApiBed();
    make(pods, 'x', { spec: template });
    make(pods, 'y', { spec: template });
    const [a, b] = api.list(pods);
    expect(a?.spec).toBe(b?.spec);
  });

  it.each<[string, Partial<PodSpec>, string]>([
    ['no container', { containers: [] }, 'spec.containers: Required value'],
    ['no image', { containers: [{ name: 'app' }] }, 'spec.containers[0].image: Required value'],
    ['two containers of a name', { containers: [app, app] }, 'spec.containers[1].name: Duplicate value: "app"'],
    [
      'a volume that is not there',
      { containers: [{ ...app, volumeMounts: [{ name: 'v', mountPath: '/v' }] } as Container] },
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      'more requested than it may have',
      { containers: [{ ...app, resources: { requests: { cpu: '2' }, limits: { cpu: '1500m' } } }] },
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1500m',
    ],
    [
      'a share of a device',
      { containers: [{ ...app, resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '2' } } }] },
      'spec.containers[0].resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2',
    ],
    [
      'another restart policy',
      { restartPolicy: 'Sometimes' as never },
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ],
    [
      'a wrong toleration',
      { tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] },
      'spec.tolerations[0].operator: Invalid value: "b": value must be empty when `operator` is \'Exists\'',
    ],
    [
      'a toleration of seconds that evicts nobody',
      { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 1 }] },
      'spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
    ],
    [
      'a node while it is gated',
      { nodeName: 'a', schedulingGates: [{ name: 'a' }] },
      'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
    ],
  ])('is refused with %s', (_, spec, expected) => {
    const { pod } = createApiBed();
    expect(refusal(() => pod('x', spec))).toBe(`422 Invalid: Pod "x" is invalid: ${expected}`);
  });
});

describe('changing a pod', () => {
  const change = (to: (spec: PodSpec) => PodSpec, spec: Partial<PodSpec> = {}) => {
    const { api, pod } = createApiBed();
    pod('x', spec);
    return () => api.modify(pods, 'default', 'x', (one) => ({ ...one, spec: to(one.spec) }));
  };

  it.each<[string, (spec: PodSpec) => PodSpec, Partial<PodSpec>]>([
    ['image', (spec) => ({ ...spec, containers: [{ ...spec.containers[0], name: 'app', image: 'app:2' }] }), {}],
    ['deadline, downwards', (spec) => ({ ...spec, activeDeadlineSeconds: 5 }), { activeDeadlineSeconds: 9 }],
    [
      'tolerations, more of them',
      (spec) => ({ ...spec, tolerations: [...(spec.tolerations ?? []), { key: 'a', operator: 'Exists' }] }),
      {},
    ],
    ['gates, fewer of them', (spec) => ({ ...spec, schedulingGates: [] }), { schedulingGates: [{ name: 'a' }] }],
    ['node selector while gated', (spec) => ({ ...spec, nodeSelector: { a: 'b' } }), { schedulingGates: [{ name: 'a' }] }],
  ])('may change its %s, which counts a generation', (_, to, spec) => {
    expect(change(to, spec)()?.metadata.generation).toBe(2);
  });

  it.each<[string, (spec: PodSpec) => PodSpec, Partial<PodSpec>, string]>([
    [
      'node',
      (spec) => ({ ...spec, nodeName: 'a' }),
      {},
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`',
    ],
    [
      'node selector',
      (spec) => ({ ...spec, nodeSelector: { a: 'b' } }),
      {},
      'spec: Forbidden: pod updates may not change fields other than',
    ],
    [
      'containers',
      (spec) => ({ ...spec, containers: [app, { ...app, name: 'b' }] }),
      {},
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ],
    [
      'tolerations to fewer',
      (spec) => ({ ...spec, tolerations: [] }),
      { tolerations: [{ key: 'a', operator: 'Exists' }] },
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ],
    [
      'gates to more',
      (spec) => ({ ...spec, schedulingGates: [{ name: 'b' }] }),
      {},
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'",
    ],
    [
      'deadline upwards',
      (spec) => ({ ...spec, activeDeadlineSeconds: 9 }),
      { activeDeadlineSeconds: 5 },
      'spec.activeDeadlineSeconds: Invalid value: 9: must be less than or equal to previous value',
    ],
  ])('may not change its %s', (_, to, spec, expected) => {
    expect(refusal(change(to, spec))).toContain(`422 Invalid: Pod "x" is invalid: ${expected}`);
  });

  it('keeps what admission put in when a writer leaves it out', () => {
    const { api, pod } = createApiBed();
    const { spec } = pod('x');
    const { priority: _, preemptionPolicy: __, tolerations: ___, ...rest } = spec;
    expect(api.modify(pods, 'default', 'x', (one) => ({ ...one, spec: rest }))?.spec).toEqual(spec);
  });

  it('keeps owners, quality of service and observed generations at a status write', () => {
    const { api, pod } = createApiBed();
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'u' };
    pod('x', {}, { ownerReferences: [owner] });
    const write = (status: Pod['status']) =>
      api.modify(
        pods,
        'default',
        'x',
        (one) => ({ ...one, metadata: { ...one.metadata, ownerReferences: [] }, status: status ?? {} }),
        {
          subresource: 'status',
        },
      );
    const ready = { type: 'Ready', status: 'True' } as const;
    write({ phase: 'Running', observedGeneration: 1, conditions: [{ ...ready, observedGeneration: 1 }] });
    const after = write({ phase: 'Running', conditions: [{ ...ready, reason: 'Again' }] });
    expect(after?.metadata.ownerReferences).toEqual([owner]);
    expect(after?.status).toEqual({
      phase: 'Running',
      qosClass: 'BestEffort',
      observedGeneration: 1,
      conditions: [{ ...ready, reason: 'Again', observedGeneration: 1 }],
    });
    expect(refusal(() => write({ qosClass: 'Guaranteed' }))).toBe(
      '422 Invalid: Pod "x" is invalid: status.qosClass: Invalid value: "Guaranteed": field is immutable',
    );
  });
});

describe('a template', () => {
  it('gets the defaults that do not belong to the pod alone', () => {
    const { make } = createApiBed();
    const container = { ...app, resources: { limits: { cpu: '1' } } };
    const spec = {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } },
    };
    for (const kind of [deployments, replicaSets]) {
      const { template } = make(kind as typeof deployments, 'x', { spec }).spec;
      expect(template.spec).toMatchObject({ restartPolicy: 'Always', terminationGracePeriodSeconds: 30 });
      expect(template.spec.containers[0]?.resources).toEqual({ limits: { cpu: '1' } });
      expect(template.spec).not.toHaveProperty('enableServiceLinks');
      expect(template.spec).not.toHaveProperty('tolerations');
    }
  });
});
