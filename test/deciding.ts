/** Runs one pass of the drain, or one step of a maintenance, over a hand-made world. */
import type { Node, Pod } from '../src/api/objects.ts';
import { decideDrains, type DrainDecision, type PodReport } from '../src/engine/drain.ts';
import type { Maintenance, MaintenanceState, Phase } from '../src/engine/maintenance.ts';
import { type StepInput, type StepResult, steps } from '../src/engine/steps.ts';
import type { Drain } from '../src/engine/world.ts';
import { aCordonedNode, aDrain, aMaintenance, aNode, aWorld, noNeeds, NOW, type WorldParts } from './builders.ts';

export function decide(drains: readonly Drain[], parts: WorldParts, now = NOW): DrainDecision[] {
  return decideDrains(drains, aWorld(parts), now, noNeeds());
}

export function decideOne(parts: WorldParts, drain: Drain = aDrain(), now = NOW): DrainDecision {
  const [decision] = decide([drain], parts, now);
  if (!decision) throw new Error('no decision');
  return decision;
}

/** The report about the only pod. */
export function reportOf(
  pod: Pod,
  parts: WorldParts = {},
  drain: Drain = aDrain(),
  now = NOW,
): PodReport & { readonly decision: DrainDecision } {
  const decision = decideOne({ pods: [pod], ...parts }, drain, now);
  const [report] = decision.pods;
  if (!report) throw new Error('no report');
  return { ...report, decision };
}

export const evicted = (decision: DrainDecision) =>
  decision.effects.flatMap((effect) => (effect.do === 'Evict' ? [effect.pod.name] : []));
export interface Situation extends Partial<Omit<StepInput, 'maintenance' | 'node' | 'drain'>> {
  readonly is?: Partial<Omit<Maintenance, 'state'>>;
  readonly state?: Partial<MaintenanceState>;
  /** null: the node is gone. */
  readonly node?: Node | null;
  readonly drain?: Partial<DrainDecision>;
}

/** One step in a situation: admitted, wanted, all known, with one pod left, unless said otherwise. */
export function step(phase: Phase, { is, state, node, drain, ...rest }: Situation = {}): StepResult {
  const closed = phase !== 'Pending' && phase !== 'BackOff';
  const known: DrainDecision = {
    id: 'm-1',
    pods: [],
    effects: [],
    remaining: 1,
    waitingFor: null,
    wakeAt: null,
    known: true,
    ...drain,
  };
  return steps[phase]({
    maintenance: aMaintenance({ ...is, state: { phase, startedAt: NOW, ...state } }),
    node: node === null ? undefined : (node ?? (closed ? aCordonedNode() : aNode())),
    cause: true,
    admission: { id: 'm-1', blocker: null },
    drain: known,
    world: aWorld(),
    needs: noNeeds(),
    now: NOW,
    ...rest,
  });
}
