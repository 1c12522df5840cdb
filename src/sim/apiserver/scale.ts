/** The scale subresource: replicas of a workload as autoscaling/v1 Scale. */
import type { KubeObject, Selector } from '../kubernetes.ts';
import type { Entry } from '../store/collection.ts';
import type { WriteOptions } from './api.ts';
import { badRequest, conflict, invalid, invalidValue, outdated } from './refusals.ts';
import type { Core, Scale } from './registry.ts';
import type { Resource } from './resource.ts';
import { replaceObject } from './update.ts';

interface Scaled extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: Selector | Readonly<Record<string, string>> };
  readonly status?: { readonly replicas?: number };
}

/** As text, in upstream's order: by key. */
function selectorText(selector: Selector | Readonly<Record<string, string>> | undefined, plain: boolean): string | undefined {
  if (!selector) return undefined;
  const labels = (plain ? selector : (selector as Selector).matchLabels) ?? {};
  const expressions = plain ? [] : ((selector as Selector).matchExpressions ?? []);
  const terms = [
    ...Object.entries(labels as Record<string, string>).map(([key, value]) => ({ key, text: `${key}=${value}` })),
    ...expressions.map(({ key, operator, values = [] }) => {
      const set = `(${[...values].sort().join(',')})`;
      if (operator === 'In') return { key, text: `${key} in ${set}` };
      if (operator === 'NotIn') return { key, text: `${key} notin ${set}` };
      return { key, text: operator === 'Exists' ? key : `!${key}` };
    }),
  ];
  return terms
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ text }) => text)
    .join(',');
}

export function scaleOf(resource: Resource, object: KubeObject): Scale {
  const { metadata, spec, status } = object as Scaled;
  const selector = selectorText(spec?.selector, resource.kind.plural === 'replicationcontrollers');
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: {
      name: metadata.name,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      creationTimestamp: metadata.creationTimestamp,
    },
    spec: { ...(spec?.replicas && { replicas: spec.replicas }) },
    status: { replicas: status?.replicas ?? 0, ...(selector && { selector }) },
  };
}

export function changeScale(
  core: Core,
  resource: Resource,
  entry: Entry,
  change: (scale: Scale) => Scale,
  options: WriteOptions,
): Scale {
  const object = entry.object as Scaled;
  const scale = change(scaleOf(resource, object));
  const { name } = object.metadata;
  if (scale.metadata?.name !== undefined && scale.metadata.name !== name)
    throw badRequest(`the name of the object (${scale.metadata.name}) does not match the name on the URL (${name})`);
  const version = scale.metadata?.resourceVersion;
  if (version && version !== object.metadata.resourceVersion) throw conflict(resource.kind, name, outdated);
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas < 0)
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  const next = { ...object, spec: { ...object.spec, replicas } };
  const { subresource: _, ...rest } = options;
  return scaleOf(resource, replaceObject(core, resource, entry, next, rest));
}
