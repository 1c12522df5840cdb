/** The refusals of the API server, worded as upstream (apimachinery pkg/api/errors/errors.go): clients parse some of them. */
import type { Kind } from './api.ts';
import { Failure, type FailureDetails } from './failure.ts';

export interface FieldError {
  /** "FieldValueRequired" and the like. */
  readonly reason: string;
  readonly field: string;
  /** Without the field: "Required value: must not be empty". */
  readonly message: string;
}

/** "pods", "deployments.apps". */
export const resourceName = (kind: Kind) => (kind.group ? `${kind.plural}.${kind.group}` : kind.plural);

/** "Pod", "Deployment.apps". */
export const kindName = (kind: Kind) => (kind.group ? `${kind.kind}.${kind.group}` : kind.kind);

const detailsOf = (kind: Kind, name: string): FailureDetails => ({
  ...(name && { name }),
  ...(kind.group && { group: kind.group }),
  kind: kind.plural,
});

/** As Go's %q for what names and values consist of. */
export const quoted = (text: string) => JSON.stringify(text);

export function notFound(kind: Kind, name: string): Failure {
  return new Failure(404, 'NotFound', `${resourceName(kind)} ${quoted(name)} not found`, detailsOf(kind, name));
}

export function alreadyExists(kind: Kind, name: string, beingDeleted: boolean): Failure {
  const message = `${resourceName(kind)} ${quoted(name)} already exists`;
  return new Failure(409, 'AlreadyExists', beingDeleted ? `object is being deleted: ${message}` : message, detailsOf(kind, name));
}

/** The server drew eight names and each was taken. */
export function noUniqueName(kind: Kind, name: string): Failure {
  const message = `${resourceName(kind)} ${quoted(name)} already exists, the server was not able to generate a unique name for the object`;
  return new Failure(409, 'AlreadyExists', message, { ...detailsOf(kind, name), retryAfterSeconds: 1 });
}

export function conflict(kind: Kind, name: string, because: string): Failure {
  const message = `Operation cannot be fulfilled on ${resourceName(kind)} ${quoted(name)}: ${because}`;
  return new Failure(409, 'Conflict', message, detailsOf(kind, name));
}

export const outdated = 'the object has been modified; please apply your changes to the latest version and try again';

/**
 * The one conflict that names the kind ("Pod") where others name the resource ("pods"): apiserver pkg/registry/rest/delete.go and
 * kubernetes pkg/registry/core/pod/storage/eviction.go.
 */
export function preconditionFailed(
  kind: Kind,
  name: string,
  what: 'UID' | 'ResourceVersion',
  asked: string,
  is: string,
): Failure {
  const tail = what === 'UID' ? 'deleted and then recreated' : 'modified';
  const because = `the ${what} in the precondition (${asked}) does not match the ${what} in record (${is}). The object might have been ${tail}`;
  const details = { name, ...(kind.group && { group: kind.group }), kind: kind.kind };
  return new Failure(409, 'Conflict', `Operation cannot be fulfilled on ${kindName(kind)} ${quoted(name)}: ${because}`, details);
}

export function forbidden(kind: Kind, name: string, because: string, causes?: FailureDetails['causes']): Failure {
  const subject = name ? `${resourceName(kind)} ${quoted(name)}` : resourceName(kind);
  const details = { ...detailsOf(kind, name), ...(causes && { causes }) };
  return new Failure(403, 'Forbidden', `${subject} is forbidden: ${because}`, details);
}

export function badRequest(message: string): Failure {
  return new Failure(400, 'BadRequest', message);
}

export function invalid(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): Failure {
  const lines = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  return new Failure(422, 'Invalid', `${kindName(kind as Kind)} ${quoted(name)} is invalid: ${text}`, {
    ...(name && { name }),
    ...(kind.group && { group: kind.group }),
    kind: kind.kind,
    causes: errors,
  });
}

export function expired(message: string): Failure {
  return new Failure(410, 'Expired', message);
}

const withDetail = (text: string, detail?: string) => (detail ? `${text}: ${detail}` : text);
const shown = (value: unknown) => (value === undefined ? 'null' : JSON.stringify(value));

export const required = (field: string, detail?: string): FieldError => ({
  reason: 'FieldValueRequired',
  message: withDetail('Required value', detail),
  field,
});
export const invalidValue = (field: string, value: unknown, detail: string): FieldError => ({
  reason: 'FieldValueInvalid',
  message: withDetail(`Invalid value: ${shown(value)}`, detail),
  field,
});
export const forbiddenField = (field: string, detail: string): FieldError => ({
  reason: 'FieldValueForbidden',
  message: withDetail('Forbidden', detail),
  field,
});
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map(quoted).join(', ')}`,
  field,
});
export const duplicate = (field: string, value: unknown): FieldError => ({
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${shown(value)}`,
  field,
});
export const tooLong = (field: string, limit: number): FieldError => ({
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${limit} bytes`,
  field,
});

export const immutable = (field: string, value: unknown): FieldError => invalidValue(field, value, 'field is immutable');
