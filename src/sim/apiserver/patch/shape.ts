/** How a value merges, from the table of the built-in kinds or from the schema of a custom one. */
import type { Kind } from '../api.ts';
import { mergeKeys } from './merge-keys.ts';
import type { JsonObject } from './json-value.ts';

export interface ListKey {
  readonly name: string;
  /** Taken where an element does not say. */
  readonly default?: unknown;
}

/**
 * For server-side apply an empty shape is a value that merges by its form: objects field by field, lists as a whole. Getters may stand
 * behind the fields, since types contain each other.
 */
export interface Shape {
  /** Server-side apply owns the value as a whole. */
  readonly atomic?: true;
  /** Server-side apply merges the list by these. */
  readonly keys?: readonly ListKey[];
  /** Server-side apply merges the list as a set. */
  readonly set?: true;
  /** A strategic patch: `replace`, or a list merged by this key; '' for a list of plain values. Absent: objects merge, lists are replaced. */
  readonly strategic?: 'replace' | { readonly key: string };
  /** The names that the type declares; a name that is not one of them is an entry of a map. Absent: all names are declared. */
  readonly declares?: (name: string) => boolean;
  readonly field?: (name: string) => Shape | undefined;
  readonly element?: Shape | undefined;
}

export const wholeShape: Shape = { atomic: true };

const ofTypes = new Map<string, Shape>();

function shapeOfType(name: string): Shape {
  const known = ofTypes.get(name);
  if (known) return known;
  const fields = new Map<string, string>(Object.entries(mergeKeys[name as keyof typeof mergeKeys]));
  const parsed = new Map<string, Shape>();
  const shape: Shape = {
    ...(name === 'Atomic' && wholeShape),
    field(field) {
      const notation = fields.get(field);
      if (notation === undefined) return undefined;
      let inner = parsed.get(field);
      if (!inner) parsed.set(field, (inner = parse(notation)));
      return inner;
    },
  };
  ofTypes.set(name, shape);
  return shape;
}

function parse(notation: string): Shape {
  const words = notation.split(' ');
  const [mode = ''] = words;
  const element = (position: number) => {
    const type = words[position];
    return type === undefined ? {} : { element: shapeOfType(type) };
  };
  const [first, ...others] = (words[1] ?? '').split(',').map(parseKey);
  const keys = first && [first, ...others];
  switch (mode) {
    case 'by':
      return { ...(keys && { keys }), strategic: { key: first?.name ?? '' }, ...element(2) };
    case 'apply-by':
      return { ...(keys && { keys }), ...element(2) };
    case 'patch-by':
      return { strategic: { key: first?.name ?? '' } };
    case 'set':
      return { set: true, strategic: { key: '' } };
    case 'apply-set':
      return { set: true };
    case 'atomic':
      return wholeShape;
    case 'replace':
      return { atomic: true, strategic: 'replace' };
    default:
      return shapeOfType(mode);
  }
}

function parseKey(text: string): ListKey {
  const [name = '', byDefault] = text.split('=');
  return byDefault === undefined ? { name } : { name, default: byDefault };
}

const objectMeta = shapeOfType('ObjectMeta');
const ofKinds = new Map<string, Shape>();

/** Of an object of a built-in kind; of any other one only what holds for all: its metadata. */
export function shapeOfKind(kind: Pick<Kind, 'kind'>): Shape {
  let shape = ofKinds.get(kind.kind);
  if (!shape) {
    const known = Object.hasOwn(mergeKeys, kind.kind) ? shapeOfType(kind.kind) : undefined;
    ofKinds.set(kind.kind, (shape = withMetadata(known ?? {})));
  }
  return shape;
}

/** The shape with the fields that every object has. */
export function withMetadata(shape: Shape): Shape {
  return {
    ...shape,
    ...(shape.declares && { declares: (name: string) => OBJECT_FIELDS.has(name) || (shape.declares?.(name) ?? true) }),
    field: (name) => (name === 'metadata' ? objectMeta : shape.field?.(name)),
  };
}

const OBJECT_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** The key of an element in a list that merges by key: its values in the order of the names, undefined where it has none of them. */
export function keyOf(keys: readonly ListKey[], element: JsonObject): Record<string, unknown> | undefined {
  const found: Record<string, unknown> = {};
  for (const { name, default: byDefault } of keys) {
    const value = Object.hasOwn(element, name) ? element[name] : byDefault;
    if (value !== undefined) found[name] = value;
  }
  return Object.keys(found).length > 0 ? found : undefined;
}
