/** The pods and claims of a StatefulSet: names, labels and volumes by ordinal (pkg/controller/statefulset/stateful_set_utils.go). */
import type { Draft } from '../apiserver/api.ts';
import { statefulSets } from '../apiserver/kinds.ts';
import type { Claim, Pod, PodTemplate, StatefulSet } from '../kubernetes.ts';
import { podFromTemplate } from './pod-template.ts';

const POD_NAME = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX = 'apps.kubernetes.io/pod-index';
export const REVISION_HASH = 'controller-revision-hash';

const NAME = /^(.*)-([0-9]+)$/;

/** The ordinal in a pod's name, or undefined when the name is not one of this set. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const [, parent, digits = ''] = NAME.exec(pod.metadata.name) ?? [];
  const ordinal = Number(digits);
  return parent === set.metadata.name && ordinal < 2 ** 31 ? ordinal : undefined;
}

export const isMemberOf = (set: StatefulSet, pod: Pod): boolean => NAME.exec(pod.metadata.name)?.[1] === set.metadata.name;
export const firstOrdinal = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0;
export const podNameOf = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`;
export const revisionOfPod = ({ metadata }: Pod): string => metadata.labels?.[REVISION_HASH] ?? '';

const claimNameOf = (set: StatefulSet, template: string, ordinal: number) => `${template}-${podNameOf(set, ordinal)}`;

/** The claims that the pod of this ordinal mounts. */
export function claimsOf(set: StatefulSet, ordinal: number): Draft<Claim>[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...metadata,
      name: claimNameOf(set, metadata.name, ordinal),
      namespace: set.metadata.namespace ?? '',
      labels: { ...metadata.labels, ...set.spec.selector.matchLabels },
    },
    spec,
  }));
}

/** The pod of this ordinal from a template of the set. */
export function statefulPod(set: StatefulSet, template: PodTemplate, revision: string, ordinal: number): Draft<Pod> {
  const name = podNameOf(set, ordinal);
  const claimed = (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({
    name: metadata.name,
    persistentVolumeClaim: { claimName: claimNameOf(set, metadata.name, ordinal) },
  }));
  const mounted = new Set(claimed.map((volume) => volume.name));
  const others = (template.spec.volumes ?? []).filter((volume) => !mounted.has(volume.name));
  const volumes = [...claimed, ...others];
  const { generateName: _, ...metadata } = podFromTemplate(template, statefulSets, set).metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      name,
      labels: { ...metadata.labels, [POD_NAME]: name, [POD_INDEX]: String(ordinal), [REVISION_HASH]: revision },
    },
    spec: {
      ...template.spec,
      hostname: name,
      ...(set.spec.serviceName !== undefined && set.spec.serviceName !== '' && { subdomain: set.spec.serviceName }),
      ...(volumes.length > 0 && { volumes }),
    },
  };
}

/** Whether the pod carries its identity labels; a set of an older Kubernetes may have left some out. */
export const hasIdentity = ({ metadata }: Pod): boolean => metadata.labels?.[POD_NAME] === metadata.name;

export function withIdentity(pod: Pod, ordinal: number): Pod {
  const labels = { ...pod.metadata.labels, [POD_NAME]: pod.metadata.name, [POD_INDEX]: String(ordinal) };
  return { ...pod, metadata: { ...pod.metadata, labels } };
}
