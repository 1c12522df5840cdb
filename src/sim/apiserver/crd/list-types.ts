/** Lists that are sets or maps hold each element once: apiextensions pkg/apiserver/schema/listtype/validation.go. */
import { isList, isObject, type JsonObject, property } from '../patch/json-value.ts';
import type { FieldError } from '../refusals.ts';
import { duplicateValue, invalidField } from './field-errors.ts';
import { childPath, type Schema } from './schema.ts';

const knows = new WeakMap<Schema, boolean>();

/** Whether there is a set or a map anywhere in it: in most parts of most schemas there is none. */
function knowsListTypes(schema: Schema): boolean {
  let known = knows.get(schema);
  if (known !== undefined) return known;
  const { properties = {}, items, additionalProperties } = schema;
  const parts = [...Object.values(properties), ...(items ? [items] : [])];
  if (typeof additionalProperties === 'object') parts.push(additionalProperties);
  const type = schema['x-kubernetes-list-type'];
  known = type === 'set' || type === 'map' || parts.some(knowsListTypes);
  knows.set(schema, known);
  return known;
}

export function listTypeErrors(value: unknown, schema: Schema | undefined, path = ''): FieldError[] {
  if (!schema || typeof value !== 'object' || value === null || !knowsListTypes(schema)) return [];
  if (isList(value)) {
    const own = elementErrors(value, schema, path);
    return [...own, ...value.flatMap((item, index) => listTypeErrors(item, schema.items, `${path}[${index}]`))];
  }
  if (!isObject(value)) return [];
  const { properties, additionalProperties } = schema;
  return Object.entries(value).flatMap(([name, inner]) => {
    if (typeof additionalProperties === 'object') return listTypeErrors(inner, additionalProperties, `${path}[${name}]`);
    return properties && Object.hasOwn(properties, name) ? listTypeErrors(inner, properties[name], childPath(path, name)) : [];
  });
}

function elementErrors(list: readonly unknown[], schema: Schema, path: string): FieldError[] {
  const type = schema['x-kubernetes-list-type'];
  if (type === 'set') return repeated(list).map((index) => duplicateValue(`${path}[${index}]`, list[index]));
  if (type !== 'map') return [];
  const stranger = list.findIndex((item) => item !== null && !isObject(item));
  if (stranger >= 0) {
    return [invalidField(`${path}[${stranger}]`, list[stranger], 'must be an object for an array of list-type map')];
  }
  const keys = list.map((item) => keyOf(schema['x-kubernetes-list-map-keys'] ?? [], (item ?? {}) as JsonObject));
  return repeated(keys).map((index) => duplicateValue(`${path}[${index}]`, keys[index]));
}

function keyOf(names: readonly string[], element: JsonObject): JsonObject {
  const set = names.filter((name) => Object.hasOwn(element, name)).sort();
  return Object.fromEntries(set.map((name) => [name, property(element, name)]));
}

/** Where a value stands for the second time; a third time is not told. */
function repeated(values: readonly unknown[]): number[] {
  const times = new Map<string, number>();
  return values.flatMap((value, index) => {
    const text = JSON.stringify(sorted(value));
    const before = times.get(text) ?? 0;
    times.set(text, before + 1);
    return before === 1 ? [index] : [];
  });
}

function sorted(value: unknown): unknown {
  if (isList(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, sorted(value[name])]),
  );
}
