import { describe, expect, it } from 'vitest';
import type { Container } from '../kubernetes.ts';
import { readinessOf } from './readiness.ts';

const of = (container: Partial<Container>, able: number) => readinessOf({ name: 'c', ...container }, able);
const ready = (startedAfter: number, readyAfter: number) => ({ ready: true, startedAfter, readyAfter });

describe('readinessOf', () => {
  it.each([
    ['without probes, when it answers', {}, 500, ready(0, 500)],
    ['at the first probe, when it answers before', { readinessProbe: { initialDelaySeconds: 5 } }, 0, ready(0, 5_000)],
    ['at the next probe, ten seconds apart by default', { readinessProbe: {} }, 1, ready(0, 10_000)],
    [
      'after as many successes as are asked for',
      { readinessProbe: { periodSeconds: 2, successThreshold: 3 } },
      1_000,
      ready(0, 6_000),
    ],
    [
      'not before the startup probe',
      { startupProbe: { periodSeconds: 4 }, readinessProbe: { periodSeconds: 1 } },
      3_000,
      ready(4_000, 4_000),
    ],
    ['never, when it never answers', { readinessProbe: {} }, Number.POSITIVE_INFINITY, ready(0, Number.POSITIVE_INFINITY)],
  ] as const)('is ready %s', (_, container, able, expected) => {
    expect(of(container, able)).toEqual(expected);
  });

  it('is killed when the startup probe gives up', () => {
    const startupProbe = { initialDelaySeconds: 2, periodSeconds: 5, failureThreshold: 3 };
    expect(of({ startupProbe }, 12_000)).toEqual(ready(12_000, 12_000));
    expect(of({ startupProbe }, 12_001)).toEqual({ ready: false, killedAfter: 12_000 });
  });
});
