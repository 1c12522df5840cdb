import { describe, expect, it } from 'vitest';
import { NOW } from '../../../test/builders.ts';
import { exhausted, nodeReport, podReport, report } from '../testing/reports.ts';
import { type LiveStyle, liveLines } from './live-view.ts';

const style: LiveStyle = { paint: (_, text) => text, rows: 24, columns: 160, unicode: false };
const waits = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    podReport(`db-${index}`, { state: 'Waiting', blocker: exhausted(`shop/db-${index}`) }),
  );

describe('liveLines', () => {
  it('has a line per node, in columns', () => {
    const nodes = [
      nodeReport({ name: 'worker-1', startedAt: NOW - 65_000 }),
      nodeReport({ name: 'w2', phase: 'Pending', gone: 0, total: 0, remaining: 0, startedAt: null }),
      nodeReport({
        name: 'w3',
        phase: 'Drained',
        gone: 7,
        total: 7,
        remaining: 0,
        startedAt: NOW - 9_000,
        finishedAt: NOW - 1_000,
      }),
    ];
    expect(liveLines(report(nodes), style)).toEqual([
      'worker-1  Draining  ########............  12/30  1m5s',
      'w2        Pending   ....................    0/0          waits for its turn',
      'w3        Drained   ####################    7/7  8s',
    ]);
  });

  it('draws finer where the terminal can', () => {
    expect(liveLines(report([nodeReport()]), { ...style, unicode: true })[0]).toContain(
      '\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2591',
    );
  });

  it('lists the pods that something keeps, what never passes first', () => {
    const stuck = podReport('x', {
      state: 'Waiting',
      blocker: { cause: 'SeveralBudgets', pod: 'shop/x', owner: '', budgets: ['shop/a', 'shop/b'] },
    });
    const ordinary = podReport('y', { blocker: { cause: 'InFlight', pod: 'shop/y' } });
    expect(liveLines(report([nodeReport({ waitingFor: exhausted(), pods: [...waits(1), stuck, ordinary] })]), style)).toEqual([
      'w1  Draining  ########............  12/30  0s',
      '  shop/x  disruption budgets shop/a and shop/b both select it; the API server refuses to evict such a pod',
      '  shop/db-0  disruption budget shop/db allows no disruption now: 2 of 3 pods healthy, 2 needed, 0 disruptions allowed',
    ]);
  });

  it('lists at most five lines of pods for a node', () => {
    const lines = liveLines(report([nodeReport({ pods: waits(9) })]), style);
    expect(lines).toHaveLength(6);
    expect(lines.at(-1)).toBe('  and 5 more pods wait');
  });

  it('gives up the bar before the numbers on a narrow terminal', () => {
    const line = (columns: number) => liveLines(report([nodeReport()]), { ...style, columns })[0];
    expect(line(44)).toBe('w1  Draining  #####........  12/30  0s');
    expect(line(30)).toBe('w1  Draining  12/30  0s');
  });

  it('gives a pod two lines where one is too narrow, and still at most five to a node', () => {
    const lines = liveLines(report([nodeReport({ pods: waits(3) })]), { ...style, columns: 70 });
    expect(lines.slice(1)).toEqual([
      '  shop/db-0',
      expect.stringMatching(/^    disruption budget shop\/db allows/),
      '  shop/db-1',
      expect.stringMatching(/^    disruption budget/),
      '  and 1 more pod waits',
    ]);
  });

  it('says on its own line what the whole node waits for', () => {
    const [line] = liveLines(
      report([nodeReport({ phase: 'Settling', waitingFor: { cause: 'VolumesAttached', volumes: ['pv-1'] } })]),
      style,
    );
    expect(line).toMatch(/1 volume is still attached: pv-1$/);
  });

  it('never needs more rows than there are, and keeps what happens now', () => {
    const nodes = [
      ...Array.from({ length: 10 }, (_, index) => nodeReport({ name: `done-${index}`, phase: 'Drained' })),
      ...Array.from({ length: 10 }, (_, index) => nodeReport({ name: `next-${index}`, phase: 'Pending' })),
      nodeReport({ name: 'now', pods: waits(9) }),
    ];
    const lines = liveLines(report(nodes), { ...style, rows: 8 });
    expect(lines).toHaveLength(7);
    expect(lines[0]).toMatch(/^now /);
    expect(lines.at(-1)).toBe('and 16 more of 21 nodes (10 drained, 10 to come)');
  });
});
