/** Defaults of a schema: apiextensions pkg/apiserver/schema/defaulting. */
import { isList, isObject, type JsonObject, shareList } from '../patch/json-value.ts';
import { type Schema, schemaOf } from './schema.ts';
import { createSettled } from './settled.ts';

/**
 * The value with the defaults that it lacks; the very same when it lacks none. A null where none is allowed counts as absent: it becomes
 * the default or goes.
 */
export function withDefaults(value: unknown, schema: Schema | undefined): unknown {
  if (!schema || typeof value !== 'object' || value === null) return withMissing(value, schema);
  if (complete.has(schema, value)) return value;
  const next = withMissing(value, schema);
  complete.add(schema, next as object);
  return next;
}

const complete = createSettled();

function withMissing(value: unknown, schema: Schema | undefined): unknown {
  if (isList(value)) {
    const items = value.map((item) => {
      const byDefault = item === null && schema?.items && !schema.items.nullable ? schema.items.default : undefined;
      return withDefaults(byDefault ?? item, schema?.items);
    });
    return shareList(value, items);
  }
  if (!isObject(value)) return value;
  // Filled only from the first field on that changes: most objects lack nothing, and each write of a status looks through hundreds.
  let next: Record<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const inner = value[name];
    const own = schema && schemaOf(schema, name);
    const stays = inner !== null || !own || own.nullable;
    const full = stays ? withDefaults(inner, own) : withDefaults(own.default, own);
    if (stays && full === inner) {
      if (next) next[name] = inner;
      continue;
    }
    next ??= fieldsBefore(value, name);
    if (stays || own.default !== undefined) next[name] = full;
  }
  for (const [name, own] of schema ? defaultsIn(schema) : NONE)
    if (!Object.hasOwn(value, name)) (next ??= { ...value })[name] = withDefaults(own.default, own);
  return next ?? value;
}

function fieldsBefore(value: JsonObject, name: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const field of Object.keys(value)) {
    if (field === name) break;
    fields[field] = value[field];
  }
  return fields;
}

type Property = readonly [name: string, schema: Schema];

const NONE: readonly Property[] = [];
const defaulted = new WeakMap<Schema, readonly Property[]>();

function defaultsIn(schema: Schema): readonly Property[] {
  let found = defaulted.get(schema);
  if (!found) {
    found = Object.entries(schema.properties ?? {}).filter(([, own]) => own.default !== undefined);
    defaulted.set(schema, found);
  }
  return found;
}
