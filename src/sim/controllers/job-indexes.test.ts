import { describe, expect, it } from 'vitest';
import { formatIndexes, parseIndexes, pendingIndexes } from './job-indexes.ts';

describe('completed indexes', () => {
  it.each([
    [[], ''],
    [[3], '3'],
    [[1, 2], '1,2'],
    [[1, 2, 3, 7, 9, 10], '1-3,7,9,10'],
  ])('of %j read %j, and back', (indexes, text) => {
    expect(formatIndexes(new Set(indexes))).toBe(text);
    expect([...parseIndexes(text, 100)]).toEqual(indexes);
  });

  it('drop what is beyond the completions', () => {
    expect([...parseIndexes('0-4,7', 3)]).toEqual([0, 1, 2]);
  });

  it('leave the lowest others to be done', () => {
    expect(pendingIndexes(2, 5, new Set([0, 2]))).toEqual([1, 3]);
    expect(pendingIndexes(9, 3, new Set([0]))).toEqual([1, 2]);
  });
});
