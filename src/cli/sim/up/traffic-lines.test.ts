import { describe, expect, it } from 'vitest';
import { noFailures } from '../../../sim/traffic/failure-causes.ts';
import { trafficLines } from './traffic-lines.ts';

describe('trafficLines', () => {
  const one = { namespace: 'shop', service: 'web', succeeded: 0, failed: 0, failures: noFailures(), latency: undefined };

  it('tells how many failed, by cause', () => {
    const failures = { ...noFailures(), Refused: 1, Reset: 2 };
    const latency = { p50: 15.1, p90: 20, p99: 24.7, max: 30 };
    expect(trafficLines([{ ...one, sent: 1_200, succeeded: 1_197, failed: 3, failures, latency }])).toEqual([
      'traffic to shop/web: 1200 requests, 3 failed (Refused 1, Reset 2), half within 15 ms, 99 % within 25 ms',
    ]);
  });

  it('says nothing of latency when nothing has succeeded', () => {
    expect(trafficLines([{ ...one, sent: 1 }])).toEqual(['traffic to shop/web: 1 request, 0 failed']);
  });
});
