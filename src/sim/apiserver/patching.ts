/** PATCH of an object, of its status, and of its scale (apiserver pkg/endpoints/handlers/patch.go). */
import type { KubeObject } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import type { Draft } from './api.ts';
import type { ApiRequest } from './door.ts';
import type { JsonObject } from './patch/json-value.ts';
import { APPLY, patchObject } from './patch/patch-object.ts';
import { badRequest } from './refusals.ts';
import { apiVersionOf } from './resource.ts';
import type { ResourceRoute } from './routes.ts';
import { decoded, type WriteParts } from './decoding.ts';
import type { WriteQuery } from './write-options.ts';

export interface Patched {
  readonly object: KubeObject;
  readonly created: boolean;
  readonly warnings: readonly string[];
}

const typeOf = (request: ApiRequest) => (request.contentType ?? '').split(';')[0]?.trim() ?? '';

/** The name and the namespace of the path: a patch may leave both out. @throws Failure 400 when it says something else */
function named(config: KubeObject, { name = '', namespace }: ResourceRoute): Draft<KubeObject> {
  const { metadata } = config;
  if (metadata.name && metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  if (namespace && metadata.namespace && metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return { ...config, metadata: { ...metadata, name, ...(namespace ? { namespace } : {}) } };
}

export function patchStored(parts: WriteParts, route: ResourceRoute, request: ApiRequest, query: WriteQuery): Patched {
  const { registry, custom } = parts;
  const { kind, namespace, name = '', subresource } = route;
  const contentType = typeOf(request);
  const { dryRun, force, fieldValidation } = query;
  // An apply must name its manager; the user agent does not stand in for it.
  const fieldManager = contentType === APPLY ? (request.query.get('fieldManager') ?? undefined) : query.fieldManager;
  const apiVersion = apiVersionOf(kind);
  const now = timestamp(registry.clock.now());
  const options = {
    contentType,
    apiVersion,
    fieldManager,
    force,
    now,
    shape: custom(kind)?.shape,
    ...(subresource ? { subresource } : {}),
  };
  const write = { dryRun, fieldManager: query.fieldManager, subresource: subresource === 'status' ? 'status' : 'main' } as const;

  if (contentType === APPLY && !subresource && !registry.get(kind, namespace, name)) {
    const draft = named(patchObject(kind, undefined, request.body, options), route);
    const { object, warnings } = decoded(parts, kind, draft, fieldValidation);
    return { object: registry.create(kind, object, write), created: true, warnings };
  }
  let warnings: readonly string[] = [];
  const object = registry.patch(
    kind,
    namespace,
    name,
    (current) => {
      const next = patchObject(kind, current, request.body, options);
      if (next === current) return current;
      const known = decoded(parts, kind, next, fieldValidation, current);
      warnings = known.warnings;
      return known.object;
    },
    write,
  );
  return { object, created: false, warnings };
}

/** The function that a patch of a scale is; scales merge like any object. */
export function scaleChange(route: ResourceRoute, request: ApiRequest): <T extends object>(current: T) => T {
  const contentType = typeOf(request);
  const options = { contentType, apiVersion: 'autoscaling/v1', fieldManager: 'scale', now: '' };
  return <T extends object>(current: T) => {
    const scale = current as unknown as KubeObject & JsonObject;
    return patchObject({ ...route.kind, kind: 'Scale' }, scale, request.body, options) as unknown as T;
  };
}
