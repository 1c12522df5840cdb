import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../lib/clock.ts';
import { startPoller } from './poller.ts';
import type { Reading, Source } from './source.ts';

const nothing: Reading = { signals: [] };

function bench(read: Source['read'], more: Partial<Source> = {}, others: readonly Source[] = []) {
  const clock = createVirtualClock(0);
  const log: string[] = [];
  const source: Source = { name: 'a', everyMs: 1_000, timeoutMs: 5_000, owns: () => false, read, ...more };
  const poller = startPoller({
    sources: [source, ...others],
    clock,
    random: () => 0.5,
    earlier: () => [],
    onReading: ({ name }) => log.push(`${clock.now()} ${name} ok`),
    onFailure: ({ name }, message) => log.push(`${clock.now()} ${name} ${message}`),
  });
  return { clock, log, poller, health: () => poller.health()[0] };
}

describe('the poller', () => {
  it('reads at once, and then again and again', async () => {
    const { clock, log, poller } = bench(() => Promise.resolve(nothing));
    await clock.advance(2_500);
    expect(log).toEqual(['0 a ok', '1000 a ok', '2000 a ok']);
    poller.stop();
    await clock.advance(10_000);
    expect(log).toHaveLength(3);
    expect(clock.next()).toBeUndefined();
  });

  it('asks a source that fails less and less often, never more often than a good one', async () => {
    const { clock, log } = bench(() => Promise.reject(new Error('503')));
    await clock.advance(120_000);
    const times = log.map((line) => Number(line.split(' ')[0]));
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits.slice(0, 7)).toEqual([1_500, 2_000, 3_000, 5_000, 9_000, 16_000, 16_000]);
  });

  it('takes what is thrown at once for a failure, and is back at its pace after a success', async () => {
    let tries = 0;
    const { clock, log } = bench(() => {
      tries += 1;
      if (tries < 3) throw new Error('bug');
      return Promise.resolve(nothing);
    });
    await clock.advance(5_000);
    expect(log).toEqual(['0 a bug', '1500 a bug', '3500 a ok', '4500 a ok']);
  });

  it('gives up a source that hangs, with its signal or without, and delays no other', async () => {
    let aborted = false;
    const other: Source = {
      name: 'b',
      everyMs: 2_000,
      timeoutMs: 5_000,
      owns: () => false,
      read: () => Promise.resolve(nothing),
    };
    const { clock, log } = bench(
      (_, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => (aborted = true));
        }),
      {},
      [other],
    );
    await clock.advance(5_000);
    expect(log).toEqual(['0 b ok', '2000 b ok', '4000 b ok', '5000 a no answer within 5 s']);
    expect(aborted).toBe(true);
  });

  it('says that a source is degraded only when it has failed for a while, and not any more when it answers', async () => {
    let good = true;
    const { clock, health } = bench(() => (good ? Promise.resolve(nothing) : Promise.reject(new Error('503'))));
    await clock.advance(1_000);
    expect(health()).toEqual({ name: 'a', lastSuccess: 1_000, failure: null, degraded: false });
    good = false;
    await clock.advance(14_000);
    expect(health()).toEqual({ name: 'a', lastSuccess: 1_000, failure: '503', degraded: false });
    await clock.advance(1_000);
    expect(health()).toMatchObject({ degraded: true, lastSuccess: 1_000 });
    good = true;
    await clock.advance(60_000);
    expect(health()).toMatchObject({ degraded: false, failure: null });
  });

  it('gives a slow source three of its periods before it is degraded', async () => {
    const { clock, health } = bench(() => Promise.reject(new Error('x')), { everyMs: 60_000 });
    await clock.advance(179_000);
    expect(health()).toMatchObject({ failure: 'x', degraded: false, lastSuccess: null });
    await clock.advance(1_000);
    expect(health()).toMatchObject({ degraded: true });
  });
});
