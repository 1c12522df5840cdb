/**
 * Which pod is next: active ones by priority, then by the time they were queued; when none is left those that back off, soonest first
 * (backend/queue, SchedulerPopFromBackoffQ); the unschedulable wait for an event that may help, five minutes at most.
 */
import type { Clock, Millis } from '../../lib/clock.ts';
import type { PodEntry } from './cluster-view.ts';
import type { PodClass } from './pod-registry.ts';

export interface QueuedPod {
  readonly entry: PodEntry;
  queuedAt: Millis;
  /** Failed decisions: what the back-off grows with. */
  failures: number;
  backoffUntil: Millis;
  place: 'active' | 'backoff' | 'unschedulable' | 'out';
  order: number;
}

export interface SchedulingQueue {
  add(entry: PodEntry): void;
  delete(entry: PodEntry): void;
  has(entry: PodEntry): boolean;
  /** The next pod, taken out until it is bound or comes back by `fail`. */
  pop(): QueuedPod | undefined;
  /** Nothing fits: it waits for `wake`. */
  fail(pod: QueuedPod): void;
  /** Something went wrong that may go right soon: back to active after the back-off. */
  retry(pod: QueuedPod): void;
  /** Classes with unschedulable pods. */
  readonly stuck: ReadonlyMap<PodClass, ReadonlySet<QueuedPod>>;
  wake(pods: Iterable<QueuedPod>): void;
  readonly waiting: boolean;
  stop(): void;
}

export interface QueueOptions {
  readonly clock: Clock;
  /** Called whenever there is something to pop again. */
  readonly onReady: () => void;
}

// backend/queue/scheduling_queue.go, DefaultPodInitialBackoffDuration and its neighbours.
const FIRST_BACKOFF_MS = 1000;
const LAST_BACKOFF_MS = 10_000;
const LONGEST_STUCK_MS = 5 * 60_000;
const FLUSH_EVERY_MS = 30_000;
const BACKOFF_WINDOW_MS = 1000;

const bySchedule = (a: QueuedPod, b: QueuedPod) =>
  b.entry.kind.traits.priority - a.entry.kind.traits.priority || a.queuedAt - b.queuedAt || a.order - b.order;
const byBackoff = (a: QueuedPod, b: QueuedPod) => a.backoffUntil - b.backoffUntil || bySchedule(a, b);

/** A binary heap whose items may leave it lazily: `holds` says whether one still belongs here. */
function createHeap(before: (a: QueuedPod, b: QueuedPod) => number, holds: (pod: QueuedPod) => boolean) {
  const items: QueuedPod[] = [];
  const at = (index: number) => items[index] as QueuedPod;
  function push(pod: QueuedPod): void {
    let hole = items.push(pod) - 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (before(at(parent), pod) <= 0) break;
      items[hole] = at(parent);
      hole = parent;
    }
    items[hole] = pod;
  }
  function take(): QueuedPod | undefined {
    const first = items[0];
    const last = items.pop();
    if (!first || !last || items.length === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(at(child + 1), at(child)) < 0) child++;
      if (before(last, at(child)) <= 0) break;
      items[hole] = at(child);
      hole = child;
    }
    items[hole] = last;
    return first;
  }
  return {
    push,
    pop(): QueuedPod | undefined {
      let pod = take();
      while (pod && !holds(pod)) pod = take();
      return pod;
    },
  };
}

export function createSchedulingQueue({ clock, onReady }: QueueOptions): SchedulingQueue {
  const pods = new Map<PodEntry, QueuedPod>();
  const stuck = new Map<PodClass, Set<QueuedPod>>();
  const active = createHeap(bySchedule, (pod) => pod.place === 'active');
  const backoff = createHeap(byBackoff, (pod) => pod.place === 'backoff');
  const retries = new Map<QueuedPod, () => void>();
  let order = 0;
  let ready = 0;
  let cancelFlush: (() => void) | undefined;

  function enqueue(pod: QueuedPod, place: 'active' | 'backoff'): void {
    pod.place = place;
    ready++;
    (place === 'active' ? active : backoff).push(pod);
    onReady();
  }

  function pull(pod: QueuedPod): void {
    if (pod.place === 'active' || pod.place === 'backoff') ready--;
    if (pod.place === 'unschedulable') {
      for (const kind of [pod.entry.kind, ...stuck.keys()]) {
        const alike = stuck.get(kind);
        if (!alike?.delete(pod)) continue;
        if (alike.size === 0) stuck.delete(kind);
        break;
      }
    }
    retries.get(pod)?.();
    retries.delete(pod);
    pod.place = 'out';
  }

  function wakeOne(pod: QueuedPod): void {
    if (pod.place !== 'unschedulable') return;
    pull(pod);
    const now = Math.floor(clock.now() / BACKOFF_WINDOW_MS) * BACKOFF_WINDOW_MS;
    enqueue(pod, pod.backoffUntil >= now ? 'backoff' : 'active');
  }

  function flush(): void {
    cancelFlush = undefined;
    const now = clock.now();
    const old = [...stuck.values()].flatMap((alike) => [...alike].filter((pod) => now - pod.queuedAt > LONGEST_STUCK_MS));
    for (const pod of old) wakeOne(pod);
    watchStuck();
  }

  function watchStuck(): void {
    if (stuck.size > 0) cancelFlush ??= clock.after(FLUSH_EVERY_MS, flush);
  }

  function settle(pod: QueuedPod): void {
    pod.failures++;
    pod.queuedAt = clock.now();
    const duration = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (pod.failures - 1));
    pod.backoffUntil = Math.floor((pod.queuedAt + duration) / BACKOFF_WINDOW_MS) * BACKOFF_WINDOW_MS;
  }

  return {
    stuck,
    get waiting() {
      return ready > 0;
    },
    has: (entry) => pods.has(entry),
    add(entry) {
      if (pods.has(entry)) return;
      const pod: QueuedPod = {
        entry,
        queuedAt: clock.now(),
        failures: 0,
        backoffUntil: Number.NEGATIVE_INFINITY,
        place: 'out',
        order: order++,
      };
      pods.set(entry, pod);
      enqueue(pod, 'active');
    },
    delete(entry) {
      const pod = pods.get(entry);
      if (!pod) return;
      pull(pod);
      pods.delete(entry);
    },
    pop() {
      const pod = active.pop() ?? backoff.pop();
      if (pod) pull(pod);
      return pod;
    },
    fail(pod) {
      if (pods.get(pod.entry) !== pod) return;
      settle(pod);
      pod.place = 'unschedulable';
      const alike = stuck.get(pod.entry.kind);
      if (alike) alike.add(pod);
      else stuck.set(pod.entry.kind, new Set([pod]));
      watchStuck();
    },
    retry(pod) {
      if (pods.get(pod.entry) !== pod) return;
      settle(pod);
      const cancel = clock.after(Math.max(0, pod.backoffUntil - clock.now()), () => {
        retries.delete(pod);
        enqueue(pod, 'active');
      });
      retries.set(pod, cancel);
    },
    wake(some) {
      for (const pod of some) wakeOne(pod);
    },
    stop() {
      cancelFlush?.();
      for (const cancel of retries.values()) cancel();
      pods.clear();
      stuck.clear();
    },
  };
}
