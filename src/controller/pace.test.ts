import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../lib/clock.ts';
import { createPace } from './pace.ts';

describe('the pace', () => {
  it('allows a burst at once and no more', () => {
    const pace = createPace(createVirtualClock(), 100, 20);
    expect(pace.available()).toBe(20);
    pace.take(20);
    expect(pace.available()).toBe(0);
  });

  it('fills evenly, and never above the burst', async () => {
    const clock = createVirtualClock();
    const pace = createPace(clock, 100, 20);
    pace.take(20);
    await clock.advance(55);
    expect(pace.available()).toBe(5);
    await clock.advance(10_000);
    expect(pace.available()).toBe(20);
  });

  it('does not lose a part of a token to looking often', async () => {
    const clock = createVirtualClock();
    const pace = createPace(clock, 100, 20);
    pace.take(20);
    for (let look = 0; look < 10; look += 1) {
      await clock.advance(5);
      pace.available();
    }
    expect(pace.available()).toBe(5);
  });

  it('pays back what was taken beyond it', async () => {
    const clock = createVirtualClock();
    const pace = createPace(clock, 100, 10);
    pace.take(15);
    await clock.advance(50);
    expect(pace.available()).toBe(0);
    await clock.advance(10);
    expect(pace.available()).toBe(1);
  });

  it('tells how long what was taken beyond it takes to be paid back', async () => {
    const clock = createVirtualClock();
    const pace = createPace(clock, 100, 10);
    pace.take(10);
    expect(pace.owedMs()).toBe(0);
    pace.take(5);
    expect(pace.owedMs()).toBe(50);
    await clock.advance(30);
    expect(pace.owedMs()).toBeCloseTo(20);
    await clock.advance(30);
    expect(pace.owedMs()).toBe(0);
  });

  it('goes on when the clock is set back', () => {
    let now = 3_600_000;
    const pace = createPace({ ...createVirtualClock(), now: () => now }, 100, 20);
    pace.take(20);
    now = 0;
    expect(pace.available()).toBe(0);
    now = 100;
    expect(pace.available()).toBe(10);
  });
});
