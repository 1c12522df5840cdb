import { describe, expect, it } from 'vitest';
import type { NodeSignal } from '../api/node-signal.ts';
import type { Verdict } from './checks/verdict.ts';
import { wantedConditions } from './conditions.ts';
import type { SourceHealth } from './poller.ts';

const healthy = (name: string, more: Partial<SourceHealth> = {}): SourceHealth => ({
  name,
  lastSuccess: 1,
  failure: null,
  degraded: false,
  ...more,
});
const signal = (kind: string, more: Partial<NodeSignal> = {}): NodeSignal => ({
  kind,
  source: 'aws',
  id: kind,
  since: '2026-01-01T12:00:00Z',
  revocable: true,
  message: kind.toLowerCase(),
  ...more,
});

interface Given {
  readonly signals?: readonly NodeSignal[];
  readonly health?: readonly SourceHealth[];
  readonly before?: Readonly<Record<string, Verdict>>;
  readonly verdicts?: readonly Verdict[];
}

const told = ({ signals = [], health = [healthy('aws-spot'), healthy('aws-maintenance')], before = {}, verdicts = [] }: Given) =>
  wantedConditions({ signals, health, verdicts, before: (type) => before[type] ?? null }).map(
    ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
  );

describe('the conditions of the agent', () => {
  it('are only those that its sources can tell', () => {
    expect(told({ health: [healthy('sentinel-file')] }).map((line) => line.split(' ')[0])).toEqual([
      'RebootRequired',
      'DroverAgent',
    ]);
    expect(told({}).map((line) => line.split(' ')[0])).toEqual(['SpotInterruption', 'MachineMaintenance', 'DroverAgent']);
  });

  it('name the event that comes soonest, and how many there are beside it', () => {
    const signals = [
      signal('Reboot', { goneAt: '2026-01-02T00:00:00Z' }),
      signal('Redeploy', { goneAt: '2026-01-01T13:00:00Z' }),
      signal('AutoscalingTermination'),
    ];
    expect(told({ signals })[1]).toBe(
      'MachineMaintenance True Redeploy: aws: redeploy (gone at 2026-01-01T13:00:00Z) (and 2 more)',
    );
  });

  it('take a kind that is not known for maintenance, under a reason that the API server takes', () => {
    expect(told({ signals: [signal('NewKind')] })[1]).toBe('MachineMaintenance True NewKind: aws: newkind');
    expect(told({ signals: [signal('new kind!')] })[1]).toBe('MachineMaintenance True Other: aws: new kind!');
  });

  it('do not take a recommendation for an event', () => {
    expect(told({ signals: [signal('RebalanceRecommendation')] }).map((line) => line.split(' ')[1])).toEqual([
      'False',
      'False',
      'True',
    ]);
  });

  it('say no only when every source has said so, and until then what they said before, or that it is not known', () => {
    const health = [healthy('aws-spot', { lastSuccess: null }), healthy('aws-maintenance', { lastSuccess: null })];
    expect(told({ health })).toEqual([
      'SpotInterruption Unknown NotReadYet: not every source has answered yet',
      'MachineMaintenance Unknown NotReadYet: not every source has answered yet',
      'DroverAgent Unknown NotReadYet: not every source has answered yet',
    ]);
    const before: Verdict = { type: 'SpotInterruption', status: 'False', reason: 'NoNotice', message: 'm' };
    expect(told({ health, before: { SpotInterruption: before } })[0]).toBe('SpotInterruption False NoNotice: m');
  });

  it('name the sources that fail', () => {
    const health = [healthy('aws-spot', { failure: '503', degraded: true }), healthy('aws-maintenance', { failure: 'x' })];
    expect(told({ health }).at(-1)).toBe('DroverAgent False SourceFailing: aws-spot: 503');
  });

  it('have those of the checks beside them', () => {
    const verdicts: Verdict[] = [{ type: 'NTPProblem', status: 'True', reason: 'NTPIsDown', message: 'down' }];
    expect(told({ verdicts })).toContain('NTPProblem True NTPIsDown: down');
  });
});
