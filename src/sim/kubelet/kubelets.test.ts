import { describe, expect, it } from 'vitest';
import { leases, nodes, pods } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { Pod } from '../kubernetes.ts';
import { createClusterBed, type PodChanges } from '../testing/cluster-bed.ts';
import { type KubeletOptions, startKubelets } from './kubelets.ts';
import { instantSteps } from './timing.ts';

const quiet: KubeletOptions = { steps: instantSteps, heartbeats: false };

async function withNode(options: KubeletOptions = quiet) {
  const bed = createClusterBed();
  const kubelets = startKubelets(bed.api, options);
  bed.node('n1');
  await bed.pass(0);
  return { ...bed, kubelets };
}

const on = (changes: PodChanges = {}): PodChanges => ({ ...changes, spec: { nodeName: 'n1', ...changes.spec } });
const sim = (annotations: Record<string, string>) =>
  Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`sim.drover.dev/${key}`, value]));
const readyReason = (pod: Pod | undefined) => conditionOf(pod?.status?.conditions, 'Ready')?.reason;

describe('a node', () => {
  it('reports itself ready, with its size, addresses, labels and a boot id', async () => {
    const { readNode } = await withNode();
    const node = readNode('n1');
    expect(conditionOf(node.status?.conditions, 'Ready')).toMatchObject({ status: 'True', reason: 'KubeletReady' });
    expect(node.status?.allocatable?.['cpu']).toBe('4');
    expect(node.status?.addresses?.map(({ type }) => type)).toEqual(['InternalIP', 'Hostname']);
    expect(node.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': 'n1' });
    expect(node.status?.nodeInfo?.['bootID']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('boots as long as its annotation says, or never', async () => {
    const { node, readNode, pass } = await withNode();
    node('slow', { metadata: { annotations: sim({ boot: '20s' }) } });
    node('lost', { metadata: { annotations: sim({ boot: 'never' }) } });
    await pass(19);
    expect(readNode('slow').status?.conditions ?? []).toEqual([]);
    await pass(2);
    expect(conditionOf(readNode('slow').status?.conditions, 'Ready')?.status).toBe('True');
    await pass(3600);
    expect(readNode('lost').status?.conditions ?? []).toEqual([]);
  });

  it('renews its lease every ten seconds while it is up', async () => {
    const { api, kubelets, pass } = await withNode({ steps: instantSteps });
    const renewed = () => api.get(leases, 'kube-node-lease', 'n1')?.spec?.renewTime ?? '';
    const first = renewed();
    await pass(11);
    const second = renewed();
    expect(second > first).toBe(true);
    kubelets.stopNode('n1');
    await pass(60);
    expect(renewed()).toBe(second);
  });

  it('puts its Ready condition right when somebody else changes it', async () => {
    const { api, readNode, pass } = await withNode();
    api.modify(
      nodes,
      '',
      'n1',
      (node) => ({ ...node, status: { ...node.status, conditions: [{ type: 'Ready', status: 'Unknown' as const }] } }),
      { subresource: 'status' },
    );
    await pass(11);
    expect(conditionOf(readNode('n1').status?.conditions, 'Ready')?.status).toBe('True');
  });
});

describe('a pod', () => {
  it('is pending, running and ready, in that order', async () => {
    const { pod, pass, history, readPod } = await withNode({
      ...quiet,
      steps: { ...instantSteps, pull: { least: 1000, spread: 0 } },
    });
    pod('a', on());
    await pass(0);
    expect(readPod('a')?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('ContainerCreating');
    await pass(5);
    expect(history('a')).toEqual(['Pending -', 'Pending False', 'Pending False', 'Running True']);
    const status = readPod('a')?.status;
    expect(status?.podIP).toMatch(/^10\./);
    expect(status?.conditions?.map(({ type }) => type)).toEqual([
      'PodReadyToStartContainers',
      'Initialized',
      'Ready',
      'ContainersReady',
      'PodScheduled',
    ]);
  });

  it('finds an image that another pod had pulled', async () => {
    const { pod, pass, history } = await withNode({ ...quiet, steps: { ...instantSteps, pull: { least: 1000, spread: 0 } } });
    pod('a', on());
    await pass(2);
    pod('b', on());
    await pass(0);
    expect(history('b')).toEqual(['Pending -', 'Pending False', 'Running True']);
  });

  it('is ready with the first readiness probe after its application answers', async () => {
    const { pod, pass, readPod } = await withNode();
    const containers = [{ name: 'app', image: 'app:1', readinessProbe: { initialDelaySeconds: 3, periodSeconds: 5 } }];
    pod('a', on({ annotations: sim({ ready: '4s' }), spec: { containers } }));
    await pass(7);
    expect(readyReason(readPod('a'))).toBe('ContainersNotReady');
    expect(readPod('a')?.status?.phase).toBe('Running');
    await pass(1);
    expect(readyReason(readPod('a'))).toBeUndefined();
  });

  it('stays unready when it never answers', async () => {
    const { pod, pass, readPod } = await withNode();
    pod('a', on({ annotations: sim({ ready: 'never' }) }));
    await pass(3600);
    expect(conditionOf(readPod('a')?.status?.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [app]',
    });
  });

  it('waits for its readiness gate', async () => {
    const { api, pod, pass, readPod } = await withNode();
    pod('a', on({ spec: { readinessGates: [{ conditionType: 'lb' }] } }));
    await pass(1);
    expect(readyReason(readPod('a'))).toBe('ReadinessGatesNotReady');
    api.modify(
      pods,
      'default',
      'a',
      (each): Pod => ({
        ...each,
        status: { ...each.status, conditions: [...(each.status?.conditions ?? []), { type: 'lb', status: 'True' }] },
      }),
      { subresource: 'status' },
    );
    await pass(1);
    expect(conditionOf(readPod('a')?.status?.conditions, 'Ready')?.status).toBe('True');
  });

  it('runs its init containers one after the other first', async () => {
    const { pod, pass, readPod } = await withNode();
    const initContainers = [
      { name: 'one', image: 'i' },
      { name: 'two', image: 'i' },
    ];
    pod('a', on({ annotations: sim({ init: '10s' }), spec: { initContainers } }));
    await pass(5);
    expect(readPod('a')?.status).toMatchObject({ phase: 'Pending' });
    expect(readPod('a')?.status?.initContainerStatuses?.map(({ state }) => Object.keys(state ?? {})[0])).toEqual([
      'running',
      'waiting',
    ]);
    expect(conditionOf(readPod('a')?.status?.conditions, 'Initialized')?.reason).toBe('ContainersNotInitialized');
    await pass(16);
    expect(readPod('a')?.status?.phase).toBe('Running');
  });

  it('that ends by itself has succeeded, and does not come back unless its policy says Always', async () => {
    const { pod, pass, readPod } = await withNode();
    pod('job', on({ annotations: sim({ 'run-for': '30s' }), spec: { restartPolicy: 'OnFailure' } }));
    await pass(29);
    expect(readPod('job')?.status?.phase).toBe('Running');
    await pass(2);
    expect(readPod('job')?.status?.phase).toBe('Succeeded');
    expect(readyReason(readPod('job'))).toBe('PodCompleted');
  });

  it('that crashes is restarted at once, then after 10, 20, 40 seconds', async () => {
    const { pod, pass, readPod } = await withNode();
    pod('a', on({ annotations: sim({ 'crash-after': '1s' }) }));
    const restarts = () => readPod('a')?.status?.containerStatuses?.[0]?.restartCount;
    await pass(1.5);
    expect(restarts()).toBe(1);
    await pass(2);
    expect(readPod('a')?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('CrashLoopBackOff');
    expect(readPod('a')?.status?.phase).toBe('Running');
    await pass(8);
    expect(restarts()).toBe(1);
    await pass(1);
    expect(restarts()).toBe(2);
    await pass(20.6);
    expect(restarts()).toBe(3);
  });

  it('fails for good with policy Never', async () => {
    const { pod, pass, readPod } = await withNode();
    pod('a', on({ annotations: sim({ 'crash-after': '1s' }), spec: { restartPolicy: 'Never' } }));
    await pass(2);
    expect(readPod('a')?.status?.phase).toBe('Failed');
  });

  it('lives as long at most as its active deadline', async () => {
    const { pod, pass, readPod } = await withNode();
    pod('a', on({ spec: { activeDeadlineSeconds: 60 } }));
    await pass(61);
    expect(readPod('a')?.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
  });
});

describe('a deleted pod', () => {
  it('stays ready until its containers stop, ended by the signal, and goes', async () => {
    const { api, pod, pass, history, readPod } = await withNode();
    pod('a', on({ annotations: sim({ stop: '5s' }) }));
    await pass(1);
    const before = history('a').length;
    api.remove(pods, 'default', 'a');
    await pass(4);
    expect(readPod('a')?.metadata.deletionTimestamp).toBeDefined();
    expect(conditionOf(readPod('a')?.status?.conditions, 'Ready')?.status).toBe('True');
    await pass(2);
    expect(readPod('a')).toBeUndefined();
    const after = history('a').slice(before);
    // The API server tells of a grace of 0 before it tells of the removal.
    expect(after).toEqual(['Running True', 'Running True', 'Failed False', 'Failed False', 'gone']);
  });

  it('is killed when its grace is over', async () => {
    const { api, pod, pass, readPod, history } = await withNode();
    pod('a', on({ annotations: sim({ stop: 'never' }), spec: { terminationGracePeriodSeconds: 10 } }));
    await pass(1);
    api.remove(pods, 'default', 'a');
    await pass(9);
    expect(readPod('a')).toBeDefined();
    await pass(2);
    expect(readPod('a')).toBeUndefined();
    expect(history('a')).toContain('Failed False');
  });

  it('is killed sooner when it is deleted again with less grace', async () => {
    const { api, pod, pass, readPod } = await withNode();
    pod('a', on({ annotations: sim({ stop: 'never' }), spec: { terminationGracePeriodSeconds: 600 } }));
    await pass(1);
    api.remove(pods, 'default', 'a');
    await pass(5);
    api.remove(pods, 'default', 'a', { gracePeriodSeconds: 5 });
    await pass(4);
    expect(readPod('a')).toBeDefined();
    await pass(2);
    expect(readPod('a')).toBeUndefined();
  });

  it('sleeps in preStop before it is told to stop', async () => {
    const { api, pod, pass, readPod } = await withNode();
    const containers = [{ name: 'app', image: 'app:1', lifecycle: { preStop: { sleep: { seconds: 8 } } } }];
    pod('a', on({ annotations: sim({ stop: '1s' }), spec: { containers } }));
    await pass(1);
    api.remove(pods, 'default', 'a');
    await pass(8.5);
    expect(readPod('a')).toBeDefined();
    await pass(1);
    expect(readPod('a')).toBeUndefined();
  });

  it('does not start any more', async () => {
    const { api, pod, pass, history } = await withNode({
      ...quiet,
      steps: { ...instantSteps, pull: { least: 60_000, spread: 0 } },
    });
    pod('a', on());
    await pass(5);
    api.remove(pods, 'default', 'a');
    await pass(120);
    expect(history('a').slice(-2)).toEqual(['Failed False', 'gone']);
    expect(history('a')).not.toContain('Running True');
  });

  it('keeps a finalizer that somebody else has to take away', async () => {
    const { api, pod, pass, readPod } = await withNode();
    pod('a', on({ finalizers: ['example.com/wait'] }));
    await pass(1);
    api.remove(pods, 'default', 'a');
    await pass(60);
    expect(readPod('a')?.status?.phase).toBe('Failed');
  });
});

describe('a static pod', () => {
  it('comes back when its image in the API is deleted', async () => {
    const { api, pod, pass, readPod } = await withNode();
    const old = pod('etcd', on({ annotations: { 'kubernetes.io/config.mirror': 'abc' } }));
    await pass(1);
    api.remove(pods, 'default', 'etcd');
    await pass(1);
    expect(readPod('etcd')?.metadata.uid).not.toBe(old.metadata.uid);
    expect(conditionOf(readPod('etcd')?.status?.conditions, 'Ready')?.status).toBe('True');
    api.remove(pods, 'default', 'etcd', { gracePeriodSeconds: 0 });
    await pass(1);
    expect(readPod('etcd')?.status?.phase).toBe('Running');
  });
});

describe('a node that fails', () => {
  it('leaves its pods as they were, and their deletion unfinished', async () => {
    const { api, kubelets, pod, pass, readPod } = await withNode();
    pod('a', on());
    await pass(1);
    kubelets.stopNode('n1');
    api.remove(pods, 'default', 'a');
    await pass(600);
    expect(conditionOf(readPod('a')?.status?.conditions, 'Ready')?.status).toBe('True');
    kubelets.startNode('n1');
    await pass(1);
    expect(readPod('a')).toBeUndefined();
  });

  it('comes back from a reboot with another boot id and every container restarted', async () => {
    const { kubelets, pod, pass, readPod, readNode } = await withNode();
    pod('a', on());
    await pass(1);
    const bootId = readNode('n1').status?.nodeInfo?.['bootID'];
    kubelets.reboot('n1', 40_000);
    await pass(39);
    expect(readNode('n1').status?.nodeInfo?.['bootID']).toBe(bootId);
    await pass(2);
    expect(readNode('n1').status?.nodeInfo?.['bootID']).not.toBe(bootId);
    expect(readPod('a')?.status?.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      ready: true,
      lastState: { terminated: { exitCode: 255 } },
    });
  });

  it('goes on as before when only its kubelet was silent', async () => {
    const { api, kubelets, pod, pass, readPod, readNode } = await withNode();
    pod('a', on());
    pod('b', on());
    await pass(1);
    const bootId = readNode('n1').status?.nodeInfo?.['bootID'];
    kubelets.silence('n1');
    api.remove(pods, 'default', 'b');
    pod('c', on());
    await pass(60);
    expect(readPod('c')?.status?.phase).toBe('Pending');
    kubelets.startNode('n1');
    await pass(1);
    expect(readNode('n1').status?.nodeInfo?.['bootID']).toBe(bootId);
    expect(readPod('a')?.status?.containerStatuses?.[0]?.restartCount).toBe(0);
    expect(readPod('b')).toBeUndefined();
    expect(readPod('c')?.status?.phase).toBe('Running');
  });

  it('ends its pods when it is shut down gracefully', async () => {
    const { kubelets, pod, pass, readPod, readNode } = await withNode();
    pod('a', on({ annotations: sim({ stop: '3s' }) }));
    await pass(1);
    kubelets.shutdown('n1');
    await pass(1);
    expect(conditionOf(readNode('n1').status?.conditions, 'Ready')).toMatchObject({
      status: 'False',
      message: 'node is shutting down',
    });
    pod('late', on());
    await pass(3);
    expect(readPod('a')?.status).toMatchObject({ phase: 'Failed', reason: 'Terminated' });
    expect(conditionOf(readPod('a')?.status?.conditions, 'DisruptionTarget')?.reason).toBe('TerminationByKubelet');
    expect(readPod('late')?.status).toMatchObject({ phase: 'Failed', reason: 'NodeShutdown' });
    expect(kubelets.powerOf('n1')).toBe('off');
  });

  it('that is slow takes a multiple of the time', async () => {
    const { kubelets, pod, pass, readPod } = await withNode({
      ...quiet,
      steps: { ...instantSteps, start: { least: 1000, spread: 0 } },
    });
    kubelets.slow('n1', 10);
    pod('a', on({ annotations: sim({ pull: '0' }) }));
    await pass(9);
    expect(readPod('a')?.status?.phase).toBe('Pending');
    await pass(2);
    expect(readPod('a')?.status?.phase).toBe('Running');
  });
});

describe('one seed', () => {
  it('gives one run', async () => {
    const play = async () => {
      const bed = createClusterBed(7);
      startKubelets(bed.api, { heartbeats: true });
      bed.node('n1');
      for (let i = 0; i < 5; i++) bed.pod(`p${i}`, on());
      await bed.pass(30);
      return bed.api.list(pods);
    };
    expect(await play()).toEqual(await play());
  });
});
