/** The lists of a strategic merge patch: apimachinery pkg/util/strategicpatch/patch.go, mergeSlice and what it calls. */
import { same } from '../../store/same.ts';
import { goFormat, isList, isObject, type JsonObject, property, shareList } from './json-value.ts';
import { patchDoesNotApply, patchError } from './patch-failure.ts';
import type { Shape } from './shape.ts';
import { appended, mergeObject, mergesLists, plain } from './strategic.ts';

type List = readonly unknown[];

export function deleteFromList(current: List, values: List): List {
  return shareList(
    current,
    current.filter((item) => !values.some((value) => same(item, value))),
  );
}

/** `key` empty: a list of plain values. */
export function mergeList(current: List, patch: List, key: string, element: Shape | undefined): List {
  if (current.length === 0 && patch.length === 0) return current;
  if (typeOfElements(current, patch) !== 'object') {
    const merged = [...new Set([...current, ...patch])];
    return shareList(current, arrange(merged, patch, current, ''));
  }
  if (key === '') throw patchError('cannot merge lists without merge key for struct');
  const elements = patch as readonly JsonObject[];
  const plainOnes = elements.filter((item) => !Object.hasOwn(item, '$patch'));
  let next = [...(current as readonly JsonObject[])];
  let replaced = false;
  for (const item of elements) {
    if (!Object.hasOwn(item, '$patch')) continue;
    if (item.$patch === 'replace') replaced = true;
    else if (item.$patch === 'delete') {
      const name = keyValue(item, key);
      next = next.filter((other) => property(other, key) !== name);
    } else if (item.$patch === 'merge') throw patchError('merging lists cannot yet be specified in the patch');
    else throw patchError(`unknown patch type: ${goFormat(item.$patch)} in map: ${goFormat(item)}`);
  }
  if (replaced) return shareEach(current, appended(plainOnes) as List);
  for (const item of plainOnes) {
    const name = keyValue(item, key);
    const position = next.findIndex((other) => property(other, key) === name);
    const found = next[position];
    if (found) next[position] = mergeObject(found, item, element);
    else next.push(appended(item) as JsonObject);
  }
  return shareEach(current, arrange(next, plainOnes, current, key));
}

/**
 * The list with `names` (of $setElementOrder) first in that order and what only the server has where it stood; undefined when there is no
 * list on either side. The patch's own elements must be among the names, in the same order.
 */
export function orderList(
  live: List | undefined,
  patch: List | undefined,
  names: List,
  shape: Shape | undefined,
): List | undefined {
  const key = mergesLists(shape) ? shape.strategic.key : '';
  if (patch) checkOrder(patch, names, key);
  if (!live && !patch) return undefined;
  let merged = live ?? (plain(patch) as List);
  if (live && patch) merged = mergesLists(shape) ? mergeList(live, patch, key, shape.element) : patch;
  if ((live?.length ?? 0) + (patch?.length ?? 0) === 0) throw patchError('no elements in any of the given slices');
  return shareEach(live ?? [], arrange(merged, names, live ?? [], key));
}

function checkOrder(patch: List, names: List, key: string): void {
  const kept = key === '' ? patch : patch.filter((item) => !isObject(item) || property(item, '$patch') !== 'delete');
  if (names.length === 0 || patch.length === 0) return;
  let next = 0;
  for (const name of names) {
    for (let item = kept[next]; isObject(item) && Object.hasOwn(item, '$patch'); item = kept[next]) next++;
    if (next < kept.length && identity(kept[next], key) === identity(name, key)) next++;
  }
  if (next < kept.length) {
    throw patchError(`The order in patch list:\n${goFormat(patch)}\n doesn't match $setElementOrder list:\n${goFormat(names)}\n`);
  }
}

/** What the patch names in its order, what only the server has in the server's, woven together by where they stood before. */
function arrange(merged: List, names: List, before: List, key: string): List {
  const placeIn = (list: List) => {
    const places = new Map<unknown, number>();
    for (const [index, item] of list.entries()) {
      const name = identity(item, key);
      if (!places.has(name)) places.set(name, index);
    }
    return (item: unknown) => places.get(identity(item, key));
  };
  const named = placeIn(names);
  const stood = placeIn(before);
  const ours = sortedBy(
    merged.filter((item) => named(item) !== undefined),
    named,
  );
  const theirs = sortedBy(
    merged.filter((item) => named(item) === undefined),
    stood,
  );
  const woven: unknown[] = [];
  for (const item of ours) {
    const place = stood(item);
    for (let other = theirs[0]; other !== undefined; other = theirs[0]) {
      const otherPlace = stood(other);
      if (place === undefined || otherPlace === undefined || otherPlace >= place) break;
      woven.push(theirs.shift());
    }
    woven.push(item);
  }
  return [...woven, ...theirs];
}

/**
 * By insertion, as Go sorts up to 20 elements, since upstream's comparison is none: one that has no place comes before whatever stands in
 * front of it, so that several of them end in reverse order (normalizeSliceOrder).
 */
function sortedBy(list: List, place: (item: unknown) => number | undefined): unknown[] {
  const sorted: unknown[] = [];
  for (const item of list) {
    const at = place(item);
    const isAfter = (other: unknown) => at !== undefined && (place(other) ?? Infinity) <= at;
    sorted.splice(sorted.findLastIndex(isAfter) + 1, 0, item);
  }
  return sorted;
}

/** What an element is known by; elements of a list that merges by key must have it. */
function identity(item: unknown, key: string): unknown {
  if (key === '') return item;
  if (!isObject(item)) throw patchError(`expected a map[string]interface {}, but received a ${typeof item}`);
  return keyValue(item, key);
}

function keyValue(item: JsonObject, key: string): unknown {
  if (!Object.hasOwn(item, key)) throw patchError(`map: ${goFormat(item)} does not contain declared merge key: ${key}`);
  return item[key];
}

function typeOfElements(...lists: List[]): string {
  const types = new Set(lists.flat(1).map((item) => (isList(item) ? 'list' : typeof item)));
  if (types.has('list')) throw patchDoesNotApply();
  if (types.size > 1) throw patchError(`list element types are not identical: ${goFormat(lists)}`);
  const [type] = types;
  return type ?? 'object';
}

function shareEach(before: List, next: List): List {
  const shared = next.map((item, index) => (before[index] !== item && same(before[index], item) ? before[index] : item));
  return shareList(before, shared);
}
