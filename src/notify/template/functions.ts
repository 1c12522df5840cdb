/** The functions of templates: those of text/template, and a few of sprig under its names and with its order of arguments. Pure. */
import type { FunctionName } from '../../api/template/markers.ts';
import { quoted, sprintf } from './printf.ts';
import { formatted, isList, isMap, isStruct, toJson, truth, typeName, type Value } from './value.ts';

/** The call cannot be answered; the evaluator adds where it is. */
export class CallError extends Error {
  override readonly name = 'CallError';
}

/** `and` and `or` decide as their arguments are evaluated, so the evaluator has them. */
export type Callable = Exclude<FunctionName, 'and' | 'or'>;

type Call = (args: readonly Value[]) => Value;

function arity(least: number, most: number, call: Call): Call {
  return (args) => {
    if (args.length < least || args.length > most)
      throw new CallError(`takes ${least === most ? least : `at least ${least}`} arguments, not ${args.length}`);
    return call(args);
  };
}

function text(value: Value): string {
  if (typeof value !== 'string') throw new CallError(`takes a string, not ${typeName(value)}`);
  return value;
}

function whole(value: Value): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new CallError(`takes a whole number, not ${typeName(value)}`);
  return value;
}

const onText = (call: (value: string) => Value) => arity(1, 1, ([value]) => call(text(value)));

function equal(a: Value, b: Value): boolean {
  if (a == null || b == null) return a == null && b == null;
  if (isList(a) || isMap(a) || isStruct(a) || isList(b) || isMap(b) || isStruct(b))
    throw new CallError('cannot compare lists, maps and objects');
  if (typeName(a) !== typeName(b)) throw new CallError(`cannot compare ${typeName(a)} with ${typeName(b)}`);
  return a === b;
}

function less(a: Value, b: Value): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
  throw new CallError(`cannot compare ${typeName(a)} with ${typeName(b)}`);
}

const pair = (call: (a: Value, b: Value) => boolean) => arity(2, 2, ([a, b]) => call(a, b));

function sizeOf(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (isList(value)) return value.length;
  if (isMap(value)) return value.size;
  throw new CallError(`takes a string, a list or a map, not ${typeName(value)}`);
}

/** text/template's index: a key that a map does not have gives the empty value of its kind, here of maps of strings. */
function at(value: Value, key: Value): Value {
  if (isMap(value)) {
    const found = value.get(text(key));
    return found === undefined && [...value.values()].every((each) => typeof each === 'string') ? '' : found;
  }
  if (!isList(value)) throw new CallError(`cannot index ${typeName(value)}`);
  const place = whole(key);
  if (place < 0 || place >= value.length) throw new CallError(`index ${place} is out of range: there are ${value.length}`);
  return value[place];
}

function slice([value, from = 0, to]: readonly Value[]): Value {
  const size = sizeOf(value ?? null);
  const [begin, end] = [whole(from), to === undefined ? size : whole(to)];
  if (begin < 0 || end > size || begin > end) throw new CallError(`${begin} to ${end} is out of range: there are ${size}`);
  if (isList(value)) return value.slice(begin, end);
  return Buffer.from(text(value)).subarray(begin, end).toString();
}

const htmlEscapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };

/** fmt.Sprint: a space between two operands where neither is a string. */
function sprint(args: readonly Value[]): string {
  return args
    .map((value, index) => {
      const gap = index > 0 && typeof value !== 'string' && typeof args[index - 1] !== 'string' ? ' ' : '';
      return gap + formatted(value);
    })
    .join('');
}

export const functions: Readonly<Record<Callable, Call>> = {
  not: arity(1, 1, ([value]) => !truth(value)),
  len: arity(1, 1, ([value]) => sizeOf(value)),
  index: arity(1, 9, ([value, ...keys]) => keys.reduce<Value>(at, value)),
  slice: arity(1, 3, slice),
  print: sprint,
  println: (args) => `${args.map(formatted).join(' ')}\n`,
  printf: arity(1, 99, ([format, ...args]) => sprintf(text(format), args)),
  html: (args) =>
    (typeof args[0] === 'string' && args.length === 1 ? args[0] : sprint(args)).replaceAll(
      /[&<>"']/g,
      (char) => htmlEscapes[char] ?? char,
    ),
  urlquery: (args) =>
    encodeURIComponent(sprint(args))
      .replaceAll('%20', '+')
      .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
  eq: arity(2, 99, ([first, ...others]) => others.some((other) => equal(first, other))),
  ne: pair((a, b) => !equal(a, b)),
  lt: pair(less),
  le: pair((a, b) => less(a, b) || equal(a, b)),
  gt: pair((a, b) => !less(a, b) && !equal(a, b)),
  ge: pair((a, b) => !less(a, b)),
  toJson: arity(1, 1, ([value]) => toJson(value)),
  json: arity(1, 1, ([value]) => toJson(value)),
  default: arity(1, 2, ([fallback, value]) => (truth(value) ? value : fallback)),
  upper: onText((value) => value.toUpperCase()),
  lower: onText((value) => value.toLowerCase()),
  trim: onText((value) => value.trim()),
  join: arity(2, 2, ([separator, list]) => (isList(list) ? list.map(formatted).join(text(separator)) : formatted(list))),
  quote: (args) =>
    args
      .filter((each) => each != null)
      .map((each) => quoted(formatted(each)))
      .join(' '),
  replace: arity(3, 3, ([from, to, value]) => text(value).replaceAll(text(from), () => text(to))),
  contains: arity(2, 2, ([part, value]) => text(value).includes(text(part))),
  hasPrefix: arity(2, 2, ([part, value]) => text(value).startsWith(text(part))),
  hasSuffix: arity(2, 2, ([part, value]) => text(value).endsWith(text(part))),
  trunc: arity(2, 2, ([size, value]) => {
    const [count, whole_] = [whole(size), text(value)];
    return count < 0 ? whole_.slice(Math.max(0, whole_.length + count)) : whole_.slice(0, count);
  }),
};
