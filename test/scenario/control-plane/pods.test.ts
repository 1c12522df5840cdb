import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditLine } from '../../beds/audit-log.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { podAnnotations } from '../../beds/kwok-stages.ts';
import { daemonSet, deployment, job, type KubeObject, pod, podDisruptionBudget, statefulSet } from '../../beds/objects.ts';
import { type Case, maintain, setStage } from '../case.ts';
import { type Cluster, isReady, openCluster } from '../cluster.ts';
import { type ControllerProcess, installResources, startController } from '../controller-process.ts';
import { eventually } from '../eventually.ts';

// The cases wait most of the time, each for its own pods.
vi.setConfig({ maxConcurrency: 12 });

let bed: ControlPlane;
let cluster: Cluster;
let controller: ControllerProcess;

beforeAll(async () => {
  bed = await startControlPlane({ audit: 'Request', podReadyMs: 300, podStopMs: 300 });
  cluster = openCluster(bed);
  await installResources(bed);
  controller = await startController(bed, { kubeconfig: bed.kubeconfigFor('peer') });
});

afterAll(async () => {
  expect(await controller?.stop(), controller?.log()).toBe(0);
  await bed?.stop();
});

const annotated = (annotations: Record<string, string>) => ({ spec: { template: { metadata: { annotations } } } });
const withVolume = { spec: { template: { spec: { volumes: [{ name: 'scratch', emptyDir: {} }] } } } };

const names = async (made: Case) => (await cluster.podsOn(made.old)).map(({ metadata }) => metadata.name);
const evictions = async ({ namespace }: Case, code?: number) =>
  bed.auditLog({ user: 'peer', namespace, subresource: 'eviction', ...(code !== undefined && { code }) });
const deletions = ({ namespace }: Case) => bed.auditLog({ user: 'peer', namespace, resource: 'pods', verb: 'delete' });
const budgetOf = (made: Case, name: string, budget: object, overrides = {}) =>
  podDisruptionBudget(made.namespace, name, { ...budget }, overrides);

/** Both the disruption controller and, by then, Drover's own watch have seen the budgets. */
const budgetsCounted = (made: Case, count: number) =>
  eventually(
    `${count} budgets that are counted`,
    async () =>
      (
        await cluster.api<{ items: { status?: { expectedPods?: number } }[] }>({
          path: `/apis/policy/v1/namespaces/${made.namespace}/poddisruptionbudgets`,
        })
      ).items,
    (items) => items.length === count && items.every(({ status }) => (status?.expectedPods ?? 0) > 0),
  );

/** The status line of one pod. */
async function podStatus(made: Case, name: string) {
  const [maintenance] = await cluster.maintenancesOf(made.old);
  return maintenance?.status?.pods?.find((each) => each.name.startsWith(name));
}

describe.concurrent('disruption budgets', () => {
  it('names both budgets of a pod that two select, lets the others leave, and goes on when one is removed', async () => {
    const made = await setStage(cluster, 'two-budgets', {
      objects: (ns) => [deployment(ns, 'app', 2), deployment(ns, 'free', 2)],
      pods: 4,
    });
    const second = budgetOf(made, 'second', { maxUnavailable: 1 }, { spec: { selector: { matchLabels: { app: 'app' } } } });
    await cluster.create(budgetOf(made, 'app', { maxUnavailable: 1 }), second);
    await budgetsCounted(made, 2);
    await maintain(made, cluster);

    const waits = await cluster.waitsFor(made.old, 'SeveralBudgets');
    expect(waits.message).toContain('two-budgets/app and two-budgets/second');
    expect(waits.unblock).toContain('all but one of these budgets');
    expect(waits.pod).toMatch(/^two-budgets\/app-/);
    await eventually(
      'the others to leave',
      () => names(made),
      (left) => left.length === 2 && left.every((name) => name.startsWith('app-')),
    );
    expect(await evictions(made, 500), 'asked for although the answer is known').toEqual([]);

    await cluster.remove(second);
    await cluster.phase(made.old, ['Drained']);
    expect(await names(made)).toEqual([]);
  });

  it('says that a budget can never allow it, with its numbers, and goes on when the budget is changed', async () => {
    const made = await setStage(cluster, 'never-allows', { objects: (ns) => [deployment(ns, 'app', 2)], pods: 2 });
    const budget = budgetOf(made, 'app', { maxUnavailable: 0 });
    await cluster.create(budget);
    await cluster.readyPods(made.namespace, 2);
    await maintain(made, cluster, { handover: 'Never' });

    const waits = await cluster.waitsFor(made.old, 'BudgetNeverAllows');
    expect(waits.message).toContain('never-allows/app can never allow a disruption: it demands 2 of 2 pods');
    expect(waits.owner).toEqual({ kind: 'PodDisruptionBudget', namespace: 'never-allows', name: 'app' });
    const [maintenance] = await cluster.maintenancesOf(made.old);
    expect(maintenance?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Blocked', status: 'True', reason: 'BudgetNeverAllows' }),
    );
    expect(await evictions(made)).toEqual([]);

    await cluster.patch(budget, { spec: { maxUnavailable: 1 } });
    await cluster.phase(made.old, ['Drained']);
    expect(await evictions(made, 201)).toHaveLength(2);
  });

  it('hands pods over where the budget allows none to be missing', async () => {
    const made = await setStage(cluster, 'handed-over', { objects: (ns) => [deployment(ns, 'app', 2)], pods: 2 });
    await cluster.create(budgetOf(made, 'app', { maxUnavailable: 0 }));
    await cluster.readyPods(made.namespace, 2);
    await maintain(made, cluster);
    await cluster.phase(made.old, ['Drained']);
    await cluster.readyPods(made.namespace, 2);
    expect((await cluster.podsIn(made.namespace)).map(({ spec }) => spec.nodeName)).toEqual([made.spare, made.spare]);
  });

  it('evicts a pod that is not Ready where its budget says AlwaysAllow', async () => {
    const made = await setStage(cluster, 'always-allow', {
      objects: (ns) => [deployment(ns, 'app', 1, annotated({ [podAnnotations.ready]: 'never' }))],
      pods: 1,
    });
    await cluster.create(budgetOf(made, 'app', { minAvailable: 1 }, { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } }));
    await maintain(made, cluster);
    await cluster.phase(made.old, ['Drained']);
  });

  it('waits with a pod that is not Ready until its budget is healthy where it says IfHealthyBudget', async () => {
    const made = await setStage(cluster, 'if-healthy', { objects: (ns) => [deployment(ns, 'app', 3)], pods: 3 });
    const policy = { spec: { unhealthyPodEvictionPolicy: 'IfHealthyBudget' } };
    await cluster.create(budgetOf(made, 'app', { minAvailable: 2 }, policy));
    await cluster.readyPods(made.namespace, 3);
    const pods = await cluster.podsOn(made.old);
    const setReady = (index: number, ready: string | null) =>
      cluster.patch(pod(made.namespace, pods[index]?.metadata.name ?? ''), {
        metadata: { annotations: { [podAnnotations.ready]: ready } },
      });
    await setReady(0, 'never');
    await setReady(1, 'never');
    await eventually(
      'one Ready pod',
      () => cluster.podsIn(made.namespace),
      (seen) => seen.filter(isReady).length === 1,
    );
    // The server judges by the budget's status, and that follows the pods a moment later.
    await eventually(
      'the budget to know of it',
      () =>
        cluster.api<{ status?: { currentHealthy: number } }>({
          path: `/apis/policy/v1/namespaces/${made.namespace}/poddisruptionbudgets/app`,
        }),
      ({ status }) => status?.currentHealthy === 1,
    );
    await maintain(made, cluster, { handover: 'Never' });

    const waits = await cluster.waitsFor(made.old, 'BudgetExhausted');
    expect(waits.message).toContain('1 of 3 pods healthy, 2 needed');
    expect(await names(made)).toHaveLength(3);
    await setReady(1, null);
    await cluster.phase(made.old, ['Drained']);
  });

  it('deletes around a budget that never allows it only where the ladder says so, with a grace and only that pod', async () => {
    const made = await setStage(cluster, 'ladder', { objects: (ns) => [deployment(ns, 'app', 1)], pods: 1 });
    await cluster.create(budgetOf(made, 'app', { maxUnavailable: 0 }));
    await cluster.readyPods(made.namespace, 1);
    const [before] = await cluster.podsOn(made.old);
    await maintain(made, cluster, { handover: 'Never', ladder: [{ after: '6s', do: 'Delete', graceSeconds: 7 }] });
    await cluster.waitsFor(made.old, 'BudgetNeverAllows');
    await cluster.phase(made.old, ['Drained']);

    const bodies = (await deletions(made)).map(({ requestObject }: AuditLine) => requestObject);
    expect(bodies).toEqual([expect.objectContaining({ gracePeriodSeconds: 7, preconditions: { uid: before?.metadata.uid } })]);
    const [maintenance] = await cluster.maintenancesOf(made.old);
    expect(maintenance?.status?.journal?.map((entry) => entry.do)).toContainEqual(
      expect.stringContaining('without asking its disruption budgets'),
    );
  });
});

describe.concurrent('pods that are special', () => {
  it('protects a pod without controller, and goes on when it is gone', async () => {
    const made = await setStage(cluster, 'bare', { objects: (ns) => [pod(ns, 'alone'), deployment(ns, 'app', 1)], pods: 2 });
    await maintain(made, cluster);
    const waits = await cluster.waitsFor(made.old, 'ProtectedPod');
    expect(waits).toMatchObject({
      pod: 'bare/alone',
      message: expect.stringContaining('no controller'),
      unblock: expect.stringContaining('barePods: Evict'),
    });
    await eventually(
      'the other to leave',
      () => names(made),
      (left) => left.length === 1,
    );
    await cluster.remove(pod(made.namespace, 'alone'));
    await cluster.phase(made.old, ['Drained']);
  });

  it('evicts a pod without controller with barePods: Evict', async () => {
    const made = await setStage(cluster, 'bare-evict', { objects: (ns) => [pod(ns, 'alone')], pods: 1 });
    await maintain(made, cluster, { barePods: 'Evict' });
    await cluster.phase(made.old, ['Drained']);
    expect(await cluster.podsIn(made.namespace)).toEqual([]);
  });

  it('protects a pod with an emptyDir with emptyDir: Protect', async () => {
    const made = await setStage(cluster, 'scratch', { objects: (ns) => [deployment(ns, 'app', 1, withVolume)], pods: 1 });
    await maintain(made, cluster, { emptyDir: 'Protect' });
    expect((await cluster.waitsFor(made.old, 'ProtectedPod')).message).toContain('emptyDir');
    expect(await evictions(made)).toEqual([]);
  });

  it('evicts a pod with an emptyDir otherwise', async () => {
    const made = await setStage(cluster, 'scratch-evict', { objects: (ns) => [deployment(ns, 'app', 1, withVolume)], pods: 1 });
    await maintain(made, cluster);
    await cluster.phase(made.old, ['Drained']);
  });

  it('leaves mirror pods and pods of DaemonSets where they are', async () => {
    const mirror = (ns: string) =>
      pod(ns, 'static', {
        metadata: { annotations: { 'kubernetes.io/config.mirror': 'hash' } },
        spec: { nodeName: 'stays-old' },
      });
    const made = await setStage(cluster, 'stays', {
      objects: (ns) => [mirror(ns), daemonSet(ns, 'agent'), deployment(ns, 'app', 1)],
      pods: 3,
    });
    const uids = (pods: Awaited<ReturnType<typeof cluster.podsOn>>) =>
      pods
        .filter(({ metadata }) => !metadata.name.startsWith('app-'))
        .map(({ metadata }) => metadata.uid)
        .sort();
    const before = uids(await cluster.podsOn(made.old));
    await maintain(made, cluster);
    const { status } = await cluster.phase(made.old, ['Drained']);
    expect(uids(await cluster.podsOn(made.old))).toEqual(before);
    expect(await names(made)).toHaveLength(2);
    expect(status?.progress?.summary).toBe('1/1');
  });

  it('evicts each pod of a StatefulSet once, although its name comes back', async () => {
    const made = await setStage(cluster, 'stateful', { objects: (ns) => [statefulSet(ns, 'db', 2)], pods: 2 });
    const before = new Map((await cluster.podsOn(made.old)).map(({ metadata }) => [metadata.name, metadata.uid]));
    await maintain(made, cluster);
    await cluster.phase(made.old, ['Drained']);
    const after = await cluster.readyPods(made.namespace, 2);
    for (const { metadata, spec } of after) {
      expect(before.get(metadata.name), metadata.name).toBeDefined();
      expect(metadata.uid).not.toBe(before.get(metadata.name));
      expect(spec.nodeName).toBe(made.spare);
    }
    expect((await evictions(made)).map(({ name, code }) => `${name} ${code}`).sort()).toEqual(['db-0 201', 'db-1 201']);
  });

  it('names the finalizer that holds a pod, and goes on when it is removed', async () => {
    const made = await setStage(cluster, 'finalizer', { objects: (ns) => [deployment(ns, 'app', 1)], pods: 1 });
    const held = pod(made.namespace, (await names(made))[0] ?? '');
    await cluster.patch(held, { metadata: { finalizers: ['example.com/hold'] } });
    await maintain(made, cluster, { gracePeriodSeconds: 1 });
    expect(await cluster.waitsFor(made.old, 'Finalizer')).toMatchObject({
      pod: `finalizer/${held.metadata.name}`,
      message: expect.stringContaining('example.com/hold'),
    });
    await cluster.patch(held, { metadata: { finalizers: null } });
    await cluster.phase(made.old, ['Drained']);
  });

  it('evicts a pod that is bound but has not started, whatever its budget says', async () => {
    const made = await setStage(cluster, 'pending', {
      objects: (ns) => [
        deployment(ns, 'app', 1, annotated({ [podAnnotations.readyMs]: '3600000' })),
        podDisruptionBudget(ns, 'app', { maxUnavailable: 0 }),
      ],
      pods: 1,
    });
    expect((await cluster.podsOn(made.old))[0]?.status.phase).toBe('Pending');
    await maintain(made, cluster);
    await cluster.phase(made.old, ['Drained']);
  });

  it('removes the pod of a Job that has finished', async () => {
    const made = await setStage(cluster, 'finished', {
      objects: (ns) => [job(ns, 'once', annotated({ [podAnnotations.completeMs]: '0' }))],
      pods: 1,
    });
    await eventually(
      'the pod to succeed',
      () => cluster.podsOn(made.old),
      ([only]) => only?.status.phase === 'Succeeded',
    );
    await maintain(made, cluster, { emptyDir: 'Protect' });
    await cluster.phase(made.old, ['Drained']);
    expect(await cluster.podsIn(made.namespace)).toEqual([]);
  });
});

describe.concurrent('rules', () => {
  it('lets a pod run to its end with WaitCompleted', async () => {
    const made = await setStage(cluster, 'wait-completed', { objects: (ns) => [job(ns, 'batch')], pods: 1 });
    await maintain(made, cluster, { rules: [{ podSelector: { matchLabels: { app: 'batch' } }, do: 'WaitCompleted' }] });
    expect(await cluster.waitsFor(made.old, 'WaitCompleted')).toMatchObject({
      owner: { kind: 'Job', namespace: 'wait-completed', name: 'batch' },
    });
    expect(await evictions(made)).toEqual([]);
    const batch = pod(made.namespace, (await names(made))[0] ?? '');
    await cluster.patch(batch, { metadata: { annotations: { [podAnnotations.completeMs]: '0' } } });
    await cluster.phase(made.old, ['Drained']);
    const path = `/apis/batch/v1/namespaces/${made.namespace}/jobs/batch`;
    expect((await cluster.api<{ status: object }>({ path })).status).toMatchObject({ succeeded: 1 });
  });

  it('leaves what a rule skips, and is done without it', async () => {
    const made = await setStage(cluster, 'skip', {
      objects: (ns) => [deployment(ns, 'kept', 1), deployment(ns, 'app', 1)],
      pods: 2,
    });
    await maintain(made, cluster, { rules: [{ podSelector: { matchLabels: { app: 'kept' } }, do: 'Skip' }] });
    await cluster.phase(made.old, ['Drained']);
    expect(await names(made)).toEqual([expect.stringMatching(/^kept-/)]);
  });

  it('empties one tier after the other: rules before workloads, storage after them, what is critical last', async () => {
    const critical = { spec: { template: { spec: { priorityClassName: 'system-cluster-critical' } } } };
    const late = { podSelector: { matchLabels: { app: 'd-storage' } }, order: 100 };
    const first = { podSelector: { matchLabels: { app: 'z-first' } }, order: -1 };
    const made = await setStage(cluster, 'tiers', {
      objects: (ns): KubeObject[] => [
        deployment(ns, 'a-critical', 2, critical),
        deployment(ns, 'd-storage', 2),
        deployment(ns, 'e-workload', 2),
        deployment(ns, 'z-first', 2),
      ],
      pods: 8,
    });
    await cluster.readyPods(made.namespace, 8);
    await maintain(made, cluster, { handover: 'Never', rules: [late, first] });
    await cluster.phase(made.old, ['Drained']);
    const order = (await evictions(made, 201)).map(({ name }) => name.slice(0, 1)).join('');
    expect(order).toBe('zzeeddaa');
  });
});

describe.concurrent('the node', () => {
  it('is labelled out of load balancers while it is out, where that is asked for', async () => {
    const made = await setStage(cluster, 'balancers', { pods: 0 });
    const label = 'node.kubernetes.io/exclude-from-external-load-balancers';
    const object = await maintain(made, cluster, { excludeFromLoadBalancers: true });
    await cluster.phase(made.old, ['Drained']);
    expect((await cluster.node(made.old)).metadata.labels?.[label]).toBe('drover');
    await cluster.remove(object);
    await eventually(
      'the label to go',
      () => cluster.node(made.old),
      ({ metadata, spec }) => metadata.labels?.[label] === undefined && !spec.unschedulable,
    );
  });
});

// Alone, at the end: it stops the controller manager, which everybody else needs.
describe('a namespace that is being deleted', () => {
  it('is waited for, since it forbids evictions', async () => {
    const made = await setStage(cluster, 'terminating', { objects: (ns) => [deployment(ns, 'app', 1)], pods: 1 });
    await cluster.readyPods(made.namespace, 1);
    bed.pauseComponent('kube-controller-manager');
    try {
      await cluster.api({ method: 'DELETE', path: `/api/v1/namespaces/${made.namespace}` });
      await maintain(made, cluster, { handover: 'Never' });
      expect((await cluster.waitsFor(made.old, 'NamespaceTerminating')).message).toContain('its namespace is being deleted');
      expect(await podStatus(made, 'app')).toMatchObject({ state: 'Waiting' });
    } finally {
      bed.resumeComponent('kube-controller-manager');
    }
    await cluster.phase(made.old, ['Drained']);
  });
});
