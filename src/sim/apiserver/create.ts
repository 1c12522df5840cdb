/** POST: names, admission, defaults, validation (apiserver pkg/registry/generic/registry/store.go, rest/create.go). */
import type { KubeObject, Metadata } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import type { WriteOptions } from './api.ts';
import { Failure } from './failure.ts';
import { namespaces } from './kinds.ts';
import { metadataErrors } from './metadata.ts';
import { createUid, dnsSubdomain, generateName } from './names.ts';
import { alreadyExists, badRequest, forbidden, invalid, noUniqueName, notFound } from './refusals.ts';
import type { AnyDraft, Core } from './registry.ts';
import type { Resource } from './resource.ts';

const NAME_ATTEMPTS = 8;

/** Objects and subresources are made only in a namespace that is there and stays. */
export function checkNamespace(core: Core, resource: Resource, namespace: string, name: string): void {
  const found = core.get(namespaces, '', namespace);
  if (!found) throw notFound(namespaces, namespace);
  if (found.status?.phase !== 'Terminating') return;
  throw forbidden(resource.kind, name, `unable to create new content in namespace ${namespace} because it is being terminated`, [
    { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
  ]);
}

/** In the order of fields in which the real server writes them. What the writer says of uid, times and version is not listened to. */
function newMetadata(core: Core, resource: Resource, given: AnyDraft['metadata'], name: string): Metadata {
  const { generateName, namespace, annotations, finalizers, managedFields } = given;
  // Kinds that count no generations keep what they are sent.
  const generation = resource.strategy.newGeneration ? 1 : given.generation;
  const sibling = siblingOf(resource, given);
  const labels = sibling && same(sibling.labels, given.labels) ? sibling.labels : given.labels;
  const owners =
    sibling && same(sibling.ownerReferences, given.ownerReferences) ? sibling.ownerReferences : given.ownerReferences;
  // One literal: an object that grows field by field takes a quarter more memory, and there are as many of these as pods.
  return {
    name,
    ...(generateName && { generateName }),
    ...(resource.kind.namespaced && namespace && { namespace }),
    uid: createUid(core.random),
    // Filled in by the store.
    resourceVersion: '',
    ...(generation && { generation }),
    creationTimestamp: core.now(),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(owners && { ownerReferences: owners }),
    ...(finalizers && { finalizers }),
    ...(managedFields && { managedFields }),
  };
}

/** An object of the same owner says much the same in its metadata: what is alike is kept once. */
function siblingOf(resource: Resource, { ownerReferences }: AnyDraft['metadata']): Metadata | undefined {
  const uid = ownerReferences?.[0]?.uid;
  if (!uid) return undefined;
  for (const { object } of resource.shelf.objects.ownedBy(uid)) return object.metadata;
  return undefined;
}

function prepared(core: Core, resource: Resource, draft: AnyDraft, name: string): KubeObject {
  const { strategy, kind, hasStatus } = resource;
  const { apiVersion, kind: _, metadata, ...rest } = draft;
  let object: KubeObject = {
    // What was converted is in the stored version already.
    apiVersion: resource.conversion ? (apiVersion as string) : resource.apiVersion,
    kind: kind.kind,
    metadata: newMetadata(core, resource, metadata, name),
    ...rest,
  };
  if (hasStatus && !strategy.keepsStatus && 'status' in object) {
    const { status: __, ...main } = object;
    object = main;
  }
  if (strategy.defaults) object = strategy.defaults(object);
  if (strategy.admit) object = strategy.admit(object, core);
  if (strategy.prepareCreate) object = strategy.prepareCreate(object, core);
  if (hasStatus && strategy.newStatus) object = { ...object, status: strategy.newStatus(object, core) };
  return object;
}

function insertOnce(core: Core, resource: Resource, draft: AnyDraft, name: string, options: WriteOptions): KubeObject {
  const { strategy, kind, shelf } = resource;
  const object = prepared(core, resource, draft, name);
  const errors = [
    ...metadataErrors(object.metadata, kind.namespaced, strategy.validName ?? dnsSubdomain, resource.strictFinalizers),
    ...(strategy.validate?.(object) ?? []),
  ];
  if (errors.length > 0) throw invalid(kind, name, errors);
  const there = shelf.objects.find(kind.namespaced ? (object.metadata.namespace ?? '') : '', name);
  if (there) throw alreadyExists(kind, name, there.object.metadata.deletionTimestamp !== undefined);
  if (options.dryRun) {
    const { resourceVersion: _, ...metadata } = object.metadata;
    return { ...object, metadata: metadata as Metadata };
  }
  return core.store.insert(shelf, object);
}

export function createObject(core: Core, resource: Resource, given: AnyDraft, options: WriteOptions): KubeObject {
  const { kind } = resource;
  const draft = resource.conversion ? (resource.conversion.toStored(given as KubeObject) as AnyDraft) : given;
  const { name = '', generateName: base = '', namespace = '', resourceVersion } = draft.metadata;
  if (kind.namespaced) {
    if (!namespace) throw badRequest('an empty namespace may not be set during creation');
    checkNamespace(core, resource, namespace, name || base || 'Unknown');
  }
  // Not a Status upstream, so without a reason: apiserver pkg/storage/errors.go.
  if (resourceVersion) throw new Failure(500, '', 'resourceVersion should not be set on objects to be created');
  if (name || !base) return insertOnce(core, resource, draft, name, options);
  let drawn = '';
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    drawn = generateName(base, core.random);
    try {
      return insertOnce(core, resource, draft, drawn, options);
    } catch (error) {
      if (!(error instanceof Failure) || error.reason !== 'AlreadyExists') throw error;
    }
  }
  throw noUniqueName(kind, drawn);
}
