/** What is played: pools, an application under traffic, and the policy that has one pool drained. Pure. */
import { GROUP_VERSION } from '../../api/names.ts';
import type { MaintenancePolicyInput } from '../../api/resources.ts';
import { readScenario } from '../../sim/scenario/read.ts';
import type { Scenario } from '../../sim/scenario/schema.ts';
import { POOL_LABEL } from '../../sim/autoscaler/node-pool.ts';
import { type HandoverFlag, handoverModes } from '../handover-modes.ts';

export type Action = 'replace' | 'drain';

export interface SceneSettings {
  readonly nodes: number;
  readonly action: Action;
  readonly handover: HandoverFlag;
  readonly seed: number;
}

export interface Scene extends SceneSettings {
  readonly scenario: Scenario;
  readonly policy: MaintenancePolicyInput;
  readonly zones: readonly string[];
  /** How many nodes of a zone may be out at once. */
  readonly perZone: number;
}

export const OLD_POOL = 'old';
export const NEW_POOL = 'new';
/** Stays as it is. */
export const SYSTEM_POOL = 'sys';

/** On every node of the old pool, from the start of the maintenance. Soft: while nodes are left it must not keep pods from running. */
export const retiredTaint = { key: 'demo.drover.dev/retired', value: 'pool-old', effect: 'PreferNoSchedule' } as const;

/** About so many nodes of a zone go one after another, however large the cluster is. */
const ROUNDS = 4;

const zones = ['zone-a', 'zone-b', 'zone-c'];

const kubelet = { pull: '1s to 3s' };

const searchBudget = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { namespace: 'shop', name: 'search' },
  spec: { maxUnavailable: 2, selector: { matchLabels: { 'app.kubernetes.io/component': 'search' } } },
};

export function createScene(settings: SceneSettings): Scene {
  const { nodes, action, handover, seed } = settings;
  const old = Math.ceil(nodes / 2);
  const perZone = Math.max(1, Math.round(old / zones.length / ROUNDS));
  const scenario = readScenario(
    {
      name: 'demo',
      seed,
      pools: [
        { name: OLD_POOL, count: old, zones, kubelet },
        { name: SYSTEM_POOL, count: nodes - old, zones, kubelet },
        ...(action === 'replace' ? [{ name: NEW_POOL, count: 0, zones, kubelet, boot: '15s to 30s' }] : []),
      ],
      workloads: workloads(nodes, action),
      objects: [searchBudget],
    },
    'demo',
  );
  const policy: MaintenancePolicyInput = {
    apiVersion: GROUP_VERSION,
    kind: 'MaintenancePolicy',
    metadata: { name: 'retire-old-pool' },
    spec: {
      nodeSelector: { matchLabels: { [POOL_LABEL]: OLD_POOL } },
      reasons: [{ type: 'Taint', taint: { key: retiredTaint.key } }],
      disruption: { maxNodes: perZone * zones.length, perGroup: [{ label: 'topology.kubernetes.io/zone', maxNodes: perZone }] },
      drain: { handover: handoverModes[handover] },
    },
  };
  return { ...settings, scenario, policy, zones, perZone };
}

/** Seven pods or so on each old node, of five kinds, and something for the others. Every time is said, so that the lower bound can be worked out from them. */
function workloads(nodes: number, action: Action): object[] {
  const home = action === 'replace' ? [OLD_POOL, NEW_POOL] : [OLD_POOL, SYSTEM_POOL];
  return [
    {
      name: 'web',
      namespace: 'shop',
      pool: home,
      replicas: nodes * 2,
      requests: { cpu: '300m', memory: '512Mi' },
      budget: { maxUnavailable: '5%' },
      start: '500ms to 1s',
      ready: '4s to 6s',
      stop: '1s to 3s',
      service: { rate: 120 },
    },
    {
      name: 'cart',
      namespace: 'shop',
      pool: home,
      replicas: nodes,
      requests: { cpu: '300m', memory: '512Mi' },
      budget: { maxUnavailable: 1 },
      start: '500ms to 1s',
      ready: '5s to 7s',
      stop: '2s to 4s',
      service: { rate: 60 },
    },
    {
      // Dies at SIGTERM, and drops what it works on: nothing is lost if it has left its Service before. Its budget selects on another
      // label than its Service, so that it can.
      name: 'search',
      namespace: 'shop',
      pool: home,
      replicas: Math.ceil(nodes / 2),
      labels: { 'app.kubernetes.io/component': 'search' },
      requests: { cpu: '400m', memory: '1Gi' },
      exitsAtSigterm: true,
      start: '500ms to 1s',
      ready: '6s to 8s',
      stop: '500ms',
      service: { rate: 50, serviceTime: '20ms to 80ms' },
    },
    {
      // One replica, and a budget that forbids every eviction: only a handover moves it.
      name: 'checkout',
      namespace: 'shop',
      // Has to begin where it must move.
      pool: action === 'replace' ? home : OLD_POOL,
      replicas: 1,
      requests: { cpu: '250m', memory: '256Mi' },
      budget: { maxUnavailable: 0 },
      start: '500ms to 1s',
      ready: '6s to 8s',
      stop: '1s to 2s',
      service: { rate: 20 },
    },
    {
      name: 'orders',
      namespace: 'data',
      kind: 'StatefulSet',
      replicas: 3,
      requests: { cpu: '500m', memory: '4Gi' },
      budget: { maxUnavailable: 1 },
      apart: 'zone',
      pool: home,
      storage: '100Gi',
      start: '500ms to 1s',
      ready: '4s to 6s',
      stop: '3s to 5s',
      service: { port: 5432, rate: 30 },
    },
    {
      name: 'metrics',
      namespace: 'kube-system',
      replicas: nodes * 2,
      pool: SYSTEM_POOL,
      requests: { cpu: '300m', memory: '512Mi' },
      budget: { maxUnavailable: 1 },
      start: '500ms to 1s',
      ready: '1s to 3s',
      stop: '1s',
    },
    { name: 'log-shipper', namespace: 'kube-system', kind: 'DaemonSet', requests: { cpu: '50m', memory: '64Mi' } },
  ];
}
