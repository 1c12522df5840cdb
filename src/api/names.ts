/** Every name that Drover writes into a cluster. Renaming one orphans what an older version has written. */

export const API_GROUP = 'drover.dev';
export const API_VERSION = 'v1alpha1';
export const GROUP_VERSION = `${API_GROUP}/${API_VERSION}`;

export const annotations = {
  /** On a node: the cluster autoscaler lets it stand (kubernetes/autoscaler, simulator/drainability). */
  scaleDownDisabled: 'cluster-autoscaler.kubernetes.io/scale-down-disabled',
  /** On a node: what Drover changed on it, as JSON, written in the same patch as the change. */
  maintenance: 'drover.dev/maintenance',
  /** On a pod: the labels that a handover took from it, as JSON. */
  handover: 'drover.dev/handover',
  /** On a pod: why it was given back; it is not handed over again. */
  handoverRefused: 'drover.dev/handover-refused',
  /** On a node, by its agent: what is known about the machine, as JSON (node-signal.ts). */
  signals: 'drover.dev/signals',
  /** On a node, by its agent: the types of the conditions that are its own, so that one nobody sets any more is taken off. */
  agentConditions: 'drover.dev/agent-conditions',
  /** On a NodeMaintenance: what has been told of it and where, as JSON, so that the next leader does not tell it again. */
  notified: 'drover.dev/notified',
  /** On a Namespace: the channels of the controller's configuration that its owners are told through, by name. */
  notify: 'drover.dev/notify',
  /** On a NodeMaintenance or a MaintenancePolicy: who has approved its start and when, as JSON. */
  approved: 'drover.dev/approved',
  /** On a MaintenancePolicy: who has closed its breaker again and when, as JSON. */
  resumed: 'drover.dev/resumed',
} as const;

export const taints = {
  /** Soft, so that pods of other nodes do not hop onto one that goes next; the cordon itself is `spec.unschedulable`. */
  maintenance: { key: 'drover.dev/maintenance', effect: 'PreferNoSchedule' },
} as const;

export const finalizers = {
  /** On a NodeMaintenance: its node still carries changes of ours. */
  undo: 'drover.dev/undo',
} as const;

export const labels = {
  /** On a NodeMaintenance: the policy that created it. */
  policy: 'drover.dev/policy',
  /** On a pod that was handed over: annotations cannot be searched for, labels can. */
  handedOver: 'drover.dev/handed-over',
  /** On a pod or Job that acts on a node: `reboot`, `before` or `after`. */
  action: 'drover.dev/action',
  /** On a node: it runs the control plane (kubeadm, and whoever follows it). */
  controlPlane: 'node-role.kubernetes.io/control-plane',
  /** On a node: cloud load balancers leave it out (kubernetes/cloud-provider, controllers/service). */
  excludeFromLoadBalancers: 'node.kubernetes.io/exclude-from-external-load-balancers',
} as const;
