import { describe, expect, it } from 'vitest';
import { noFailures } from '../../sim/traffic/failure-causes.ts';
import { widthOf } from '../live-region.ts';
import { liveLines } from './live-view.ts';
import type { NodeState, NodeView, Picture } from './picture.ts';

const node = (name: string, zone: string, state: NodeState, pods: number): NodeView => ({ name, zone, state, pods, pool: 'old' });

const picture: Picture = {
  now: 100_000,
  startedAt: 0,
  markedAt: 40_000,
  endedAt: null,
  boundMs: 50_000,
  nodes: [
    node('old-10', 'zone-a', 'marked', 12),
    node('old-2', 'zone-a', 'draining', 3),
    node('old-1', 'zone-a', 'gone', 0),
    node('old-3', 'zone-b', 'drained', 0),
  ],
  old: 4,
  drained: 2,
  done: 1,
  requests: {
    seconds: [
      { sent: 0, failed: 0 },
      { sent: 5, failed: 0 },
      { sent: 10, failed: 1 },
    ],
    sent: 1_500,
    failed: 1,
    failures: { ...noFailures(), Reset: 1 },
  },
  budgets: [{ namespace: 'shop', name: 'web', replicas: 4, demands: 3, ready: 3, fewest: 3, violations: 0, firstAt: null }],
  waits: [{ node: 'old-2', progress: '2/5', pod: 'shop/web-1', message: 'its replacement is not Ready yet' }],
};

function draw(changed: Partial<Picture> = {}, size: { columns?: number; rows?: number; unicode?: boolean } = {}): string[] {
  const { columns = 80, rows = 40, unicode = true } = size;
  const screen = { paint: (_: unknown, text: string) => text, columns, rows, unicode };
  return liveLines({ ...picture, ...changed }, [{ at: 5_000, line: 'the application starts', level: 'info' }], {
    screen,
  }).map((line) => line.trimEnd());
}

describe('liveLines', () => {
  it('shows each zone, what is counted, and what is waited for', () => {
    const lines = draw();
    expect(lines[0]).toMatch(/2 of 4 nodes drained, 1 all done, 1m \(the least possible: 50s\)$/);
    expect(lines.slice(2)).toEqual([
      'zone-a  · old-1  ▼ old-2  ○ old-10',
      '        gone     ■■■      ■■■■■ 12',
      '',
      'zone-b  ✓ old-3',
      '',
      '',
      '○ its turn comes   ▼ drains   ✓ drained   ■ a pod',
      '',
      'requests   ▄█   10/s  1,500 sent, 1 failed (Reset 1)',
      'budgets   0 violated; pods Ready: web 3/4',
      '',
      'old-2    2/5  shop/web-1: its replacement is not Ready yet',
      '',
      '    5s  the application starts',
    ]);
  });

  it('draws in ASCII where a terminal knows no more', () => {
    expect(draw({}, { unicode: false }).join('')).toMatch(/^[ -~]*$/);
  });

  it.each([
    [120, 40, 24],
    [60, 20, 24],
    [120, 30, 120],
    [40, 12, 120],
  ])('keeps within %i columns and %i rows for %i nodes where it can', (columns, rows, count) => {
    const nodes = Array.from({ length: count }, (_, n) => node(`old-${n + 1}`, `zone-${n % 3}`, 'marked', n % 15));
    const lines = draw({ nodes }, { columns, rows });
    const grid = lines.filter((line) => line.startsWith('zone-') || line.startsWith('        '));
    for (const line of grid) expect(widthOf(line)).toBeLessThan(columns);
    if (rows >= 20) expect(lines.length).toBeLessThan(rows);
  });
});
