import { describe, expect, it } from 'vitest';
import { MINUTE, NOW } from '../../test/builders.ts';
import type { MaintenanceState } from '../engine/maintenance.ts';
import { historyOf } from './history.ts';

const past = (state: Partial<MaintenanceState>, policy: string | null = 'p') => ({
  spec: { policy },
  state: { phase: 'Drained', phaseSince: NOW, attempts: 0, ...state } as MaintenanceState,
});
const acted = (more: object = {}) => ({ since: NOW - 5 * MINUTE, attempt: 1, failures: 0, open: true, ...more });
const failure = { cause: 'VerifyFailed', message: 'not verified in time' } as const;

describe('the failures of a policy', () => {
  const failuresOf = (...all: ReturnType<typeof past>[]) => historyOf(() => all).failures('p');

  it('are drains that were given up, and reboots or checks that have failed', () => {
    expect(
      failuresOf(
        past({ phase: 'Failed', finishedAt: NOW - MINUTE }),
        past({ phase: 'ActionFailed', phaseSince: NOW - 2 * MINUTE, action: acted({ failure }) }),
      ),
    ).toEqual([NOW - MINUTE, NOW - 2 * MINUTE]);
  });

  it('stay such when a person has ended them, and never count as later than they were', () => {
    const ended = past({ phase: 'Cancelled', finishedAt: NOW, action: acted({ failure }) });
    expect(failuresOf(ended)).toEqual([NOW - 5 * MINUTE]);
  });

  it('are not what went well, was cancelled before, or belongs to another policy', () => {
    expect(
      failuresOf(
        past({ phase: 'HandedBack', finishedAt: NOW, action: acted() }),
        past({ phase: 'Cancelled', finishedAt: NOW }),
        past({ phase: 'Failed', finishedAt: NOW }, 'q'),
        past({ phase: 'Failed', finishedAt: NOW }, null),
      ),
    ).toEqual([]);
  });
});
