/**
 * The least time in which anybody can drain these nodes within the policy's limits. Only what cannot be otherwise counts: nodes of a zone
 * go one after another, a pod takes at least its quickest start and stop, and a StatefulSet's pods leave as its budget lets them. Requests,
 * scheduling, images to pull and everybody's reaction times count nothing. Pure.
 */
import { parseDuration } from '../../api/duration.ts';
import type { Millis } from '../../lib/clock.ts';
import type { Scenario, ScenarioWorkload } from '../../sim/scenario/schema.ts';
import { grouped } from './grouped.ts';
import type { HandoverFlag } from '../handover-modes.ts';

export interface PlacedPod {
  readonly node: string;
  readonly zone: string;
  readonly namespace: string;
  readonly app: string;
}

export interface LowerBound {
  readonly ms: Millis;
  /** What sets it, in words. */
  readonly because: string;
}

/** The default of the policy's drain.emptyFor: a node counts as drained only then. */
const EMPTY_FOR: Millis = parseDuration('5s');

/** @param pods those that have to leave, as they lie when the maintenance begins. @param nodes all that are worked on, with their zone. */
export function lowerBound(
  scenario: Pick<Scenario, 'workloads'>,
  { handover, perZone }: { readonly handover: HandoverFlag; readonly perZone: number },
  nodes: ReadonlyMap<string, string>,
  pods: readonly PlacedPod[],
): LowerBound {
  const workloadOf = ({ namespace, app }: PlacedPod) =>
    scenario.workloads.find((each) => each.namespace === namespace && each.name === app);
  const onNode = grouped(pods, ({ node }) => node);
  const zones = new Map<string, { ms: Millis; nodes: number }>();
  for (const [node, zone] of nodes) {
    const ms = nodeTime(
      (onNode.get(node) ?? []).flatMap((pod) => workloadOf(pod) ?? []),
      handover,
    );
    const sum = zones.get(zone) ?? { ms: 0, nodes: 0 };
    zones.set(zone, { ms: sum.ms + ms, nodes: sum.nodes + 1 });
  }
  const bounds = [...zones].map(([zone, { ms, nodes: count }]) => ({
    ms: ms / perZone,
    because: `the ${count} node${count === 1 ? '' : 's'} of ${zone}, ${perZone} at a time, each its slowest pod's quickest start and stop, then ${EMPTY_FOR / 1_000}s empty`,
  }));
  for (const [app, group] of grouped(pods, (pod) => workloadOf(pod))) {
    const allowed = app && app.kind === 'StatefulSet' ? app.budget?.maxUnavailable : undefined;
    if (!app || typeof allowed !== 'number' || allowed === 0) continue;
    const { up, down } = times(app);
    bounds.push({
      ms: Math.ceil(group.length / allowed) * (up + down),
      because: `${group.length} pods of ${app.namespace}/${app.name}, whose budget lets ${allowed} be away, each its quickest stop and start`,
    });
  }
  return bounds.reduce((most, each) => (each.ms > most.ms ? each : most), { ms: 0, because: 'nothing has to move' });
}

/** From its start until it is empty for long enough and everything that left is Ready elsewhere. */
function nodeTime(workloads: readonly ScenarioWorkload[], handover: HandoverFlag): Millis {
  const each = workloads.map((workload): { empty: Millis; settled: Millis } => {
    const { up, down } = times(workload);
    if (workload.kind === 'StatefulSet') return { empty: down, settled: down + up };
    // Where the policy does not ask for the replacement first, the two may overlap, unless the budget forbids every eviction.
    const isFirst = handover === 'always' || (handover === 'when-needed' && workload.budget?.maxUnavailable === 0);
    return isFirst ? { empty: up + down, settled: up } : { empty: down, settled: up };
  });
  return Math.max(EMPTY_FOR + Math.max(0, ...each.map(({ empty }) => empty)), ...each.map(({ settled }) => settled));
}

function times({ start, ready, stop }: ScenarioWorkload): { up: Millis; down: Millis } {
  return { up: (start?.least ?? 0) + (ready?.least ?? 0), down: stop?.least ?? 0 };
}
