/**
 * Whether a schema is structural, so that objects can be pruned and defaulted by it: apiextensions pkg/apiserver/schema/validation.go and
 * pkg/apis/apiextensions/validation/validation.go, in the parts that people run into.
 */
import type { FieldError } from '../refusals.ts';
import { forbiddenValue, invalidField, requiredField, unsupported } from './field-errors.ts';
import { goPattern } from './go-pattern.ts';
import type { Schema } from './schema.ts';
import { withDefaults } from './default.ts';
import { prune } from './prune.ts';
import { schemaErrors } from './validate.ts';
import { isObject } from '../patch/json-value.ts';

type Level = 'root' | 'item' | 'field';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

/** In the server's order: by text. */
export function structureErrors(schema: Schema, path: string): FieldError[] {
  const text = ({ field, message }: FieldError) => `${field}: ${message}`;
  return [...walk(schema, path, 'root')].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

function walk(schema: Schema, path: string, level: Level): FieldError[] {
  const { type, items, properties, additionalProperties, uniqueItems, pattern } = schema;
  const errors: FieldError[] = [];
  const typed = type !== undefined && type !== '';
  const free = schema['x-kubernetes-int-or-string'] ?? schema['x-kubernetes-preserve-unknown-fields'];
  if (!typed && !free) errors.push(requiredField(`${path}.type`, EMPTY_TYPE[level]));
  if (typed && !TYPES.includes(type)) errors.push(unsupported(`${path}.type`, type, TYPES));
  if (typed && level === 'root' && type !== 'object')
    errors.push(invalidField(`${path}.type`, type, 'must be object at the root'));
  if (typed && schema['x-kubernetes-int-or-string']) {
    errors.push(invalidField(`${path}.type`, type, 'must be empty if x-kubernetes-int-or-string is true'));
  }
  if (type === 'array' && !items) errors.push(requiredField(`${path}.items`, 'must be specified'));
  if (additionalProperties !== undefined && level === 'root') {
    errors.push(forbiddenValue(`${path}.additionalProperties`, 'must not be used at the root'));
  }
  if (additionalProperties !== undefined && properties) {
    errors.push(forbiddenValue(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  }
  if (uniqueItems) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbiddenValue(`${path}.uniqueItems`, why));
  }
  for (const name of ['$ref', 'definitions', 'dependencies', 'patternProperties', 'additionalItems', 'id']) {
    if (Object.hasOwn(schema, name)) errors.push(forbiddenValue(`${path}.${name}`, `${name} is not supported`));
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(invalidField(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  }
  const broken = pattern === undefined ? undefined : goPattern(pattern);
  if (broken instanceof Error) {
    errors.push(invalidField(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${broken.message}`));
  }
  errors.push(...junctorErrors(schema, path), ...listErrors(schema, path), ...defaultErrors(schema, path));
  if (items) errors.push(...walk(items, `${path}.items`, 'item'));
  if (typeof additionalProperties === 'object' && level !== 'root') {
    errors.push(...walk(additionalProperties, `${path}.additionalProperties`, 'field'));
  }
  for (const [name, inner] of Object.entries(properties ?? {})) {
    const at = `${path}.properties[${name}]`;
    errors.push(...(level === 'root' && name === 'metadata' ? metadataErrors(inner, at) : walk(inner, at, 'field')));
  }
  return errors;
}

function metadataErrors({ type, properties, ...rest }: Schema, path: string): FieldError[] {
  if (type !== 'object') return [invalidField(`${path}.type`, type ?? '', 'must be object')];
  const { description: _, ...more } = rest;
  const names = Object.keys(properties ?? {}).filter((name) => name !== 'name' && name !== 'generateName');
  if (names.length === 0 && Object.keys(more).length === 0) return [];
  const why = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
  return [forbiddenValue(path, why)];
}

/** Under allOf, anyOf, oneOf and not, values are only narrowed: no types but those of an int-or-string, no defaults. */
function junctorErrors(schema: Schema, path: string): FieldError[] {
  const junctors = [
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((junctor) =>
      (schema[junctor] ?? []).map((inner, index) => ({ inner, at: `${path}.${junctor}[${index}]` })),
    ),
    ...(schema.not ? [{ inner: schema.not, at: `${path}.not` }] : []),
  ];
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  return junctors.flatMap(({ inner, at }) => nestedErrors(inner, at, isIntOrString));
}

function nestedErrors(schema: Schema, path: string, isIntOrString: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.type && !(isIntOrString && (schema.type === 'integer' || schema.type === 'string'))) {
    errors.push(forbiddenValue(`${path}.type`, 'must be empty to be structural'));
  }
  for (const name of ['additionalProperties', 'default', 'description', 'nullable'] as const) {
    if (schema[name] !== undefined) {
      const text = name === 'description' || name === 'default' || name === 'nullable' ? 'must be empty' : 'must be undefined';
      errors.push(forbiddenValue(`${path}.${name}`, `${text} to be structural`));
    }
  }
  if (schema.items) errors.push(...nestedErrors(schema.items, `${path}.items`, false));
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    errors.push(...nestedErrors(inner, `${path}.properties[${name}]`, false));
  }
  return [...errors, ...junctorErrors({ ...schema, 'x-kubernetes-int-or-string': isIntOrString }, path)];
}

function listErrors(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const at = `${path}.x-kubernetes-list-type`;
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType)) {
    errors.push(unsupported(at, listType, ['atomic', 'set', 'map']));
  }
  if (listType !== undefined && schema.type !== 'array') {
    const why = 'must be array if x-kubernetes-list-type is specified';
    errors.push(schema.type ? invalidField(`${path}.type`, schema.type, why) : requiredField(`${path}.type`, why));
  }
  if (keys.length > 0 && listType !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(listType === undefined ? requiredField(at, why) : invalidField(at, listType, why));
  }
  if (listType !== 'map') return errors;
  const { items } = schema;
  if (keys.length === 0) {
    errors.push(requiredField(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
  }
  if (!items) return [...errors, requiredField(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map')];
  if (items.type !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalidField(`${path}.items.type`, items.type ?? '', why));
  }
  for (const key of keys) {
    const property = items.properties?.[key];
    if (!property) {
      errors.push(invalidField(`${path}.x-kubernetes-list-map-keys`, keys, 'entries must all be names of item properties'));
    } else if (property.default === undefined && !items.required?.includes(key)) {
      const why = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.push(requiredField(`${path}.items.properties[${key}].default`, why));
    }
  }
  return errors;
}

/** A default must itself be an object of the schema. */
function defaultErrors(schema: Schema, path: string): FieldError[] {
  const { default: byDefault } = schema;
  if (byDefault === undefined) return [];
  const at = `${path}.default`;
  const value = withDefaults(byDefault, schema);
  const unknown = isObject(value) ? prune(value, schema).unknown : [];
  if (unknown.length > 0) return [invalidField(at, byDefault, 'must not have unknown fields')];
  const { default: _, ...bare } = schema;
  return schemaErrors(value, bare).map(({ field, ...error }) => ({ ...error, field: field === '<nil>' ? at : `${at}.${field}` }));
}
