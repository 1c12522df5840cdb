import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MINUTE, NOW, SECOND } from '../../../test/builders.ts';
import { type Breaker, turnBreaker } from './breaker.ts';

const rule = { failures: 2, withinMs: 60 * MINUTE };
const facts = { generation: 1, resumedAt: null, failures: [] as number[], now: NOW };
const two = [NOW - MINUTE, NOW - 2 * MINUTE];
const open: Breaker = { open: true, since: NOW, generation: 1 };

describe('a breaker', () => {
  it('opens with as many failures as it says, and not with one fewer', () => {
    expect(turnBreaker(rule, null, { ...facts, failures: two.slice(1) })).toMatchObject({ open: false });
    expect(turnBreaker(rule, null, { ...facts, failures: two })).toEqual(open);
  });

  it('does not count failures of long ago', () => {
    expect(turnBreaker(rule, null, { ...facts, failures: [NOW, NOW - 60 * MINUTE] })).toMatchObject({ open: false });
  });

  it('stays open when the failures are forgotten: a person has to look', () => {
    expect(turnBreaker(rule, open, { ...facts, now: NOW + 1_000 * MINUTE })).toBe(open);
  });

  it('is closed by a person, and counts from then on', () => {
    const resumedAt = NOW + MINUTE;
    const closed = turnBreaker(rule, open, { ...facts, failures: two, resumedAt, now: NOW + 2 * MINUTE });
    expect(closed).toEqual({ open: false, since: resumedAt, generation: 1 });
    const later = { ...facts, resumedAt, now: NOW + 5 * MINUTE };
    expect(turnBreaker(rule, closed, { ...later, failures: [...two, NOW + 3 * MINUTE] })).toBe(closed);
    expect(turnBreaker(rule, closed, { ...later, failures: [...two, NOW + 3 * MINUTE, NOW + 4 * MINUTE] })).toMatchObject({
      open: true,
    });
  });

  it('is not closed by what a person said before it opened', () => {
    expect(turnBreaker(rule, open, { ...facts, resumedAt: NOW - SECOND })).toBe(open);
  });

  it('is closed by a word of the same second, which is as fine as a condition can tell', () => {
    const inSeconds = { ...open, since: Math.floor(NOW / SECOND) * SECOND };
    expect(turnBreaker(rule, { ...open, since: NOW + 700 }, { ...facts, resumedAt: inSeconds.since })).toMatchObject({
      open: false,
    });
  });

  it('is closed by a change of the policy', () => {
    const changed = turnBreaker(rule, open, { ...facts, generation: 2, failures: two });
    expect(changed).toEqual({ open: false, since: NOW, generation: 2 });
    expect(turnBreaker(rule, changed, { ...facts, generation: 2, failures: two, now: NOW + SECOND })).toBe(changed);
  });

  it('is the same after a restart that read it from its condition', () => {
    const at = fc.integer({ min: 0, max: 20 }).map((minutes) => NOW + minutes * MINUTE + 123);
    const step = fc.record({
      failures: fc.array(at, { maxLength: 4 }),
      resumedAt: fc.option(at),
      generation: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let kept: Breaker | null = null;
        let restarted: Breaker | null = null;
        let generation = 1;
        let resumedAt: number | null = null;
        const failures: number[] = [];
        steps.forEach((each, index) => {
          const now = NOW + (index + 1) * 3 * MINUTE;
          generation = Math.max(generation, each.generation);
          failures.push(...each.failures.filter((at) => at <= now));
          if (each.resumedAt !== null && each.resumedAt <= now) resumedAt = Math.max(resumedAt ?? 0, each.resumedAt);
          const seen = { generation, resumedAt, failures, now };
          kept = turnBreaker(rule, kept, seen);
          restarted = turnBreaker(rule, restarted, { ...seen, failures: failures.map((at) => Math.floor(at / SECOND) * SECOND) });
          restarted = { ...restarted, since: Math.floor(restarted.since / SECOND) * SECOND };
          expect(restarted.open).toBe(kept.open);
        });
      }),
    );
  });
});
