/** Defaults of a schema: apiextensions pkg/apiserver/schema/defaulting. */
import { isList, isObject, shareList, shareObject } from '../patch/json-value.ts';
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
  const next: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const own = schema && schemaOf(schema, name);
    if (inner !== null || !own || own.nullable) next[name] = withDefaults(inner, own);
    else if (own.default !== undefined) next[name] = withDefaults(own.default, own);
  }
  for (const [name, own] of Object.entries(schema?.properties ?? {})) {
    if (own.default !== undefined && !Object.hasOwn(value, name)) next[name] = withDefaults(own.default, own);
  }
  return shareObject(value, next);
}
