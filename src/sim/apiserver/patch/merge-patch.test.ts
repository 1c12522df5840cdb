import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject } from './json-value.ts';
import { mergePatch } from './merge-patch.ts';

/** A merge patch cannot say null, and loses nulls within lists of objects: neither is drawn. */
const value = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
  value: fc.oneof(fc.integer(), fc.boolean(), fc.string(), fc.array(fc.integer()), tie('object')),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'constructor', '__proto__x'), tie('value'), { maxKeys: 4 }),
}));

/** The patch that turns one object into the other. */
function difference(from: JsonObject, to: JsonObject): JsonObject {
  const patch: Record<string, unknown> = {};
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch[name] = null;
  for (const [name, next] of Object.entries(to)) {
    const before = Object.hasOwn(from, name) ? from[name] : undefined;
    patch[name] = isObject(before) && isObject(next) ? difference(before, next) : next;
  }
  return patch;
}

describe('a merge patch', () => {
  it('merges objects, replaces lists and takes away what is null', () => {
    const current = { spec: { replicas: 1, hosts: ['a'], paused: true }, kept: { x: 1 } };
    const next = mergePatch(current, { spec: { replicas: 2, hosts: ['b'], paused: null } });
    expect(next).toEqual({ spec: { replicas: 2, hosts: ['b'] }, kept: { x: 1 } });
    expect(next.kept).toBe(current.kept);
  });

  it('stores no nulls within what is new, not even within lists', () => {
    const next = mergePatch({}, { spec: { a: null, list: [{ b: null, c: 1 }, null] } });
    expect(next).toEqual({ spec: { list: [{ c: 1 }, null] } });
  });

  it('replaces an object by a text', () => {
    expect(mergePatch({ spec: { a: 1 } }, { spec: 'none' })).toEqual({ spec: 'none' });
  });

  it.each([[null], [[]], ['text'], [7]])('is an object, not %j', (patch) => {
    expect(() => mergePatch({}, patch)).toThrowError(expect.objectContaining({ code: 400, reason: 'BadRequest' }));
  });

  it('turns any object into any other by their difference, and then changes nothing more', () => {
    fc.assert(
      fc.property(value.object, value.object, (from, to) => {
        const next = mergePatch(from, difference(from, to));
        expect(next).toEqual(to);
        expect(mergePatch(next, difference(next, to))).toBe(next);
      }),
    );
  });
});
