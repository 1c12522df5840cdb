/** What scenarios read and write through the API server, with the beds' own client. */
import type { NodeMaintenance, MaintenancePolicy } from '../../src/api/resources.ts';
import { GROUP_VERSION } from '../../src/api/names.ts';
import { type ApiCall, ApiError } from '../beds/api-call.ts';
import type { Bed } from '../beds/bed.ts';
import type { KubeObject } from '../beds/objects.ts';
import { eventually } from './eventually.ts';

export interface NodeObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const plurals: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  Node: 'nodes',
  Pod: 'pods',
  Service: 'services',
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
  Job: 'jobs',
  PodDisruptionBudget: 'poddisruptionbudgets',
  MaintenancePolicy: 'maintenancepolicies',
  NodeMaintenance: 'nodemaintenances',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
};

/** "/apis/apps/v1/namespaces/shop/deployments" */
function collectionOf({ apiVersion, kind, metadata }: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): string {
  const plural = plurals[kind];
  if (!plural) throw new Error(`cluster.ts does not know where ${kind} is served`);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return metadata.namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${metadata.namespace}/${plural}`;
}

const pathOf = (object: KubeObject) => `${collectionOf(object)}/${object.metadata.name}`;

export function policyObject(name: string, spec: object): KubeObject {
  return { apiVersion: GROUP_VERSION, kind: 'MaintenancePolicy', metadata: { name }, spec };
}

export function maintenanceObject(name: string, spec: object): KubeObject {
  return { apiVersion: GROUP_VERSION, kind: 'NodeMaintenance', metadata: { name }, spec };
}

export function isReady(pod: PodObject): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

export type Cluster = ReturnType<typeof openCluster>;

export function openCluster({ api }: { readonly api: ApiCall } & Pick<Bed, 'api'>) {
  const items = async <T>(path: string) => (await api<{ items: T[] }>({ path })).items;
  const orNull = async <T>(sent: Promise<T>): Promise<T | null> => {
    try {
      return await sent;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  };
  const node = (name: string) => api<NodeObject>({ path: `/api/v1/nodes/${name}` });
  const podsOn = (nodeName: string) => items<PodObject>(`/api/v1/pods?fieldSelector=spec.nodeName%3D${nodeName}`);
  const podsIn = (namespace: string) => items<PodObject>(`/api/v1/namespaces/${namespace}/pods`);
  const maintenances = () => items<NodeMaintenance>(`/apis/${GROUP_VERSION}/nodemaintenances`);
  /** Newest first. */
  const maintenancesOf = async (nodeName: string) =>
    (await maintenances())
      .filter(({ spec }) => spec.nodeName === nodeName)
      .sort((a, b) => Date.parse(b.metadata.creationTimestamp ?? '') - Date.parse(a.metadata.creationTimestamp ?? ''));

  return {
    api,
    async create(...objects: readonly KubeObject[]) {
      for (const body of objects) await api({ method: 'POST', path: collectionOf(body), body });
    },
    remove: (object: KubeObject) => orNull(api({ method: 'DELETE', path: pathOf(object) })),
    /** A merge patch. */
    patch: (object: KubeObject, body: object, subresource = '') =>
      api({ method: 'PATCH', path: `${pathOf(object)}${subresource}`, body }),
    patchNode: (name: string, body: object) => api({ method: 'PATCH', path: `/api/v1/nodes/${name}`, body }),
    /** Sets a condition of a node's status beside those of its kubelet. */
    setCondition: (name: string, type: string, status: string) =>
      api({
        method: 'PATCH',
        path: `/api/v1/nodes/${name}/status`,
        contentType: 'application/strategic-merge-patch+json',
        body: { status: { conditions: [{ type, status, reason: 'Test', lastTransitionTime: new Date().toISOString() }] } },
      }),
    node,
    /** Waits until nothing but the test and Drover will change the node. */
    quietNode: (name: string) => eventually(`node ${name} to be quiet`, () => node(name), isQuiet),
    podsOn,
    podsIn,
    pod: (namespace: string, name: string) => orNull(api<PodObject>({ path: `/api/v1/namespaces/${namespace}/pods/${name}` })),
    maintenances,
    maintenancesOf,
    policy: (name: string) => api<MaintenancePolicy>({ path: `/apis/${GROUP_VERSION}/maintenancepolicies/${name}` }),
    /** Waits until the node's newest maintenance is in one of the phases. */
    async phase(nodeName: string, phases: readonly string[], timeoutMs = 60_000): Promise<NodeMaintenance> {
      const look = async () => (await maintenancesOf(nodeName))[0] ?? null;
      const found = await eventually(
        `the maintenance of ${nodeName} to be ${phases.join(' or ')}`,
        look,
        (seen) => seen !== null && phases.includes(seen.status?.phase ?? ''),
        { timeoutMs },
      );
      return found as NodeMaintenance;
    },
    /** Waits until the node's newest maintenance waits for that cause. */
    async waitsFor(
      nodeName: string,
      cause: string,
      timeoutMs = 60_000,
    ): Promise<NonNullable<NonNullable<NodeMaintenance['status']>['waitingFor']>> {
      const look = async () => (await maintenancesOf(nodeName))[0]?.status ?? null;
      const found = await eventually(`${nodeName} to wait for ${cause}`, look, (seen) => seen?.waitingFor?.cause === cause, {
        timeoutMs,
      });
      if (!found?.waitingFor) throw new Error('unreachable');
      return found.waitingFor;
    },
    /** Waits until so many pods of the namespace are Ready. */
    readyPods: (namespace: string, count: number) =>
      eventually(
        `${count} Ready pods in ${namespace}`,
        () => podsIn(namespace),
        (pods) => pods.filter(isReady).length === count && pods.length >= count,
      ),
  };
}

/**
 * What Drover may change on a node, as bytes: to be the same before and after. Without the taints that the node controller derives
 * from cordon and conditions, a moment later than those.
 */
export function fingerprint({ metadata, spec }: NodeObject): string {
  const taints = (spec.taints ?? []).filter(({ key }) => !key.startsWith('node.kubernetes.io/'));
  return JSON.stringify({ labels: metadata.labels, annotations: metadata.annotations, spec: { ...spec, taints } });
}

/** The node controller has made its own marks on a new node. */
function isQuiet({ metadata, spec }: NodeObject): boolean {
  const marked =
    metadata.labels?.['beta.kubernetes.io/arch'] !== undefined &&
    metadata.annotations?.['node.alpha.kubernetes.io/ttl'] !== undefined;
  return marked && !spec.taints?.some(({ key }) => key === 'node.kubernetes.io/not-ready');
}
