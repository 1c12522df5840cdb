/**
 * Sets of fields, as metadata.managedFields holds them in the form FieldsV1: a tree whose edges are `f:name`, `k:{"key":"value"}` of a list
 * by key, `v:value` of a set, and in which "." marks a node that is itself owned. After structured-merge-diff v6 fieldpath.
 * A path may be a member and have members below it; the two are independent.
 */
import { goFormat, isObject, type JsonObject } from './json-value.ts';
import type { Shape } from './shape.ts';

interface Node {
  readonly owned: boolean;
  readonly below: FieldSet;
}

export type FieldSet = ReadonlyMap<string, Node>;
export type Path = readonly string[];

export const noFields: FieldSet = new Map();

/** Collects paths, then is a set. */
export interface FieldSetBuilder {
  insert(path: Path): void;
  build(): FieldSet;
}

export function fieldSetBuilder(): FieldSetBuilder {
  interface Draft {
    owned: boolean;
    below: Map<string, Draft>;
  }
  const root: Draft = { owned: false, below: new Map() };
  return {
    insert(path) {
      let node = root;
      for (const edge of path) {
        let next = node.below.get(edge);
        if (!next) node.below.set(edge, (next = { owned: false, below: new Map() }));
        node = next;
      }
      node.owned = true;
    },
    build: () => root.below,
  };
}

export function fieldSetOf(...paths: Path[]): FieldSet {
  const builder = fieldSetBuilder();
  for (const path of paths) builder.insert(path);
  return builder.build();
}

export function below(set: FieldSet, edge: string): FieldSet {
  return set.get(edge)?.below ?? noFields;
}

export function owns(set: FieldSet, edge: string): boolean {
  return set.get(edge)?.owned ?? false;
}

/** Unchanged parts of a set are shared, so that an operation costs what differs. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (right.size === 0 || left === right) return left;
  const result = new Map(left);
  for (const [edge, node] of right) {
    const other = left.get(edge);
    result.set(edge, other ? { owned: other.owned || node.owned, below: union(other.below, node.below) } : node);
  }
  return result;
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  const result = new Map<string, Node>();
  for (const [edge, node] of left.size <= right.size ? left : right) {
    const other = (left.size <= right.size ? right : left).get(edge);
    if (!other) continue;
    const both = { owned: node.owned && other.owned, below: intersection(node.below, other.below) };
    if (both.owned || both.below.size > 0) result.set(edge, both);
  }
  return result;
}

export function difference(left: FieldSet, right: FieldSet): FieldSet {
  let result: Map<string, Node> | undefined;
  for (const [edge, other] of right) {
    const node = left.get(edge);
    if (!node) continue;
    const rest = { owned: node.owned && !other.owned, below: difference(node.below, other.below) };
    if (rest.owned === node.owned && rest.below === node.below) continue;
    result ??= new Map(left);
    if (rest.owned || rest.below.size > 0) result.set(edge, rest);
    else result.delete(edge);
  }
  return result ?? left;
}

/** Without the members of `right` and all that is below them. */
export function withoutSubtrees(left: FieldSet, right: FieldSet): FieldSet {
  if (right.size === 0) return left;
  const result = new Map<string, Node>();
  for (const [edge, node] of left) {
    if (owns(right, edge)) continue;
    const kept = { owned: node.owned, below: withoutSubtrees(node.below, below(right, edge)) };
    if (kept.owned || kept.below.size > 0) result.set(edge, kept);
  }
  return result;
}

/** With every declared field that has members below it (fieldpath Set.EnsureNamedFieldsAreMembers): not the entries of maps and lists. */
export function withNamedFields(set: FieldSet, shape: Shape | undefined): FieldSet {
  const result = new Map<string, Node>();
  for (const [edge, node] of set) {
    const name = edge.startsWith('f:') ? edge.slice(2) : undefined;
    const named = name !== undefined && declares(shape, name);
    const inner = name === undefined ? shape?.element : shape?.field?.(name);
    result.set(edge, { owned: node.owned || (named && node.below.size > 0), below: withNamedFields(node.below, inner) });
  }
  return result;
}

/** A name that a shape does not know to be an entry of a map is a field of a type. */
export function declares(shape: Shape | undefined, name: string): boolean {
  return shape?.declares?.(name) ?? true;
}

/** Members before what is below them, each in the order in which they are printed. */
export function paths(set: FieldSet): Path[] {
  const edges = [...set.keys()].sort();
  const members = edges.filter((edge) => owns(set, edge)).map((edge) => [edge]);
  return [...members, ...edges.flatMap((edge) => paths(below(set, edge)).map((path) => [edge, ...path]))];
}

/** `.spec.containers[name="app"].image` */
export function printPath(path: Path): string {
  return path.map(printEdge).join('');
}

function printEdge(edge: string): string {
  const text = edge.slice(2);
  if (edge.startsWith('f:')) return `.${text}`;
  if (edge.startsWith('v:')) return `[=${text}]`;
  if (!edge.startsWith('k:')) return `[${text}]`;
  const keys = Object.entries(JSON.parse(text) as JsonObject);
  return `[${keys.map(([name, value]) => `${name}=${typeof value === 'string' ? JSON.stringify(value) : goFormat(value)}`).join(',')}]`;
}

/** Sets are never changed, and most of an object's owners are the same in its next version. */
const encoded = new WeakMap<FieldSet, JsonObject>();

export function encodeFields(set: FieldSet): JsonObject {
  const known = encoded.get(set);
  if (known) return known;
  const result: Record<string, unknown> = {};
  for (const edge of [...set.keys()].sort()) {
    const node = set.get(edge);
    if (!node) continue;
    result[edge] = node.owned && node.below.size > 0 ? { '.': {}, ...encodeFields(node.below) } : encodeFields(node.below);
  }
  encoded.set(set, result);
  return result;
}

/** What is not of the form FieldsV1 in it is left out. */
export function decodeFields(fields: unknown): FieldSet {
  const result = new Map<string, Node>();
  if (!isObject(fields)) return result;
  for (const [edge, inner] of Object.entries(fields)) {
    if (edge === '.' || !isObject(inner)) continue;
    const children = decodeFields(inner);
    result.set(edge, { owned: children.size === 0 || Object.hasOwn(inner, '.'), below: children });
  }
  return result;
}
