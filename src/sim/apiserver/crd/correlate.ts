/** Which part of the old object an updated part stands for: apiserver pkg/cel/common/equality.go. */
import { same } from '../../store/same.ts';
import { isList, isObject, type JsonObject, property } from '../patch/json-value.ts';
import type { Schema } from './schema.ts';

/** Undefined: there was none, or nobody can say which. */
export type Before = { readonly value: unknown } | undefined;

/** Only the elements of a list by key can be told apart. */
export function elementBefore(before: Before, schema: Schema, element: unknown): Before {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (!before || !isList(before.value) || schema['x-kubernetes-list-type'] !== 'map' || !isObject(element)) return undefined;
  const key = keyOf(schema, keys, element);
  const old = before.value.find((other) => isObject(other) && same(keyOf(schema, keys, other), key));
  return old === undefined ? undefined : { value: old };
}

function keyOf(schema: Schema, keys: readonly string[], element: JsonObject): unknown[] {
  return keys.map((name) => property(element, name) ?? schema.items?.properties?.[name]?.default);
}
