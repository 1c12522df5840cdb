/** The built-in resources that the simulated cluster serves. */
import type * as k from '../kubernetes.ts';
import type { Kind } from './api.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

interface More {
  readonly short?: readonly string[];
  readonly all?: true;
  readonly cluster?: true;
  readonly sub?: readonly string[];
  /** Default: all of them. */
  readonly verbs?: readonly string[];
}

function kind<T extends k.KubeObject>(name: string, groupVersion: string, plural: string, more: More = {}): Kind<T> {
  const [version = '', group = ''] = groupVersion.split('/').reverse();
  return {
    group,
    version,
    kind: name,
    plural,
    singular: name.toLowerCase(),
    shortNames: more.short ?? [],
    categories: more.all ? ['all'] : [],
    namespaced: !more.cluster,
    subresources: more.sub ?? [],
    verbs: more.verbs ?? VERBS,
  };
}

export const namespaces = kind<k.Namespace>('Namespace', 'v1', 'namespaces', {
  short: ['ns'],
  cluster: true,
  sub: ['status', 'finalize'],
  verbs: VERBS.filter((verb) => verb !== 'deletecollection'),
});
export const nodes = kind<k.Node>('Node', 'v1', 'nodes', { short: ['no'], cluster: true, sub: ['status'] });
export const pods = kind<k.Pod>('Pod', 'v1', 'pods', {
  short: ['po'],
  all: true,
  sub: ['status', 'eviction', 'binding', 'log'],
});
export const services = kind<k.Service>('Service', 'v1', 'services', { short: ['svc'], all: true, sub: ['status'] });
export const configMaps = kind('ConfigMap', 'v1', 'configmaps', { short: ['cm'] });
export const secrets = kind('Secret', 'v1', 'secrets');
export const serviceAccounts = kind('ServiceAccount', 'v1', 'serviceaccounts', { short: ['sa'], sub: ['token'] });
export const coreEvents = kind('Event', 'v1', 'events', { short: ['ev'] });
export const claims = kind<k.Claim>('PersistentVolumeClaim', 'v1', 'persistentvolumeclaims', { short: ['pvc'], sub: ['status'] });
export const volumes = kind<k.PersistentVolume>('PersistentVolume', 'v1', 'persistentvolumes', {
  short: ['pv'],
  cluster: true,
  sub: ['status'],
});
export const replicationControllers = kind('ReplicationController', 'v1', 'replicationcontrollers', {
  short: ['rc'],
  all: true,
  sub: ['status', 'scale'],
});
export const limitRanges = kind('LimitRange', 'v1', 'limitranges', { short: ['limits'] });
export const resourceQuotas = kind('ResourceQuota', 'v1', 'resourcequotas', { short: ['quota'], sub: ['status'] });
export const endpoints = kind('Endpoints', 'v1', 'endpoints', { short: ['ep'] });
export const deployments = kind<k.Deployment>('Deployment', 'apps/v1', 'deployments', {
  short: ['deploy'],
  all: true,
  sub: ['status', 'scale'],
});
export const replicaSets = kind<k.ReplicaSet>('ReplicaSet', 'apps/v1', 'replicasets', {
  short: ['rs'],
  all: true,
  sub: ['status', 'scale'],
});
export const statefulSets = kind<k.StatefulSet>('StatefulSet', 'apps/v1', 'statefulsets', {
  short: ['sts'],
  all: true,
  sub: ['status', 'scale'],
});
export const daemonSets = kind<k.DaemonSet>('DaemonSet', 'apps/v1', 'daemonsets', { short: ['ds'], all: true, sub: ['status'] });
export const controllerRevisions = kind('ControllerRevision', 'apps/v1', 'controllerrevisions');
export const jobs = kind<k.Job>('Job', 'batch/v1', 'jobs', { all: true, sub: ['status'] });
export const cronJobs = kind('CronJob', 'batch/v1', 'cronjobs', { short: ['cj'], all: true, sub: ['status'] });
export const budgets = kind<k.DisruptionBudget>('PodDisruptionBudget', 'policy/v1', 'poddisruptionbudgets', {
  short: ['pdb'],
  sub: ['status'],
});
export const endpointSlices = kind<k.EndpointSlice>('EndpointSlice', 'discovery.k8s.io/v1', 'endpointslices');
export const networkPolicies = kind('NetworkPolicy', 'networking.k8s.io/v1', 'networkpolicies', { short: ['netpol'] });
export const ingresses = kind('Ingress', 'networking.k8s.io/v1', 'ingresses', { short: ['ing'], sub: ['status'] });
export const storageClasses = kind('StorageClass', 'storage.k8s.io/v1', 'storageclasses', { short: ['sc'], cluster: true });
export const csiNodes = kind('CSINode', 'storage.k8s.io/v1', 'csinodes', { cluster: true });
export const volumeAttachments = kind<k.VolumeAttachment>('VolumeAttachment', 'storage.k8s.io/v1', 'volumeattachments', {
  cluster: true,
  sub: ['status'],
});
export const leases = kind<k.Lease>('Lease', 'coordination.k8s.io/v1', 'leases');
export const events = kind('Event', 'events.k8s.io/v1', 'events', { short: ['ev'] });
export const autoscalers = kind<k.HorizontalPodAutoscaler>(
  'HorizontalPodAutoscaler',
  'autoscaling/v2',
  'horizontalpodautoscalers',
  { short: ['hpa'], all: true, sub: ['status'] },
);
export const priorityClasses = kind('PriorityClass', 'scheduling.k8s.io/v1', 'priorityclasses', { short: ['pc'], cluster: true });
export const roles = kind('Role', 'rbac.authorization.k8s.io/v1', 'roles');
export const roleBindings = kind('RoleBinding', 'rbac.authorization.k8s.io/v1', 'rolebindings');
export const clusterRoles = kind('ClusterRole', 'rbac.authorization.k8s.io/v1', 'clusterroles', { cluster: true });
export const clusterRoleBindings = kind('ClusterRoleBinding', 'rbac.authorization.k8s.io/v1', 'clusterrolebindings', {
  cluster: true,
});
export const customResourceDefinitions = kind(
  'CustomResourceDefinition',
  'apiextensions.k8s.io/v1',
  'customresourcedefinitions',
  { short: ['crd', 'crds'], cluster: true, sub: ['status'] },
);

/** In the order in which discovery tells them. The two Event kinds are one collection, stored once. */
export const builtInKinds: readonly Kind[] = [
  configMaps,
  endpoints,
  coreEvents,
  limitRanges,
  namespaces,
  nodes,
  claims,
  volumes,
  pods,
  replicationControllers,
  resourceQuotas,
  secrets,
  serviceAccounts,
  services,
  deployments,
  replicaSets,
  statefulSets,
  daemonSets,
  controllerRevisions,
  jobs,
  cronJobs,
  budgets,
  endpointSlices,
  networkPolicies,
  ingresses,
  storageClasses,
  csiNodes,
  volumeAttachments,
  leases,
  events,
  autoscalers,
  priorityClasses,
  roles,
  roleBindings,
  clusterRoles,
  clusterRoleBindings,
  customResourceDefinitions,
];
