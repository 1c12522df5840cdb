/**
 * What of each kind the simulation reads: the scheduler, the kubelets, the controllers, and Drover's own decoders (src/kube/decode-*.ts).
 * Fields that the API server fills in itself stay even where nobody reads them: an object without them would be changed by its next update.
 */
import type { Shape } from './project.ts';

const probe: Shape = {
  initialDelaySeconds: true,
  timeoutSeconds: true,
  periodSeconds: true,
  successThreshold: true,
  failureThreshold: true,
};

const container: Shape = {
  name: true,
  image: true,
  ports: true,
  resources: { limits: true, requests: true },
  restartPolicy: true,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: { preStop: { sleep: true } },
  terminationMessagePath: true,
  terminationMessagePolicy: true,
  imagePullPolicy: true,
};

export const podSpec = {
  nodeName: true,
  containers: [container],
  initContainers: [container],
  volumes: [
    {
      name: true,
      emptyDir: {},
      hostPath: { path: true, type: true },
      persistentVolumeClaim: true,
      ephemeral: { volumeClaimTemplate: { metadata: { labels: true }, spec: true } },
    },
  ],
  nodeSelector: true,
  affinity: true,
  tolerations: true,
  topologySpreadConstraints: true,
  overhead: true,
  restartPolicy: true,
  terminationGracePeriodSeconds: true,
  activeDeadlineSeconds: true,
  dnsPolicy: true,
  securityContext: {},
  schedulerName: true,
  enableServiceLinks: true,
  priority: true,
  priorityClassName: true,
  preemptionPolicy: true,
  schedulingGates: true,
  readinessGates: true,
  hostNetwork: true,
  hostname: true,
  subdomain: true,
} as const satisfies Shape;

const condition: Shape = {
  type: true,
  status: true,
  reason: true,
  message: true,
  lastTransitionTime: true,
  lastHeartbeatTime: true,
};

const terminated: Shape = { exitCode: true, reason: true, startedAt: true, finishedAt: true };

const containerStatus: Shape = {
  name: true,
  state: { waiting: { reason: true }, running: { startedAt: true }, terminated },
  lastState: { terminated },
  ready: true,
  restartCount: true,
  image: true,
  started: true,
};

const peers: Shape = [{ podSelector: true, namespaceSelector: true }];

const selector: Shape = { selector: true };

/**
 * By plural name; a kind that is not here stays as it is but for its template.
 * No `true` for a spec or status: what is handed on in one piece belongs to whoever has read it.
 */
export const shapes: Readonly<Record<string, { readonly [field: string]: Shape }>> = {
  namespaces: { spec: { finalizers: true }, status: { phase: true } },
  priorityclasses: { value: true, globalDefault: true, preemptionPolicy: true },
  storageclasses: { provisioner: true, reclaimPolicy: true, volumeBindingMode: true, allowedTopologies: true },
  nodes: {
    spec: { podCIDR: true, providerID: true, unschedulable: true, taints: true },
    status: {
      capacity: true,
      allocatable: true,
      conditions: [condition],
      addresses: true,
      nodeInfo: {
        architecture: true,
        bootID: true,
        containerRuntimeVersion: true,
        kernelVersion: true,
        kubeletVersion: true,
        operatingSystem: true,
        osImage: true,
      },
    },
  },
  persistentvolumes: {
    spec: {
      accessModes: true,
      capacity: true,
      claimRef: { apiVersion: true, kind: true, namespace: true, name: true, uid: true },
      csi: { driver: true, volumeHandle: true },
      local: {},
      nodeAffinity: true,
      persistentVolumeReclaimPolicy: true,
      storageClassName: true,
      volumeMode: true,
    },
    status: { phase: true },
  },
  persistentvolumeclaims: {
    spec: { accessModes: true, resources: true, selector: true, storageClassName: true, volumeMode: true, volumeName: true },
    status: { phase: true },
  },
  volumeattachments: {
    spec: { attacher: true, nodeName: true, source: { persistentVolumeName: true } },
    status: { attached: true },
  },
  cronjobs: { spec: { schedule: true, suspend: true }, status: {} },
  pods: {
    spec: podSpec,
    status: {
      phase: true,
      reason: true,
      message: true,
      conditions: [condition],
      podIP: true,
      hostIP: true,
      startTime: true,
      containerStatuses: [containerStatus],
      initContainerStatuses: [containerStatus],
      nominatedNodeName: true,
      qosClass: true,
      observedGeneration: true,
    },
  },
  services: {
    spec: {
      type: true,
      clusterIP: true,
      clusterIPs: true,
      selector: true,
      ports: true,
      publishNotReadyAddresses: true,
      sessionAffinity: true,
      ipFamilies: true,
      ipFamilyPolicy: true,
      internalTrafficPolicy: true,
      externalTrafficPolicy: true,
    },
    status: {},
  },
  endpointslices: {
    addressType: true,
    endpoints: [
      {
        addresses: true,
        conditions: true,
        hostname: true,
        nodeName: true,
        zone: true,
        targetRef: { kind: true, namespace: true, name: true, uid: true },
      },
    ],
    ports: true,
  },
  networkpolicies: {
    spec: { podSelector: true, policyTypes: true, ingress: [{ from: peers }], egress: [{ to: peers }] },
  },
  horizontalpodautoscalers: {
    spec: { scaleTargetRef: true, minReplicas: true, maxReplicas: true },
    status: { currentReplicas: true, desiredReplicas: true },
  },
  replicationcontrollers: {
    spec: { replicas: true, minReadySeconds: true, ...selector },
    status: { replicas: true, readyReplicas: true },
  },
};
