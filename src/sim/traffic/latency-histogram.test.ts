import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLatencyHistogram } from './latency-histogram.ts';

describe('a latency histogram', () => {
  it('has no quantiles while it is empty', () => {
    expect(createLatencyHistogram().quantile(0.5)).toBeUndefined();
  });

  it('gives each quantile at most 4 % too high', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 600_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (latencies, share) => {
          const histogram = createLatencyHistogram();
          for (const latency of latencies) histogram.add(latency);
          const exact = latencies.sort((a, b) => a - b)[Math.max(1, Math.ceil(share * latencies.length)) - 1] ?? 0;
          const told = histogram.quantile(share) ?? 0;
          expect(told).toBeGreaterThanOrEqual(exact * 0.999999);
          expect(told).toBeLessThanOrEqual(exact * 1.040001);
        },
      ),
    );
  });

  it('counts what is too short or too long in its first and last bucket', () => {
    const histogram = createLatencyHistogram();
    histogram.add(0);
    histogram.add(1e9);
    expect([histogram.count, histogram.quantile(0.5), histogram.max]).toEqual([2, 0.1, 1e9]);
  });
});
