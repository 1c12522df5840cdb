import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../lib/clock.ts';
import { Failure } from '../apiserver/failure.ts';
import { createWorkQueue, keyOf, splitKey } from './work-queue.ts';

function recorder(latency?: { least: number; spread: number }) {
  const clock = createVirtualClock();
  const seen: string[] = [];
  let fail: ((key: string) => void) | undefined;
  const queue = createWorkQueue({
    clock,
    latency,
    random: () => 0.5,
    process: (key) => {
      seen.push(`${key}@${clock.now()}`);
      fail?.(key);
    },
  });
  return { clock, seen, queue, failWith: (thrower: typeof fail) => (fail = thrower) };
}

describe('the work queue', () => {
  it('processes a key once, however often it was added, and never before the clock moves', async () => {
    const { clock, seen, queue } = recorder();
    queue.add('a');
    queue.add('b');
    queue.add('a');
    expect(seen).toEqual([]);
    await clock.advance(0);
    expect(seen).toEqual(['a@0', 'b@0']);
    queue.add('a');
    await clock.advance(0);
    expect(seen).toEqual(['a@0', 'b@0', 'a@0']);
  });

  it('waits its latency, a part of it drawn', async () => {
    const { clock, seen, queue } = recorder({ least: 10, spread: 20 });
    queue.add('a');
    await clock.advance(100);
    expect(seen).toEqual(['a@20']);
  });

  it('keeps the earliest of several delays, and a key may wait and be queued at once', async () => {
    const { clock, seen, queue } = recorder();
    queue.addAfter('a', 50);
    queue.addAfter('a', 30);
    queue.addAfter('a', 40);
    queue.add('a');
    await clock.advance(100);
    expect(seen).toEqual(['a@0', 'a@30']);
  });

  it('tries again with a doubling delay after a conflict, and from the beginning after a success', async () => {
    const { clock, seen, queue, failWith } = recorder();
    failWith(() => {
      throw new Failure(409, 'Conflict', 'changed');
    });
    queue.add('a');
    await clock.advance(20);
    expect(seen).toEqual(['a@0', 'a@5', 'a@15']);
    failWith(undefined);
    await clock.advance(1_000);
    expect(seen.at(-1)).toBe('a@35');
    failWith(() => {
      failWith(undefined);
      throw new Failure(404, 'NotFound', 'gone');
    });
    queue.add('a');
    await clock.advance(10);
    expect(seen.slice(-2)).toEqual(['a@1020', 'a@1025']);
  });

  it('grows the delay of a key that asks for a retry while it is processed', async () => {
    const { clock, seen, queue, failWith } = recorder();
    failWith((key) => queue.retry(key));
    queue.add('a');
    await clock.advance(40);
    expect(seen).toEqual(['a@0', 'a@5', 'a@15', 'a@35']);
  });

  it('hands what is not a conflict to whoever drives the clock', async () => {
    const { clock, queue, failWith } = recorder();
    failWith(() => {
      throw new TypeError('a defect');
    });
    queue.add('a');
    await expect(clock.advance(1)).rejects.toThrow('a defect');
  });

  it('does nothing after it was stopped', async () => {
    const { clock, seen, queue } = recorder();
    queue.add('a');
    queue.addAfter('b', 10);
    queue.stop();
    queue.add('c');
    await clock.advance(100);
    expect(seen).toEqual([]);
    expect(clock.next()).toBeUndefined();
  });
});

describe('a key', () => {
  it('is the name, with the namespace when there is one', () => {
    const metadata = { name: 'web', uid: '', resourceVersion: '', creationTimestamp: '' };
    expect(splitKey(keyOf({ metadata }))).toEqual({ namespace: '', name: 'web' });
    expect(splitKey(keyOf({ metadata: { ...metadata, namespace: 'shop' } }))).toEqual({ namespace: 'shop', name: 'web' });
  });
});
