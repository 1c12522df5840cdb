/** What really happens: the controller does the maintenance, and an onlooker takes the time. */
import { GROUP_VERSION } from '../../../src/api/names.ts';
import type { NodeMaintenance } from '../../../src/api/resources.ts';
import { createWallClock } from '../../../src/lib/clock.ts';
import type { Bed } from '../../beds/bed.ts';
import { type Cluster, isReady, type PodObject } from '../cluster.ts';
import { startController } from '../controller-process.ts';
import { eventually } from '../eventually.ts';
import { observe } from '../observer.ts';
import { NS, type Outcome, policyOf, type TruthCase } from './case.ts';

export interface Rotated extends Outcome {
  /** By node: since just before the policy was created. */
  readonly phases: Readonly<Record<string, readonly { readonly phase: string; readonly atMs: number }[]>>;
}

const ended = new Set(['Drained', 'HandedBack', 'Cancelled', 'Failed']);
const clock = createWallClock();

/** Notes when each node gets into which phase, and ends the maintenance of a drained one where the case wants its nodes back. */
async function watchPhases(bed: Bed, cluster: Cluster, { afterwards }: TruthCase) {
  const from = clock.now();
  const began = new Map<string, number>();
  const drained = new Map<string, number>();
  const over = new Set<string>();
  const phases = new Map<string, { phase: string; atMs: number }[]>();
  const returned: Promise<unknown>[] = [];
  const stop = await observe<NodeMaintenance>(bed, `/apis/${GROUP_VERSION}/nodemaintenances`, ({ object }) => {
    const { metadata, spec, status } = object;
    const { phase = 'Pending' } = status ?? {};
    const known = phases.get(spec.nodeName) ?? [];
    if (known.at(-1)?.phase !== phase) phases.set(spec.nodeName, [...known, { phase, atMs: clock.now() - from }]);
    if (phase === 'Draining' && !began.has(spec.nodeName)) began.set(spec.nodeName, clock.now());
    if (phase === 'Drained' && !drained.has(spec.nodeName)) {
      drained.set(spec.nodeName, clock.now());
      const maintenance = { apiVersion: GROUP_VERSION, kind: 'NodeMaintenance', metadata };
      if (afterwards === 'return') returned.push(cluster.patch(maintenance, { spec: { cancelled: true } }));
    }
    if (ended.has(phase)) over.add(spec.nodeName);
    else over.delete(spec.nodeName);
  });
  return { began, drained, over, phases, returned, stop };
}

const keyOf = ({ metadata }: PodObject) => `${metadata.namespace}/${metadata.name}`;

/** Of the pods that were there at the beginning, those that are still there and serve. */
async function stayedOn(nodes: readonly string[], cluster: Cluster, first: readonly PodObject[]): Promise<string[]> {
  const wereThere = new Set(first.map(({ metadata }) => metadata.uid));
  const left = (await Promise.all(nodes.map((name) => cluster.podsOn(name)))).flat();
  const stayed = left.filter((pod) => wereThere.has(pod.metadata.uid) && isReady(pod) && !isDaemon(pod));
  return stayed.map(keyOf).sort();
}

const isDaemon = ({ metadata }: PodObject) =>
  (metadata as { ownerReferences?: readonly { kind: string }[] }).ownerReferences?.some(({ kind }) => kind === 'DaemonSet') ??
  false;

/** Creates the policy, and waits until the maintenance of every old node has come to an end. */
export async function rotate(bed: Bed, cluster: Cluster, truthCase: TruthCase): Promise<Rotated> {
  const first = await cluster.podsIn(NS);
  const names = truthCase.old.map(({ metadata }) => metadata.name);
  const controller = await startController(bed);
  const seen = await watchPhases(bed, cluster, truthCase);
  try {
    await cluster.create(policyOf(truthCase));
    await eventually(
      `${names.length} nodes to come to an end`,
      async () =>
        (await cluster.maintenances()).map(({ spec, status }) => [spec.nodeName, status?.phase, status?.waitingFor?.message]),
      () => seen.over.size === names.length,
      { timeoutMs: 300_000, everyMs: 500, also: () => controller.log().slice(-4_000) },
    );
    await Promise.all(seen.returned);
    const blockedNodes = names.filter((name) => !seen.drained.has(name)).sort();
    const blockedPods = await stayedOn(blockedNodes, cluster, first);
    const code = await controller.stop();
    if (code !== 0) throw new Error(`the controller ended with ${code}:\n${controller.log().slice(-4_000)}`);
    return {
      makespanMs: Math.max(...seen.drained.values()) - Math.min(...seen.began.values()),
      blockedNodes,
      blockedPods,
      phases: Object.fromEntries(seen.phases),
    };
  } finally {
    seen.stop();
    if (!controller.hasEnded) await controller.kill();
  }
}
