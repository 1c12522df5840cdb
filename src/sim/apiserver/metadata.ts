/** What the server checks in every object's metadata (apimachinery pkg/api/validation/objectmeta.go). */
import type { Labels, Metadata, OwnerReference } from '../kubernetes.ts';
import { dnsLabel, labelValueErrors, qualifiedNameErrors, type NameRule } from './names.ts';
import { forbiddenField, immutable, invalidValue, notSupported, required, tooLong, type FieldError } from './refusals.ts';

const MAX_ANNOTATIONS = 256 * 1024;

// The pods of one owner share their labels.
const validLabels = new WeakSet<Labels>();

export function labelErrors(labels: Labels | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!labels || validLabels.has(labels)) return errors;
  for (const key in labels) {
    const value = labels[key] ?? '';
    for (const text of qualifiedNameErrors(key)) errors.push(invalidValue(field, key, text));
    for (const text of labelValueErrors(value)) errors.push(invalidValue(field, value, text));
  }
  if (errors.length === 0) validLabels.add(labels);
  return errors;
}

function annotationErrors(annotations: Labels | undefined): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in annotations) {
    for (const text of qualifiedNameErrors(key.toLowerCase())) errors.push(invalidValue('metadata.annotations', key, text));
    size += key.length + (annotations[key] ?? '').length;
  }
  if (size > MAX_ANNOTATIONS) errors.push(tooLong('metadata.annotations', MAX_ANNOTATIONS));
  return errors;
}

function ownerErrors(owners: readonly OwnerReference[] | undefined): FieldError[] {
  if (!owners) return [];
  const errors: FieldError[] = [];
  let controller: string | undefined;
  // One field for all of them: upstream does not say which it is.
  const field = 'metadata.ownerReferences';
  for (const owner of owners) {
    if (!owner.apiVersion) errors.push(invalidValue(`${field}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
    for (const part of ['kind', 'name', 'uid'] as const)
      if (!owner[part]) errors.push(invalidValue(`${field}.${part}`, owner[part] ?? '', 'must not be empty'));
    const named = `${owner.kind}/${owner.name}`;
    if (owner.controller && controller)
      errors.push(
        invalidValue(
          field,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${named}`,
        ),
      );
    if (owner.controller) controller ??= named;
  }
  return errors;
}

const STANDARD = ['kubernetes', 'orphan', 'foregroundDeletion'];

/** Built-in kinds take only finalizers that say whose they are (kubernetes pkg/apis/core/validation); custom resources take any. */
function ownerlessFinalizers(finalizers: readonly string[] | undefined): FieldError[] {
  return (finalizers ?? []).flatMap((name, at) =>
    name.includes('/') || STANDARD.includes(name)
      ? []
      : [invalidValue(`metadata.finalizers[${at}]`, name, 'name is neither a standard finalizer name nor is it fully qualified')],
  );
}

function finalizerErrors(finalizers: readonly string[] | undefined): FieldError[] {
  if (!finalizers) return [];
  const errors = finalizers.flatMap((finalizer) =>
    qualifiedNameErrors(finalizer).map((text) => invalidValue('metadata.finalizers', finalizer, text)),
  );
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    errors.push(invalidValue('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  return errors;
}

/** `strict`: finalizers must say whose they are. */
export function metadataErrors(metadata: Metadata, namespaced: boolean, validName: NameRule, strict: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (metadata.generateName)
    for (const text of validName(metadata.generateName, true))
      errors.push(invalidValue('metadata.generateName', metadata.generateName, text));
  if (!metadata.name) errors.push(required('metadata.name', 'name or generateName is required'));
  else for (const text of validName(metadata.name)) errors.push(invalidValue('metadata.name', metadata.name, text));
  if (namespaced)
    for (const text of dnsLabel(metadata.namespace ?? ''))
      errors.push(invalidValue('metadata.namespace', metadata.namespace, text));
  errors.push(...labelErrors(metadata.labels, 'metadata.labels'), ...annotationErrors(metadata.annotations));
  errors.push(...ownerErrors(metadata.ownerReferences), ...finalizerErrors(metadata.finalizers));
  if (strict) errors.push(...ownerlessFinalizers(metadata.finalizers));
  return errors;
}

const goStrings = (list: readonly string[]) =>
  `[]string{${[...list]
    .sort()
    .map((text) => JSON.stringify(text))
    .join(', ')}}`;

function lateFinalizers(next: Metadata, current: Metadata): FieldError[] {
  if (!current.deletionTimestamp || next.finalizers === current.finalizers) return [];
  const added = next.finalizers?.filter((finalizer) => !current.finalizers?.includes(finalizer)) ?? [];
  if (added.length === 0) return [];
  const because = 'no new finalizers can be added if the object is being deleted, found new finalizers';
  return [forbiddenField('metadata.finalizers', `${because} ${goStrings(added)}`)];
}

const FIXED = ['name', 'namespace', 'uid', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

/** Only what changed is looked at: what is stored has been checked before. */
export function metadataUpdateErrors(next: Metadata, current: Metadata, strict: boolean): FieldError[] {
  if (next === current) return [];
  const always: FieldError[] = [];
  if (next.labels !== current.labels) always.push(...labelErrors(next.labels, 'metadata.labels'));
  if (next.annotations !== current.annotations) always.push(...annotationErrors(next.annotations));
  if (next.ownerReferences !== current.ownerReferences) always.push(...ownerErrors(next.ownerReferences));
  const update = lateFinalizers(next, current);
  for (const field of FIXED) if (next[field] !== current[field]) update.push(immutable(`metadata.${field}`, next[field]));
  update.push(...always);
  const finalizers = next.finalizers === current.finalizers ? [] : finalizerErrors(next.finalizers);
  const ownerless = strict && next.finalizers !== current.finalizers ? ownerlessFinalizers(next.finalizers) : [];
  if (update.length + finalizers.length + ownerless.length === 0) return [];
  // The generic part of the server and the kind's own validation check the same, and both tell: clients see the causes twice.
  return [...always, ...finalizers, ...update, ...update, ...ownerless];
}

export const propagationErrors = (propagation: string | undefined): FieldError[] =>
  propagation === undefined || ['Background', 'Foreground', 'Orphan'].includes(propagation)
    ? []
    : [notSupported('propagationPolicy', propagation, ['Foreground', 'Background', 'Orphan', 'nil'])];
