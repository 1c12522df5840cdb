import { describe, expect, it } from 'vitest';
import { milliOf, unitsOf } from './quantity.ts';

describe('quantities', () => {
  it.each([
    ['2', 2, 2000],
    ['100m', 1, 100],
    ['0.1', 1, 100],
    ['1.1', 2, 1100],
    ['1.0005', 2, 1001],
    ['1Gi', 1024 ** 3, 1000 * 1024 ** 3],
    ['1.5Gi', 1.5 * 1024 ** 3, 1500 * 1024 ** 3],
    ['1k', 1000, 1_000_000],
    ['12e3', 12_000, 12_000_000],
    ['1E', 1e18, 1e21],
    ['250000u', 1, 250],
    ['1n', 1, 1],
    ['.5', 1, 500],
    ['-1.5', -1, -1500],
    ['0', 0, 0],
  ])('%s is %d units and %d thousandths', (text, units, milli) => {
    expect([unitsOf(text), milliOf(text)]).toEqual([units, milli]);
  });

  it('takes numbers as they are, and nothing as none', () => {
    expect([unitsOf(3), milliOf(0.25), unitsOf(undefined)]).toEqual([3, 250, 0]);
  });

  it.each(['', 'm', '1 Gi', 'abc', '1Kib'])('refuses %j', (text) => {
    expect(() => unitsOf(text)).toThrow(/is not a number with a unit/);
  });
});
