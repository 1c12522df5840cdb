import { describe, expect, it } from 'vitest';
import { fullJitter } from './backoff.ts';

describe('full jitter', () => {
  it('draws from zero up to a bound that doubles until the cap', () => {
    const bound = (attempt: number) => fullJitter(attempt, () => 1);
    expect([0, 1, 2, 5, 6, 1000].map(bound)).toEqual([800, 1600, 3200, 25_600, 30_000, 30_000]);
    expect(fullJitter(9, () => 0)).toBe(0);
    expect(fullJitter(2, () => 0.5, 100, 10_000)).toBe(200);
    expect(fullJitter(9, () => 0.5, 100, 10_000)).toBe(5000);
  });
});
