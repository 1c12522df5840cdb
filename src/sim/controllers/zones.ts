/** How fast nodes that are not ready get their NoExecute taint: by zone, and not at all when it looks as if the watcher were the one cut off. */
import type { Clock, Millis } from '../../lib/clock.ts';

/** node_lifecycle_controller.go, ComputeZoneState. */
export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption';

// kube-controller-manager's flags and their defaults.
const EVERY: Millis = 10_000; // --node-eviction-rate 0.1
const EVERY_IN_LARGE_ZONE: Millis = 100_000; // --secondary-node-eviction-rate 0.01
const LARGE_ZONE = 50; // --large-cluster-size-threshold
const UNHEALTHY_SHARE = 0.55; // --unhealthy-zone-threshold

export function zoneState(ready: number, notReady: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'FullDisruption';
  return notReady > 2 && notReady / (ready + notReady) >= UNHEALTHY_SHARE ? 'PartialDisruption' : 'Normal';
}

/** Between two nodes of a zone; Infinity: none. */
export function taintInterval(state: ZoneState, nodes: number): Millis {
  if (state !== 'PartialDisruption') return EVERY;
  return nodes > LARGE_ZONE ? EVERY_IN_LARGE_ZONE : Number.POSITIVE_INFINITY;
}

export interface TaintLine {
  add(node: string): void;
  remove(node: string): void;
  setInterval(ms: Millis): void;
  stop(): void;
}

/** One zone's queue: the first node at once, the others one per interval. */
export function createTaintLine(clock: Clock, taint: (node: string) => void): TaintLine {
  const waiting = new Set<string>();
  let interval = EVERY;
  let last = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | undefined;

  function arm(): void {
    cancel?.();
    cancel = undefined;
    if (waiting.size === 0 || interval === Number.POSITIVE_INFINITY) return;
    cancel = clock.after(Math.max(0, last + interval - clock.now()), () => {
      const [first] = waiting;
      if (first === undefined) return;
      waiting.delete(first);
      last = clock.now();
      taint(first);
      arm();
    });
  }

  return {
    add(node) {
      if (waiting.has(node)) return;
      waiting.add(node);
      if (waiting.size === 1) arm();
    },
    remove(node) {
      if (waiting.delete(node)) arm();
    },
    setInterval(ms) {
      if (ms === interval) return;
      interval = ms;
      arm();
    },
    stop() {
      cancel?.();
      waiting.clear();
    },
  };
}
