/**
 * Validation rules (x-kubernetes-validations): which are asked about which value, and what a broken one answers
 * (apiextensions pkg/apiserver/schema/cel/validation.go). The language itself, CEL, is handed in.
 */
import { same } from '../../store/same.ts';
import { isList, isObject, property } from '../patch/json-value.ts';
import type { FieldError } from '../refusals.ts';
import { type Before, elementBefore } from './correlate.ts';
import { celValue } from './cel-value.ts';
import { duplicateValue, forbiddenValue, invalidField, requiredField } from './field-errors.ts';
import { childPath, type Schema, type ValidationRule } from './schema.ts';

/**
 * What a CEL expression says of `self`, and of `oldSelf` where there is one. Whole numbers come as bigint, times as Date, all else as in
 * JSON. Throws when it cannot be asked (a missing key, a division by zero).
 */
export type EvaluateRule = (rule: string, self: unknown, oldSelf: unknown) => unknown;

export function rulesErrors(value: unknown, schema: Schema, evaluate: EvaluateRule, before: Before): FieldError[] {
  return walk({ value, schema, path: '', before, unchanged: false }, evaluate);
}

/** What is asked, anywhere in a schema: about a change (oldSelf) also where nothing has changed. */
type Asked = 'Nothing' | 'Values' | 'Changes';

const asks = new WeakMap<Schema, Asked>();

/** Worked out once: most parts of most objects are under no rule, and are not looked into with every write. */
function askedBy(schema: Schema): Asked {
  let asked = asks.get(schema);
  if (asked) return asked;
  const { properties = {}, items, additionalProperties, allOf = [] } = schema;
  const rules = schema['x-kubernetes-validations'] ?? [];
  const parts = [...Object.values(properties), ...allOf, ...(items ? [items] : [])].map(askedBy);
  if (typeof additionalProperties === 'object') parts.push(askedBy(additionalProperties));
  if (rules.some(isTransitionRule) || parts.includes('Changes')) asked = 'Changes';
  else asked = rules.length > 0 || parts.includes('Values') ? 'Values' : 'Nothing';
  asks.set(schema, asked);
  return asked;
}

const isTransitionRule = ({ rule }: ValidationRule): boolean => /\boldSelf\b/.test(rule);

/** Whether there is anything to ask, anywhere in the schema: without, upstream has no validator at all. */
export const hasRules = (schema: Schema): boolean => askedBy(schema) !== 'Nothing';

interface Place {
  readonly value: unknown;
  readonly schema: Schema;
  readonly path: string;
  readonly before: Before;
  /** Part of something that the update leaves as it was, although this part itself cannot be found in the old object. */
  readonly unchanged: boolean;
}

function walk({ value, schema, path, before, unchanged }: Place, evaluate: EvaluateRule): FieldError[] {
  if (value === null || value === undefined) return [];
  const asked = askedBy(schema);
  if (asked === 'Nothing') return [];
  const settled = before ? same(before.value, value) : unchanged;
  if (settled && asked === 'Values') return [];
  const here = { value, schema, path, before, unchanged: settled };
  const errors = (schema['x-kubernetes-validations'] ?? []).flatMap((rule) => ruleErrors(rule, here, evaluate));
  for (const all of schema.allOf ?? []) {
    errors.push(...walk({ ...here, schema: { ...all, ...(schema.type !== undefined && { type: schema.type }) } }, evaluate));
  }
  if (isList(value) && schema.items) {
    const { items } = schema;
    const below = (element: unknown, index: number) => ({
      value: element,
      schema: items,
      path: `${path}[${index}]`,
      before: elementBefore(before, schema, element),
      unchanged: settled,
    });
    return [...errors, ...value.flatMap((element, index) => walk(below(element, index), evaluate))];
  }
  if (!isObject(value)) return errors;
  const { properties, additionalProperties } = schema;
  for (const name of Object.keys(value)) {
    const inner = value[name];
    const own = properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
    const ownAsked = own !== undefined && askedBy(own) !== 'Nothing';
    if (!ownAsked && typeof additionalProperties !== 'object') continue;
    const old = before && isObject(before.value) && Object.hasOwn(before.value, name);
    const below = { value: inner, before: old ? { value: property(before.value, name) } : undefined, unchanged: settled };
    if (typeof additionalProperties === 'object') {
      errors.push(...walk({ ...below, schema: additionalProperties, path: `${path}[${name}]` }, evaluate));
    }
    if (ownAsked) errors.push(...walk({ ...below, schema: own, path: childPath(path, name) }, evaluate));
  }
  return errors;
}

function ruleErrors(
  rule: ValidationRule,
  { value, schema, path, before, unchanged }: Place,
  evaluate: EvaluateRule,
): FieldError[] {
  const isTransition = isTransitionRule(rule);
  if (isTransition && !before) return [];
  if (!isTransition && unchanged) return [];
  const type = schema.type ?? '';
  const title = (rule.message ?? '') === '' ? rule.rule.trim() : (rule.message ?? '').trim();
  const ask = (expression: string) =>
    evaluate(expression, celValue(value, schema), before === undefined ? undefined : celValue(before.value, schema));
  try {
    if (ask(rule.rule) === true) return [];
  } catch (error) {
    // What an evaluator adds below its first line is for people at a terminal.
    const [complaint] = (error instanceof Error ? error.message : String(error)).split('\n');
    return [invalidField(path, type, `${complaint} evaluating rule: ${title}`)];
  }
  const message = messageOf(rule, title, ask);
  const field = path + (path === '' ? (rule.fieldPath ?? '').replace(/^\./, '') : (rule.fieldPath ?? ''));
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return [forbiddenValue(field, message)];
    case 'FieldValueRequired':
      return [requiredField(field, message)];
    case 'FieldValueDuplicate':
      return [duplicateValue(field, type)];
    default:
      return [invalidField(field, type, message)];
  }
}

/** A messageExpression that fails gives way to the message. */
function messageOf(rule: ValidationRule, title: string, ask: (expression: string) => unknown): string {
  const fallback = rule.message ? title : `failed rule: ${title}`;
  if (!rule.messageExpression) return fallback;
  try {
    const text = ask(rule.messageExpression);
    return typeof text === 'string' && text.trim() !== '' && !text.trim().includes('\n') ? text.trim() : fallback;
  } catch {
    return fallback;
  }
}
