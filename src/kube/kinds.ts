/** The kinds that Drover reads, each with its address in the API and its decoders. */
import type {
  Budget,
  Claim,
  Deployment,
  EndpointSlice,
  LabelUse,
  Node,
  ObjectMeta,
  OneShot,
  Pod,
  ReplicaSet,
  Service,
  VolumeAttachment,
} from '../api/objects.ts';
import { pathOf } from './client.ts';
import { decodeNodeJson, decodePodJson } from './decode-json.ts';
import { decodeNodeProto, decodePodProto } from './decode-proto.ts';
import { decodeOneShotJob, decodeOneShotPod } from './decode-one-shot.ts';
import {
  decodeBudget,
  decodeClaim,
  decodeDeployment,
  decodeEndpointSlice,
  decodeLabelUse,
  decodeNetworkPolicy,
  decodeReplicaSet,
  decodeService,
  decodeVolumeAttachment,
} from './decode-workloads.ts';

export interface ResourceKind<T extends ObjectMeta> {
  readonly kind: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Objects per page where the server cannot stream a list; default 500, less for fat kinds. */
  readonly pageSize?: number;
  /** The object from parsed JSON; undefined leaves it out of the store. @throws BrokenFrame when it is no such object. */
  readonly decodeJson: (object: unknown) => T | undefined;
  /** The object from the protobuf message in `bytes[from, to)`. Only built-in kinds have protobuf. */
  readonly decodeProto?: (bytes: Buffer, from: number, to: number) => T;
}

function kind<T extends ObjectMeta>(
  name: string,
  groupVersion: string,
  plural: string,
  decodeJson: (object: unknown) => T,
  more: Partial<ResourceKind<T>> = {},
): ResourceKind<T> {
  const [version = '', group = ''] = groupVersion.split('/').reverse();
  return { kind: name, group, version, plural, namespaced: true, decodeJson, ...more };
}

export const pods = kind<Pod>('Pod', 'v1', 'pods', decodePodJson, { decodeProto: decodePodProto });
/** Pods that act on nodes, few of them: whole, for what they say at their end. */
export const rebootPods = kind<OneShot>('Pod', 'v1', 'pods', decodeOneShotPod);
export const hookJobs = kind<OneShot>('Job', 'batch/v1', 'jobs', decodeOneShotJob);
// A node is about 12 kB, half of it image names.
export const nodes = kind<Node>('Node', 'v1', 'nodes', decodeNodeJson, {
  decodeProto: decodeNodeProto,
  namespaced: false,
  pageSize: 100,
});
export const budgets = kind<Budget>('PodDisruptionBudget', 'policy/v1', 'poddisruptionbudgets', decodeBudget);
export const replicaSets = kind<ReplicaSet>('ReplicaSet', 'apps/v1', 'replicasets', decodeReplicaSet);
export const deployments = kind<Deployment>('Deployment', 'apps/v1', 'deployments', decodeDeployment);
export const services = kind<Service>('Service', 'v1', 'services', decodeService);
export const endpointSlices = kind<EndpointSlice>('EndpointSlice', 'discovery.k8s.io/v1', 'endpointslices', decodeEndpointSlice);
export const networkPolicies = kind<LabelUse>('NetworkPolicy', 'networking.k8s.io/v1', 'networkpolicies', decodeNetworkPolicy);
export const statefulSets = kind<LabelUse>('StatefulSet', 'apps/v1', 'statefulsets', decodeLabelUse('StatefulSet'));
export const daemonSets = kind<LabelUse>('DaemonSet', 'apps/v1', 'daemonsets', decodeLabelUse('DaemonSet'));
export const jobs = kind<LabelUse>('Job', 'batch/v1', 'jobs', decodeLabelUse('Job'));
export const replicationControllers = kind<LabelUse>(
  'ReplicationController',
  'v1',
  'replicationcontrollers',
  decodeLabelUse('ReplicationController'),
);
export const claims = kind<Claim>('PersistentVolumeClaim', 'v1', 'persistentvolumeclaims', decodeClaim);
export const volumeAttachments = kind<VolumeAttachment>(
  'VolumeAttachment',
  'storage.k8s.io/v1',
  'volumeattachments',
  decodeVolumeAttachment,
  {
    namespaced: false,
  },
);

/** "/apis/apps/v1/namespaces/shop/replicasets": all objects of a kind, or those of one namespace. */
export function collectionPath(kind: ResourceKind<ObjectMeta>, namespace?: string): string {
  const root = kind.group === '' ? ['api', kind.version] : ['apis', kind.group, kind.version];
  const scope = kind.namespaced && namespace ? ['namespaces', namespace] : [];
  return pathOf(...root, ...scope, kind.plural);
}

/** "/api/v1/namespaces/shop/pods/web-0/eviction": one object, or a subresource of it. */
export function objectPath(
  kind: ResourceKind<ObjectMeta>,
  object: { namespace: string; name: string },
  subresource?: string,
): string {
  return `${collectionPath(kind, object.namespace)}${pathOf(object.name, ...(subresource ? [subresource] : []))}`;
}
