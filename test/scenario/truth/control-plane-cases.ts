/** Clusters of which each is held up by something else, and the maintenance that each gets: on nodes that kwok plays. */
import { podAnnotations } from '../../beds/kwok-stages.ts';
import { daemonSet, deployment, merge, namespace, node, pod, podDisruptionBudget, statefulSet } from '../../beds/objects.ts';
import type { KwokCase } from './beds.ts';
import { NS } from './case.ts';

const ZONE = 'topology.kubernetes.io/zone';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const oldNodes = (count: number, overrides: (index: number) => object = () => ({})) =>
  range(count).map((index) => merge(node(`old-${index}`, { metadata: { labels: { pool: 'old' } } }), { ...overrides(index) }));
const freshNodes = (count: number, overrides: (index: number) => object = () => ({})) =>
  range(count).map((index) => merge(node(`new-${index}`, { metadata: { labels: { pool: 'new' } } }), { ...overrides(index) }));

const zoned = (index: number) => ({ metadata: { labels: { [ZONE]: `zone-${index % 3}` } } });
const sized = (cpu: number) => ({ status: { capacity: { cpu: String(cpu) }, allocatable: { cpu: String(cpu) } } });

const template = (metadata: object, spec: object = {}) => ({ spec: { template: { metadata, spec } } });
const readyIn = (ms: number) => template({ annotations: { [podAnnotations.readyMs]: String(ms) } });
const asking = (cpu: string) => template({}, { containers: [{ name: 'app', image: 'app', resources: { requests: { cpu } } }] });
const pinnedTo = (label: string) => template({}, { nodeSelector: { [label]: 'yes' } });

/** A Deployment with its budget. */
const app = (name: string, replicas: number, budget: Readonly<Record<string, unknown>> | null, overrides: object = {}) => {
  const made = deployment(NS, name, replicas, { ...overrides });
  return budget ? [podDisruptionBudget(NS, name, budget), made] : [made];
};

/** `count` of them. */
const apps = (
  count: number,
  replicas: number,
  budget: Readonly<Record<string, unknown>> | null,
  overrides: object = {},
  prefix = 'app',
) => range(count).flatMap((index) => app(`${prefix}-${index}`, replicas, budget, overrides));

const spreadOverZones = (name: string) =>
  template(
    {},
    {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: ZONE,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: name } },
        },
      ],
    },
  );

const oneToAZone = (name: string) =>
  template(
    {},
    {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: ZONE, labelSelector: { matchLabels: { app: name } } }],
        },
      },
    },
  );

export const controlPlaneCases: readonly KwokCase[] = [
  {
    name: 'budgets of one',
    boundBy: 'budgets, no handover',
    readyMs: 3_000,
    stopMs: 1_000,
    old: oldNodes(6),
    fresh: freshNodes(4),
    objects: [namespace(NS), ...apps(6, 15, { maxUnavailable: 1 })],
    policy: { disruption: { maxNodes: 3 }, drain: { handover: 'Never' } },
    afterwards: 'keep',
    stuckNodes: 0,
  },
  {
    name: 'budgets of none',
    boundBy: 'handovers, node by node',
    readyMs: 4_000,
    stopMs: 2_000,
    old: oldNodes(6),
    fresh: freshNodes(4),
    objects: [namespace(NS), ...apps(9, 10, { maxUnavailable: 0 })],
    policy: { disruption: { maxNodes: 1 } },
    afterwards: 'keep',
    stuckNodes: 0,
  },
  {
    name: 'a full cluster',
    boundBy: 'room: 64 of 80 places are taken, and two nodes go at once',
    readyMs: 3_000,
    stopMs: 1_000,
    old: oldNodes(8, () => sized(10)),
    fresh: [],
    objects: [namespace(NS), ...apps(8, 8, { maxUnavailable: '50%' }, asking('1'))],
    policy: { disruption: { maxNodes: 2 }, drain: { handover: 'Never', settle: { timeout: '12s' } } },
    afterwards: 'return',
    stuckNodes: 0,
  },
  {
    name: 'three zones',
    boundBy: 'one node of a zone at a time; pods spread over the zones, or one to a zone',
    readyMs: 6_000,
    stopMs: 2_000,
    old: oldNodes(9, zoned),
    fresh: freshNodes(3, zoned),
    objects: [
      namespace(NS),
      ...range(6).flatMap((index) => app(`spread-${index}`, 9, { maxUnavailable: 1 }, spreadOverZones(`spread-${index}`))),
      ...range(4).flatMap((index) => app(`apart-${index}`, 3, { maxUnavailable: 1 }, oneToAZone(`apart-${index}`))),
    ],
    policy: { disruption: { maxNodes: 3, perGroup: [{ label: ZONE, maxNodes: 1 }] }, drain: { handover: 'Never' } },
    afterwards: 'keep',
    stuckNodes: 0,
  },
  {
    name: 'slow starters',
    boundBy: 'pods that take 4 to 16 s to get Ready, a quarter of them at a time',
    readyMs: 4_000,
    stopMs: 1_000,
    old: oldNodes(6),
    fresh: freshNodes(4),
    objects: [
      namespace(NS),
      ...apps(2, 12, { maxUnavailable: '25%' }, readyIn(16_000), 'slow'),
      ...apps(2, 12, { maxUnavailable: '25%' }, readyIn(8_000), 'lazy'),
      ...apps(2, 12, { maxUnavailable: '25%' }, {}, 'quick'),
    ],
    policy: { disruption: { maxNodes: 2 }, drain: { handover: 'Never' } },
    afterwards: 'keep',
    stuckNodes: 0,
  },
  {
    name: 'stateful sets',
    boundBy: 'each pod is made again under its name, one of a set at a time',
    readyMs: 3_000,
    stopMs: 2_000,
    old: oldNodes(6),
    fresh: freshNodes(4),
    objects: [
      namespace(NS),
      ...range(6).flatMap((index) => [
        podDisruptionBudget(NS, `db-${index}`, { maxUnavailable: 1 }),
        statefulSet(NS, `db-${index}`, 10),
      ]),
    ],
    policy: { disruption: { maxNodes: '100%' } },
    afterwards: 'keep',
    stuckNodes: 0,
  },
  {
    name: 'never to end',
    boundBy: 'three of eight nodes: a pod without owner, budgets that allow nothing and pods that cannot be handed over',
    readyMs: 3_000,
    stopMs: 2_000,
    old: oldNodes(8, (index) =>
      index === 1
        ? { metadata: { labels: { lone: 'yes' } } }
        : index === 4
          ? { metadata: { labels: { ledger: 'yes' } } }
          : index === 6
            ? { metadata: { labels: { single: 'yes' } } }
            : {},
    ),
    fresh: freshNodes(4),
    objects: [
      namespace(NS),
      pod(NS, 'lone', { spec: { nodeSelector: { lone: 'yes' }, containers: [{ name: 'app', image: 'app' }] } }),
      podDisruptionBudget(NS, 'ledger', { maxUnavailable: 0 }),
      statefulSet(NS, 'ledger', 3, pinnedTo('ledger')),
      podDisruptionBudget(NS, 'single', { minAvailable: 2 }),
      merge(deployment(NS, 'single', 2, pinnedTo('single')), { spec: { strategy: { type: 'Recreate' } } }),
      ...apps(8, 8, { maxUnavailable: 1 }),
    ],
    policy: { disruption: { maxNodes: 2 }, drain: { stepAside: '20s', attempts: 1 } },
    afterwards: 'keep',
    stuckNodes: 3,
  },
  {
    name: 'a bit of everything',
    boundBy: 'a third of the nodes at a time',
    readyMs: 5_000,
    stopMs: 3_000,
    old: oldNodes(9),
    fresh: freshNodes(3),
    objects: [
      namespace(NS),
      daemonSet(NS, 'agent'),
      ...apps(10, 1, { maxUnavailable: 0 }, {}, 'alone'),
      ...apps(6, 8, { minAvailable: '80%' }, {}, 'web'),
      ...apps(3, 8, null, {}, 'free'),
      podDisruptionBudget(NS, 'db', { maxUnavailable: 1 }),
      statefulSet(NS, 'db', 6),
    ],
    policy: { disruption: { maxNodes: '34%' } },
    afterwards: 'keep',
    stuckNodes: 0,
  },
];
