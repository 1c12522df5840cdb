/** The engine's one entry: the world and the time in, what to do and what everything waits for out. Pure. */
import type { Node } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import { type AdmissionPolicy, type Applicant, decideAdmission } from './admission.ts';
import { decideDrains, type PodReport } from './drain.ts';
import { readJournal } from './journal.ts';
import { activePhases, type Maintenance, type MaintenanceState } from './maintenance.ts';
import { type StepResult, steps } from './steps.ts';
import type { Drain, Needs, World } from './world.ts';

export interface DecideInput {
  readonly maintenances: readonly Maintenance[];
  readonly nodes: ReadonlyMap<string, Node>;
  readonly policies: ReadonlyMap<string, AdmissionPolicy>;
  /** Does the reason of this maintenance still hold? */
  holds(maintenance: Maintenance): boolean;
  readonly world: World;
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
  const needs: Needs = { podsOf: new Set(), namespaces: new Set(), workloads: new Set(), attachments: false };
  const causes = maintenances.map((maintenance) => input.holds(maintenance));
  const admissions = new Map(
    decideAdmission({ policies: input.policies, applicants: applicantsOf(input, causes), ...standing(maintenances), now }).map(
      (each) => [each.id, each],
    ),
  );

  const drains: Drain[] = [];
  for (const maintenance of maintenances) {
    const { phase, startedAt } = maintenance.state;
    if (phase !== 'Draining' && phase !== 'Settling') continue;
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
    const result = steps[maintenance.state.phase]({
      maintenance,
      node: nodes.get(maintenance.nodeName),
      cause,
      admission: admissions.get(maintenance.id),
      drain,
      world,
      needs,
      now,
    });
    const setBack = afterSetBack(maintenance.state, now);
    const wake = setBack ? now : result.wakeAt;
    if (wake != null && (wakeAt === null || wake < wakeAt)) wakeAt = wake;
    return {
      maintenance,
      cause,
      ...result,
      ...(setBack && { change: { ...setBack, ...result.change } }),
      pods: drain?.known ? drain.pods : null,
      remaining: drain?.known ? drain.remaining : null,
    };
  });
  return { decisions, needs, wakeAt };
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
    const { id, policy, priority, createdAt, goneAt, reasonType, runNow } = maintenance;
    const journal = readJournal(node);
    return [
      {
        id,
        node,
        policy,
        priority,
        since: createdAt,
        byCondition: reasonType === 'Condition',
        // Its leader died between the cordon and the status: what is under way is finished.
        anyTime: runNow || (journal?.by === id && journal.stage === 'Cordoned'),
        ...(goneAt !== undefined && { goneAt }),
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
