/** What the engine looks at. The runner fills it from its caches; the simulator and the tests fill it by hand. */
import type {
  Claim,
  Deployment,
  EndpointSlice,
  LabelUse,
  Node,
  OneShot,
  Pod,
  ReplicaSet,
  Service,
  VolumeAttachment,
} from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { BudgetIndex } from './budget-index.ts';
import type { GateNeeds, GateWorld } from './gates/gate.ts';
import type { PodIndex } from './pod-index.ts';
import type { DrainSettings } from './settings.ts';

/** Pods and ReplicaSets of one namespace as they are now: enough to see whether what was moved is Ready again. */
export interface Workloads {
  readonly pods: PodIndex;
  readonly replicaSets: Pick<ReadonlyMap<string, ReplicaSet>, 'get' | 'values'>; // by uid
}

/** Everything of one namespace that a handover reads. */
export interface NamespaceView extends Workloads {
  readonly deployments: ReadonlyMap<string, Deployment>; // by uid
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly labelUses: readonly LabelUse[];
  readonly claims: ReadonlyMap<string, Claim>; // by name
}

export type PodEffectKind = 'Evict' | 'Delete' | 'Detach' | 'Unlist' | 'GiveBack';

/** The last thing that was tried on a pod: short-lived memory that saves requests; losing it costs only a repeated request. */
export interface Attempt {
  readonly effect: PodEffectKind;
  readonly startedAt: Millis;
  readonly inFlight: boolean;
  /** resourceVersion of the pod when it was tried: while the cache still shows it, the effect has not been seen. */
  readonly podVersion: string;
  /** Set once answered: 'Done' or the kind of refusal (EvictionAnswer kinds). */
  readonly answer?: string;
  readonly message?: string;
  /** Not tried again before this time ... */
  readonly retryAt?: Millis;
  /** ... unless the budget that refused has moved on from this resourceVersion. */
  readonly budgetVersion?: string;
}

/** The last patch of a node. It carries the node's resourceVersion, so a newer version of the node settles it either way. */
export interface NodeAttempt {
  /** resourceVersion of the node that was patched. */
  readonly version: string;
  readonly inFlight: boolean;
  /** Not tried again on that version before. */
  readonly retryAt: Millis;
  /** Absent while it is under way. Failed: refused, or its answer was lost. */
  readonly answer?: 'Done' | 'Conflict' | 'Failed';
  /** Message of the last failure; kept while the next try is under way. */
  readonly failed?: string;
}

/** The last creation or removal of a pod or Job of ours. */
export interface RunAttempt {
  readonly inFlight: boolean;
  /** It was done, or may have been: until `retryAt` it may show. */
  readonly mayShow: boolean;
  /** Not tried again before. */
  readonly retryAt: Millis;
  /** Message of the last failure; null: it was done. */
  readonly failed: string | null;
}

export type RunKind = 'Pod' | 'Job';

export interface World {
  /** Pods bound to the node; null until they have been read. */
  podsOn(nodeName: string): readonly Pod[] | null;
  /** null until read. */
  readonly budgets: BudgetIndex | null;
  /** null until read; asking for it in `needs` makes the runner read it. */
  namespace(name: string): NamespaceView | null;
  /** As `namespace`, but cheaper to read (`needs.workloads`). */
  workloads(namespace: string): Workloads | null;
  /** Attachments of the node; null until read. */
  attachmentsOf(nodeName: string): readonly VolumeAttachment[] | null;
  /** By pod uid. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  /** By node name. */
  readonly nodeAttempts?: ReadonlyMap<string, NodeAttempt>;
  /** Pods or Jobs of one namespace that act on nodes, by name; null until read; asking for it in `needs` makes the runner read it. */
  runs?(kind: RunKind, namespace: string): ReadonlyMap<string, OneShot> | null;
  /** By kind, namespace and name, as `runKey` joins them. */
  readonly runAttempts?: ReadonlyMap<string, RunAttempt>;
  /** Evictions charged to a budget ("namespace/name") that its status does not show yet. */
  charges(budget: string): number;
  /** Detaches that may be sent now: they are paced, or the API server closes slow watchers. */
  readonly detachAllowance: number;
  readonly schedulableNodes: number;
  /** null: gates are not asked, and taken as open. */
  readonly gates: GateWorld | null;
}

/** One node being emptied. */
export interface Drain {
  /** Name of the maintenance. */
  readonly id: string;
  readonly node: Node;
  readonly settings: DrainSettings;
  readonly startedAt: Millis;
  /** Absolute; "the machine is gone at". */
  readonly goneAt?: Millis;
}

/** What must be watched for the engine to decide. */
export interface Needs {
  readonly podsOf: Set<string>;
  readonly namespaces: Set<string>;
  readonly workloads: Set<string>;
  attachments: boolean;
  /** Namespaces whose pods that reboot nodes are asked for. */
  readonly rebootPods: Set<string>;
  /** Namespaces whose Jobs of hooks are asked for. */
  readonly hookJobs: Set<string>;
  readonly gates: GateNeeds;
}
