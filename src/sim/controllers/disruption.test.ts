import { describe, expect, it } from 'vitest';
import { budgets, deployments, pods, replicaSets } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { DisruptionBudget, Pod, ReplicaSet } from '../kubernetes.ts';
import { createClusterBed, ownedBy } from '../testing/cluster-bed.ts';
import { startDisruption } from './disruption.ts';

const selector = { matchLabels: { app: 'web' } };
type Budget = DisruptionBudget['spec'];

function withController() {
  const bed = createClusterBed();
  startDisruption(bed.api);
  const figures = (name = 'b') => {
    const { currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed } =
      bed.api.get(budgets, 'default', name)?.status ?? {};
    return [currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed];
  };
  const webPod = (name: string, owner?: ReplicaSet, ready = true) => {
    bed.pod(name, { labels: { app: 'web' }, ...(owner && { ownerReferences: [ownedBy(owner)] }) });
    bed.report(name, ready);
  };
  const condition = () => conditionOf(bed.api.get(budgets, 'default', 'b')?.status?.conditions, 'DisruptionAllowed');
  return { ...bed, figures, webPod, condition };
}

describe('the status of a disruption budget', () => {
  // healthy, desired, expected, allowed; three pods, of which two are ready, of a ReplicaSet of four.
  const cases: readonly [string, Budget, readonly number[]][] = [
    ['minAvailable as a number counts the pods there are', { minAvailable: 1 }, [2, 1, 3, 1]],
    ['minAvailable as a share is of the replicas asked for, rounded up', { minAvailable: '30%' }, [2, 2, 4, 0]],
    ['minAvailable 0 allows all that are healthy', { minAvailable: 0 }, [2, 0, 3, 2]],
    ['maxUnavailable is taken from the replicas asked for', { maxUnavailable: 3 }, [2, 1, 4, 1]],
    ['maxUnavailable as a share rounds up too', { maxUnavailable: '51%' }, [2, 1, 4, 1]],
    ['maxUnavailable beyond the replicas leaves 0 desired', { maxUnavailable: 9 }, [2, 0, 4, 2]],
    ['maxUnavailable 0 allows nothing', { maxUnavailable: 0 }, [2, 4, 4, 0]],
    ['neither of the two expects nothing and allows nothing', {}, [2, 0, 0, 0]],
  ];
  it.each(cases)('%s', async (_, spec, expected) => {
    const { replicaSet, webPod, budget, pass, figures } = withController();
    const owner = replicaSet('web', 4);
    webPod('a', owner);
    webPod('b', owner);
    webPod('c', owner, false);
    budget('b', { selector, ...spec });
    await pass(1);
    expect(figures()).toEqual(expected);
  });

  it('takes a ReplicaSet of a Deployment for the Deployment, once', async () => {
    const { api, replicaSet, webPod, budget, pass, figures } = withController();
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'i' }] } };
    const deployment = api.create(deployments, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas: 5, selector, template },
    });
    webPod('a', replicaSet('old', 2, ownedBy(deployment)));
    webPod('b', replicaSet('new', 3, ownedBy(deployment)));
    budget('b', { selector, maxUnavailable: 1 });
    await pass(1);
    expect(figures()).toEqual([2, 4, 5, 0]);
  });

  it('counts pods without an owner as healthy, but expects none of them where it asks the owners', async () => {
    const { replicaSet, webPod, budget, pass, figures } = withController();
    const owner = replicaSet('web', 3);
    for (const name of ['a', 'b', 'c']) webPod(name, owner);
    webPod('detached');
    budget('b', { selector, maxUnavailable: 0 });
    await pass(1);
    expect(figures()).toEqual([4, 3, 3, 1]);
  });

  it('allows nothing for pods that all have no owner, unless minAvailable is a number', async () => {
    const { webPod, budget, pass, figures } = withController();
    webPod('a');
    webPod('b');
    budget('b', { selector, maxUnavailable: 1 });
    budget('a', { selector, minAvailable: 1 });
    await pass(1);
    expect(figures('b')).toEqual([2, 0, 0, 0]);
    expect(figures('a')).toEqual([2, 1, 2, 1]);
  });

  it('says SyncFailed and closes when an owner has no scale', async () => {
    const { api, pod, report, budget, pass, figures, condition } = withController();
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'u', controller: true };
    pod('a', { labels: { app: 'web' }, ownerReferences: [owner] });
    report('a', true);
    budget('b', { selector, maxUnavailable: 1 });
    await pass(1);
    expect(figures()[3]).toBe(0);
    expect(condition()).toMatchObject({
      status: 'False',
      reason: 'SyncFailed',
      message: 'daemonsets.apps does not implement the scale subresource',
    });
    expect(api.get(budgets, 'default', 'b')?.status?.observedGeneration).toBeUndefined();
  });

  it('says SyncFailed when the owner is gone', async () => {
    const { api, replicaSet, webPod, budget, pass, condition } = withController();
    webPod('a', replicaSet('web', 1));
    api.remove(replicaSets, 'default', 'web');
    budget('b', { selector, maxUnavailable: 1 });
    await pass(1);
    expect(condition()).toMatchObject({ reason: 'SyncFailed', message: 'found no controllers for pod "a"' });
  });

  it('follows readiness, deletion, labels and its own spec', async () => {
    const { api, replicaSet, webPod, report, budget, pass, figures, condition } = withController();
    const owner = replicaSet('web', 3);
    for (const name of ['a', 'b', 'c']) webPod(name, owner);
    budget('b', { selector, maxUnavailable: 1 });
    await pass(1);
    expect(figures()).toEqual([3, 2, 3, 1]);
    expect(condition()).toMatchObject({ status: 'True', reason: 'SufficientPods', observedGeneration: 1 });
    report('a', false);
    await pass(1);
    expect(figures()).toEqual([2, 2, 3, 0]);
    expect(condition()).toMatchObject({ status: 'False', reason: 'InsufficientPods' });
    api.modify(budgets, 'default', 'b', (each) => ({ ...each, spec: { ...each.spec, maxUnavailable: 2 } }));
    await pass(1);
    expect(figures()).toEqual([2, 1, 3, 1]);
    expect(api.get(budgets, 'default', 'b')?.status?.observedGeneration).toBe(2);
    api.modify(pods, 'default', 'c', (each) => ({ ...each, metadata: { ...each.metadata, labels: {} } }));
    report('b', true);
    api.modify(pods, 'default', 'b', (each) => ({ ...each, metadata: { ...each.metadata, labels: { app: 'web', x: 'y' } } }));
    await pass(1);
    expect(figures()).toEqual([1, 1, 3, 0]);
  });

  it('writes nothing when nothing has changed', async () => {
    const { api, webPod, budget, pass } = withController();
    webPod('a');
    budget('b', { selector, minAvailable: 0 });
    await pass(1);
    const version = api.get(budgets, 'default', 'b')?.metadata.resourceVersion;
    api.modify(pods, 'default', 'a', (each) => ({ ...each, metadata: { ...each.metadata, annotations: { x: 'y' } } }));
    await pass(600);
    expect(api.get(budgets, 'default', 'b')?.metadata.resourceVersion).toBe(version);
  });

  it('wakes only one of several budgets of a pod', async () => {
    const { webPod, report, budget, pass, figures } = withController();
    budget('one', { selector, minAvailable: 0 });
    budget('two', { selector, minAvailable: 0 });
    webPod('a');
    await pass(1);
    report('a', false);
    await pass(1);
    expect([figures('one')[0], figures('two')[0]]).toEqual([0, 1]);
  });
});

describe('a granted eviction', () => {
  it('is counted until the pod goes, and given back after two minutes', async () => {
    const { api, webPod, budget, pass, figures } = withController();
    webPod('a');
    webPod('b');
    budget('b', { selector, minAvailable: 1 });
    await pass(1);
    const grant = (each: DisruptionBudget): DisruptionBudget => {
      if (!each.status) throw new Error('no status');
      return {
        ...each,
        status: {
          ...each.status,
          disruptionsAllowed: 0,
          disruptedPods: { a: '2030-01-01T00:00:01Z', gone: '2030-01-01T00:00:01Z' },
        },
      };
    };
    api.modify(budgets, 'default', 'b', grant, { subresource: 'status' });
    await pass(60);
    expect(figures()).toEqual([1, 1, 2, 0]);
    expect(api.get(budgets, 'default', 'b')?.status?.disruptedPods).toEqual({ a: '2030-01-01T00:00:01Z' });
    await pass(61);
    expect(figures()).toEqual([2, 1, 2, 1]);
    expect(api.get(budgets, 'default', 'b')?.status?.disruptedPods).toBeUndefined();
  });

  it('that led to no deletion loses its DisruptionTarget condition after two minutes', async () => {
    const { api, pod, pass, readPod } = withController();
    pod('a');
    const mark = (each: Pod): Pod => ({
      ...each,
      status: {
        ...each.status,
        phase: 'Running',
        conditions: [
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'EvictionByEvictionAPI',
            lastTransitionTime: '2030-01-01T00:00:00Z',
          },
        ],
      },
    });
    api.modify(pods, 'default', 'a', mark, { subresource: 'status' });
    const status = () => conditionOf(readPod('a')?.status?.conditions, 'DisruptionTarget')?.status;
    await pass(119);
    expect(status()).toBe('True');
    await pass(2);
    expect(status()).toBe('False');
  });
});
