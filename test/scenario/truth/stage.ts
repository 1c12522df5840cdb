/** A case, set up on a bed: its pods on the old nodes, then the fresh nodes beside them, and the old ones marked. */
import type { KubeObject } from '../../beds/objects.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { DUE, NS, type StartedBed, type TruthCase } from './case.ts';

const STEPS = 5;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const replicasOf = (object: KubeObject) => (object['spec'] as { readonly replicas?: number }).replicas ?? 0;

/** Within a step one Deployment grows after the other, too. */
async function grow(cluster: Cluster, objects: readonly KubeObject[], stepMs: number): Promise<void> {
  const deployments = objects.filter(({ kind }) => kind === 'Deployment');
  for (const object of objects)
    await cluster.create(
      object.kind === 'Deployment' ? { ...object, spec: { ...(object['spec'] as object), replicas: 0 } } : object,
    );
  for (let step = 1; step <= STEPS; step++) {
    for (const object of deployments) {
      const replicasAt = (each: number) => Math.ceil((replicasOf(object) * each) / STEPS);
      if (replicasAt(step) !== replicasAt(step - 1)) await cluster.patch(object, { spec: { replicas: replicasAt(step) } });
      await wait(stepMs / deployments.length);
    }
  }
}

interface BudgetView {
  readonly status?: { readonly currentHealthy?: number; readonly expectedPods?: number };
}

function podsOf(object: KubeObject, nodes: number): number {
  if (object.kind === 'Pod') return 1;
  if (object.kind === 'DaemonSet') return nodes;
  return object.kind === 'Deployment' || object.kind === 'StatefulSet' ? replicasOf(object) : 0;
}

/** Everything Ready, and the budgets know it. */
async function settled(cluster: Cluster, pods: number): Promise<void> {
  await cluster.readyPods(NS, pods);
  const look = async () =>
    (await cluster.api<{ items: BudgetView[] }>({ path: '/apis/policy/v1/poddisruptionbudgets' })).items.filter(
      ({ status }) => !status?.expectedPods || status.currentHealthy !== status.expectedPods,
    );
  await eventually('all budgets to count all their pods', look, (left) => left.length === 0);
}

export interface Staged {
  readonly pods: number;
  /** From the deletion of a pod until it is gone. */
  readonly stopMs: number;
}

export async function stage(
  bed: StartedBed,
  cluster: Cluster,
  { old, fresh, objects }: TruthCase,
  stepMs: number,
): Promise<Staged> {
  await bed.addNodes(old);
  for (const { metadata } of old) await cluster.quietNode(metadata.name);
  const count = (nodes: number) => objects.reduce((sum, object) => sum + podsOf(object, nodes), 0);
  await grow(cluster, objects, stepMs);
  await settled(cluster, count(old.length));
  const stopMs = await bed.stopTime(cluster, () => settled(cluster, count(old.length)));
  if (fresh.length > 0) await bed.addNodes(fresh);
  for (const { metadata } of fresh) await cluster.quietNode(metadata.name);
  const pods = count(old.length + fresh.length);
  await settled(cluster, pods);
  for (const { metadata } of old) await cluster.patchNode(metadata.name, { metadata: { labels: { [DUE]: 'due' } } });
  return { pods, stopMs };
}
