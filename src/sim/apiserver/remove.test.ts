import { describe, expect, it } from 'vitest';
import type { Pod } from '../kubernetes.ts';
import type { DeleteOptions } from './api.ts';
import { configMaps, jobs, namespaces, pods, replicaSets } from './kinds.ts';
import { createApiBed, refusal, refusalOf } from './testing/api-bed.ts';

const marks = (object: { metadata: Pod['metadata'] } | undefined) => [
  object?.metadata.deletionTimestamp,
  object?.metadata.deletionGracePeriodSeconds,
  object?.metadata.generation,
];

describe('deleting a pod', () => {
  it.each<[string, Partial<Pod['spec']>, DeleteOptions, number]>([
    ['its own grace', { terminationGracePeriodSeconds: 45 }, {}, 45],
    ['30 s where it names none', {}, {}, 30],
    ['the grace of the request', {}, { gracePeriodSeconds: 5 }, 5],
    ['one second for a negative grace', {}, { gracePeriodSeconds: -1 }, 1],
  ])('leaves it %s and counts a generation', (_, spec, options, seconds) => {
    const { api, pod } = createApiBed();
    pod('x', { nodeName: 'node-1', ...spec });
    const until = new Date(Date.parse('2030-01-01T00:00:00Z') + seconds * 1000).toISOString().replace('.000', '');
    expect(marks(api.remove(pods, 'default', 'x', options))).toEqual([until, seconds, 2]);
    expect(api.get(pods, 'default', 'x')).toBeDefined();
  });

  it.each<[string, (bed: ReturnType<typeof createApiBed>) => unknown, DeleteOptions]>([
    ['is on no node', ({ pod }) => pod('x'), {}],
    ['is asked to with grace 0', ({ pod }) => pod('x', { nodeName: 'node-1' }), { gracePeriodSeconds: 0 }],
    [
      'has finished',
      ({ api, running }) =>
        running('x') &&
        api.modify(pods, 'default', 'x', (one) => ({ ...one, status: { ...one.status, phase: 'Succeeded' as const } }), {
          subresource: 'status',
        }),
      {},
    ],
  ])('is over at once when it %s; watchers see the mark and then the end', (_, prepare, options) => {
    const bed = createApiBed();
    prepare(bed);
    const events: string[] = [];
    bed.api.watch(pods, ({ type, object }) => events.push(`${type} ${object.metadata.deletionGracePeriodSeconds}`));
    const last = bed.api.remove(pods, 'default', 'x', options);
    expect(last.metadata.deletionGracePeriodSeconds).toBe(0);
    expect(bed.api.get(pods, 'default', 'x')).toBeUndefined();
    expect(events).toEqual(['MODIFIED 0', 'DELETED 0']);
  });

  it('is shortened by a second deletion, never lengthened', async () => {
    const { api, pod, clock } = createApiBed();
    pod('x', { nodeName: 'node-1' });
    api.remove(pods, 'default', 'x');
    await clock.advance(2000);
    const before = api.get(pods, 'default', 'x');
    expect(api.remove(pods, 'default', 'x', { gracePeriodSeconds: 60 })).toBe(before);
    expect(api.remove(pods, 'default', 'x')).toBe(before);
    expect(marks(api.remove(pods, 'default', 'x', { gracePeriodSeconds: 5 }))).toEqual(['2030-01-01T00:00:05Z', 5, 2]);
    await clock.advance(10_000);
    // The end may not lie in the past, and a graceful end stays one.
    expect(marks(api.remove(pods, 'default', 'x', { gracePeriodSeconds: 3 }))).toEqual(['2030-01-01T00:00:12Z', 1, 2]);
    api.remove(pods, 'default', 'x', { gracePeriodSeconds: 0 });
    expect(api.get(pods, 'default', 'x')).toBeUndefined();
  });

  it('waits for finalizers after its grace', () => {
    const { api, pod } = createApiBed();
    pod('x', { nodeName: 'node-1' }, { finalizers: ['example.com/wait'] });
    api.remove(pods, 'default', 'x');
    expect(marks(api.remove(pods, 'default', 'x', { gracePeriodSeconds: 0 }))).toEqual(['2030-01-01T00:00:00Z', 0, 2]);
    const version = api.currentVersion();
    api.remove(pods, 'default', 'x', { gracePeriodSeconds: 0 });
    expect(api.currentVersion()).toBe(version);
    api.modify(pods, 'default', 'x', (one) => ({ ...one, metadata: { ...one.metadata, finalizers: [] } }));
    expect(api.get(pods, 'default', 'x')).toBeUndefined();
  });

  it('does not end for want of finalizers while its grace runs', () => {
    const { api, pod } = createApiBed();
    pod('x', { nodeName: 'node-1' }, { finalizers: ['example.com/wait'] });
    api.remove(pods, 'default', 'x');
    api.modify(pods, 'default', 'x', (one) => ({ ...one, metadata: { ...one.metadata, finalizers: [] } }));
    expect(api.get(pods, 'default', 'x')?.metadata.deletionGracePeriodSeconds).toBe(30);
  });

  it('holds to its preconditions', () => {
    const { api, pod } = createApiBed();
    const { uid, resourceVersion } = pod('x', { nodeName: 'node-1' }).metadata;
    const error = refusalOf(() => api.remove(pods, 'default', 'x', { preconditions: { uid: 'other' } }));
    expect(error.message).toBe(
      `Operation cannot be fulfilled on Pod "x": the UID in the precondition (other) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
    expect([error.code, error.reason, error.details]).toEqual([409, 'Conflict', { name: 'x', kind: 'Pod' }]);
    expect(refusal(() => api.remove(pods, 'default', 'x', { preconditions: { resourceVersion: '1' } }))).toBe(
      `409 Conflict: Operation cannot be fulfilled on Pod "x": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
    expect(
      api.remove(pods, 'default', 'x', { preconditions: { uid, resourceVersion } }).metadata.deletionTimestamp,
    ).toBeDefined();
  });

  it('in a dry run changes nothing', () => {
    const { api, pod, log } = createApiBed();
    const made = pod('x', { nodeName: 'node-1' });
    const lines = log(pods);
    expect(api.remove(pods, 'default', 'x', { dryRun: true }).metadata.deletionGracePeriodSeconds).toBe(30);
    api.remove(pods, 'default', 'x', { dryRun: true, gracePeriodSeconds: 0 });
    expect(api.get(pods, 'default', 'x')).toBe(made);
    expect(lines).toEqual([]);
  });

  it('is not found when there is none', () => {
    const { api } = createApiBed();
    expect(refusal(() => api.remove(pods, 'default', 'x'))).toBe('404 NotFound: pods "x" not found');
  });
});

describe('deleting other objects', () => {
  it('ends them at once, with the version of the deletion', () => {
    const { api, make, log } = createApiBed();
    make(configMaps, 'x');
    const lines = log(configMaps);
    const last = api.remove(configMaps, 'default', 'x', { gracePeriodSeconds: 30 });
    expect(last.metadata).not.toHaveProperty('deletionTimestamp');
    expect(lines).toEqual([`DELETED x ${api.currentVersion()}`]);
    expect(last.metadata.resourceVersion).toBe(String(api.currentVersion()));
  });

  it('marks those with finalizers, with grace 0', () => {
    const { api, make } = createApiBed();
    make(configMaps, 'x', {}, { finalizers: ['example.com/wait'] });
    expect(marks(api.remove(configMaps, 'default', 'x'))).toEqual(['2030-01-01T00:00:00Z', 0, undefined]);
  });

  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const spec = { selector: { matchLabels: { a: 'b' } }, template };

  it.each<[DeleteOptions, string[] | undefined]>([
    [{ propagation: 'Foreground' }, ['foregroundDeletion']],
    [{ propagation: 'Orphan' }, ['orphan']],
  ])('%j leaves the rest to the garbage collector', (options, finalizers) => {
    const { api, make } = createApiBed();
    make(replicaSets, 'x', { spec });
    const left = api.remove(replicaSets, 'default', 'x', options);
    expect([left.metadata.finalizers, ...marks(left)]).toEqual([finalizers, '2030-01-01T00:00:00Z', 0, 2]);
  });

  it('takes the finalizer of another propagation away again', () => {
    const { api, make } = createApiBed();
    make(replicaSets, 'x', { spec }, { finalizers: ['orphan', 'example.com/wait'] });
    const left = api.remove(replicaSets, 'default', 'x', { propagation: 'Background' });
    expect(left.metadata.finalizers).toEqual(['example.com/wait']);
  });

  it('orphans the pods of a job unless it is told otherwise', () => {
    const { api, make } = createApiBed();
    const job = { template: { spec: { ...template.spec, restartPolicy: 'Never' } } };
    make(jobs, 'x', { spec: job });
    make(jobs, 'y', { spec: job });
    expect(api.remove(jobs, 'default', 'x').metadata.finalizers).toEqual(['orphan']);
    api.remove(jobs, 'default', 'y', { propagation: 'Background' });
    expect(api.get(jobs, 'default', 'y')).toBeUndefined();
  });

  it('refuses a propagation that there is not', () => {
    const { api, make } = createApiBed();
    make(configMaps, 'x');
    expect(refusal(() => api.remove(configMaps, 'default', 'x', { propagation: 'Sideways' as never }))).toMatch(
      /^422 Invalid: DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways"/,
    );
  });

  it('removes all that a query finds', () => {
    const { api, make } = createApiBed();
    make(configMaps, 'a', {}, { labels: { app: 'x' } });
    make(configMaps, 'b', {}, { labels: { app: 'x' } });
    make(configMaps, 'c');
    expect(api.removeAll(configMaps, { namespace: 'default', labels: { matchLabels: { app: 'x' } } })).toHaveLength(2);
    expect(api.list(configMaps).map(({ metadata }) => metadata.name)).toEqual(['c']);
  });
});

describe('deleting a namespace', () => {
  it('ends in steps: Terminating, its finalizers gone, gone', () => {
    const { api, make } = createApiBed();
    make(namespaces, 'x');
    const left = api.remove(namespaces, '', 'x');
    expect(left).toMatchObject({ status: { phase: 'Terminating' }, spec: { finalizers: ['kubernetes'] } });
    expect(marks(left)).toEqual(['2030-01-01T00:00:00Z', undefined, undefined]);
    const version = api.currentVersion();
    expect(api.remove(namespaces, '', 'x')).toBe(left);
    expect(api.currentVersion()).toBe(version);
    api.finalizeNamespace('x', []);
    expect(api.get(namespaces, '', 'x')).toBeUndefined();
  });

  it('is refused for those that every cluster needs', () => {
    const { api } = createApiBed();
    expect(refusal(() => api.remove(namespaces, '', 'kube-system'))).toBe(
      '403 Forbidden: namespaces "kube-system" is forbidden: this namespace may not be deleted',
    );
  });
});
