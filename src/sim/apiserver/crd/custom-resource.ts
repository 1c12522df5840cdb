/** A custom resource as the server serves it: what its definition's version says, and the rules of its objects. */
import type { KubeObject } from '../../kubernetes.ts';
import type { Draft, Kind } from '../api.ts';
import { same } from '../../store/same.ts';
import type { Shape } from '../patch/shape.ts';
import { property } from '../patch/json-value.ts';
import type { FieldError } from '../refusals.ts';
import { badRequest } from '../refusals.ts';
import type { Strategy } from '../strategies/strategy.ts';
import type { Printer } from '../table/cell.ts';
import { columnPrinter, type PrinterColumn } from './columns.ts';
import { withDefaults } from './default.ts';
import { invalidField } from './field-errors.ts';
import { listTypeErrors } from './list-types.ts';
import { prune } from './prune.ts';
import { type EvaluateRule, hasRules, rulesErrors } from './rules.ts';
import type { Schema } from './schema.ts';
import { shapeOfResource } from './schema-shape.ts';
import { scaleErrors, type ScalePaths } from './scale-paths.ts';
import { schemaErrors } from './validate.ts';

export interface DefinitionVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly schema?: { readonly openAPIV3Schema?: Schema };
  readonly subresources?: { readonly status?: object; readonly scale?: ScalePaths };
  readonly additionalPrinterColumns?: readonly PrinterColumn[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
}

/** What the HTTP side asks of a kind that a definition made. */
export interface CustomFacts {
  readonly listKind: string;
  readonly schema: Schema;
  readonly shape: Shape;
  readonly printer: Printer;
  /** "spec.nodeName" */
  readonly selectableFields: readonly string[];
  /** Unknown fields as warnings; with Strict they are a Failure 400, with Ignore nothing. */
  readonly checkFields: (object: Draft<KubeObject>, validation: 'Ignore' | 'Warn' | 'Strict') => string[];
}

export function customFacts(kind: Kind, listKind: string, version: DefinitionVersion): CustomFacts {
  const schema = version.schema?.openAPIV3Schema ?? {};
  return {
    listKind,
    schema,
    shape: shapeOfResource(schema),
    printer: columnPrinter(version.additionalPrinterColumns),
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, '')),
    checkFields(object, validation) {
      if (validation === 'Ignore') return [];
      const unknown = prune(object, schema).unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
      if (validation === 'Warn' || unknown.length === 0) return unknown;
      const strict = `strict decoding error: ${unknown.join(', ')}`;
      throw badRequest(`${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${strict}`);
    },
  };
}

const BLOCKING = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const UNCHECKED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

/** Without `evaluate` no x-kubernetes-validations is asked. */
export function customStrategy(version: DefinitionVersion, evaluateRule: EvaluateRule | undefined): Strategy {
  const schema = version.schema?.openAPIV3Schema ?? {};
  const evaluate = hasRules(schema) ? evaluateRule : undefined;
  const hasStatus = version.subresources?.status !== undefined;
  const scale = version.subresources?.scale;
  const statusSchema = schema.properties && Object.hasOwn(schema.properties, 'status') ? schema.properties.status : undefined;

  /** Rules are asked only about an object that fits its schema so far. */
  function withRules(errors: readonly FieldError[], next: KubeObject, current?: KubeObject): readonly FieldError[] {
    if (!evaluate) return errors;
    if (errors.some(({ reason }) => BLOCKING.has(reason))) return [...errors, invalidField('', null, UNCHECKED)];
    return [...errors, ...rulesErrors(next, schema, evaluate, current && { value: current })];
  }
  // An object that was broken before is not held to it.
  const listErrors = (next: KubeObject, current: KubeObject) => {
    const errors = listTypeErrors(next, schema);
    return errors.length > 0 && listTypeErrors(current, schema).length > 0 ? [] : errors;
  };

  return {
    unconditionalUpdate: false,
    statusProtects: 'all',
    newGeneration: (next, current) => !sameBut(next, current, hasStatus ? ['metadata', 'status'] : ['metadata']),
    defaults: (object) => prune(withDefaults(object, schema) as KubeObject, schema).object as KubeObject,
    prepareStatus: (next) => prune(withDefaults(next, schema) as KubeObject, schema).object as KubeObject,
    validate: (object) =>
      withRules([...schemaErrors(object, schema), ...scaleErrors(object, scale), ...listTypeErrors(object, schema)], object),
    validateUpdate: (next, current) =>
      withRules(
        [
          ...schemaErrors(next, schema, { before: { value: current } }),
          ...scaleErrors(next, scale),
          ...listErrors(next, current),
        ],
        next,
        current,
      ),
    validateStatus(next, current) {
      const old = { value: property(current, 'status') };
      const before = old.value === undefined ? undefined : old;
      const errors =
        statusSchema && next.status !== undefined ? schemaErrors(next.status, statusSchema, { prefix: 'status', before }) : [];
      return withRules([...errors, ...scaleErrors(next, scale, 'status'), ...listErrors(next, current)], next, current);
    },
  };
}

function sameBut(a: KubeObject, b: KubeObject, fields: readonly string[]): boolean {
  const covers = (one: KubeObject, other: KubeObject) => {
    for (const field in one) if (!fields.includes(field) && !same(one[field], other[field])) return false;
    return true;
  };
  return covers(a, b) && covers(b, a);
}
