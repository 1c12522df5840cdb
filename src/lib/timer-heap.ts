/** Pending timers in the order in which they fire: by time, then by registration. */
import type { Millis } from './clock.ts';

export interface Timer {
  readonly at: Millis;
  readonly sequence: number;
  /** Null once it has fired or was cancelled. */
  callback: (() => void) | null;
}

export interface TimerHeap {
  add(at: Millis, callback: () => void): Timer;
  /** Leaves the timer where it is and forgets its callback. */
  cancel(timer: Timer): void;
  /** The first timer that has not been cancelled. */
  first(): Timer | undefined;
  /** Takes the first timer out, if it is due at `until` or before. */
  take(until: Millis): (() => void) | undefined;
}

// A cancelled timer is dropped when it comes up. Most are taken back long before (a time limit that was kept), so once they are the
// larger half the heap is built anew: the memory stays in proportion to what is pending.
const LEAST_TO_REBUILD = 1_024;

export function createTimerHeap(): TimerHeap {
  let heap: Timer[] = [];
  let cancelled = 0;
  let sequence = 0;

  function first(): Timer | undefined {
    while (heap.length > 0 && heap[0]?.callback === null) {
      removeFirst(heap);
      cancelled -= 1;
    }
    return heap[0];
  }

  return {
    add(at, callback) {
      const timer: Timer = { at, sequence: sequence++, callback };
      insert(heap, timer);
      return timer;
    },
    cancel(timer) {
      if (timer.callback === null) return;
      timer.callback = null;
      cancelled += 1;
      if (cancelled < LEAST_TO_REBUILD || cancelled * 2 < heap.length) return;
      // A sorted list is a heap.
      heap = heap.filter((each) => each.callback !== null).sort((a, b) => (isBefore(a, b) ? -1 : 1));
      cancelled = 0;
    },
    first,
    take(until) {
      const timer = first();
      if (!timer || timer.at > until) return undefined;
      removeFirst(heap);
      const { callback } = timer;
      timer.callback = null;
      return callback ?? undefined;
    },
  };
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}

function insert(heap: Timer[], timer: Timer): void {
  let index = heap.length;
  heap.push(timer);
  while (index > 0) {
    const above = (index - 1) >> 1;
    const parent = heap[above] as Timer;
    if (!isBefore(timer, parent)) break;
    heap[index] = parent;
    index = above;
  }
  heap[index] = timer;
}

function removeFirst(heap: Timer[]): void {
  const moved = heap.pop();
  if (!moved || heap.length === 0) return;
  const { length } = heap;
  let index = 0;
  for (let below = 1; below < length; below = 2 * index + 1) {
    if (below + 1 < length && isBefore(heap[below + 1] as Timer, heap[below] as Timer)) below += 1;
    const child = heap[below] as Timer;
    if (!isBefore(child, moved)) break;
    heap[index] = child;
    index = below;
  }
  heap[index] = moved;
}
