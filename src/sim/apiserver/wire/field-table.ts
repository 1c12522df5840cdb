/**
 * The fields of the built-in kinds, read from the json and protobuf tags of k8s.io/api and apimachinery v0.34: for bodies in protobuf, and to
 * tell a client which of its fields nobody knows. One line a message: "number name type", the name "-" for fields that are inlined.
 * Types: none = string, i = number, B = boolean, b = bytes, T = Time, M = MicroTime, D = Duration, Q = Quantity, X = IntOrString, R = raw JSON,
 * L = a list of strings that is a message of its own, else a message; "*" a pointer (its zero counts), "[]" a list, "{}" a map by string.
 * Over 300 long lines because it is one list of facts.
 */
export const fieldTable = `
AWSElasticBlockStoreVolumeSource: 1 volumeID, 2 fsType, 3 partition i, 4 readOnly B
Affinity: 1 nodeAffinity *NodeAffinity, 2 podAffinity *PodAffinity, 3 podAntiAffinity *PodAntiAffinity
AggregationRule: 1 clusterRoleSelectors []LabelSelector
AppArmorProfile: 1 type, 2 localhostProfile *
AttachedVolume: 1 name, 2 devicePath
AzureDiskVolumeSource: 1 diskName, 2 diskURI, 3 cachingMode *, 4 fsType *, 5 readOnly *B, 6 kind *
AzureFilePersistentVolumeSource: 1 secretName, 2 shareName, 3 readOnly B, 4 secretNamespace *
AzureFileVolumeSource: 1 secretName, 2 shareName, 3 readOnly B
Binding: 1 metadata ObjectMeta, 2 target ObjectReference
BoundObjectReference: 1 kind, 2 apiVersion, 3 name, 4 uid
CSINode: 1 metadata ObjectMeta, 2 spec CSINodeSpec
CSINodeDriver: 1 name, 2 nodeID, 3 topologyKeys [], 4 allocatable *VolumeNodeResources
CSINodeSpec: 1 drivers []CSINodeDriver
CSIPersistentVolumeSource: 1 driver, 2 volumeHandle, 3 readOnly B, 4 fsType, 5 volumeAttributes {}, 6 controllerPublishSecretRef *SecretReference, 7 nodeStageSecretRef *SecretReference, 8 nodePublishSecretRef *SecretReference, 9 controllerExpandSecretRef *SecretReference, 10 nodeExpandSecretRef *SecretReference
CSIVolumeSource: 1 driver, 2 readOnly *B, 3 fsType *, 4 volumeAttributes {}, 5 nodePublishSecretRef *LocalObjectReference
Capabilities: 1 add [], 2 drop []
CephFSPersistentVolumeSource: 1 monitors [], 2 path, 3 user, 4 secretFile, 5 secretRef *SecretReference, 6 readOnly B
CephFSVolumeSource: 1 monitors [], 2 path, 3 user, 4 secretFile, 5 secretRef *LocalObjectReference, 6 readOnly B
CinderPersistentVolumeSource: 1 volumeID, 2 fsType, 3 readOnly B, 4 secretRef *SecretReference
CinderVolumeSource: 1 volumeID, 2 fsType, 3 readOnly B, 4 secretRef *LocalObjectReference
ClientIPConfig: 1 timeoutSeconds *i
ClusterRole: 1 metadata ObjectMeta, 2 rules []PolicyRule, 3 aggregationRule *AggregationRule
ClusterRoleBinding: 1 metadata ObjectMeta, 2 subjects []Subject, 3 roleRef RoleRef
ClusterTrustBundleProjection: 1 name *, 2 signerName *, 3 labelSelector *LabelSelector, 5 optional *B, 4 path
Condition: 1 type, 2 status, 3 observedGeneration i, 4 lastTransitionTime T, 5 reason, 6 message
ConfigMap: 1 metadata ObjectMeta, 4 immutable *B, 2 data {}, 3 binaryData {}b
ConfigMapEnvSource: 1 - LocalObjectReference, 2 optional *B
ConfigMapKeySelector: 1 - LocalObjectReference, 2 key, 3 optional *B
ConfigMapNodeConfigSource: 1 namespace, 2 name, 3 uid, 4 resourceVersion, 5 kubeletConfigKey
ConfigMapProjection: 1 - LocalObjectReference, 2 items []KeyToPath, 4 optional *B
ConfigMapVolumeSource: 1 - LocalObjectReference, 2 items []KeyToPath, 3 defaultMode *i, 4 optional *B
Container: 1 name, 2 image, 3 command [], 4 args [], 5 workingDir, 6 ports []ContainerPort, 19 envFrom []EnvFromSource, 7 env []EnvVar, 8 resources ResourceRequirements, 23 resizePolicy []ContainerResizePolicy, 24 restartPolicy *, 25 restartPolicyRules []ContainerRestartRule, 9 volumeMounts []VolumeMount, 21 volumeDevices []VolumeDevice, 10 livenessProbe *Probe, 11 readinessProbe *Probe, 22 startupProbe *Probe, 12 lifecycle *Lifecycle, 13 terminationMessagePath, 20 terminationMessagePolicy, 14 imagePullPolicy, 15 securityContext *SecurityContext, 16 stdin B, 17 stdinOnce B, 18 tty B
ContainerExtendedResourceRequest: 1 containerName, 2 resourceName, 3 requestName
ContainerImage: 1 names [], 2 sizeBytes i
ContainerPort: 1 name, 2 hostPort i, 3 containerPort i, 4 protocol, 5 hostIP
ContainerResizePolicy: 1 resourceName, 2 restartPolicy
ContainerRestartRule: 1 action, 2 exitCodes *ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes: 1 operator, 2 values []i
ContainerState: 1 waiting *ContainerStateWaiting, 2 running *ContainerStateRunning, 3 terminated *ContainerStateTerminated
ContainerStateRunning: 1 startedAt T
ContainerStateTerminated: 1 exitCode i, 2 signal i, 3 reason, 4 message, 5 startedAt T, 6 finishedAt T, 7 containerID
ContainerStateWaiting: 1 reason, 2 message
ContainerStatus: 1 name, 2 state ContainerState, 3 lastState ContainerState, 4 ready B, 5 restartCount i, 6 image, 7 imageID, 8 containerID, 9 started *B, 10 allocatedResources {}Q, 11 resources *ResourceRequirements, 12 volumeMounts []VolumeMountStatus, 13 user *ContainerUser, 14 allocatedResourcesStatus []ResourceStatus, 15 stopSignal *
ContainerUser: 1 linux *LinuxContainerUser
ControllerRevision: 1 metadata ObjectMeta, 2 data R, 3 revision i
CronJob: 1 metadata ObjectMeta, 2 spec CronJobSpec, 3 status CronJobStatus
CronJobSpec: 1 schedule, 8 timeZone *, 2 startingDeadlineSeconds *i, 3 concurrencyPolicy, 4 suspend *B, 5 jobTemplate JobTemplateSpec, 6 successfulJobsHistoryLimit *i, 7 failedJobsHistoryLimit *i
CronJobStatus: 1 active []ObjectReference, 4 lastScheduleTime *T, 5 lastSuccessfulTime *T
DaemonEndpoint: 1 Port i
DaemonSet: 1 metadata ObjectMeta, 2 spec DaemonSetSpec, 3 status DaemonSetStatus
DaemonSetCondition: 1 type, 2 status, 3 lastTransitionTime T, 4 reason, 5 message
DaemonSetSpec: 1 selector *LabelSelector, 2 template PodTemplateSpec, 3 updateStrategy DaemonSetUpdateStrategy, 4 minReadySeconds i, 6 revisionHistoryLimit *i
DaemonSetStatus: 1 currentNumberScheduled i, 2 numberMisscheduled i, 3 desiredNumberScheduled i, 4 numberReady i, 5 observedGeneration i, 6 updatedNumberScheduled i, 7 numberAvailable i, 8 numberUnavailable i, 9 collisionCount *i, 10 conditions []DaemonSetCondition
DaemonSetUpdateStrategy: 1 type, 2 rollingUpdate *RollingUpdateDaemonSet
DeleteOptions: 1 gracePeriodSeconds *i, 2 preconditions *Preconditions, 3 orphanDependents *B, 4 propagationPolicy *, 5 dryRun [], 6 ignoreStoreReadErrorWithClusterBreakingPotential *B
Deployment: 1 metadata ObjectMeta, 2 spec DeploymentSpec, 3 status DeploymentStatus
DeploymentCondition: 1 type, 2 status, 6 lastUpdateTime T, 7 lastTransitionTime T, 4 reason, 5 message
DeploymentSpec: 1 replicas *i, 2 selector *LabelSelector, 3 template PodTemplateSpec, 4 strategy DeploymentStrategy, 5 minReadySeconds i, 6 revisionHistoryLimit *i, 7 paused B, 9 progressDeadlineSeconds *i
DeploymentStatus: 1 observedGeneration i, 2 replicas i, 3 updatedReplicas i, 7 readyReplicas i, 4 availableReplicas i, 5 unavailableReplicas i, 9 terminatingReplicas *i, 6 conditions []DeploymentCondition, 8 collisionCount *i
DeploymentStrategy: 1 type, 2 rollingUpdate *RollingUpdateDeployment
DownwardAPIProjection: 1 items []DownwardAPIVolumeFile
DownwardAPIVolumeFile: 1 path, 2 fieldRef *ObjectFieldSelector, 3 resourceFieldRef *ResourceFieldSelector, 4 mode *i
DownwardAPIVolumeSource: 1 items []DownwardAPIVolumeFile, 2 defaultMode *i
EmptyDirVolumeSource: 1 medium, 2 sizeLimit *Q
Endpoint: 1 addresses [], 2 conditions EndpointConditions, 3 hostname *, 4 targetRef *ObjectReference, 5 deprecatedTopology {}, 6 nodeName *, 7 zone *, 8 hints *EndpointHints
EndpointAddress: 1 ip, 3 hostname, 4 nodeName *, 2 targetRef *ObjectReference
EndpointConditions: 1 ready *B, 2 serving *B, 3 terminating *B
EndpointHints: 1 forZones []ForZone, 2 forNodes []ForNode
EndpointPort: 1 name, 2 port i, 3 protocol, 4 appProtocol *
EndpointSlice: 1 metadata ObjectMeta, 4 addressType, 2 endpoints []Endpoint, 3 ports []discovery.EndpointPort
EndpointSubset: 1 addresses []EndpointAddress, 2 notReadyAddresses []EndpointAddress, 3 ports []EndpointPort
Endpoints: 1 metadata ObjectMeta, 2 subsets []EndpointSubset
EnvFromSource: 1 prefix, 2 configMapRef *ConfigMapEnvSource, 3 secretRef *SecretEnvSource
EnvVar: 1 name, 2 value, 3 valueFrom *EnvVarSource
EnvVarSource: 1 fieldRef *ObjectFieldSelector, 2 resourceFieldRef *ResourceFieldSelector, 3 configMapKeyRef *ConfigMapKeySelector, 4 secretKeyRef *SecretKeySelector, 5 fileKeyRef *FileKeySelector
EphemeralContainer: 1 - EphemeralContainerCommon, 2 targetContainerName
EphemeralContainerCommon: 1 name, 2 image, 3 command [], 4 args [], 5 workingDir, 6 ports []ContainerPort, 19 envFrom []EnvFromSource, 7 env []EnvVar, 8 resources ResourceRequirements, 23 resizePolicy []ContainerResizePolicy, 24 restartPolicy *, 25 restartPolicyRules []ContainerRestartRule, 9 volumeMounts []VolumeMount, 21 volumeDevices []VolumeDevice, 10 livenessProbe *Probe, 11 readinessProbe *Probe, 22 startupProbe *Probe, 12 lifecycle *Lifecycle, 13 terminationMessagePath, 20 terminationMessagePolicy, 14 imagePullPolicy, 15 securityContext *SecurityContext, 16 stdin B, 17 stdinOnce B, 18 tty B
EphemeralVolumeSource: 1 volumeClaimTemplate *PersistentVolumeClaimTemplate
Event: 1 metadata ObjectMeta, 2 involvedObject ObjectReference, 3 reason, 4 message, 5 source EventSource, 6 firstTimestamp T, 7 lastTimestamp T, 8 count i, 9 type, 10 eventTime M, 11 series *EventSeries, 12 action, 13 related *ObjectReference, 14 reportingComponent, 15 reportingInstance
EventSeries: 1 count i, 2 lastObservedTime M
EventSource: 1 component, 2 host
Eviction: 1 metadata ObjectMeta, 2 deleteOptions *DeleteOptions
ExecAction: 1 command []
FCVolumeSource: 1 targetWWNs [], 2 lun *i, 3 fsType, 4 readOnly B, 5 wwids []
FieldSelectorAttributes: 1 rawSelector, 2 requirements []FieldSelectorRequirement
FieldSelectorRequirement: 1 key, 2 operator, 3 values []
FileKeySelector: 1 volumeName, 2 path, 3 key, 4 optional *B
FlexPersistentVolumeSource: 1 driver, 2 fsType, 3 secretRef *SecretReference, 4 readOnly B, 5 options {}
FlexVolumeSource: 1 driver, 2 fsType, 3 secretRef *LocalObjectReference, 4 readOnly B, 5 options {}
FlockerVolumeSource: 1 datasetName, 2 datasetUUID
ForNode: 1 name
ForZone: 1 name
GCEPersistentDiskVolumeSource: 1 pdName, 2 fsType, 3 partition i, 4 readOnly B
GRPCAction: 1 port i, 2 service *
GitRepoVolumeSource: 1 repository, 2 revision, 3 directory
GlusterfsPersistentVolumeSource: 1 endpoints, 2 path, 3 readOnly B, 4 endpointsNamespace *
GlusterfsVolumeSource: 1 endpoints, 2 path, 3 readOnly B
HPAScalingPolicy: 1 type, 2 value i, 3 periodSeconds i
HPAScalingRules: 3 stabilizationWindowSeconds *i, 1 selectPolicy *, 2 policies []HPAScalingPolicy, 4 tolerance *Q
HTTPGetAction: 1 path, 2 port X, 3 host, 4 scheme, 5 httpHeaders []HTTPHeader
HTTPHeader: 1 name, 2 value
HTTPIngressPath: 1 path, 3 pathType *, 2 backend IngressBackend
HTTPIngressRuleValue: 1 paths []HTTPIngressPath
HorizontalPodAutoscaler: 1 metadata ObjectMeta, 2 spec autoscaling.HorizontalPodAutoscalerSpec, 3 status autoscaling.HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerBehavior: 1 scaleUp *HPAScalingRules, 2 scaleDown *HPAScalingRules
HostAlias: 1 ip, 2 hostnames []
HostIP: 1 ip
HostPathVolumeSource: 1 path, 2 type *
IPBlock: 1 cidr, 2 except []
ISCSIPersistentVolumeSource: 1 targetPortal, 2 iqn, 3 lun i, 4 iscsiInterface, 5 fsType, 6 readOnly B, 7 portals [], 8 chapAuthDiscovery B, 11 chapAuthSession B, 10 secretRef *SecretReference, 12 initiatorName *
ISCSIVolumeSource: 1 targetPortal, 2 iqn, 3 lun i, 4 iscsiInterface, 5 fsType, 6 readOnly B, 7 portals [], 8 chapAuthDiscovery B, 11 chapAuthSession B, 10 secretRef *LocalObjectReference, 12 initiatorName *
ImageVolumeSource: 1 reference, 2 pullPolicy
Ingress: 1 metadata ObjectMeta, 2 spec IngressSpec, 3 status IngressStatus
IngressBackend: 4 service *IngressServiceBackend, 3 resource *TypedLocalObjectReference
IngressLoadBalancerIngress: 1 ip, 2 hostname, 4 ports []IngressPortStatus
IngressLoadBalancerStatus: 1 ingress []IngressLoadBalancerIngress
IngressPortStatus: 1 port i, 2 protocol, 3 error *
IngressRule: 1 host, 2 - IngressRuleValue
IngressRuleValue: 1 http *HTTPIngressRuleValue
IngressServiceBackend: 1 name, 2 port ServiceBackendPort
IngressSpec: 4 ingressClassName *, 1 defaultBackend *IngressBackend, 2 tls []IngressTLS, 3 rules []IngressRule
IngressStatus: 1 loadBalancer IngressLoadBalancerStatus
IngressTLS: 1 hosts [], 2 secretName
Job: 1 metadata ObjectMeta, 2 spec JobSpec, 3 status JobStatus
JobCondition: 1 type, 2 status, 3 lastProbeTime T, 4 lastTransitionTime T, 5 reason, 6 message
JobSpec: 1 parallelism *i, 2 completions *i, 3 activeDeadlineSeconds *i, 11 podFailurePolicy *PodFailurePolicy, 16 successPolicy *SuccessPolicy, 7 backoffLimit *i, 12 backoffLimitPerIndex *i, 13 maxFailedIndexes *i, 4 selector *LabelSelector, 5 manualSelector *B, 6 template PodTemplateSpec, 8 ttlSecondsAfterFinished *i, 9 completionMode *, 10 suspend *B, 14 podReplacementPolicy *, 15 managedBy *
JobStatus: 1 conditions []JobCondition, 2 startTime *T, 3 completionTime *T, 4 active i, 5 succeeded i, 6 failed i, 11 terminating *i, 7 completedIndexes, 10 failedIndexes *, 8 uncountedTerminatedPods *UncountedTerminatedPods, 9 ready *i
JobTemplateSpec: 1 metadata ObjectMeta, 2 spec JobSpec
KeyToPath: 1 key, 2 path, 3 mode *i
LabelSelector: 1 matchLabels {}, 2 matchExpressions []LabelSelectorRequirement
LabelSelectorAttributes: 1 rawSelector, 2 requirements []LabelSelectorRequirement
LabelSelectorRequirement: 1 key, 2 operator, 3 values []
Lease: 1 metadata ObjectMeta, 2 spec LeaseSpec
LeaseSpec: 1 holderIdentity *, 2 leaseDurationSeconds *i, 3 acquireTime *M, 4 renewTime *M, 5 leaseTransitions *i, 6 strategy *, 7 preferredHolder *
Lifecycle: 1 postStart *LifecycleHandler, 2 preStop *LifecycleHandler, 3 stopSignal *
LifecycleHandler: 1 exec *ExecAction, 2 httpGet *HTTPGetAction, 3 tcpSocket *TCPSocketAction, 4 sleep *SleepAction
LimitRange: 1 metadata ObjectMeta, 2 spec LimitRangeSpec
LimitRangeItem: 1 type, 2 max {}Q, 3 min {}Q, 4 default {}Q, 5 defaultRequest {}Q, 6 maxLimitRequestRatio {}Q
LimitRangeSpec: 1 limits []LimitRangeItem
LinuxContainerUser: 1 uid i, 2 gid i, 3 supplementalGroups []i
LoadBalancerIngress: 1 ip, 2 hostname, 3 ipMode *, 4 ports []PortStatus
LoadBalancerStatus: 1 ingress []LoadBalancerIngress
LocalObjectReference: 1 name
LocalSubjectAccessReview: 1 metadata ObjectMeta, 2 spec SubjectAccessReviewSpec, 3 status SubjectAccessReviewStatus
LocalVolumeSource: 1 path, 2 fsType *
ManagedFieldsEntry: 1 manager, 2 operation, 3 apiVersion, 4 time *T, 6 fieldsType, 7 fieldsV1 *R, 8 subresource
MetricIdentifier: 1 name, 2 selector *LabelSelector
MetricTarget: 1 type, 2 value *Q, 3 averageValue *Q, 4 averageUtilization *i
MetricValueStatus: 1 value *Q, 2 averageValue *Q, 3 averageUtilization *i
ModifyVolumeStatus: 1 targetVolumeAttributesClassName, 2 status
NFSVolumeSource: 1 server, 2 path, 3 readOnly B
Namespace: 1 metadata ObjectMeta, 2 spec NamespaceSpec, 3 status NamespaceStatus
NamespaceCondition: 1 type, 2 status, 4 lastTransitionTime T, 5 reason, 6 message
NamespaceSpec: 1 finalizers []
NamespaceStatus: 1 phase, 2 conditions []NamespaceCondition
NetworkPolicy: 1 metadata ObjectMeta, 2 spec NetworkPolicySpec
NetworkPolicyEgressRule: 1 ports []NetworkPolicyPort, 2 to []NetworkPolicyPeer
NetworkPolicyIngressRule: 1 ports []NetworkPolicyPort, 2 from []NetworkPolicyPeer
NetworkPolicyPeer: 1 podSelector *LabelSelector, 2 namespaceSelector *LabelSelector, 3 ipBlock *IPBlock
NetworkPolicyPort: 1 protocol *, 2 port *X, 3 endPort *i
NetworkPolicySpec: 1 podSelector LabelSelector, 2 ingress []NetworkPolicyIngressRule, 3 egress []NetworkPolicyEgressRule, 4 policyTypes []
Node: 1 metadata ObjectMeta, 2 spec NodeSpec, 3 status NodeStatus
NodeAddress: 1 type, 2 address
NodeAffinity: 1 requiredDuringSchedulingIgnoredDuringExecution *NodeSelector, 2 preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm
NodeCondition: 1 type, 2 status, 3 lastHeartbeatTime T, 4 lastTransitionTime T, 5 reason, 6 message
NodeConfigSource: 2 configMap *ConfigMapNodeConfigSource
NodeConfigStatus: 1 assigned *NodeConfigSource, 2 active *NodeConfigSource, 3 lastKnownGood *NodeConfigSource, 4 error
NodeDaemonEndpoints: 1 kubeletEndpoint DaemonEndpoint
NodeFeatures: 1 supplementalGroupsPolicy *B
NodeRuntimeHandler: 1 name, 2 features *NodeRuntimeHandlerFeatures
NodeRuntimeHandlerFeatures: 1 recursiveReadOnlyMounts *B, 2 userNamespaces *B
NodeSelector: 1 nodeSelectorTerms []NodeSelectorTerm
NodeSelectorRequirement: 1 key, 2 operator, 3 values []
NodeSelectorTerm: 1 matchExpressions []NodeSelectorRequirement, 2 matchFields []NodeSelectorRequirement
NodeSpec: 1 podCIDR, 7 podCIDRs [], 3 providerID, 4 unschedulable B, 5 taints []Taint, 6 configSource *NodeConfigSource, 2 externalID
NodeStatus: 1 capacity {}Q, 2 allocatable {}Q, 3 phase, 4 conditions []NodeCondition, 5 addresses []NodeAddress, 6 daemonEndpoints NodeDaemonEndpoints, 7 nodeInfo NodeSystemInfo, 8 images []ContainerImage, 9 volumesInUse [], 10 volumesAttached []AttachedVolume, 11 config *NodeConfigStatus, 12 runtimeHandlers []NodeRuntimeHandler, 13 features *NodeFeatures
NodeSwapStatus: 1 capacity *i
NodeSystemInfo: 1 machineID, 2 systemUUID, 3 bootID, 4 kernelVersion, 5 osImage, 6 containerRuntimeVersion, 7 kubeletVersion, 8 kubeProxyVersion, 9 operatingSystem, 10 architecture, 11 swap *NodeSwapStatus
NonResourceAttributes: 1 path, 2 verb
NonResourceRule: 1 verbs [], 2 nonResourceURLs []
ObjectFieldSelector: 1 apiVersion, 2 fieldPath
ObjectMeta: 1 name, 2 generateName, 3 namespace, 4 selfLink, 5 uid, 6 resourceVersion, 7 generation i, 8 creationTimestamp T, 9 deletionTimestamp *T, 10 deletionGracePeriodSeconds *i, 11 labels {}, 12 annotations {}, 13 ownerReferences []OwnerReference, 14 finalizers [], 17 managedFields []ManagedFieldsEntry
ObjectReference: 1 kind, 2 namespace, 3 name, 4 uid, 5 apiVersion, 6 resourceVersion, 7 fieldPath
OwnerReference: 5 apiVersion, 1 kind, 3 name, 4 uid, 6 controller *B, 7 blockOwnerDeletion *B
PersistentVolume: 1 metadata ObjectMeta, 2 spec PersistentVolumeSpec, 3 status PersistentVolumeStatus
PersistentVolumeClaim: 1 metadata ObjectMeta, 2 spec PersistentVolumeClaimSpec, 3 status PersistentVolumeClaimStatus
PersistentVolumeClaimCondition: 1 type, 2 status, 3 lastProbeTime T, 4 lastTransitionTime T, 5 reason, 6 message
PersistentVolumeClaimSpec: 1 accessModes [], 4 selector *LabelSelector, 2 resources VolumeResourceRequirements, 3 volumeName, 5 storageClassName *, 6 volumeMode *, 7 dataSource *TypedLocalObjectReference, 8 dataSourceRef *TypedObjectReference, 9 volumeAttributesClassName *
PersistentVolumeClaimStatus: 1 phase, 2 accessModes [], 3 capacity {}Q, 4 conditions []PersistentVolumeClaimCondition, 5 allocatedResources {}Q, 7 allocatedResourceStatuses {}, 8 currentVolumeAttributesClassName *, 9 modifyVolumeStatus *ModifyVolumeStatus
PersistentVolumeClaimTemplate: 1 metadata ObjectMeta, 2 spec PersistentVolumeClaimSpec
PersistentVolumeClaimVolumeSource: 1 claimName, 2 readOnly B
PersistentVolumeSource: 1 gcePersistentDisk *GCEPersistentDiskVolumeSource, 2 awsElasticBlockStore *AWSElasticBlockStoreVolumeSource, 3 hostPath *HostPathVolumeSource, 4 glusterfs *GlusterfsPersistentVolumeSource, 5 nfs *NFSVolumeSource, 6 rbd *RBDPersistentVolumeSource, 7 iscsi *ISCSIPersistentVolumeSource, 8 cinder *CinderPersistentVolumeSource, 9 cephfs *CephFSPersistentVolumeSource, 10 fc *FCVolumeSource, 11 flocker *FlockerVolumeSource, 12 flexVolume *FlexPersistentVolumeSource, 13 azureFile *AzureFilePersistentVolumeSource, 14 vsphereVolume *VsphereVirtualDiskVolumeSource, 15 quobyte *QuobyteVolumeSource, 16 azureDisk *AzureDiskVolumeSource, 17 photonPersistentDisk *PhotonPersistentDiskVolumeSource, 18 portworxVolume *PortworxVolumeSource, 19 scaleIO *ScaleIOPersistentVolumeSource, 20 local *LocalVolumeSource, 21 storageos *StorageOSPersistentVolumeSource, 22 csi *CSIPersistentVolumeSource
PersistentVolumeSpec: 1 capacity {}Q, 2 - PersistentVolumeSource, 3 accessModes [], 4 claimRef *ObjectReference, 5 persistentVolumeReclaimPolicy, 6 storageClassName, 7 mountOptions [], 8 volumeMode *, 9 nodeAffinity *VolumeNodeAffinity, 10 volumeAttributesClassName *
PersistentVolumeStatus: 1 phase, 2 message, 3 reason, 4 lastPhaseTransitionTime *T
PhotonPersistentDiskVolumeSource: 1 pdID, 2 fsType
Pod: 1 metadata ObjectMeta, 2 spec PodSpec, 3 status PodStatus
PodAffinity: 1 requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm, 2 preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm
PodAffinityTerm: 1 labelSelector *LabelSelector, 2 namespaces [], 3 topologyKey, 4 namespaceSelector *LabelSelector, 5 matchLabelKeys [], 6 mismatchLabelKeys []
PodAntiAffinity: 1 requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm, 2 preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm
PodCertificateProjection: 1 signerName, 2 keyType, 3 maxExpirationSeconds *i, 4 credentialBundlePath, 5 keyPath, 6 certificateChainPath
PodCondition: 1 type, 7 observedGeneration i, 2 status, 3 lastProbeTime T, 4 lastTransitionTime T, 5 reason, 6 message
PodDNSConfig: 1 nameservers [], 2 searches [], 3 options []PodDNSConfigOption
PodDNSConfigOption: 1 name, 2 value *
PodDisruptionBudget: 1 metadata ObjectMeta, 2 spec PodDisruptionBudgetSpec, 3 status PodDisruptionBudgetStatus
PodDisruptionBudgetSpec: 1 minAvailable *X, 2 selector *LabelSelector, 3 maxUnavailable *X, 4 unhealthyPodEvictionPolicy *
PodDisruptionBudgetStatus: 1 observedGeneration i, 2 disruptedPods {}T, 3 disruptionsAllowed i, 4 currentHealthy i, 5 desiredHealthy i, 6 expectedPods i, 7 conditions []Condition
PodExtendedResourceClaimStatus: 1 requestMappings []ContainerExtendedResourceRequest, 2 resourceClaimName
PodFailurePolicy: 1 rules []PodFailurePolicyRule
PodFailurePolicyOnExitCodesRequirement: 1 containerName *, 2 operator, 3 values []i
PodFailurePolicyOnPodConditionsPattern: 1 type, 2 status
PodFailurePolicyRule: 1 action, 2 onExitCodes *PodFailurePolicyOnExitCodesRequirement, 3 onPodConditions []PodFailurePolicyOnPodConditionsPattern
PodIP: 1 ip
PodOS: 1 name
PodReadinessGate: 1 conditionType
PodResourceClaim: 1 name, 3 resourceClaimName *, 4 resourceClaimTemplateName *
PodResourceClaimStatus: 1 name, 2 resourceClaimName *
PodSchedulingGate: 1 name
PodSecurityContext: 1 seLinuxOptions *SELinuxOptions, 8 windowsOptions *WindowsSecurityContextOptions, 2 runAsUser *i, 6 runAsGroup *i, 3 runAsNonRoot *B, 4 supplementalGroups []i, 12 supplementalGroupsPolicy *, 5 fsGroup *i, 7 sysctls []Sysctl, 9 fsGroupChangePolicy *, 10 seccompProfile *SeccompProfile, 11 appArmorProfile *AppArmorProfile, 13 seLinuxChangePolicy *
PodSpec: 1 volumes []Volume, 20 initContainers []Container, 2 containers []Container, 34 ephemeralContainers []EphemeralContainer, 3 restartPolicy, 4 terminationGracePeriodSeconds *i, 5 activeDeadlineSeconds *i, 6 dnsPolicy, 7 nodeSelector {}, 8 serviceAccountName, 9 serviceAccount, 21 automountServiceAccountToken *B, 10 nodeName, 11 hostNetwork B, 12 hostPID B, 13 hostIPC B, 27 shareProcessNamespace *B, 14 securityContext *PodSecurityContext, 15 imagePullSecrets []LocalObjectReference, 16 hostname, 17 subdomain, 18 affinity *Affinity, 19 schedulerName, 22 tolerations []Toleration, 23 hostAliases []HostAlias, 24 priorityClassName, 25 priority *i, 26 dnsConfig *PodDNSConfig, 28 readinessGates []PodReadinessGate, 29 runtimeClassName *, 30 enableServiceLinks *B, 31 preemptionPolicy *, 32 overhead {}Q, 33 topologySpreadConstraints []TopologySpreadConstraint, 35 setHostnameAsFQDN *B, 36 os *PodOS, 37 hostUsers *B, 38 schedulingGates []PodSchedulingGate, 39 resourceClaims []PodResourceClaim, 40 resources *ResourceRequirements, 41 hostnameOverride *
PodStatus: 17 observedGeneration i, 1 phase, 2 conditions []PodCondition, 3 message, 4 reason, 11 nominatedNodeName, 5 hostIP, 16 hostIPs []HostIP, 6 podIP, 12 podIPs []PodIP, 7 startTime *T, 10 initContainerStatuses []ContainerStatus, 8 containerStatuses []ContainerStatus, 9 qosClass, 13 ephemeralContainerStatuses []ContainerStatus, 14 resize, 15 resourceClaimStatuses []PodResourceClaimStatus, 18 extendedResourceClaimStatus *PodExtendedResourceClaimStatus
PodTemplateSpec: 1 metadata ObjectMeta, 2 spec PodSpec
PolicyRule: 1 verbs [], 2 apiGroups [], 3 resources [], 4 resourceNames [], 5 nonResourceURLs []
PortStatus: 1 port i, 2 protocol, 3 error *
PortworxVolumeSource: 1 volumeID, 2 fsType, 3 readOnly B
Preconditions: 1 uid *, 2 resourceVersion *
PreferredSchedulingTerm: 1 weight i, 2 preference NodeSelectorTerm
PriorityClass: 1 metadata ObjectMeta, 2 value i, 3 globalDefault B, 4 description, 5 preemptionPolicy *
Probe: 1 - ProbeHandler, 2 initialDelaySeconds i, 3 timeoutSeconds i, 4 periodSeconds i, 5 successThreshold i, 6 failureThreshold i, 7 terminationGracePeriodSeconds *i
ProbeHandler: 1 exec *ExecAction, 2 httpGet *HTTPGetAction, 3 tcpSocket *TCPSocketAction, 4 grpc *GRPCAction
ProjectedVolumeSource: 1 sources []VolumeProjection, 2 defaultMode *i
QuobyteVolumeSource: 1 registry, 2 volume, 3 readOnly B, 4 user, 5 group, 6 tenant
RBDPersistentVolumeSource: 1 monitors [], 2 image, 3 fsType, 4 pool, 5 user, 6 keyring, 7 secretRef *SecretReference, 8 readOnly B
RBDVolumeSource: 1 monitors [], 2 image, 3 fsType, 4 pool, 5 user, 6 keyring, 7 secretRef *LocalObjectReference, 8 readOnly B
ReplicaSet: 1 metadata ObjectMeta, 2 spec ReplicaSetSpec, 3 status ReplicaSetStatus
ReplicaSetCondition: 1 type, 2 status, 3 lastTransitionTime T, 4 reason, 5 message
ReplicaSetSpec: 1 replicas *i, 4 minReadySeconds i, 2 selector *LabelSelector, 3 template PodTemplateSpec
ReplicaSetStatus: 1 replicas i, 2 fullyLabeledReplicas i, 4 readyReplicas i, 5 availableReplicas i, 7 terminatingReplicas *i, 3 observedGeneration i, 6 conditions []ReplicaSetCondition
ReplicationController: 1 metadata ObjectMeta, 2 spec ReplicationControllerSpec, 3 status ReplicationControllerStatus
ReplicationControllerCondition: 1 type, 2 status, 3 lastTransitionTime T, 4 reason, 5 message
ReplicationControllerSpec: 1 replicas *i, 4 minReadySeconds i, 2 selector {}, 3 template *PodTemplateSpec
ReplicationControllerStatus: 1 replicas i, 2 fullyLabeledReplicas i, 4 readyReplicas i, 5 availableReplicas i, 3 observedGeneration i, 6 conditions []ReplicationControllerCondition
ResourceAttributes: 1 namespace, 2 verb, 3 group, 4 version, 5 resource, 6 subresource, 7 name, 8 fieldSelector *FieldSelectorAttributes, 9 labelSelector *LabelSelectorAttributes
ResourceClaim: 1 name, 2 request
ResourceFieldSelector: 1 containerName, 2 resource, 3 divisor Q
ResourceHealth: 1 resourceID, 2 health
ResourceQuota: 1 metadata ObjectMeta, 2 spec ResourceQuotaSpec, 3 status ResourceQuotaStatus
ResourceQuotaSpec: 1 hard {}Q, 2 scopes [], 3 scopeSelector *ScopeSelector
ResourceQuotaStatus: 1 hard {}Q, 2 used {}Q
ResourceRequirements: 1 limits {}Q, 2 requests {}Q, 3 claims []ResourceClaim
ResourceRule: 1 verbs [], 2 apiGroups [], 3 resources [], 4 resourceNames []
ResourceStatus: 1 name, 2 resources []ResourceHealth
Role: 1 metadata ObjectMeta, 2 rules []PolicyRule
RoleBinding: 1 metadata ObjectMeta, 2 subjects []Subject, 3 roleRef RoleRef
RoleRef: 1 apiGroup, 2 kind, 3 name
RollingUpdateDaemonSet: 1 maxUnavailable *X, 2 maxSurge *X
RollingUpdateDeployment: 1 maxUnavailable *X, 2 maxSurge *X
RollingUpdateStatefulSetStrategy: 1 partition *i, 2 maxUnavailable *X
SELinuxOptions: 1 user, 2 role, 3 type, 4 level
Scale: 1 metadata ObjectMeta, 2 spec ScaleSpec, 3 status ScaleStatus
ScaleIOPersistentVolumeSource: 1 gateway, 2 system, 3 secretRef *SecretReference, 4 sslEnabled B, 5 protectionDomain, 6 storagePool, 7 storageMode, 8 volumeName, 9 fsType, 10 readOnly B
ScaleIOVolumeSource: 1 gateway, 2 system, 3 secretRef *LocalObjectReference, 4 sslEnabled B, 5 protectionDomain, 6 storagePool, 7 storageMode, 8 volumeName, 9 fsType, 10 readOnly B
ScaleSpec: 1 replicas i
ScaleStatus: 1 replicas i, 2 selector
ScopeSelector: 1 matchExpressions []ScopedResourceSelectorRequirement
ScopedResourceSelectorRequirement: 1 scopeName, 2 operator, 3 values []
SeccompProfile: 1 type, 2 localhostProfile *
Secret: 1 metadata ObjectMeta, 5 immutable *B, 2 data {}b, 4 stringData {}, 3 type
SecretEnvSource: 1 - LocalObjectReference, 2 optional *B
SecretKeySelector: 1 - LocalObjectReference, 2 key, 3 optional *B
SecretProjection: 1 - LocalObjectReference, 2 items []KeyToPath, 4 optional *B
SecretReference: 1 name, 2 namespace
SecretVolumeSource: 1 secretName, 2 items []KeyToPath, 3 defaultMode *i, 4 optional *B
SecurityContext: 1 capabilities *Capabilities, 2 privileged *B, 3 seLinuxOptions *SELinuxOptions, 10 windowsOptions *WindowsSecurityContextOptions, 4 runAsUser *i, 8 runAsGroup *i, 5 runAsNonRoot *B, 6 readOnlyRootFilesystem *B, 7 allowPrivilegeEscalation *B, 9 procMount *, 11 seccompProfile *SeccompProfile, 12 appArmorProfile *AppArmorProfile
SelfSubjectAccessReview: 1 metadata ObjectMeta, 2 spec SelfSubjectAccessReviewSpec, 3 status SubjectAccessReviewStatus
SelfSubjectAccessReviewSpec: 1 resourceAttributes *ResourceAttributes, 2 nonResourceAttributes *NonResourceAttributes
SelfSubjectReview: 1 metadata ObjectMeta, 2 status SelfSubjectReviewStatus
SelfSubjectReviewStatus: 1 userInfo UserInfo
SelfSubjectRulesReview: 1 metadata ObjectMeta, 2 spec SelfSubjectRulesReviewSpec, 3 status SubjectRulesReviewStatus
SelfSubjectRulesReviewSpec: 1 namespace
Service: 1 metadata ObjectMeta, 2 spec ServiceSpec, 3 status ServiceStatus
ServiceAccount: 1 metadata ObjectMeta, 2 secrets []ObjectReference, 3 imagePullSecrets []LocalObjectReference, 4 automountServiceAccountToken *B
ServiceAccountTokenProjection: 1 audience, 2 expirationSeconds *i, 3 path
ServiceBackendPort: 1 name, 2 number i
ServicePort: 1 name, 2 protocol, 6 appProtocol *, 3 port i, 4 targetPort X, 5 nodePort i
ServiceSpec: 1 ports []ServicePort, 2 selector {}, 3 clusterIP, 18 clusterIPs [], 4 type, 5 externalIPs [], 7 sessionAffinity, 8 loadBalancerIP, 9 loadBalancerSourceRanges [], 10 externalName, 11 externalTrafficPolicy, 12 healthCheckNodePort i, 13 publishNotReadyAddresses B, 14 sessionAffinityConfig *SessionAffinityConfig, 19 ipFamilies [], 17 ipFamilyPolicy *, 20 allocateLoadBalancerNodePorts *B, 21 loadBalancerClass *, 22 internalTrafficPolicy *, 23 trafficDistribution *
ServiceStatus: 1 loadBalancer LoadBalancerStatus, 2 conditions []Condition
SessionAffinityConfig: 1 clientIP *ClientIPConfig
SleepAction: 1 seconds i
StatefulSet: 1 metadata ObjectMeta, 2 spec StatefulSetSpec, 3 status StatefulSetStatus
StatefulSetCondition: 1 type, 2 status, 3 lastTransitionTime T, 4 reason, 5 message
StatefulSetOrdinals: 1 start i
StatefulSetPersistentVolumeClaimRetentionPolicy: 1 whenDeleted, 2 whenScaled
StatefulSetSpec: 1 replicas *i, 2 selector *LabelSelector, 3 template PodTemplateSpec, 4 volumeClaimTemplates []PersistentVolumeClaim, 5 serviceName, 6 podManagementPolicy, 7 updateStrategy StatefulSetUpdateStrategy, 8 revisionHistoryLimit *i, 9 minReadySeconds i, 10 persistentVolumeClaimRetentionPolicy *StatefulSetPersistentVolumeClaimRetentionPolicy, 11 ordinals *StatefulSetOrdinals
StatefulSetStatus: 1 observedGeneration i, 2 replicas i, 3 readyReplicas i, 4 currentReplicas i, 5 updatedReplicas i, 6 currentRevision, 7 updateRevision, 9 collisionCount *i, 10 conditions []StatefulSetCondition, 11 availableReplicas i
StatefulSetUpdateStrategy: 1 type, 2 rollingUpdate *RollingUpdateStatefulSetStrategy
StorageClass: 1 metadata ObjectMeta, 2 provisioner, 3 parameters {}, 4 reclaimPolicy *, 5 mountOptions [], 6 allowVolumeExpansion *B, 7 volumeBindingMode *, 8 allowedTopologies []TopologySelectorTerm
StorageOSPersistentVolumeSource: 1 volumeName, 2 volumeNamespace, 3 fsType, 4 readOnly B, 5 secretRef *ObjectReference
StorageOSVolumeSource: 1 volumeName, 2 volumeNamespace, 3 fsType, 4 readOnly B, 5 secretRef *LocalObjectReference
Subject: 1 kind, 2 apiGroup, 3 name, 4 namespace
SubjectAccessReview: 1 metadata ObjectMeta, 2 spec SubjectAccessReviewSpec, 3 status SubjectAccessReviewStatus
SubjectAccessReviewSpec: 1 resourceAttributes *ResourceAttributes, 2 nonResourceAttributes *NonResourceAttributes, 3 user, 4 groups [], 5 extra {}L, 6 uid
SubjectAccessReviewStatus: 1 allowed B, 4 denied B, 2 reason, 3 evaluationError
SubjectRulesReviewStatus: 1 resourceRules []ResourceRule, 2 nonResourceRules []NonResourceRule, 3 incomplete B, 4 evaluationError
SuccessPolicy: 1 rules []SuccessPolicyRule
SuccessPolicyRule: 1 succeededIndexes *, 2 succeededCount *i
Sysctl: 1 name, 2 value
TCPSocketAction: 1 port X, 2 host
Taint: 1 key, 2 value, 3 effect, 4 timeAdded *T
TokenRequest: 1 metadata ObjectMeta, 2 spec TokenRequestSpec, 3 status TokenRequestStatus
TokenRequestSpec: 1 audiences [], 4 expirationSeconds *i, 3 boundObjectRef *BoundObjectReference
TokenRequestStatus: 1 token, 2 expirationTimestamp T
Toleration: 1 key, 2 operator, 3 value, 4 effect, 5 tolerationSeconds *i
TopologySelectorLabelRequirement: 1 key, 2 values []
TopologySelectorTerm: 1 matchLabelExpressions []TopologySelectorLabelRequirement
TopologySpreadConstraint: 1 maxSkew i, 2 topologyKey, 3 whenUnsatisfiable, 4 labelSelector *LabelSelector, 5 minDomains *i, 6 nodeAffinityPolicy *, 7 nodeTaintsPolicy *, 8 matchLabelKeys []
TypedLocalObjectReference: 1 apiGroup *, 2 kind, 3 name
TypedObjectReference: 1 apiGroup *, 2 kind, 3 name, 4 namespace *
UncountedTerminatedPods: 1 succeeded [], 2 failed []
UserInfo: 1 username, 2 uid, 3 groups [], 4 extra {}L
Volume: 1 name, 2 - VolumeSource
VolumeAttachment: 1 metadata ObjectMeta, 2 spec VolumeAttachmentSpec, 3 status VolumeAttachmentStatus
VolumeAttachmentSource: 1 persistentVolumeName *, 2 inlineVolumeSpec *PersistentVolumeSpec
VolumeAttachmentSpec: 1 attacher, 2 source VolumeAttachmentSource, 3 nodeName
VolumeAttachmentStatus: 1 attached B, 2 attachmentMetadata {}, 3 attachError *VolumeError, 4 detachError *VolumeError
VolumeDevice: 1 name, 2 devicePath
VolumeError: 1 time T, 2 message, 3 errorCode *i
VolumeMount: 1 name, 2 readOnly B, 7 recursiveReadOnly *, 3 mountPath, 4 subPath, 5 mountPropagation *, 6 subPathExpr
VolumeMountStatus: 1 name, 2 mountPath, 3 readOnly B, 4 recursiveReadOnly *
VolumeNodeAffinity: 1 required *NodeSelector
VolumeNodeResources: 1 count *i
VolumeProjection: 1 secret *SecretProjection, 2 downwardAPI *DownwardAPIProjection, 3 configMap *ConfigMapProjection, 4 serviceAccountToken *ServiceAccountTokenProjection, 5 clusterTrustBundle *ClusterTrustBundleProjection, 6 podCertificate *PodCertificateProjection
VolumeResourceRequirements: 1 limits {}Q, 2 requests {}Q
VolumeSource: 1 hostPath *HostPathVolumeSource, 2 emptyDir *EmptyDirVolumeSource, 3 gcePersistentDisk *GCEPersistentDiskVolumeSource, 4 awsElasticBlockStore *AWSElasticBlockStoreVolumeSource, 5 gitRepo *GitRepoVolumeSource, 6 secret *SecretVolumeSource, 7 nfs *NFSVolumeSource, 8 iscsi *ISCSIVolumeSource, 9 glusterfs *GlusterfsVolumeSource, 10 persistentVolumeClaim *PersistentVolumeClaimVolumeSource, 11 rbd *RBDVolumeSource, 12 flexVolume *FlexVolumeSource, 13 cinder *CinderVolumeSource, 14 cephfs *CephFSVolumeSource, 15 flocker *FlockerVolumeSource, 16 downwardAPI *DownwardAPIVolumeSource, 17 fc *FCVolumeSource, 18 azureFile *AzureFileVolumeSource, 19 configMap *ConfigMapVolumeSource, 20 vsphereVolume *VsphereVirtualDiskVolumeSource, 21 quobyte *QuobyteVolumeSource, 22 azureDisk *AzureDiskVolumeSource, 23 photonPersistentDisk *PhotonPersistentDiskVolumeSource, 26 projected *ProjectedVolumeSource, 24 portworxVolume *PortworxVolumeSource, 25 scaleIO *ScaleIOVolumeSource, 27 storageos *StorageOSVolumeSource, 28 csi *CSIVolumeSource, 29 ephemeral *EphemeralVolumeSource, 30 image *ImageVolumeSource
VsphereVirtualDiskVolumeSource: 1 volumePath, 2 fsType, 3 storagePolicyName, 4 storagePolicyID
WeightedPodAffinityTerm: 1 weight i, 2 podAffinityTerm PodAffinityTerm
WindowsSecurityContextOptions: 1 gmsaCredentialSpecName *, 2 gmsaCredentialSpec *, 3 runAsUserName *, 4 hostProcess *B
autoscaling.ContainerResourceMetricSource: 1 name, 2 target MetricTarget, 3 container
autoscaling.ContainerResourceMetricStatus: 1 name, 2 current MetricValueStatus, 3 container
autoscaling.CrossVersionObjectReference: 1 kind, 2 name, 3 apiVersion
autoscaling.ExternalMetricSource: 1 metric MetricIdentifier, 2 target MetricTarget
autoscaling.ExternalMetricStatus: 1 metric MetricIdentifier, 2 current MetricValueStatus
autoscaling.HorizontalPodAutoscalerCondition: 1 type, 2 status, 3 lastTransitionTime T, 4 reason, 5 message
autoscaling.HorizontalPodAutoscalerSpec: 1 scaleTargetRef autoscaling.CrossVersionObjectReference, 2 minReplicas *i, 3 maxReplicas i, 4 metrics []autoscaling.MetricSpec, 5 behavior *HorizontalPodAutoscalerBehavior
autoscaling.HorizontalPodAutoscalerStatus: 1 observedGeneration *i, 2 lastScaleTime *T, 3 currentReplicas i, 4 desiredReplicas i, 5 currentMetrics []autoscaling.MetricStatus, 6 conditions []autoscaling.HorizontalPodAutoscalerCondition
autoscaling.MetricSpec: 1 type, 2 object *autoscaling.ObjectMetricSource, 3 pods *autoscaling.PodsMetricSource, 4 resource *autoscaling.ResourceMetricSource, 7 containerResource *autoscaling.ContainerResourceMetricSource, 5 external *autoscaling.ExternalMetricSource
autoscaling.MetricStatus: 1 type, 2 object *autoscaling.ObjectMetricStatus, 3 pods *autoscaling.PodsMetricStatus, 4 resource *autoscaling.ResourceMetricStatus, 7 containerResource *autoscaling.ContainerResourceMetricStatus, 5 external *autoscaling.ExternalMetricStatus
autoscaling.ObjectMetricSource: 1 describedObject autoscaling.CrossVersionObjectReference, 2 target MetricTarget, 3 metric MetricIdentifier
autoscaling.ObjectMetricStatus: 1 metric MetricIdentifier, 2 current MetricValueStatus, 3 describedObject autoscaling.CrossVersionObjectReference
autoscaling.PodsMetricSource: 1 metric MetricIdentifier, 2 target MetricTarget
autoscaling.PodsMetricStatus: 1 metric MetricIdentifier, 2 current MetricValueStatus
autoscaling.ResourceMetricSource: 1 name, 2 target MetricTarget
autoscaling.ResourceMetricStatus: 1 name, 2 current MetricValueStatus
discovery.EndpointPort: 1 name *, 2 protocol *, 3 port *i, 4 appProtocol *
events.Event: 1 metadata ObjectMeta, 2 eventTime M, 3 series *events.EventSeries, 4 reportingController, 5 reportingInstance, 6 action, 7 reason, 8 regarding ObjectReference, 9 related *ObjectReference, 10 note, 11 type, 12 deprecatedSource EventSource, 13 deprecatedFirstTimestamp T, 14 deprecatedLastTimestamp T, 15 deprecatedCount i
events.EventSeries: 1 count i, 2 lastObservedTime M
`;
