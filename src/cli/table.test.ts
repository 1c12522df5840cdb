import { describe, expect, it } from 'vitest';
import { elapsed } from './elapsed.ts';
import { table } from './table.ts';

describe('table', () => {
  it('makes each column as wide as its widest cell, with three spaces between', () => {
    expect(
      table(
        ['NODE', 'PODS'],
        [
          ['worker-1', '3/30'],
          ['w2', ''],
        ],
      ),
    ).toEqual(['NODE       PODS', 'worker-1   3/30', 'w2         -']);
  });

  it('is its header when there are no rows', () => {
    expect(table(['NODE', 'PODS'], [])).toEqual(['NODE   PODS']);
  });
});

describe('elapsed', () => {
  it.each([
    [0, '0s'],
    [999, '0s'],
    [-5_000, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [125_000, '2m5s'],
    [3_600_000, '1h'],
    [3_605_000, '1h'],
    [10_920_000, '3h2m'],
    [90_000_000, '1d1h'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(elapsed(ms)).toBe(text);
  });
});
