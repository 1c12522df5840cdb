/**
 * Who owns which field: metadata.managedFields, read and written as apimachinery pkg/util/managedfields/internal does. A manager is known
 * by its name, its subresource, its operation and, for updates, its API version.
 */
import type { KubeObject } from '../../kubernetes.ts';
import { decodeFields, difference, encodeFields, type FieldSet, fieldSetOf } from './field-set.ts';
import { isObject, type JsonObject } from './json-value.ts';

export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource?: string | undefined;
}

export interface Managed {
  readonly manager: Manager;
  readonly fields: FieldSet;
  /** RFC 3339. */
  readonly time?: string | undefined;
}

/** By identity of the manager. */
export type ManagedFields = ReadonlyMap<string, Managed>;

export function identityOf({ name, operation, apiVersion, subresource }: Manager): string {
  return JSON.stringify([operation, name, subresource ?? '', operation === 'Update' ? apiVersion : '']);
}

const decoded = new WeakMap<readonly unknown[], ManagedFields>();
const nobody: ManagedFields = new Map();

export function decodeManagedFields({ metadata: { managedFields } }: Pick<KubeObject, 'metadata'>): ManagedFields {
  if (!managedFields || managedFields.length === 0) return nobody;
  let managed = decoded.get(managedFields);
  if (!managed) decoded.set(managedFields, (managed = decode(managedFields)));
  return managed;
}

/** An entry that is not of the known form voids them all, as in the server. */
function decode(entries: readonly unknown[]): ManagedFields {
  const result = new Map<string, Managed>();
  for (const entry of entries) {
    if (!isObject(entry)) return new Map();
    const { operation, apiVersion, subresource, time } = entry;
    const known = operation === 'Apply' || operation === 'Update';
    if (!known || typeof apiVersion !== 'string' || entry.fieldsType !== 'FieldsV1') return new Map();
    const manager: Manager = {
      name: typeof entry.manager === 'string' ? entry.manager : '',
      operation,
      apiVersion,
      ...(typeof subresource === 'string' && subresource !== '' && { subresource }),
    };
    const fields = decodeFields(entry.fieldsV1);
    result.set(identityOf(manager), { manager, fields, ...(typeof time === 'string' && { time }) });
  }
  return result;
}

/** In the server's order: by operation, time, name, version, subresource. Undefined when nobody owns anything. */
export function encodeManagedFields(managed: ManagedFields): JsonObject[] | undefined {
  const entries = [...managed.values()].filter(({ fields }) => fields.size > 0);
  if (entries.length === 0) return undefined;
  const order = ({ manager, time }: Managed) => [
    manager.operation,
    time ?? '',
    manager.name,
    manager.apiVersion,
    manager.subresource ?? '',
  ];
  entries.sort((a, b) => compareWords(order(a), order(b)));
  const written = entries.map(({ manager, fields, time }) => ({
    manager: manager.name,
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFields(fields),
    ...(manager.subresource !== undefined && { subresource: manager.subresource }),
  }));
  decoded.set(written, new Map(entries.map((entry) => [identityOf(entry.manager), entry])));
  return written;
}

function compareWords(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((word, index) => word !== b[index]);
  if (at < 0) return 0;
  return (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
}

/** Nobody owns what the server sets itself (stripmeta.go). */
const OWNERLESS = fieldSetOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
);

export function withoutOwnerless(fields: FieldSet): FieldSet {
  return difference(fields, OWNERLESS);
}

/** The fields that a write to this part of an object cannot set: the status strategies' GetResetFields, in outline. */
export function resetFields(hasStatus: boolean, subresource: string | undefined): FieldSet {
  if (subresource === 'status') return fieldSetOf(['f:spec']);
  return hasStatus ? fieldSetOf(['f:status']) : fieldSetOf();
}

/** `"kubectl" with subresource "status" using apps/v1` */
export function printManager({ name, operation, apiVersion, subresource }: Manager): string {
  const printed = JSON.stringify(name) + (subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === 'Update' ? `${printed} using ${apiVersion}` : printed;
}
