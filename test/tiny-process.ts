/** The process around the engine, for property tests: caches that lag, requests that get lost, and a memory that a restart clears. */
import type { Pod } from '../src/api/objects.ts';
import type { AdmissionPolicy } from '../src/engine/admission.ts';
import { noGateNeeds } from '../src/engine/gates/gate.ts';
import { budgetKey } from '../src/engine/budgets.ts';
import { indexBudgets } from '../src/engine/budget-index.ts';
import { decide, type Decision } from '../src/engine/decide.ts';
import type { PodEffect } from '../src/engine/effect.ts';
import { cordonPatch, detachPatch, giveBackPatch, type MergePatch, undoNodePatch, unlistPatch } from '../src/engine/journal.ts';
import type { Maintenance, MaintenanceState } from '../src/engine/maintenance.ts';
import type { NodeEffect } from '../src/engine/steps.ts';
import type { Attempt, NamespaceView, Needs, NodeAttempt, World } from '../src/engine/world.ts';
import { aMaintenance, aView, MINUTE, SECOND, settings } from './builders.ts';
import type { Snapshot, TinyCluster } from './tiny-cluster.ts';

export interface ProcessPlan {
  readonly handover: 'Never' | 'WhenNeeded' | 'Always';
  readonly maxNodes: number;
  /** How many of the nodes are to be drained; the others take the pods. */
  readonly drained: number;
  /** How far each cache may be behind, in ticks. */
  readonly lag: number;
  /** Of 100 requests, how many are lost, of how many the answer is, and how many arrive twice. */
  readonly lost: number;
}

/** mulberry32 */
export function randomFrom(seed: number): () => number {
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

export function createProcess(plan: ProcessPlan, cluster: TinyCluster, random: () => number) {
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
  const names = Array.from({ length: Math.min(plan.drained, cluster.nodes().length - 1) }, (_, index) => `n-${index}`);
  const maintenances = new Map<string, Maintenance>();
  const written = new Map<string, MaintenanceState>();
  for (const nodeName of names)
    maintenances.set(`m-${nodeName}`, aMaintenance({ id: `m-${nodeName}`, nodeName, policy: 'p', settings: drainSettings }));
  const withoutCause = new Set<string>();
  let attempts = new Map<string, Attempt>();
  let charged = new Map<string, { budget: string; name: string }>();
  let nodeAttempts = new Map<string, NodeAttempt>();
  let requests: Request[] = [];
  let asked: Needs = {
    podsOf: new Set(),
    namespaces: new Set(),
    workloads: new Set(),
    attachments: false,
    rebootPods: new Set(),
    hookJobs: new Set(),
    gates: noGateNeeds(),
  };
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
  const send = (run: () => void) => requests.push({ due: cluster.now + Math.floor(random() ** 2 * 7) * SECOND, run });
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
    if ('run' in effect) throw new Error('nothing is done here to an empty node');
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
      budgets: indexBudgets(at('budgets').budgets),
      namespace: (name) => (known.namespaces.has(name) ? viewAt(at('namespace')) : null),
      workloads: (name) => (known.workloads.has(name) ? viewAt(at('namespace')) : null),
      attachmentsOf: () => [],
      attempts,
      nodeAttempts,
      charges: (budget) => [...charged.values()].filter((each) => each.budget === budget).length,
      detachAllowance: 3,
      gates: null,
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
      schedule: null,
      expectMs: null,
      controlPlane: { count: 1 },
      breaker: null,
      gates: [],
      approval: null,
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
      asked = {
        podsOf: new Set(),
        namespaces: new Set(),
        workloads: new Set(),
        attachments: false,
        rebootPods: new Set(),
        hookJobs: new Set(),
        gates: noGateNeeds(),
      };
      history.push(cluster.snapshot());
      for (const cache of ['nodes', 'pods', 'budgets', 'namespace'] as const) seenAt[cache] = history.length - 1;
      if (random() < 0.5) for (const [id, state] of written) this.change(id, { state });
    },
    deliver,
    look,
    pass,
  };
}
