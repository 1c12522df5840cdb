/** Pod and Node from JSON: the same drafts, and so the same slim objects, as from protobuf. */
import type { Node, Pod, Taint } from '../api/objects.ts';
import {
  addAffinityKeys,
  addHostPorts,
  addNodeCondition,
  addPodCondition,
  type ConditionDraft,
  finishNode,
  finishPod,
  keepNodeAnnotation,
  keepPodAnnotation,
  type MetaDraft,
  newNode,
  newPod,
  type PodDraft,
} from './draft.ts';
import { intern } from './intern.ts';
import { labelsOf, metaOf, ownerOf, type RawMeta, type RawSelector, timeOf } from './raw.ts';

interface RawCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string | null;
}

interface RawTerm {
  labelSelector?: RawSelector | null;
  matchLabelKeys?: string[] | null;
  mismatchLabelKeys?: string[] | null;
}

interface RawAffinity {
  requiredDuringSchedulingIgnoredDuringExecution?: RawTerm[] | null;
  preferredDuringSchedulingIgnoredDuringExecution?: { podAffinityTerm?: RawTerm }[] | null;
}

interface RawContainer {
  restartPolicy?: string;
  ports?: { hostPort?: number }[] | null;
}

interface RawContainerStatus {
  state?: { waiting?: { reason?: string } | null };
}

interface RawPod {
  spec?: {
    nodeName?: string;
    terminationGracePeriodSeconds?: number;
    priority?: number;
    priorityClassName?: string;
    volumes?: { name: string; emptyDir?: object; persistentVolumeClaim?: { claimName: string }; ephemeral?: object }[] | null;
    containers?: RawContainer[] | null;
    initContainers?: RawContainer[] | null;
    affinity?: { podAffinity?: RawAffinity | null; podAntiAffinity?: RawAffinity | null } | null;
    topologySpreadConstraints?: RawTerm[] | null;
  };
  status?: {
    phase?: string;
    conditions?: RawCondition[] | null;
    containerStatuses?: RawContainerStatus[] | null;
    initContainerStatuses?: RawContainerStatus[] | null;
  };
}

interface RawNodeInfo {
  bootID?: string;
  kernelVersion?: string;
  osImage?: string;
  containerRuntimeVersion?: string;
  kubeletVersion?: string;
}

interface RawNode {
  spec?: {
    unschedulable?: boolean;
    taints?: { key: string; value?: string; effect: string; timeAdded?: string | null }[] | null;
  };
  status?: { conditions?: RawCondition[] | null; nodeInfo?: RawNodeInfo };
}

function fillMeta(draft: MetaDraft, meta: RawMeta): void {
  draft.namespace = meta.namespace ?? '';
  draft.name = meta.name ?? '';
  draft.uid = meta.uid ?? '';
  draft.resourceVersion = meta.resourceVersion ?? '';
  draft.labels = labelsOf(meta.labels);
  draft.owner = ownerOf(meta);
  draft.createdAt = timeOf(meta.creationTimestamp) ?? 0;
  draft.deletedAt = timeOf(meta.deletionTimestamp);
  draft.deletionGraceSeconds = meta.deletionGracePeriodSeconds ?? undefined;
  draft.finalizers = meta.finalizers?.length ? meta.finalizers.map(intern) : undefined;
}

function conditionOf(raw: RawCondition): ConditionDraft {
  const { type, status, reason = '', message = '' } = raw;
  return { type, status, reason, message, lastTransition: timeOf(raw.lastTransitionTime) ?? 0 };
}

function termKeys(term: RawTerm | undefined): string[] {
  return [
    ...Object.keys(term?.labelSelector?.matchLabels ?? {}),
    ...(term?.labelSelector?.matchExpressions ?? []).map(({ key }) => key),
    ...(term?.matchLabelKeys ?? []),
    ...(term?.mismatchLabelKeys ?? []),
  ];
}

function addAffinity(pod: PodDraft, affinity: RawAffinity | null | undefined): void {
  for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) addAffinityKeys(pod, termKeys(term));
  for (const weighted of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
    addAffinityKeys(pod, termKeys(weighted.podAffinityTerm));
  }
}

function addContainers(pod: PodDraft, kind: 'container' | 'init', containers: RawContainer[] | null | undefined): void {
  for (const { ports, restartPolicy } of containers ?? []) {
    if (ports)
      addHostPorts(
        pod,
        ports.map(({ hostPort }) => hostPort ?? 0),
        kind,
        restartPolicy ?? '',
      );
  }
}

function firstWaiting(statuses: RawContainerStatus[] | null | undefined): string {
  return statuses?.map((status) => status.state?.waiting?.reason ?? '').find((reason) => reason !== '') ?? '';
}

/** @throws BrokenFrame when `object` is no Kubernetes object. */
export function decodePodJson(object: unknown): Pod {
  const meta = metaOf(object);
  const { spec, status } = object as RawPod;
  const pod = newPod();
  fillMeta(pod, meta);
  for (const key in meta.annotations) keepPodAnnotation(pod, key, meta.annotations[key] ?? '');
  pod.nodeName = spec?.nodeName ?? '';
  pod.graceSeconds = spec?.terminationGracePeriodSeconds;
  pod.priority = spec?.priority ?? 0;
  pod.priorityClass = spec?.priorityClassName ?? '';
  for (const volume of spec?.volumes ?? []) {
    if (volume.emptyDir) pod.emptyDir = true;
    if (volume.persistentVolumeClaim)
      (pod.claims ??= []).push({ name: volume.persistentVolumeClaim.claimName, ephemeral: false });
    if (volume.ephemeral) (pod.claims ??= []).push({ name: volume.name, ephemeral: true });
  }
  addContainers(pod, 'container', spec?.containers);
  addContainers(pod, 'init', spec?.initContainers);
  addAffinity(pod, spec?.affinity?.podAffinity);
  addAffinity(pod, spec?.affinity?.podAntiAffinity);
  for (const constraint of spec?.topologySpreadConstraints ?? []) addAffinityKeys(pod, termKeys(constraint));
  pod.phase = status?.phase ?? '';
  for (const condition of status?.conditions ?? []) addPodCondition(pod, conditionOf(condition));
  pod.waiting = firstWaiting(status?.containerStatuses);
  pod.initWaiting = firstWaiting(status?.initContainerStatuses);
  return finishPod(pod);
}

/** @throws BrokenFrame when `object` is no Kubernetes object. */
export function decodeNodeJson(object: unknown): Node {
  const meta = metaOf(object);
  const { spec, status } = object as RawNode;
  const node = newNode();
  fillMeta(node, meta);
  for (const key in meta.annotations) keepNodeAnnotation(node, key, meta.annotations[key] ?? '');
  node.unschedulable = spec?.unschedulable === true;
  node.taints = (spec?.taints ?? []).map(({ key, value = '', effect, timeAdded }): Taint => {
    const at = timeOf(timeAdded);
    return at === undefined ? { key, value, effect } : { key, value, effect, timeAdded: at };
  });
  for (const condition of status?.conditions ?? []) addNodeCondition(node, conditionOf(condition));
  const { bootID = '', ...info } = status?.nodeInfo ?? {};
  node.bootId = bootID;
  node.versions = {
    kubelet: info.kubeletVersion ?? '',
    osImage: info.osImage ?? '',
    kernel: info.kernelVersion ?? '',
    containerRuntime: info.containerRuntimeVersion ?? '',
  };
  return finishNode(node);
}
