/** Small, valid objects for tests; every builder takes overrides. Uids follow from names, so that what belongs together matches. */
import { indexBudgets } from '../src/engine/budget-index.ts';
import { indexPods } from '../src/engine/pod-index.ts';
import type {
  Budget,
  Deployment,
  EndpointSlice,
  LabelSelector,
  LabelUse,
  Node,
  Owner,
  Pod,
  ReplicaSet,
  Service,
  StringMap,
  Taint,
} from '../src/api/objects.ts';
import { annotations, labels } from '../src/api/names.ts';
import type { MergePatch } from '../src/engine/journal.ts';
import type { Maintenance, MaintenanceState } from '../src/engine/maintenance.ts';
import { noGateNeeds } from '../src/engine/gates/gate.ts';
import { type DrainSettings, defaultDrainSettings } from '../src/engine/settings.ts';
import type { Attempt, Drain, NamespaceView, Needs, World, Workloads } from '../src/engine/world.ts';

/** A round time at which every test begins. */
export const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;

const meta = (name: string, namespace = 'shop') => ({ namespace, name, uid: `uid-${name}`, resourceVersion: '1' });

export function selecting(matchLabels: StringMap, matchExpressions: LabelSelector['matchExpressions'] = []): LabelSelector {
  return { matchLabels, matchExpressions };
}

export function ownedBy(kind: string, name: string): Owner {
  return { kind, name, uid: `uid-${name}` };
}

export function aNode(overrides: Partial<Node> = {}): Node {
  return {
    ...meta(overrides.name ?? 'node-1', ''),
    labels: {},
    annotations: {},
    createdAt: 0,
    unschedulable: false,
    taints: [],
    conditions: [],
    ready: true,
    bootId: 'boot-1',
    versions: { kubelet: 'v1.34.1', osImage: 'Linux 1', kernel: '6.1.0', containerRuntime: 'containerd://2.1.4' },
    ...overrides,
  };
}

/** The node as it is while maintenance `by` drains it. */
export function aCordonedNode(by = 'm-1', overrides: Partial<Node> = {}): Node {
  const journal = { by, reason: 'test', since: '2026-01-01T12:00:00Z', stage: 'Cordoned', undo: { unschedulable: false } };
  return aNode({ unschedulable: true, annotations: { [annotations.maintenance]: JSON.stringify(journal) }, ...overrides });
}

/** A Ready pod of ReplicaSet "web", on node-1. */
export function aPod(overrides: Partial<Pod> = {}): Pod {
  return {
    ...meta(overrides.name ?? 'web-1', overrides.namespace),
    labels: { app: 'web', 'pod-template-hash': 'h1' },
    annotations: {},
    owner: ownedBy('ReplicaSet', 'web'),
    createdAt: 0,
    finalizers: [],
    nodeName: 'node-1',
    phase: 'Running',
    ready: true,
    readyAt: 0,
    graceSeconds: 30,
    priority: 0,
    priorityClass: '',
    mirror: false,
    emptyDir: false,
    claims: [],
    hostPorts: [],
    affinityKeys: [],
    ...overrides,
  };
}

export function aBarePod(overrides: Partial<Pod> = {}): Pod {
  const { owner: _, ...pod } = aPod(overrides);
  return pod;
}

/** The pod after its detach was seen: without the label, without its owner, with the journal. */
export function aHandedOverPod(journal: Record<string, unknown> = {}, overrides: Partial<Pod> = {}): Pod {
  const { 'pod-template-hash': hash, ...rest } = aPod(overrides).labels;
  const unlisted = journal['unlisted'] as StringMap | undefined;
  const worn = Object.fromEntries(Object.entries(rest).filter(([key]) => !unlisted || !(key in unlisted)));
  const written = {
    by: 'm-1',
    at: NOW,
    owner: { name: 'web', uid: 'uid-web' },
    labels: { 'pod-template-hash': hash ?? 'h1' },
    readyAtStart: 1,
    ...journal,
  };
  return aBarePod({
    ...overrides,
    labels: { ...worn, [labels.handedOver]: 'true' },
    annotations: { [annotations.handover]: JSON.stringify(written) },
  });
}

/** Selects app=web and allows one disruption. */
export function aBudget(overrides: Partial<Budget> = {}): Budget {
  return {
    ...meta(overrides.name ?? 'web', overrides.namespace),
    generation: 1,
    selector: selecting({ app: 'web' }),
    maxUnavailable: '1',
    unhealthyPodEviction: 'IfHealthyBudget',
    observedGeneration: 1,
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
    disruptedPods: [],
    ...overrides,
  };
}

export function aReplicaSet(overrides: Partial<ReplicaSet> = {}): ReplicaSet {
  return {
    ...meta(overrides.name ?? 'web', overrides.namespace),
    owner: ownedBy('Deployment', 'web-deployment'),
    replicas: 1,
    minReadySeconds: 0,
    selector: selecting({ app: 'web', 'pod-template-hash': 'h1' }),
    ...overrides,
  };
}

export function aDeployment(overrides: Partial<Deployment> = {}): Deployment {
  return { ...meta(overrides.name ?? 'web-deployment'), strategy: 'RollingUpdate', paused: false, replicas: 1, ...overrides };
}

export function aService(overrides: Partial<Service> = {}): Service {
  return { ...meta(overrides.name ?? 'web'), selector: { app: 'web' }, ...overrides };
}

export function aSlice(overrides: Partial<EndpointSlice> = {}): EndpointSlice {
  return { ...meta(overrides.name ?? 'web-slice'), service: 'web', readyPods: [], ...overrides };
}

export function aLabelUse(overrides: Partial<LabelUse> = {}): LabelUse {
  return { ...meta(overrides.name ?? 'use'), kind: 'NetworkPolicy', selectors: [], ...overrides };
}

export interface ViewParts {
  readonly pods?: readonly Pod[];
  readonly replicaSets?: readonly ReplicaSet[];
  readonly deployments?: readonly Deployment[];
  readonly services?: readonly Service[];
  readonly endpointSlices?: readonly EndpointSlice[];
  readonly labelUses?: readonly LabelUse[];
  readonly claims?: NamespaceView['claims'];
}

/** A namespace with ReplicaSet and Deployment "web" of one replica unless said otherwise. */
export function aView(parts: ViewParts = {}): NamespaceView {
  return {
    pods: indexPods(parts.pods ?? []),
    replicaSets: new Map((parts.replicaSets ?? [aReplicaSet()]).map((each) => [each.uid, each])),
    deployments: new Map((parts.deployments ?? [aDeployment()]).map((each) => [each.uid, each])),
    services: parts.services ?? [],
    endpointSlices: parts.endpointSlices ?? [],
    labelUses: parts.labelUses ?? [],
    claims: parts.claims ?? new Map(),
  };
}

export interface WorldParts
  extends Partial<Omit<World, 'podsOn' | 'budgets' | 'namespace' | 'workloads' | 'attempts' | 'charges'>> {
  /** null: not read. */
  readonly budgets?: readonly Budget[] | null;
  /** By node name; every other node is empty. */
  readonly pods?: readonly Pod[];
  /** Nodes whose pods have not been read. */
  readonly unread?: readonly string[];
  /** By namespace; absent ones have not been read. */
  readonly namespaces?: Readonly<Record<string, NamespaceView>>;
  readonly workloadsOf?: Readonly<Record<string, Workloads>>;
  readonly attempts?: Readonly<Record<string, Attempt>>;
  readonly charged?: Readonly<Record<string, number>>;
}

/** A world in which everything named has been read. */
export function aWorld(parts: WorldParts = {}): World {
  const { pods = [], budgets = [], unread = [], namespaces = {}, workloadsOf = {}, attempts = {}, charged = {}, ...rest } = parts;
  return {
    podsOn: (nodeName) => (unread.includes(nodeName) ? null : pods.filter((pod) => pod.nodeName === nodeName)),
    budgets: budgets && indexBudgets(budgets),
    namespace: (name) => namespaces[name] ?? null,
    workloads: (name) => workloadsOf[name] ?? namespaces[name] ?? null,
    attachmentsOf: () => [],
    charges: (budget) => charged[budget] ?? 0,
    detachAllowance: 100,
    schedulableNodes: 3,
    gates: null,
    ...rest,
    attempts: new Map(Object.entries(attempts)),
  };
}

export function noNeeds(): Needs {
  return {
    podsOf: new Set(),
    namespaces: new Set(),
    workloads: new Set(),
    attachments: false,
    rebootPods: new Set(),
    hookJobs: new Set(),
    gates: noGateNeeds(),
  };
}

export function settings(overrides: Partial<DrainSettings> = {}): DrainSettings {
  return { ...defaultDrainSettings, ...overrides };
}

/** The drain of a cordoned node-1 that has just begun, without handover unless said otherwise. */
export function aDrain(overrides: Partial<Drain> & { readonly with?: Partial<DrainSettings> } = {}): Drain {
  const { with: changed, ...rest } = overrides;
  return { id: 'm-1', node: aCordonedNode(), settings: settings({ handover: 'Never', ...changed }), startedAt: NOW, ...rest };
}

/** What was tried on a pod a second ago, and answered. */
export function anAttempt(overrides: Partial<Attempt> = {}): Attempt {
  return { effect: 'Evict', startedAt: NOW - SECOND, inFlight: false, podVersion: '1', ...overrides };
}

export function aMaintenance(
  overrides: Partial<Omit<Maintenance, 'state'>> & { readonly state?: Partial<MaintenanceState> } = {},
): Maintenance {
  const { state, ...rest } = overrides;
  return {
    id: 'm-1',
    nodeName: 'node-1',
    policy: null,
    reasonType: 'Manual',
    reason: 'asked for by hand',
    priority: 0,
    settings: settings(),
    handBack: 'WhenCauseClears',
    paused: false,
    pausedBecause: '',
    cancelled: false,
    runNow: false,
    createdAt: NOW,
    memory: { progressAt: null, moved: [], movedClaims: null },
    ...rest,
    state: { phase: 'Pending', phaseSince: NOW, attempts: 0, ...state },
  };
}

type PatchedMetadata = { readonly labels?: Record<string, string | null>; readonly annotations?: Record<string, string | null> };
type TaintBody = { readonly key: string; readonly effect: string; readonly value?: string; readonly timeAdded?: string };

function merged(map: StringMap, patch: Record<string, string | null> = {}): StringMap {
  return Object.fromEntries(Object.entries({ ...map, ...patch }).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** The node after a merge patch (RFC 7386), as far as the engine's patches go. */
export function patchedNode(node: Node, patch: MergePatch | null): Node {
  if (!patch) return node;
  const metadata = patch['metadata'] as PatchedMetadata;
  const spec = (patch['spec'] ?? {}) as {
    readonly unschedulable?: boolean | null;
    readonly taints?: readonly TaintBody[] | null;
  };
  const read = ({ key, effect, value = '', timeAdded }: TaintBody): Taint => ({
    key,
    effect,
    value,
    ...(timeAdded && { timeAdded: Date.parse(timeAdded) }),
  });
  return {
    ...node,
    labels: merged(node.labels, metadata.labels),
    annotations: merged(node.annotations, metadata.annotations),
    unschedulable: spec.unschedulable === undefined ? node.unschedulable : spec.unschedulable === true,
    taints: spec.taints === undefined ? node.taints : (spec.taints ?? []).map(read),
  };
}

/** The pod after a merge patch. */
export function patchedPod(pod: Pod, patch: MergePatch | null): Pod {
  const metadata = (patch?.['metadata'] ?? {}) as PatchedMetadata;
  return { ...pod, labels: merged(pod.labels, metadata.labels), annotations: merged(pod.annotations, metadata.annotations) };
}
