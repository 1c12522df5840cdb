import { describe, expect, it } from 'vitest';
import * as kinds from './kinds.ts';

const metadata = { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '5', generation: 3 };
const identity = { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '5' };
const selector = { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] };
const read = { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'Exists', values: [] }] };

describe('the decoders', () => {
  it('read a budget, whose limits are numbers or percentages', () => {
    const status = {
      observedGeneration: 2,
      disruptionsAllowed: 1,
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 4,
      disruptedPods: { 'web-1': 'x' },
    };
    expect(
      kinds.budgets.decodeJson({
        metadata,
        spec: { selector, maxUnavailable: '25%', unhealthyPodEvictionPolicy: 'AlwaysAllow' },
        status,
      }),
    ).toStrictEqual({
      ...identity,
      ...status,
      generation: 3,
      selector: read,
      maxUnavailable: '25%',
      unhealthyPodEviction: 'AlwaysAllow',
      disruptedPods: ['web-1'],
    });
    const failed = { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'found no controllers' };
    expect(kinds.budgets.decodeJson({ metadata, spec: {}, status: { conditions: [failed] } })?.syncFailed).toBe(
      'found no controllers',
    );
    const bare = kinds.budgets.decodeJson({ metadata, spec: { minAvailable: 0 } });
    expect(bare?.syncFailed).toBeUndefined();
    expect(bare).toMatchObject({
      selector: null,
      minAvailable: '0',
      unhealthyPodEviction: 'IfHealthyBudget',
      disruptionsAllowed: 0,
    });
    expect(bare).not.toHaveProperty('maxUnavailable');
    expect(kinds.budgets.decodeJson({ metadata, spec: { selector: {} } })?.selector).toEqual({
      matchLabels: {},
      matchExpressions: [],
    });
  });

  it('read owners', () => {
    const ownerReferences = [{ kind: 'Deployment', name: 'web', uid: 'd', controller: true }];
    const deleted = { ...metadata, ownerReferences, deletionTimestamp: '1970-01-01T00:00:01Z' };
    expect(
      kinds.replicaSets.decodeJson({ metadata: deleted, spec: { replicas: 0, minReadySeconds: 7, selector } }),
    ).toStrictEqual({
      ...identity,
      owner: { kind: 'Deployment', name: 'web', uid: 'd' },
      deletedAt: 1000,
      replicas: 0,
      minReadySeconds: 7,
      selector: read,
    });
    expect(kinds.replicaSets.decodeJson({ metadata, spec: {} })).toMatchObject({ replicas: 1 });
    const spec = { strategy: { type: 'Recreate' }, paused: true, replicas: 2 };
    expect(kinds.deployments.decodeJson({ metadata, spec })).toStrictEqual({
      ...identity,
      strategy: 'Recreate',
      paused: true,
      replicas: 2,
    });
    expect(kinds.deployments.decodeJson({ metadata })).toMatchObject({ strategy: 'RollingUpdate', paused: false, replicas: 1 });
  });

  it('read a Service without a selector as one that selects nothing', () => {
    expect(kinds.services.decodeJson({ metadata, spec: { selector: { app: 'web' } } })?.selector).toEqual({ app: 'web' });
    expect(kinds.services.decodeJson({ metadata, spec: { selector: {} } })?.selector).toBeNull();
    expect(kinds.services.decodeJson({ metadata })?.selector).toBeNull();
  });

  it('read which pods an EndpointSlice sends traffic to', () => {
    const endpoint = (uid: string, conditions: object, kind = 'Pod') => ({ conditions, targetRef: { kind, uid } });
    const endpoints = [
      endpoint('ready', { ready: true }),
      endpoint('unsaid', {}),
      endpoint('null', { ready: null }),
      endpoint('not', { ready: false }),
      endpoint('ending', { ready: true, terminating: true }),
      endpoint('machine', { ready: true }, 'Node'),
      { conditions: { ready: true } },
    ];
    const labelled = { ...metadata, labels: { 'kubernetes.io/service-name': 'front' } };
    expect(kinds.endpointSlices.decodeJson({ metadata: labelled, endpoints })).toStrictEqual({
      ...identity,
      service: 'front',
      readyPods: ['ready', 'unsaid', 'null'],
    });
    expect(kinds.endpointSlices.decodeJson({ metadata, endpoints: null })?.readyPods).toEqual([]);
  });

  it('read every selector by which others pick pods', () => {
    const peer = (app: string) => ({ podSelector: { matchLabels: { app } } });
    const spec = { podSelector: {}, ingress: [{ from: [peer('a'), { ipBlock: {} }] }, {}], egress: [{ to: [peer('b')] }] };
    const chosen = (labels: object) => ({ matchLabels: labels, matchExpressions: [] });
    expect(kinds.networkPolicies.decodeJson({ metadata, spec })).toStrictEqual({
      ...identity,
      kind: 'NetworkPolicy',
      selectors: [chosen({}), chosen({ app: 'a' }), chosen({ app: 'b' })],
    });
    expect(kinds.statefulSets.decodeJson({ metadata, spec: { selector } })).toStrictEqual({
      ...identity,
      kind: 'StatefulSet',
      selectors: [read],
    });
    expect(kinds.daemonSets.decodeJson({ metadata, spec: { selector } })?.kind).toBe('DaemonSet');
    expect(kinds.jobs.decodeJson({ metadata, spec: {} })).toMatchObject({ kind: 'Job', selectors: [] });
    const controller = kinds.replicationControllers.decodeJson({ metadata, spec: { selector: { app: 'web' } } });
    expect(controller).toMatchObject({ kind: 'ReplicationController', selectors: [chosen({ app: 'web' })] });
  });

  it('read claims and attachments', () => {
    expect(kinds.claims.decodeJson({ metadata, spec: { accessModes: ['ReadWriteOnce'], volumeName: 'pv' } })).toStrictEqual({
      ...identity,
      accessModes: ['ReadWriteOnce'],
      volumeName: 'pv',
    });
    expect(kinds.claims.decodeJson({ metadata })).toMatchObject({ accessModes: [], volumeName: '' });
    const spec = { nodeName: 'n1', source: { persistentVolumeName: 'pv' } };
    expect(kinds.volumeAttachments.decodeJson({ metadata, spec, status: { attached: true } })).toStrictEqual({
      ...identity,
      nodeName: 'n1',
      volumeName: 'pv',
      attached: true,
    });
    expect(kinds.volumeAttachments.decodeJson({ metadata, spec })).toMatchObject({ attached: false });
  });
});

describe('an address', () => {
  it('is that of the group, with a namespace only where the kind has one', () => {
    expect(kinds.collectionPath(kinds.pods)).toBe('/api/v1/pods');
    expect(kinds.collectionPath(kinds.replicaSets, 'shop')).toBe('/apis/apps/v1/namespaces/shop/replicasets');
    expect(kinds.collectionPath(kinds.nodes, 'shop')).toBe('/api/v1/nodes');
    expect(kinds.objectPath(kinds.pods, identity, 'eviction')).toBe('/api/v1/namespaces/shop/pods/web/eviction');
    expect(kinds.objectPath(kinds.nodes, { namespace: '', name: 'n1' })).toBe('/api/v1/nodes/n1');
  });
});
