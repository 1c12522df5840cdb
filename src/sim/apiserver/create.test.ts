import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../lib/clock.ts';
import type { Pod } from '../kubernetes.ts';
import {
  budgets,
  clusterRoles,
  configMaps,
  deployments,
  endpointSlices,
  events,
  coreEvents,
  namespaces,
  nodes,
  pods,
  services,
  statefulSets,
} from './kinds.ts';
import { createApi } from './create-api.ts';
import { createApiBed, refusal, refusalOf } from './testing/api-bed.ts';

describe('creating', () => {
  it('sets uid, version, generation and time itself, whatever the writer says', () => {
    const { api } = createApiBed();
    const before = api.currentVersion();
    const metadata = { name: 'x', namespace: 'default', uid: 'mine', generation: 9, creationTimestamp: '1999-01-01T00:00:00Z' };
    const pod = api.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c', image: 'i' }] } });
    expect(pod.metadata).toEqual({
      name: 'x',
      namespace: 'default',
      uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/) as string,
      resourceVersion: String(before + 1),
      generation: 1,
      creationTimestamp: '2030-01-01T00:00:00Z',
    });
    expect(api.get(pods, 'default', 'x')).toBe(pod);
    expect(api.byUid(pods, pod.metadata.uid)).toBe(pod);
  });

  it('keeps the generation that it is sent where the kind counts none', () => {
    const { make } = createApiBed();
    expect(make(configMaps, 'x', {}, { generation: 7 }).metadata.generation).toBe(7);
  });

  it('wants a finalizer to say whose it is', () => {
    const { make } = createApiBed();
    expect(refusal(() => make(configMaps, 'x', {}, { finalizers: ['orphan', 'hold'] }))).toBe(
      '422 Invalid: ConfigMap "x" is invalid: metadata.finalizers[1]: Invalid value: "hold": name is neither a standard finalizer name nor is it fully qualified',
    );
  });

  it('gives no generation to kinds that count none, and the same run the same uids', () => {
    const [one, other] = [createApiBed(), createApiBed()].map((bed) => bed.make(configMaps, 'x'));
    expect(one?.metadata.generation).toBeUndefined();
    expect(one).toEqual(other);
  });

  it('draws a name from generateName, of the letters that upstream uses', () => {
    const { api } = createApiBed();
    const made = api.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { generateName: 'web-', namespace: 'default' },
    });
    expect(made.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(made.metadata.generateName).toBe('web-');
  });

  it('draws again when a generated name is taken, and gives up after eight', () => {
    const { api } = createApiBed();
    const draft = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'a-', namespace: 'default' } };
    const names = new Set(Array.from({ length: 50 }, () => api.create(configMaps, draft).metadata.name));
    expect(names.size).toBe(50);
    const stuck = createApi({ clock: createVirtualClock(), random: () => 0.5 });
    expect(stuck.create(configMaps, draft).metadata.name).toBe('a-rrrrr');
    expect(refusal(() => stuck.create(configMaps, draft))).toBe(
      '409 AlreadyExists: configmaps "a-rrrrr" already exists, the server was not able to generate a unique name for the object',
    );
  });

  it.each([
    [
      'a pod in capitals',
      pods,
      'Web',
      /^422 Invalid: Pod "Web" is invalid: metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must/,
    ],
    [
      'a Service that begins with a digit',
      services,
      '1web',
      /^422 Invalid: Service "1web" is invalid: metadata.name: Invalid value: "1web": a DNS-1035 label must/,
    ],
    [
      'a namespace with a dot',
      namespaces,
      'a.b',
      /^422 Invalid: Namespace "a.b" is invalid: metadata.name: Invalid value: "a.b": must not contain dots$/,
    ],
    [
      'a role with a slash',
      clusterRoles,
      'a/b',
      /^422 Invalid: ClusterRole.rbac.authorization.k8s.io "a\/b" is invalid: metadata.name: Invalid value: "a\/b": may not contain '\/'$/,
    ],
    [
      'a StatefulSet with a dot',
      statefulSets,
      'a.b',
      /^422 Invalid: StatefulSet.apps "a.b" is invalid: metadata.name: Invalid value: "a.b": must not contain dots$/,
    ],
  ])('refuses %s', (_, kind, name, expected) => {
    const { make } = createApiBed();
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec =
      kind === services
        ? { ports: [{ port: 80 }] }
        : { selector: { matchLabels: { a: 'b' } }, template, containers: [{ name: 'c', image: 'i' }] };
    expect(refusal(() => make(kind as typeof pods, name, { spec }))).toMatch(expected);
  });

  it('takes capitals and colons in the name of a role', () => {
    const { make } = createApiBed();
    expect(make(clusterRoles, 'system:Node').metadata.name).toBe('system:Node');
  });

  it('names every cause of an invalid object', () => {
    const { make } = createApiBed();
    const error = refusalOf(() => make(configMaps, 'x', {}, { labels: { 'a b': 'c', d: '-' }, finalizers: ['/'] }));
    expect(error.code).toBe(422);
    expect(error.details?.kind).toBe('ConfigMap');
    expect(error.details?.causes?.map(({ reason, field }) => [reason, field])).toEqual([
      ['FieldValueInvalid', 'metadata.labels'],
      ['FieldValueInvalid', 'metadata.labels'],
      ['FieldValueInvalid', 'metadata.finalizers'],
      ['FieldValueInvalid', 'metadata.finalizers'],
      ['FieldValueInvalid', 'metadata.finalizers'],
    ]);
    expect(error.message).toMatch(/^ConfigMap "x" is invalid: \[metadata.labels: Invalid value: "a b": name part must/);
  });

  it('refuses a name that is taken, and says when its holder is on its way out', () => {
    const { api, make } = createApiBed();
    make(configMaps, 'x', {}, { finalizers: ['example.com/wait'] });
    expect(refusal(() => make(configMaps, 'x'))).toBe('409 AlreadyExists: configmaps "x" already exists');
    api.remove(configMaps, 'default', 'x');
    expect(refusal(() => make(configMaps, 'x'))).toBe(
      '409 AlreadyExists: object is being deleted: configmaps "x" already exists',
    );
    expect(refusal(() => make(budgets, 'x') && make(budgets, 'x'))).toBe(
      '409 AlreadyExists: poddisruptionbudgets.policy "x" already exists',
    );
  });

  it('wants the namespace to be there and to stay', () => {
    const { api, make } = createApiBed();
    expect(refusal(() => make(configMaps, 'x', {}, { namespace: 'nowhere' }))).toBe(
      '404 NotFound: namespaces "nowhere" not found',
    );
    make(namespaces, 'leaving');
    api.remove(namespaces, '', 'leaving');
    const error = refusalOf(() => make(configMaps, 'x', {}, { namespace: 'leaving' }));
    expect([error.code, error.reason, error.message]).toEqual([
      403,
      'Forbidden',
      'configmaps "x" is forbidden: unable to create new content in namespace leaving because it is being terminated',
    ]);
    expect(error.details?.causes).toEqual([
      { reason: 'NamespaceTerminating', message: 'namespace leaving is being terminated', field: 'metadata.namespace' },
    ]);
  });

  it('refuses an object that carries a version', () => {
    const { make } = createApiBed();
    expect(refusal(() => make(configMaps, 'x', {}, { resourceVersion: '1' }))).toBe(
      '500 : resourceVersion should not be set on objects to be created',
    );
  });

  it('in a dry run checks everything, keeps nothing and gives no version', () => {
    const { api, make, log } = createApiBed();
    const lines = log(configMaps);
    const before = api.currentVersion();
    const draft = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'default' } };
    const made = api.create(configMaps, draft, { dryRun: true });
    expect(made.metadata.uid).not.toBe('');
    expect(made.metadata).not.toHaveProperty('resourceVersion');
    expect(api.currentVersion()).toBe(before);
    expect(lines).toEqual([]);
    make(configMaps, 'x');
    expect(refusal(() => api.create(configMaps, draft, { dryRun: true }))).toBe(
      '409 AlreadyExists: configmaps "x" already exists',
    );
  });

  it('drops the status that a writer sends, but for nodes, which register with theirs', () => {
    const { make } = createApiBed();
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { selector: { matchLabels: { a: 'b' } }, template };
    expect(make(deployments, 'x', { spec, status: { replicas: 5 } }).status).toEqual({});
    expect(make(nodes, 'x', { status: { capacity: { cpu: '4' } } }).status).toEqual({
      capacity: { cpu: '4' },
      allocatable: { cpu: '4' },
    });
  });

  it('keeps once what is alike in the metadata of one owner`s objects', () => {
    const { api, pod } = createApiBed();
    const owner = () => [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'rs-uid', controller: true }];
    const one = pod('a', {}, { labels: { app: 'x' }, ownerReferences: owner() });
    const other = pod('b', {}, { labels: { app: 'x' }, ownerReferences: owner() });
    expect(other.metadata.labels).toBe(one.metadata.labels);
    expect(other.metadata.ownerReferences).toBe(one.metadata.ownerReferences);
    expect(api.dependents(pods, 'rs-uid')).toEqual([one, other]);
  });

  it('counts the generations of an EndpointSlice by what it says', () => {
    const { api, make } = createApiBed();
    make(endpointSlices, 'x', { addressType: 'IPv4', endpoints: [] });
    api.modify(endpointSlices, 'default', 'x', (slice) => ({
      ...slice,
      metadata: { ...slice.metadata, annotations: { a: 'b' } },
    }));
    expect(api.get(endpointSlices, 'default', 'x')?.metadata.generation).toBe(1);
    api.modify(endpointSlices, 'default', 'x', (slice) => ({ ...slice, endpoints: [{ addresses: ['10.0.0.1'] }] }));
    expect(api.get(endpointSlices, 'default', 'x')?.metadata.generation).toBe(2);
  });
});

describe('the two Event kinds', () => {
  const draft = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'default' },
    note: 'moved',
    reason: 'Moved',
    regarding: { kind: 'Pod', name: 'web' },
    reportingController: 'drover.dev/controller',
  };

  it('are one collection, each told in its own words', () => {
    const { api, log } = createApiBed();
    const [core, modern] = [log(coreEvents), log(events)];
    api.create(events, draft);
    expect(api.get(coreEvents, 'default', 'e')).toMatchObject({
      apiVersion: 'v1',
      message: 'moved',
      involvedObject: { name: 'web' },
      reportingComponent: 'drover.dev/controller',
    });
    expect(api.list(events)).toMatchObject([{ apiVersion: 'events.k8s.io/v1', note: 'moved', regarding: { name: 'web' } }]);
    api.modify(events, 'default', 'e', (event) => ({ ...event, note: 'moved on' }));
    expect(api.get(coreEvents, 'default', 'e')).toMatchObject({ apiVersion: 'v1', message: 'moved on' });
    expect(modern).toEqual(core);
    expect(core).toHaveLength(2);
  });

  it('give the same object for the same version', () => {
    const { api } = createApiBed();
    api.create(events, draft);
    expect(api.get(events, 'default', 'e')).toBe(api.get(events, 'default', 'e'));
  });
});

describe('loading a snapshot', () => {
  const pod = (name: string): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      resourceVersion: '77',
      creationTimestamp: '2020-01-01T00:00:00Z',
      labels: { app: 'x' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'rs-uid' }],
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'i' }] },
    status: { phase: 'Running' },
  });

  it('keeps uids, times and status, gives new versions, and asks no admission', () => {
    const { api, log } = createApiBed();
    const lines = log(pods);
    const given = pod('a');
    api.load([given]);
    const { resourceVersion } = api.get(pods, 'shop', 'a')?.metadata ?? {};
    expect(api.get(pods, 'shop', 'a')).toEqual({ ...given, metadata: { ...given.metadata, resourceVersion } });
    expect(resourceVersion).toBe(String(api.currentVersion()));
    expect(given.metadata.resourceVersion).toBe('77');
    expect(lines).toEqual([`ADDED a ${resourceVersion}`]);
    expect(api.dependents(pods, 'rs-uid')).toHaveLength(1);
  });

  it('keeps once what is alike in the pods of one owner', () => {
    const { api } = createApiBed();
    api.load([pod('a'), pod('b')]);
    const [a, b] = api.list(pods);
    expect(b?.spec.containers).toBe(a?.spec.containers);
    expect(b?.metadata.labels).toBe(a?.metadata.labels);
    expect(b?.metadata.name).toBe('b');
  });

  it('replaces a namespace that is there already by the one of the snapshot', () => {
    const { api } = createApiBed();
    const old = api.get(namespaces, '', 'default');
    const metadata = {
      name: 'default',
      uid: 'from-the-snapshot',
      resourceVersion: '1',
      creationTimestamp: '2020-01-01T00:00:00Z',
    };
    api.load([{ apiVersion: 'v1', kind: 'Namespace', metadata }]);
    expect(api.get(namespaces, '', 'default')?.metadata.uid).toBe('from-the-snapshot');
    expect(api.byUid(namespaces, old?.metadata.uid ?? '')).toBeUndefined();
  });

  it('names the kind that it does not know', () => {
    const { api } = createApiBed();
    const metadata = { name: 'x', uid: 'u', resourceVersion: '', creationTimestamp: '' };
    expect(() => api.load([{ apiVersion: 'example.com/v1', kind: 'Widget', metadata }])).toThrow(
      'the simulated API server does not serve example.com/v1 Widget',
    );
  });
});
