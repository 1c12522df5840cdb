/** An object of a real cluster cut down to what the simulation reads. */
import type { ContainerStatus, KubeObject, Labels, Metadata, Pod, PodTemplate } from '../kubernetes.ts';
import { templateDigest } from '../controllers/pod-template.ts';
import type { KindAddress } from './kinds.ts';
import { project } from './project.ts';
import { podSpec, shapes } from './shapes.ts';
import { createSharing } from './sharing.ts';

/**
 * Annotation of reduced templates: what they said in full. Two templates that differ only in what is left out, as an environment variable,
 * would otherwise be taken for one, and a Deployment would roll to the oldest ReplicaSet that seems to have its template.
 */
export const TEMPLATE_DIGEST = 'sim.drover.dev/template-digest';

type Loose = Readonly<Record<string, unknown>>;

const KEPT_PREFIXES = [
  'drover.dev/',
  'sim.drover.dev/',
  'deployment.kubernetes.io/',
  'cluster-autoscaler.kubernetes.io/',
  'pv.kubernetes.io/',
  'volume.kubernetes.io/',
  'storageclass.kubernetes.io/',
];
const KEPT = new Set([
  'kubernetes.io/config.mirror',
  'controller.kubernetes.io/pod-deletion-cost',
  'batch.kubernetes.io/job-completion-index',
  'deprecated.daemonset.template.generation',
]);
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** A node's annotations may be reasons for its maintenance; of the others, what some controller reads. */
function keptAnnotations(annotations: Labels | null | undefined, all: boolean): Labels | undefined {
  let kept: Record<string, string> | undefined;
  for (const key in annotations) {
    if (key === LAST_APPLIED) continue;
    if (all || KEPT.has(key) || KEPT_PREFIXES.some((prefix) => key.startsWith(prefix)))
      (kept ??= {})[key] = annotations[key] ?? '';
  }
  return kept;
}

function metadataOf(given: Metadata, plural: string): Metadata {
  const annotations = keptAnnotations(given.annotations, plural === 'nodes');
  return {
    name: given.name,
    ...(given.namespace && { namespace: given.namespace }),
    uid: given.uid,
    // Given anew by whoever loads it.
    resourceVersion: '',
    ...(given.generation && { generation: given.generation }),
    creationTimestamp: given.creationTimestamp,
    ...(given.deletionTimestamp && { deletionTimestamp: given.deletionTimestamp }),
    ...(typeof given.deletionGracePeriodSeconds === 'number' && { deletionGracePeriodSeconds: given.deletionGracePeriodSeconds }),
    ...(given.labels && { labels: given.labels }),
    ...(annotations && { annotations }),
    ...(given.ownerReferences?.length && { ownerReferences: given.ownerReferences }),
    ...(given.finalizers?.length && { finalizers: given.finalizers }),
  };
}

/** Volumes of which nothing is left but the name hold nothing that matters here: configuration, secrets, what a driver mounts. */
function withoutEmptyVolumes(spec: Loose): Loose {
  const { volumes, ...rest } = spec as { readonly volumes?: readonly object[] };
  const kept = volumes?.filter((volume) => Object.keys(volume).length > 1);
  return kept?.length ? { ...rest, volumes: kept } : rest;
}

type PodStatus = NonNullable<Pod['status']>;

/** Conditions of which, once they hold, nobody reads since when. */
const UNDATED = new Set(['PodReadyToStartContainers', 'Initialized', 'ContainersReady']);

/**
 * Without the times that nobody reads: then all pods of a template that are well have the same status but for two times, and 150,000 of
 * them fit. A simulated pod that is to end or crash some time after its start keeps them.
 */
function podStatusOf(status: PodStatus, annotations: Labels | undefined): PodStatus {
  const timed = annotations !== undefined && Object.keys(annotations).some((key) => key.startsWith('sim.drover.dev/'));
  const container = ({ lastState, ...each }: ContainerStatus): ContainerStatus => ({
    ...each,
    ...(each.ready && each.state?.running && !timed && { state: { running: {} } }),
    ...(lastState?.terminated && { lastState }),
  });
  const { conditions, containerStatuses, initContainerStatuses } = status;
  return {
    ...status,
    ...(conditions && {
      conditions: conditions.map((each) =>
        each.status === 'True' && UNDATED.has(each.type) ? { type: each.type, status: each.status } : each,
      ),
    }),
    ...(containerStatuses && { containerStatuses: containerStatuses.map(container) }),
    ...(initContainerStatuses && { initContainerStatuses: initContainerStatuses.map(container) }),
  };
}

const podSpecOf = (spec: unknown): Loose | undefined => {
  const kept = project(spec, podSpec) as Loose | undefined;
  return kept && withoutEmptyVolumes(kept);
};

function templateOf(given: PodTemplate): object {
  const { labels, annotations, finalizers } = given.metadata ?? {};
  const digest = annotations?.[TEMPLATE_DIGEST] ?? templateDigest(given);
  return {
    metadata: {
      ...(labels && { labels }),
      annotations: { ...keptAnnotations(annotations, false), [TEMPLATE_DIGEST]: digest },
      ...(finalizers?.length && { finalizers }),
    },
    spec: podSpecOf(given.spec),
  };
}

/** What a ControllerRevision keeps: the template as a strategic merge patch, which must stay comparable with the one of its set. */
function patchOf(revision: Loose): object {
  const { data } = revision as {
    readonly data?: { readonly spec?: { readonly template?: PodTemplate & { readonly $patch?: string } } };
  };
  const { $patch, ...template } = data?.spec?.template ?? { spec: { containers: [] } };
  return { ...templateOf(template), ...($patch !== undefined && { $patch }) };
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([field, each]) => (each === null ? [] : [[field, withoutNulls(each)]])),
  );
}

function podOf(body: Loose, annotations: Labels | undefined): Loose {
  const { spec, status } = body as { readonly spec?: Loose; readonly status?: PodStatus };
  return { ...(spec && { spec: withoutEmptyVolumes(spec) }), ...(status && { status: podStatusOf(status, annotations) }) };
}

function bodyOf(object: Loose, plural: string): Loose {
  const shape = shapes[plural];
  if (shape) {
    const body = project(object, shape) as Loose;
    return plural === 'pods' ? podOf(body, (object['metadata'] as Metadata).annotations) : body;
  }
  const { apiVersion: _, kind: __, metadata: ___, ...body } = withoutNulls(object) as Loose;
  if (plural === 'controllerrevisions') return { ...body, data: { spec: { template: patchOf(object) } } };
  const spec = body['spec'] as Loose | undefined;
  const template = (object['spec'] as { readonly template?: PodTemplate } | undefined)?.template;
  return spec && template ? { ...body, spec: { ...spec, template: templateOf(template) } } : body;
}

const apiVersionOf = ({ group, version }: KindAddress): string => (group === '' ? version : `${group}/${version}`);

/**
 * Returns what of an object (raw JSON; items of lists do not name their kind) the simulation reads. What it has in common with the objects
 * before is shared with them. Undefined for what is no object with a name and a uid.
 */
export function createReducer(): (object: unknown, kind: KindAddress) => KubeObject | undefined {
  const share = createSharing();
  return (object, kind) => {
    const { metadata } = (object ?? {}) as { readonly metadata?: Metadata };
    if (!metadata?.name || !metadata.uid) return undefined;
    return share({
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: metadataOf(metadata, kind.plural),
      ...bodyOf(object as Loose, kind.plural),
    });
  };
}
