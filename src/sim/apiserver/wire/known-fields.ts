/**
 * What the real server finds while it decodes an object of a built-in kind: fields that nobody knows, which it drops and tells
 * (`fieldValidation`), and values of a wrong type, which it refuses.
 */
import { type FieldType, fieldsOfMessage, type Scalar } from './messages.ts';

type Loose = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value);

const built = new Map<string, ReadonlyMap<string, FieldType>>();

function namesOf(message: string): ReadonlyMap<string, FieldType> {
  let names = built.get(message);
  if (!names) {
    names = new Map(
      (fieldsOfMessage(message) ?? []).flatMap((type): (readonly [string, FieldType])[] =>
        type.name === undefined ? [...namesOf(type.message)] : [[type.name, type]],
      ),
    );
    built.set(message, names);
  }
  return names;
}

interface Findings {
  readonly unknown: string[];
  /** The first value of another type than its field, as encoding/json says it. */
  wrong: string | undefined;
}

const jsonType = (value: unknown) => (Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value);

const isText = (value: unknown) => typeof value === 'string';
const isTextOrNumber = (value: unknown) => typeof value === 'string' || typeof value === 'number';

const scalars: Readonly<Record<Scalar, { readonly goType: string; readonly fits: (value: unknown) => boolean }>> = {
  string: { goType: 'string', fits: isText },
  b: { goType: '[]uint8', fits: isText },
  T: { goType: 'string', fits: isText },
  M: { goType: 'string', fits: isText },
  D: { goType: 'string', fits: isText },
  Q: { goType: 'resource.Quantity', fits: isTextOrNumber },
  X: { goType: 'intstr.IntOrString', fits: isTextOrNumber },
  i: { goType: 'int32', fits: Number.isInteger },
  B: { goType: 'bool', fits: (value) => typeof value === 'boolean' },
  L: { goType: '[]string', fits: Array.isArray },
  R: { goType: 'runtime.RawExtension', fits: () => true },
};

/** null stands for absence everywhere. */
function fits(value: unknown, { scalar, list, map }: FieldType): boolean {
  if (value === null) return true;
  const one = (element: unknown) =>
    element === null || (scalar === undefined ? isObject(element) : scalars[scalar].fits(element));
  if (list) return Array.isArray(value) && value.every(one);
  if (map) return isObject(value) && Object.values(value).every(one);
  return one(value);
}

function mismatch(value: unknown, { scalar, list, map, message: name }: FieldType, struct: string, path: string): string {
  const inner = scalar === undefined ? `v1.${name}` : scalars[scalar].goType;
  const goType = list ? `[]${inner}` : map ? `map[string]${inner}` : inner;
  return `json: cannot unmarshal ${jsonType(value)} into Go struct field ${struct}.${path} of type ${goType}`;
}

/** What `before` has in the same place. */
const part = (before: unknown, key: string | number): unknown =>
  typeof before === 'object' && before !== null ? (before as Record<string | number, unknown>)[key] : undefined;

/** The value without unknown fields, the very same when it has none. What is shared with `before` is not looked into. */
function known(value: unknown, type: FieldType, path: string, found: Findings, before: unknown): unknown {
  if (type.scalar !== undefined) return value;
  if (type.list && Array.isArray(value)) {
    const next = value.map((element, index) => message(element, type.message, `${path}[${index}]`, found, part(before, index)));
    return next.every((element, index) => element === value[index]) ? value : next;
  }
  if (type.map && isObject(value)) {
    const entries = Object.entries(value).map(
      ([key, element]) => [key, message(element, type.message, `${path}.${key}`, found, part(before, key))] as const,
    );
    return entries.every(([key, element]) => element === value[key]) ? value : Object.fromEntries(entries);
  }
  return message(value, type.message, path, found, before);
}

/** `path` is empty for the whole object, which has its kind and version besides. */
function message(value: unknown, name: string, path: string, found: Findings, before: unknown): unknown {
  if (!isObject(value) || value === before) return value;
  const names = namesOf(name);
  let next: Record<string, unknown> | undefined;
  for (const field in value) {
    const own = value[field];
    const old = part(before, field);
    if (own === old && old !== undefined) continue;
    if (path === '' && (field === 'kind' || field === 'apiVersion')) continue;
    const type = names.get(field);
    const at = path === '' ? field : `${path}.${field}`;
    if (!type) {
      found.unknown.push(at);
      next ??= { ...value };
      delete next[field];
      continue;
    }
    if (!fits(own, type)) {
      found.wrong ??= mismatch(own, type, name, at);
      continue;
    }
    const kept = known(own, type, at, found, old);
    if (kept !== own) (next ??= { ...value })[field] = kept;
  }
  return next ?? value;
}

export interface Decoded<T> {
  readonly object: T;
  /** Paths, in the order of the fields. */
  readonly unknown: readonly string[];
  /** Why the object cannot be read at all. */
  readonly wrong: string | undefined;
}

/**
 * `name` as `messageOfKind` gives it; an object of a message that is not in the table is left alone. `before`: the object that this one was
 * made from by a patch.
 */
export function withKnownFields<T extends object>(object: T, name: string, before?: T): Decoded<T> {
  if (!fieldsOfMessage(name)) return { object, unknown: [], wrong: undefined };
  const found: Findings = { unknown: [], wrong: undefined };
  const decoded = message(object, name, '', found, before) as T;
  return { object: decoded, unknown: found.unknown, wrong: found.wrong };
}
