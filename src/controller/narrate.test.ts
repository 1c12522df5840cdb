import { describe, expect, it } from 'vitest';
import { NOW, SECOND } from '../../test/builders.ts';
import type { Phase } from '../engine/maintenance.ts';
import type { EventSpec } from './events.ts';
import { phaseLine, waitLine } from './narrate.ts';
import { aDecision } from './testing/decisions.ts';

const said = (from: Phase, to: Phase, message?: string) =>
  phaseLine(
    aDecision(from, to, { state: { startedAt: NOW - 12 * SECOND }, ...(message !== undefined && { change: { message } }) }),
    NOW,
  );

describe('phaseLine', () => {
  it('says nothing while the phase stays', () => {
    expect(said('Draining', 'Draining')).toBeNull();
  });

  it.each([
    ['Pending', 'Draining', undefined, 'node node-1: Draining: kernel update (NodeMaintenance m-1, policy kernels)'],
    ['Settling', 'Draining', undefined, 'node node-1: Draining again: pods came back'],
    ['Draining', 'Settling', undefined, 'node node-1: Settling: empty after 12s'],
    ['Settling', 'Drained', undefined, 'node node-1: Drained after 12s'],
    ['Draining', 'Undoing', 'cancelled', 'node node-1: Undoing: cancelled'],
    ['Undoing', 'Cancelled', 'cancelled', 'node node-1: Cancelled'],
    ['Undoing', 'HandedBack', 'the reason no longer holds', 'node node-1: HandedBack: the reason no longer holds'],
  ] as const)('says of %s -> %s what happened', (from, to, message, expected) => {
    expect(said(from, to, message)).toEqual({ level: 'info', message: expected });
  });

  it.each(['BackOff', 'Failed'] as const)('warns of %s', (phase) => {
    expect(said('Undoing', phase, 'no pod could leave')).toEqual({
      level: 'warn',
      message: `node node-1: ${phase}: no pod could leave`,
    });
  });
});

describe('waitLine', () => {
  const event: EventSpec = {
    type: 'Warning',
    reason: 'Waiting',
    message: 'pod shop/db-0: m',
    regarding: { kind: 'Node', name: 'n', uid: 'u' },
    dedupKey: 'k',
  };

  it('warns of what a person has to end, and tells of the rest', () => {
    expect(waitLine(event)).toEqual({ level: 'warn', message: 'node n: waits: pod shop/db-0: m' });
    expect(waitLine({ ...event, type: 'Normal' })).toMatchObject({ level: 'info' });
    expect(waitLine({ ...event, reason: 'MaintenancePlanned', type: 'Normal' })?.message).toBe(
      'node n: Pending: pod shop/db-0: m',
    );
  });

  it('leaves out what the phases say', () => {
    expect(waitLine({ ...event, reason: 'Drained' })).toBeNull();
    expect(waitLine({ ...event, reason: 'PodBlocked' })).toBeNull();
  });
});
