import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { same } from './same.ts';

describe('same', () => {
  it.each([
    [{ a: 1 }, { a: 1 }, true],
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: undefined }, true],
    [{ a: undefined }, { b: 1 }, false],
    [{ a: null }, {}, false],
    [[1, 2], [1, 2], true],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [{}, [], false],
    [null, {}, false],
    ['1', 1, false],
  ])('says of %j and %j: %s', (a, b, expected) => {
    expect(same(a, b)).toBe(expected);
  });

  it('agrees with a comparison of sorted JSON', () => {
    const sorted = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(sorted)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([key, one]) => [key, sorted(one)]),
            )
          : value;
    const small = fc.jsonValue({ maxDepth: 3, depthSize: 'small' }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    fc.assert(fc.property(small, small, (a, b) => same(a, b) === (JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)))));
    fc.assert(fc.property(small, (a) => same(a, JSON.parse(JSON.stringify(a)))));
  });
});
