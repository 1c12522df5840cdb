/**
 * Values against a schema: kube-openapi pkg/validation/validate as apiextensions uses it, with the messages that clients see, and with
 * ratcheting (apiextensions pkg/apiserver/validation/ratcheting.go): what an update leaves as it was is not held against it.
 */
import { same } from '../../store/same.ts';
import { isList, isObject, type JsonObject, property } from '../patch/json-value.ts';
import type { FieldError } from '../refusals.ts';
import { invalidField, requiredField, tooLongText, tooMany, typeInvalid, unsupported } from './field-errors.ts';
import { formatCheck } from './formats.ts';
import { goPattern } from './go-pattern.ts';
import { elementBefore, type Before } from './correlate.ts';
import { type Schema, schemaOf } from './schema.ts';

interface Place {
  /** As the library counts it, from the value that is validated. */
  readonly path: string;
  /** Before the paths in the answer: "status" where the status alone is validated. */
  readonly prefix: string;
  readonly before: Before;
}

/** `before` is the value that an update replaces. */
export function schemaErrors(
  value: unknown,
  schema: Schema,
  { prefix = '', before }: { prefix?: string; before?: Before } = {},
): FieldError[] {
  return check(value, schema, { path: '', prefix, before });
}

function check(value: unknown, schema: Schema, place: Place): FieldError[] {
  // Of what is the very same as before nothing would be told in the end.
  if (place.before && place.before.value === value) return [];
  const errors = typeErrors(value, schema, place);
  if (value !== null && isCombined(schema)) errors.push(...combinedErrors(value, schema, place));
  if (typeof value === 'string') errors.push(...textErrors(value, schema, place));
  if (typeof value === 'number') errors.push(...numberErrors(value, schema, place));
  if (isList(value)) errors.push(...listErrors(value, schema, place));
  if (schema.enum && schema.enum.length > 0 && !schema.enum.some((allowed) => same(allowed, value))) {
    errors.push(unsupported(fieldOf(place), value, schema.enum));
  }
  if (isObject(value)) errors.push(...objectErrors(value, schema, place));
  return errors.length > 0 && place.before && same(place.before.value, value) ? [] : errors;
}

const isCombined = ({ anyOf, oneOf, allOf, not }: Schema) => (anyOf ?? oneOf ?? allOf ?? not) !== undefined;

function fieldOf({ path, prefix }: Place): string {
  const name = path.replace(/^\./, '');
  if (prefix === '' || name === '') return prefix + name;
  return `${prefix}.${name}`;
}

function typesOf(schema: Schema): readonly string[] {
  if (schema['x-kubernetes-int-or-string']) return ['integer', 'string'];
  return schema.type === undefined || schema.type === '' ? [] : [schema.type];
}

export function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (isList(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function typeErrors(value: unknown, schema: Schema, place: Place): FieldError[] {
  const types = typesOf(schema);
  const actual = jsonType(value);
  const wrong = (expected: string, found: string) => [
    typeInvalid(fieldOf(place), found, `${place.path} in body must be of type ${expected}: ${JSON.stringify(found)}`),
  ];
  if (value === null) return types.length > 0 && !schema.nullable ? wrong(types.join(','), actual) : [];
  const fits = types.includes(actual) || (actual === 'integer' && types.includes('number'));
  const checked = formatCheck(schema.format) !== undefined;
  if (checked && actual !== 'string' && actual !== 'array' && !fits) {
    const formats: Readonly<Record<string, string>> = { integer: 'int64', number: 'float64' };
    return wrong(schema.format ?? '', formats[actual] ?? '');
  }
  const isNumeric = types.includes('number') || types.includes('integer');
  if (types.length === 0 || fits || (checked && !isNumeric)) return [];
  return wrong(types.join(','), actual);
}

function textErrors(value: string, schema: Schema, place: Place): FieldError[] {
  const { maxLength, minLength, pattern, format } = schema;
  const length = [...value].length;
  const errors: FieldError[] = [];
  const fail = (text: string) => errors.push(invalidField(fieldOf(place), value, `${place.path} in body should ${text}`));
  // Only the first of these three is told.
  if (maxLength !== undefined && length > maxLength) errors.push(tooLongText(fieldOf(place), maxLength));
  else if (minLength !== undefined && length < minLength) fail(`be at least ${minLength} chars long`);
  else if (pattern !== undefined && pattern !== '') {
    const regexp = goPattern(pattern);
    if (regexp instanceof Error) fail(`match '${pattern}, but pattern is invalid: ${regexp.message}'`);
    else if (!regexp.test(value)) fail(`match '${pattern}'`);
  }
  if (formatCheck(format)?.(value) === false) {
    const detail = `${place.path} in body must be of type ${format ?? ''}: ${JSON.stringify(value)}`;
    errors.push(typeInvalid(fieldOf(place), value, detail));
  }
  return errors;
}

function numberErrors(value: number, schema: Schema, place: Place): FieldError[] {
  const { multipleOf, exclusiveMaximum, exclusiveMinimum } = schema;
  // A bound is cut to a whole number where the value is one.
  const bound = (limit: number | undefined) => (limit !== undefined && Number.isInteger(value) ? Math.trunc(limit) : limit);
  const [maximum, minimum] = [bound(schema.maximum), bound(schema.minimum)];
  const errors: FieldError[] = [];
  const fail = (text: string) => errors.push(invalidField(fieldOf(place), value, `${place.path} in body should be ${text}`));
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) fail(`a multiple of ${multipleOf}`);
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    fail(`greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`);
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    fail(`less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`);
  }
  return errors;
}

function isMultiple(value: number, factor: number): boolean {
  return Number.isInteger(factor < 1 ? (1 / factor) * value : value / factor);
}

function listErrors(value: readonly unknown[], schema: Schema, place: Place): FieldError[] {
  const { items, minItems, maxItems, uniqueItems } = schema;
  const errors = items
    ? value.flatMap((item, index) =>
        check(item, items, { ...place, path: `${place.path}[${index}]`, before: elementBefore(place.before, schema, item) }),
      )
    : [];
  const fail = (shown: unknown, text: string) =>
    errors.push(invalidField(fieldOf(place), shown, `${place.path} in body should${text}`));
  if (minItems !== undefined && value.length < minItems) fail(value.length, ` have at least ${minItems} items`);
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(fieldOf(place), value.length, maxItems));
  if (uniqueItems && value.some((item, index) => value.slice(0, index).some((other) => same(item, other)))) {
    errors.push(invalidField(fieldOf(place), '', `${place.path} in body shouldn't contain duplicates`));
  }
  return errors;
}

function objectErrors(value: JsonObject, schema: Schema, place: Place): FieldError[] {
  const { minProperties, maxProperties, required = [] } = schema;
  const names = Object.keys(value);
  const errors: FieldError[] = [];
  if (minProperties !== undefined && names.length < minProperties) {
    const text = `${place.path} in body should have at least ${minProperties} properties`;
    errors.push(invalidField(fieldOf(place), names.length, text));
  }
  if (maxProperties !== undefined && names.length > maxProperties)
    errors.push(tooMany(fieldOf(place), names.length, maxProperties));
  for (const name of names) {
    const inner = schemaOf(schema, name);
    // What is the very same as before: as in `check`, but before anything is made for it.
    if (!inner || isUntouched(place.before, name, value[name])) continue;
    const declared = schema.properties && Object.hasOwn(schema.properties, name);
    // Only a declared field at the top has no dot before it.
    const path = declared && place.path === '' ? name : `${place.path}.${name}`;
    errors.push(...check(value[name], inner, { path, prefix: place.prefix, before: propertyBefore(place.before, name) }));
  }
  for (const name of required) {
    if (!Object.hasOwn(value, name)) errors.push(requiredField(fieldOf({ ...place, path: `${place.path}.${name}` })));
  }
  return errors;
}

const isUntouched = (before: Before, name: string, value: unknown): boolean =>
  before !== undefined && isObject(before.value) && Object.hasOwn(before.value, name) && before.value[name] === value;

function propertyBefore(before: Before, name: string): Before {
  if (!before || !isObject(before.value)) return undefined;
  return Object.hasOwn(before.value, name) ? { value: property(before.value, name) } : undefined;
}

/** Errors of this kind have no path in the answer: the library's composite errors are not its validation errors. */
function combinedErrors(value: unknown, schema: Schema, place: Place): FieldError[] {
  const errors: FieldError[] = [];
  const fail = (text: string) => errors.push(invalidField(place.prefix, '', `${JSON.stringify(place.path)} must ${text}`));
  const outcomes = (schemas: readonly Schema[] = []) => schemas.map((one) => check(value, one, { ...place, before: undefined }));
  const anyOf = outcomes(schema.anyOf);
  if (anyOf.length > 0 && anyOf.every((outcome) => outcome.length > 0)) {
    fail('validate at least one schema (anyOf)');
    errors.push(...fewest(anyOf));
  }
  const oneOf = outcomes(schema.oneOf);
  const fitting = oneOf.filter((outcome) => outcome.length === 0).length;
  if (oneOf.length > 0 && fitting !== 1) {
    fail(
      `validate one and only one schema (oneOf). ${fitting === 0 ? 'Found none valid' : `Found ${fitting} valid alternatives`}`,
    );
    if (fitting === 0) errors.push(...fewest(oneOf));
  }
  const allOf = outcomes(schema.allOf);
  errors.push(...allOf.flat());
  const failed = allOf.filter((outcome) => outcome.length > 0).length;
  if (failed > 0) fail(`validate all the schemas (allOf)${failed === allOf.length ? '. None validated' : ''}`);
  if (schema.not && outcomes([schema.not]).flat().length === 0) fail('not validate the schema (not)');
  return errors;
}

/** Of several failed alternatives the server tells the one with the most checks passed; here the one with the fewest errors. */
function fewest(outcomes: readonly FieldError[][]): FieldError[] {
  return outcomes.reduce((best, outcome) => (outcome.length < best.length ? outcome : best));
}
