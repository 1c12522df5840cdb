/** Values and sets of fields: what a value holds, what differs between two. After structured-merge-diff v6 typed. */
import { same } from '../../store/same.ts';
import { isList, isObject, type JsonObject, property } from './json-value.ts';
import { declares, type FieldSet, fieldSetBuilder, type Path } from './field-set.ts';
import { keyOf, type Shape } from './shape.ts';

/** Told apart by server-side apply, element by element. */
export function mergesElements(shape: Shape | undefined): shape is Shape {
  return shape?.keys !== undefined || shape?.set === true;
}

/** An element of a list by key that has nothing to be known by. */
export class UnknownElement extends Error {
  override readonly name = 'UnknownElement';
}

/**
 * The edge to a list's element. Two elements of a broken list may have the same.
 * Throws UnknownElement in the words of structured-merge-diff when an element has nothing to be known by.
 */
export function edgeOf(shape: Shape, element: unknown, position: number): string {
  if (!shape.keys) {
    if (isObject(element))
      throw new UnknownElement(`element ${position}: associative list without keys has an element that's a map type`);
    if (isList(element)) throw new UnknownElement(`element ${position}: not supported: associative list with lists as elements`);
    if (element === null)
      throw new UnknownElement(`element ${position}: associative list without keys has an element that's an explicit null`);
    return `v:${JSON.stringify(element)}`;
  }
  if (element === null) throw new UnknownElement(`element ${position}: associative list with keys may not have a null element`);
  if (!isObject(element))
    throw new UnknownElement(`element ${position}: associative list with keys may not have non-map elements`);
  const key = keyOf(shape.keys, element);
  if (!key) {
    const names = shape.keys.map(({ name }) => JSON.stringify(name)).join(' ');
    throw new UnknownElement(
      `element ${position}: associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    );
  }
  return `k:${JSON.stringify(Object.fromEntries(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1))))}`;
}

/** By edge, in order; more than one only in a broken list. */
export function elementsByEdge(shape: Shape, list: readonly unknown[]): Map<string, unknown[]> {
  const result = new Map<string, unknown[]>();
  for (const [position, element] of list.entries()) {
    const edge = edgeOf(shape, element, position);
    const others = result.get(edge);
    if (others) others.push(element);
    else result.set(edge, [element]);
  }
  return result;
}

/** All fields that the value sets. */
export function fieldsOf(value: unknown, shape: Shape | undefined): FieldSet {
  const set = fieldSetBuilder();
  collect(value, shape, [], set.insert);
  return set.build();
}

function collect(value: unknown, shape: Shape | undefined, path: Path, insert: (path: Path) => void): void {
  if (shape?.atomic) return insert(path);
  if (isList(value)) {
    if (!mergesElements(shape)) return insert(path);
    for (const [edge, elements] of elementsByEdge(shape, value)) {
      const inner = [...path, edge];
      if (elements.length === 1) collect(elements[0], shape.element, inner, insert);
      insert(inner);
    }
    return;
  }
  if (!isObject(value)) return insert(path);
  for (const [name, inner] of Object.entries(value)) {
    const to = [...path, `f:${name}`];
    collect(inner, shape?.field?.(name), to, insert);
    if ((isObject(inner) && Object.keys(inner).length === 0) || !declares(shape, name)) insert(to);
  }
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** What `after` adds to `before`, sets to something else and takes away. */
export function compare(before: unknown, after: unknown, shape: Shape | undefined): Comparison {
  const [added, modified, removed] = [fieldSetBuilder(), fieldSetBuilder(), fieldSetBuilder()];
  walk({ before, after, shape, path: [] });
  return { added: added.build(), modified: modified.build(), removed: removed.build() };

  function walk(pair: Pair): void {
    if (pair.before === pair.after) return;
    const leaf = compareInside(pair);
    if (leaf && pair.before !== undefined && pair.after !== undefined) {
      if (!same(pair.before, pair.after)) modified.insert(pair.path);
    } else if (pair.before === undefined) added.insert(pair.path);
    else if (pair.after === undefined) removed.insert(pair.path);
  }

  /** True for what is compared as a whole. */
  function compareInside({ before, after, shape, path }: Pair): boolean {
    if (shape?.atomic || isEmpty(before, after)) return true;
    const [old, next] = [before ?? emptyLike(after), after ?? emptyLike(before)];
    if (isObject(old) && isObject(next)) {
      for (const name of new Set([...Object.keys(old), ...Object.keys(next)])) {
        const [were, are] = [property(old, name), property(next, name)];
        if (were !== are) walk({ before: were, after: are, shape: shape?.field?.(name), path: [...path, `f:${name}`] });
      }
      return false;
    }
    if (!isList(old) || !isList(next) || !mergesElements(shape)) return true;
    const [olds, nexts] = [elementsByEdge(shape, old), elementsByEdge(shape, next)];
    for (const edge of new Set([...olds.keys(), ...nexts.keys()])) {
      const [were, are] = [olds.get(edge) ?? [], nexts.get(edge) ?? []];
      const inner = { shape: shape.element, path: [...path, edge] };
      if (were.length <= 1 && are.length <= 1) walk({ before: were[0], after: are[0], ...inner });
      else if (were.length > 1 && are.length > 1) {
        if (!same(were, are)) modified.insert(inner.path);
      } else if (were.length > 1) {
        if (are.length > 0) walk({ before: undefined, after: are[0], ...inner });
        removed.insert(inner.path);
      } else {
        if (were.length > 0) walk({ before: were[0], after: undefined, ...inner });
        added.insert(inner.path);
      }
    }
    return false;
  }
}

interface Pair {
  readonly before: unknown;
  readonly after: unknown;
  readonly shape: Shape | undefined;
  readonly path: Path;
}

/** Two empty values are compared as a whole, so that {} and null are told apart. */
function isEmpty(...values: unknown[]): boolean {
  return values.every((value) => {
    if (value === undefined || value === null) return true;
    return isList(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
  });
}

function emptyLike(value: unknown): readonly unknown[] | JsonObject | undefined {
  if (isList(value)) return [];
  return isObject(value) ? {} : undefined;
}
