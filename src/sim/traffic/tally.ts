/** What became of the requests to one Service. */
import type { Millis } from '../../lib/clock.ts';
import { type FailureCause, type FailureCounts, failureCauses, noFailures } from './failure-causes.ts';
import { createLatencyHistogram } from './latency-histogram.ts';

export interface SecondOfTraffic {
  /** Seconds since the epoch; a request counts in the second in which it was sent. */
  readonly second: number;
  readonly sent: number;
  readonly failed: number;
}

export interface TrafficCounts {
  readonly sent: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly failures: FailureCounts;
  /** Of the requests that succeeded, in milliseconds; undefined when none did. */
  readonly latency: { readonly p50: Millis; readonly p90: Millis; readonly p99: Millis; readonly max: Millis } | undefined;
}

export interface Tally {
  send(at: Millis): void;
  succeed(latency: Millis): void;
  /** @param sentAt when the request was sent. */
  fail(sentAt: Millis, cause: FailureCause): void;
  counts(): TrafficCounts;
  /** From that second on (default: from the first), without a gap. */
  seconds(from?: number): SecondOfTraffic[];
}

export function createTally(): Tally {
  const histogram = createLatencyHistogram();
  const failures = noFailures();
  const sentIn: number[] = [];
  const failedIn = new Map<number, number>();
  let first: number | undefined;
  let sent = 0;
  let failed = 0;
  return {
    send(at) {
      sent += 1;
      const second = Math.floor(at / 1_000);
      first ??= second;
      while (sentIn.length <= second - first) sentIn.push(0);
      sentIn[second - first] = (sentIn[second - first] ?? 0) + 1;
    },
    succeed: (latency) => histogram.add(latency),
    fail(sentAt, cause) {
      failed += 1;
      failures[cause] += 1;
      const second = Math.floor(sentAt / 1_000);
      failedIn.set(second, (failedIn.get(second) ?? 0) + 1);
    },
    counts() {
      const { count, max } = histogram;
      const quantile = (share: number): Millis => histogram.quantile(share) ?? 0;
      const latency = count === 0 ? undefined : { p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), max };
      return { sent, succeeded: count, failed, failures: { ...failures }, latency };
    },
    seconds(from = first ?? 0) {
      const skipped = Math.max(0, from - (first ?? from));
      return sentIn.slice(skipped).map((inSecond, index) => {
        const second = (first ?? 0) + skipped + index;
        return { second, sent: inSecond, failed: failedIn.get(second) ?? 0 };
      });
    },
  };
}

/** The sum over several Services; latencies are not added up. */
export function totalOf(counts: readonly TrafficCounts[]): Omit<TrafficCounts, 'latency'> {
  const failures = noFailures();
  let [sent, succeeded, failed] = [0, 0, 0];
  for (const each of counts) {
    sent += each.sent;
    succeeded += each.succeeded;
    failed += each.failed;
    for (const cause of failureCauses) failures[cause] += each.failures[cause];
  }
  return { sent, succeeded, failed, failures };
}
