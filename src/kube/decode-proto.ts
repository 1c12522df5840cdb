/**
 * Pod and Node from protobuf. Field numbers are those of k8s.io/api/core/v1/generated.proto and
 * k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto (v0.34.4); proto2 numbers are never reused, so they hold for every version.
 */
import type { Node, Pod, StringMap } from '../api/objects.ts';
import {
  addAffinityKeys,
  addHostPorts,
  addNodeCondition,
  addPodCondition,
  type ConditionDraft,
  controller,
  finishNode,
  finishPod,
  keepNodeAnnotation,
  keepPodAnnotation,
  type MetaDraft,
  MIRROR_ANNOTATION,
  newCondition,
  newNode,
  newPod,
  type NodeDraft,
  OWN_ANNOTATIONS,
  type PodDraft,
} from './draft.ts';
import { intern, internLabels } from './intern.ts';
import { ascii, entry, type Field, type Fields, inline, message, number, readMessage, text } from './proto-reader.ts';

/** A metav1.Time; the zero time is an empty message and counts as absent. */
function time<D>(take: (draft: D, at: number) => void): Field<D> {
  return message(
    { 1: number((found: { at: number | undefined }, seconds) => void (found.at = seconds * 1000)) },
    () => ({ at: undefined }),
    (draft, found) => {
      if (found.at !== undefined) take(draft, found.at);
    },
  );
}

const OWNER_REFERENCE: Fields<{ kind: string; name: string; uid: string; controller: boolean }> = {
  1: ascii((owner, kind) => void (owner.kind = kind)),
  3: ascii((owner, name) => void (owner.name = name)),
  4: ascii((owner, uid) => void (owner.uid = uid)),
  6: number((owner, flag) => void (owner.controller = flag !== 0)),
};

function objectMeta<D extends MetaDraft>(annotation: Field<D>): Fields<D> {
  return {
    1: ascii((meta, name) => void (meta.name = name)),
    3: ascii((meta, namespace) => void (meta.namespace = namespace)),
    5: ascii((meta, uid) => void (meta.uid = uid)),
    6: ascii((meta, version) => void (meta.resourceVersion = version)),
    8: time((meta, at) => void (meta.createdAt = at)),
    9: time((meta, at) => void (meta.deletedAt = at)),
    10: number((meta, seconds) => void (meta.deletionGraceSeconds = seconds)),
    11: {
      wire: 2,
      take: (meta, bytes, from, to) => {
        meta.labelBytes += bytes.toString('latin1', from, to);
        (meta.labelSpans ??= []).push(from, to);
      },
    },
    12: annotation,
    13: message(
      OWNER_REFERENCE,
      () => ({ kind: '', name: '', uid: '', controller: false }),
      (meta, owner) => {
        if (owner.controller) meta.owner ??= controller(owner.kind, owner.name, owner.uid);
      },
    ),
    14: ascii((meta, finalizer) => void (meta.finalizers ??= []).push(intern(finalizer))),
  };
}

const LABEL = entry<Record<string, string>>((labels, key, bytes, from, to) => {
  labels[intern(key)] = intern(bytes.toString('latin1', from, to));
});

function sharedLabels(bytes: Buffer, { labelBytes, labelSpans = [] }: MetaDraft): StringMap {
  return internLabels(labelBytes, () => {
    const labels: Record<string, string> = {};
    for (let at = 0; at < labelSpans.length; at += 2) {
      if (LABEL.wire === 2) LABEL.take(labels, bytes, labelSpans[at] as number, labelSpans[at + 1] as number);
    }
    return labels;
  });
}

function conditions<D>(take: (draft: D, condition: ConditionDraft) => void): Field<D> {
  const fields: Fields<ConditionDraft> = {
    1: ascii((condition, type) => void (condition.type = type)),
    4: time<ConditionDraft>((condition, at) => void (condition.lastTransition = at)),
    2: ascii((condition, status) => void (condition.status = status)),
    5: text((condition, reason) => void (condition.reason = reason)),
    6: text((condition, what) => void (condition.message = what)),
  };
  return message(fields, newCondition, take);
}

/** Keys of a metav1.LabelSelector. */
const SELECTOR_KEYS: Fields<string[]> = {
  1: entry((keys, key) => void keys.push(key)),
  2: message(
    { 1: ascii((found: { key: string }, key) => void (found.key = key)) },
    () => ({ key: '' }),
    (keys, found) => void keys.push(found.key),
  ),
};
const TERM_KEYS: Fields<string[]> = {
  1: inline(SELECTOR_KEYS),
  5: ascii((keys, key) => void keys.push(key)),
  6: ascii((keys, key) => void keys.push(key)),
};
/** PodAffinity and PodAntiAffinity number their fields alike. */
const AFFINITY_KEYS: Fields<string[]> = { 1: inline(TERM_KEYS), 2: inline({ 2: inline(TERM_KEYS) }) };
const SPREAD_KEYS: Fields<string[]> = { 4: inline(SELECTOR_KEYS), 8: ascii((keys, key) => void keys.push(key)) };

interface ContainerDraft {
  ports: number[];
  restartPolicy: string;
}

function containers(kind: 'container' | 'init'): Field<PodDraft> {
  const fields: Fields<ContainerDraft> = {
    6: inline({ 2: number((container, port) => void container.ports.push(port)) }),
    24: ascii((container, policy) => void (container.restartPolicy = policy)),
  };
  return message(
    fields,
    () => ({ ports: [], restartPolicy: '' }),
    (pod, container) => addHostPorts(pod, container.ports, kind, container.restartPolicy),
  );
}

interface VolumeDraft {
  name: string;
  emptyDir: boolean;
  claim: string | undefined;
  ephemeral: boolean;
}

const VOLUME: Fields<VolumeDraft> = {
  1: ascii((volume, name) => void (volume.name = name)),
  2: inline({
    2: { wire: 2, take: (volume) => void (volume.emptyDir = true) },
    10: inline({ 1: ascii((volume, claim) => void (volume.claim = claim)) }),
    29: { wire: 2, take: (volume) => void (volume.ephemeral = true) },
  }),
};

const POD_SPEC: Fields<PodDraft> = {
  1: message(
    VOLUME,
    () => ({ name: '', emptyDir: false, claim: undefined, ephemeral: false }),
    (pod, volume) => {
      if (volume.emptyDir) pod.emptyDir = true;
      if (volume.claim !== undefined) (pod.claims ??= []).push({ name: volume.claim, ephemeral: false });
      if (volume.ephemeral) (pod.claims ??= []).push({ name: volume.name, ephemeral: true });
    },
  ),
  2: containers('container'),
  4: number((pod, seconds) => void (pod.graceSeconds = seconds)),
  10: ascii((pod, node) => void (pod.nodeName = node)),
  18: message({ 2: inline(AFFINITY_KEYS), 3: inline(AFFINITY_KEYS) }, () => [], addAffinityKeys),
  20: containers('init'),
  24: ascii((pod, name) => void (pod.priorityClass = name)),
  25: number((pod, priority) => void (pod.priority = priority)),
  33: message(SPREAD_KEYS, () => [], addAffinityKeys),
};

/** ContainerStatus -> state -> waiting -> reason. */
function waitingReason(take: (pod: PodDraft, reason: string) => void): Field<PodDraft> {
  return inline({ 2: inline({ 1: inline({ 1: text(take) }) }) });
}

const POD_STATUS: Fields<PodDraft> = {
  1: ascii((pod, phase) => void (pod.phase = phase)),
  2: conditions(addPodCondition),
  8: waitingReason((pod, reason) => void (pod.waiting ||= reason)),
  10: waitingReason((pod, reason) => void (pod.initWaiting ||= reason)),
};

const POD: Fields<PodDraft> = {
  1: inline(
    objectMeta(
      entry((pod, key, bytes, from, to) => {
        if (key === MIRROR_ANNOTATION || key.startsWith(OWN_ANNOTATIONS))
          keepPodAnnotation(pod, key, bytes.toString('utf8', from, to));
      }),
    ),
  ),
  2: inline(POD_SPEC),
  3: inline(POD_STATUS),
};

/** The Pod message in `bytes[from, to)`. @throws BrokenFrame */
export function decodePodProto(bytes: Buffer, from: number, to: number): Pod {
  const draft = readMessage(bytes, from, to, POD, newPod());
  draft.labels = sharedLabels(bytes, draft);
  return finishPod(draft);
}

interface TaintDraft {
  key: string;
  value: string;
  effect: string;
  timeAdded?: number;
}

const TAINT: Fields<TaintDraft> = {
  1: ascii((taint, key) => void (taint.key = key)),
  2: ascii((taint, value) => void (taint.value = value)),
  3: ascii((taint, effect) => void (taint.effect = effect)),
  4: time((taint, at) => void (taint.timeAdded = at)),
};

const NODE: Fields<NodeDraft> = {
  1: inline(objectMeta(entry((node, key, bytes, from, to) => keepNodeAnnotation(node, key, bytes.toString('utf8', from, to))))),
  2: inline({
    4: number((node, flag) => void (node.unschedulable = flag !== 0)),
    5: message(
      TAINT,
      () => ({ key: '', value: '', effect: '' }),
      (node, taint) => void node.taints.push(taint),
    ),
  }),
  3: inline({
    4: conditions(addNodeCondition),
    7: inline({
      3: ascii((node, id) => void (node.bootId = id)),
      4: ascii((node, kernel) => void (node.versions.kernel = kernel)),
      5: text((node, image) => void (node.versions.osImage = image)),
      6: ascii((node, runtime) => void (node.versions.containerRuntime = runtime)),
      7: ascii((node, kubelet) => void (node.versions.kubelet = kubelet)),
    }),
  }),
};

/** The Node message in `bytes[from, to)`. @throws BrokenFrame */
export function decodeNodeProto(bytes: Buffer, from: number, to: number): Node {
  const draft = readMessage(bytes, from, to, NODE, newNode());
  draft.labels = sharedLabels(bytes, draft);
  return finishNode(draft);
}
