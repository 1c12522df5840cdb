import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../lib/clock.ts';
import type { KubeObject } from '../kubernetes.ts';
import { createApi } from './create-api.ts';
import { pods } from './kinds.ts';

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true };

function pod(name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'web' },
      ownerReferences: [owner],
    },
    spec: { containers: [{ name: 'app', image: 'app' }], nodeName: `node-of-${name}` },
  };
}

const bed = () => createApi({ clock: createVirtualClock(0), random: () => 0.5 });

describe('objects that are loaded', () => {
  it('are copied, and leave what was handed in as it was', () => {
    const api = bed();
    const given = [pod('a'), pod('b')];
    api.load(given);
    expect(given).toEqual([pod('a'), pod('b')]);
    expect(api.get(pods, 'default', 'a')).not.toBe(given[0]);
  });

  it('are stored themselves when they are given away, with versions of their own', () => {
    const api = bed();
    const given = [pod('a'), pod('b')];
    api.load(given, { adopt: true });
    const [a, b] = given.map(({ metadata }) => api.get(pods, 'default', metadata.name));
    expect([a, b]).toEqual(given);
    expect(a).toBe(given[0]);
    expect(a?.metadata.resourceVersion).not.toBe(b?.metadata.resourceVersion);
  });

  it.each([false, true])('share what the objects of one owner say alike (given away: %s)', (adopt) => {
    const api = bed();
    api.load([pod('a'), pod('b')], { adopt });
    const [a, b] = ['a', 'b'].map((name) => api.get(pods, 'default', name));
    expect(a?.metadata.labels).toBe(b?.metadata.labels);
    expect(a?.metadata.ownerReferences).toBe(b?.metadata.ownerReferences);
    expect(a?.spec.containers).toBe(b?.spec.containers);
    expect([a?.spec.nodeName, b?.spec.nodeName]).toEqual(['node-of-a', 'node-of-b']);
  });
});
