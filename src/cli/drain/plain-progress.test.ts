import { describe, expect, it } from 'vitest';
import { NOW } from '../../../test/builders.ts';
import { exhausted, never, nodeReport, podReport, report, stopping } from '../testing/reports.ts';
import { createPlainProgress } from './plain-progress.ts';

describe('createPlainProgress', () => {
  it('tells the whole story of a node, a line per change', () => {
    const linesOf = createPlainProgress();
    const draining = { total: 2, gone: 0, remaining: 2 };
    const story = [
      report([nodeReport({ phase: 'Pending', startedAt: null, ...draining })]),
      report([nodeReport({ ...draining, pods: [podReport('a'), podReport('b')] })]),
      report([nodeReport({ ...draining, pods: [stopping('a'), podReport('b', { state: 'HandingOver' })] })]),
      report([nodeReport({ total: 2, gone: 1, remaining: 1, pods: [podReport('b', { state: 'HandingOver' })] })]),
      report([nodeReport({ total: 2, gone: 1, remaining: 1, pods: [stopping('b')] })]),
      report([nodeReport({ total: 2, gone: 2, remaining: 0, phase: 'Settling' })]),
      report([nodeReport({ total: 2, gone: 2, remaining: 0, phase: 'Drained', finishedAt: NOW + 72_000 })]),
    ];
    expect(story.flatMap(linesOf)).toEqual([
      'w1: cordoned',
      'w1: draining, 2 pods to move',
      'w1: pod shop/a evicted',
      'w1: pod shop/b handed over: its replacement comes first',
      'w1: pod shop/a gone (1/2)',
      'w1: pod shop/b evicted',
      'w1: pod shop/b gone (2/2)',
      'w1: empty',
      'w1: drained in 1m12s, 2 pods moved',
    ]);
  });

  it('says nothing when nothing has changed', () => {
    const linesOf = createPlainProgress();
    const same = report([nodeReport({ pods: [podReport('a')] })]);
    linesOf(same);
    expect(linesOf(same)).toEqual([]);
  });

  it('counts up through pods that leave between two reports', () => {
    const linesOf = createPlainProgress();
    linesOf(report([nodeReport({ pods: [podReport('a'), podReport('b'), podReport('c')], gone: 0, total: 3 })]));
    const lines = linesOf(report([nodeReport({ pods: [podReport('c')], gone: 2, total: 3 })]));
    expect(lines).toEqual(['w1: pod shop/a gone (1/3)', 'w1: pod shop/b gone (2/3)']);
  });

  it('keeps quiet about pods that stay', () => {
    const linesOf = createPlainProgress();
    linesOf(report([nodeReport({ pods: [podReport('agent', { state: 'Skipped' })], total: 0, gone: 0 })]));
    expect(linesOf(report([nodeReport({ pods: [], total: 0, gone: 0 })]))).toEqual([]);
  });

  const waiting = (blocker = exhausted()) => [
    nodeReport({ waitingFor: blocker, pods: [podReport('db-0', { state: 'Waiting', blocker })] }),
  ];
  const sentence =
    'w1: pod shop/db-0 waits: disruption budget shop/db allows no disruption now: 2 of 3 pods healthy, 2 needed, 0 disruptions allowed';

  it('tells a wait when it has lasted, and again after 30 s', () => {
    const linesOf = createPlainProgress();
    linesOf(report(waiting(), 0));
    expect([1, 3, 4, 32, 33, 62, 63].map((second) => [second, linesOf(report(waiting(), second))])).toEqual([
      [1, []],
      [3, [sentence]],
      [4, []],
      [32, []],
      [33, [sentence]],
      [62, []],
      [63, [sentence]],
    ]);
  });

  it('tells at once what never ends by itself', () => {
    const lines = createPlainProgress()(report(waiting(never())));
    expect(lines).toContain(
      'w1: pod shop/db-0 waits: disruption budget shop/db can never allow a disruption: it demands 3 of 3 pods',
    );
  });

  it('forgets a wait that has ended, so that the next one has to last again', () => {
    const linesOf = createPlainProgress();
    for (const second of [0, 3]) linesOf(report(waiting(), second));
    linesOf(report([nodeReport({ pods: [podReport('db-0')] })], 4));
    expect(linesOf(report(waiting(), 5))).toEqual([]);
    expect(linesOf(report(waiting(), 8))).toEqual([sentence]);
  });

  it('tells what an empty node waits for', () => {
    const linesOf = createPlainProgress();
    const settling = [nodeReport({ phase: 'Settling', waitingFor: { cause: 'VolumesAttached', volumes: ['pv-1'] } })];
    linesOf(report(settling, 0));
    expect(linesOf(report(settling, 3))).toEqual(['w1: waits: 1 volume is still attached: pv-1']);
  });

  it('says why a node was given up', () => {
    const linesOf = createPlainProgress();
    expect(linesOf(report([nodeReport({ phase: 'Undoing', message: 'the node was uncordoned by someone else' })]))).toEqual([
      'w1: handing it back: the node was uncordoned by someone else',
    ]);
  });
});
