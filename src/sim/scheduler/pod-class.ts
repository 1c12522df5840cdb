/**
 * What the scheduler reads off a pod, compiled once for all pods that are alike: those of one ReplicaSet are one class. Placing a pod then
 * costs no parsing, and one pod's failure is the failure of all its class until something changes.
 */
import { controllerOf } from '../controllers/controller-ref.ts';
import type { Affinity, Container, Labels, NodeSelectorTerm, Pod, PodAffinityTerm, Selector, Toleration } from '../kubernetes.ts';
import { requestsOf, type Requests } from './requests.ts';

export interface HostPort {
  readonly address: string;
  readonly protocol: string;
  readonly port: number;
}

/** A selector over pods of some namespaces. */
export interface PodQuery {
  readonly namespaces: ReadonlySet<string>;
  /** Namespaces by label beside those named; undefined for none, empty for all. */
  readonly namespaceSelector: Selector | undefined;
  /** Undefined matches nothing, empty everything. */
  readonly selector: Selector | undefined;
}

export interface AffinityTerm extends PodQuery {
  readonly topologyKey: string;
  /** Only of preferred terms; 0 otherwise. */
  readonly weight: number;
}

export interface SpreadConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly selector: Selector | undefined;
  readonly minDomains: number;
  readonly honorAffinity: boolean;
  readonly honorTaints: boolean;
}

/** Where a pod may stand by node labels and taints alone. */
export interface PlacementRules {
  readonly key: string;
  readonly tolerations: readonly Toleration[];
  readonly nodeSelector: Labels | undefined;
  readonly required: readonly NodeSelectorTerm[] | undefined;
  readonly preferred: readonly { readonly weight: number; readonly preference: NodeSelectorTerm }[];
}

export interface PodTraits {
  readonly key: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly owner: { readonly kind: string; readonly name: string } | undefined;
  readonly priority: number;
  readonly mayPreempt: boolean;
  readonly requests: Requests;
  readonly ports: readonly HostPort[];
  readonly placement: PlacementRules;
  readonly affinity: readonly AffinityTerm[];
  readonly antiAffinity: readonly AffinityTerm[];
  readonly likes: readonly AffinityTerm[];
  readonly dislikes: readonly AffinityTerm[];
  /** DoNotSchedule and ScheduleAnyway. */
  readonly hardSpread: readonly SpreadConstraint[];
  readonly softSpread: readonly SpreadConstraint[];
  /** False: the cluster's default constraints count. */
  readonly ownSpread: boolean;
}

const NO_LABELS: Labels = {};
const NO_LIST: readonly never[] = [];

function hostPorts({ initContainers = NO_LIST, containers }: Pod['spec']): HostPort[] {
  const sidecars = initContainers.filter((container) => container.restartPolicy === 'Always');
  return [...sidecars, ...containers].flatMap(({ ports = NO_LIST }: Container) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort = 0, hostIP, protocol }) => ({
        address: hostIP || '0.0.0.0',
        protocol: protocol || 'TCP',
        port: hostPort,
      })),
  );
}

/** The node that every term names in matchFields, as the DaemonSet controller writes it; the rest of the terms. */
function pinOf(
  terms: readonly NodeSelectorTerm[] | undefined,
): { name: string; rest: readonly NodeSelectorTerm[] | undefined } | undefined {
  const fields = terms?.[0]?.matchFields;
  const name = fields?.length === 1 && fields[0]?.values?.length === 1 ? fields[0].values[0] : undefined;
  if (name === undefined || !terms) return undefined;
  for (const { matchFields } of terms) {
    const [field] = matchFields ?? NO_LIST;
    if (matchFields?.length !== 1 || field?.key !== 'metadata.name' || field.operator !== 'In') return undefined;
    if (field.values?.length !== 1 || field.values[0] !== name) return undefined;
  }
  const rest = terms.map(({ matchExpressions }): NodeSelectorTerm => (matchExpressions ? { matchExpressions } : {}));
  return { name, rest: rest.every((term) => term.matchExpressions?.length) ? rest : undefined };
}

function withLabelKeys(
  selector: Selector | undefined,
  keys: readonly string[] | undefined,
  labels: Labels,
): Selector | undefined {
  const own = (keys ?? NO_LIST).flatMap((key) =>
    labels[key] === undefined ? [] : [{ key, operator: 'In' as const, values: [labels[key]] }],
  );
  if (own.length === 0 || !selector) return selector;
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? NO_LIST), ...own] };
}

function compileTerm(term: PodAffinityTerm, weight: number, namespace: string, labels: Labels): AffinityTerm {
  const named = term.namespaces ?? NO_LIST;
  return {
    namespaces: new Set(named.length === 0 && !term.namespaceSelector ? [namespace] : named),
    namespaceSelector: term.namespaceSelector,
    selector: withLabelKeys(term.labelSelector, term.matchLabelKeys, labels),
    topologyKey: term.topologyKey,
    weight,
  };
}

function compile(pod: Pod, key: string, owner: PodTraits['owner'], required: readonly NodeSelectorTerm[] | undefined): PodTraits {
  const { metadata, spec } = pod;
  const { namespace = '', labels = NO_LABELS } = metadata;
  const { nodeAffinity, podAffinity, podAntiAffinity }: Affinity = spec.affinity ?? {};
  const hard = (terms: readonly PodAffinityTerm[] | undefined) =>
    (terms ?? NO_LIST).map((term) => compileTerm(term, 0, namespace, labels));
  const soft = (kind: typeof podAffinity) =>
    (kind?.preferredDuringSchedulingIgnoredDuringExecution ?? NO_LIST).map(({ weight, podAffinityTerm }) =>
      compileTerm(podAffinityTerm, weight, namespace, labels),
    );
  const spread = (wanted: string) =>
    (spec.topologySpreadConstraints ?? NO_LIST)
      .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === wanted)
      .map(
        (constraint): SpreadConstraint => ({
          maxSkew: constraint.maxSkew,
          topologyKey: constraint.topologyKey,
          selector: withLabelKeys(constraint.labelSelector, constraint.matchLabelKeys, labels),
          minDomains: constraint.minDomains ?? 1,
          honorAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
          honorTaints: constraint.nodeTaintsPolicy === 'Honor',
        }),
      );
  const tolerations = spec.tolerations ?? NO_LIST;
  // A term without weight or requirement counts for nothing (NewPreferredSchedulingTerms).
  const preferred = (nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? NO_LIST).filter(
    ({ weight, preference }) => weight !== 0 && (preference.matchExpressions?.length || preference.matchFields?.length),
  );
  return {
    key,
    namespace,
    labels,
    owner,
    priority: spec.priority ?? 0,
    mayPreempt: spec.preemptionPolicy !== 'Never',
    requests: requestsOf(spec),
    ports: hostPorts(spec),
    placement: {
      key: JSON.stringify([tolerations, spec.nodeSelector, required, preferred]),
      tolerations,
      nodeSelector: spec.nodeSelector,
      required,
      preferred,
    },
    affinity: hard(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: hard(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    likes: soft(podAffinity),
    dislikes: soft(podAntiAffinity),
    hardSpread: spread('DoNotSchedule'),
    softSpread: spread('ScheduleAnyway'),
    ownSpread: (spec.topologySpreadConstraints?.length ?? 0) > 0,
  };
}

export interface ReadPod {
  /** Equal for pods that the scheduler cannot tell apart. */
  readonly key: string;
  /** The only node it may go to (a DaemonSet's pod); not part of the class. */
  readonly pin: string | undefined;
  readonly traits: () => PodTraits;
}

const needsOf = ({ resources, ports, restartPolicy }: Container) => [resources?.requests, ports, restartPolicy];

interface LastRead {
  readonly namespace: string | undefined;
  readonly owners: Pod['metadata']['ownerReferences'];
  readonly spec: Pod['spec'];
  readonly key: string;
  readonly pin: string | undefined;
}

/** What was read last of the pods that share their labels: those of one owner come one after the other. */
const lastRead = new WeakMap<Labels, LastRead>();

const PARTS = [
  'containers',
  'initContainers',
  'affinity',
  'tolerations',
  'nodeSelector',
  'topologySpreadConstraints',
  'overhead',
  'resources',
  'priority',
  'preemptionPolicy',
] as const;

function isReadAlike(last: LastRead, { metadata, spec }: Pod): boolean {
  if (last.namespace !== metadata.namespace || last.owners !== metadata.ownerReferences) return false;
  const left = last.spec as unknown as Readonly<Record<string, unknown>>;
  const right = spec as unknown as Readonly<Record<string, unknown>>;
  return PARTS.every((part) => left[part] === right[part]);
}

/** The class of a pod, and the node it is pinned to. `traits` compiles it; call that once a class. */
export function readPod(pod: Pod): ReadPod {
  const { labels, namespace, ownerReferences: owners } = pod.metadata;
  const last = labels && lastRead.get(labels);
  // Not with what was given then: that holds on to the pod, and the pod to all that was known of it.
  if (last && isReadAlike(last, pod)) return { key: last.key, pin: last.pin, traits: () => readAnew(pod).traits() };
  const read = readAnew(pod);
  if (labels) lastRead.set(labels, { namespace, owners, spec: pod.spec, key: read.key, pin: read.pin });
  return read;
}

function readAnew(pod: Pod): ReadPod {
  const { metadata, spec } = pod;
  const affinity = spec.affinity;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const pin = pinOf(terms);
  const required = pin ? pin.rest : terms;
  const owner = controllerOf(pod);
  const key = JSON.stringify([
    metadata.namespace,
    metadata.labels,
    owner?.kind,
    owner?.name,
    spec.priority,
    spec.preemptionPolicy,
    spec.containers.map(needsOf),
    spec.initContainers?.map(needsOf),
    spec.overhead,
    (spec as { readonly resources?: unknown }).resources,
    spec.tolerations,
    spec.nodeSelector,
    required,
    affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
    affinity?.podAffinity,
    affinity?.podAntiAffinity,
    spec.topologySpreadConstraints,
  ]);
  return {
    key,
    pin: pin?.name,
    traits: () => compile(pod, key, owner && { kind: owner.kind, name: owner.name }, required),
  };
}
