/** The values that a template sees, and how Go's fmt prints them. A Map is a Go map, a plain object a struct. Pure. */

export type Value = string | number | boolean | null | undefined | readonly Value[] | ReadonlyMap<string, Value> | Struct;

export interface Struct {
  readonly [field: string]: Value;
}

export function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isStruct(value: Value): value is Struct {
  return typeof value === 'object' && value !== null && !isMap(value) && !isList(value);
}

/** As %v. A missing value inside of something prints as `<nil>`; `printed` is for one alone. */
export function formatted(value: Value): string {
  if (value === null || value === undefined) return '<nil>';
  if (isList(value)) return `[${value.map(formatted).join(' ')}]`;
  if (isMap(value))
    return `map[${sorted(value)
      .map(([key, each]) => `${key}:${formatted(each)}`)
      .join(' ')}]`;
  if (isStruct(value)) return `{${Object.values(value).map(formatted).join(' ')}}`;
  return String(value);
}

/** What an action leaves in the text. */
export function printed(value: Value): string {
  return value === null || value === undefined ? '<no value>' : formatted(value);
}

/** By key, in the order of their bytes, as Go does. */
export function sorted(map: ReadonlyMap<string, Value>): (readonly [string, Value])[] {
  return [...map].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** text/template's IsTrue: whatever is not empty; a struct always. */
export function truth(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return value.size > 0;
  return Boolean(value);
}

/** For messages, in Go's words. */
export function typeName(value: Value): string {
  if (value === null || value === undefined) return 'nil';
  if (isList(value)) return 'list';
  if (isMap(value)) return 'map';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'object';
}

/** As encoding/json has it: keys of maps in order, and no HTML escapes. */
export function toJson(value: Value): string {
  if (value === undefined || value === null) return 'null';
  if (isList(value)) return `[${value.map(toJson).join(',')}]`;
  const entries = isMap(value) ? sorted(value) : isStruct(value) ? Object.entries(value) : null;
  if (entries) return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${toJson(each)}`).join(',')}}`;
  return JSON.stringify(value);
}
