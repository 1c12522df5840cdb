/** Strategic merge patches as the API server applies them: apimachinery pkg/util/strategicpatch/patch.go, mergeMap. */
import { goFormat, isList, isObject, type JsonObject, property, shareObject, shareValue } from './json-value.ts';
import { badRequest } from '../refusals.ts';
import { cannotDecode, patchError } from './patch-failure.ts';
import type { Shape } from './shape.ts';
import { deleteFromList, mergeList, orderList } from './strategic-list.ts';

const DELETE_FROM = '$deleteFromPrimitiveList';
const ORDER = '$setElementOrder';

/**
 * The object after the patch, `current` itself when it changes nothing. `shape` is that of the object's kind. Fields that the kind does
 * not have are merged like any other; the server refuses some of them with 500.
 * Throws Failure 400 for a malformed patch, 422 for a list of lists, 500 where the server's library gives up (an element without its key).
 */
export function strategicMergePatch(current: JsonObject, patch: unknown, shape: Shape): JsonObject {
  if (!isObject(patch)) throw badRequest(cannotDecode(patch, 'map[string]interface {}'));
  return mergeObject(current, patch, shape);
}

export function mergeObject(current: JsonObject, patch: JsonObject, shape: Shape | undefined): JsonObject {
  if (Object.hasOwn(patch, '$patch')) return direct(current, patch);
  const next = retain(current, patch);
  const ordered = new Set<string>();
  for (const name of Object.keys(patch)) {
    if (!name.startsWith(ORDER)) continue;
    const field = directed(name, ORDER, 'invalid patch format of setElementOrder list');
    order(next, patch, field, patch[name], shape?.field?.(field));
    ordered.add(field);
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name === '$retainKeys' || name.startsWith(ORDER) || ordered.has(name)) continue;
    if (name.startsWith(DELETE_FROM)) {
      deleteValues(next, directed(name, DELETE_FROM, 'invalid patch format of primitive list'), value);
    } else if (value === null) delete next[name];
    else mergeField(next, name, value, shape?.field?.(name));
  }
  return shareObject(current, next);
}

function direct(current: JsonObject, { $patch: directive, ...rest }: JsonObject): JsonObject {
  if (directive === 'delete') return {};
  if (directive === 'replace') return shareValue(current, appended(rest)) as JsonObject;
  throw patchError(`unknown patch type: ${goFormat(directive)} in map: ${goFormat({ $patch: directive, ...rest })}`);
}

/** A union: fields that the patch does not name in $retainKeys go, and it may set no others. */
function retain(current: JsonObject, patch: JsonObject): Record<string, unknown> {
  if (!Object.hasOwn(patch, '$retainKeys')) return { ...current };
  const names = patch.$retainKeys;
  if (!isList(names)) throw badRequest('invalid patch format of retainKeys');
  for (const [name, value] of Object.entries(patch)) {
    if (name === '$retainKeys' || value === null || name.startsWith(DELETE_FROM) || name.startsWith(ORDER)) continue;
    if (!names.includes(name)) throw badRequest('invalid patch format of retainKeys');
  }
  return Object.fromEntries(Object.entries(current).filter(([name]) => names.includes(name)));
}

function directed(name: string, prefix: string, complaint: string): string {
  const [head, ...rest] = name.split('/');
  if (head !== prefix || rest.length === 0) throw badRequest(complaint);
  return rest.join('/');
}

function deleteValues(next: Record<string, unknown>, field: string, values: unknown): void {
  const before = property(next, field);
  if (values === null) delete next[field];
  else if (isList(before) && isList(values)) next[field] = deleteFromList(before, values);
}

function mergeField(next: Record<string, unknown>, name: string, value: unknown, shape: Shape | undefined): void {
  const before = property(next, name);
  const replaces = shape?.strategic === 'replace';
  if (isObject(before) && isObject(value)) {
    next[name] = replaces ? shareValue(before, withoutNulls(value)) : mergeObject(before, value, shape);
  } else if (isList(before) && isList(value)) {
    next[name] = mergesLists(shape) ? mergeList(before, value, shape.strategic.key, shape.element) : shareValue(before, value);
  } else {
    const set = plain(value);
    if (set === undefined) delete next[name];
    else next[name] = shareValue(before, set);
  }
}

export function mergesLists(shape: Shape | undefined): shape is Shape & { readonly strategic: { readonly key: string } } {
  return typeof shape?.strategic === 'object';
}

function order(next: Record<string, unknown>, patch: JsonObject, field: string, names: unknown, shape: Shape | undefined): void {
  const live = property(next, field);
  const given = property(patch, field);
  for (const list of [names, live, given]) {
    if (list !== undefined && !isList(list)) throw patchError(`expected a []interface {}, but received a ${goType(list)}`);
  }
  const before = live as readonly unknown[] | undefined;
  const merged = orderList(before, given as readonly unknown[] | undefined, names as readonly unknown[], shape);
  if (merged) next[field] = merged;
}

function goType(value: unknown): string {
  if (value === null) return '%!s(<nil>)';
  if (isObject(value)) return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function withoutNulls(value: JsonObject): JsonObject {
  return appended(value) as JsonObject;
}

/** What a new value is stored as: without what is only there to direct the merge; undefined when nothing is left to store. */
export function plain(value: unknown): unknown {
  return store(value, true);
}

/**
 * As `plain`, but what is directed to go stays, without its directive: the server does not look for directives in an element that it
 * appends to a list, and drops the unknown field `$patch` when it reads the result into its types, as it does with nulls.
 */
export function appended(value: unknown): unknown {
  return store(value, false);
}

function store(value: unknown, obeys: boolean): unknown {
  if (isList(value)) return value.map((item) => store(item, obeys)).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (obeys && property(value, '$patch') !== undefined) return undefined;
  const entries: [string, unknown][] = [];
  for (const [name, inner] of Object.entries(value)) {
    const kept = inner === null || name.startsWith('$') ? undefined : store(inner, obeys);
    if (kept !== undefined) entries.push([name, kept]);
  }
  return Object.fromEntries(entries);
}
