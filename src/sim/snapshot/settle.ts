/** What makes a snapshot that was read kind by kind fit together. */
import type { Millis } from '../../lib/clock.ts';
import type { Condition, Deployment, KubeObject, OwnerReference, ReplicaSet } from '../kubernetes.ts';
import { builtInKinds } from '../apiserver/kinds.ts';
import { controllerOf } from '../controllers/controller-ref.ts';
import { templateDigest } from '../controllers/pod-template.ts';

const groupOf = (apiVersion: string) => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');

/**
 * Without the empty ReplicaSets that Deployments keep to roll back to: ten for each by default, more than all else that owns pods. The one
 * that stands for the template stays even when it is empty.
 */
function withoutOldSets(objects: readonly KubeObject[]): readonly KubeObject[] {
  const digests = new Map<string, string>();
  for (const object of objects)
    if (object.kind === 'Deployment') digests.set(object.metadata.uid, templateDigest((object as Deployment).spec.template));
  return objects.filter((object) => {
    if (object.kind !== 'ReplicaSet') return true;
    const { spec, status } = object as ReplicaSet;
    if (spec.replicas !== 0 || status?.replicas) return true;
    const digest = digests.get(controllerOf(object)?.uid ?? '');
    return digest === undefined || digest === templateDigest(spec.template);
  });
}

/** Without the Deployments where their ReplicaSets are not known: each would make another one, and its pods beside those that there are. */
function withoutBlindDeployments(objects: readonly KubeObject[], read: ReadonlySet<string>): readonly KubeObject[] {
  return read.has('apps/ReplicaSet') ? objects : objects.filter(({ kind }) => kind !== 'Deployment');
}

/** With the namespaces that objects are in, where those could not be read: in one that is not there nothing can be made anew. */
function withNamespaces(objects: readonly KubeObject[], read: ReadonlySet<string>): readonly KubeObject[] {
  if (read.has('/Namespace')) return objects;
  const names = new Set(objects.flatMap(({ metadata: { namespace } }) => (namespace === undefined ? [] : [namespace])));
  const made = Array.from(
    names,
    (name): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        uid: `namespace-${name}`,
        resourceVersion: '',
        creationTimestamp: '1970-01-01T00:00:00Z',
        labels: { 'kubernetes.io/metadata.name': name },
      },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    }),
  );
  return [...made, ...objects];
}

/**
 * Without references to owners of kinds that are not in the snapshot: the garbage collector would look for them, find none, and delete what
 * they own. Kinds that the simulation does not serve it leaves alone.
 */
function withoutUnknownOwners(objects: readonly KubeObject[], read: ReadonlySet<string>): readonly KubeObject[] {
  const served = new Set(builtInKinds.map(({ group, kind }) => `${group}/${kind}`));
  const unknown = ({ apiVersion, kind }: OwnerReference) => {
    const id = `${groupOf(apiVersion)}/${kind}`;
    return served.has(id) && !read.has(id);
  };
  return objects.map((object) => {
    const { ownerReferences, ...metadata } = object.metadata;
    if (!ownerReferences?.some(unknown)) return object;
    const kept = ownerReferences.filter((reference) => !unknown(reference));
    return { ...object, metadata: { ...metadata, ...(kept.length > 0 && { ownerReferences: kept }) } };
  });
}

/** @param read "group/Kind" of the kinds that were read. */
export function settle(objects: readonly KubeObject[], read: ReadonlySet<string>): readonly KubeObject[] {
  const steps = [withoutOldSets, withoutBlindDeployments, withoutUnknownOwners, withNamespaces];
  return steps.reduce((left, step) => step(left, read), objects);
}

/**
 * The latest time at which anything is said to have happened; 0 when there is none. The clock of whoever reads may be behind the cluster's,
 * and in a simulation that begins before its pods got Ready they would be waited for.
 */
export function latestTime(objects: readonly KubeObject[]): Millis {
  let latest = '';
  const see = (time: string | null | undefined) => {
    // RFC 3339 in UTC and whole seconds, as the API server writes it: in order as text.
    if (time && time > latest) latest = time;
  };
  for (const { metadata, status } of objects) {
    see(metadata.creationTimestamp);
    const { conditions } = (status ?? {}) as { readonly conditions?: readonly Condition[] };
    for (const { lastTransitionTime } of conditions ?? []) see(lastTransitionTime);
  }
  return latest === '' ? 0 : Date.parse(latest);
}
