import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AppPlan, appOf, type ClusterPlan, createTinyCluster, FOREIGN_TAINT, servingPods } from '../../test/tiny-cluster.ts';
import { createProcess, type ProcessPlan, randomFrom } from '../../test/tiny-process.ts';
import { annotations } from '../api/names.ts';
import type { Node } from '../api/objects.ts';
import type { Decision } from './decide.ts';
import { readJournal } from './journal.ts';
import { terminalPhases } from './maintenance.ts';

interface Plan extends ProcessPlan {
  readonly cluster: ClusterPlan;
  readonly seed: number;
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
  const handsOff = new Set<string>(); // uncordoned by a person while it was drained: that is a pause
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
    else if (what === 'Resume') {
      process.change(id, { paused: false });
      handsOff.delete(nodeName);
    } else if (what === 'Uncordon') {
      const phase = process.maintenances.get(id)?.state.phase;
      const ours = readJournal(cluster.node(nodeName))?.stage === 'Cordoned' && cluster.node(nodeName).unschedulable;
      if (ours && (phase === 'Draining' || phase === 'Settling')) handsOff.add(nodeName);
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
      demand(!handsOff.has(node.name) || !node.unschedulable, `${node.name} stays open after a person has uncordoned it`);
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
    fc.assert(fc.property(plans, leavesNothingBehind), { numRuns: 2500 });
  }, 560_000);

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
      { numRuns: 2500 },
    );
  }, 560_000);
});
