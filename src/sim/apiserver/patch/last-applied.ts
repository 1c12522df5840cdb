/** Objects that were applied from the client: what the annotation of `kubectl apply` says, for the way over to server-side apply. */
import { difference, type FieldSet, union } from './field-set.ts';
import { compare, fieldsOf } from './field-walk.ts';
import { isObject, type JsonObject } from './json-value.ts';
import type { Shape } from './shape.ts';

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/** What the annotation sets and the object still says: kubectl may take it over without a conflict (lastappliedmanager.go). */
export function lastAppliedFields(live: JsonObject, apiVersion: string, shape: Shape): FieldSet | undefined {
  const text = annotationsOf(live)[ANNOTATION];
  if (typeof text !== 'string' || text === '') return undefined;
  const applied = parse(text);
  if (!isObject(applied) || applied.apiVersion !== apiVersion) return undefined;
  const { added, modified, removed } = compare(applied, live, shape);
  return difference(fieldsOf(applied, shape), union(union(added, modified), removed));
}

/** Brings the annotation, where there is one, up to what has now been applied (lastappliedupdater.go). */
export function syncLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const annotations = annotationsOf(object);
  if (!annotations[ANNOTATION]) return object;
  const { [ANNOTATION]: _, ...others } = annotationsOf(config);
  const metadata = { ...(config.metadata as JsonObject), ...(Object.keys(others).length > 0 && { annotations: others }) };
  const applied = `${JSON.stringify({ ...config, metadata })}\n`;
  return { ...object, metadata: { ...(object.metadata as JsonObject), annotations: { ...annotations, [ANNOTATION]: applied } } };
}

function annotationsOf(object: JsonObject): JsonObject {
  const { metadata } = object;
  return isObject(metadata) && isObject(metadata.annotations) ? metadata.annotations : {};
}

/** A text that is no JSON allows nothing, as in the server. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
