import { describe, expect, it } from 'vitest';
import type { Pod } from '../kubernetes.ts';
import { budgets, configMaps, deployments, leases, namespaces, nodes, pods } from './kinds.ts';
import { createApiBed, refusal, refusalOf } from './testing/api-bed.ts';

const labelled = (pod: Pod, labels: Record<string, string>): Pod => ({ ...pod, metadata: { ...pod.metadata, labels } });

describe('updating', () => {
  it('gives a new version and tells it once; a write that changes nothing does neither', () => {
    const { api, pod, log } = createApiBed();
    const made = pod('x');
    const lines = log(pods);
    const before = api.currentVersion();
    expect(api.update(pods, made)).toBe(made);
    expect(api.update(pods, structuredClone(made))).toBe(made);
    expect(api.modify(pods, 'default', 'x', (one) => ({ ...one, spec: { ...one.spec } }))).toBe(made);
    expect(api.currentVersion()).toBe(before);
    const next = api.update(pods, labelled(made, { a: 'b' }));
    expect(next.metadata.resourceVersion).toBe(String(before + 1));
    expect(lines).toEqual([`MODIFIED x ${before + 1}`]);
    expect(made.metadata.labels).toBeUndefined();
  });

  it('takes new labels for a pod of a snapshot that lacks the defaults of today', () => {
    const { api } = createApiBed();
    const metadata = {
      name: 'old',
      namespace: 'default',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    };
    const old = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c', image: 'i' }] } };
    api.load([old]);
    const next = api.modify(pods, 'default', 'old', (pod) => labelled(pod, { a: 'b' }));
    expect([next?.metadata.labels, next?.spec]).toEqual([{ a: 'b' }, old.spec]);
  });

  it('refuses an outdated version in the words that clients know', () => {
    const { api, pod } = createApiBed();
    const made = pod('x');
    api.update(pods, labelled(made, { a: 'b' }));
    expect(refusal(() => api.update(pods, labelled(made, { c: 'd' })))).toBe(
      '409 Conflict: Operation cannot be fulfilled on pods "x": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  it('overwrites without a version, but not a kind that insists on one', () => {
    const { api, pod, make } = createApiBed();
    const without = <T extends { metadata: object }>(object: T): T => ({
      ...object,
      metadata: { ...object.metadata, resourceVersion: '' },
    });
    expect(api.update(pods, without(labelled(pod('x'), { a: 'b' }))).metadata.labels).toEqual({ a: 'b' });
    const budget = make(budgets, 'x', { spec: { maxUnavailable: 1 } });
    expect(refusal(() => api.update(budgets, without({ ...budget, spec: { maxUnavailable: 2 } })))).toBe(
      '422 Invalid: poddisruptionbudgets.policy "x" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });

  it('refuses another uid, another name and another namespace', () => {
    const { api, pod } = createApiBed();
    const made = pod('x');
    const withMetadata = (metadata: Partial<Pod['metadata']>) => ({ ...made, metadata: { ...made.metadata, ...metadata } });
    expect(refusal(() => api.update(pods, withMetadata({ uid: 'other' })))).toBe(
      `409 Conflict: Operation cannot be fulfilled on pods "x": StorageError: invalid object, Code: 4, Key: /registry/pods/default/x, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: ${made.metadata.uid}`,
    );
    const patched = refusalOf(() => api.patch(pods, 'default', 'x', () => withMetadata({ uid: 'other' })));
    expect(patched.message).toBe('Pod "x" is invalid: metadata.uid: Invalid value: "other": field is immutable');
    // Two places of the real server check it, and clients see both causes.
    expect(patched.details?.causes).toHaveLength(2);
    expect(refusal(() => api.patch(pods, 'default', 'x', () => withMetadata({ name: 'y' })))).toBe(
      '400 BadRequest: the name of the object (y) does not match the name on the URL (x)',
    );
    expect(refusal(() => api.patch(pods, 'default', 'x', () => withMetadata({ namespace: 'y' })))).toBe(
      '400 BadRequest: the namespace of the provided object does not match the namespace sent on the request',
    );
  });

  it('keeps the system`s own metadata, whatever is sent', () => {
    const { api, pod } = createApiBed();
    const made = pod('x');
    const next = api.patch(pods, 'default', 'x', () => ({
      ...made,
      metadata: { name: 'x', uid: '', resourceVersion: '', creationTimestamp: 'x', generation: 7, labels: { a: 'b' } },
    }));
    const { resourceVersion } = next.metadata;
    expect(next.metadata).toEqual({ ...made.metadata, resourceVersion, labels: { a: 'b' } });
  });

  it('is not found where there is nothing, but a lease is made', () => {
    const { api, pod, make } = createApiBed();
    const made = pod('x');
    api.remove(pods, 'default', 'x');
    expect(refusal(() => api.update(pods, made))).toBe('404 NotFound: pods "x" not found');
    expect(refusal(() => api.patch(pods, 'default', 'x', (one) => one))).toBe('404 NotFound: pods "x" not found');
    expect(api.modify(pods, 'default', 'x', (one) => one)).toBeUndefined();
    const lease = make(leases, 'l', { spec: { holderIdentity: 'a' } });
    const put = api.put(leases, { ...lease, metadata: { ...lease.metadata, name: 'm', resourceVersion: '' } });
    expect([put.created, put.object.metadata.name]).toEqual([true, 'm']);
  });

  it('keeps status and the rest apart', () => {
    const { api, make } = createApiBed();
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    make(deployments, 'x', { spec: { selector: { matchLabels: { a: 'b' } }, template } }, { labels: { keep: 'me' } });
    const main = api.modify(deployments, 'default', 'x', (one) => ({
      ...one,
      spec: { ...one.spec, replicas: 3 },
      status: { replicas: 9 },
    }));
    expect([main?.spec.replicas, main?.status, main?.metadata.generation]).toEqual([3, {}, 2]);
    const status = api.modify(
      deployments,
      'default',
      'x',
      (one) => ({
        ...one,
        metadata: { ...one.metadata, labels: { keep: 'not' }, annotations: { a: 'b' } },
        spec: { ...one.spec, replicas: 7 },
        status: { replicas: 9 },
      }),
      { subresource: 'status' },
    );
    expect([status?.spec.replicas, status?.status, status?.metadata.generation]).toEqual([3, { replicas: 9 }, 2]);
    // Upstream lets a status write change annotations, but protects a Deployment's labels.
    expect([status?.metadata.labels, status?.metadata.annotations]).toEqual([{ keep: 'me' }, { a: 'b' }]);
  });

  it('has no status to write where the kind has none', () => {
    const { api, make } = createApiBed();
    make(configMaps, 'x');
    const write = () => api.modify(configMaps, 'default', 'x', (one) => ({ ...one, status: {} }), { subresource: 'status' });
    expect(refusal(write)).toBe('404 NotFound: the server could not find the requested resource');
  });

  it('counts a generation for a changed spec, and a Deployment`s annotations', () => {
    const { api, make, pod } = createApiBed();
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    make(deployments, 'x', { spec: { selector: { matchLabels: { a: 'b' } }, template } });
    const annotate = <T extends Pod>(one: T): T => ({ ...one, metadata: { ...one.metadata, annotations: { a: 'b' } } });
    expect(api.modify(deployments, 'default', 'x', (one) => annotate(one as never))?.metadata.generation).toBe(2);
    pod('x');
    expect(api.modify(pods, 'default', 'x', annotate)?.metadata.generation).toBe(1);
    const image = api.modify(pods, 'default', 'x', (one) => ({
      ...one,
      spec: { ...one.spec, containers: [{ ...one.spec.containers[0], name: 'app', image: 'app:2' }] },
    }));
    expect(image?.metadata.generation).toBe(2);
  });

  it('ends an object that is being deleted with its last finalizer, and tells the state before', () => {
    const { api, make } = createApiBed();
    make(configMaps, 'x', {}, { finalizers: ['example.com/a', 'example.com/b'] });
    api.remove(configMaps, 'default', 'x');
    const ends: unknown[] = [];
    api.watch(configMaps, ({ type, object }) => ends.push([type, object.metadata.finalizers]));
    const without = (name: string) =>
      api.modify(configMaps, 'default', 'x', (one) => ({
        ...one,
        metadata: { ...one.metadata, finalizers: one.metadata.finalizers?.filter((each) => each !== name) ?? [] },
      }));
    without('example.com/a');
    expect(api.get(configMaps, 'default', 'x')?.metadata.finalizers).toEqual(['example.com/b']);
    expect(without('example.com/b')?.metadata.finalizers).toEqual([]);
    expect(api.get(configMaps, 'default', 'x')).toBeUndefined();
    expect(ends).toEqual([
      ['MODIFIED', ['example.com/b']],
      ['DELETED', ['example.com/b']],
    ]);
  });

  it('lets no finalizer be added to an object that is being deleted', () => {
    const { api, make } = createApiBed();
    make(configMaps, 'x', {}, { finalizers: ['example.com/a'] });
    api.remove(configMaps, 'default', 'x');
    const add = () =>
      api.modify(configMaps, 'default', 'x', (one) => ({
        ...one,
        metadata: { ...one.metadata, finalizers: ['example.com/a', 'example.com/b'] },
      }));
    expect(refusal(add)).toBe(
      '422 Invalid: ConfigMap "x" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}',
    );
  });

  it('cannot take a deletion back', () => {
    const { api, make } = createApiBed();
    make(configMaps, 'x', {}, { finalizers: ['example.com/a'] });
    const leaving = api.remove(configMaps, 'default', 'x');
    const { deletionTimestamp: _, deletionGracePeriodSeconds: __, ...metadata } = leaving.metadata;
    expect(api.update(configMaps, { ...leaving, metadata })).toBe(leaving);
    const early = () =>
      api.update(configMaps, { ...leaving, metadata: { ...metadata, name: 'y', deletionTimestamp: '2030-01-01T00:00:00Z' } });
    expect(refusal(early)).toBe('404 NotFound: configmaps "y" not found');
    const fresh = make(configMaps, 'z');
    expect(refusal(() => api.update(configMaps, { ...fresh, metadata: { ...fresh.metadata, deletionTimestamp: 'x' } }))).toMatch(
      /metadata.deletionTimestamp: Invalid value: "x": field is immutable$/,
    );
  });

  it('in a dry run shows the outcome and keeps nothing', () => {
    const { api, pod, log } = createApiBed();
    const made = pod('x');
    const lines = log(pods);
    const shown = api.update(pods, labelled(made, { a: 'b' }), { dryRun: true });
    expect(shown.metadata.labels).toEqual({ a: 'b' });
    expect(shown.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    expect(api.get(pods, 'default', 'x')).toBe(made);
    expect(lines).toEqual([]);
  });

  it('leaves a namespace`s finalizers to the finalize subresource', () => {
    const { api, make } = createApiBed();
    make(namespaces, 'x');
    const written = api.modify(namespaces, '', 'x', (one) => ({
      ...one,
      spec: { finalizers: [] },
      metadata: { ...one.metadata, labels: { a: 'b' } },
    }));
    expect([written?.spec, written?.metadata.labels]).toEqual([
      { finalizers: ['kubernetes'] },
      { a: 'b', 'kubernetes.io/metadata.name': 'x' },
    ]);
    expect(api.finalizeNamespace('x', ['kubernetes', 'example.com/more'])).toMatchObject({
      spec: { finalizers: ['kubernetes', 'example.com/more'] },
    });
  });

  it('moves a pod between nodes in the index only by its node name', () => {
    const { api, pod, make } = createApiBed();
    make(nodes, 'node-1');
    pod('b', { nodeName: 'node-1' });
    pod('a', { nodeName: 'node-1' });
    pod('c');
    const on = (node: string) => api.list(pods, { fields: { 'spec.nodeName': node } }).map(({ metadata }) => metadata.name);
    expect(on('node-1')).toEqual(['a', 'b']);
    expect(api.list(pods, { namespace: 'default', fields: { 'spec.nodeName': 'node-1', 'metadata.name': 'b' } })).toHaveLength(1);
    expect(api.list(pods, { namespace: 'kube-system', fields: { 'spec.nodeName': 'node-1' } })).toEqual([]);
    expect(on('')).toEqual(['c']);
    api.bind('default', 'c', 'node-1');
    expect(on('node-1')).toEqual(['a', 'b', 'c']);
    expect(on('')).toEqual([]);
  });
});

describe('watching from an old version', () => {
  it('goes on there, or says that it is too old', () => {
    const { api, pod } = createApiBed();
    const made = pod('x');
    const version = Number(made.metadata.resourceVersion);
    api.update(pods, labelled(made, { a: 'b' }));
    const seen: string[] = [];
    const stop = api.watchFrom(pods, version, ({ type, object }) => seen.push(`${type} ${object.metadata.resourceVersion}`));
    api.modify(pods, 'default', 'x', (one) => labelled(one, {}));
    stop();
    expect(seen).toHaveLength(2);
    api.compact();
    expect(refusal(() => api.watchFrom(pods, version, () => undefined))).toBe(
      `410 Expired: too old resource version: ${version} (${api.currentVersion()})`,
    );
  });
});
