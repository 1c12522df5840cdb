/** JSON merge patches (RFC 7386) as the API server applies them: gopkg.in/evanphx/json-patch.v4 v4.12.0 merge.go. */
import { isList, isObject, type JsonObject, property, shareObject, shareValue } from './json-value.ts';
import { badRequest } from '../refusals.ts';
import { cannotDecode } from './patch-failure.ts';

/** The object after the patch, `current` itself when it changes nothing. Throws Failure 400 when `patch` is not an object. */
export function mergePatch(current: JsonObject, patch: unknown): JsonObject {
  if (!isObject(patch)) throw badRequest(`error decoding patch: ${cannotDecode(patch, 'map[string]interface {}')}`);
  return merge(current, patch);
}

function merge(current: JsonObject, patch: JsonObject): JsonObject {
  const next: Record<string, unknown> = { ...current };
  for (const [name, value] of Object.entries(patch)) {
    const before = property(current, name);
    if (value === null) delete next[name];
    else if (isObject(before)) next[name] = isObject(value) ? merge(before, value) : value;
    else next[name] = shareValue(before, withoutNulls(value));
  }
  return shareObject(current, next);
}

/** What is new holds no nulls, not even inside lists, against the RFC; a null that is itself an element of a list stays (pruneAryNulls). */
function withoutNulls(value: unknown): unknown {
  if (isList(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNulls(inner)]));
}
