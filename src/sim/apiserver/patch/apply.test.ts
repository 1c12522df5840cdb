import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../kubernetes.ts';
import { Failure } from '../failure.ts';
import { applyConfig, trackUpdate } from './apply.ts';
import { shapeOfKind } from './shape.ts';

const shape = shapeOfKind({ kind: 'Deployment' });
const writer = (fieldManager: string, now = '2026-01-01T00:00:00Z') => ({
  fieldManager,
  apiVersion: 'apps/v1',
  hasStatus: true,
  shape,
  now,
});

type Live = KubeObject & { readonly spec?: Record<string, unknown> };

const config = (spec: object, metadata: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', ...metadata },
  spec,
});
const apply = (
  live: Live | undefined,
  manager: string,
  spec: object,
  { force = false, metadata = {}, now = '2026-01-01T00:00:00Z' } = {},
) => applyConfig<Live>(live, config(spec, metadata), { ...writer(manager, now), force });

const owners = (live: KubeObject) =>
  Object.fromEntries(
    (live.metadata.managedFields as { manager: string; fieldsV1: object }[]).map((entry) => [entry.manager, entry.fieldsV1]),
  );

function refusal(write: () => unknown): Failure {
  try {
    write();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  return expect.fail('it was not refused');
}

const template = (...containers: object[]) => ({ template: { spec: { containers } } });

describe('server-side apply', () => {
  it('makes the object that is not there, and says who owns what', () => {
    const made = apply(
      undefined,
      'kubectl',
      { replicas: 2, ...template({ name: 'web', image: 'a' }) },
      { metadata: { labels: { app: 'web' } } },
    );
    expect(made.spec).toMatchObject({ replicas: 2 });
    expect(made.metadata.managedFields).toEqual([
      {
        manager: 'kubectl',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:name': {} } } } },
          },
        },
      },
    ]);
  });

  it('refuses to change what somebody else owns, in the words that kubectl prints', () => {
    const live = apply(undefined, 'a', { replicas: 2, paused: true });
    const one = refusal(() => apply(live, 'b', { replicas: 3 }));
    expect(one).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "a": .spec.replicas',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "a"', field: '.spec.replicas' }] },
    });
    const two = refusal(() => apply(live, 'b', { replicas: 3, paused: false }));
    expect(two.message).toBe('Apply failed with 2 conflicts: conflicts with "a":\n- .spec.paused\n- .spec.replicas');
  });

  it('names the version of an updater in a conflict', () => {
    const made = trackUpdate<Live>(
      undefined,
      { ...config({ replicas: 1 }), metadata: { name: 'web', uid: 'u' } } as unknown as Live,
      writer('kubectl-create'),
    );
    expect(refusal(() => apply(made, 'b', { replicas: 3 })).message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl-create" using apps/v1: .spec.replicas',
    );
  });

  it('takes fields over with force', () => {
    const live = apply(undefined, 'a', { replicas: 2, paused: true });
    const next = apply(live, 'b', { replicas: 3 }, { force: true });
    expect(next.spec).toEqual({ replicas: 3, paused: true });
    expect(owners(next)).toEqual({ a: { 'f:spec': { 'f:paused': {} } }, b: { 'f:spec': { 'f:replicas': {} } } });
  });

  it('shares what two say alike', () => {
    const live = apply(undefined, 'a', { replicas: 2 });
    const next = apply(live, 'b', { replicas: 2 }, { now: '2026-01-02T00:00:00Z' });
    expect(owners(next)).toEqual({ a: { 'f:spec': { 'f:replicas': {} } }, b: { 'f:spec': { 'f:replicas': {} } } });
    expect(next.spec).toBe(live.spec);
  });

  it('takes away what its manager applies no more, and only that', () => {
    const live = apply(undefined, 'a', { replicas: 2, paused: true, ...template({ name: 'web' }, { name: 'log' }) });
    const shared = apply(live, 'b', { paused: true });
    const next = apply(shared, 'a', template({ name: 'web' }));
    expect(next.spec).toEqual({ paused: true, ...template({ name: 'web' }) });
  });

  it('takes a list away with its last element', () => {
    const live = apply(undefined, 'a', { replicas: 1, ...template({ name: 'web', env: [{ name: 'A', value: '1' }] }) });
    expect(apply(live, 'a', { replicas: 1, ...template({ name: 'web' }) }).spec).toEqual({
      replicas: 1,
      ...template({ name: 'web' }),
    });
  });

  it('keeps what nobody applied within an element that it owns', () => {
    const live = apply(undefined, 'a', template({ name: 'web', image: 'x' }, { name: 'log' }));
    const defaulted = {
      ...live,
      spec: template({ name: 'web', image: 'x', imagePullPolicy: 'Always' }, { name: 'log' }),
    } as Live;
    expect(apply(defaulted, 'a', template({ name: 'web' })).spec).toEqual(template({ name: 'web', imagePullPolicy: 'Always' }));
  });

  it('merges ports by port and protocol, whose default counts', () => {
    const ports = (...list: object[]) => template({ name: 'web', ports: list });
    const live = apply(undefined, 'a', ports({ containerPort: 80, protocol: 'TCP', name: 'http' }));
    const next = apply(live, 'b', ports({ containerPort: 80, hostPort: 8080 }, { containerPort: 80, protocol: 'UDP' }));
    expect(next.spec).toEqual(
      ports({ containerPort: 80, protocol: 'TCP', name: 'http', hostPort: 8080 }, { containerPort: 80, protocol: 'UDP' }),
    );
    expect(JSON.stringify(owners(next).b)).toContain('k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}');
  });

  it('owns a selector as a whole', () => {
    const live = apply(undefined, 'a', { selector: { matchLabels: { app: 'web' } } });
    expect(owners(live).a).toEqual({ 'f:spec': { 'f:selector': {} } });
    expect(refusal(() => apply(live, 'b', { selector: { matchLabels: { tier: 'x' } } })).message).toContain(': .spec.selector');
  });

  it('leaves the very same object when nothing changes', () => {
    const live = apply(undefined, 'a', { replicas: 2 });
    expect(apply(live, 'a', { replicas: 2 }, { now: '2027-01-01T00:00:00Z' })).toBe(live);
  });

  it('ignores the status that is applied beside it', () => {
    const status = applyConfig(
      undefined,
      { ...config({ replicas: 1 }), status: { replicas: 5 } },
      { ...writer('a'), force: false },
    );
    expect(owners(status)).toEqual({ a: { 'f:spec': { 'f:replicas': {} } } });
  });

  it('gives what was there before it to "before-first-apply"', () => {
    const untracked = { ...config({ replicas: 1, paused: true }), metadata: { name: 'web', uid: 'u' } } as unknown as Live;
    const next = apply(untracked, 'a', { replicas: 1 });
    expect(owners(next)['before-first-apply']).toEqual({ 'f:spec': { '.': {}, 'f:paused': {}, 'f:replicas': {} } });
    expect(refusal(() => apply(untracked, 'a', { replicas: 2 })).message).toContain(
      '"before-first-apply" using apps/v1: .spec.replicas',
    );
  });

  it('lets kubectl take over without a conflict what it had applied from the client', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(config({ replicas: 1 })) };
    const object = { ...config({ replicas: 1 }), metadata: { name: 'web', uid: 'u', annotations } } as unknown as Live;
    const live = trackUpdate<Live>(undefined, object, writer('kubectl-client-side-apply'));
    expect(apply(live, 'kubectl', { replicas: 2 }).spec).toEqual({ replicas: 2 });
    expect(refusal(() => apply(live, 'other', { replicas: 2 })).code).toBe(409);
  });

  it.each([
    [
      'another version',
      { ...config({}), apiVersion: 'apps/v2' },
      400,
      'Incorrect version specified in apply patch. Specified patch version: apps/v2, expected: apps/v1',
    ],
    ['managedFields', config({}, { managedFields: [] }), 400, 'metadata.managedFields must be nil'],
    [
      'an element twice',
      config(template({ name: 'a' }, { name: 'a' })),
      500,
      'failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="a"]',
    ],
  ])('refuses %s', (_, body, code, message) => {
    expect(refusal(() => applyConfig(undefined, body, { ...writer('a'), force: false }))).toMatchObject({ code, message });
  });
});

describe('other writes', () => {
  it('take the fields that they set from those who applied them', () => {
    const live = apply(undefined, 'a', { replicas: 2, paused: true });
    const next = trackUpdate<Live>(live, { ...live, spec: { replicas: 3 } }, writer('kubectl-scale', '2026-02-02T00:00:00Z'));
    expect(next.metadata.managedFields).toEqual([
      expect.objectContaining({
        manager: 'kubectl-scale',
        operation: 'Update',
        time: '2026-02-02T00:00:00Z',
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      }),
    ]);
  });

  it('are not tracked on objects that nobody applied', () => {
    const live = { ...config({ replicas: 1 }), metadata: { name: 'web', uid: 'u' } } as unknown as Live;
    const next = { ...live, spec: { replicas: 2 } };
    expect(trackUpdate<Live>(live, next, writer('x')).metadata.managedFields).toBeUndefined();
  });

  it('may forget all owners with an empty list', () => {
    const live = apply(undefined, 'a', { replicas: 2 });
    const next = { ...live, metadata: { ...live.metadata, managedFields: [] } };
    expect(trackUpdate<Live>(live, next, writer('x')).metadata.managedFields).toBeUndefined();
  });
});
