/** PUT and PATCH: what a write may change, generations, the end of an object whose last finalizer goes (apiserver rest/update.go). */
import type { KubeObject, Metadata } from '../kubernetes.ts';
import { copyOf } from '../copy.ts';
import { same } from '../store/same.ts';
import type { Entry } from '../store/collection.ts';
import type { WriteOptions } from './api.ts';
import { Failure } from './failure.ts';
import { metadataUpdateErrors } from './metadata.ts';
import { badRequest, conflict, invalid, invalidValue, outdated } from './refusals.ts';
import type { Core } from './registry.ts';
import { isNamespace, type Resource } from './resource.ts';

interface Loose {
  [field: string]: unknown;
}

interface Mutable extends KubeObject {
  metadata: Metadata;
  [field: string]: unknown;
}

/** The system's own fields stay, whatever the writer says: rest/update.go BeforeUpdate. */
function keptMetadata(resource: Resource, next: Metadata, current: Metadata, status: boolean): Metadata {
  if (next === current) return current;
  const protects = status ? resource.strategy.statusProtects : undefined;
  if (protects === 'all') return current;
  const kept: Loose = { ...next };
  const keep = (field: keyof Metadata) => {
    if (current[field] !== undefined) kept[field] = current[field];
    else if (field in kept) delete kept[field];
  };
  if (!next.namespace) keep('namespace');
  if (!next.uid) keep('uid');
  keep('creationTimestamp');
  keep('generation');
  if (current.deletionTimestamp !== undefined || status) keep('deletionTimestamp');
  if (next.deletionGracePeriodSeconds === undefined || status) keep('deletionGracePeriodSeconds');
  for (const field of protects ?? []) keep(field);
  return kept as unknown as Metadata;
}

/** Which parts a write may touch: a status write leaves the rest, every other write leaves the status. The result is nobody else's yet. */
function keptParts(resource: Resource, next: KubeObject, current: KubeObject, status: boolean): Mutable {
  const metadata = keptMetadata(resource, next.metadata, current.metadata, status);
  const kept: Mutable = status
    ? { ...current, metadata }
    : { ...next, metadata, apiVersion: current.apiVersion, kind: current.kind };
  if (!status && !resource.hasStatus) return kept;
  const right = (status ? next : current).status;
  if (right === undefined) delete kept.status;
  else if (kept.status !== right) kept.status = right;
  return kept;
}

/** A PUT names the object that it means by its uid; in a patch another uid is a change of it, and refused as such. */
function checkUid({ kind }: Resource, next: KubeObject, current: KubeObject): void {
  const { uid } = next.metadata;
  const { name, namespace } = current.metadata;
  if (!uid || uid === current.metadata.uid) return;
  const path = [kind.plural, ...(kind.namespaced ? [namespace] : []), name].join('/');
  throw conflict(
    kind,
    name,
    `StorageError: invalid object, Code: 4, Key: /registry/${path}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
  );
}

function checkVersion(resource: Resource, next: KubeObject, current: KubeObject): void {
  const { kind, strategy } = resource;
  const name = current.metadata.name;
  const version = next.metadata.resourceVersion;
  if (!version || version === '0') {
    if (strategy.unconditionalUpdate === false)
      throw invalid({ group: kind.group, kind: kind.plural }, name, [
        invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
  } else if (version !== current.metadata.resourceVersion) throw conflict(kind, name, outdated);
}

function checkPlace(resource: Resource, next: KubeObject, current: KubeObject): void {
  const { namespace, name } = next.metadata;
  if (name !== current.metadata.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${current.metadata.name})`);
  if (resource.kind.namespaced && namespace && namespace !== current.metadata.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

const unchanged = (next: KubeObject, current: KubeObject) => {
  const left = next as Loose;
  const right = current as Loose;
  for (const field in left) if (field !== 'metadata' && !same(left[field], right[field])) return false;
  for (const field in right) if (right[field] !== undefined && left[field] === undefined) return false;
  if (next.metadata === current.metadata) return true;
  return same({ ...next.metadata, resourceVersion: current.metadata.resourceVersion }, current.metadata);
};

/** Nothing but metadata is new. What is stored has its defaults, and a snapshot of an older server must not seem changed for the new ones. */
const sameParts = (next: KubeObject, current: KubeObject) => {
  for (const field in next) if (field !== 'metadata' && (next as Loose)[field] !== (current as Loose)[field]) return false;
  return true;
};

export interface ReplaceOptions extends WriteOptions {
  /** The whole object was sent. */
  readonly put?: boolean;
}

/**
 * Replaces the object of `entry` by what `proposed` may change of it. Returns the stored object: the current one when nothing changed, the
 * last state when the write took the last finalizer of an object that is being deleted.
 */
export function replaceObject(
  core: Core,
  resource: Resource,
  entry: Entry,
  proposed: KubeObject,
  options: ReplaceOptions = {},
): KubeObject {
  const current = entry.object;
  if (proposed === current) return current;
  checkPlace(resource, proposed, current);
  if (options.put) checkUid(resource, proposed, current);
  checkVersion(resource, proposed, current);
  const { strategy, kind } = resource;
  const status = options.subresource === 'status';
  if (status && !resource.hasStatus) throw new Failure(404, 'NotFound', 'the server could not find the requested resource');

  let next: KubeObject = keptParts(resource, proposed, current, status);
  if (status) {
    if (strategy.prepareStatus) next = strategy.prepareStatus(next, current, core);
  } else {
    if (strategy.defaults && !sameParts(next, current)) next = strategy.defaults(next);
    if (strategy.prepareUpdate) next = strategy.prepareUpdate(next, current, core);
  }
  const errors = metadataUpdateErrors(next.metadata, current.metadata, resource.strictFinalizers);
  const more = status ? strategy.validateStatus?.(next, current) : strategy.validateUpdate?.(next, current);
  if (errors.length > 0 || (more && more.length > 0)) throw invalid(kind, current.metadata.name, [...errors, ...(more ?? [])]);
  if (unchanged(next, current)) return finished(core, resource, entry, current, options) ?? current;

  const { resourceVersion, generation = 0 } = current.metadata;
  const metadata = copyOf(next.metadata);
  metadata.resourceVersion = resourceVersion;
  if (!status && strategy.newGeneration?.(next, current)) metadata.generation = generation + 1;
  // `next` is a copy that nobody else has seen, whatever the strategy made of it.
  const stored = next as Mutable;
  stored.metadata = metadata;
  if (options.dryRun) return stored;
  return finished(core, resource, entry, stored, options) ?? core.store.replace(resource.shelf, entry, stored);
}

/** An update that leaves no finalizer on an object that waits only for them is its end (store.go ShouldDeleteDuringUpdate). */
function finished(core: Core, resource: Resource, entry: Entry, next: KubeObject, options: WriteOptions): KubeObject | undefined {
  const current = entry.object;
  const { deletionTimestamp, deletionGracePeriodSeconds } = current.metadata;
  if (!deletionTimestamp || deletionGracePeriodSeconds || next.metadata.finalizers?.length) return undefined;
  // A namespace waits for the finalizers of its spec too.
  const { spec } = next as { spec?: { finalizers?: readonly unknown[] } };
  if (isNamespace(resource.kind) && spec?.finalizers?.length) return undefined;
  // Watchers see what was stored, with the finalizer; the writer gets what it wrote.
  if (!options.dryRun) core.store.remove(resource.shelf, entry, { ...current, metadata: { ...current.metadata } });
  return next;
}
