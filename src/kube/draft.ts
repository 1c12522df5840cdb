/**
 * Drafts of the two kinds that are decoded from JSON and from protobuf: both decoders fill a draft, and the rules that make a slim object
 * of it are written once.
 */
import type { Node, NodeCondition, NodeVersions, Owner, Pod, PodPhase, StringMap, Taint } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import { createCache, intern, NO_LABELS } from './intern.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const NONE: readonly never[] = Object.freeze([]);

/** Annotations of a pod that are kept: ours. */
export const OWN_ANNOTATIONS = 'drover.dev/';
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
/** Node conditions whose message is kept: AKS tells the kind of its event and the time of it only there. */
const TOLD_CONDITIONS: ReadonlySet<string> = new Set(['VMEventScheduled']);

export interface MetaDraft {
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
  labels: StringMap;
  /** Protobuf only: the raw bytes of all labels as text (the key under which a label set is shared), and where each lies. */
  labelBytes: string;
  labelSpans: number[] | undefined;
  annotations: Record<string, string> | undefined;
  owner: Owner | undefined;
  createdAt: Millis;
  deletedAt: Millis | undefined;
  deletionGraceSeconds: number | undefined;
  finalizers: string[] | undefined;
}

export interface ConditionDraft {
  type: string;
  status: string;
  reason: string;
  message: string;
  lastTransition: Millis;
}

export interface PodDraft extends MetaDraft {
  mirror: boolean;
  nodeName: string;
  phase: string;
  ready: boolean;
  readyAt: Millis | undefined;
  unschedulable: string | undefined;
  graceSeconds: number | undefined;
  priority: number;
  priorityClass: string;
  emptyDir: boolean;
  claims: { readonly name: string; readonly ephemeral: boolean }[] | undefined;
  hostPorts: number[] | undefined;
  affinityKeys: string[] | undefined;
  initWaiting: string;
  waiting: string;
}

export interface NodeDraft extends MetaDraft {
  unschedulable: boolean;
  taints: Taint[];
  conditions: NodeCondition[];
  ready: boolean;
  bootId: string;
  versions: Mutable<NodeVersions>;
}

// One flat literal each: built from a spread of a common part, drafts cost more than all the decoding (28 of 60 s in a profile).
export function newPod(): PodDraft {
  return {
    namespace: '',
    name: '',
    uid: '',
    resourceVersion: '',
    labels: NO_LABELS,
    labelBytes: '',
    labelSpans: undefined,
    annotations: undefined,
    owner: undefined,
    createdAt: 0,
    deletedAt: undefined,
    deletionGraceSeconds: undefined,
    finalizers: undefined,
    mirror: false,
    nodeName: '',
    phase: '',
    ready: false,
    readyAt: undefined,
    unschedulable: undefined,
    graceSeconds: undefined,
    priority: 0,
    priorityClass: '',
    emptyDir: false,
    claims: undefined,
    hostPorts: undefined,
    affinityKeys: undefined,
    initWaiting: '',
    waiting: '',
  };
}

export function newNode(): NodeDraft {
  return {
    namespace: '',
    name: '',
    uid: '',
    resourceVersion: '',
    labels: NO_LABELS,
    labelBytes: '',
    labelSpans: undefined,
    annotations: undefined,
    owner: undefined,
    createdAt: 0,
    deletedAt: undefined,
    deletionGraceSeconds: undefined,
    finalizers: undefined,
    unschedulable: false,
    taints: [],
    conditions: [],
    ready: false,
    bootId: '',
    versions: { kubelet: '', osImage: '', kernel: '', containerRuntime: '' },
  };
}

export function newCondition(): ConditionDraft {
  return { type: '', status: '', reason: '', message: '', lastTransition: 0 };
}

export function addPodCondition(pod: PodDraft, condition: ConditionDraft): void {
  if (condition.type === 'Ready' && condition.status === 'True') {
    pod.ready = true;
    pod.readyAt = condition.lastTransition;
  }
  if (condition.type === 'PodScheduled' && condition.status === 'False' && condition.reason === 'Unschedulable') {
    pod.unschedulable = condition.message;
  }
}

export function addNodeCondition(node: NodeDraft, condition: ConditionDraft): void {
  const { type, status, reason, lastTransition, message } = condition;
  if (type === 'Ready') node.ready = status === 'True';
  const told = TOLD_CONDITIONS.has(type) && { message };
  node.conditions.push({ type: intern(type), status: intern(status), reason: intern(reason), lastTransition, ...told });
}

/** Host ports that the scheduler counts: of containers, and of init containers that keep running (sidecars). */
export function addHostPorts(pod: PodDraft, ports: readonly number[], kind: 'container' | 'init', restartPolicy: string): void {
  if (kind === 'init' && restartPolicy !== 'Always') return;
  for (const port of ports) if (port > 0) (pod.hostPorts ??= []).push(port);
}

export function addAffinityKeys(pod: PodDraft, keys: readonly string[]): void {
  if (keys.length > 0) (pod.affinityKeys ??= []).push(...keys);
}

/** Sorted and without repeats, since the two wire formats need not keep the same order of fields. */
function distinct<T extends string | number>(values: T[] | undefined): readonly T[] {
  if (!values) return NONE;
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
}

export function finishPod(draft: PodDraft): Pod {
  const pod: Mutable<Pod> = {
    namespace: intern(draft.namespace),
    name: draft.name,
    uid: draft.uid,
    resourceVersion: draft.resourceVersion,
    labels: draft.labels,
    annotations: draft.annotations ?? NO_LABELS,
    createdAt: draft.createdAt,
    finalizers: draft.finalizers ?? NONE,
    nodeName: intern(draft.nodeName),
    phase: intern(draft.phase || 'Pending') as PodPhase,
    ready: draft.ready,
    // The API server fills in 30; an object that lacks it never went through its defaulting.
    graceSeconds: draft.graceSeconds ?? 30,
    priority: draft.priority,
    priorityClass: intern(draft.priorityClass),
    mirror: draft.mirror,
    emptyDir: draft.emptyDir,
    // A generic ephemeral volume owns a claim named after pod and volume.
    claims: draft.claims?.map(({ name, ephemeral }) => (ephemeral ? `${draft.name}-${name}` : name)) ?? NONE,
    hostPorts: distinct(draft.hostPorts),
    affinityKeys: distinct(draft.affinityKeys),
  };
  if (draft.owner) pod.owner = draft.owner;
  if (draft.deletedAt !== undefined) pod.deletedAt = draft.deletedAt;
  if (draft.deletionGraceSeconds !== undefined) pod.deletionGraceSeconds = draft.deletionGraceSeconds;
  if (draft.readyAt !== undefined) pod.readyAt = draft.readyAt;
  if (draft.unschedulable !== undefined) pod.unschedulable = draft.unschedulable;
  // While an init container waits, every other container waits too, with the empty reason PodInitializing.
  const waiting = draft.initWaiting || draft.waiting;
  if (waiting) pod.waiting = intern(waiting);
  return pod;
}

/** One object for the many nodes of a pool that run the same. */
function sharedVersions(versions: NodeVersions): NodeVersions {
  const { kubelet, osImage, kernel, containerRuntime } = versions;
  return versionSets(`${kubelet}\n${osImage}\n${kernel}\n${containerRuntime}`, () => versions);
}

const versionSets = createCache<NodeVersions>(1_000);

export function finishNode(draft: NodeDraft): Node {
  const node: Mutable<Node> = {
    namespace: '',
    name: intern(draft.name),
    uid: draft.uid,
    resourceVersion: draft.resourceVersion,
    labels: draft.labels,
    annotations: draft.annotations ?? NO_LABELS,
    createdAt: draft.createdAt,
    unschedulable: draft.unschedulable,
    taints: draft.taints,
    conditions: draft.conditions,
    ready: draft.ready,
    bootId: draft.bootId,
    versions: sharedVersions(draft.versions),
  };
  if (draft.deletedAt !== undefined) node.deletedAt = draft.deletedAt;
  return node;
}

export function keepPodAnnotation(pod: PodDraft, key: string, value: string): void {
  if (key === MIRROR_ANNOTATION) pod.mirror = true;
  else if (key.startsWith(OWN_ANNOTATIONS)) (pod.annotations ??= {})[key] = value;
}

export function keepNodeAnnotation(node: NodeDraft, key: string, value: string): void {
  (node.annotations ??= {})[key] = value;
}

export function controller(kind: string, name: string, uid: string): Owner {
  return { kind: intern(kind), name: intern(name), uid: intern(uid) };
}
