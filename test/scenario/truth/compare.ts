/** One case: its cluster on a bed of its own, planned from what can be read of it, then really rotated. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
import { openCluster } from '../cluster.ts';
import { installResources } from '../controller-process.ts';
import { type Outcome, policyOf, type TruthBed, type TruthCase } from './case.ts';
import { rotate } from './rotate.ts';
import { stage } from './stage.ts';

export interface Compared {
  /** Its name. */
  readonly bed: string;
  readonly truthCase: TruthCase;
  readonly pods: number;
  readonly predicted: Outcome;
  readonly real: Outcome;
}

const clock = createWallClock();

/** What the plan says of a snapshot when it is told that pods take `stopMs` to stop. */
export async function predict(truthCase: TruthCase, snapshot: Snapshot, stopMs: number, seed = 1): Promise<Outcome> {
  const nodes = snapshot.objects.filter((object): object is Node => object.kind === 'Node');
  const result = await rehearse({
    snapshot,
    proposal: proposePolicies(nodes, [{ file: 'policy', text: JSON.stringify(policyOf(truthCase)) }], false),
    timings: learnTimings(snapshot.objects, { readyMs: null, stopMs }),
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

/** @param keep a folder for the snapshot and what really happened, to compare another version of the simulation with */
export async function compare<Case extends TruthCase>(on: TruthBed<Case>, truthCase: Case, keep?: string): Promise<Compared> {
  const bed = await on.start(truthCase);
  try {
    await installResources(bed);
    const cluster = openCluster(bed);
    const { pods, stopMs } = await stage(bed, cluster, truthCase, on.stepMs);
    const client = connect(loadAccess({ kubeconfig: bed.kubeconfig, env: {}, clock }), {
      clock,
      log: silentLog,
      userAgent: 'truth',
    });
    const snapshot = await readCluster(client, { clock });
    client.close();
    const predicted = await predict(truthCase, snapshot, stopMs);
    const real = await rotate(bed, cluster, truthCase);
    if (keep !== undefined) {
      mkdirSync(keep, { recursive: true });
      const file = join(keep, truthCase.name.replaceAll(' ', '-'));
      await writeSnapshot(`${file}.jsonl.gz`, snapshot);
      writeFileSync(`${file}.json`, JSON.stringify({ pods, stopMs, real }));
    }
    return { bed: on.name, truthCase, pods, predicted, real };
  } finally {
    await bed.stop();
  }
}
