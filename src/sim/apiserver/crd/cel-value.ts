/** JSON as CEL sees it under a schema: apiserver pkg/cel/common/values.go. */
import { isList, isObject } from '../patch/json-value.ts';
import { type Schema, schemaOf } from './schema.ts';

/**
 * Whole numbers become bigint and times Date, where the schema says so; what has no schema is not seen. Unlike the server's values, those
 * of format duration and byte stay texts, and lists by key compare in order.
 */
export function celValue(value: unknown, schema: Schema | undefined): unknown {
  if (!schema) return value;
  if (typeof value === 'number') {
    const whole = schema.type === 'integer' || schema['x-kubernetes-int-or-string'] === true;
    return whole && Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (typeof value === 'string') {
    const time = schema.format === 'date-time' || schema.format === 'date';
    return time && !Number.isNaN(Date.parse(value)) ? new Date(value) : value;
  }
  if (isList(value)) return value.map((item) => celValue(item, schema.items));
  if (!isObject(value)) return value;
  const keepsAll = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const entries = Object.entries(value).filter(([name]) => keepsAll || schemaOf(schema, name) || META.has(name));
  return Object.fromEntries(entries.map(([name, inner]) => [name, celValue(inner, schemaOf(schema, name))]));
}

const META = new Set(['apiVersion', 'kind', 'metadata']);
