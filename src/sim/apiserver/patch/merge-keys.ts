/**
 * How the fields of the built-in kinds merge: the facts of the struct tags in k8s.io/api v0.34 (`patchStrategy`, `patchMergeKey`,
 * `listType`, `listMapKey`, `structType`, `mapType`). Lists that are not named here are atomic, objects that are not named merge field by
 * field. Longer than a page because it is one table without logic.
 *
 *     by KEYS      a list by key: server-side apply takes all the keys, a strategic patch the first; =X is the key's default
 *     apply-by     the same for server-side apply only; a strategic patch replaces the list
 *     patch-by     for a strategic patch only; server-side apply owns the whole list
 *     set          a list of distinct values in both; apply-set: for server-side apply only
 *     atomic       server-side apply owns the whole object; a strategic patch merges it
 *     replace      whole in both
 *
 * then the type of the object, of the list's elements or of the map's values, where something is known about it; `Atomic` is one that
 * is owned as a whole. apiVersion, kind and metadata of the objects themselves are the same everywhere and left out.
 */
export const mergeKeys = {
  Atomic: {},
  ObjectMeta: { finalizers: 'set', ownerReferences: 'by uid Atomic' },
  WithConditions: { conditions: 'by type' },
  WithSelector: { selector: 'atomic', template: 'PodTemplateSpec' },
  WithSecret: { secretRef: 'atomic' },

  Namespace: { status: 'WithConditions' },
  Node: { spec: 'NodeSpec', status: 'NodeStatus' },
  NodeSpec: { podCIDRs: 'set' },
  NodeStatus: { addresses: 'by type', conditions: 'by type' },
  Service: { spec: 'ServiceSpec', status: 'WithConditions' },
  ServiceSpec: { ports: 'by port,protocol=TCP', selector: 'atomic' },
  ServiceAccount: { secrets: 'by name Atomic' },
  Event: { involvedObject: 'atomic', regarding: 'atomic', related: 'atomic' },
  ResourceQuota: { spec: 'ResourceQuotaSpec' },
  ResourceQuotaSpec: { scopeSelector: 'atomic' },
  ReplicationController: { spec: 'WithSelector', status: 'WithConditions' },

  Pod: { spec: 'PodSpec', status: 'PodStatus' },
  PodTemplateSpec: { metadata: 'ObjectMeta', spec: 'PodSpec' },
  PodSpec: {
    affinity: 'Affinity',
    containers: 'by name Container',
    ephemeralContainers: 'by name Container',
    hostAliases: 'by ip',
    imagePullSecrets: 'by name Atomic',
    initContainers: 'by name Container',
    nodeSelector: 'atomic',
    resourceClaims: 'by name',
    resources: 'ResourceRequirements',
    schedulingGates: 'by name',
    topologySpreadConstraints: 'by topologyKey,whenUnsatisfiable TopologySpreadConstraint',
    volumes: 'by name Volume',
  },
  PodStatus: { conditions: 'by type', hostIPs: 'patch-by ip', podIPs: 'by ip', resourceClaimStatuses: 'by name' },
  Affinity: { nodeAffinity: 'NodeAffinity' },
  NodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: 'atomic' },
  TopologySpreadConstraint: { labelSelector: 'atomic' },
  Container: {
    env: 'by name EnvVar',
    ports: 'by containerPort,protocol=TCP',
    resources: 'ResourceRequirements',
    volumeDevices: 'by devicePath',
    volumeMounts: 'by mountPath',
  },
  ResourceRequirements: { claims: 'apply-by name' },
  EnvVar: { valueFrom: 'EnvVarSource' },
  EnvVarSource: {
    configMapKeyRef: 'atomic',
    fieldRef: 'atomic',
    fileKeyRef: 'atomic',
    resourceFieldRef: 'atomic',
    secretKeyRef: 'atomic',
  },
  Volume: {
    cephfs: 'WithSecret',
    cinder: 'WithSecret',
    csi: 'CSIVolumeSource',
    ephemeral: 'EphemeralVolumeSource',
    flexVolume: 'WithSecret',
    iscsi: 'WithSecret',
    rbd: 'WithSecret',
    scaleIO: 'WithSecret',
    storageos: 'WithSecret',
  },
  CSIVolumeSource: { nodePublishSecretRef: 'atomic' },
  EphemeralVolumeSource: { volumeClaimTemplate: 'PersistentVolumeClaimTemplate' },

  PersistentVolumeClaim: { spec: 'PersistentVolumeClaimSpec', status: 'WithConditions' },
  PersistentVolumeClaimTemplate: { metadata: 'ObjectMeta', spec: 'PersistentVolumeClaimSpec' },
  PersistentVolumeClaimSpec: { dataSource: 'atomic', selector: 'atomic' },
  PersistentVolume: { spec: 'PersistentVolumeSpec' },
  PersistentVolumeSpec: {
    cephfs: 'WithSecret',
    cinder: 'WithSecret',
    csi: 'CSIPersistentVolumeSource',
    flexVolume: 'WithSecret',
    iscsi: 'WithSecret',
    nodeAffinity: 'VolumeNodeAffinity',
    rbd: 'WithSecret',
    scaleIO: 'WithSecret',
    storageos: 'WithSecret',
  },
  CSIPersistentVolumeSource: {
    controllerExpandSecretRef: 'atomic',
    controllerPublishSecretRef: 'atomic',
    nodeExpandSecretRef: 'atomic',
    nodePublishSecretRef: 'atomic',
    nodeStageSecretRef: 'atomic',
  },
  VolumeNodeAffinity: { required: 'atomic' },
  VolumeAttachment: { spec: 'VolumeAttachmentSpec' },
  VolumeAttachmentSpec: { source: 'VolumeAttachmentSource' },
  VolumeAttachmentSource: { inlineVolumeSpec: 'PersistentVolumeSpec' },
  CSINode: { spec: 'CSINodeSpec' },
  CSINodeSpec: { drivers: 'by name' },

  Deployment: { spec: 'WithSelector', status: 'WithConditions' },
  ReplicaSet: { spec: 'WithSelector', status: 'WithConditions' },
  StatefulSet: { spec: 'WithSelector', status: 'WithConditions' },
  DaemonSet: { spec: 'WithSelector', status: 'WithConditions' },
  Job: { spec: 'WithSelector', status: 'JobStatus' },
  JobStatus: { conditions: 'patch-by type', uncountedTerminatedPods: 'UncountedTerminatedPods' },
  UncountedTerminatedPods: { failed: 'apply-set', succeeded: 'apply-set' },
  CronJob: { spec: 'CronJobSpec' },
  CronJobSpec: { jobTemplate: 'JobTemplateSpec' },
  JobTemplateSpec: { metadata: 'ObjectMeta', spec: 'WithSelector' },
  PodDisruptionBudget: { spec: 'PodDisruptionBudgetSpec', status: 'WithConditions' },
  PodDisruptionBudgetSpec: { selector: 'replace' },
  HorizontalPodAutoscaler: { status: 'WithConditions' },

  NetworkPolicy: { spec: 'NetworkPolicySpec' },
  NetworkPolicySpec: { podSelector: 'atomic' },
  Ingress: { spec: 'IngressSpec' },
  IngressSpec: { defaultBackend: 'IngressBackend' },
  IngressBackend: { resource: 'atomic', service: 'IngressServiceBackend' },
  IngressServiceBackend: { port: 'atomic' },
  ClusterRoleBinding: { roleRef: 'atomic' },
  RoleBinding: { roleRef: 'atomic' },
  CustomResourceDefinition: { status: 'CustomResourceDefinitionStatus' },
  CustomResourceDefinitionStatus: { conditions: 'apply-by type' },
} as const satisfies Record<string, Readonly<Record<string, string>>>;
