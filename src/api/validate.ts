/** Checks our resources here as the API server would, and says what is wrong field by field. */
import type * as z from 'zod';
import { drainSpec } from './drain-spec.ts';
import { maintenancePolicy } from './maintenance-policy.ts';
import { nodeMaintenance } from './node-maintenance.ts';
import type { DrainSpec, MaintenancePolicy, NodeMaintenance } from './resources.ts';

export interface FieldError {
  /** As the API server writes it: `spec.drain.ladder[1].after`; empty for the object itself. */
  readonly path: string;
  readonly message: string;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errors: readonly FieldError[] };

/** A whole MaintenancePolicy with its defaults filled in. */
export function parsePolicy(value: unknown): Parsed<MaintenancePolicy> {
  return parseFields(maintenancePolicy, value);
}

/** A whole NodeMaintenance with its defaults filled in. */
export function parseMaintenance(value: unknown): Parsed<NodeMaintenance> {
  return parseFields(nodeMaintenance, value);
}

/** A drain block alone. @param at what precedes the paths of its errors; default `drain` */
export function parseDrain(value: unknown, at = 'drain'): Parsed<DrainSpec> {
  return parseFields(drainSpec, value, at);
}

/** One line each: `MaintenancePolicy "gpu": spec.reasons[0].taint: taint is required when ...`. */
export function formatFieldErrors(kind: string, name: string, errors: readonly FieldError[]): string[] {
  return errors.map(({ path, message }) => `${kind} "${name}": ${path === '' ? '' : `${path}: `}${message}`);
}

/** Anything that a schema describes, with its defaults filled in. @param at what precedes the paths of its errors */
export function parseFields<S extends z.ZodType>(schema: S, value: unknown, at = ''): Parsed<z.output<S>> {
  const result = schema.safeParse(withoutNulls(value), { reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, errors: result.error.issues.flatMap((issue) => fieldErrors(issue, at)) };
}

/** A null property counts as absent, as in the API server (apiextensions, structural defaulting). Nulls in lists stay, and are refused. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, part]) => (part === null ? [] : [[key, withoutNulls(part)]])));
}

function fieldErrors(issue: z.core.$ZodIssue, at: string): FieldError[] {
  const path = joinPath(at, issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: joinPath(path, [key]),
      message: 'is not a known field; check the spelling and where it is indented',
    }));
  }
  return [{ path, message: sentence(issue) }];
}

function joinPath(at: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    at,
  );
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

// Formats and unions carry their own sentence in the schema.
function sentence(issue: z.core.$ZodIssue): string {
  if (
    issue.input === undefined &&
    (issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union')
  ) {
    return 'is required';
  }
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must ${limit('at least', issue.origin, Number(issue.minimum))}`;
    case 'too_big':
      return `must ${limit('at most', issue.origin, Number(issue.maximum))}`;
    default:
      return issue.message;
  }
}

function limit(bound: 'at least' | 'at most', origin: string, size: number): string {
  if (origin === 'array') return `have ${bound} ${size} ${size === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return `have ${bound} ${size} ${size === 1 ? 'character' : 'characters'}`;
  return `be ${bound} ${size}`;
}
