import { describe, expect, it } from 'vitest';
import { aDrain, MINUTE, NOW } from '../../test/builders.ts';
import { ladderAt } from './ladder.ts';
import type { LadderStep } from './settings.ts';

const ladder: readonly LadderStep[] = [
  { afterMs: 1 * MINUTE, do: 'TellOwner' },
  { afterMs: 2 * MINUTE, do: 'Handover' },
  { afterMs: 3 * MINUTE, do: 'ShortenGrace', graceSeconds: 20 },
  { afterMs: 4 * MINUTE, do: 'ShortenGrace', graceSeconds: 5 },
  { afterMs: 5 * MINUTE, do: 'Delete', graceSeconds: 10 },
];
const at = (minutes: number) => ladderAt(aDrain({ with: { ladder } }), NOW + minutes * MINUTE);

describe('the ladder', () => {
  it('has reached nothing without steps', () => {
    expect(ladderAt(aDrain(), NOW + 60 * MINUTE)).toEqual({ tell: false, handover: false, nextAt: null });
  });

  it('waits for its first step and names its time', () => {
    expect(at(0)).toEqual({ tell: false, handover: false, nextAt: NOW + MINUTE });
  });

  it('reaches a step at its very time, and keeps the earlier ones', () => {
    expect(at(1)).toEqual({ tell: true, handover: false, nextAt: NOW + 2 * MINUTE });
    expect(at(2)).toEqual({ tell: true, handover: true, nextAt: NOW + 3 * MINUTE });
  });

  it('takes the latest of several steps of one kind', () => {
    expect(at(3)).toMatchObject({ shortGrace: 20 });
    expect(at(4)).toMatchObject({ shortGrace: 5, nextAt: NOW + 5 * MINUTE });
  });

  it('ends with the last step', () => {
    expect(at(5)).toMatchObject({ deleteGrace: 10, nextAt: null });
  });

  it('deletes with the pod’s own grace when the step names none', () => {
    expect(ladderAt(aDrain({ with: { ladder: [{ afterMs: 0, do: 'Delete' }] } }), NOW)).toMatchObject({ deleteGrace: null });
  });

  it('never shortens to 0', () => {
    expect(ladderAt(aDrain({ with: { ladder: [{ afterMs: 0, do: 'ShortenGrace', graceSeconds: 0 }] } }), NOW)).toMatchObject({
      shortGrace: 1,
    });
  });
});
