import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aMaintenance, aView, MINUTE, SECOND, settings } from '../../test/builders.ts';
import {
  appOf,
  type AppPlan,
  type ClusterPlan,
  createTinyCluster,
  FOREIGN_TAINT,
  servingPods,
  type Snapshot,
  type TinyCluster,
} from '../../test/tiny-cluster.ts';
import { annotations } from '../api/names.ts';
import type { Node, Pod } from '../api/objects.ts';
import type { AdmissionPolicy } from './admission.ts';
import { budgetKey } from './budgets.ts';
import { decide, type Decision } from './decide.ts';
import type { PodEffect } from './effect.ts';
import { cordonPatch, detachPatch, giveBackPatch, type MergePatch, undoNodePatch, unlistPatch } from './journal.ts';
import { type Maintenance, type MaintenanceState, terminalPhases } from './maintenance.ts';
import type { NodeEffect } from './steps.ts';
import type { Attempt, NamespaceView, Needs, NodeAttempt, World } from './world.ts';

interface Plan {
  readonly cluster: ClusterPlan;
  readonly seed: number;
  readonly handover: 'Never' | 'WhenNeeded' | 'Always';
  readonly maxNodes: number;
  /** How many of the nodes are to be drained; the others take the pods. */
  readonly drained: number;
  /** How far a cache may be behind, in ticks. */
  readonly lag: number;
  /** Of 100 requests, how many are lost, and of how many the answer. */
  readonly lost: number;
  readonly events: readonly {
    readonly at: number;
    readonly do: 'Cancel' | 'Uncordon' | 'Resume' | 'Scale' | 'DeleteOwner' | 'Restart' | 'CauseGone';
    readonly which: number;
  }[];
}

const TICKS = 300;

const app: fc.Arbitrary<AppPlan> = fc.record({
  replicas: fc.integer({ min: 1, max: 4 }),
  budget: fc.constantFrom('None', 'MaxUnavailable0', 'MaxUnavailable1', 'MinAvailableHalf', 'Two'),
  readyAfter: fc.integer({ min: 0, max: 8 }),
  broken: fc.constant(false),
  unready: fc.constantFrom(0, 0, 0, 1),
  minReadySeconds: fc.constantFrom(0, 0, 5),
  service: fc.constantFrom('None', 'Shared', 'Own'),
});

const anyApp = fc.oneof({ weight: 5, arbitrary: app }, { weight: 1, arbitrary: app.map((each) => ({ ...each, broken: true })) });

const plans: fc.Arbitrary<Plan> = fc.record({
  cluster: fc.record({
    nodes: fc.integer({ min: 2, max: 5 }),
    cordoned: fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { maxLength: 1 }),
    tainted: fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { maxLength: 2 }),
    room: fc.constantFrom(4, 6, 20, 20),
    apps: fc.array(anyApp, { minLength: 1, maxLength: 3 }),
    bare: fc.option(fc.integer({ min: 0, max: 4 }), { freq: 5 }),
  }),
  seed: fc.integer(),
  handover: fc.constantFrom('Never', 'WhenNeeded', 'Always', 'Always'),
  maxNodes: fc.integer({ min: 1, max: 3 }),
  drained: fc.integer({ min: 1, max: 3 }),
  lag: fc.integer({ min: 0, max: 3 }),
  lost: fc.constantFrom(0, 0, 10, 30),
  events: fc.array(
    fc.record({
      at: fc.integer({ min: 1, max: 80 }),
      do: fc.constantFrom('Cancel', 'Uncordon', 'Resume', 'Scale', 'DeleteOwner', 'Restart', 'Restart', 'CauseGone'),
      which: fc.integer({ min: 0, max: 9 }),
    }),
    { maxLength: 4 },
  ),
});

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Request {
  readonly due: number;
  readonly run: () => void;
}

type Cache = 'nodes' | 'pods' | 'budgets' | 'namespace';

/** The process around the engine: caches that lag each on its own, requests that take time and get lost, and a memory that a restart clears. */
function createProcess(plan: Plan, cluster: TinyCluster, random: () => number) {
  const history: Snapshot[] = [cluster.snapshot()];
  const views = new Map<Snapshot, NamespaceView>();
  const seenAt: Record<Cache, number> = { nodes: 0, pods: 0, budgets: 0, namespace: 0 };
  const drainSettings = settings({
    handover: plan.handover,
    handoverTimeoutMs: MINUTE,
    stepAsideMs: 2 * MINUTE,
    retryAfterMs: 20 * SECOND,
    attempts: 3,
    settleTimeoutMs: MINUTE,
  });
  const names = Array.from({ length: Math.min(plan.drained, plan.cluster.nodes - 1) }, (_, index) => `n-${index}`);
  const maintenances = new Map<string, Maintenance>();
  const written = new Map<string, MaintenanceState>();
  for (const nodeName of names)
    maintenances.set(`m-${nodeName}`, aMaintenance({ id: `m-${nodeName}`, nodeName, policy: 'p', settings: drainSettings }));
  const withoutCause = new Set<string>();
  let attempts = new Map<string, Attempt>();
  let charged = new Map<string, { budget: string; name: string }>();
  let nodeAttempts = new Map<string, NodeAttempt>();
  let requests: Request[] = [];
  let asked: Needs = { podsOf: new Set(), namespaces: new Set(), workloads: new Set(), attachments: false };
  const deleted: Pod[] = [];

  const at = (cache: Cache): Snapshot => history[seenAt[cache]] as Snapshot;
  const viewAt = (snapshot: Snapshot): NamespaceView => {
    let view = views.get(snapshot);
    if (!view) {
      const { pods, replicaSets, slices: endpointSlices } = snapshot;
      views.set(snapshot, (view = aView({ pods, replicaSets, endpointSlices, services: cluster.services })));
    }
    return view;
  };
  const send = (run: () => void) => requests.push({ due: cluster.now + Math.floor(random() * 3) * SECOND, run });
  const fate = (): 'Lost' | 'AnswerLost' | 'Twice' | 'Fine' => {
    const drawn = random() * 100;
    return drawn < plan.lost ? 'Lost' : drawn < 2 * plan.lost ? 'AnswerLost' : drawn < 3 * plan.lost ? 'Twice' : 'Fine';
  };

  function execute(maintenance: Maintenance, effect: Exclude<PodEffect, { do: 'TellOwner' }>) {
    switch (effect.do) {
      case 'Evict':
        return cluster.evict(effect.pod, effect.graceSeconds);
      case 'Delete':
        deleted.push(effect.pod);
        return cluster.remove(effect.pod, effect.graceSeconds);
      case 'Detach':
        return cluster.patchPod(
          effect.pod,
          detachPatch(effect.pod, effect.labels, maintenance.id, effect.readyAtStart, cluster.now),
        );
      case 'Unlist':
        return cluster.patchPod(effect.pod, unlistPatch(effect.pod, effect.labels, cluster.now));
      case 'GiveBack':
        return cluster.patchPod(effect.pod, giveBackPatch(effect.pod, effect.refusedBecause));
    }
  }

  function actOnPod(maintenance: Maintenance, effect: PodEffect): void {
    if (effect.do === 'TellOwner') return;
    const { pod } = effect;
    const begun = { effect: effect.do, startedAt: cluster.now, podVersion: pod.resourceVersion };
    attempts.set(pod.uid, { ...begun, inFlight: true });
    if (effect.do === 'Evict' && effect.budget) charged.set(pod.uid, { budget: effect.budget, name: pod.name });
    send(() => {
      const what = fate();
      let answer = what === 'Lost' ? undefined : execute(maintenance, effect);
      if (what === 'Twice') execute(maintenance, effect);
      if (what === 'Lost' || what === 'AnswerLost') answer = { answer: 'Unavailable', retryAt: cluster.now + 2 * SECOND };
      if (answer?.answer !== 'Done') charged.delete(pod.uid);
      const budgetVersion = effect.do === 'Evict' ? effect.budgetVersion : undefined;
      if (attempts.has(pod.uid))
        attempts.set(pod.uid, { ...begun, inFlight: false, ...answer, ...(budgetVersion !== undefined && { budgetVersion }) });
    });
  }

  function actOnNode(maintenance: Maintenance, effect: NodeEffect): void {
    if (effect.do === 'Pause') {
      if (fate() !== 'Lost') maintenances.set(maintenance.id, { ...maintenance, paused: true, pausedBecause: effect.because });
      return;
    }
    const { node } = effect;
    const last = nodeAttempts.get(node.name);
    if (last && (last.inFlight || (last.version === node.resourceVersion && cluster.now < last.retryAt))) return;
    const begun = { version: node.resourceVersion, inFlight: true, retryAt: Number.POSITIVE_INFINITY };
    nodeAttempts.set(node.name, begun);
    const request = {
      by: maintenance.id,
      reason: 'test',
      reasonType: 'Manual',
      now: cluster.now,
      excludeFromLoadBalancers: false,
    };
    const patch: MergePatch | null =
      effect.do === 'Undo' ? undoNodePatch(node) : cordonPatch(node, effect.do === 'Mark' ? 'Marked' : 'Cordoned', request);
    send(() => {
      const what = fate();
      const done = what !== 'Lost' && cluster.patchNode(node.name, patch);
      const answer = what === 'Lost' || what === 'AnswerLost' ? 'Failed' : done ? 'Done' : 'Conflict';
      nodeAttempts.set(node.name, {
        ...begun,
        inFlight: false,
        retryAt: cluster.now + SECOND,
        answer,
        ...(answer === 'Failed' && { failed: 'no answer' }),
      });
    });
  }

  function deliver(all: boolean): void {
    const due = requests.filter((request) => all || request.due <= cluster.now);
    requests = requests.filter((request) => !due.includes(request));
    for (const request of due) request.run();
  }

  function look(): void {
    history.push(cluster.snapshot());
    const newest = history.length - 1;
    for (const cache of ['nodes', 'pods', 'budgets', 'namespace'] as const) {
      seenAt[cache] = Math.max(seenAt[cache], newest - Math.floor(random() * (plan.lag + 1)));
    }
    const alive = new Set(at('pods').pods.map((pod) => pod.uid));
    for (const [uid, attempt] of attempts) if (!alive.has(uid) && !attempt.inFlight) attempts.delete(uid);
    const disrupted = new Map(at('budgets').budgets.map((budget) => [budgetKey(budget), budget.disruptedPods]));
    for (const [uid, { budget, name }] of charged)
      if (!alive.has(uid) || disrupted.get(budget)?.includes(name)) charged.delete(uid);
  }

  function pass(): readonly Decision[] {
    const known = asked;
    const world: World = {
      podsOn: (nodeName) => (known.podsOf.has(nodeName) ? at('pods').pods.filter((pod) => pod.nodeName === nodeName) : null),
      budgets: at('budgets').budgets,
      namespace: (name) => (known.namespaces.has(name) ? viewAt(at('namespace')) : null),
      workloads: (name) => (known.workloads.has(name) ? viewAt(at('namespace')) : null),
      attachmentsOf: () => [],
      attempts,
      nodeAttempts,
      charges: (budget) => [...charged.values()].filter((each) => each.budget === budget).length,
      detachAllowance: 3,
      schedulableNodes: 5,
    };
    const nodes = at('nodes').nodes;
    const policy: AdmissionPolicy = {
      name: 'p',
      paused: false,
      maxNodes: { count: plan.maxNodes },
      perGroup: [],
      minIntervalMs: 0,
      massTrigger: { percent: 100 },
      selected: names.flatMap((name) => nodes.get(name) ?? []),
      matchedByCondition: 0,
      lastStart: null,
    };
    const { decisions, needs } = decide({
      maintenances: [...maintenances.values()],
      nodes,
      policies: new Map([['p', policy]]),
      holds: ({ id }) => !withoutCause.has(id),
      world,
      now: cluster.now,
    });
    asked = needs;
    for (const decision of decisions) {
      const { maintenance, phase, change, nodeEffect, podEffects } = decision;
      const moved = phase !== maintenance.state.phase;
      written.set(maintenance.id, maintenance.state);
      maintenances.set(maintenance.id, {
        ...maintenance,
        state: { ...maintenance.state, phase, ...(moved && { phaseSince: cluster.now }), ...change },
      });
      const current = maintenances.get(maintenance.id) ?? maintenance;
      if (nodeEffect) actOnNode(current, nodeEffect);
      for (const effect of podEffects ?? []) actOnPod(current, effect);
    }
    return decisions;
  }

  return {
    names,
    deleted,
    maintenances,
    busy: () => requests.length > 0,
    change(id: string, change: Partial<Maintenance>) {
      const found = maintenances.get(id);
      if (found) maintenances.set(id, { ...found, ...change });
    },
    causeGone: (id: string) => void withoutCause.add(id),
    /** What was sent has arrived or never will; what was read is read anew; the last status may not have been written. */
    restart() {
      if (random() < 0.5) requests = [];
      deliver(true);
      attempts = new Map();
      charged = new Map();
      nodeAttempts = new Map();
      asked = { podsOf: new Set(), namespaces: new Set(), workloads: new Set(), attachments: false };
      history.push(cluster.snapshot());
      for (const cache of ['nodes', 'pods', 'budgets', 'namespace'] as const) seenAt[cache] = history.length - 1;
      if (random() < 0.5) for (const [id, state] of written) this.change(id, { state });
    },
    deliver,
    look,
    pass,
  };
}

function foreignState(node: Node): string {
  const taints = node.taints
    .filter(({ key }) => key === FOREIGN_TAINT.key)
    .map(({ key, value, effect }) => `${key}=${value}:${effect}`);
  return JSON.stringify([taints, node.labels]);
}

/** expect() some hundred thousand times over would be most of the run. */
function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(`violated: ${what}`);
}

function run(plan: Plan) {
  const random = randomFrom(plan.seed);
  const cluster = createTinyCluster(plan.cluster, random);
  const process = createProcess(plan, cluster, random);
  const ids = [...process.maintenances.keys()];
  const before = cluster.snapshot();
  const promised = new Map(before.replicaSets.map((each) => [each.uid, servingPods(cluster, each)]));
  const orphans = new Set<string>();
  const uncordoned = new Set<string>();
  // Two budgets on a pod forbid handover and eviction alike; what has been given back is drained like any other.
  const exempt = new Set(
    before.replicaSets.flatMap(({ uid }, index) => (plan.cluster.apps[index]?.budget === 'Two' ? [uid] : [])),
  );

  const happen = ({ do: what, which }: Plan['events'][number]) => {
    const id = ids[which % ids.length] ?? '';
    const nodeName = process.maintenances.get(id)?.nodeName ?? '';
    const replicaSet = cluster.replicaSets()[which % Math.max(1, cluster.replicaSets().length)];
    if (what === 'Cancel') process.change(id, { cancelled: true });
    else if (what === 'CauseGone') process.causeGone(id);
    else if (what === 'Restart') process.restart();
    else if (what === 'Resume') process.change(id, { paused: false });
    else if (what === 'Uncordon') {
      cluster.uncordon(nodeName);
      uncordoned.add(nodeName);
    } else if (replicaSet && what === 'Scale') {
      cluster.scale(replicaSet.uid, which % 5);
      promised.set(replicaSet.uid, Math.min(promised.get(replicaSet.uid) ?? 0, which % 5));
    } else if (replicaSet && what === 'DeleteOwner') {
      cluster.deleteOwner(replicaSet.uid);
      orphans.add(replicaSet.uid);
    }
  };

  const check = () => {
    for (const node of cluster.nodes()) {
      const was = before.nodes.get(node.name);
      if (!was || node === was) continue;
      demand(foreignState(node) === foreignState(was), `${node.name} keeps the taints and labels of others`);
      demand(
        !was.unschedulable || uncordoned.has(node.name) || node.unschedulable,
        `${node.name} keeps the cordon of someone else`,
      );
    }
    for (const pod of cluster.pods()) if (annotations.handoverRefused in pod.annotations) exempt.add(`uid-${appOf(pod)}`);
    if (plan.handover !== 'Always') return;
    for (const replicaSet of before.replicaSets) {
      if (orphans.has(replicaSet.uid) || exempt.has(replicaSet.uid)) continue;
      const [least, serving] = [promised.get(replicaSet.uid) ?? 0, servingPods(cluster, replicaSet)];
      demand(serving >= least, `${replicaSet.name} has ${serving} of ${least} Ready pods`);
    }
  };

  const lastEvent = Math.max(0, ...plan.events.map((event) => event.at));
  let decisions: readonly Decision[] = [];
  for (let tick = 0; tick < TICKS; tick += 1) {
    for (const event of plan.events) if (event.at === tick) happen(event);
    cluster.tick();
    check();
    process.deliver(false);
    check();
    process.look();
    decisions = process.pass();
    for (const { phase, waitingFor, podEffects, nodeEffect, maintenance, change } of decisions) {
      const moves = phase !== maintenance.state.phase || change !== undefined || podEffects?.length || nodeEffect;
      const ended = terminalPhases.has(phase) || phase === 'Drained';
      demand(ended || Boolean(moves || waitingFor || process.busy()), `${maintenance.id} in ${phase} names what it waits for`);
    }
    const over = decisions.every(({ phase, nodeEffect }) => (terminalPhases.has(phase) || phase === 'Drained') && !nodeEffect);
    if (over && !process.busy() && tick > lastEvent) break;
  }
  return { cluster, before, process, decisions, orphans, uncordoned };
}

function leavesNothingBehind(plan: Plan): void {
  const { cluster, before, process, orphans, uncordoned } = run(plan);
  for (const pod of process.deleted)
    expect(orphans, 'only pods of deleted owners are deleted').toContain(
      JSON.parse(pod.annotations[annotations.handover] ?? '{}').owner?.uid,
    );
  for (const { state, nodeName } of process.maintenances.values()) {
    if (!terminalPhases.has(state.phase)) continue;
    const node = cluster.node(nodeName);
    expect(node.annotations, 'no journal').toEqual({});
    expect(node.taints).toEqual(before.nodes.get(nodeName)?.taints);
    if (!uncordoned.has(nodeName)) expect(node.unschedulable).toBe(before.nodes.get(nodeName)?.unschedulable);
    for (const pod of cluster.pods())
      if (pod.nodeName === nodeName && pod.deletedAt === undefined)
        expect(pod.annotations, pod.name).not.toHaveProperty([annotations.handover]);
  }
}

describe('whatever happens', () => {
  it('budgets, owners and foreign changes are kept, every wait is named, and nothing is left behind', () => {
    fc.assert(fc.property(plans, leavesNothingBehind), { numRuns: 400 });
  }, 120_000);

  it('with room, sound applications and nobody interfering, every node is drained', () => {
    const sound = plans.map((plan): Plan => {
      const apps = plan.cluster.apps.map(
        (each): AppPlan => ({ ...each, broken: false, unready: 0, budget: each.budget === 'Two' ? 'None' : each.budget }),
      );
      const cluster = { ...plan.cluster, nodes: plan.cluster.nodes + 1, room: 50, bare: null, cordoned: [], apps };
      const handover = plan.handover === 'Never' ? 'WhenNeeded' : plan.handover;
      return {
        ...plan,
        cluster,
        handover,
        lost: Math.min(plan.lost, 10),
        events: plan.events.filter((event) => event.do === 'Restart'),
      };
    });
    fc.assert(
      fc.property(sound, (plan) => {
        const { decisions } = run(plan);
        expect(decisions.map(({ maintenance, phase, waitingFor }) => [maintenance.id, phase, waitingFor])).toEqual(
          decisions.map(({ maintenance }) => [maintenance.id, 'Drained', null]),
        );
      }),
      { numRuns: 150 },
    );
  }, 120_000);
});
