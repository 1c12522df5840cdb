import { describe, expect, it } from 'vitest';
import { pods } from './kinds.ts';
import { createApiBed, refusal } from './testing/api-bed.ts';

describe('binding', () => {
  it('puts a pod on its node with PodScheduled, in one write and without a new generation', () => {
    const { api, pod, log } = createApiBed();
    pod('x');
    const lines = log(pods);
    api.bindPod('default', 'x', { node: 'node-1', labels: { zone: 'a' } });
    expect(api.get(pods, 'default', 'x')).toMatchObject({
      metadata: { generation: 1, labels: { zone: 'a' } },
      spec: { nodeName: 'node-1' },
      status: {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: '2030-01-01T00:00:00Z' }],
      },
    });
    expect(lines).toHaveLength(1);
  });

  it('refuses a pod that is bound, gated, leaving, another one or none', () => {
    const { api, pod } = createApiBed();
    pod('bound', { nodeName: 'node-1' });
    pod('gated', { schedulingGates: [{ name: 'example.com/wait' }] });
    pod('leaving', {}, { finalizers: ['example.com/wait'] });
    api.remove(pods, 'default', 'leaving');
    const other = pod('other');
    const binding = (name: string) => refusal(() => api.bind('default', name, 'node-2'));
    expect(binding('bound')).toBe(
      '409 Conflict: Operation cannot be fulfilled on pods/binding "bound": pod bound is already assigned to node "node-1"',
    );
    expect(binding('gated')).toBe(
      '409 Conflict: Operation cannot be fulfilled on pods/binding "gated": pod gated has non-empty .spec.schedulingGates',
    );
    expect(binding('leaving')).toBe(
      '409 Conflict: Operation cannot be fulfilled on pods/binding "leaving": pod leaving is being deleted, cannot be assigned to a host',
    );
    expect(binding('none')).toBe('404 NotFound: pods "none" not found');
    expect(refusal(() => api.bindPod('default', 'other', { node: 'node-1', uid: 'u' }))).toContain(
      `Precondition failed: UID in precondition: u, UID in object meta: ${other.metadata.uid}`,
    );
  });
});
