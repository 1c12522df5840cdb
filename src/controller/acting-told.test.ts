/** What is told of a node that is acted on: events, conditions, the log, the journal. */
import { describe, expect, it } from 'vitest';
import { aCordonedNode, NOW, SECOND } from '../../test/builders.ts';
import type { Decision } from '../engine/decide.ts';
import type { MaintenanceState, Phase } from '../engine/maintenance.ts';
import { conditionsPatch } from './conditions.ts';
import { eventsFor } from './events.ts';
import { journalEntry } from './journal-entry.ts';
import { phaseLine } from './narrate.ts';
import { stuckCauses } from './status.ts';
import { aDecision, everyBlocker } from './testing/decisions.ts';

const action = { since: NOW, attempt: 1, failures: 0, open: true, bootIdBefore: 'boot-1', bootIdAfter: 'boot-2' };
const node = aCordonedNode();
const told = (from: Phase, to: Phase, overrides: Partial<Decision> & { readonly state?: Partial<MaintenanceState> } = {}) =>
  eventsFor(undefined, aDecision(from, to, overrides), node, NOW).events.map(
    ({ type, reason, message }) => `${type} ${reason}: ${message}`,
  );

describe('the events of a reboot', () => {
  it('say how long the drain took, and what follows', () => {
    const state = { startedAt: NOW - 12 * SECOND };
    expect(told('Settling', 'Rebooting', { state })).toEqual(['Normal Rebooting: drained in 12s; to be rebooted']);
    expect(told('Settling', 'BeforeHook', { state })).toEqual([
      'Normal HookStarted: drained in 12s; the Job of hooks.before runs',
    ]);
    expect(told('BeforeHook', 'Rebooting', { state })).toEqual(['Normal Rebooting: to be rebooted']);
    expect(told('Settling', 'Deleting', { state })).toEqual(['Normal DeletingNode: drained in 12s; the Node is deleted']);
  });

  it('name both boots', () => {
    expect(told('Rebooting', 'Verifying', { change: { action } })).toEqual([
      'Normal Rebooted: rebooted: boot boot-2 follows boot-1',
    ]);
  });

  it('warn of what failed, once, with its words', () => {
    const message = 'no new boot id within 15 min';
    const failed = aDecision('Rebooting', 'ActionFailed', {
      change: { message },
      waitingFor: { cause: 'RebootFailed', message },
    });
    const first = eventsFor(undefined, failed, node, NOW);
    expect(first.events).toMatchObject([
      { type: 'Warning', reason: 'ActionFailed', message: `the node stays cordoned until someone has looked at it: ${message}` },
    ]);
    const later = aDecision('ActionFailed', 'ActionFailed', { waitingFor: { cause: 'RebootFailed', message } });
    expect(eventsFor(first.memory, later, node, NOW + 60 * SECOND).events).toEqual([]);
  });

  it('say of one that is handed back after a failure that it is', () => {
    const state = {
      action: { ...action, failure: { cause: 'RebootFailed', message: 'm' } as const },
      message: 'cancelled after: m',
    };
    expect(told('Undoing', 'Failed', { state })).toEqual(['Warning Failed: back in service: cancelled after: m']);
  });
});

describe('the conditions of a node', () => {
  const written = (phase: Phase) =>
    Object.fromEntries(
      (conditionsPatch(aDecision(phase), node, NOW)?.status.conditions ?? []).map((each) => [
        each.type,
        'reason' in each ? `${each.status} ${each.reason}` : 'gone',
      ]),
    );

  it.each(['BeforeHook', 'Rebooting', 'Verifying', 'AfterHook'] as const)(
    'say in %s that it is drained and under maintenance',
    (phase) => {
      expect(written(phase)).toMatchObject({ Drained: 'True DroverDrainCompleted', MaintenanceInProgress: 'True DroverActing' });
    },
  );

  it('say that what was done to it failed', () => {
    expect(written('ActionFailed')).toMatchObject({ MaintenanceInProgress: 'True DroverActionFailed' });
  });

  it('are left alone while the Node is deleted', () => {
    expect(conditionsPatch(aDecision('Deleting'), node, NOW)).toBeNull();
  });
});

describe('the log', () => {
  it('has a line for each phase, a warning where one failed', () => {
    const line = (from: Phase, to: Phase, more: Partial<Decision> = {}) => phaseLine(aDecision(from, to, more), NOW);
    expect(line('Settling', 'Rebooting')?.message).toMatch(/: Rebooting: drained/);
    expect(line('Rebooting', 'Verifying')).toMatchObject({ level: 'info' });
    expect(line('Rebooting', 'ActionFailed', { change: { message: 'no new boot id' } })).toMatchObject({
      level: 'warn',
      message: expect.stringContaining('ActionFailed: no new boot id'),
    });
  });
});

describe('the journal', () => {
  const { maintenance } = aDecision('Rebooting');
  const run = { kind: 'Pod', namespace: 'drover', name: 'p' } as const;
  it('names what was created and removed', () => {
    expect(journalEntry({ do: 'CreateRun', run, body: {} }, maintenance, NOW)).toMatchObject({
      object: 'Pod/drover/p',
      undo: '',
    });
    expect(journalEntry({ do: 'RemoveRun', run, uid: 'u' }, maintenance, NOW)).toMatchObject({ do: 'deleted before its end' });
    expect(journalEntry({ do: 'DeleteNode', node }, maintenance, NOW)).toMatchObject({ object: 'Node/node-1', do: 'deleted' });
  });
});

it('what needs a person is told apart from what passes', () => {
  const lasting = Object.keys(everyBlocker).filter((cause) => stuckCauses.has(cause));
  for (const cause of ['CannotReboot', 'ActRefused', 'RebootFailed', 'VerifyFailed', 'HookFailed'])
    expect(lasting).toContain(cause);
  for (const cause of ['WaitingForReboot', 'HealthyFor', 'HookRunning', 'NotReadyYet']) expect(lasting).not.toContain(cause);
});
