/**
 * zod schema -> the OpenAPI v3 that apiextensions calls structural. What has to change on the way, tried on API server 1.34.4:
 * `$schema`, `propertyNames` and `additionalProperties: false` are refused, and an int-or-string must have no type of its own.
 */
import * as z from 'zod';

export interface JsonSchema {
  title?: string;
  description?: string;
  type?: string;
  format?: string;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  pattern?: string;
  required?: string[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: { rule: string; message: string; fieldPath?: string }[];
}

// In this order they are printed. What is missing here does not belong into a structural schema.
const keywords = [
  'description',
  'type',
  'format',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'pattern',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
  'required',
  'properties',
  'additionalProperties',
  'items',
  'anyOf',
] as const satisfies (keyof JsonSchema)[];

/** What a person may write: defaults are not required. Still with the titles that name shared types. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' }) as JsonSchema;
}

/** The schema as a CRD takes it. */
export function structuralSchema(schema: z.ZodType): JsonSchema {
  return toStructural(inputSchema(schema));
}

function toStructural(source: JsonSchema): JsonSchema {
  const schema = source['x-kubernetes-int-or-string'] ? intOrString(source) : source;
  const result: Record<string, unknown> = {};
  for (const keyword of keywords) if (schema[keyword] !== undefined) result[keyword] = schema[keyword];
  // The format checks more than zod's pattern, but lets a lower-case t and z pass, which not every reader does.
  if (schema.format === 'date-time') result.pattern = '^[^tz]*$';
  // RegExp.source escapes slashes; Go's regexp does not need it.
  else if (schema.pattern !== undefined) result.pattern = schema.pattern.replaceAll('\\/', '/');
  if (schema.maximum === Number.MAX_SAFE_INTEGER) {
    delete result.maximum;
    result.format = 'int64';
  }
  // The API server drops an empty map: written, it would be a difference for ever.
  if (schema.properties && Object.keys(schema.properties).length === 0) delete result.properties;
  else if (schema.properties)
    result.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, part]) => [name, toStructural(part)]));
  if (schema.items) result.items = toStructural(schema.items);
  if (typeof schema.additionalProperties === 'object' && schema.additionalProperties.type !== undefined) {
    result.additionalProperties = toStructural(schema.additionalProperties);
  } else delete result.additionalProperties;
  return result;
}

/** The bounds of both forms move up beside `anyOf`; each applies to its own form only. */
function intOrString(union: JsonSchema): JsonSchema {
  const [integer, text] = union.anyOf ?? [];
  const { minimum, maximum } = integer ?? {};
  return {
    ...union,
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
    ...(text?.pattern !== undefined && { pattern: text.pattern }),
    anyOf: [{ type: 'integer' }, { type: 'string' }],
  };
}
