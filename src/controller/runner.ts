/**
 * The loop: caches -> engine -> effects, driven by changes. It is the same for the controller and for `drover drain`; they differ in
 * where maintenances live (`MaintenanceStore`) and what starts them. Nothing polls: a pass runs when something changed or when the
 * engine said that time alone will change its mind.
 */
import type { Node, Pod } from '../api/objects.ts';
import type { AdmissionPolicy, ClusterLimits } from '../engine/admission.ts';
import { decide, type Decision } from '../engine/decide.ts';
import type { PodEffect } from '../engine/effect.ts';
import type { Maintenance } from '../engine/maintenance.ts';
import type { NodeEffect } from '../engine/steps.ts';
import type { Needs, NodeAttempt, World } from '../engine/world.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { KubeError, type KubeClient } from '../kube/client.ts';
import { type Caches, openCaches } from './caches.ts';
import { createEffects } from './effects.ts';
import type { Gates } from './gates/gates.ts';
import { createLedger } from './ledger.ts';
import { createPace } from './pace.ts';
import { createRuns } from './runs.ts';

/** Where maintenances live. The controller's is the API server, the command line's is memory. */
export interface MaintenanceStore {
  /** Those that have not ended. */
  list(): readonly Maintenance[];
  /** Takes the decision in: the new state at once in memory, and as the store sees fit on the object. */
  record(decision: Decision, now: Millis): void;
  /** Nodes whose maintenance is on its way to the API server. */
  creating?(): ReadonlySet<string>;
  /** Sets spec.paused. */
  pause(maintenance: Maintenance, because: string): Promise<void>;
}

export interface RunnerOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly consistency: 'Any' | 'Latest';
  readonly dryRun: boolean;
  readonly store: MaintenanceStore;
  readonly nodes: () => ReadonlyMap<string, Node>;
  /** Where `nodes` are not all nodes of the cluster, or somebody keeps count. Default: they are counted in each pass. */
  readonly schedulableNodes?: () => number;
  readonly policies: () => ReadonlyMap<string, AdmissionPolicy>;
  /** Of the controller; absent: none. */
  readonly limits?: ClusterLimits;
  /** null: gates are taken as open. */
  readonly gates: Pick<Gates, 'answer' | 'pods' | 'provide'> | null;
  readonly holds: (maintenance: Maintenance) => boolean;
  readonly mayAct: () => boolean;
  /**
   * Least time between two passes by the clock. Default 0: they are held apart by the time that they take, which in virtual time is none
   * at all, and each event an instant of its own.
   */
  readonly restMs?: Millis;
  /** Before each pass: find new work. Returns when time alone will bring some. */
  readonly prepare: (now: Millis) => Millis | null;
  readonly onPass: (decisions: readonly Decision[], now: Millis, tookMs: Millis) => void;
  /** Something that the engine asks for may not be read. */
  readonly onForbidden?: (message: string) => void;
  readonly onPodGone: (nodeName: string, pod: Pod, now: Millis) => void;
  readonly onAnswer: (maintenance: Maintenance, effect: PodEffect | NodeEffect, answer: string, message: string) => void;
}

export interface Runner {
  /** Something outside the caches changed. */
  poke(): void;
  readonly caches: Caches;
  readonly lastPassAt: Millis;
  /** Starts no more effects and waits for those under way. */
  stop(): Promise<void>;
}

// Above about 100 detaches a second the API server closes watchers that cannot follow.
const DETACHES_PER_SECOND = 100;
const DETACH_BURST = 20;
// With thousands of nodes due at once, this many cordons and undos are on their way at a time.
const NODE_PATCHES_IN_FLIGHT = 20;
// In a storm of changes the passes take this share of a core, and this much at once after a quiet moment.
const PASS_MS_PER_SECOND = 100;
const PASS_BURST_MS = 25;
const MAX_REST_MS = 100;
const NODE_RETRY_MS = 1_000;
const READ_AHEAD = 5;
const MAX_ROUNDS = 4;
// Requests for pods that are on their way at once, over all budgets: a simultaneous eviction of 1,000 pods helps nobody. An eviction
// under a busy budget takes 0.1 to 1 s inside the server, so with too few of them a rotation waits for its own requests: 20 nodes under 60
// budgets took 1.5 x a plain loop with one lane per budget at 30, and 1.13 x at 64 (one run each, on a busy machine; 60 itself was not
// measured). It is 60 because some of the client's 64 sockets must stay free for all else, the Lease first.
const POD_REQUESTS_IN_FLIGHT = 60;

export function createRunner(options: RunnerOptions): Runner {
  const { clock, log, store, restMs = 0 } = options;
  const ledger = createLedger(clock);
  const pace = createPace(clock, DETACHES_PER_SECOND, DETACH_BURST);
  const work = createPace(clock, PASS_MS_PER_SECOND, PASS_BURST_MS);
  const effects = createEffects({
    ...options,
    ledger,
    onAnswer(maintenance, effect, answer, message) {
      options.onAnswer(maintenance, effect, answer, message);
      poke();
    },
  });
  const runs = createRuns({
    ...options,
    onAnswer(maintenance, effect, answer, message) {
      options.onAnswer(maintenance, effect, answer, message);
      poke();
    },
  });
  const caches = openCaches({
    ...options,
    onChange: () => poke(),
    onBudget: (budget) => ledger.see(budget),
    onPod(nodeName, { type, object }) {
      if (type !== 'Deleted') return;
      ledger.forget(object.uid);
      options.onPodGone(nodeName, object, clock.now());
    },
  });

  const underWay = new Set<Promise<void>>();
  const nodeAttempts = new Map<string, NodeAttempt>();
  let podsInFlight = 0;
  let nodesInFlight = 0;
  let nodesDueAt: Millis | null = null; // when the next node may be patched again
  let scheduled = false;
  let stopped = false;
  let lastPassAt = clock.now();
  let lookedAt = Number.NEGATIVE_INFINITY;
  let cancelTimer = () => {};

  function poke(): void {
    if (scheduled || stopped) return;
    scheduled = true;
    // The first changes after a quiet moment are answered at once, each together with all that the same read of a socket brought. In a
    // storm of changes the decision is the same a few milliseconds later, with fewer passes.
    const rest = Math.max(Math.min(MAX_REST_MS, work.owedMs()), restMs - Math.abs(clock.now() - lookedAt));
    if (rest >= 1) clock.after(rest, pass);
    else clock.soon(pass);
  }

  function pass(): void {
    scheduled = false;
    // A new phase is a new question about the same world: from the reason to the cordon in one go.
    let round = 0;
    while (look()) if (++round === MAX_ROUNDS) return poke();
  }

  /** @returns whether a maintenance has entered another phase */
  function look(): boolean {
    if (stopped) return false;
    const now = clock.now();
    lastPassAt = now;
    lookedAt = now;
    const dueAt = options.prepare(now);
    const world: World = {
      podsOn: caches.podsOn,
      budgets: caches.budgets,
      namespace: caches.namespace,
      workloads: caches.workloads,
      attachmentsOf: caches.attachmentsOf,
      runs: caches.runs,
      attempts: ledger.attempts,
      nodeAttempts,
      runAttempts: runs.attempts,
      charges: ledger.charges,
      detachAllowance: pace.available(),
      schedulableNodes: options.schedulableNodes?.() ?? countSchedulable(options.nodes()),
      gates: options.gates,
    };
    const maintenances = store.list();
    const { decisions, needs, wakeAt } = decide({
      maintenances,
      nodes: options.nodes(),
      policies: options.policies(),
      holds: options.holds,
      world,
      ...(options.limits && { limits: options.limits }),
      now,
    });
    for (const decision of decisions) needAhead(decision, needs);
    const creating = store.creating?.();
    // Their pods are read meanwhile. Of a crowd only few will be admitted: those are asked for when they are.
    if (creating && creating.size <= READ_AHEAD) for (const name of creating) needs.podsOf.add(name);
    for (const name of nodeAttempts.keys()) if (!options.nodes().has(name)) nodeAttempts.delete(name);
    let moved = false;
    nodesDueAt = null;
    for (const decision of inOrderOfHaste(decisions)) {
      if (decision.phase !== decision.maintenance.state.phase) moved = true;
      store.record(decision, now);
      act(decision);
    }
    caches.provide(needs);
    options.gates?.provide(needs.gates);
    const tookMs = Math.max(0, clock.now() - now); // a clock that is set back must not earn passes
    work.take(tookMs);
    // Requests are sent when this turn of the event loop ends: first what acts, then what tells of it.
    clock.soon(() => options.onPass(decisions, now, tookMs));
    wakeUpAt([wakeAt, dueAt, nodesDueAt, runs.dueAt(), ledger.sweep()], now);
    return moved;
  }

  /** What the next phase will ask for is opened one pass earlier. */
  function needAhead(decision: Decision, needs: Needs): void {
    if (decision.phase === 'Draining' || decision.phase === 'Undoing') needs.podsOf.add(decision.maintenance.nodeName);
  }

  function act({ maintenance, nodeEffect, podEffects }: Decision): void {
    if (!options.mayAct()) return;
    if (nodeEffect?.do === 'Pause') track(store.pause(maintenance, nodeEffect.because));
    else if (nodeEffect && 'run' in nodeEffect) {
      const running = runs.carryOut(maintenance, nodeEffect);
      if (running) track(running);
    } else if (nodeEffect) changeNode(maintenance, nodeEffect);
    for (const effect of podEffects ?? []) {
      if (podsInFlight >= POD_REQUESTS_IN_FLIGHT) return; // the answers of those under way start the next pass
      if (effect.do === 'Detach') pace.take();
      podsInFlight += 1;
      track(effects.pod(maintenance, effect).finally(() => void (podsInFlight -= 1)));
    }
  }

  function changeNode(maintenance: Maintenance, effect: Extract<NodeEffect, { node: Node }>): void {
    const { node } = effect;
    const last = nodeAttempts.get(node.name);
    // While the cache still shows the version that was patched, the patch has not been seen; a newer one may be patched at once.
    if (last?.inFlight) return;
    if (last && last.version === node.resourceVersion && clock.now() < last.retryAt) {
      // An answered patch that the watch never shows would otherwise be waited for without end.
      nodesDueAt = Math.min(nodesDueAt ?? last.retryAt, last.retryAt);
      return;
    }
    if (nodesInFlight >= NODE_PATCHES_IN_FLIGHT) return;
    const begun = { version: node.resourceVersion, inFlight: true, retryAt: Number.POSITIVE_INFINITY };
    nodeAttempts.set(node.name, { ...begun, ...(last?.failed !== undefined && { failed: last.failed }) });
    nodesInFlight += 1;
    const done = (answer: NonNullable<NodeAttempt['answer']>, message: string) => {
      const retryAt = clock.now() + NODE_RETRY_MS;
      nodeAttempts.set(node.name, {
        ...begun,
        inFlight: false,
        retryAt,
        answer,
        ...(answer === 'Failed' && { failed: message }),
      });
      nodesInFlight -= 1;
      if (answer !== 'Done') options.onAnswer(maintenance, effect, answer, message);
      poke();
    };
    track(
      effects.node(maintenance, effect).then(
        () => done('Done', ''),
        (error: unknown) => {
          // 409: the kubelet was faster; the watch brings the newer node at once.
          const answer = error instanceof KubeError && error.code === 409 ? 'Conflict' : 'Failed';
          done(answer, error instanceof Error ? error.message : String(error));
          if (!(error instanceof KubeError)) throw error;
          if (answer === 'Failed') log.warn(`cannot patch node ${node.name}: ${error.message}`);
        },
      ),
    );
  }

  function track(work: Promise<unknown>): void {
    const settled = work.then(
      () => {},
      (error: unknown) => log.error(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    );
    underWay.add(settled);
    void settled.finally(() => underWay.delete(settled));
  }

  function wakeUpAt(times: readonly (Millis | null)[], now: Millis): void {
    cancelTimer();
    const at = Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
    if (Number.isFinite(at) && !stopped) cancelTimer = clock.after(Math.max(1, at - now), poke);
  }

  poke();
  return {
    poke,
    caches,
    get lastPassAt() {
      return lastPassAt;
    },
    async stop() {
      stopped = true;
      cancelTimer();
      await new Promise<void>((resolve) => clock.soon(resolve)); // the last pass is told, too
      await Promise.all(underWay);
      caches.stop();
    },
  };
}

function countSchedulable(nodes: ReadonlyMap<string, Node>): number {
  let count = 0;
  for (const node of nodes.values()) if (!node.unschedulable && node.ready) count += 1;
  return count;
}

/** Only so many requests are on their way at once: those for a machine that goes are sent first. */
function inOrderOfHaste(decisions: readonly Decision[]): readonly Decision[] {
  if (decisions.every(({ maintenance }) => maintenance.goneAt === undefined)) return decisions;
  const goneAt = ({ maintenance }: Decision) => maintenance.goneAt ?? Number.MAX_SAFE_INTEGER;
  return [...decisions].sort((a, b) => goneAt(a) - goneAt(b));
}
