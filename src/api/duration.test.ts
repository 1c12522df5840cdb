import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, isDuration, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['0s', 0],
    ['500ms', 500],
    ['2m', 120_000],
    ['1h30m', 5_400_000],
    ['1m500ms', 60_500],
    ['30m1h', 5_400_000],
    ['99999h', 359_996_400_000],
  ])('reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '0', '10', 's', '1.5h', '-1s', '1 h', '1d', '1M', '100000h', '1h1h1h1h1h', '1h\n'])('refuses %j', (text) => {
    expect(isDuration(text)).toBe(false);
    expect(() => parseDuration(text)).toThrow('is not a duration');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [5_400_000, '1h30m'],
    [1_500, '1s500ms'],
    [86_400_000, '24h'],
    [0.4, '0s'],
  ])('writes %d as the shortest text', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('is read back as the same time', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 359_999_999_999 }), (ms) => parseDuration(formatDuration(ms)) === ms));
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 360_000_000_000])('refuses %d', (ms) => {
    expect(() => formatDuration(ms)).toThrow(RangeError);
  });
});
