import { describe, expect, it } from 'vitest';
import { noFailures } from '../../sim/traffic/failure-causes.ts';
import { brokenPromises, type DemoReport, exitCodeOf, reportLines } from './report.ts';

const budget = { namespace: 'shop', demands: 3, violations: 0, firstAt: null };
const report: DemoReport = {
  action: 'replace',
  handover: 'always',
  seed: 1,
  nodes: 24,
  nodesToDrain: 12,
  nodesDrained: 12,
  nodesDone: 12,
  podsMoved: 87,
  tookMs: 90_000,
  lowerBound: { ms: 50_000, because: 'so it is' },
  budgetViolations: 0,
  budgets: [
    { ...budget, name: 'web', replicas: 4, ready: 4, fewest: 4 },
    { ...budget, name: 'db', replicas: 3, ready: 3, fewest: 2 },
  ],
  requests: { sent: 40_000, failed: 0, failures: noFailures(), services: [] },
  stuck: [],
};
const screen = { paint: (_: unknown, text: string) => text };

describe('the report', () => {
  it('says what was done, how long it took, and what it cost', () => {
    expect(reportLines(report, screen)).toEqual([
      'nodes      12 of 12 nodes replaced in 1m30s, 1.8 times the least possible; 87 pods moved',
      '           least possible 50s: so it is',
      'budgets    0 violations of 2 budgets, counted pod by pod, whatever Drover or a status says',
      'requests   0 failed of 40,000',
      'pods       all Ready all the time: web; fewest Ready at once: db 2 of 3',
    ]);
    expect([brokenPromises(report), exitCodeOf(report)]).toEqual([[], 0]);
  });

  it.each([
    [{ nodesDone: 11, tookMs: null }, '1 of 12 nodes were not replaced', 3],
    [{ budgetViolations: 1 }, 'disruption budgets were violated 1 time', 1],
    [{ requests: { ...report.requests, failed: 2 } }, '2 requests failed', 1],
  ])('is a broken promise when %j', (changed, line, code) => {
    const broken = { ...report, ...changed };
    expect([brokenPromises(broken), exitCodeOf(broken)]).toEqual([[line], code]);
  });
});
