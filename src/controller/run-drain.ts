/** `drover drain`: the controller's loop with the maintenances in memory and the nodes that were named. */
import type { Node, Pod } from '../api/objects.ts';
import type { PodReport } from '../engine/drain.ts';
import { readJournal } from '../engine/journal.ts';
import { type Maintenance, type MaintenanceState, type Phase, terminalPhases } from '../engine/maintenance.ts';
import type { DrainSettings } from '../engine/settings.ts';
import type { AdmissionPolicy } from '../engine/admission.ts';
import { KubeError, type KubeClient } from '../kube/client.ts';
import * as kinds from '../kube/kinds.ts';
import { reflect } from '../kube/reflector.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { DrainOutcome, DrainRunReport, DrainRunResult, NodeReport } from './drain-report.ts';
import { createProgress, type Progress } from './progress.ts';
import { createRunner, type MaintenanceStore } from './runner.ts';
import { idOf, leaveTidy } from './undo-drain.ts';

export interface RunDrainOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly nodes: readonly string[];
  readonly settings: DrainSettings;
  /** Nodes under way at once. */
  readonly parallel: number;
  /** "cli:user@host": what the node's journal names. */
  readonly by: string;
  readonly reason: string;
  /** When the machines are gone: grace periods are cut to fit. */
  readonly goneAt?: Millis;
  /** From the start of the run; null waits for ever. */
  readonly timeoutMs: Millis | null;
  /** Aborting it stops gracefully: nothing new is evicted, pods that are handed over get their labels back. */
  readonly signal: AbortSignal;
  readonly onReport: (report: DrainRunReport) => void;
  /**
   * With one node: sees its pods before anything is changed; a throw ends the run and is thrown from it. It costs no request of its own,
   * because the drain watches these pods anyway.
   */
  readonly lookFirst?: (pods: readonly Pod[]) => void;
}

/** A node that was named is not there. */
export class UnknownNode extends Error {
  override readonly name = 'UnknownNode';
  readonly node: string;
  constructor(node: string) {
    super(`there is no node "${node}"`);
    this.node = node;
  }
}

const REPORT_EVERY_MS = 100;
const POLICY = 'command line';

interface Work {
  maintenance: Maintenance;
  pods: readonly PodReport[];
  waitingFor: NodeReport['waitingFor'];
}

/** @throws KubeError when a node cannot be read, UnknownNode when it is not there, and what `lookFirst` throws. */
export async function runDrain(options: RunDrainOptions): Promise<DrainRunResult> {
  const { client, clock, log, random, signal } = options;
  const startedAt = clock.now();
  const progress = createProgress();
  const nodes = new Map<string, Node>();
  let runner: ReturnType<typeof createRunner> | undefined;

  const single = options.nodes.length === 1 ? { fieldSelector: `metadata.name=${options.nodes[0]}` } : {};
  const nodeWatch = reflect<Node>({
    client,
    kind: kinds.nodes,
    clock,
    log,
    random,
    consistency: 'Latest',
    failFast: true,
    ...single,
    onChange({ type, object }) {
      if (type === 'Deleted') nodes.delete(object.name);
      else nodes.set(object.name, object);
      runner?.poke();
    },
    onError: (error) => log.warn(`cannot watch nodes: ${error.message}`),
  });

  let finish: (stopped: DrainOutcome | null) => void = () => {};
  const finished = new Promise<DrainOutcome | null>((resolve) => (finish = resolve));
  const onAbort = () => finish('Interrupted');
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const cancelTimeout = options.timeoutMs === null ? () => {} : clock.after(options.timeoutMs, () => finish('TimedOut'));
  const release = () => {
    cancelTimeout();
    signal.removeEventListener('abort', onAbort);
  };

  const works = new Map<string, Work>();
  for (const name of options.nodes) works.set(name, { maintenance: begin(name, startedAt, options), pods: [], waitingFor: null });

  // A server that does not answer is asked again without end; the person may have had enough before.
  try {
    await Promise.race([nodeWatch.synced, finished]);
  } catch (error) {
    release();
    throw error;
  }
  const missing = nodeWatch.resourceVersion === '' ? undefined : options.nodes.find((name) => !nodes.has(name));
  if (missing !== undefined) {
    release();
    await nodeWatch.stop();
    throw new UnknownNode(missing);
  }

  const update = (work: Work, change: Partial<Maintenance>, state?: Partial<MaintenanceState>) => {
    work.maintenance = { ...work.maintenance, ...change, state: { ...work.maintenance.state, ...state } };
  };

  const store: MaintenanceStore = {
    list: () =>
      [...works.values()].flatMap(({ maintenance }) =>
        terminalPhases.has(maintenance.state.phase)
          ? []
          : { ...maintenance, memory: progress.memory(maintenance.id, clock.now()) },
      ),
    record(decision, now) {
      const work = works.get(decision.maintenance.nodeName);
      if (!work) return;
      const { phase } = decision;
      const moved = phase !== work.maintenance.state.phase;
      if (moved && phase === 'Draining' && work.maintenance.state.phase === 'Pending') progress.begin(decision.maintenance.id);
      update(work, {}, { phase, ...(moved && { phaseSince: now }), ...decision.change });
      if (decision.pods) {
        work.pods = decision.pods;
        progress.expect(decision.maintenance.id, decision.pods);
      }
      work.waitingFor = decision.waitingFor ?? null;
    },
    async pause(maintenance, because) {
      const work = works.get(maintenance.nodeName);
      if (work) update(work, { paused: true, pausedBecause: because });
    },
  };

  const only = options.nodes.length === 1 ? options.nodes[0] : undefined;
  let approved = only === undefined || !options.lookFirst;
  let refusal: { readonly reason: unknown } | null = null;
  const look = () => {
    const pods = only === undefined ? null : runner?.caches.podsOn(only);
    if (!pods) return;
    try {
      options.lookFirst?.(pods);
      approved = true;
      runner?.poke();
    } catch (reason) {
      refusal = { reason };
      finish('NotStarted');
    }
  };

  let reportedAt = 0;
  let cancelReport = () => {};
  const report = () => {
    cancelReport();
    reportedAt = clock.now();
    options.onReport({
      now: reportedAt,
      nodes: [...works.values()].map((work) => reportOf(work, nodes.get(work.maintenance.nodeName), progress)),
    });
  };

  // Rights do not come back by waiting: a run that may not do what it needs, and has moved nothing yet, is a slip of the person.
  let forbidden: string | null = null;
  let granted = false;
  const closed = new Set<string>();
  const refuseForbidden = () => {
    if (forbidden === null || granted || refusal) return;
    const moves = ({ waitingFor, pods }: Work) =>
      waitingFor?.cause !== 'CordonFailed' && pods.some(({ state }) => underWay.has(state));
    if ([...works.values()].some(moves)) return;
    refusal = { reason: new KubeError(`${forbidden}; no pod has left, and the nodes are as they were before`, { code: 403 }) };
    finish('NotStarted');
  };

  /** A node that someone uncordoned meanwhile ends for this run when it is handed back. */
  const isOver = ({ maintenance: { state, paused } }: Work) => over.has(state.phase) || (paused && state.phase === 'Pending');

  runner = createRunner({
    client,
    clock,
    log,
    random,
    consistency: 'Latest',
    dryRun: false,
    store,
    nodes: () => nodes,
    // One node is watched alone, so how many others there are is not known: a replacement that finds no host port will say so.
    ...(only !== undefined && { schedulableNodes: () => Number.POSITIVE_INFINITY }),
    policies: () => new Map([[POLICY, limits(options, nodes)]]),
    gates: null,
    holds: () => true,
    mayAct: () => approved,
    prepare: () => null,
    onPass() {
      if (!approved && !refusal) look();
      if (!approved) return;
      cancelReport();
      cancelReport = clock.after(Math.max(0, reportedAt + REPORT_EVERY_MS - clock.now()), report);
      refuseForbidden();
      if ([...works.values()].every(isOver)) finish(null);
    },
    onForbidden(message) {
      forbidden ??= message;
      refuseForbidden();
    },
    onPodGone: (nodeName, pod, now) => progress.left(idOf(options.by, nodeName), pod, now),
    onAnswer(maintenance, effect, answer, message) {
      log.debug(`${effect.do}: ${answer}`, { node: maintenance.nodeName, message });
      // A handover that was not asked for in so many words is done without: the eviction says whether the run may do what it needs.
      const goesOn = effect.do === 'Detach' && maintenance.settings.handover === 'WhenNeeded';
      const isForbidden = answer === 'Forbidden' || (answer === 'Failed' && message.startsWith('forbidden (403)'));
      if (isForbidden && !goesOn) forbidden ??= message;
      if (answer !== 'Done') return;
      if ('pod' in effect) granted = true;
      else if (effect.do === 'Cordon' && readJournal(effect.node) === null) closed.add(maintenance.nodeName);
    },
  });

  const stopped = await finished;
  release();
  await runner.stop();
  cancelReport();
  await nodeWatch.stop();
  if (refusal) {
    if (approved) await tidy(options, closed);
    throw (refusal as { readonly reason: unknown }).reason;
  }
  // As with kubectl, a node that was begun stays cordoned, so that the next run goes on where this one ended. Only what nobody would
  // come back to is taken back: labels of pods that are being handed over, and marks on nodes that were not begun.
  if (stopped && nodes.size > 0) await tidy(options);
  report();
  return resultOf([...works.values()], stopped, progress, startedAt, clock.now());
}

async function tidy(options: RunDrainOptions, reopen?: ReadonlySet<string>): Promise<void> {
  try {
    await leaveTidy(options, options.nodes, reopen);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    options.log.warn(`labels of pods and marks on nodes may be left behind; drover uncordon takes them back: ${error.message}`);
  }
}

const underWay: ReadonlySet<PodReport['state']> = new Set(['Evicting', 'HandingOver', 'Terminating']);
const over: ReadonlySet<Phase> = new Set(['Drained', 'HandedBack', 'Cancelled', 'Failed', 'BackOff']);

function begin(nodeName: string, now: Millis, { by, reason, settings, goneAt }: RunDrainOptions): Maintenance {
  return {
    id: idOf(by, nodeName),
    nodeName,
    policy: POLICY,
    reasonType: 'Manual',
    reason,
    priority: 0,
    // A command does not come back later by itself: what stands still is the person's to see, and --timeout ends it.
    settings: { ...settings, stepAsideMs: Number.MAX_SAFE_INTEGER, attempts: 1 },
    handBack: 'Never',
    paused: false,
    pausedBecause: '',
    cancelled: false,
    runNow: false,
    createdAt: now,
    ...(goneAt !== undefined && { goneAt }),
    state: { phase: 'Pending', phaseSince: now, attempts: 0 },
    memory: { progressAt: null, moved: [], movedClaims: null },
  };
}

/** --parallel as the admission sees it: nodes that others have cordoned are not this command's business. */
function limits({ parallel, nodes: names }: RunDrainOptions, nodes: ReadonlyMap<string, Node>): AdmissionPolicy {
  return {
    name: POLICY,
    paused: false,
    maxNodes: { count: parallel },
    perGroup: [],
    minIntervalMs: 0,
    massTrigger: { percent: 100 },
    // Who names the nodes and --parallel has said how many; as with kubectl.
    controlPlane: { count: Number.MAX_SAFE_INTEGER },
    breaker: null,
    gates: [],
    approval: null,
    selected: names.flatMap((name) => nodes.get(name) ?? []),
    matchedByCondition: 0,
    lastStart: null,
    schedule: null,
    expectMs: null,
  };
}

function reportOf({ maintenance, pods, waitingFor }: Work, node: Node | undefined, progress: Progress): NodeReport {
  const { state, nodeName, id } = maintenance;
  // Both from the same book: what the last decision counted and what has left since are of two moments.
  const [gone, remaining] = [progress.gone(id), progress.remaining(id)];
  return {
    name: nodeName,
    phase: state.phase,
    waitingFor,
    pods,
    total: gone + remaining,
    gone,
    remaining,
    cordoned: node?.unschedulable ?? false,
    message: state.message ?? '',
    startedAt: state.startedAt ?? null,
    finishedAt: state.drainedAt ?? state.finishedAt ?? null,
  };
}

function resultOf(
  works: readonly Work[],
  stopped: DrainOutcome | null,
  progress: { gone(id: string): number },
  startedAt: Millis,
  now: Millis,
): DrainRunResult {
  const nodes = works.map(({ maintenance }) => {
    const { state, nodeName, id } = maintenance;
    const outcome: DrainOutcome =
      state.phase === 'Drained' ? 'Drained' : state.startedAt === undefined ? 'NotStarted' : (stopped ?? 'Failed');
    const from = state.startedAt ?? startedAt;
    return {
      name: nodeName,
      outcome,
      message: state.message ?? '',
      seconds: ((state.drainedAt ?? now) - from) / 1_000,
      pods: progress.gone(id),
    };
  });
  return { ok: nodes.every((node) => node.outcome === 'Drained'), nodes };
}
