/** Changing a value by fields: merging an applied configuration into it, taking fields away. After structured-merge-diff v6 typed. */
import { below, type FieldSet, owns } from './field-set.ts';
import { edgeOf, elementsByEdge, mergesElements } from './field-walk.ts';
import { isList, isObject, property, shareList, shareObject, shareValue } from './json-value.ts';
import type { Shape } from './shape.ts';

/** `live` with what `config` says; the very same where it says nothing new. A null in the configuration says nothing. */
export function mergeConfig(live: unknown, config: unknown, shape: Shape | undefined): unknown {
  if (config === undefined || config === null) return live;
  if (live === undefined || live === null) return config;
  if (shape?.atomic) return shareValue(live, config);
  if (isObject(live) && isObject(config)) {
    const next: Record<string, unknown> = { ...live };
    for (const [name, value] of Object.entries(config)) {
      const merged = mergeConfig(property(live, name), value, shape?.field?.(name));
      if (merged !== undefined) next[name] = merged;
    }
    return shareObject(live, next);
  }
  if (isList(live) && isList(config) && mergesElements(shape)) return mergeElements(live, config, shape);
  return shareValue(live, config);
}

/**
 * The order of `config` where it names the elements, the order of `live` for the rest, woven together
 * (typed/merge.go visitListItems).
 */
function mergeElements(live: readonly unknown[], config: readonly unknown[], shape: Shape): readonly unknown[] {
  const lives = live.map((element, position) => edgeOf(shape, element, position));
  const configs = config.map((element, position) => edgeOf(shape, element, position));
  const liveByEdge = elementsByEdge(shape, live);
  const configByEdge = elementsByEdge(shape, config);
  const shared = configs.filter((edge) => liveByEdge.has(edge));
  const merged = new Set<string>();
  const result: unknown[] = [];
  const take = (edge: string) => {
    merged.add(edge);
    // Of elements that stand twice in a broken list none is merged into: what is applied takes their place.
    const olds = liveByEdge.get(edge) ?? [];
    result.push(mergeConfig(olds.length > 1 ? undefined : olds[0], configByEdge.get(edge)?.[0], shape.element));
  };
  let [l, c] = [0, 0];
  for (;;) {
    const [left, right] = [lives[l], configs[c]];
    if (left === undefined && right === undefined) return shareList(live, result);
    if (left !== undefined && left === right) {
      take(left);
      shared.shift();
      l++;
      c++;
    } else if (left !== undefined && right !== undefined && configByEdge.has(left) && shared.length > 0 && shared[0] !== left)
      l++;
    else if (left !== undefined && !configByEdge.has(left)) {
      result.push(live[l]);
      l++;
    } else {
      if (left !== undefined && merged.has(left)) l++;
      if (right === undefined) continue;
      if (shared[0] === right) shared.shift();
      take(right);
      c++;
    }
  }
}

/**
 * `value` without the fields of the set. What is left empty by that is null, and stays as such in what it stands in, as in the server, which
 * drops nulls only when all is done; `withoutNulls` does that here.
 */
export function removeFields(value: unknown, set: FieldSet, shape: Shape | undefined): unknown {
  if (set.size === 0 || shape?.atomic) return value;
  if (isObject(value)) {
    const next: Record<string, unknown> = {};
    for (const [name, inner] of Object.entries(value)) {
      const edge = `f:${name}`;
      if (!owns(set, edge)) next[name] = removeFields(inner, below(set, edge), shape?.field?.(name));
    }
    return Object.keys(next).length > 0 ? shareObject(value, next) : null;
  }
  if (!isList(value) || !mergesElements(shape)) return value;
  const next: unknown[] = [];
  for (const [position, element] of value.entries()) {
    const edge = edgeOf(shape, element, position);
    if (!owns(set, edge)) next.push(removeFields(element, below(set, edge), shape.element));
  }
  return next.length > 0 ? shareList(value, next) : null;
}

export function withoutNulls(value: unknown): unknown {
  if (isList(value)) return shareList(value, value.map(withoutNulls));
  if (!isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) if (inner !== null) kept[name] = withoutNulls(inner);
  return shareObject(value, kept);
}
