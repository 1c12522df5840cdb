import { describe, expect, it } from 'vitest';
import { aNode, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { annotations } from '../api/names.ts';
import type { Node } from '../api/objects.ts';
import { matchReason, type ReasonContext, type ReasonRule, stillHolds } from './reason.ts';

const HOUR = 60 * MINUTE;
const iso = (at: number) => new Date(at).toISOString();
const at = (now = NOW): ReasonContext => ({ now, conditionSince: () => NOW, newestVersion: () => null });

const told = (...signals: readonly object[]): Node => aNode({ annotations: { [annotations.signals]: JSON.stringify(signals) } });
const spot = { kind: 'SpotInterruption', source: 'aws', id: 'e-1', since: iso(NOW), revocable: false, message: 'terminate' };
const onSignal = (kinds: readonly string[], rest: object = {}): ReasonRule => ({ type: 'Signal', signal: { kinds }, ...rest });
const noticeOf = (rule: ReasonRule, node: Node, now = NOW) => {
  const match = matchReason(rule, node, at(now));
  return match.pass ? match.notice : match;
};

describe('a signal', () => {
  it('matches by kind and source', () => {
    const node = told(spot);
    expect(matchReason(onSignal(['SpotInterruption']), node, at())).toMatchObject({
      pass: true,
      message: 'SpotInterruption (aws): terminate',
    });
    expect(matchReason({ type: 'Signal', signal: { kinds: ['SpotInterruption'], sources: ['gcp'] } }, node, at())).toEqual({
      pass: false,
      because: 'it has no signal SpotInterruption from gcp',
    });
    expect(matchReason(onSignal(['Reboot']), node, at()).pass).toBe(false);
  });

  it.each([
    ['SpotInterruption', 30 * SECOND, 'HalfMinute'],
    ['SpotInterruption', 120 * SECOND, 'TwoMinutes'],
    ['Terminate', 10 * MINUTE, 'Minutes'],
    ['Maintenance', 72 * HOUR, 'Days'],
  ])('of kind %s, %i ms ahead, has the profile %s and makes a deadline', (kind, notice, profile) => {
    const node = told({ ...spot, kind, goneAt: iso(NOW + notice) });
    expect(noticeOf(onSignal([kind]), node)).toMatchObject({ profile, goneAt: NOW + notice, id: 'e-1', revocable: false });
  });

  it('keeps its profile while its time runs out', () => {
    const node = told({ ...spot, goneAt: iso(NOW + 2 * MINUTE) });
    expect(noticeOf(onSignal(['SpotInterruption']), node, NOW + 110 * SECOND)).toMatchObject({ profile: 'TwoMinutes' });
  });

  it('of a spot machine has half a minute where no time is told', () => {
    expect(noticeOf(onSignal(['SpotInterruption']), told(spot))).toMatchObject({
      profile: 'HalfMinute',
      goneAt: NOW + 30 * SECOND,
    });
  });

  it('that moves nobody’s pods makes no deadline of its time', () => {
    const freeze = told({ ...spot, kind: 'Freeze', goneAt: iso(NOW + 15 * MINUTE) });
    expect(noticeOf(onSignal(['Freeze']), freeze)).not.toHaveProperty('goneAt');
    const rebalance = told({ ...spot, kind: 'RebalanceRecommendation' });
    expect(noticeOf(onSignal(['RebalanceRecommendation']), rebalance)).toMatchObject({ profile: 'SurgeFirst' });
    expect(noticeOf(onSignal(['Freeze'], { profile: 'Minutes' }), freeze)).toHaveProperty('goneAt', NOW + 15 * MINUTE);
  });

  it('days ahead is held by windows until an hour before, unless the rule says otherwise', () => {
    const node = told({ ...spot, kind: 'Maintenance', goneAt: iso(NOW + 72 * HOUR) });
    expect(noticeOf(onSignal(['Maintenance']), node)).toHaveProperty('heldUntil', NOW + 71 * HOUR);
    expect(noticeOf(onSignal(['Maintenance'], { when: 'Now' }), node)).not.toHaveProperty('heldUntil');
  });

  it('waits for its lead time where the rule has one, and is given up when the event moves away', () => {
    const rule = onSignal(['Maintenance'], { when: 'Before', beforeMs: 2 * HOUR });
    const node = told({ ...spot, kind: 'Maintenance', goneAt: iso(NOW + 72 * HOUR) });
    expect(noticeOf(rule, node)).toMatchObject({ pass: false, at: NOW + 70 * HOUR });
    expect(noticeOf(rule, node, NOW + 70 * HOUR)).toMatchObject({ goneAt: NOW + 72 * HOUR });
    const moved = told({ ...spot, kind: 'Maintenance', goneAt: iso(NOW + 96 * HOUR) });
    expect(stillHolds(rule, moved, at(NOW + 70 * HOUR))).toBe(false);
  });

  it('is the most pressing of several', () => {
    const node = told(
      { ...spot, kind: 'RebootRequired', id: 'r', revocable: true },
      { ...spot, kind: 'Terminate', id: 'late', goneAt: iso(NOW + 10 * MINUTE) },
      { ...spot, id: 'soon', goneAt: iso(NOW + MINUTE) },
    );
    expect(noticeOf(onSignal(['RebootRequired', 'Terminate', 'SpotInterruption']), node)).toMatchObject({ id: 'soon' });
    expect(noticeOf(onSignal(['RebootRequired', 'Terminate']), node)).toMatchObject({ id: 'late' });
  });
});

const event = (message: string, status = 'True', reason = 'VMEventScheduled'): Node =>
  aNode({ conditions: [{ type: 'VMEventScheduled', status, reason, lastTransition: NOW, message }] });
const onEvent = (...types: readonly string[]): ReasonRule => ({ type: 'ScheduledEvent', scheduledEvent: { types } });

describe('an event in AKS’s condition', () => {
  it('is read from its message', () => {
    const node = event('Preempt Scheduled: Thu, 01 Jan 2026 12:00:30 GMT. DurationInSeconds: -1. Spot capacity is needed.');
    expect(noticeOf(onEvent('Preempt'), node)).toEqual({
      kind: 'SpotInterruption',
      source: 'azure',
      id: 'Preempt@2026-01-01T12:00:30.000Z',
      profile: 'HalfMinute',
      revocable: false,
      since: NOW,
      goneAt: NOW + 30 * SECOND,
    });
  });

  it('counts from when its condition was written last, where one event follows another', () => {
    const later = NOW + 60 * MINUTE;
    const message = 'Preempt Scheduled: Thu, 01 Jan 2026 13:00:30 GMT.';
    const node = aNode({
      conditions: [{ type: 'VMEventScheduled', status: 'True', reason: '', lastTransition: later, message }],
    });
    expect(noticeOf(onEvent('Preempt'), node, later)).toMatchObject({ since: later, profile: 'HalfMinute' });
  });

  it('may be taken back when it is a redeploy or a reboot', () => {
    const node = event('Redeploy Scheduled: Thu, 01 Jan 2026 12:10:00 GMT. DurationInSeconds: 600.');
    expect(noticeOf(onEvent('Redeploy', 'Reboot'), node)).toMatchObject({ revocable: true, profile: 'Minutes' });
  });

  it('has begun when it tells no time', () => {
    expect(noticeOf(onEvent('Preempt'), event('Preempt Started'))).toMatchObject({ goneAt: NOW + 30 * SECOND });
    expect(noticeOf(onEvent('Reboot'), event('', 'True', 'RebootScheduled'))).toMatchObject({
      kind: 'Reboot',
      profile: 'Ordinary',
    });
  });

  it('does not match another type, no event, or a check that fails', () => {
    expect(matchReason(onEvent('Preempt'), event('Freeze Scheduled: Thu, 01 Jan 2026 12:10:00 GMT.'), at())).toEqual({
      pass: false,
      because: 'its event is not of type Preempt',
    });
    expect(matchReason(onEvent('Freeze'), event('VM has no scheduled event', 'False'), at())).toEqual({
      pass: false,
      because: 'its condition VMEventScheduled is False',
    });
    expect(matchReason(onEvent('Freeze'), event('Freeze: IMDS unavailable', 'Unknown'), at()).pass).toBe(false);
  });

  it('still holds while the check fails, and not when the event is gone', () => {
    expect(stillHolds(onEvent('Redeploy'), event('', 'Unknown'), at())).toBe(true);
    expect(stillHolds(onEvent('Redeploy'), event('', 'False'), at())).toBe(false);
  });
});
