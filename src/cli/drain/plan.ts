/**
 * What a drain would do, without doing it: the engine's decisions on the cluster as it is now. The same caches as the real drain
 * are opened until everything that the engine asks for has been read, and closed again.
 */
import type { Node, Pod } from '../../api/objects.ts';
import { type Caches, openCaches } from '../../controller/caches.ts';
import { decideDrains, type PodReport } from '../../engine/drain.ts';
import { noGateNeeds } from '../../engine/gates/gate.ts';
import type { PodEffect } from '../../engine/effect.ts';
import { explain } from '../../engine/explain.ts';
import type { DrainSettings } from '../../engine/settings.ts';
import type { Drain, Needs, World } from '../../engine/world.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock, Millis } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { CommandError } from '../errors.ts';

export interface PlanOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly nodes: readonly Node[];
  readonly settings: DrainSettings;
}

export interface NodePlan {
  readonly node: Node;
  readonly pods: readonly PodReport[];
  readonly effects: readonly PodEffect[];
}

const READ_LIMIT_MS = 60_000;

/** @throws CommandError when the cluster cannot be read within a minute. */
export async function planDrain(options: PlanOptions): Promise<NodePlan[]> {
  const { clock, nodes, signal } = options;
  let changed = () => {};
  const caches = openCaches({
    ...options,
    consistency: 'Latest',
    onChange: () => changed(),
    onPod: () => {},
    onBudget: () => {},
  });
  const until = clock.now() + READ_LIMIT_MS;
  try {
    for (;;) {
      const wakeUp = new Promise<void>((resolve) => (changed = resolve));
      const needs: Needs = {
        podsOf: new Set(nodes.map((node) => node.name)),
        namespaces: new Set(),
        workloads: new Set(),
        attachments: false,
        rebootPods: new Set(),
        hookJobs: new Set(),
        gates: noGateNeeds(),
      };
      const plans = decideAllTiers(options, caches, needs, clock.now());
      caches.provide(needs);
      if (isRead(caches, needs)) return plans;
      if (clock.now() >= until)
        throw new CommandError('the cluster could not be read within a minute; run again with -v to see what fails');
      const timer = new AbortController();
      await Promise.race([
        wakeUp,
        clock.sleep(until - clock.now(), AbortSignal.any([signal, timer.signal])).catch(ignoreAbort(signal)),
      ]);
      timer.abort();
    }
  } finally {
    caches.stop();
  }
}

function ignoreAbort(signal: AbortSignal): () => void {
  return () => {
    if (signal.aborted) throw signal.reason;
  };
}

function isRead(caches: Caches, needs: Needs): boolean {
  return (
    caches.budgets !== null &&
    [...needs.podsOf].every((name) => caches.podsOn(name)) &&
    [...needs.namespaces].every((name) => caches.namespace(name)) &&
    [...needs.workloads].every((name) => caches.workloads(name))
  );
}

/** The engine looks at the lowest tier that still has pods; here each tier gets its turn as if those before it had gone. */
function decideAllTiers({ nodes, settings }: PlanOptions, caches: Caches, needs: Needs, now: Millis): NodePlan[] {
  const drains = nodes.map((node): Drain => ({ id: node.name, node, settings, startedAt: now }));
  const decided = new Map(nodes.map((node) => [node.name, new Map<string, PodReport>()]));
  const effects = new Map<string, PodEffect[]>(nodes.map((node) => [node.name, []]));
  const isLeft = (nodeName: string) => (pod: Pod) => !decided.get(nodeName)?.has(pod.uid);
  for (let left = Number.POSITIVE_INFINITY; left > 0; ) {
    const world: World = {
      podsOn: (name) => caches.podsOn(name)?.filter(isLeft(name)) ?? null,
      budgets: caches.budgets,
      namespace: caches.namespace,
      workloads: caches.workloads,
      attachmentsOf: caches.attachmentsOf,
      attempts: new Map(),
      charges: () => 0,
      detachAllowance: Number.MAX_SAFE_INTEGER,
      gates: null,
      schedulableNodes: Number.MAX_SAFE_INTEGER,
    };
    let waiting = 0;
    for (const decision of decideDrains(drains, world, now, needs)) {
      effects.get(decision.id)?.push(...decision.effects);
      for (const report of decision.pods) {
        if (report.blocker?.cause === 'EarlierTier') waiting += 1;
        else decided.get(decision.id)?.set(report.pod.uid, report);
      }
    }
    if (waiting >= left) break; // not read yet
    left = waiting;
  }
  return nodes.map((node) => ({
    node,
    pods: [...(decided.get(node.name)?.values() ?? [])],
    effects: effects.get(node.name) ?? [],
  }));
}

export type Outlook = 'Stays' | 'Leaves' | 'HandedOver' | 'Waits' | 'Never' | 'Going';

/** How it looks for one pod. Never: not unless somebody changes something. */
export function outlookOf({ state, blocker }: PodReport, now: Millis): Outlook {
  if (state === 'Skipped') return 'Stays';
  if (state === 'Terminating') return blocker && !explain(blocker, now).passes ? 'Never' : 'Going';
  if (blocker && !explain(blocker, now).passes) return 'Never';
  if (state === 'HandingOver') return 'HandedOver';
  return blocker ? 'Waits' : 'Leaves';
}
