import { describe, expect, it } from 'vitest';
import * as drover from '../../kube/kinds.ts';
import * as kinds from '../apiserver/kinds.ts';
import { createReducer } from './reduce.ts';

const at = '2026-11-21T12:00:00Z';

const metadata = (name: string, more: object = {}) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '7',
  creationTimestamp: at,
  labels: { app: 'web' },
  managedFields: [{ manager: 'kubectl' }],
  ...more,
});

const spec = {
  nodeName: 'w1',
  containers: [
    {
      name: 'app',
      image: 'app:1',
      command: ['secret-command'],
      env: [{ name: 'TOKEN', value: 'secret-env' }],
      ports: [{ containerPort: 8080, hostPort: 8080, protocol: 'TCP' }],
      readinessProbe: { httpGet: { path: '/secret-path', port: 8080 }, periodSeconds: 5 },
      lifecycle: { preStop: { sleep: { seconds: 7 } }, postStart: { exec: { command: ['secret-hook'] } } },
      volumeMounts: [{ name: 'data', mountPath: '/secret-mount' }],
      terminationMessagePath: '/dev/termination-log',
    },
  ],
  volumes: [
    { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    { name: 'scratch', emptyDir: { medium: 'Memory' } },
    { name: 'own', ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } } },
    { name: 'secret-volume', secret: { secretName: 'secret-name' } },
    { name: 'config', configMap: { name: 'secret-config' } },
  ],
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } } }],
    },
  },
  priority: 10,
  priorityClassName: 'high',
  terminationGracePeriodSeconds: 45,
  securityContext: { runAsUser: 1000 },
  imagePullSecrets: [{ name: 'secret-pull' }],
};

const pod = {
  metadata: metadata('web-1', {
    namespace: 'shop',
    finalizers: ['example.com/hold'],
    annotations: { 'drover.dev/handover': '{}', 'kubernetes.io/config.mirror': 'x', 'example.com/note': 'secret-note' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'uid-rs', controller: true }],
    deletionTimestamp: at,
    deletionGracePeriodSeconds: 0,
  }),
  spec,
  status: {
    phase: 'Running',
    conditions: [
      { type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: at },
      { type: 'Initialized', status: 'True', lastTransitionTime: at },
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no room', lastTransitionTime: at },
    ],
    containerStatuses: [
      {
        name: 'app',
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'secret-message' } },
      },
    ],
  },
};

const withoutVersion = (object: object | undefined) => ({ ...object, resourceVersion: '' });

describe('a reduced object', () => {
  it.each([
    ['pod', drover.pods, kinds.pods, pod],
    [
      'node',
      drover.nodes,
      kinds.nodes,
      {
        metadata: metadata('w1', { annotations: { 'example.com/reason': 'disk' } }),
        spec: { unschedulable: true, taints: [{ key: 'a', effect: 'NoSchedule', timeAdded: at }] },
        status: {
          conditions: [
            { type: 'Ready', status: 'False', reason: 'KubeletStopped', lastTransitionTime: at, lastHeartbeatTime: at },
          ],
          nodeInfo: { bootID: 'b', kernelVersion: '6', machineID: 'm' },
          images: [{ names: ['x'], sizeBytes: 1 }],
        },
      },
    ],
    [
      'budget',
      drover.budgets,
      kinds.budgets,
      {
        metadata: metadata('web', { namespace: 'shop', generation: 2 }),
        spec: { minAvailable: '50%', selector: { matchLabels: { app: 'web' } } },
        status: {
          disruptionsAllowed: 1,
          currentHealthy: 3,
          desiredHealthy: 2,
          expectedPods: 3,
          observedGeneration: 2,
          disruptedPods: { a: at },
        },
      },
    ],
    [
      'replica set',
      drover.replicaSets,
      kinds.replicaSets,
      {
        metadata: metadata('web', { namespace: 'shop' }),
        spec: { replicas: 3, minReadySeconds: 5, selector: { matchLabels: { app: 'web' } }, template: { spec } },
      },
    ],
    [
      'network policy',
      drover.networkPolicies,
      kinds.networkPolicies,
      {
        metadata: metadata('p', { namespace: 'shop' }),
        spec: {
          podSelector: { matchLabels: { a: 'b' } },
          ingress: [{ from: [{ podSelector: { matchLabels: { c: 'd' } } }, { ipBlock: { cidr: '10.0.0.0/8' } }] }],
        },
      },
    ],
    [
      'claim',
      drover.claims,
      kinds.claims,
      {
        metadata: metadata('data', { namespace: 'shop' }),
        spec: { accessModes: ['ReadWriteOnce'], volumeName: 'pv-1' },
        status: { phase: 'Bound' },
      },
    ],
    [
      'slice',
      drover.endpointSlices,
      kinds.endpointSlices,
      {
        metadata: metadata('web-x', { namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } }),
        addressType: 'IPv4',
        endpoints: [
          {
            addresses: ['10.0.0.1'],
            conditions: { ready: true },
            targetRef: { kind: 'Pod', name: 'a', namespace: 'shop', uid: 'u' },
          },
        ],
      },
    ],
  ] as const)('is read by Drover as the whole one: %s', (_, kind, served, object) => {
    const reduced = createReducer()(structuredClone(object), served);
    expect(withoutVersion(kind.decodeJson(reduced))).toEqual(withoutVersion(kind.decodeJson(object)));
    expect(reduced).toMatchObject({ apiVersion: served.group === '' ? 'v1' : `${served.group}/v1`, kind: served.kind });
  });

  it('has nothing of what its containers are told, mount or said', () => {
    const deployment = {
      metadata: metadata('web', { namespace: 'shop' }),
      spec: { selector: {}, template: { metadata: {}, spec } },
    };
    const reduce = createReducer();
    for (const text of [JSON.stringify(reduce(pod, kinds.pods)), JSON.stringify(reduce(deployment, kinds.deployments))]) {
      expect(text).not.toContain('secret');
      expect(text).toContain('"sleep":{"seconds":7}');
    }
  });

  it('tells templates apart that differ in what is left out, but not those that differ in their hash alone', () => {
    const reduce = createReducer();
    const digest = (env: string, hash: string) => {
      const [container] = spec.containers;
      const template = {
        metadata: { creationTimestamp: null, labels: { app: 'web', 'pod-template-hash': hash } },
        spec: { ...spec, containers: [{ ...container, env: [{ name: 'A', value: env }] }] },
      };
      const set = reduce(
        { metadata: metadata('web', { namespace: 'shop' }), spec: { selector: {}, template } },
        kinds.replicaSets,
      );
      return /"sim\.drover\.dev\/template-digest":"([^"]+)"/.exec(JSON.stringify(set))?.[1];
    };
    expect(digest('1', 'x')).toMatch(/./);
    expect(digest('1', 'x')).toBe(digest('1', 'y'));
    expect(digest('1', 'x')).not.toBe(digest('2', 'x'));
  });

  it('is reduced no further when it is reduced again', () => {
    const once = createReducer()(structuredClone(pod), kinds.pods);
    expect(createReducer()(structuredClone(once), kinds.pods)).toEqual(once);
  });

  it('is none where there is no name or uid', () => {
    const reduce = createReducer();
    for (const each of [null, {}, { metadata: {} }, { metadata: { name: 'a' } }])
      expect(reduce(each, kinds.pods)).toBeUndefined();
  });
});
