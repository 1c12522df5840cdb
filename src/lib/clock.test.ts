import { afterEach, describe, expect, it, vi } from 'vitest';
import { createVirtualClock, createWallClock } from './clock.ts';

describe('the virtual clock', () => {
  it('stands still until it is told to move', async () => {
    const clock = createVirtualClock(1_000);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(clock.now()).toBe(1_000);
  });

  it('fires timers in the order of their times, then of their registration, each at its own time', async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    const note = (name: string) => () => void fired.push(`${name}@${clock.now()}`);
    clock.after(20, note('c'));
    clock.after(10, note('a'));
    clock.after(10, note('b'));
    await clock.advance(30);
    expect(fired).toEqual(['a@10', 'b@10', 'c@20']);
    expect(clock.now()).toBe(30);
  });

  it('fires timers that timers set on the way', async () => {
    const clock = createVirtualClock();
    const fired: number[] = [];
    const again = () => {
      fired.push(clock.now());
      clock.after(10, again);
    };
    clock.after(10, again);
    await clock.advance(35);
    expect(fired).toEqual([10, 20, 30]);
    expect(clock.next()).toBe(40);
  });

  it('takes a negative delay for none, and fires it in the next advance', async () => {
    const clock = createVirtualClock(5);
    let at = -1;
    clock.after(-100, () => (at = clock.now()));
    await clock.advance(0);
    expect(at).toBe(5);
  });

  it('does not fire what was cancelled', async () => {
    const clock = createVirtualClock();
    let fired = false;
    const cancel = clock.after(10, () => (fired = true));
    cancel();
    cancel();
    await clock.advance(20);
    expect(fired).toBe(false);
    expect(clock.next()).toBeUndefined();
  });

  it('lets what awaits a sleep run before the next timer fires', async () => {
    const clock = createVirtualClock();
    const order: string[] = [];
    void clock.sleep(10).then(() => order.push('slept'));
    clock.after(11, () => order.push('timer'));
    await clock.advance(20);
    expect(order).toEqual(['slept', 'timer']);
  });
});

describe('a sleep', () => {
  it('ends with the reason of the signal, and leaves no timer behind', async () => {
    const clock = createVirtualClock();
    const controller = new AbortController();
    const slept = clock.sleep(10, controller.signal);
    controller.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
    expect(clock.next()).toBeUndefined();
  });

  it('does not begin under a signal that is aborted already', async () => {
    const clock = createVirtualClock();
    await expect(clock.sleep(10, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    expect(clock.next()).toBeUndefined();
  });
});

describe('the wall clock', () => {
  afterEach(() => void vi.useRealTimers());

  it('waits longer than one timer can hold, and can be cancelled on the way', () => {
    vi.useFakeTimers();
    const clock = createWallClock();
    const fired: string[] = [];
    clock.after(2 ** 31 + 5, () => fired.push('long'));
    const cancel = clock.after(2 ** 31 + 5, () => fired.push('cancelled'));
    vi.advanceTimersByTime(2 ** 31);
    cancel();
    vi.advanceTimersByTime(4);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['long']);
  });
});
