/** CustomResourceDefinitions: their defaults, what is refused, and the conditions that say whether they are served. */
import type { Condition, KubeObject } from '../../kubernetes.ts';
import { same } from '../../store/same.ts';
import { dns1035Label, dnsSubdomain } from '../names.ts';
import type { FieldError } from '../refusals.ts';
import type { Strategy } from '../strategies/strategy.ts';
import type { DefinitionVersion } from './custom-resource.ts';
import { invalidField, requiredField, unsupported } from './field-errors.ts';
import { jsonPath } from './json-path.ts';
import { structureErrors } from './structure.ts';

export interface Names {
  readonly plural?: string;
  readonly singular?: string;
  readonly kind?: string;
  readonly listKind?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

export interface Definition extends KubeObject {
  readonly spec: {
    readonly group?: string;
    readonly scope?: string;
    readonly names?: Names;
    readonly versions?: readonly DefinitionVersion[];
    readonly conversion?: { readonly strategy?: string };
  };
  readonly status?: {
    readonly acceptedNames?: Names;
    readonly conditions?: readonly Condition[];
    readonly storedVersions?: readonly string[];
  };
}

const listKindOf = ({ kind, listKind }: Names) => listKind ?? (kind === undefined ? undefined : `${kind}List`);

function withNames(definition: Definition): Definition {
  const { names = {}, conversion } = definition.spec;
  const singular = names.singular ?? names.kind?.toLowerCase();
  const listKind = listKindOf(names);
  if (singular === names.singular && listKind === names.listKind && conversion) return definition;
  const filled = { ...names, ...(singular !== undefined && { singular }), ...(listKind !== undefined && { listKind }) };
  return { ...definition, spec: { ...definition.spec, names: filled, conversion: conversion ?? { strategy: 'None' } } };
}

function storedVersions({ spec, status }: Definition): readonly string[] {
  if (status?.storedVersions && status.storedVersions.length > 0) return status.storedVersions;
  return (spec.versions ?? []).filter(({ storage }) => storage).map(({ name }) => name);
}

function specErrors({ metadata, spec }: Definition): FieldError[] {
  const { group = '', names = {}, versions = [] } = spec;
  const errors: FieldError[] = [];
  if (metadata.name !== `${names.plural ?? ''}.${group}`) {
    errors.push(invalidField('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (group === '') errors.push(requiredField('spec.group'));
  else if (dnsSubdomain(group).length > 0) errors.push(invalidField('spec.group', group, dnsSubdomain(group).join(',')));
  else if (!group.includes('.')) errors.push(invalidField('spec.group', group, 'should be a domain with at least one dot'));
  if (!spec.scope) errors.push(requiredField('spec.scope'));
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced') {
    errors.push(unsupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']));
  }
  if (spec.conversion?.strategy !== undefined && spec.conversion.strategy !== 'None') {
    errors.push(unsupported('spec.conversion.strategy', spec.conversion.strategy, ['None']));
  }
  for (const [index, version] of versions.entries()) errors.push(...versionErrors(version, `spec.versions[${index}]`));
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(invalidField('spec.versions', versions, 'must contain unique version names'));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(invalidField('spec.versions', versions, 'must have exactly one version marked as storage version'));
  }
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names[name]) errors.push(requiredField(`spec.names.${name}`));
  }
  for (const name of ['plural', 'singular'] as const) errors.push(...labelErrors(`spec.names.${name}`, names[name]));
  for (const name of ['kind', 'listKind'] as const) {
    const because = 'may have mixed case, but should otherwise match: ';
    errors.push(...labelErrors(`spec.names.${name}`, names[name], because));
  }
  for (const [index, name] of (names.shortNames ?? []).entries())
    errors.push(...labelErrors(`spec.names.shortNames[${index}]`, name));
  if (names.kind && names.kind === names.listKind) {
    errors.push(invalidField('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'));
  }
  return errors;
}

function labelErrors(field: string, name: string | undefined, because = ''): FieldError[] {
  const errors = name ? dns1035Label(because === '' ? name : name.toLowerCase()) : [];
  return errors.length > 0 ? [invalidField(field, name, because + errors.join(','))] : [];
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];

function versionErrors(version: DefinitionVersion, path: string): FieldError[] {
  const schema = version.schema?.openAPIV3Schema;
  const at = `${path}.schema.openAPIV3Schema`;
  const errors = schema ? structureErrors(schema, at) : [requiredField(at)];
  for (const text of dns1035Label(version.name)) errors.push(invalidField(`${path}.name`, version.name, text));
  for (const [index, column] of (version.additionalPrinterColumns ?? []).entries()) {
    const place = `${path}.additionalPrinterColumns[${index}]`;
    const types = `must be one of ${COLUMN_TYPES.join(',')}`;
    if (!column.name) errors.push(requiredField(`${place}.name`));
    if (!column.type) errors.push(requiredField(`${place}.type`, types));
    else if (!COLUMN_TYPES.includes(column.type)) errors.push(invalidField(`${place}.type`, column.type, types));
    if (!column.jsonPath) errors.push(requiredField(`${place}.JSONPath`));
  }
  for (const [index, { jsonPath: text }] of (version.selectableFields ?? []).entries()) {
    if (!jsonPath(text)) errors.push(invalidField(`${path}.selectableFields[${index}].jsonPath`, text, 'is an invalid path'));
  }
  const scale = version.subresources?.scale;
  if (scale) {
    for (const [name, part] of [
      ['specReplicasPath', 'spec'],
      ['statusReplicasPath', 'status'],
    ] as const) {
      const value = scale[name];
      const place = `${path}.subresources.scale.${name}`;
      if (!value) errors.push(requiredField(place));
      else if (!value.startsWith(`.${part}.`)) errors.push(invalidField(place, value, `should be a json path under .${part}`));
    }
  }
  return errors;
}

const IMMUTABLE = ['group', 'scope'] as const;

export const definitionStrategy: Strategy<Definition> = {
  unconditionalUpdate: false,
  newGeneration: (next, current) => !same(next.spec, current.spec),
  defaults: withNames,
  newStatus: (definition) => ({
    conditions: [],
    acceptedNames: { kind: '', plural: '' },
    storedVersions: storedVersions(definition),
  }),
  validate: specErrors,
  validateUpdate: (next, current) => [
    ...specErrors(next),
    ...IMMUTABLE.filter((field) => next.spec[field] !== current.spec[field]).map((field) =>
      invalidField(`spec.${field}`, next.spec[field], 'field is immutable'),
    ),
  ],
};

/**
 * The definition with the names that it gets among the others of its group, and the conditions NamesAccepted and Established; the very
 * same when they are settled. Upstream does this in two steps a moment apart (naming_controller.go, establishing_controller.go).
 */
export function established(definition: Definition, others: readonly Definition[], now: string): Definition {
  const { spec, status } = definition;
  const wanted = spec.names ?? {};
  const rivals = others
    .filter((other) => other.metadata.name !== definition.metadata.name && other.spec.group === spec.group)
    .map(acceptedNames);
  const conflict = nameConflict(wanted, rivals);
  const accepted = conflict ? (status?.acceptedNames ?? {}) : wanted;
  const wasEstablished = conditionOf(definition, 'Established')?.status === 'True';
  const conditions = [
    condition('NamesAccepted', !conflict, conflict ?? { reason: 'NoConflicts', message: 'no conflicts found' }),
    conflict && !wasEstablished
      ? condition('Established', false, { reason: 'NotAccepted', message: 'not all names are accepted' })
      : condition('Established', true, { reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }),
  ].map((next) => {
    const before = conditionOf(definition, next.type);
    return { ...next, lastTransitionTime: before?.status === next.status ? (before.lastTransitionTime ?? now) : now };
  });
  const next = { ...status, conditions, acceptedNames: accepted, storedVersions: storedVersions(definition) };
  return same(next, status) ? definition : { ...definition, status: next };
}

export function isServed(definition: Definition): boolean {
  return conditionOf(definition, 'Established')?.status === 'True';
}

export function conditionOf({ status }: Definition, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

function condition(type: string, holds: boolean, why: { readonly reason: string; readonly message: string }): Condition {
  return { type, status: holds ? 'True' : 'False', ...why };
}

function acceptedNames({ status }: Definition): Names {
  return status?.acceptedNames ?? {};
}

interface Conflict {
  readonly reason: string;
  readonly message: string;
}

/** Of several conflicts the last one is told, as upstream. */
function nameConflict(wanted: Names, rivals: readonly Names[]): Conflict | undefined {
  const resources = new Set(rivals.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular, ...shortNames]));
  const kinds = new Set(rivals.flatMap(({ kind, listKind }) => [kind, listKind]));
  const taken = (name: string | undefined, names: ReadonlySet<string | undefined>) =>
    name !== undefined && name !== '' && names.has(name);
  const short = (wanted.shortNames ?? []).filter((name) => taken(name, resources));
  const conflicts: readonly (readonly [string, readonly (string | undefined)[]])[] = [
    ['PluralConflict', taken(wanted.plural, resources) ? [wanted.plural] : []],
    ['SingularConflict', taken(wanted.singular, resources) ? [wanted.singular] : []],
    ['ShortNamesConflict', short],
    ['KindConflict', taken(wanted.kind, kinds) ? [wanted.kind] : []],
    ['ListKindConflict', taken(wanted.listKind, kinds) ? [wanted.listKind] : []],
  ];
  const last = conflicts.findLast(([, names]) => names.length > 0);
  if (!last) return undefined;
  const [reason, names] = last;
  const messages = names.map((name) => `${JSON.stringify(name)} is already in use`);
  return { reason, message: messages.length === 1 ? (messages[0] ?? '') : `[${messages.join(', ')}]` };
}
