/** Pools of like machines, and the Node that a machine of one registers as. */
import type { Draft, Latency } from '../apiserver/api.ts';
import type { Labels, Node, Quantities, Taint } from '../kubernetes.ts';

export interface NodePool {
  readonly name: string;
  /** At least one; machines are spread over them. */
  readonly zones: readonly string[];
  readonly template: NodeTemplate;
  /** Absent: the autoscaler leaves the pool alone. */
  readonly autoscale?: { readonly min: number; readonly max: number };
  /** From asking for a machine to its Node. Default 45 to 90 s. */
  readonly boot?: Latency;
  /** Share of the machines that never come up. Default 0. */
  readonly failingBoots?: number;
  /** Machines that the cloud has left in a zone. Absent: as many as anybody asks for. */
  readonly capacity?: Readonly<Record<string, number>>;
  /** The label whose value is the pool's name. Default "sim.drover.dev/pool". */
  readonly poolLabel?: string;
}

export interface NodeTemplate {
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly taints?: readonly Taint[];
  readonly allocatable: Quantities;
  /** Default: what is allocatable. */
  readonly capacity?: Quantities;
  /** Default "sim-4". */
  readonly machineType?: string;
  /** Default: the zone without its last part. */
  readonly region?: string;
}

export const POOL_LABEL = 'sim.drover.dev/pool';

/** The Node of a machine in a zone, as a cloud's kubelet and node controller would have it. */
export function nodeOf(pool: NodePool, name: string, zone: string): Draft<Node> {
  const { labels, annotations, taints = [], allocatable, capacity = allocatable, machineType = 'sim-4' } = pool.template;
  const region = pool.template.region ?? zone.replace(/-[^-]*$/, '');
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'node.kubernetes.io/instance-type': machineType,
        'topology.kubernetes.io/region': region,
        'topology.kubernetes.io/zone': zone,
        [pool.poolLabel ?? POOL_LABEL]: pool.name,
        ...labels,
      },
      ...(annotations && { annotations }),
    },
    spec: { providerID: `sim:///${zone}/${name}`, ...(taints.length > 0 && { taints }) },
    status: { capacity, allocatable },
  };
}
