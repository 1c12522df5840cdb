import { afterEach, describe, expect, it, vi } from 'vitest';
import { createScaledClock, createVirtualClock, createWallClock } from './clock.ts';

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

describe('running the virtual clock', () => {
  it('goes on until no timer is left', async () => {
    const clock = createVirtualClock();
    let rest = 5;
    const again = () => void (--rest > 0 && clock.after(1_000, again));
    clock.after(1_000, again);
    await clock.run();
    expect([rest, clock.now()]).toEqual([0, 5_000]);
  });

  it('stands at the end of the time it was given, even when nothing happens there', async () => {
    const clock = createVirtualClock();
    const fired: number[] = [];
    for (const at of [10, 20, 21]) clock.after(at, () => void fired.push(at));
    await clock.run({ until: 20 });
    expect([fired, clock.now(), clock.next()]).toEqual([[10, 20], 20, 21]);
    await clock.run({ until: 5 });
    expect(clock.now()).toBe(20);
  });

  it('stays at the instant at which it was told to stop', async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    for (const name of ['a', 'b']) clock.after(10, () => void fired.push(name));
    clock.after(11, () => void fired.push('c'));
    await clock.run({ until: 100, stop: () => fired.includes('a') });
    expect([fired, clock.now()]).toEqual([['a', 'b'], 10]);
  });

  it('lets promises of an instant settle, however many steps they take, before the next instant', async () => {
    const clock = createVirtualClock();
    const order: string[] = [];
    const many = async () => {
      for (let step = 0; step < 50; step++) await Promise.resolve();
      await new Promise<void>((resolve) => process.nextTick(resolve));
      order.push('settled');
    };
    clock.after(1, () => void many());
    clock.after(2, () => void order.push('next'));
    await clock.run();
    expect(order).toEqual(['settled', 'next']);
  });

  it('rejects with what a callback throws, and can go on after it', async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    clock.after(1, () => {
      throw new Error('broken');
    });
    clock.after(1, () => void fired.push('same instant'));
    await expect(clock.run()).rejects.toThrow('broken');
    await clock.run();
    expect(fired).toEqual(['same instant']);
  });

  it('fires what is left in order when most of many timers were cancelled', async () => {
    const clock = createVirtualClock();
    const fired: number[] = [];
    const cancels: (() => void)[] = [];
    for (let index = 0; index < 5_000; index++) {
      const at = (index * 7_919) % 1_009;
      const cancel = clock.after(at, () => void fired.push(at * 10_000 + index));
      if (index % 10 !== 0) cancels.push(cancel);
    }
    for (const cancel of cancels) cancel();
    await clock.run();
    expect(fired).toHaveLength(500);
    expect(fired).toEqual([...fired].sort((a, b) => a - b));
  });
});

describe('the scaled clock', () => {
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  };

  it('runs as many times faster than the wall as it was told to', async () => {
    const wall = createVirtualClock(1_000);
    const clock = createScaledClock(60, 500_000, wall);
    let at = 0;
    clock.after(30_000, () => (at = clock.now()));
    await wall.advance(499);
    expect([at, clock.now()]).toEqual([0, 500_000 + 499 * 60]);
    await wall.advance(1);
    expect(at).toBe(530_000);
  });

  it('begins at the time of the wall', () => {
    expect(createScaledClock(2, undefined, createVirtualClock(77)).now()).toBe(77);
  });

  it('fires timers that are due in one tick of the wall in order, each at its own time, with promises settled between them', async () => {
    const wall = createVirtualClock();
    const clock = createScaledClock(1_000, 0, wall);
    const order: string[] = [];
    clock.after(700, () => void order.push(`b@${clock.now()}`));
    void clock.sleep(200).then(() => order.push(`a@${clock.now()}`));
    clock.after(700, () => void order.push(`c@${clock.now()}`));
    clock.after(900, () => clock.after(50, () => void order.push(`d@${clock.now()}`)));
    await wall.advance(1);
    await turns(5);
    expect(order).toEqual(['a@200', 'b@700', 'c@700', 'd@950']);
  });

  it('does not let time pass a timer that has not fired yet', async () => {
    const wall = createVirtualClock();
    let behind = 0;
    const late: typeof wall = { ...wall, now: () => wall.now() + behind };
    const clock = createScaledClock(10, 0, late);
    clock.after(50, () => {});
    behind = 1_000; // the process was busy for a second
    expect(clock.now()).toBe(50);
    await wall.advance(5);
    await turns(2);
    expect(clock.now()).toBe(10_050);
  });

  it('leaves nothing behind on the wall when its timers are cancelled', () => {
    const wall = createVirtualClock();
    const clock = createScaledClock(10, 0, wall);
    clock.after(50, () => {})();
    expect(wall.next()).toBeUndefined();
  });

  it('cannot stand still', () => {
    expect(() => createScaledClock(0)).toThrow(RangeError);
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
