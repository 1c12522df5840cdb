/** The cases on real nodes: kubelets, containerd, and pods that are processes. */
import {
  type AppBehaviour,
  appTemplate,
  deployment,
  type KubeObject,
  merge,
  namespace,
  pod,
  podDisruptionBudget,
  statefulSet,
} from '../../beds/objects.ts';
import { NS, type TruthCase } from './case.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** "node1" and so on: the bed counts its nodes. */
function nodes(first: number, count: number, pool: string, labels: Readonly<Record<string, object>> = {}): KubeObject[] {
  return range(count).map((offset) => {
    const name = `node${first + offset}`;
    return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { pool, ...labels[name] } } };
  });
}

/** Serves on for a while after SIGTERM, as an application behind a load balancer does. */
const orderly = (behaviour: AppBehaviour) => appTemplate({ onTerm: 'drain', graceMs: 2_500, ...behaviour });
const pinnedTo = (label: string) => ({ spec: { template: { spec: { nodeSelector: { [label]: 'yes' } } } } });

export const realNodesCases: readonly TruthCase[] = [
  {
    name: 'real pods',
    boundBy: 'budgets of one, no handover: the slower of two applications',
    old: nodes(1, 3, 'old'),
    fresh: nodes(4, 2, 'new'),
    objects: [
      namespace(NS),
      podDisruptionBudget(NS, 'web', { maxUnavailable: 1 }),
      deployment(NS, 'web', 9, orderly({ readyAfterMs: 3_000 })),
      podDisruptionBudget(NS, 'api', { maxUnavailable: 1 }),
      deployment(NS, 'api', 9, orderly({ readyAfterMs: 6_000 })),
    ],
    policy: { disruption: { maxNodes: 1 }, drain: { handover: 'Never' } },
    afterwards: 'keep',
    stuckNodes: 0,
  },
  {
    name: 'real handovers',
    boundBy: 'handovers; one of three nodes has a pod without owner and a set whose budget allows nothing',
    old: nodes(1, 3, 'old', { node2: { lone: 'yes' } }),
    fresh: nodes(4, 2, 'new'),
    objects: [
      namespace(NS),
      merge(pod(NS, 'lone'), { spec: { nodeSelector: { lone: 'yes' }, ...specOf(orderly({})) } }),
      podDisruptionBudget(NS, 'ledger', { maxUnavailable: 0 }),
      merge(statefulSet(NS, 'ledger', 1, orderly({ readyAfterMs: 1_000 })), pinnedTo('lone')),
      ...range(5).flatMap((index) => [
        podDisruptionBudget(NS, `single-${index}`, { maxUnavailable: 0 }),
        deployment(NS, `single-${index}`, 1, orderly({ readyAfterMs: 4_000 + 1_500 * index })),
      ]),
      podDisruptionBudget(NS, 'four', { minAvailable: 4 }),
      deployment(NS, 'four', 4, orderly({ readyAfterMs: 12_000 })),
    ],
    policy: { disruption: { maxNodes: 1 }, drain: { stepAside: '20s', attempts: 1 } },
    afterwards: 'keep',
    stuckNodes: 1,
  },
];

function specOf(overrides: ReturnType<typeof appTemplate>): object {
  return (overrides['spec'] as { readonly template: { readonly spec: object } }).template.spec;
}
