/**
 * Server-side apply: structured-merge-diff v6 merge/update.go and apimachinery pkg/util/managedfields/internal around it. All versions of a
 * kind are taken to have the same fields; no more than one is served here.
 */
import type { KubeObject } from '../../kubernetes.ts';
import { same } from '../../store/same.ts';
import { Failure } from '../failure.ts';
import { badRequest } from '../refusals.ts';
import {
  difference,
  type FieldSet,
  fieldSetOf,
  intersection,
  noFields,
  type Path,
  paths,
  printPath,
  union,
  withNamedFields,
  withoutSubtrees,
} from './field-set.ts';
import { mergeConfig, removeFields, withoutNulls } from './field-merge.ts';
import { compare, fieldsOf, UnknownElement } from './field-walk.ts';
import { isObject, type JsonObject, textOf } from './json-value.ts';
import { lastAppliedFields, syncLastApplied } from './last-applied.ts';
import {
  decodeManagedFields,
  encodeManagedFields,
  identityOf,
  type Managed,
  type ManagedFields,
  type Manager,
  printManager,
  resetFields,
  withoutOwnerless,
} from './managed-fields.ts';
import { checkConfig } from './check-config.ts';
import type { Shape } from './shape.ts';

/** Who writes, and to what. */
export interface Writer {
  /** Default: "unknown". */
  readonly fieldManager?: string | undefined;
  /** "apps/v1" */
  readonly apiVersion: string;
  readonly subresource?: string | undefined;
  readonly hasStatus: boolean;
  readonly shape: Shape;
  /** RFC 3339, whole seconds. */
  readonly now: string;
}

export interface Application extends Writer {
  readonly force: boolean;
}

/**
 * The object with the configuration applied; `live` itself when it changes neither the object nor who owns it. Absent `live`: the object
 * to create.
 * Throws Failure 409 with a cause FieldManagerConflict per field that somebody else set to another value (never with `force`), 400 for the
 * wrong version or when the configuration has managedFields, 500 when it does not fit its type.
 */
export function applyConfig<T extends KubeObject>(live: T | undefined, config: unknown, application: Application): T {
  const { apiVersion, fieldManager, force, subresource } = application;
  if (!isObject(config)) throw badRequest('error decoding YAML: the configuration is not an object');
  if (config.apiVersion !== apiVersion) {
    const given = textOf(config, 'apiVersion');
    throw badRequest(`Incorrect version specified in apply patch. Specified patch version: ${given}, expected: ${apiVersion}`);
  }
  if (isObject(config.metadata) && config.metadata.managedFields !== undefined && config.metadata.managedFields !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  checkConfig(config, application.shape);
  const manager: Manager = { name: fieldManager || 'unknown', operation: 'Apply', apiVersion, subresource };
  const before = live ? firstOwners(live, application) : new Map<string, Managed>();
  const bare = live ? withoutManagedFields(live) : {};
  const first = attempt(bare, config, before, manager, application);
  let outcome = first;
  if (first.conflicts.length > 0 && !force) {
    const allowed = manager.name === 'kubectl' ? lastAppliedFields(bare, apiVersion, application.shape) : undefined;
    const conflicts = allowed ? first.conflicts.filter(({ path }) => !holds(allowed, path)) : first.conflicts;
    if (conflicts.length > 0) throw conflict(conflicts);
    outcome = attempt(bare, config, before, manager, application);
  }
  const object = manager.name === 'kubectl' ? syncLastApplied(outcome.object, config) : outcome.object;
  return stamped(live, object, outcome.managed, manager, application);
}

/** An object that nobody has applied yet belongs to "before-first-apply" (skipnonapplied.go). */
function firstOwners(live: KubeObject, writer: Writer): ManagedFields {
  const managed = decodeManagedFields(live);
  if (managed.size > 0) return managed;
  const manager: Manager = {
    name: 'before-first-apply',
    operation: 'Update',
    apiVersion: writer.apiVersion,
    subresource: writer.subresource,
  };
  const all = compare({}, withoutManagedFields(live), writer.shape);
  const fields = withoutSubtrees(withoutOwnerless(all.added), resetFields(writer.hasStatus, writer.subresource));
  return new Map([[identityOf(manager), { manager, fields, time: writer.now }]]);
}

interface Conflict {
  readonly manager: Manager;
  readonly path: Path;
}

interface Outcome {
  readonly object: JsonObject;
  readonly managed: ManagedFields;
  readonly conflicts: readonly Conflict[];
}

/** As if forced; the conflicts say whether it may be. */
function attempt(live: JsonObject, config: JsonObject, before: ManagedFields, manager: Manager, writer: Writer): Outcome {
  const { shape, hasStatus, subresource } = writer;
  const reset = resetFields(hasStatus, subresource);
  const identity = identityOf(manager);
  const last = before.get(identity);
  const fields = withoutSubtrees(fieldsOf(config, shape), reset);
  const managed = new Map(before).set(identity, { manager, fields, time: last?.time });
  const merged = mergeConfig(live, config, shape) as JsonObject;
  const object = last ? prune(merged, managed, last.fields, shape) : merged;

  const difference = compare(live, object, shape);
  const changed = withoutSubtrees(union(difference.added, difference.modified), reset);
  const removed = withoutSubtrees(difference.removed, reset);
  const conflicts = others(managed, identity).flatMap(({ manager, fields }) =>
    paths(intersection(fields, changed)).map((path) => ({ manager, path })),
  );
  const owners = disowned(managed, identity, union(changed, removed));
  return { object: withoutNulls(object) as JsonObject, managed: owners, conflicts };
}

function others(managed: ManagedFields, identity: string): Managed[] {
  return [...managed].filter(([id]) => id !== identity).map(([, entry]) => entry);
}

/** The others lose what was changed or taken away. */
function disowned(managed: ManagedFields, identity: string, lost: FieldSet): Map<string, Managed> {
  const result = new Map<string, Managed>();
  for (const [id, entry] of managed) {
    const fields = id === identity ? entry.fields : difference(entry.fields, lost);
    if (fields.size > 0) result.set(id, { ...entry, fields });
  }
  return result;
}

/**
 * Takes away what the manager applied the last time and not now, unless somebody owns it. Fields that only lie in what is taken away and
 * that nobody applied stay (addBackOwnedItems, addBackDanglingItems).
 */
function prune(merged: JsonObject, managed: ManagedFields, last: FieldSet, shape: Shape): JsonObject {
  const named = (set: FieldSet) => withNamedFields(set, shape);
  const all = named(fieldsOf(merged, shape));
  const without = (set: FieldSet) => removeFields(merged, set, shape) ?? {};
  const owned = named([...managed.values()].reduce((sum, { fields }) => union(sum, fields), noFields));
  const left = named(fieldsOf(without(named(last)), shape));
  const kept = without(difference(all, union(left, owned)));
  const gone = difference(all, named(fieldsOf(kept, shape)));
  return without(intersection(gone, named(last))) as JsonObject;
}

function holds(set: FieldSet, path: Path): boolean {
  return intersection(set, fieldSetOf(path)).size > 0;
}

function conflict(conflicts: readonly Conflict[]): Failure {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${printManager(manager)}`,
    field: printPath(path),
  }));
  const [only] = causes;
  let message = `Apply failed with 1 conflict: ${only?.message}: ${only?.field}`;
  if (causes.length > 1) {
    const titles = [...new Set(causes.map((cause) => cause.message))].sort();
    const lines = titles.flatMap((title) => [
      `${title.replace('conflict', 'conflicts')}:`,
      ...causes.filter((cause) => cause.message === title).map((cause) => `- ${cause.field}`),
    ]);
    message = `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`;
  }
  return new Failure(409, 'Conflict', message, { causes });
}

export function withoutManagedFields(object: KubeObject): JsonObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Sets managedFields. Only an apply that changes the object sets the time of its manager (managedfieldsupdater.go). */
function stamped<T extends KubeObject>(
  live: T | undefined,
  object: JsonObject,
  managed: ManagedFields,
  manager: Manager,
  { now }: Writer,
): T {
  const identity = identityOf(manager);
  const entry = managed.get(identity);
  const result = new Map(managed);
  const owned = entry && withoutOwnerless(entry.fields);
  const untouched = live !== undefined && same(object, withoutManagedFields(live));
  if (entry && owned) result.set(identity, { ...entry, fields: owned, time: untouched ? entry.time : now });
  const managedFields = encodeManagedFields(result);
  if (live && untouched && same(managedFields, live.metadata.managedFields)) return live;
  const metadata = isObject(object.metadata) ? object.metadata : {};
  return { ...object, metadata: { ...metadata, ...(managedFields && { managedFields }) } } as unknown as T;
}

/**
 * `next` with managedFields that say what this write (not an apply) changed. Objects whose managers are not tracked - `live` has no
 * managedFields - come back as they are; absent `live` begins the tracking. Internal writers need not call it: what changes behind its
 * back keeps its owner. Unlike upstream, more than ten managers are not merged into "ancient-changes".
 */
export function trackUpdate<T extends KubeObject>(live: T | undefined, next: T, writer: Writer): T {
  if (live === next) return next;
  try {
    return tracked(live, next, writer);
  } catch (error) {
    // As upstream (structured-merge-diff, UpdateNoErrors): what cannot be tracked is written all the same, or refused by its schema.
    if (error instanceof UnknownElement) return next;
    throw error;
  }
}

function tracked<T extends KubeObject>(live: T | undefined, next: T, writer: Writer): T {
  const given = next.metadata.managedFields;
  // A client may set them: nothing stands for a wish to forget, absence for a client that does not know them.
  const ownList = writer.subresource === undefined && given !== undefined && given !== live?.metadata.managedFields;
  const source = ownList && decodeManagedFields(next).size > 0 ? next : live;
  const known = source ? decodeManagedFields(source) : new Map<string, Managed>();
  const bare = withoutManagedFields(next);
  const forgets = ownList && (given.length === 0 || (given.length === 1 && same(given[0], {})));
  if (live && (known.size === 0 || forgets)) return bare as unknown as T;

  const manager: Manager = {
    name: writer.fieldManager || 'unknown',
    operation: 'Update',
    apiVersion: writer.apiVersion,
    subresource: writer.subresource,
  };
  const identity = identityOf(manager);
  const reset = resetFields(writer.hasStatus, writer.subresource);
  const { added, modified, removed } = compare(live ? withoutManagedFields(live) : {}, bare, writer.shape);
  const taken = withoutSubtrees(union(added, modified), reset);
  const managed = disowned(known, '', union(taken, withoutSubtrees(removed, reset)));
  const own = withoutOwnerless(taken);
  if (own.size > 0) {
    const before = managed.get(identity)?.fields ?? noFields;
    managed.set(identity, { manager, fields: union(before, own), time: writer.now });
  }
  const managedFields = encodeManagedFields(managed);
  return { ...bare, metadata: { ...(bare.metadata as JsonObject), ...(managedFields && { managedFields }) } } as unknown as T;
}
