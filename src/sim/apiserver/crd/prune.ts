/** Fields that a schema does not know: apiextensions pkg/apiserver/schema/pruning/algorithm.go. */
import { isList, isObject, type JsonObject, shareList, shareObject } from '../patch/json-value.ts';
import { type Schema, schemaOf } from './schema.ts';
import { createSettled } from './settled.ts';

export interface Pruned {
  /** The very same object when everything in it is known. */
  readonly object: JsonObject;
  /** Paths like `spec.reasons[0].colour`, in alphabetical order. */
  readonly unknown: readonly string[];
}

/** metadata, apiVersion and kind of the object and of embedded ones are not looked into. */
export function prune(object: JsonObject, schema: Schema): Pruned {
  const unknown: string[] = [];
  const pruned = walk(object, embedded(schema), '', unknown) as JsonObject;
  return { object: pruned, unknown: unknown.sort() };
}

const roots = new WeakMap<Schema, Schema>();

/** The same for the same schema, so that what is known of it is found again. */
function embedded(schema: Schema): Schema {
  let root = roots.get(schema);
  if (!root) roots.set(schema, (root = { ...schema, 'x-kubernetes-embedded-resource': true }));
  return root;
}

const clean = createSettled();

const META = new Set(['apiVersion', 'kind', 'metadata']);

function walk(value: unknown, schema: Schema | undefined, path: string, unknown: string[]): unknown {
  if (!schema || typeof value !== 'object' || value === null) return lookInto(value, schema, path, unknown);
  if (clean.has(schema, value)) return value;
  const found = unknown.length;
  const kept = lookInto(value, schema, path, unknown);
  if (unknown.length === found) clean.add(schema, value);
  return kept;
}

function lookInto(value: unknown, schema: Schema | undefined, path: string, unknown: string[]): unknown {
  const keepsAll = schema?.['x-kubernetes-preserve-unknown-fields'] === true;
  if (isList(value)) {
    if (keepsAll && !schema.items) return value;
    const items = keepsAll ? { ...schema.items, 'x-kubernetes-preserve-unknown-fields': true } : schema?.items;
    return shareList(
      value,
      value.map((item, index) => walk(item, items, `${path}[${index}]`, unknown)),
    );
  }
  if (!isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const inner = value[name];
    const at = path === '' ? name : `${path}.${name}`;
    const own = schema && schemaOf(schema, name);
    if (schema?.['x-kubernetes-embedded-resource'] && META.has(name)) kept[name] = inner;
    else if (own) kept[name] = walk(inner, own, at, unknown);
    // additionalProperties: true knows every name, but nothing of what is in it.
    else if (schema?.additionalProperties === true) kept[name] = walk(inner, undefined, at, unknown);
    else if (keepsAll) kept[name] = inner;
    else unknown.push(at);
  }
  return shareObject(value, kept);
}
