import { describe, expect, it } from 'vitest';
import { deployments } from './kinds.ts';
import { createApiBed, refusal } from './testing/api-bed.ts';

function bed() {
  const made = createApiBed();
  const template = { metadata: { labels: { app: 'web', tier: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const selector = { matchLabels: { tier: 'a', app: 'web' }, matchExpressions: [{ key: 'b', operator: 'DoesNotExist' }] };
  made.make(deployments, 'web', { spec: { replicas: 2, selector, template } });
  return made;
}

describe('the scale of a workload', () => {
  it('shows its replicas and its selector as text', () => {
    const { api } = bed();
    const { uid, resourceVersion, creationTimestamp } = api.get(deployments, 'default', 'web')?.metadata ?? {};
    expect(api.getScale(deployments, 'default', 'web')).toEqual({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'web', namespace: 'default', uid, resourceVersion, creationTimestamp },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'app=web,!b,tier=a' },
    });
  });

  it('changes nothing but the replicas, and counts a generation', () => {
    const { api } = bed();
    const before = api.get(deployments, 'default', 'web');
    const scale = api.putScale(deployments, 'default', 'web', (one) => ({ ...one, spec: { replicas: 5 } }));
    const after = api.get(deployments, 'default', 'web');
    expect(scale.spec).toEqual({ replicas: 5 });
    expect(after?.spec).toEqual({ ...before?.spec, replicas: 5 });
    expect(after?.metadata.generation).toBe(2);
    expect(api.putScale(deployments, 'default', 'web', (one) => ({ ...one, spec: {} })).spec).toEqual({});
    expect(api.get(deployments, 'default', 'web')?.spec.replicas).toBe(0);
  });

  it('refuses fewer than none, an old version, and a workload that is not there', () => {
    const { api } = bed();
    expect(refusal(() => api.putScale(deployments, 'default', 'web', (one) => ({ ...one, spec: { replicas: -1 } })))).toBe(
      '422 Invalid: Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    const old = (one: ReturnType<typeof api.getScale>) => ({ ...one, metadata: { ...one.metadata, resourceVersion: '1' } });
    expect(refusal(() => api.putScale(deployments, 'default', 'web', old))).toBe(
      '409 Conflict: Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
    );
    expect(refusal(() => api.getScale(deployments, 'default', 'none'))).toBe('404 NotFound: deployments.apps "none" not found');
  });
});
