/** What a kubelet writes into its Node. */
import { withCondition } from '../conditions.ts';
import type { Condition, Node, Quantities } from '../kubernetes.ts';

type NodeStatus = NonNullable<Node['status']>;

/** For a Node that somebody made without saying how large it is. */
const DEFAULT_CAPACITY: Quantities = { cpu: '4', memory: '16Gi', 'ephemeral-storage': '100Gi', pods: '110' };

const HEALTHY: readonly Condition[] = [
  {
    type: 'MemoryPressure',
    status: 'False',
    reason: 'KubeletHasSufficientMemory',
    message: 'kubelet has sufficient memory available',
  },
  { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
  { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
];

export const READY: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'KubeletReady',
  message: 'kubelet is posting ready status',
};

export function notReady(message: string): Condition {
  return { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message };
}

/** `now` is RFC 3339. Pressure that somebody set by hand stays: here nothing else would set it. */
export function heartbeat(node: Node, ready: Condition, now: string): Node {
  let conditions = node.status?.conditions;
  for (const condition of HEALTHY) {
    const before = conditions?.find(({ type }) => type === condition.type);
    const kept = before && before.status === 'True' ? before : condition;
    conditions = withCondition(conditions, { ...timeless(kept), lastHeartbeatTime: now }, now);
  }
  conditions = withCondition(conditions, { ...ready, lastHeartbeatTime: now }, now);
  return { ...node, status: { ...node.status, conditions } };
}

function timeless({ type, status, reason, message }: Condition): Condition {
  return { type, status, ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) };
}

/** Size, addresses and system of the machine, as far as the Node does not say them yet; the boot id always. */
export function described(node: Node, { ip, bootId }: { readonly ip: string; readonly bootId: string }): Node {
  const status: NodeStatus = node.status ?? {};
  const capacity = status.capacity ?? DEFAULT_CAPACITY;
  return {
    ...node,
    status: {
      ...status,
      capacity,
      allocatable: status.allocatable ?? capacity,
      addresses: status.addresses ?? [
        { type: 'InternalIP', address: ip },
        { type: 'Hostname', address: node.metadata.name },
      ],
      nodeInfo: {
        architecture: 'amd64',
        containerRuntimeVersion: 'containerd://2.1.4',
        kernelVersion: '6.8.0',
        kubeProxyVersion: '',
        kubeletVersion: 'v1.34.4',
        machineID: node.metadata.uid.replaceAll('-', ''),
        operatingSystem: 'linux',
        osImage: 'Simulated Linux',
        systemUUID: node.metadata.uid,
        ...status.nodeInfo,
        bootID: bootId,
      },
    },
  };
}

/** The labels that a kubelet registers with. */
export function labelled(node: Node): Node {
  const { labels = {}, name } = node.metadata;
  const own = { 'kubernetes.io/arch': 'amd64', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' };
  if (Object.keys(own).every((key) => key in labels)) return node;
  return { ...node, metadata: { ...node.metadata, labels: { ...own, ...labels } } };
}

export function internalIp(node: Node): string | undefined {
  return node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
}
