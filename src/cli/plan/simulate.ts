/**
 * The rehearsal: the cluster of a snapshot in virtual time, and on it the very controller that would do the work. Nothing of the result is
 * computed here; it is what an onlooker saw.
 */
import { parseDuration } from '../../api/duration.ts';
import { noClusterLimits } from '../../engine/admission.ts';
import type { NodeMaintenance } from '../../api/resources.ts';
import { compilePolicy } from '../../controller/compile.ts';
import { runController } from '../../controller/controller.ts';
import type { Observer } from '../../controller/observer.ts';
import { terminalPhases, type Phase } from '../../engine/maintenance.ts';
import { localTime } from '../../engine/schedule/wall-clock.ts';
import { createVirtualClock, type Millis } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { createInProcessClient } from '../../sim/apiserver/in-process.ts';
import { budgets as budgetKind, nodes as nodeKind } from '../../sim/apiserver/kinds.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../../sim/cluster.ts';
import type { Node } from '../../sim/kubernetes.ts';
import { createSeededRandom } from '../../sim/seeded-random.ts';
import type { Snapshot } from '../../sim/snapshot/snapshot.ts';
import { type DroverKinds, installDrover } from '../drover-in-simulation.ts';
import { type Blink, watchOwners } from './owners.ts';
import { PLANNED, type Proposal } from './proposal.ts';
import type { Timings } from './timings.ts';
import { createWaits, type Wait } from './waits.ts';

export type Afterwards = 'keep' | 'return' | 'delete';

export interface Rehearsal {
  readonly snapshot: Snapshot;
  readonly proposal: Proposal;
  readonly timings: Timings;
  /** What happens to a drained node. */
  readonly afterwards: Afterwards;
  readonly seed: number;
  /** Virtual time after which it is given up, counted from when something may start. */
  readonly limitMs: Millis;
}

export interface NodeOutcome {
  readonly node: string;
  readonly phase: Phase;
  /** Since the beginning of the plan; null: it never was. */
  readonly startedMs: Millis | null;
  readonly drainedMs: Millis | null;
  readonly attempts: number;
  /** Pods that left it. */
  readonly pods: number;
  /** Phases in their order, since the beginning of the plan. */
  readonly phases: readonly { readonly phase: Phase; readonly atMs: Millis }[];
  /** What keeps it; null for a node that is drained. */
  readonly stuck: { readonly cause: string; readonly message: string; readonly unblock: string } | null;
}

export interface BlockedPod {
  readonly pod: string;
  readonly node: string;
  readonly owner: string;
  readonly cause: string;
  readonly message: string;
  readonly unblock: string;
}

export interface Rehearsed {
  /** From the beginning until the last node was drained. */
  readonly makespanMs: Millis;
  readonly nodes: readonly NodeOutcome[];
  readonly blocked: readonly BlockedPod[];
  readonly blinks: readonly Blink[];
  /** Longest first. */
  readonly waits: readonly Wait[];
  readonly pending: { readonly most: number; readonly message: string };
  readonly evictions: number;
  readonly handovers: number;
  readonly deletions: number;
  /** Times that a budget had fewer healthy pods than it demands, which it had before. */
  readonly violations: number;
  /** Given up at `limitMs`. */
  readonly unfinished: boolean;
  /** Of policies whose windows are closed at the beginning: when the first opens. */
  /** Policies with gates, which the plan takes as open, and what they are called. */
  readonly gates: readonly { readonly policy: string; readonly gates: readonly string[] }[];
  readonly windows: readonly { readonly policy: string; readonly opensMs: Millis; readonly opens: string }[];
}

/** Until the parts of the cluster, and the controller's caches, have looked at everything once. */
const WARM_UP_MS = 5_000;
/** Between two passes of the controller, about what a real one takes in a storm of changes: its passes are a tenth of its time. */
const restMs = (nodes: number): Millis => Math.min(100, 20 + nodes / 10);
/** After the last node has come to its end: a policy may still find another. */
const QUIET_MS = 60_000;

export async function rehearse(plan: Rehearsal): Promise<Rehearsed> {
  const clock = createVirtualClock(plan.snapshot.takenAt);
  const cluster = createSimulatedCluster({
    clock,
    // Not the stream that a simulated cluster of the same seed has made its uids from: new ones must be new.
    seed: plan.seed ^ 0x5eed5eed,
    without: ['autoscaler'],
    kubelets: { heartbeats: false, stepOf: plan.timings.stepOf, readyAfter: plan.timings.readyAfter },
    history: 1_000,
  });
  const { api } = cluster;
  const kinds = installDrover(api);
  api.load(plan.snapshot.objects, { adopt: true });
  for (const name of plan.proposal.marked) mark(cluster, name);
  await clock.run({ until: clock.now() + WARM_UP_MS });

  const waits = createWaits();
  const counts = { Evict: 0, Detach: 0, Delete: 0 };
  const observer: Observer = {
    leading() {},
    watchRestarted() {},
    passed: (decisions, _nodes, now) => waits.see(decisions, now),
    answered(_maintenance, effect, answer) {
      if (answer === 'Done' || answer === 'Evicted') if (effect.do in counts) counts[effect.do as keyof typeof counts] += 1;
    },
  };
  const client = createInProcessClient({ handle: cluster.handle, clock, userAgent: 'drover/plan' });
  const controller = runController({
    client,
    clock,
    log: silentLog,
    random: createSeededRandom(plan.seed),
    identity: 'plan',
    leaderElect: false,
    leaseNamespace: 'default',
    askGates: 'TakenAsOpen',
    limits: noClusterLimits,
    observer,
    restMs: restMs(api.count(nodeKind)),
  });
  await clock.run({ until: clock.now() + WARM_UP_MS });
  await controller.ready;

  const beganAt = clock.now();
  const owners = watchOwners(api);
  const violations = watchBudgets(cluster);
  const nodes = watchMaintenances(cluster, kinds, plan, beganAt);
  const { policies } = kinds;
  for (const policy of plan.proposal.policies) if (!api.get(policies, '', policy.metadata.name)) api.create(policies, policy);
  const windows = closedWindows(plan.proposal, beganAt);
  // Where one policy may start at once, that one is not given less time for the others.
  const waitsMs = windows.length < plan.proposal.policies.length ? 0 : Math.min(...windows.map(({ opensMs }) => opensMs));
  const until = beganAt + waitsMs + plan.limitMs;
  const quietMs = Math.max(QUIET_MS, nodes.patienceMs);
  await clock.run({ until, stop: () => nodes.allEnded() && clock.now() >= nodes.lastChange() + quietMs });
  const endedAt = clock.now();
  owners.stop(endedAt);
  waits.stop(endedAt);
  const outcomes = nodes.outcomes();
  const blocked = waits.blocked();
  await Promise.all([controller.stop(), clock.run({ until: endedAt + WARM_UP_MS })]);
  cluster.stop();
  return {
    makespanMs: Math.max(0, ...outcomes.map(({ drainedMs }) => drainedMs ?? 0)),
    nodes: outcomes,
    blocked,
    blinks: owners.blinks(),
    waits: waits.longest(),
    pending: owners.pending,
    evictions: counts.Evict,
    handovers: counts.Detach,
    deletions: counts.Delete,
    violations: violations(),
    unfinished: !nodes.allEnded(),
    windows,
    gates: gatesOf(plan.proposal),
  };
}

function gatesOf({ policies }: Proposal): Rehearsed['gates'] {
  return policies.flatMap((policy) => {
    const { name, limits } = compilePolicy(policy);
    const gates = [...new Set(limits.gates.map((gate) => gate.name))];
    return gates.length > 0 ? [{ policy: name, gates }] : [];
  });
}

function closedWindows({ policies }: Proposal, now: Millis): Rehearsed['windows'] {
  return policies.flatMap((policy) => {
    const { name, schedule } = compilePolicy(policy);
    const state = schedule?.at(now);
    if (!schedule || !state || state.open || state.opensAt === null) return [];
    return [{ policy: name, opensMs: state.opensAt - now, opens: localTime(state.opensAt, schedule.timeZone) }];
  });
}

function mark({ api }: SimulatedCluster, name: string): void {
  api.modify(nodeKind, '', name, (node: Node) => ({
    ...node,
    metadata: { ...node.metadata, labels: { ...node.metadata.labels, [PLANNED]: 'yes' } },
  }));
}

/** Counts each time that a budget which was satisfied no longer is. */
function watchBudgets({ api }: SimulatedCluster): () => number {
  let broken = 0;
  const short = (status: { currentHealthy: number; desiredHealthy: number } | undefined) =>
    status !== undefined && status.currentHealthy < status.desiredHealthy;
  api.watch(budgetKind, ({ type, object, previous }) => {
    if (type === 'MODIFIED' && short(object.status) && !short(previous.status)) broken += 1;
  });
  return () => broken;
}

interface Seen {
  readonly phases: { readonly phase: Phase; readonly atMs: Millis }[];
  object: NodeMaintenance;
}

const isEnd = (phase: Phase) => phase === 'Drained' || terminalPhases.has(phase);

function watchMaintenances(
  cluster: SimulatedCluster,
  { maintenances: kind }: DroverKinds,
  { proposal, afterwards }: Rehearsal,
  beganAt: Millis,
) {
  const { api, clock } = cluster;
  const seen = new Map<string, Seen>();
  const open = new Set<string>();
  const expected = new Set(proposal.marked);
  let changedAt = beganAt;
  // A condition counts only when it has lasted.
  const patienceMs = Math.max(
    0,
    ...proposal.policies.flatMap(({ spec }) =>
      spec.reasons.map((reason) => (reason.type === 'Condition' ? parseDuration(reason.condition.for) : 0)),
    ),
  );
  const then = ({ metadata, spec }: NodeMaintenance) => {
    if (afterwards === 'delete' && api.get(nodeKind, '', spec.nodeName)) api.remove(nodeKind, '', spec.nodeName);
    if (afterwards === 'return')
      api.modify(kind, '', metadata.name, (object) => ({ ...object, spec: { ...object.spec, cancelled: true } }));
  };
  api.watch(
    kind,
    ({ type, object }) => {
      const { nodeName } = object.spec;
      expected.delete(nodeName);
      const phase = object.status?.phase ?? 'Pending';
      const known = seen.get(nodeName);
      if (type === 'DELETED') return;
      if (!known) seen.set(nodeName, { phases: [{ phase, atMs: clock.now() - beganAt }], object });
      else {
        known.object = object;
        if (known.phases.at(-1)?.phase === phase) return;
        known.phases.push({ phase, atMs: clock.now() - beganAt });
      }
      changedAt = clock.now();
      if (!isEnd(phase)) open.add(nodeName);
      else {
        open.delete(nodeName);
        if (phase === 'Drained') then(object);
      }
    },
    { replay: true },
  );
  return {
    patienceMs,
    allEnded: () => open.size === 0 && expected.size === 0,
    lastChange: () => changedAt,
    outcomes: (): NodeOutcome[] =>
      [...seen]
        .map(([node, { phases, object }]) => {
          const at = (phase: Phase) => phases.find((each) => each.phase === phase)?.atMs ?? null;
          const { phase = 'Pending', waitingFor, attempts = 0, progress, message = '' } = object.status ?? {};
          const stuck = waitingFor ?? { cause: phase, message, unblock: '' };
          // One that is rebooted has done what was wanted when it is back.
          const doneMs = at('Drained') ?? (object.status?.action?.doneAt === undefined ? null : at('HandedBack'));
          const isDrained = phase === 'Drained' || (phase === 'HandedBack' && doneMs !== null);
          return {
            node,
            phase,
            startedMs: at('Draining'),
            drainedMs: isDrained ? doneMs : null,
            attempts,
            pods: progress?.gone ?? 0,
            phases,
            stuck: isDrained ? null : { cause: stuck.cause, message: stuck.message, unblock: stuck.unblock ?? '' },
          };
        })
        .sort((a, b) => (a.startedMs ?? Infinity) - (b.startedMs ?? Infinity) || (a.node < b.node ? -1 : 1)),
  };
}
