import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { FieldError } from './validate.ts';
import { formatFieldErrors, parseDrain, parseMaintenance, parsePolicy } from './validate.ts';

interface BadObject {
  readonly title: string;
  readonly kind: 'MaintenancePolicy' | 'NodeMaintenance';
  readonly spec: unknown;
  readonly path: string;
  readonly message?: string;
}

const badObjects = parseYaml(readFileSync(new URL('../../test/golden/bad-objects.yaml', import.meta.url), 'utf8')) as BadObject[];

const object = (kind: string, spec: unknown) => ({ apiVersion: 'drover.dev/v1alpha1', kind, metadata: { name: 'x' }, spec });
const policy = (spec: object) =>
  object('MaintenancePolicy', {
    nodeSelector: { matchLabels: { pool: 'a' } },
    reasons: [{ type: 'Label', label: { key: 'k' } }],
    ...spec,
  });

function errorsOf(
  parsed: { readonly ok: true } | { readonly ok: false; readonly errors: readonly FieldError[] },
): readonly FieldError[] {
  return parsed.ok ? [] : parsed.errors;
}

describe('objects that must be refused', () => {
  for (const { title, kind, spec, path, message } of badObjects) {
    it(`${kind}: ${title}`, () => {
      const errors = errorsOf(
        kind === 'MaintenancePolicy' ? parsePolicy(object(kind, spec)) : parseMaintenance(object(kind, spec)),
      );
      expect(errors.map((error) => error.path)).toEqual([path]);
      if (message !== undefined) expect(errors[0]?.message).toBe(message);
    });
  }
});

describe('a schedule', () => {
  const errors = (schedule: object) => errorsOf(parsePolicy(policy({ schedule })));
  const windows = [{ start: '22:00', end: '04:00' }];

  // The API server cannot know these: it takes their form for good.
  it.each([
    ['Europe/Amsterdm', 'Europe/Amsterdam'],
    ['Mars', 'UTC'],
  ])('in time zone %s is refused, and in %s is not', (unknown, known) => {
    expect(errors({ timeZone: unknown, windows })).toEqual([
      {
        path: 'spec.schedule.timeZone',
        message: `"${unknown}" is not a time zone that is known here; write it like Europe/Amsterdam`,
      },
    ]);
    expect(errors({ timeZone: known, windows })).toEqual([]);
  });

  it.each([
    ['61 * * * *', 'Invalid value for minute: 61'],
    ['0 2 * * FUN', 'configuration entry 5 (FUN) contains illegal characters.'],
    ['0 2 * * SAT#6', 'nth weekday out of range, should be 1-5 or L. Value: 6, Type: string'],
    ['0 0 30 2 *', 'it names a time that never comes'],
  ])('with cron %s is refused: %s', (cron, because) => {
    expect(errors({ windows: [{ cron, duration: '1h' }] })).toEqual([
      { path: 'spec.schedule.windows[0].cron', message: `must be a cron expression like 0 2 * * SAT#1: ${because}` },
    ]);
  });

  it.each(['0 2 * * SAT#1', '*/15 0-4 * 1-11 MON-FRI', '0 2 L * *', '30 3 1,15 * *', '0 0 29 2 *'])('takes cron %s', (cron) => {
    expect(errors({ windows: [{ cron, duration: '1h' }] })).toEqual([]);
  });
});

describe('parsePolicy', () => {
  it('fills in every default', () => {
    const parsed = parsePolicy(policy({}));
    expect(parsed).toMatchObject({ ok: true });
    expect(parsed.ok && parsed.value.spec).toEqual({
      nodeSelector: { matchLabels: { pool: 'a' }, matchExpressions: [] },
      reasons: [{ type: 'Label', label: { key: 'k' } }],
      action: 'Drain',
      priority: 0,
      paused: false,
      disruption: { maxNodes: 1, perGroup: [], minInterval: '0s', massTrigger: '50%', controlPlane: 1 },
      gates: { pods: [], prometheus: [], alertmanager: [], http: [] },
      drain: {
        handover: 'WhenNeeded',
        handoverTimeout: '10m',
        unlist: true,
        emptyDir: 'Evict',
        barePods: 'Protect',
        rules: [],
        daemonSets: 'Skip',
        ladder: [],
        stepAside: '30m',
        attempts: 5,
        retryAfter: '5m',
        emptyFor: '5s',
        waitForVolumes: true,
        settle: { enabled: true, timeout: '10m' },
        excludeFromLoadBalancers: false,
      },
      handBack: 'WhenCauseClears',
    });
  });

  it('reads what it has written without a change', () => {
    const once = parsePolicy(
      policy({
        nodeSelector: { matchExpressions: [{ key: 'pool', operator: 'Exists' }] },
        drain: {
          rules: [{ podSelector: { matchLabels: { app: 'batch' } }, do: 'WaitCompleted', maxWait: '1h' }],
          ladder: [{ after: '1h', do: 'Delete' }],
        },
      }),
    );
    expect(once.ok).toBe(true);
    const twice = parsePolicy(once.ok && once.value);
    expect(twice).toEqual(once);
  });

  it('keeps metadata that it does not know', () => {
    const parsed = parsePolicy({
      ...policy({}),
      metadata: { name: 'x', uid: 'u', generation: 3, managedFields: [{ manager: 'kubectl' }] },
    });
    expect(parsed.ok && parsed.value.metadata).toEqual({
      name: 'x',
      uid: 'u',
      generation: 3,
      managedFields: [{ manager: 'kubectl' }],
    });
  });

  it('takes a null property as absent, as the API server does', () => {
    const parsed = parsePolicy(policy({ paused: null, drain: null, disruption: { maxNodes: null } }));
    expect(
      parsed.ok && [parsed.value.spec.paused, parsed.value.spec.drain.attempts, parsed.value.spec.disruption.maxNodes],
    ).toEqual([false, 5, 1]);
  });

  it('names every wrong field at once', () => {
    const errors = errorsOf(parsePolicy(policy({ priority: 'high', drain: { attempts: 0, stepAside: 'long' } })));
    expect(errors.map((error) => error.path)).toEqual(['spec.priority', 'spec.drain.stepAside', 'spec.drain.attempts']);
  });

  it('refuses another kind and another version by name', () => {
    expect(errorsOf(parsePolicy({ ...policy({}), kind: 'NodeMaintenance', apiVersion: 'drover.dev/v1' }))).toEqual([
      { path: 'apiVersion', message: 'must be drover.dev/v1alpha1' },
      { path: 'kind', message: 'must be MaintenancePolicy' },
    ]);
  });

  it.each([undefined, null, 'text', 3, []])('refuses %j, which is no object at all', (value) => {
    expect(errorsOf(parsePolicy(value)).map((error) => error.path)).toEqual(['']);
  });
});

describe('parseMaintenance', () => {
  it('makes a whole maintenance of nothing but a node', () => {
    const parsed = parseMaintenance(object('NodeMaintenance', { nodeName: 'worker-1' }));
    expect(parsed.ok && parsed.value.spec).toMatchObject({
      nodeName: 'worker-1',
      reason: { type: 'Manual', message: 'asked for by hand' },
      action: 'Drain',
      drain: { attempts: 5 },
      handBack: 'WhenCauseClears',
      paused: false,
      cancelled: false,
    });
  });
});

describe('parseDrain', () => {
  it('puts the given path before its errors', () => {
    const errors = errorsOf(parseDrain({ ladder: [{ after: '1m', do: 'Delete', graceSeconds: 0 }] }, 'spec.drain'));
    expect(errors).toEqual([{ path: 'spec.drain.ladder[0].graceSeconds', message: 'must be at least 1' }]);
  });
});

describe('formatFieldErrors', () => {
  it('writes one line for each', () => {
    const lines = formatFieldErrors('MaintenancePolicy', 'gpu', [
      { path: 'spec.paused', message: 'must be true or false' },
      { path: '', message: 'must be an object' },
    ]);
    expect(lines).toEqual([
      'MaintenancePolicy "gpu": spec.paused: must be true or false',
      'MaintenancePolicy "gpu": must be an object',
    ]);
  });
});

describe('the sentences', () => {
  const sentence = (spec: object) => errorsOf(parsePolicy(policy(spec)))[0]?.message;
  it.each([
    [{ priority: 1.5 }, 'must be a whole number'],
    [{ paused: 'yes' }, 'must be true or false'],
    [{ reasons: 'all' }, 'must be a list'],
    [{ reasons: [] }, 'must have at least 1 entry'],
    [{ reasons: undefined }, 'is required'],
    [{ handBack: 'Maybe' }, 'must be one of WhenCauseClears, Never'],
    [{ drain: { attempts: 101 } }, 'must be at most 100'],
    [{ drain: { stepAside: '10 minutes' } }, 'must be a duration like 30s, 10m or 1h30m'],
    [{ disruption: { maxNodes: '1.5%' } }, 'must be a number of nodes like 2 or a percentage like 10%'],
    [{ disruption: { maxNodes: -1 } }, 'must be at least 0'],
    [{ pasued: true }, 'is not a known field; check the spelling and where it is indented'],
    [
      { nodeSelector: { matchLabels: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, 'v'])) } },
      'must have at most 32 entries',
    ],
  ])('%j', (spec, message) => expect(sentence(spec)).toBe(message));
});

it('refuses an expression over a node that cannot be compiled, with its field', () => {
  const spec = { nodeSelector: {}, reasons: [{ type: 'Drift', drift: { expression: 'node.labels[' } }] };
  const parsed = parsePolicy({ apiVersion: 'drover.dev/v1alpha1', kind: 'MaintenancePolicy', metadata: { name: 'p' }, spec });
  expect(parsed).toMatchObject({
    ok: false,
    errors: [{ path: 'spec.reasons[0].drift.expression', message: 'is no expression over a node: Unexpected token: EOF' }],
  });
});
