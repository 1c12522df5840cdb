import { describe, expect, it } from 'vitest';
import { nodes } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { Node, Taint, Toleration } from '../kubernetes.ts';
import { createClusterBed } from '../testing/cluster-bed.ts';
import { startTaintEviction, toleratedFor } from './taint-eviction.ts';

const taint = (key: string, effect: Taint['effect'] = 'NoExecute'): Taint => ({ key, effect });
const tolerating = (key: string, tolerationSeconds?: number): Toleration => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds !== undefined && { tolerationSeconds }),
});

describe('toleratedFor', () => {
  const cases: readonly [string, Toleration[], Taint[], number | undefined][] = [
    ['no toleration', [], [taint('a')], undefined],
    ['one taint of two', [tolerating('a')], [taint('a'), taint('b')], undefined],
    ['for ever', [tolerating('a')], [taint('a')], Number.POSITIVE_INFINITY],
    ['the shortest of several taints', [tolerating('a', 60), tolerating('b', 30)], [taint('a'), taint('b')], 30_000],
    ['the first toleration that matches a taint', [tolerating('a', 60), tolerating('a', 5)], [taint('a')], 60_000],
    ['a negative time', [tolerating('a', -1)], [taint('a')], 0],
    ['any key', [{ operator: 'Exists' }], [taint('a')], Number.POSITIVE_INFINITY],
  ];
  it.each(cases)('%s', (_, tolerations, taints, expected) => {
    expect(toleratedFor(tolerations, taints)).toBe(expected);
  });
});

function withEviction() {
  const bed = createClusterBed();
  startTaintEviction(bed.api);
  bed.node('n1');
  const setTaints = (...taints: Taint[]) =>
    bed.api.modify(nodes, '', 'n1', (each: Node): Node => ({ ...each, spec: { ...each.spec, taints } }));
  const pod = (name: string, ...tolerations: Toleration[]) => bed.pod(name, { spec: { nodeName: 'n1', tolerations } });
  const leaving = (name: string) => bed.readPod(name)?.metadata.deletionTimestamp !== undefined;
  return { ...bed, setTaints, pod, leaving };
}

describe('taint eviction', () => {
  it('deletes at once what does not tolerate, with the reason on the pod', async () => {
    const { setTaints, pod, leaving, readPod, pass } = withEviction();
    pod('a');
    pod('b', tolerating('gone'));
    setTaints(taint('gone'));
    await pass(1);
    expect([leaving('a'), leaving('b')]).toEqual([true, false]);
    expect(conditionOf(readPod('a')?.status?.conditions, 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'DeletionByTaintManager',
    });
  });

  it('waits as long as the toleration says, unless the taint goes before', async () => {
    const { setTaints, pod, leaving, pass } = withEviction();
    pod('a', tolerating('gone', 60));
    setTaints(taint('gone'));
    await pass(59);
    expect(leaving('a')).toBe(false);
    await pass(2);
    expect(leaving('a')).toBe(true);
    pod('b', tolerating('gone', 60));
    await pass(30);
    setTaints();
    await pass(120);
    expect(leaving('b')).toBe(false);
  });

  it('does not start the wait again when another taint comes', async () => {
    const { setTaints, pod, leaving, pass } = withEviction();
    pod('a', tolerating('one', 60), tolerating('two', 300));
    setTaints(taint('one'));
    await pass(30);
    setTaints(taint('one'), taint('two'));
    await pass(31);
    expect(leaving('a')).toBe(true);
  });

  it('has nothing to do with NoSchedule', async () => {
    const { setTaints, pod, leaving, pass } = withEviction();
    pod('a');
    setTaints(taint('gone', 'NoSchedule'));
    await pass(60);
    expect(leaving('a')).toBe(false);
  });

  it('deletes a pod that comes to a node with the taint on it', async () => {
    const { setTaints, pod, leaving, pass } = withEviction();
    setTaints(taint('gone'));
    await pass(1);
    pod('a');
    await pass(1);
    expect(leaving('a')).toBe(true);
  });
});
