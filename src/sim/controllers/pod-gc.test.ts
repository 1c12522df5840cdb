import { describe, expect, it } from 'vitest';
import { nodes, pods } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { Node } from '../kubernetes.ts';
import { createClusterBed } from '../testing/cluster-bed.ts';
import { type PodGcOptions, startPodGc } from './pod-gc.ts';

function withGc(options?: PodGcOptions) {
  const bed = createClusterBed();
  startPodGc(bed.api, options);
  return bed;
}

const bound = { spec: { nodeName: 'n1' } };

describe('PodGC', () => {
  it('takes the pods of a node that has been gone for 40 seconds, as failed', async () => {
    const { api, node, pod, report, pass, readPod, history } = withGc();
    node('n1');
    pod('a', { ...bound, finalizers: ['example.com/look'] });
    report('a', true);
    api.remove(nodes, '', 'n1');
    await pass(39);
    expect(readPod('a')?.status?.phase).toBe('Running');
    await pass(41);
    expect(readPod('a')?.status?.phase).toBe('Failed');
    expect(conditionOf(readPod('a')?.status?.conditions, 'DisruptionTarget')).toMatchObject({
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
    });
    expect(readPod('a')?.metadata.deletionTimestamp).toBeDefined();
    expect(history('a')).toContain('Failed True');
  });

  it('spares them when the node comes back in time', async () => {
    const { api, node, pod, report, pass, readPod } = withGc();
    node('n1');
    pod('a', bound);
    report('a', true);
    api.remove(nodes, '', 'n1');
    await pass(30);
    node('n1');
    await pass(120);
    expect(readPod('a')?.status?.phase).toBe('Running');
  });

  it('finishes deletions on a node that is tainted out of service and not ready', async () => {
    const { api, node, pod, report, pass, readPod } = withGc();
    node('n1');
    for (const name of ['a', 'b']) {
      pod(name, bound);
      report(name, true);
    }
    api.remove(pods, 'default', 'a');
    await pass(60);
    expect(readPod('a')).toBeDefined();
    const taints = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' as const }];
    api.modify(nodes, '', 'n1', (each: Node): Node => ({ ...each, spec: { ...each.spec, taints } }));
    await pass(21);
    expect(readPod('a')).toBeUndefined();
    expect(readPod('b')?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('keeps as many finished pods as it is told, the newest', async () => {
    const { node, pod, report, pass, readPod } = withGc({ finishedPods: 2 });
    node('n1');
    for (const name of ['a', 'b', 'c', 'd']) {
      pod(name, bound);
      await pass(1);
    }
    for (const name of ['a', 'c', 'd']) report(name, false, 'Succeeded');
    await pass(25);
    expect(['a', 'b', 'c', 'd'].filter((name) => readPod(name))).toEqual(['b', 'c', 'd']);
  });
});
