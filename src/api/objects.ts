/**
 * The slim shapes of cluster objects that Drover keeps in memory: only the fields that a decision reads. The decoders in
 * `src/kube` fill them from protobuf or JSON; both give the same object. Times are milliseconds since the epoch.
 * A whole Pod is 5-10 kB and a large cluster has 150,000 of them, so a field is added here only with a reader.
 */
import type { Millis } from '../lib/clock.ts';

export type StringMap = Readonly<Record<string, string>>;

/** What identifies an object through its whole life. The uid is part of it: StatefulSet pods are re-created under the same name. */
export interface ObjectMeta {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** The controlling owner (ownerReferences[].controller = true). */
export interface Owner {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface LabelSelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

export interface LabelSelector {
  readonly matchLabels: StringMap;
  readonly matchExpressions: readonly LabelSelectorRequirement[];
}

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
  readonly timeAdded?: Millis;
}

export interface NodeCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly lastTransition: Millis;
  /** Only of the condition types in `src/kube/draft.ts`'s list: nothing reads the text of the others, and it is long. */
  readonly message?: string;
}

/** What the kubelet says of its machine's software; empty where it says nothing. */
export interface NodeVersions {
  readonly kubelet: string;
  readonly osImage: string;
  readonly kernel: string;
  readonly containerRuntime: string;
}

export interface Node extends ObjectMeta {
  readonly labels: StringMap;
  /** Whole: reasons may name any annotation. */
  readonly annotations: StringMap;
  readonly createdAt: Millis;
  readonly deletedAt?: Millis;
  readonly unschedulable: boolean;
  readonly taints: readonly Taint[];
  readonly conditions: readonly NodeCondition[];
  readonly ready: boolean;
  readonly bootId: string;
  readonly versions: NodeVersions;
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

export interface Pod extends ObjectMeta {
  readonly labels: StringMap;
  /** Only keys of `drover.dev/` (and nothing else: annotations are the fattest part of a pod). */
  readonly annotations: StringMap;
  readonly owner?: Owner;
  readonly createdAt: Millis;
  /** metadata.deletionTimestamp: when the grace ends, not when deletion was asked for. */
  readonly deletedAt?: Millis;
  /** metadata.deletionGracePeriodSeconds */
  readonly deletionGraceSeconds?: number;
  readonly finalizers: readonly string[];
  /** spec.nodeName; empty while not bound. */
  readonly nodeName: string;
  readonly phase: PodPhase;
  readonly ready: boolean;
  /** lastTransitionTime of the Ready condition when it is True. */
  readonly readyAt?: Millis;
  readonly graceSeconds: number;
  readonly priority: number;
  readonly priorityClass: string;
  /** kubernetes.io/config.mirror is set: a static pod's shadow; evicting it does nothing. */
  readonly mirror: boolean;
  /** Has an emptyDir volume. */
  readonly emptyDir: boolean;
  /** Names of PersistentVolumeClaims (also of generic ephemeral volumes: `<pod>-<volume>`). */
  readonly claims: readonly string[];
  readonly hostPorts: readonly number[];
  /** Label keys that this pod's own (anti-)affinity and topology spread terms select on. */
  readonly affinityKeys: readonly string[];
  /** Message of PodScheduled=False/Unschedulable: why the scheduler finds no room. */
  readonly unschedulable?: string;
  /** Reason of the first waiting container: CrashLoopBackOff, ImagePullBackOff ... */
  readonly waiting?: string;
}

/** A pod or a Job that Drover has created to act on a node, as far as its end is of interest. */
export interface OneShot extends ObjectMeta {
  readonly deletedAt?: Millis;
  readonly state: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  /** One word: why it failed, or what it waits for, like ImagePullBackOff. Empty where nothing is said. */
  readonly reason: string;
  /** What it or its kubelet says of that. */
  readonly message: string;
  /** Of the container that ended. */
  readonly exitCode?: number;
}

/** A policy/v1 PodDisruptionBudget. */
export interface Budget extends ObjectMeta {
  readonly generation: number;
  readonly selector: LabelSelector | null;
  /** As written: "2", "50%"; one of the two is set. */
  readonly minAvailable?: string;
  readonly maxUnavailable?: string;
  readonly unhealthyPodEviction: 'IfHealthyBudget' | 'AlwaysAllow';
  readonly observedGeneration: number;
  readonly disruptionsAllowed: number;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly expectedPods: number;
  /** Pod names that the API server has granted and the disruption controller has not yet seen go. */
  readonly disruptedPods: readonly string[];
  /** Why the disruption controller cannot count its pods (condition DisruptionAllowed, reason SyncFailed): it allows nothing until that is mended. */
  readonly syncFailed?: string;
}

export interface ReplicaSet extends ObjectMeta {
  readonly owner?: Owner;
  readonly deletedAt?: Millis;
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly selector: LabelSelector;
}

export interface Deployment extends ObjectMeta {
  readonly strategy: 'RollingUpdate' | 'Recreate';
  readonly paused: boolean;
  readonly replicas: number;
}

export interface Service extends ObjectMeta {
  /** null: a Service without selector (its endpoints are managed by someone else). */
  readonly selector: StringMap | null;
}

export interface EndpointSlice extends ObjectMeta {
  readonly service: string;
  /** uids of the pods that receive traffic through this slice (ready and not terminating). */
  readonly readyPods: readonly string[];
}

/** The selectors by which anything else in the namespace picks pods: NetworkPolicies (subject and peers), and controllers other than ReplicaSets. */
export interface LabelUse extends ObjectMeta {
  readonly kind: 'NetworkPolicy' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'ReplicationController';
  readonly selectors: readonly LabelSelector[];
}

export interface Claim extends ObjectMeta {
  readonly accessModes: readonly string[];
  readonly volumeName: string;
}

export interface VolumeAttachment extends ObjectMeta {
  readonly nodeName: string;
  readonly volumeName: string;
  readonly attached: boolean;
}
