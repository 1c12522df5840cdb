/** The engine's one entry: the world and the time in, what to do and what everything waits for out. Pure. */
import type { Node } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import { type AdmissionPolicy, type Applicant, type ClusterLimits, decideAdmission, noClusterLimits } from './admission.ts';
import { decideDrains, type PodReport } from './drain.ts';
import { noGateNeeds } from './gates/gate.ts';
import { gateBlocker, gatesOfAct, type GateVerdict } from './gates/gate-blocker.ts';
import { readJournal } from './journal.ts';
import { cannotAct } from './acting.ts';
import { activePhases, type Maintenance, type MaintenanceState, type Phase } from './maintenance.ts';
import { type StepResult, steps } from './steps.ts';
import type { Drain, Needs, World } from './world.ts';

export interface DecideInput {
  readonly maintenances: readonly Maintenance[];
  readonly nodes: ReadonlyMap<string, Node>;
  readonly policies: ReadonlyMap<string, AdmissionPolicy>;
  /** Does the reason of this maintenance still hold? */
  holds(maintenance: Maintenance): boolean;
  readonly world: World;
  /** Of the controller; absent: none. */
  readonly limits?: ClusterLimits;
  readonly now: Millis;
}

export interface Decision extends StepResult {
  readonly maintenance: Maintenance;
  /** Whether its reason holds now. */
  readonly cause: boolean;
  readonly pods: readonly PodReport[] | null;
  readonly remaining: number | null;
}

export function decide(input: DecideInput): {
  readonly decisions: readonly Decision[];
  readonly needs: Needs;
  readonly wakeAt: Millis | null;
} {
  const { maintenances, nodes, now, world } = input;
  const needs: Needs = {
    podsOf: new Set(),
    namespaces: new Set(),
    workloads: new Set(),
    attachments: false,
    rebootPods: new Set(),
    hookJobs: new Set(),
    gates: noGateNeeds(),
  };
  const gates = askGates(input, needs);
  const causes = maintenances.map((maintenance) => input.holds(maintenance));
  const admissions = new Map(
    decideAdmission({
      policies: input.policies,
      applicants: applicantsOf(input, causes),
      ...standing(maintenances),
      cluster: nodes.values(),
      limits: input.limits ?? noClusterLimits,
      gates: (applicant, policy) => gates(applicant, policy),
      now,
    }).map((each) => [each.id, each]),
  );

  const drains: Drain[] = [];
  for (const maintenance of maintenances) {
    const { phase, startedAt } = maintenance.state;
    if (!looksAtPods.has(phase)) continue;
    const node = nodes.get(maintenance.nodeName);
    if (!node) continue;
    const { id, settings, goneAt } = maintenance;
    drains.push({ id, node, settings, startedAt: startedAt ?? now, ...(goneAt !== undefined && { goneAt }) });
  }
  const drainDecisions = new Map(decideDrains(drains, world, now, needs).map((each) => [each.id, each]));

  let wakeAt: Millis | null = null;
  const decisions = maintenances.map((maintenance, index): Decision => {
    const drain = drainDecisions.get(maintenance.id);
    const cause = causes[index] === true;
    const node = nodes.get(maintenance.nodeName);
    const policy = input.policies.get(maintenance.policy ?? '');
    const result = steps[maintenance.state.phase]({
      maintenance,
      node,
      gates: () =>
        node && policy && maintenance.goneAt === undefined ? gates({ node }, policy, gatesOfAct(policy.gates)) : null,
      cause,
      admission: admissions.get(maintenance.id),
      drain,
      world,
      needs,
      now,
    });
    const counts =
      drain?.known && (result.phase === 'Draining' || result.phase === 'Settling' || maintenance.action === undefined);
    const setBack = afterSetBack(maintenance.state, now);
    const wake = setBack ? now : result.wakeAt;
    if (wake != null && (wakeAt === null || wake < wakeAt)) wakeAt = wake;
    return {
      maintenance,
      cause,
      ...result,
      ...(setBack && { change: { ...setBack, ...result.change } }),
      pods: counts ? drain.pods : null,
      remaining: counts ? drain.remaining : null,
    };
  });
  return { decisions, needs, wakeAt };
}

/** In which it must be known that the node is empty, or how far it is from it. */
const looksAtPods: ReadonlySet<Phase> = new Set(['Draining', 'Settling', 'Rebooting', 'Deleting']);

type Asker = Pick<Applicant, 'node' | 'approval'>;

function askGates({ maintenances, world, now }: DecideInput, needs: Needs) {
  let inHand: Set<string> | null = null;
  return ({ node, approval }: Asker, policy: AdmissionPolicy, rules = policy.gates): GateVerdict => {
    inHand ??= new Set(maintenances.map(({ nodeName }) => nodeName));
    const { name, selected } = policy;
    const approvals = [approval, policy.approval].flatMap((each) => each ?? []);
    return gateBlocker({ policy: name, rules, node, selected, inHand, approvals, now }, world.gates, needs.gates);
  };
}

/** The clocks of two machines may differ by so much. */
const SKEW_MS = 5_000;

/** The clock was set back, or another one was ahead when this was written: what has begun has begun by now, or its waits would last as long. */
function afterSetBack({ phaseSince, startedAt }: MaintenanceState, now: Millis): Partial<MaintenanceState> | null {
  const ahead = (at: Millis | undefined) => at !== undefined && at > now + SKEW_MS;
  if (!ahead(phaseSince) && !ahead(startedAt)) return null;
  return { ...(ahead(phaseSince) && { phaseSince: now }), ...(ahead(startedAt) && { startedAt: now }) };
}

function applicantsOf({ maintenances, nodes }: DecideInput, causes: readonly boolean[]): Applicant[] {
  return maintenances.flatMap((maintenance, index): Applicant[] => {
    const node = nodes.get(maintenance.nodeName);
    const { state, paused, cancelled } = maintenance;
    if (!node || state.phase !== 'Pending' || paused || cancelled || !causes[index]) return [];
    if (cannotAct(maintenance, node)) return []; // it would take the place of one that can
    const { id, policy, priority, createdAt, goneAt, reasonType, runNow, notice, approval } = maintenance;
    const journal = readJournal(node);
    // Its leader died between the cordon and the status: what is under way is finished.
    const begun = journal?.by === id && journal.stage === 'Cordoned';
    return [
      {
        id,
        node,
        policy,
        priority,
        since: createdAt,
        byCondition: reasonType === 'Condition',
        byAge: reasonType === 'Age',
        anyTime: runNow || begun,
        begun,
        ...(goneAt !== undefined && { goneAt }),
        ...(notice?.heldUntil !== undefined && { heldUntil: notice.heldUntil }),
        ...(approval && { approval }),
      },
    ];
  });
}

function standing(maintenances: readonly Maintenance[]): {
  active: Set<string>;
  drained: Set<string>;
  taken: Map<string, string>;
} {
  const active = new Set<string>();
  const drained = new Set<string>();
  const taken = new Map<string, string>();
  for (const { id, state, nodeName } of maintenances) {
    if (state.phase === 'Drained' ? state.finishedAt === undefined : activePhases.has(state.phase)) taken.set(nodeName, id);
    if (activePhases.has(state.phase)) active.add(nodeName);
    if (state.phase === 'Drained') drained.add(nodeName);
  }
  return { active, drained, taken };
}
