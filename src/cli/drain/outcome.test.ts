import { describe, expect, it } from 'vitest';
import type { DrainOutcome } from '../../controller/drain-report.ts';
import { exhausted, nodeReport, podReport, report } from '../testing/reports.ts';
import { exitCodeOf, failureLines, resultObject } from './outcome.ts';

const result = (...outcomes: DrainOutcome[]) => ({
  ok: outcomes.every((outcome) => outcome === 'Drained'),
  nodes: outcomes.map((outcome, index) => ({ name: `w${index + 1}`, outcome, message: '', seconds: 65.2, pods: 12 })),
});
const last = report([
  nodeReport({
    cordoned: true,
    remaining: 1,
    waitingFor: exhausted(),
    pods: [podReport('db-0', { state: 'Waiting', blocker: exhausted() })],
  }),
]);

describe('the end of a drain', () => {
  it.each([
    [['Drained', 'Drained'], 0],
    [['Drained', 'TimedOut'], 3],
    [['Failed'], 3],
    [['Drained', 'NotStarted'], 3],
    [['Interrupted', 'NotStarted'], 130],
  ] as const)('with %j is exit code %i', (outcomes, code) => {
    expect(exitCodeOf(result(...outcomes))).toBe(code);
  });

  it('says nothing more when every node is drained', () => {
    expect(failureLines(result('Drained'), last, 'drover')).toEqual([]);
  });

  it('says what keeps a node, that it stays cordoned, and how to go on', () => {
    expect(failureLines(result('TimedOut', 'NotStarted'), last, 'kubectl drover')).toEqual([
      'error: node w1 was not drained in time, after 1m5s: 1 pod is left; shop/db-0: disruption budget shop/db allows no disruption now: 2 of 3 pods healthy, 2 needed, 0 disruptions allowed',
      '  what would help: one more Ready pod of the budget (it has 2 of 3 needed)',
      'error: node w2 was not begun; nothing was changed on it',
      'It stays cordoned. Run the same command to go on, or give back with: kubectl drover uncordon w1',
    ]);
  });

  it('does not say that a node stays cordoned when someone has uncordoned it', () => {
    const open = report([nodeReport({ remaining: 1, cordoned: false })]);
    expect(failureLines(result('Failed'), open, 'drover')).toEqual([expect.stringContaining('w1 was not drained after 1m5s')]);
  });

  it('as an object names every pod that is left, with what would unblock it', () => {
    expect(resultObject(result('TimedOut'), last)).toEqual({
      ok: false,
      nodes: [
        {
          name: 'w1',
          outcome: 'TimedOut',
          seconds: 65.2,
          podsMoved: 12,
          waitingFor: expect.objectContaining({ cause: 'BudgetExhausted', passes: true }),
          podsLeft: [
            expect.objectContaining({
              pod: 'shop/db-0',
              state: 'Waiting',
              owner: 'ReplicaSet/web',
              unblock: expect.stringContaining('one more Ready pod'),
            }),
          ],
        },
      ],
    });
  });
});
