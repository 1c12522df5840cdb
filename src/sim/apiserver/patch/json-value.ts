/** JSON values as patches and schemas see them: shared by reference, never changed in place. */
import { same } from '../../store/same.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** The property itself, never an inherited one: a label may be called "constructor". */
export function property(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** `next`, or `before` itself where both have the very same properties, so that nothing looks changed that is not. */
export function shareObject(before: JsonObject, next: JsonObject): JsonObject {
  const names = Object.keys(next);
  if (names.length !== Object.keys(before).length) return next;
  return names.every((name) => Object.hasOwn(before, name) && before[name] === next[name]) ? before : next;
}

export function shareList(before: readonly unknown[], next: readonly unknown[]): readonly unknown[] {
  return before.length === next.length && before.every((item, index) => item === next[index]) ? before : next;
}

/** `next`, or `before` where both say the same. */
export function shareValue(before: unknown, next: unknown): unknown {
  return same(before, next) ? before : next;
}

/** As Go's fmt prints it with %v; messages of the API server hold whole objects this way. */
export function goFormat(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (isList(value)) return `[${value.map(goFormat).join(' ')}]`;
  if (!isObject(value)) return typeof value === 'string' ? value : JSON.stringify(value);
  const entries = Object.keys(value).sort();
  return `map[${entries.map((name) => `${name}:${goFormat(value[name])}`).join(' ')}]`;
}

/** A field that should be text; '' where it is not. */
export function textOf(object: unknown, field: string): string {
  const value = isObject(object) ? property(object, field) : undefined;
  return typeof value === 'string' ? value : '';
}
