/** How a patch is refused before the object that it makes is looked at. */
import { Failure } from '../failure.ts';

/**
 * A patch that does not fit the object. The text is the same whatever is wrong: the server passes its own message to
 * NewGenericServerResponse, which throws it away (apimachinery pkg/api/errors/errors.go), so that kubectl never shows more.
 */
export function patchDoesNotApply(): Failure {
  return new Failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

/** An error of the library below the server: the answer is 500 with no reason (responsewriters ErrorToAPIStatus). */
export function patchError(message: string): Failure {
  return new Failure(500, '', message);
}

/** What Go's encoding/json says of a value that does not fit the type that the server reads the patch into. */
export function cannotDecode(value: unknown, goType: string): string {
  return `json: cannot unmarshal ${jsonKind(value)} into Go value of type ${goType}`;
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'string':
    case 'number':
      return typeof value;
    case 'boolean':
      return 'bool';
    default:
      return 'object';
  }
}
