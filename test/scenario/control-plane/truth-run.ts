/** One case: its cluster on a bed of its own, planned from what can be read of it, then really rotated. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GROUP_VERSION } from '../../../src/api/names.ts';
import type { NodeMaintenance } from '../../../src/api/resources.ts';
import { proposePolicies } from '../../../src/cli/plan/proposal.ts';
import { rehearse } from '../../../src/cli/plan/simulate.ts';
import { learnTimings } from '../../../src/cli/plan/timings.ts';
import { loadAccess } from '../../../src/kube/kubeconfig.ts';
import { connect } from '../../../src/kube/request.ts';
import { createWallClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { Node } from '../../../src/sim/kubernetes.ts';
import { writeSnapshot } from '../../../src/sim/snapshot/file.ts';
import { readCluster } from '../../../src/sim/snapshot/read-cluster.ts';
import type { Snapshot } from '../../../src/sim/snapshot/snapshot.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import type { KubeObject } from '../../beds/objects.ts';
import { createNodes } from '../../beds/seed.ts';
import { type Cluster, isReady, openCluster, type PodObject, policyObject } from '../cluster.ts';
import { installResources, startController } from '../controller-process.ts';
import { eventually } from '../eventually.ts';
import { observe } from '../observer.ts';
import { DUE, type TruthCase } from './truth-cases.ts';

export interface Outcome {
  /** From the first node that begins until the last one that is drained. */
  readonly makespanMs: number;
  /** Nodes that never got drained, in order. */
  readonly blockedNodes: readonly string[];
  /** "namespace/name" of the pods that kept them, in order. */
  readonly blockedPods: readonly string[];
}

export interface Compared {
  readonly truthCase: TruthCase;
  readonly pods: number;
  readonly predicted: Outcome;
  readonly real: Outcome;
}

const clock = createWallClock();
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const policyOf = ({ policy: { disruption, drain = {} } }: TruthCase): KubeObject =>
  policyObject('truth', {
    nodeSelector: { matchLabels: { pool: 'old' } },
    reasons: [{ type: 'Label', label: { key: DUE } }],
    disruption: { massTrigger: '100%', ...disruption },
    drain,
  });

// Pods that begin together would all be Ready at the same part of a second, and the times of their conditions, whole seconds, then
// all lie in the same direction. Those of a cluster that has been there for a while do not.
const STEP_MS = 618;
const STEPS = 5;

async function grow(cluster: Cluster, objects: readonly KubeObject[]): Promise<void> {
  const deployments = objects.filter(({ kind }) => kind === 'Deployment');
  const replicasOf = (object: KubeObject) => (object['spec'] as { replicas: number }).replicas;
  for (const object of objects)
    await cluster.create(
      object.kind === 'Deployment' ? { ...object, spec: { ...(object['spec'] as object), replicas: 0 } } : object,
    );
  for (let step = 1; step <= STEPS; step++) {
    for (const object of deployments)
      await cluster.patch(object, { spec: { replicas: Math.ceil((replicasOf(object) * step) / STEPS) } });
    await wait(STEP_MS);
  }
}

interface BudgetView {
  readonly spec: { readonly selector: { readonly matchLabels: Readonly<Record<string, string>> } };
  readonly status?: { readonly currentHealthy?: number; readonly expectedPods?: number };
}

function podsOf({ kind, spec }: KubeObject & { spec?: { replicas?: number } }, nodes: number): number {
  if (kind === 'Pod') return 1;
  if (kind === 'DaemonSet') return nodes;
  return kind === 'Deployment' || kind === 'StatefulSet' ? (spec?.replicas ?? 0) : 0;
}

/** Everything Ready, and the budgets know it. */
async function settled(cluster: Cluster, pods: number): Promise<void> {
  await cluster.readyPods('shop', pods);
  const look = async () =>
    (await cluster.api<{ items: BudgetView[] }>({ path: '/apis/policy/v1/poddisruptionbudgets' })).items.filter(
      ({ status }) => !status?.expectedPods || status.currentHealthy !== status.expectedPods,
    );
  await eventually('all budgets to count all their pods', look, (left) => left.length === 0);
}

async function stage(bed: ControlPlane, cluster: Cluster, { old, fresh, objects }: TruthCase): Promise<number> {
  await createNodes(bed.api, old);
  const count = (nodes: number) => objects.reduce((sum, object) => sum + podsOf(object, nodes), 0);
  await grow(cluster, objects);
  await settled(cluster, count(old.length));
  if (fresh.length > 0) await createNodes(bed.api, fresh);
  for (const { metadata } of [...old, ...fresh]) await cluster.quietNode(metadata.name);
  await settled(cluster, count(old.length + fresh.length));
  for (const { metadata } of old) await cluster.patchNode(metadata.name, { metadata: { labels: { [DUE]: 'due' } } });
  return count(old.length + fresh.length);
}

const keyOf = ({ metadata }: PodObject) => `${metadata.namespace}/${metadata.name}`;

/** What the plan says of a snapshot. */
export async function predict(truthCase: TruthCase, snapshot: Snapshot, seed = 1): Promise<Outcome> {
  const nodes = snapshot.objects.filter((object): object is Node => object.kind === 'Node');
  const result = await rehearse({
    snapshot,
    proposal: proposePolicies(nodes, [{ file: 'policy', text: JSON.stringify(policyOf(truthCase)) }], false),
    timings: learnTimings(snapshot.objects, { readyMs: null, stopMs: truthCase.stopMs }),
    afterwards: truthCase.afterwards,
    seed,
    limitMs: 3_600_000,
  });
  const started = result.nodes.flatMap(({ startedMs }) => startedMs ?? []);
  return {
    makespanMs: result.makespanMs - Math.min(...started),
    blockedNodes: result.nodes.flatMap(({ node, drainedMs }) => (drainedMs === null ? [node] : [])).sort(),
    blockedPods: result.blocked.map(({ pod }) => pod).sort(),
  };
}

const ended = new Set(['Drained', 'HandedBack', 'Cancelled', 'Failed']);

interface Rotated extends Outcome {
  /** By node: since the policy was created. */
  readonly phases: Readonly<Record<string, readonly { readonly phase: string; readonly atMs: number }[]>>;
}

async function rotate(bed: ControlPlane, cluster: Cluster, truthCase: TruthCase): Promise<Rotated> {
  const first = await cluster.podsIn('shop');
  const controller = await startController(bed);
  const began = new Map<string, number>();
  const drained = new Map<string, number>();
  const over = new Set<string>();
  const phases = new Map<string, { phase: string; atMs: number }[]>();
  let createdAt = 0;
  const cancelled: Promise<unknown>[] = [];
  const stop = await observe<NodeMaintenance>(bed, `/apis/${GROUP_VERSION}/nodemaintenances`, ({ object }) => {
    const { metadata, spec, status } = object;
    const { phase = 'Pending' } = status ?? {};
    const known = phases.get(spec.nodeName) ?? [];
    if (known.at(-1)?.phase !== phase) phases.set(spec.nodeName, [...known, { phase, atMs: clock.now() - createdAt }]);
    if (phase === 'Draining' && !began.has(spec.nodeName)) began.set(spec.nodeName, clock.now());
    if (phase === 'Drained' && !drained.has(spec.nodeName)) {
      drained.set(spec.nodeName, clock.now());
      if (truthCase.afterwards === 'return')
        cancelled.push(
          cluster.patch({ apiVersion: GROUP_VERSION, kind: 'NodeMaintenance', metadata }, { spec: { cancelled: true } }),
        );
    }
    if (ended.has(phase)) over.add(spec.nodeName);
    else over.delete(spec.nodeName);
  });
  createdAt = clock.now();
  await cluster.create(policyOf(truthCase));
  const count = truthCase.old.length;
  await eventually(
    `${count} nodes to come to an end`,
    async () =>
      (await cluster.maintenances()).map(({ spec, status }) => [spec.nodeName, status?.phase, status?.waitingFor?.message]),
    () => over.size === count,
    { timeoutMs: 300_000, everyMs: 500, also: () => controller.log().slice(-4_000) },
  );
  await Promise.all(cancelled);
  stop();
  const blockedNodes = truthCase.old.flatMap(({ metadata: { name } }) => (drained.has(name) ? [] : [name])).sort();
  const wereThere = new Set(first.map(({ metadata }) => metadata.uid));
  const left = (await Promise.all(blockedNodes.map((name) => cluster.podsOn(name)))).flat();
  const stayed = left.filter((pod) => wereThere.has(pod.metadata.uid) && isReady(pod) && !isDaemon(pod));
  const code = await controller.stop();
  if (code !== 0) throw new Error(`the controller ended with ${code}:\n${controller.log().slice(-4_000)}`);
  return {
    makespanMs: Math.max(...drained.values()) - Math.min(...began.values()),
    blockedNodes,
    blockedPods: stayed.map(keyOf).sort(),
    phases: Object.fromEntries(phases),
  };
}

const isDaemon = ({ metadata }: PodObject) =>
  (metadata as { ownerReferences?: readonly { kind: string }[] }).ownerReferences?.some(({ kind }) => kind === 'DaemonSet') ??
  false;

/** @param keep a folder for the snapshot and what really happened, to compare another version of the simulation with */
export async function compare(truthCase: TruthCase, keep?: string): Promise<Compared> {
  const bed = await startControlPlane({ podReadyMs: truthCase.readyMs, podStopMs: truthCase.stopMs });
  try {
    await installResources(bed);
    const cluster = openCluster(bed);
    const pods = await stage(bed, cluster, truthCase);
    const client = connect(loadAccess({ kubeconfig: bed.kubeconfig, env: {}, clock }), {
      clock,
      log: silentLog,
      userAgent: 'truth',
    });
    const snapshot = await readCluster(client, { clock });
    client.close();
    const predicted = await predict(truthCase, snapshot);
    const real = await rotate(bed, cluster, truthCase);
    if (keep !== undefined) {
      mkdirSync(keep, { recursive: true });
      const file = join(keep, truthCase.name.replaceAll(' ', '-'));
      await writeSnapshot(`${file}.jsonl.gz`, snapshot);
      writeFileSync(`${file}.json`, JSON.stringify({ pods, real }));
    }
    return { truthCase, pods, predicted, real };
  } finally {
    await bed.stop();
  }
}
