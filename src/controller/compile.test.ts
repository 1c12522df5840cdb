import { describe, expect, it } from 'vitest';
import { aMaintenanceObject, aPolicy } from '../../test/raw-objects.ts';
import { defaultDrainSettings } from '../engine/settings.ts';
import { compileDrain, compileMaintenance, compilePolicy, leftBehind, stateOf } from './compile.ts';

const AT = Date.UTC(2026, 0, 1, 12, 0, 0);

const namespaces = { hooks: 'drover', reboots: 'drover' };

describe('a compiled policy', () => {
  it('has the defaults of the engine where the policy says nothing', () => {
    expect(compileDrain(aPolicy().spec.drain)).toEqual(defaultDrainSettings);
  });

  it('carries every field of its drain', () => {
    const { drain } = aPolicy({
      drain: {
        gracePeriodSeconds: 9,
        handover: 'Always',
        handoverTimeout: '2m',
        unlist: false,
        emptyDir: 'Protect',
        barePods: 'Evict',
        daemonSets: 'Evict',
        rules: [
          { podSelector: { matchLabels: { app: 'job' } }, do: 'WaitCompleted', maxWait: '1h', order: 5, namespaces: ['batch'] },
          { podSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, do: 'Skip' },
        ],
        deadline: '3h',
        ladder: [
          { after: '1h', do: 'TellOwner' },
          { after: '2h', do: 'ShortenGrace', graceSeconds: 3 },
        ],
        stepAside: '20m',
        attempts: 7,
        retryAfter: '90s',
        emptyFor: '500ms',
        waitForVolumes: false,
        settle: { enabled: true, timeout: '4m' },
        excludeFromLoadBalancers: true,
      },
    }).spec;
    expect(compileDrain(drain)).toEqual({
      graceSeconds: 9,
      handover: 'Always',
      handoverTimeoutMs: 120_000,
      unlist: false,
      emptyDir: 'Protect',
      barePods: 'Evict',
      daemonSets: 'Evict',
      rules: [
        {
          podSelector: { matchLabels: { app: 'job' }, matchExpressions: [] },
          namespaces: ['batch'],
          do: 'WaitCompleted',
          order: 5,
          maxWaitMs: 3_600_000,
        },
        { podSelector: { matchLabels: {}, matchExpressions: [{ key: 'app', operator: 'Exists', values: [] }] }, do: 'Skip' },
      ],
      deadlineMs: 10_800_000,
      ladder: [
        { afterMs: 3_600_000, do: 'TellOwner' },
        { afterMs: 7_200_000, do: 'ShortenGrace', graceSeconds: 3 },
      ],
      stepAsideMs: 1_200_000,
      attempts: 7,
      retryAfterMs: 90_000,
      emptyForMs: 500,
      waitForVolumes: false,
      settleTimeoutMs: 240_000,
      excludeFromLoadBalancers: true,
      disableEviction: false,
    });
  });

  it('does not wait for replacements where settling is off, whatever its time-out says', () => {
    expect(compileDrain(aPolicy({ drain: { settle: { enabled: false, timeout: '4m' } } }).spec.drain).settleTimeoutMs).toBeNull();
  });

  it('carries its limits, its reasons and who it is', () => {
    const policy = aPolicy(
      {
        nodeSelector: { matchLabels: { pool: 'a' }, matchExpressions: [{ key: 'zone', operator: 'In', values: ['x'] }] },
        reasons: [
          { name: 'dead', type: 'Condition', condition: { type: 'Dead', status: 'Unknown', for: '90s' } },
          { type: 'Label', label: { key: 'retire', value: 'yes' } },
        ],
        priority: 3,
        paused: true,
        disruption: { maxNodes: '10%', perGroup: [{ label: 'zone', maxNodes: 2 }], minInterval: '1m', massTrigger: 4 },
      },
      { generation: 8 },
    );
    const { source, ...compiled } = compilePolicy(policy);
    expect(source).toBe(policy);
    expect(compiled).toEqual({
      name: 'repair',
      uid: 'uid-repair',
      generation: 8,
      selector: { matchLabels: { pool: 'a' }, matchExpressions: [{ key: 'zone', operator: 'In', values: ['x'] }] },
      reasons: [
        { name: 'dead', type: 'Condition', condition: { type: 'Dead', status: 'Unknown', forMs: 90_000 } },
        { type: 'Label', label: { key: 'retire', value: 'yes' } },
      ],
      priority: 3,
      schedule: null,
      expectMs: null,
      limits: {
        name: 'repair',
        paused: true,
        maxNodes: { percent: 10 },
        perGroup: [{ label: 'zone', maxNodes: { count: 2 } }],
        minIntervalMs: 60_000,
        massTrigger: { count: 4 },
        controlPlane: { count: 1 },
        gates: [],
      },
      breaker: null,
    });
  });
});

describe('the schedule of a compiled policy', () => {
  const schedule = { timeZone: 'Europe/Amsterdam', windows: [{ start: '22:00', end: '04:00' }] };
  const compiled = (more: object) => compilePolicy(aPolicy({ schedule: { ...schedule, ...more } }));

  it('is asked in its own time zone', () => {
    expect(compiled({}).schedule?.at(AT)).toEqual({ open: false, opensAt: AT + 9 * 3_600_000, because: '' });
  });

  it('has an expected length only where a drain must end inside', () => {
    expect(compiled({}).expectMs).toBeNull();
    expect(compiled({ finishInside: true }).expectMs).toBe(0);
    expect(compiled({ finishInside: true, expect: '90m' }).expectMs).toBe(5_400_000);
  });
});

describe('a compiled maintenance', () => {
  it('carries every field', () => {
    const object = aMaintenanceObject({
      nodeName: 'worker-3',
      policy: 'repair',
      reason: { type: 'Condition', message: 'dead' },
      priority: 4,
      handBack: 'Never',
      paused: true,
      pausedBecause: 'lunch',
      runNow: true,
      deadline: '2026-01-01T13:00:00Z',
    });
    expect(compileMaintenance(object, namespaces)).toEqual({
      id: 'm-1',
      nodeName: 'worker-3',
      policy: 'repair',
      reasonType: 'Condition',
      reason: 'dead',
      priority: 4,
      settings: defaultDrainSettings,
      handBack: 'Never',
      paused: true,
      pausedBecause: 'lunch',
      cancelled: false,
      runNow: true,
      createdAt: AT,
      goneAt: AT + 3_600_000,
    });
  });

  it('belongs to no policy, and has no end, where none is named', () => {
    const compiled = compileMaintenance(aMaintenanceObject(), namespaces);
    expect(compiled.policy).toBeNull();
    expect(compiled).not.toHaveProperty('goneAt');
    expect(compiled.reason).toBe('asked for by hand');
  });

  it('is cancelled by its field, or by being deleted', () => {
    expect(compileMaintenance(aMaintenanceObject({ cancelled: true }), namespaces).cancelled).toBe(true);
    expect(compileMaintenance(aMaintenanceObject({}, { deletionTimestamp: '2026-01-01T12:30:00Z' }), namespaces).cancelled).toBe(
      true,
    );
  });

  it('is only there to take back, when its object is gone', () => {
    expect(leftBehind('m-9', 'worker-3', AT)).toMatchObject({
      id: 'm-9',
      nodeName: 'worker-3',
      policy: null,
      cancelled: true,
      createdAt: AT,
    });
  });
});

describe('the state in a status', () => {
  it('is Pending since its creation where there is none yet', () => {
    expect(stateOf(aMaintenanceObject())).toEqual({ phase: 'Pending', phaseSince: AT, attempts: 0 });
  });

  it('is read back whole', () => {
    const status = {
      phase: 'BackOff',
      phaseSince: '2026-01-01T12:00:05Z',
      startedAt: '2026-01-01T12:00:01Z',
      drainedAt: '2026-01-01T12:00:02Z',
      finishedAt: '2026-01-01T12:00:03Z',
      retryAt: '2026-01-01T12:00:04Z',
      attempts: 2,
      message: 'stood still',
    } as const;
    expect(stateOf(aMaintenanceObject({}, {}, status))).toEqual({
      phase: 'BackOff',
      phaseSince: AT + 5_000,
      startedAt: AT + 1_000,
      drainedAt: AT + 2_000,
      finishedAt: AT + 3_000,
      retryAt: AT + 4_000,
      attempts: 2,
      message: 'stood still',
    });
  });
});
