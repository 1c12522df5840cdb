/** What of an object that a client sent its kind knows, and what the client is told about the rest (`fieldValidation`). */
import type { KubeObject } from '../kubernetes.ts';
import type { Draft, Kind } from './api.ts';
import type { CustomFacts } from './crd/custom-resource.ts';
import { badRequest, invalid, invalidValue } from './refusals.ts';
import type { Registry } from './registry.ts';
import { withKnownFields } from './wire/known-fields.ts';
import { messageOfKind } from './wire/messages.ts';
import type { FieldValidation } from './write-options.ts';

/** What the writes need beside the registry. */
export interface WriteParts {
  readonly registry: Registry;
  /** Of a kind with a schema of its own; undefined for the built-in ones. */
  readonly custom: (kind: Kind) => CustomFacts | undefined;
  readonly present: (object: KubeObject) => object;
}

interface Decoded<T> {
  readonly object: T;
  readonly warnings: readonly string[];
}

/**
 * What the kind knows of the object. Unknown fields are told as warnings, refused with Strict, and dropped: of built-in kinds here, of
 * custom ones by their rules. @throws Failure 400; 422 for what a patch made
 */
export function decoded<T extends object>(
  { custom }: WriteParts,
  kind: Kind,
  object: T,
  validation: FieldValidation,
  /** What a patch started from; a body has none. */
  patched?: T,
): Decoded<T> {
  const facts = custom(kind);
  if (facts) return { object, warnings: facts.checkFields(object as unknown as Draft<KubeObject>, validation) };
  const refuse = (because: string) =>
    badRequest(`${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${because}`);
  const { object: known, unknown, wrong } = withKnownFields(object, messageOfKind(kind.group, kind.kind), patched);
  if (wrong !== undefined) {
    if (!patched) throw refuse(wrong);
    throw invalid({ group: '', kind: '' }, '', [invalidValue('patch', JSON.stringify(object), wrong)]);
  }
  if (unknown.length === 0 || validation === 'Ignore') return { object: known, warnings: [] };
  const warnings = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (validation === 'Warn') return { object: known, warnings };
  throw refuse(`strict decoding error: ${warnings.join(', ')}`);
}
