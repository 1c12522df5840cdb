/** The pods of a DaemonSet: where they should be, and how they are tied to their node (pkg/controller/daemon). */
import type { Draft } from '../apiserver/api.ts';
import { daemonSets } from '../apiserver/kinds.ts';
import type { DaemonSet, Node, Pod, PodSpec, PodTemplate, Toleration } from '../kubernetes.ts';
import { matchesPairs, matchesTerms } from '../scheduler/node-affinity.ts';
import { isTolerated, repellingTaint } from '../scheduler/tolerations.ts';
import { podFromTemplate } from './pod-template.ts';

export const DAEMON_HASH = 'controller-revision-hash';
const GENERATION_LABEL = 'pod-template-generation';
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';

const taint = (key: string, effect: string): Toleration => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect });
// daemon/util/daemonset_util.go, AddOrUpdateDaemonPodTolerations.
const BUILT_IN: readonly Toleration[] = [
  taint('not-ready', 'NoExecute'),
  taint('unreachable', 'NoExecute'),
  taint('disk-pressure', 'NoSchedule'),
  taint('memory-pressure', 'NoSchedule'),
  taint('pid-pressure', 'NoSchedule'),
  taint('unschedulable', 'NoSchedule'),
];
const HOST_NETWORK = taint('network-unavailable', 'NoSchedule');

const covers = (a: Toleration, b: Toleration) =>
  a.key === b.key &&
  a.effect === b.effect &&
  (a.operator ?? 'Equal') === (b.operator ?? 'Equal') &&
  (a.value ?? '') === (b.value ?? '');

/** The template's tolerations and those that every daemon pod has. */
export function daemonTolerations(spec: PodSpec): readonly Toleration[] {
  const own = spec.tolerations ?? [];
  const added = spec.hostNetwork ? [...BUILT_IN, HOST_NETWORK] : BUILT_IN;
  // Upstream replaces an equal one in its place, which also drops its tolerationSeconds.
  const kept = own.map((toleration) => added.find((each) => covers(toleration, each)) ?? toleration);
  return [...kept, ...added.filter((each) => !own.some((toleration) => covers(toleration, each)))];
}

export interface Placement {
  /** A pod should be made there if there is none. */
  readonly run: boolean;
  /** One that is there may stay. */
  readonly stay: boolean;
}

const NOWHERE: Placement = { run: false, stay: false };

/** Whether a daemon pod belongs on the node (daemon_controller.go, NodeShouldRunDaemonPod). */
export function placementOn(spec: PodSpec, tolerations: readonly Toleration[], node: Node): Placement {
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return NOWHERE;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!matchesPairs(spec.nodeSelector, node.metadata.labels ?? {}) || (terms && !matchesTerms(terms, node))) return NOWHERE;
  const { taints } = node.spec;
  if (!repellingTaint(taints, tolerations)) return { run: true, stay: true };
  const expelled = taints?.some((each) => each.effect === 'NoExecute' && !isTolerated(each, tolerations));
  return { run: false, stay: !expelled };
}

/** The node that a daemon pod runs on or is tied to; undefined for a pod that names none. */
export function targetNodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms)
    for (const { key, operator, values } of matchFields)
      if (key === 'metadata.name' && operator === 'In') return values?.length === 1 ? values[0] : undefined;
  return undefined;
}

/** The old way to tell revisions apart; undefined when the annotation is missing or no number. */
export function templateGeneration({ metadata }: DaemonSet): string | undefined {
  const text = metadata.annotations?.[GENERATION_ANNOTATION];
  return text !== undefined && /^-?\d+$/.test(text) ? String(Number(text)) : undefined;
}

export function isUpdated({ metadata }: Pod, hash: string, generation: string | undefined): boolean {
  const { [DAEMON_HASH]: ofPod, [GENERATION_LABEL]: generationOfPod } = metadata.labels ?? {};
  return ofPod === hash || (generation !== undefined && generationOfPod === generation);
}

/** The template as every daemon pod of this revision has it; the same object for all of them but for the node. */
export function daemonTemplate(set: DaemonSet, hash: string): PodTemplate {
  const { template } = set.spec;
  const generation = templateGeneration(set);
  return {
    ...template,
    metadata: {
      ...template.metadata,
      labels: {
        ...template.metadata?.labels,
        ...(generation !== undefined && { [GENERATION_LABEL]: generation }),
        [DAEMON_HASH]: hash,
      },
    },
    spec: { ...template.spec, tolerations: daemonTolerations(template.spec) },
  };
}

/** The pod for one node: tied to it by name, so that the scheduler does the binding. */
export function daemonPod(set: DaemonSet, template: PodTemplate, nodeName: string): Draft<Pod> {
  const { affinity } = template.spec;
  const { nodeAffinity } = affinity ?? {};
  const nodeSelectorTerms = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] } as const] }];
  const tied = { ...nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
  const spec = { ...template.spec, affinity: { ...affinity, nodeAffinity: tied } };
  return podFromTemplate({ ...template, spec }, daemonSets, set);
}
