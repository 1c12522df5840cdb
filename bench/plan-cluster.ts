/** A cluster at rest, as a snapshot of it would be: nodes in three zones, Deployments of ten with a budget of one each. */
import type { KubeObject } from '../src/sim/kubernetes.ts';
import type { Snapshot } from '../src/sim/snapshot/snapshot.ts';

const TAKEN_AT = Date.parse('2026-06-01T12:00:00Z');
const STARTED = '2026-06-01T06:00:00Z';
const READY = '2026-06-01T06:00:03Z';
const REPLICAS = 10;
const PER_NAMESPACE = 50;

interface Size {
  readonly nodes: number;
  readonly podsPerNode: number;
}

const numbered = (prefix: string, index: number) => `${prefix}-${String(index).padStart(5, '0')}`;
const owner = (apiVersion: string, kind: string, name: string, uid: string) => ({
  ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
});

function node(index: number): KubeObject {
  const name = numbered('node', index);
  const size = { cpu: '16', memory: '64Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: STARTED,
      labels: {
        'kubernetes.io/hostname': name,
        'topology.kubernetes.io/zone': `zone-${index % 3}`,
        pool: 'all',
        part: index % 10 === 0 ? 'tenth' : 'rest',
      },
    },
    spec: {},
    status: {
      capacity: size,
      allocatable: size,
      nodeInfo: { bootID: `boot-${name}` },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'KubeletReady', lastTransitionTime: STARTED, lastHeartbeatTime: STARTED },
      ],
    },
  };
}

/** One Deployment with its ReplicaSet, budget and pods; `on` says where each pod runs. */
function* application(index: number, on: (replica: number) => string): Iterable<KubeObject> {
  const namespace = numbered('team', Math.floor(index / PER_NAMESPACE));
  const name = numbered('app', index);
  const hash = 'abc123';
  const set = `${name}-${hash}`;
  const labels = { app: name };
  const hashed = { ...labels, 'pod-template-hash': hash };
  const spec = {
    containers: [{ name: 'app', image: 'app', resources: { requests: { cpu: '200m', memory: '256Mi' } } }],
    terminationGracePeriodSeconds: 30,
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
  };
  const meta = (of: string, uid: string, more: object = {}) => ({
    uid,
    name: of,
    namespace,
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: STARTED,
    labels,
    ...more,
  });
  const counts = { replicas: REPLICAS, readyReplicas: REPLICAS, availableReplicas: REPLICAS, observedGeneration: 1 };
  const rolledOut = [
    { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
    { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
  ].map((each) => ({ ...each, message: '', lastTransitionTime: READY, lastUpdateTime: READY }));
  const revision = { 'deployment.kubernetes.io/revision': '1' };
  yield {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(name, `uid-d-${name}`, { annotations: revision }),
    spec: {
      replicas: REPLICAS,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: { metadata: { labels }, spec },
    },
    status: { ...counts, updatedReplicas: REPLICAS, conditions: rolledOut },
  };
  yield {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: meta(set, `uid-r-${name}`, {
      labels: hashed,
      annotations: revision,
      ...owner('apps/v1', 'Deployment', name, `uid-d-${name}`),
    }),
    spec: { replicas: REPLICAS, selector: { matchLabels: hashed }, template: { metadata: { labels: hashed }, spec } },
    status: { ...counts, fullyLabeledReplicas: REPLICAS },
  };
  yield {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: meta(name, `uid-b-${name}`),
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    status: {
      observedGeneration: 1,
      disruptionsAllowed: 1,
      currentHealthy: REPLICAS,
      desiredHealthy: REPLICAS - 1,
      expectedPods: REPLICAS,
    },
  };
  const condition = (type: string, at: string) => ({ type, status: 'True', lastTransitionTime: at });
  const conditions = [
    condition('PodScheduled', STARTED),
    condition('Initialized', STARTED),
    condition('ContainersReady', READY),
    condition('Ready', READY),
  ];
  for (let replica = 0; replica < REPLICAS; replica += 1) {
    const pod = `${set}-${replica}`;
    yield {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: pod,
        namespace,
        uid: `uid-p-${pod}`,
        resourceVersion: '1',
        creationTimestamp: STARTED,
        labels: hashed,
        ...owner('apps/v1', 'ReplicaSet', set, `uid-r-${name}`),
      },
      spec: { ...spec, nodeName: on(replica) },
      status: {
        phase: 'Running',
        conditions,
        startTime: STARTED,
        podIP: '10.0.0.1',
        containerStatuses: [
          { name: 'app', ready: true, started: true, restartCount: 0, state: { running: { startedAt: STARTED } } },
        ],
      },
    };
  }
}

/** Each application is spread over nodes that are far from each other in the order of their names. */
export function planCluster({ nodes, podsPerNode }: Size): Snapshot {
  const objects: KubeObject[] = Array.from({ length: nodes }, (_, index) => node(index));
  const applications = Math.floor((nodes * podsPerNode) / REPLICAS);
  const namespaces = Math.ceil(applications / PER_NAMESPACE);
  for (let index = 0; index < namespaces; index += 1) {
    const name = numbered('team', index);
    const metadata = {
      name,
      uid: `uid-n-${name}`,
      resourceVersion: '1',
      creationTimestamp: STARTED,
      labels: { 'kubernetes.io/metadata.name': name },
    };
    objects.push({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata,
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  }
  let next = 0;
  const stride = Math.max(1, Math.floor(nodes / REPLICAS));
  for (let index = 0; index < applications; index += 1) {
    const first = next++ % nodes;
    objects.push(...application(index, (replica) => numbered('node', (first + replica * stride) % nodes)));
  }
  return { takenAt: TAKEN_AT, server: 'generated', objects, missing: [] };
}
