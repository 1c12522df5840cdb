import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLimit, resolveLimit } from './int-or-percent.ts';

describe('parseLimit', () => {
  it('reads numbers and whole percentages', () => {
    expect([parseLimit(0), parseLimit(7), parseLimit('0%'), parseLimit('10%'), parseLimit('100%')]).toEqual([
      { count: 0 },
      { count: 7 },
      { percent: 0 },
      { percent: 10 },
      { percent: 100 },
    ]);
  });

  it.each([-1, 1.5, '7', '101%', '010%', '1.5%', '%', ''])('refuses %j', (value) => {
    expect(() => parseLimit(value)).toThrow(RangeError);
  });
});

describe('resolveLimit', () => {
  it.each([
    ['10%', 100, 10],
    ['10%', 19, 1],
    ['10%', 5, 1],
    ['50%', 5, 2],
    ['0%', 100, 0],
    [0, 100, 0],
    [3, 2, 3],
  ])('%s of %i nodes is %i', (limit, total, expected) => expect(resolveLimit(parseLimit(limit), total)).toBe(expected));

  it('never exceeds the share it was given, but for the one node that a share above 0% always allows', () => {
    const percent = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(percent, fc.nat(10_000), (share, total) => {
        const allowed = resolveLimit(parseLimit(`${share}%`), total);
        return allowed >= 1 && (allowed === 1 || allowed * 100 <= total * share);
      }),
    );
  });
});
