import { describe, expect, it } from 'vitest';
import { NOW } from '../../../test/builders.ts';
import { exhausted, never, podReport, stopping } from '../testing/reports.ts';
import { outlookOf } from './plan.ts';

describe('outlookOf', () => {
  it.each([
    ['Leaves', podReport('a')],
    ['Stays', podReport('a', { state: 'Skipped', skipped: 'DaemonSet' })],
    ['Waits', podReport('a', { state: 'Waiting', blocker: exhausted() })],
    ['Never', podReport('a', { state: 'Waiting', blocker: never() })],
    ['HandedOver', podReport('a', { state: 'HandingOver' })],
    [
      'Never',
      podReport('a', { state: 'Protected', blocker: { cause: 'ProtectedPod', pod: 'shop/a', owner: '', why: 'NoController' } }),
    ],
    ['Going', stopping('a')],
    ['Never', { ...stopping('a'), blocker: { cause: 'Finalizer', pod: 'shop/a', finalizers: ['x/y'] } as const }],
  ] as const)('is %s', (expected, report) => {
    expect(outlookOf(report, NOW)).toBe(expected);
  });
});
