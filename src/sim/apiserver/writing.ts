/** POST, PUT, PATCH and DELETE of objects (apiserver pkg/endpoints/handlers). */
import type { KubeObject } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import type { Draft, Kind } from './api.ts';
import { decoded, type WriteParts } from './decoding.ts';
import type { ApiAnswer, ApiRequest } from './door.ts';
import { namespaces } from './kinds.ts';
import { trackUpdate } from './patch/apply.ts';
import { shapeOfKind } from './patch/shape.ts';
import { patchStored } from './patching.ts';
import { badRequest } from './refusals.ts';
import { apiVersionOf } from './resource.ts';
import type { ResourceRoute } from './routes.ts';
import { unsupportedMediaType } from './status.ts';
import { deleteOptions, writeQuery } from './write-options.ts';

const BODY_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** @throws Failure 415 */
export function checkContentType(request: ApiRequest): void {
  const type = (request.contentType ?? '').split(';')[0]?.trim() ?? '';
  if (type !== '' && !BODY_TYPES.includes(type)) throw unsupportedMediaType(BODY_TYPES);
}

/** The object in a body, with kind and apiVersion filled in. @throws Failure 400 */
export function objectIn(kind: Kind, body: unknown): Draft<KubeObject> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; json parse error`,
    );
  }
  const given = body as { readonly kind?: string; readonly apiVersion?: string; readonly metadata?: unknown };
  const apiVersion = apiVersionOf(kind);
  if (given.kind && given.kind !== kind.kind) {
    const version = JSON.stringify(given.apiVersion ?? apiVersion);
    throw badRequest(
      `${given.kind} in version ${version} cannot be handled as a ${kind.kind}: no kind ${JSON.stringify(given.kind)} is registered for it`,
    );
  }
  if (given.apiVersion && given.apiVersion !== apiVersion) {
    throw badRequest(`the API version in the data (${given.apiVersion}) does not match the expected API version (${apiVersion})`);
  }
  if (given.metadata !== undefined && given.metadata !== null && typeof given.metadata !== 'object') {
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: metadata is no object`,
    );
  }
  return { ...body, kind: kind.kind, apiVersion, metadata: given.metadata ?? {} };
}

/** The object, placed where the path says. @throws Failure 400 */
function placed(route: ResourceRoute, draft: Draft<KubeObject>): Draft<KubeObject> {
  const { namespace } = route;
  const given = draft.metadata.namespace;
  if (!route.kind.namespaced) {
    if (!given || route.kind === namespaces) return draft;
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (given === namespace) return draft;
  if (given) throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return { ...draft, metadata: { ...draft.metadata, namespace } };
}

/** RFC 7234 warnings, as kubectl prints them. */
const warned = (warnings: readonly string[]) =>
  warnings.length === 0 ? {} : { headers: { Warning: warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ') } };

/** Who is booked in managedFields as the owner of what the write changes. */
function writerOf({ registry, custom }: WriteParts, { kind, subresource }: ResourceRoute, fieldManager: string) {
  return {
    fieldManager,
    apiVersion: apiVersionOf(kind),
    hasStatus: kind.subresources.includes('status'),
    shape: custom(kind)?.shape ?? shapeOfKind(kind),
    now: timestamp(registry.clock.now()),
    ...(subresource ? { subresource } : {}),
  };
}

export function create(parts: WriteParts, route: ResourceRoute, request: ApiRequest): ApiAnswer {
  checkContentType(request);
  const { dryRun, fieldManager, fieldValidation } = writeQuery(request, 'CreateOptions');
  const draft = placed(route, objectIn(route.kind, request.body));
  const { object: known, warnings } = decoded(parts, route.kind, draft as KubeObject, fieldValidation);
  const managed = trackUpdate(undefined, known, writerOf(parts, route, fieldManager));
  const object = parts.registry.create(route.kind, managed, { dryRun, fieldManager });
  return { code: 201, ...warned(warnings), body: parts.present(object) };
}

export function update(parts: WriteParts, route: ResourceRoute, request: ApiRequest): ApiAnswer {
  checkContentType(request);
  const { dryRun, fieldManager, fieldValidation } = writeQuery(request, 'UpdateOptions');
  const { kind, name = '', subresource } = route;
  const draft = placed(route, objectIn(kind, request.body));
  const given = draft.metadata.name;
  if (!given) throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (given !== name) throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  const { object: known, warnings } = decoded(parts, kind, draft as KubeObject, fieldValidation);
  const current = parts.registry.get(kind, route.namespace, name);
  const next = trackUpdate(current, known, writerOf(parts, route, fieldManager));
  const { object, created } = parts.registry.put(kind, next, {
    dryRun,
    fieldManager,
    subresource: subresource === 'status' ? 'status' : 'main',
  });
  return { code: created ? 201 : 200, ...warned(warnings), body: parts.present(object) };
}

export function patch(parts: WriteParts, route: ResourceRoute, request: ApiRequest): ApiAnswer {
  const query = writeQuery(request, 'PatchOptions');
  const { object, created, warnings } = patchStored(parts, route, request, query);
  return { code: created ? 201 : 200, ...warned(warnings), body: parts.present(object) };
}

/** Kinds whose deletion answers with the object even when it is gone (`ReturnDeletedObject` of their registries). */
const RETURN_DELETED: ReadonlySet<string> = new Set([
  'namespaces',
  'persistentvolumes',
  'persistentvolumeclaims',
  'pods',
  'resourcequotas',
  'services',
  'serviceaccounts',
  'csinodes.storage.k8s.io',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
]);

const resourceOf = (kind: Kind) => (kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`);

export function remove(parts: WriteParts, route: ResourceRoute, request: ApiRequest): ApiAnswer {
  const { kind, namespace, name = '' } = route;
  const options = deleteOptions(request.body, request.query);
  const object = parts.registry.remove(kind, namespace, name, options);
  const { uid, deletionTimestamp } = object.metadata;
  const waits = deletionTimestamp !== undefined && (options.dryRun || parts.registry.byUid(kind, uid) !== undefined);
  if (waits || RETURN_DELETED.has(resourceOf(kind))) return { code: 200, body: parts.present(object) };
  const details = { name, ...(kind.group ? { group: kind.group } : {}), kind: kind.plural, uid };
  return { code: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
}
