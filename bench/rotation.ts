/** A pool is replaced: 20 nodes of 30 pods, every budget allows one pod at a time, all nodes are marked at once. */
import type { ControlPlane } from '../test/beds/control-plane.ts';
import { node } from '../test/beds/objects.ts';
import { createNodes, seed } from '../test/beds/seed.ts';
import { createPolicy, droverDrain, kubectlDrain, startBenchBed, startController, trigger, untilDrained } from './bench-bed.ts';
import { runProgram, usageOfProcess } from './child.ts';
import { openClient } from './client.ts';
import { type Observed, observe } from './observer.ts';
import { rotateByBudgets } from './reference-loop.ts';
import { countRequests, type Requests, requestsInWords } from './requests.ts';
import { type Bar, type Bench, type Context, median, shown } from './result.ts';

const NODES = 20;
const PODS_PER_NODE = 30;
const REPLICAS = 10;
const READY_MS = 2_000;
const STOP_MS = 1_000;
const GIVE_UP_MS = 300_000;
const AFTERWARDS_MS = 4_000;

interface Way {
  readonly name: string;
  /** Whose requests are counted. */
  readonly user: string;
  /** Before the clock starts. */
  readonly prepare: (bed: ControlPlane) => Promise<Rotate>;
}

/** Resolves when it is done, which may be after the nodes are empty, with the CPU seconds that it took, where that is known. */
type Rotate = (nodes: readonly string[]) => Promise<number | null>;

interface Run {
  readonly name: string;
  readonly seen: Observed;
  readonly requests: Requests;
  /** Seconds until the first and until the last node was empty. */
  readonly first: number;
  readonly last: number;
  readonly cpuSeconds: number | null;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Each on a control plane of its own, so that none inherits the pods, the caches or the leftovers of another. */
export async function runWay({ name, user, prepare }: Way, say: Context['say']): Promise<Run> {
  say(`${name}: seeding`);
  const bed = await startBenchBed({ podReadyMs: READY_MS, podStopMs: STOP_MS });
  try {
    const budget = { maxUnavailable: 1 };
    const old = await seed(bed, { nodes: NODES, podsPerNode: PODS_PER_NODE, replicas: REPLICAS, prefix: 'old', budget });
    await createNodes(
      bed.api,
      old.nodes.map((_, index) => node(`new-${index}`)),
    );
    const rotate = await prepare(bed);
    await pause(AFTERWARDS_MS); // the budgets' statuses follow the last pods
    const observer = await observe(openClient(bed, 'bench'), old.nodes, REPLICAS);
    const from = bed.auditMark();
    say(`${name}: rotating`);
    const began = performance.now();
    const [cpuSeconds, empty] = await Promise.all([rotate(old.nodes), observer.allEmpty(GIVE_UP_MS)]);
    if (empty) await pause(AFTERWARDS_MS);
    const requests = await countRequests(bed, user, from);
    const seen = observer.stop();
    const times = [...seen.emptyAt.values()].map((at) => (at - began) / 1_000);
    const run = { name, seen, requests, first: Math.min(...times), last: Math.max(...times), cpuSeconds };
    say(rowOf(run).join(', '));
    return run;
  } finally {
    await bed.stop();
  }
}

/** The controller with a policy whose drain.handover is `handover`. */
export function byController(context: Context, name: string, handover: string): Way {
  return {
    name,
    user: 'drover',
    async prepare(bed) {
      await createPolicy(bed, { handover });
      const controller = await startController(bed, context);
      const client = openClient(bed, 'bench');
      return async (nodes) => {
        const before = usageOfProcess(controller.pid)?.cpuSeconds ?? 0;
        await Promise.all(nodes.map((nodeName) => trigger(client, nodeName)));
        await untilDrained(bed, nodes, GIVE_UP_MS);
        const after = usageOfProcess(controller.pid)?.cpuSeconds;
        await controller.stop();
        return after === undefined ? null : after - before;
      };
    },
  };
}

type Command = [string, ...string[]];

function byCommands(name: string, user: string, commands: (bed: ControlPlane, nodes: readonly string[]) => Command[]): Way {
  return {
    name,
    user,
    prepare: async (bed) => async (nodes) => {
      const ended = await Promise.all(commands(bed, nodes).map(runProgram));
      return ended.reduce((sum, { usage }) => sum + usage.cpuSeconds, 0);
    },
  };
}

/** Fills `rounds` with what the control plane took for each round of a budget, in milliseconds. */
export function byBudgets(rounds: number[]): Way {
  return {
    name: 'reference loop, one lane per budget',
    user: 'peer',
    prepare: async (bed) => async (nodes) => {
      rounds.push(...(await rotateByBudgets(openClient(bed, 'peer'), nodes)).rounds);
      return null;
    },
  };
}

function brokenPromises({ name, seen }: Run): string[] {
  const broken: string[] = [];
  if (seen.violations > 0) broken.push(`${name}: a budget had fewer healthy pods than it demands, ${seen.violations} times`);
  if (seen.emptyAt.size < NODES)
    broken.push(`${name}: ${NODES - seen.emptyAt.size} nodes were not empty after ${GIVE_UP_MS / 1_000} s`);
  return broken;
}

function rowOf({ name, seen, requests, first, last, cpuSeconds }: Run): string[] {
  return [
    name,
    `${seen.emptyAt.size} of ${NODES}`,
    `${shown(first)} ... ${shown(last)}`,
    `${requests.evictions} (${requests.refused})`,
    String(requests.total + requests.lease),
    String(seen.violations),
    `${seen.fewestReady} of ${REPLICAS}`,
    String(seen.mostDown),
    cpuSeconds === null ? '-' : shown(cpuSeconds),
  ];
}

export const rotation: Bench = {
  title: `${NODES} nodes x ${PODS_PER_NODE} pods to new nodes, budgets of one, all at once`,
  async run(context) {
    const rounds: number[] = [];
    const command: Way = byCommands(`drover drain --parallel ${NODES} --handover always`, 'drover', (bed, nodes) => [
      droverDrain(bed, context, ...nodes, '--parallel', String(NODES), '--handover', 'always'),
    ]);
    const peerWay = byCommands(`kubectl drain x ${NODES}, in parallel`, 'peer', (bed, nodes) =>
      nodes.map((nodeName) => kubectlDrain(bed, nodeName)),
    );
    const plain = await runWay(byController(context, 'drover controller, handover Never', 'Never'), context.say);
    const handover = await runWay(byController(context, 'drover controller, handover Always', 'Always'), context.say);
    const cli = await runWay(command, context.say);
    const peer = await runWay(peerWay, context.say);
    const reference = await runWay(byBudgets(rounds), context.say);

    const reaction = (median(rounds) - READY_MS) / 1_000;
    // After its last eviction a budget allows another, but there is none: the node only waits for the pod to stop.
    const bound = (REPLICAS - 1) * (READY_MS / 1_000 + reaction) + STOP_MS / 1_000;
    const bars: Bar[] = [
      { what: 'handover Never: against the bound of the budgets', measured: plain.last / bound, bar: 1.1, unit: 'x' },
      { what: 'handover Never: against kubectl', measured: plain.last / peer.last, bar: 0.6, unit: 'x' },
      {
        what: 'handover Never: requests, with the Lease',
        measured: plain.requests.total + plain.requests.lease,
        bar: 1_000,
        unit: 'requests',
      },
      { what: 'handover Always: against kubectl', measured: handover.last / peer.last, bar: 0.4, unit: 'x' },
      { what: 'handover Always: most pods down at once', measured: handover.seen.mostDown, bar: 0, unit: 'pods' },
    ];
    const runs = [plain, handover, cli, peer, reference];
    return {
      tables: [
        {
          columns: [
            'who',
            'emptied',
            'first ... last, s',
            'evictions (429)',
            'all requests',
            'violations',
            'fewest ready',
            'most down',
            'CPU, s',
          ],
          rows: runs.map(rowOf),
        },
      ],
      bars,
      how: [
        `${(NODES * PODS_PER_NODE) / REPLICAS} Deployments x ${REPLICAS}, each with a budget of maxUnavailable 1; pods take ${READY_MS / 1_000} s to get Ready and ${STOP_MS / 1_000} s to stop. ${NODES} empty nodes are ready. One run each, each on a fresh control plane of the same kind, one after the other.`,
        `The clock starts before the first of ${NODES} taints is sent, or before the first process is started. An independent observer watches pods and budgets: a violation is a version of a budget’s status with currentHealthy < desiredHealthy (${runs.map(({ seen }) => seen.budgetVersions).join(', ')} versions seen); a pod serves while it is Ready and not being deleted.`,
        `The bound: each budget must let ${REPLICAS} pods go one after the other, so ${REPLICAS - 1} x (${READY_MS / 1_000} s + the control plane’s own reaction) and the ${STOP_MS / 1_000} s in which the last one stops. The reaction is measured by the reference loop in the same run, as the median from sending an eviction until the budget allows the next, without the ${READY_MS / 1_000} s: ${shown(reaction)} s, so the bound is ${shown(bound)} s. Handover is not bound by it, because the budget then counts the old pod and its replacement.`,
        `The reference loop itself took ${shown(reference.last)} s; the controller with handover Never takes ${shown(plain.last / reference.last)} x that.`,
        ...[plain, handover].map(
          (each) => `Requests of ${each.name}: ${requestsInWords(each.requests)}, and ${each.requests.lease} for its Lease.`,
        ),
        'CPU seconds of the program(s), user and system; of the controller from the taints until every node is Drained.',
      ],
      broken: runs.slice(0, 3).flatMap(brokenPromises),
    };
  },
};
