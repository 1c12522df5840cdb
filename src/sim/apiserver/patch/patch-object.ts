/** The four kinds of patches behind one door, as the HTTP layer meets them. */
import type { KubeObject } from '../../kubernetes.ts';
import type { Kind } from '../api.ts';
import { badRequest, forbiddenField, invalid, required } from '../refusals.ts';
import { unsupportedMediaType } from '../status.ts';
import { applyConfig, trackUpdate } from './apply.ts';
import { isObject, type JsonObject } from './json-value.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { shapeOfKind, type Shape } from './shape.ts';
import { strategicMergePatch } from './strategic.ts';

export const APPLY = 'application/apply-patch+yaml';

const changes: Readonly<Record<string, (current: JsonObject, patch: unknown, shape: Shape) => JsonObject>> = {
  'application/json-patch+json': jsonPatch,
  'application/merge-patch+json': mergePatch,
  'application/strategic-merge-patch+json': strategicMergePatch,
};

const PATCH_OPTIONS = { group: 'meta.k8s.io', kind: 'PatchOptions' };

export interface PatchOptions {
  readonly contentType: string;
  /** "apps/v1" */
  readonly apiVersion: string;
  readonly fieldManager?: string | undefined;
  readonly force?: boolean | undefined;
  readonly subresource?: string | undefined;
  readonly now: string;
  /** Of a custom kind: its schema's. Default: the built-in kind's. */
  readonly shape?: Shape | undefined;
}

/**
 * The object after the patch, `current` itself when it changes nothing; absent `current` only with APPLY, which then makes the object.
 * Throws Failure 415 for a content type that the kind has not (custom ones have no strategic merge), and what the patch throws.
 */
export function patchObject<T extends KubeObject>(
  kind: Kind<T>,
  current: T | undefined,
  patch: unknown,
  options: PatchOptions,
): T {
  const custom = options.shape !== undefined;
  const shape = options.shape ?? shapeOfKind(kind);
  const hasStatus = kind.subresources.includes('status');
  const writer = { ...options, shape, hasStatus };
  if (options.contentType === APPLY) {
    if (!options.fieldManager) throw invalid(PATCH_OPTIONS, '', [required('fieldManager', 'is required for apply patch')]);
    return applyConfig(current, patch, { ...writer, force: options.force ?? false });
  }
  if (options.force !== undefined) {
    throw invalid(PATCH_OPTIONS, '', [forbiddenField('force', 'may not be specified for non-apply patch')]);
  }
  const change = Object.hasOwn(changes, options.contentType) ? changes[options.contentType] : undefined;
  if (!change || (custom && change === strategicMergePatch)) throw unsupportedMediaType(patchTypes(custom));
  if (!current) throw new TypeError('only an apply patch makes an object');
  const next = change(current, patch, shape);
  if (next === current) return current;
  if (!isObject(next.metadata)) throw badRequest('metadata: Required value');
  return trackUpdate(current, next as unknown as T, writer);
}

export function patchTypes(custom: boolean): readonly string[] {
  const types = Object.keys(changes).filter((type) => !custom || changes[type] !== strategicMergePatch);
  return [...types, APPLY];
}
