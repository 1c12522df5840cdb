import { describe, expect, it } from 'vitest';
import { nodes } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { Node } from '../kubernetes.ts';
import { type KubeletOptions, startKubelets } from '../kubelet/kubelets.ts';
import { instantSteps } from '../kubelet/timing.ts';
import { createClusterBed } from '../testing/cluster-bed.ts';
import { startNodeLifecycle } from './node-lifecycle.ts';
import { taintInterval, zoneState } from './zones.ts';

function withNodes(zones: Readonly<Record<string, string>>, heartbeats = true) {
  const bed = createClusterBed();
  const options: KubeletOptions = { steps: instantSteps, heartbeats };
  const kubelets = startKubelets(bed.api, options);
  startNodeLifecycle(bed.api);
  for (const [name, zone] of Object.entries(zones))
    bed.node(name, { metadata: { labels: { 'topology.kubernetes.io/zone': zone } } });
  const ready = (name: string) => conditionOf(bed.readNode(name).status?.conditions, 'Ready')?.status;
  const taints = (name: string) =>
    (bed.readNode(name).spec.taints ?? []).map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`);
  return { ...bed, kubelets, ready, taints };
}

describe.each([true, false])('a node, with heartbeats written: %s', (heartbeats) => {
  it('loses the taint it is born with once it is ready, and stays ready', async () => {
    const { ready, taints, pass } = withNodes({ n1: 'a' }, heartbeats);
    await pass(600);
    expect(ready('n1')).toBe('True');
    expect(taints('n1')).toEqual([]);
  });

  it('is Unknown after 50 silent seconds, tainted, its pods not ready; and all is well when it is back', async () => {
    const { kubelets, ready, taints, pod, readPod, pass } = withNodes({ n1: 'a', n2: 'a' }, heartbeats);
    await pass(20);
    pod('p', { spec: { nodeName: 'n1' } });
    await pass(1);
    kubelets.silence('n1');
    await pass(38);
    expect(ready('n1')).toBe('True');
    await pass(20);
    expect(ready('n1')).toBe('Unknown');
    expect(taints('n1')).toEqual(['unreachable:NoSchedule', 'unreachable:NoExecute']);
    expect(conditionOf(readPod('p')?.status?.conditions, 'Ready')?.status).toBe('False');
    expect(taints('n2')).toEqual([]);
    kubelets.startNode('n1');
    await pass(30);
    expect(ready('n1')).toBe('True');
    expect(taints('n1')).toEqual([]);
    expect(conditionOf(readPod('p')?.status?.conditions, 'Ready')?.status).toBe('True');
  });
});

describe('a node', () => {
  it('that says itself that it is not ready gets the not-ready taints', async () => {
    const { kubelets, taints, pass } = withNodes({ n1: 'a', n2: 'a' });
    await pass(20);
    kubelets.shutdown('n1');
    await pass(20);
    expect(taints('n1')).toEqual(['not-ready:NoSchedule', 'not-ready:NoExecute']);
    await pass(60);
    expect(taints('n1').sort()).toEqual(['unreachable:NoExecute', 'unreachable:NoSchedule']);
  });

  it('that never reports is Unknown after its startup grace', async () => {
    const bed = createClusterBed();
    startNodeLifecycle(bed.api);
    bed.node('n1');
    await bed.pass(59);
    expect(bed.readNode('n1').status?.conditions ?? []).toEqual([]);
    await bed.pass(7);
    expect(conditionOf(bed.readNode('n1').status?.conditions, 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
    });
  });

  it('that is cordoned gets the unschedulable taint, and others keep theirs', async () => {
    const { api, taints, pass } = withNodes({ n1: 'a' });
    await pass(20);
    const cordon = (unschedulable: boolean) =>
      api.modify(nodes, '', 'n1', (each: Node): Node => ({ ...each, spec: { ...each.spec, unschedulable } }));
    api.modify(
      nodes,
      '',
      'n1',
      (each: Node): Node => ({ ...each, spec: { ...each.spec, taints: [{ key: 'mine', effect: 'NoSchedule' }] } }),
    );
    cordon(true);
    await pass(1);
    expect(taints('n1')).toEqual(['mine:NoSchedule', 'unschedulable:NoSchedule']);
    cordon(false);
    await pass(1);
    expect(taints('n1')).toEqual(['mine:NoSchedule']);
  });
});

describe('many nodes that fail', () => {
  it('are tainted one in ten seconds', async () => {
    const { kubelets, taints, pass } = withNodes({ n1: 'a', n2: 'a', n3: 'a', n4: 'a', n5: 'a' });
    await pass(20);
    kubelets.stopNode('n1');
    kubelets.stopNode('n2');
    await pass(65);
    const tainted = () => ['n1', 'n2'].filter((name) => taints(name).includes('unreachable:NoExecute')).length;
    expect(tainted()).toBeGreaterThanOrEqual(1);
    await pass(10);
    expect(tainted()).toBe(2);
  });

  it('are not tainted at all when no node answers any more', async () => {
    const { kubelets, taints, ready, pass } = withNodes({ n1: 'a', n2: 'b' });
    await pass(20);
    kubelets.stopNode('n1');
    kubelets.stopNode('n2');
    await pass(600);
    expect([ready('n1'), ready('n2')]).toEqual(['Unknown', 'Unknown']);
    expect(taints('n1')).toEqual(['unreachable:NoSchedule']);
  });

  it.each([
    [5, 0, 'Normal', 10_000],
    [0, 1, 'FullDisruption', 10_000],
    [3, 2, 'Normal', 10_000],
    [4, 6, 'PartialDisruption', Number.POSITIVE_INFINITY],
    [40, 60, 'PartialDisruption', 100_000],
  ] as const)('a zone with %i ready and %i not is in %s', (up, down, state, interval) => {
    expect(zoneState(up, down)).toBe(state);
    expect(taintInterval(zoneState(up, down), up + down)).toBe(interval);
  });
});
