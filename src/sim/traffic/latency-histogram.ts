/** Latencies in buckets that grow by 4 %: any number of requests in a fixed, small memory. */
import type { Millis } from '../../lib/clock.ts';

export interface LatencyHistogram {
  add(latencyMs: Millis): void;
  readonly count: number;
  readonly max: Millis;
  /**
   * The latency that this share (0 to 1) of the requests did not exceed, at most 4 % too high and never above the maximum.
   * Undefined when nothing was added.
   */
  quantile(share: number): Millis | undefined;
}

const GROWTH = 1.04;
const LEAST_MS = 0.1;
// Up to about 40 minutes; what takes longer counts in the last one.
const BUCKETS = 440;

export function createLatencyHistogram(): LatencyHistogram {
  const buckets = new Uint32Array(BUCKETS);
  const perBucket = Math.log(GROWTH);
  let count = 0;
  let max = 0;
  return {
    add(latencyMs) {
      const index = latencyMs <= LEAST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(latencyMs / LEAST_MS) / perBucket));
      buckets[index] = (buckets[index] ?? 0) + 1;
      count += 1;
      if (latencyMs > max) max = latencyMs;
    },
    get count() {
      return count;
    },
    get max() {
      return max;
    },
    quantile(share) {
      if (count === 0) return undefined;
      let rest = Math.max(1, Math.ceil(share * count));
      for (const [index, size] of buckets.entries()) {
        rest -= size;
        if (rest <= 0) return Math.min(max, LEAST_MS * GROWTH ** index);
      }
      return max;
    },
  };
}
