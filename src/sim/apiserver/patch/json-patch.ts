/**
 * JSON patches (RFC 6902) as the API server applies them: with gopkg.in/evanphx/json-patch.v4 v4.12.0, whose departures from the RFC
 * clients have come to rely on.
 */
import { same } from '../../store/same.ts';
import { isList, isObject, type JsonObject, property, shareValue } from './json-value.ts';
import { badRequest } from '../refusals.ts';
import { cannotDecode, patchDoesNotApply } from './patch-failure.ts';
import { Failure } from '../failure.ts';

/** apiserver pkg/endpoints/handlers/patch.go maxJSONPatchOperations. */
const MOST_OPERATIONS = 10_000;

interface Operation {
  readonly op: string;
  readonly path?: string;
  readonly from?: string;
  readonly value: unknown;
}

/**
 * The object after all operations; unchanged subtrees are shared, and an operation that changes nothing leaves the very same object.
 * Throws Failure 400 when `patch` is not a list of operations, 413 above 10,000 of them, 422 when one does not apply.
 */
export function jsonPatch(current: JsonObject, patch: unknown): JsonObject {
  const operations = readOperations(patch);
  let document: unknown = current;
  for (const operation of operations) document = perform(document, operation);
  if (!isObject(document)) throw patchDoesNotApply();
  return document;
}

function readOperations(patch: unknown): Operation[] {
  if (!isList(patch)) throw badRequest(`error decoding patch: ${cannotDecode(patch, '[]handlers.jsonPatchOp')}`);
  if (patch.length > MOST_OPERATIONS) {
    const message = `The allowed maximum operations in a JSON patch is ${MOST_OPERATIONS}, got ${patch.length}`;
    throw new Failure(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
  }
  return patch.map((entry) => {
    if (!isObject(entry)) throw badRequest(`error decoding patch: ${cannotDecode(entry, 'handlers.jsonPatchOp')}`);
    for (const field of ['op', 'path', 'from']) {
      const value = property(entry, field);
      if (value === undefined || value === null || typeof value === 'string') continue;
      const place = `Go struct field jsonPatchOp.${field} of type string`;
      throw badRequest(`error decoding patch: ${cannotDecode(value, 'x').replace('Go value of type x', place)}`);
    }
    const text = (field: string) => property(entry, field) as string | null | undefined;
    const path = text('path');
    const from = text('from');
    return {
      op: text('op') ?? 'unknown',
      ...(typeof path === 'string' && { path }),
      ...(typeof from === 'string' && { from }),
      value: property(entry, 'value') ?? null,
    };
  });
}

function perform(document: unknown, { op, path, from, value }: Operation): unknown {
  if (path === undefined) throw patchDoesNotApply();
  switch (op) {
    case 'add':
      return change(document, tokens(path), (container, key) => add(container, key, value));
    case 'remove':
      return change(document, tokens(path), remove);
    case 'replace':
      if (path === '') return replaceAll(document, value);
      return change(document, tokens(path), (container, key) => set(container, key, value));
    case 'move': {
      const moved = find(document, tokens(from));
      return change(change(document, tokens(from), remove), tokens(path), (container, key) => add(container, key, moved));
    }
    case 'copy': {
      const copied = find(document, tokens(from)) ?? null;
      return change(document, tokens(path), (container, key) => add(container, key, copied));
    }
    case 'test':
      // A field that is absent passes a test for null: the library knows both as a nil pointer.
      if (!same(path === '' ? document : (find(document, tokens(path)) ?? null), value)) throw patchDoesNotApply();
      return document;
    default:
      return refuse();
  }
}

/** A plain value is passed over: the library wraps an error that is nil. */
function replaceAll(document: unknown, value: unknown): unknown {
  if (isList(value)) throw patchDoesNotApply();
  return isObject(value) ? shareValue(document, value) : document;
}

function refuse(): never {
  throw patchDoesNotApply();
}

/** RFC 6901. At least one token: the library has no way to add or remove the whole document. */
function tokens(pointer: string | undefined): [string, ...string[]] {
  const [root, first, ...rest] = (pointer ?? '').split('/');
  if (root === undefined || first === undefined) throw patchDoesNotApply();
  const decode = (token: string) => token.replaceAll('~1', '/').replaceAll('~0', '~');
  return [decode(first), ...rest.map(decode)];
}

function find(document: unknown, [token, ...rest]: readonly string[]): unknown {
  if (token === undefined) return document;
  return find(child(document, token), rest);
}

function child(container: unknown, key: string): unknown {
  if (isObject(container)) return property(container, key);
  if (isList(container)) return container[index(key, container.length, container.length - 1)];
  return refuse();
}

type Edit = (container: JsonObject | readonly unknown[], key: string) => unknown;

function change(document: unknown, [token, ...rest]: readonly [string, ...string[]], edit: Edit): unknown {
  if (!isObject(document) && !isList(document)) throw patchDoesNotApply();
  const [next, ...further] = rest;
  if (next === undefined) return edit(document, token);
  const before = child(document, token);
  const after = change(before, [next, ...further], edit);
  return before === after ? document : set(document, token, after);
}

/** A negative index counts from the end, against the RFC (the library's SupportNegativeIndices). */
function index(key: string, length: number, last: number): number {
  if (!/^[+-]?\d+$/.test(key)) throw patchDoesNotApply();
  const given = Number(key);
  const position = given < 0 ? given + length : given;
  if (position < 0 || position > last) throw patchDoesNotApply();
  return position;
}

function add(container: JsonObject | readonly unknown[], key: string, value: unknown): unknown {
  if (!isList(container)) return set(container, key, value);
  if (key === '-') return [...container, value];
  return container.toSpliced(index(key, container.length + 1, container.length), 0, value);
}

function remove(container: JsonObject | readonly unknown[], key: string): unknown {
  if (isList(container)) return container.toSpliced(index(key, container.length, container.length - 1), 1);
  if (!Object.hasOwn(container, key)) throw patchDoesNotApply();
  const { [key]: _, ...rest } = container;
  return rest;
}

/** In an object also a field that is not there yet: v4.12.0 lets "replace" create it, against the RFC. */
function set(container: JsonObject | readonly unknown[], key: string, value: unknown): unknown {
  if (isList(container)) {
    const position = index(key, container.length, container.length - 1);
    const shared = shareValue(container[position], value);
    return shared === container[position] ? container : container.with(position, shared);
  }
  const shared = shareValue(property(container, key), value);
  return Object.hasOwn(container, key) && shared === container[key] ? container : { ...container, [key]: shared };
}
