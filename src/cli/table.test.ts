import { describe, expect, it } from 'vitest';
import { elapsed } from './elapsed.ts';
import { foldedTable, table } from './table.ts';

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

describe('foldedTable', () => {
  const header = ['NODE', 'REASON', 'WAITING FOR'];
  const rows = [
    ['a', 'taint x', 'shop/db'],
    ['b', 'taint y', ''],
  ];
  const folded = (columns: number) => foldedTable(header, rows, columns, ['because of', 'waits:']);

  it('is the table where there is room', () => {
    expect(folded(Number.POSITIVE_INFINITY)).toEqual(table(header, rows));
    expect(folded(28)).toEqual(table(header, rows));
  });

  it('puts the last columns below their row where there is not', () => {
    expect(folded(27)).toEqual(['NODE', 'a', '  because of taint x', '  waits: shop/db', 'b', '  because of taint y']);
  });
});
