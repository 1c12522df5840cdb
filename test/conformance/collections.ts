/** Where the kinds live that the cases use. */

const groups: Readonly<Record<string, readonly string[]>> = {
  '/api/v1': [
    'ConfigMap configmaps',
    'Event events',
    'Namespace namespaces cluster',
    'Node nodes cluster',
    'PersistentVolume persistentvolumes cluster',
    'PersistentVolumeClaim persistentvolumeclaims',
    'Pod pods',
    'Secret secrets',
    'Service services',
    'ServiceAccount serviceaccounts',
  ],
  '/apis/apps/v1': [
    'ControllerRevision controllerrevisions',
    'DaemonSet daemonsets',
    'Deployment deployments',
    'ReplicaSet replicasets',
    'StatefulSet statefulsets',
  ],
  '/apis/batch/v1': ['Job jobs'],
  '/apis/policy/v1': ['PodDisruptionBudget poddisruptionbudgets'],
  '/apis/discovery.k8s.io/v1': ['EndpointSlice endpointslices'],
  '/apis/coordination.k8s.io/v1': ['Lease leases'],
  '/apis/storage.k8s.io/v1': ['StorageClass storageclasses cluster', 'VolumeAttachment volumeattachments cluster'],
  '/apis/scheduling.k8s.io/v1': ['PriorityClass priorityclasses cluster'],
  '/apis/rbac.authorization.k8s.io/v1': ['ClusterRole clusterroles cluster', 'Role roles'],
  '/apis/apiextensions.k8s.io/v1': ['CustomResourceDefinition customresourcedefinitions cluster'],
  '/apis/authorization.k8s.io/v1': [
    'SubjectAccessReview subjectaccessreviews cluster',
    'SelfSubjectAccessReview selfsubjectaccessreviews cluster',
  ],
};

const known = Object.entries(groups).flatMap(([root, rows]) =>
  rows.map((row) => {
    const [kind = '', plural = '', scope] = row.split(' ');
    return { root, kind, plural, cluster: scope === 'cluster' };
  }),
);

/** The path of a kind's collection; one that is a path already stays as it is. @throws Error for a plural that is not in the list */
export function collectionOf(plural: string, namespace: string): string {
  if (plural.startsWith('/')) return plural;
  const found = known.find((each) => each.plural === plural);
  if (!found) throw new Error(`collections.ts knows no ${plural}`);
  return found.cluster ? `${found.root}/${plural}` : `${found.root}/namespaces/${namespace}/${plural}`;
}

/** "Pod" to "pods". @throws Error for a kind that is not in the list */
export function pluralOf(kind: string): string {
  const found = known.find((each) => each.kind === kind);
  if (!found) throw new Error(`collections.ts knows no ${kind}`);
  return found.plural;
}
