/** Every metric of the controller, and the calls that feed them. docs/reference/metrics.md lists them; a test holds the two together. */
import type { Decision } from '../engine/decide.ts';
import type { PodEffect } from '../engine/effect.ts';
import { readHandover } from '../engine/handover.ts';
import { actingPhases, type Phase, terminalPhases } from '../engine/maintenance.ts';
import type { NodeEffect } from '../engine/steps.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import type { Millis } from '../lib/clock.ts';
import type { Gauge, Registry } from '../lib/metrics.ts';
import { type AboutProcess, registerProcessMetrics } from '../lib/process-metrics.ts';
import { createNotifyMetrics, type NotifyMetrics } from './notify-metrics.ts';

/** Counted where it happens; read when somebody asks. */
export interface EventTotals {
  readonly queued: number;
  readonly totals: { readonly written: number; readonly dropped: number; readonly failed: number };
}

export interface MetricsOptions extends AboutProcess {
  readonly registry: Registry;
}

export interface ControllerMetrics {
  leading(leads: boolean): void;
  /** `decisions`: of every maintenance that has not ended. */
  passed(decisions: readonly Decision[], now: Millis, tookMs: Millis): void;
  answered(effect: PodEffect | NodeEffect, answer: string): void;
  watchRestarted(watch: string): void;
  breakerTurned(policy: string, open: boolean): void;
  gateAnswered(ask: string, result: 'Open' | 'Closed' | 'Unanswered'): void;
  requested(method: string, code: number): void;
  /** Where the queue of events is counted; until then it shows 0. */
  readEvents(events: EventTotals): void;
  readonly notify: NotifyMetrics;
}

const living = [
  'Pending',
  'Draining',
  'Settling',
  'BeforeHook',
  'Rebooting',
  'Deleting',
  'Verifying',
  'AfterHook',
  'Drained',
  'ActionFailed',
  'BackOff',
  'Undoing',
] as const satisfies readonly Phase[];
const ended = ['HandedBack', 'Cancelled', 'Failed'] as const satisfies readonly Phase[];

export type HandoverResult = 'Started' | 'Completed' | 'GivenBack' | 'TimedOut' | 'Refused';

export function createControllerMetrics({ registry, ...about }: MetricsOptions): ControllerMetrics {
  let events: EventTotals = { queued: 0, totals: { written: 0, dropped: 0, failed: 0 } };

  /** Of the last pass: what gauges show is counted when somebody asks, not in every pass. */
  let latest: readonly Decision[] = [];
  registry.gauge({
    name: 'drover_maintenances',
    help: 'Maintenances that have not ended, by phase.',
    labelNames: ['phase'],
    collect(gauge) {
      for (const phase of living) gauge.set({ phase }, latest.filter((each) => each.phase === phase).length);
    },
  });
  const endedTotal = registry.counter({
    name: 'drover_maintenances_ended_total',
    help: 'Maintenances that have ended, by their last phase.',
    labelNames: ['phase'],
  });
  const phaseSeconds = registry.histogram({
    name: 'drover_phase_duration_seconds',
    help: 'How long a maintenance stayed in a phase, counted when it leaves it.',
    labelNames: ['phase'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400],
  });
  registry.gauge<'kind' | 'cause'>({
    name: 'drover_waiting',
    help: 'Nodes and pods that wait, by what they wait for. A node is counted under its foremost cause.',
    labelNames: ['kind', 'cause'],
    collect: (gauge) => showWaiting(gauge),
  });
  const evictions = registry.counter({
    name: 'drover_evictions_total',
    help: 'Evictions by the answer of the API server: Done, BudgetRefused, Throttled and others.',
    labelNames: ['answer'],
  });
  const deletions = registry.counter({
    name: 'drover_forced_deletes_total',
    help: 'Pods deleted without asking their disruption budgets, by the answer of the API server.',
    labelNames: ['answer'],
  });
  const handovers = registry.counter<'result'>({
    name: 'drover_handovers_total',
    help: 'Handovers: Started, Completed (evicted after it), GivenBack (the drain was stopped), TimedOut (no replacement in time), Refused (by the API server).',
    labelNames: ['result'],
  });
  registry.gauge({
    name: 'drover_queue_depth',
    help: 'Events waiting to be written.',
    collect: (gauge) => gauge.set({}, events.queued),
  });
  registry.counter({ name: 'drover_events_written_total', help: 'Events written.', read: () => events.totals.written });
  registry.counter({
    name: 'drover_events_dropped_total',
    help: 'Events lost because the queue was full or the process ended.',
    read: () => events.totals.dropped,
  });
  registry.counter({
    name: 'drover_events_failed_total',
    help: 'Events that the API server did not take.',
    read: () => events.totals.failed,
  });
  const lastSuccess = registry.gauge({
    name: 'drover_last_success_timestamp_seconds',
    help: 'When a node was last drained; 0 before the first since the start.',
  });
  const leader = registry.gauge({ name: 'drover_leader', help: '1 while this replica leads.' });
  const passSeconds = registry.histogram({
    name: 'drover_pass_duration_seconds',
    help: 'Time for one pass over all maintenances, requests not included.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  });
  const restarts = registry.counter({
    name: 'drover_watch_restarts_total',
    help: 'Watches of the API server that failed and were opened again.',
    labelNames: ['watch'],
  });
  const breakers = registry.gauge<'policy'>({
    name: 'drover_breaker_open',
    help: '1 while the breaker of a policy is open, 0 once it was closed again; policies whose breaker never opened are not shown.',
    labelNames: ['policy'],
  });
  const gateAnswers = registry.counter<'kind' | 'result'>({
    name: 'drover_gate_answers_total',
    help: 'Answers to gates by what was asked (PrometheusAlerts, PrometheusQuery, Alertmanager, Http, Workloads) and the result: Open, Closed, Unanswered.',
    labelNames: ['kind', 'result'],
  });
  const requests = registry.counter({
    name: 'drover_api_requests_total',
    help: 'Requests to the API server by method and status code; code 0: no answer. A watch counts when it is opened.',
    labelNames: ['method', 'code'],
  });
  const notify = createNotifyMetrics(registry);
  registerProcessMetrics(registry, about);

  // Series that exist from the start: an alert on the rate of one that is not there never fires.
  for (const phase of ended) endedTotal.inc({ phase }, 0);
  for (const answer of ['Done', 'BudgetRefused']) evictions.inc({ answer }, 0);
  for (const result of ['Started', 'Completed', 'GivenBack', 'TimedOut', 'Refused'] satisfies HandoverResult[])
    handovers.inc({ result }, 0);
  deletions.inc({ answer: 'Done' }, 0);

  // A cause that nobody waits for any more shows 0 rather than nothing, so that a graph comes down.
  const shown = { Node: new Map<string, number>(), Pod: new Map<string, number>() };
  const showWaiting = (gauge: Gauge<'kind' | 'cause'>) => {
    for (const counts of Object.values(shown)) for (const cause of counts.keys()) counts.set(cause, 0);
    const count = (counts: Map<string, number>, cause: string) => counts.set(cause, (counts.get(cause) ?? 0) + 1);
    for (const { waitingFor, pods } of latest) {
      if (waitingFor) count(shown.Node, waitingFor.cause);
      for (const { blocker } of pods ?? []) if (blocker) count(shown.Pod, blocker.cause);
    }
    for (const [kind, counts] of Object.entries(shown)) for (const [cause, value] of counts) gauge.set({ kind, cause }, value);
  };

  return {
    leading(leads) {
      leader.set({}, leads ? 1 : 0);
      // What another replica leads is its to tell.
      if (leads) return;
      latest = [];
      breakers.reset();
    },
    passed(decisions, now, tookMs) {
      passSeconds.observe({}, tookMs / 1_000);
      latest = decisions;
      for (const { maintenance, phase } of decisions) {
        const { state } = maintenance;
        if (phase === state.phase) continue;
        phaseSeconds.observe({ phase: state.phase }, Math.max(0, now - state.phaseSince) / 1_000);
        if (phase === 'Drained' || (state.phase === 'Settling' && actingPhases.has(phase))) lastSuccess.set({}, now / 1_000);
        if (terminalPhases.has(phase)) endedTotal.inc({ phase });
      }
    },
    answered(effect, answer) {
      if (effect.do === 'Evict') evictions.inc({ answer });
      if (effect.do === 'Delete') deletions.inc({ answer });
      const result = handoverResult(effect, answer);
      if (result) handovers.inc({ result });
    },
    watchRestarted: (watch) => restarts.inc({ watch }),
    breakerTurned: (policy, open) => breakers.set({ policy }, open ? 1 : 0),
    gateAnswered: (kind, result) => gateAnswers.inc({ kind, result }),
    requested: (method, code) => requests.inc({ method, code: String(code) }),
    readEvents(source) {
      events = source;
    },
    notify,
  };
}

/** A refusal of the last step is not an end: the eviction is tried again. */
function handoverResult(effect: PodEffect | NodeEffect, answer: string): HandoverResult | null {
  const done = answer === 'Done';
  switch (effect.do) {
    case 'Detach':
      return done ? 'Started' : 'Refused';
    case 'GiveBack':
      return done ? (effect.refusedBecause === undefined ? 'GivenBack' : 'TimedOut') : null;
    case 'Evict':
      return done && readHandover(effect.pod) !== null ? 'Completed' : null;
    default:
      return null;
  }
}

/** The same client, its requests counted. */
export function countRequests(client: KubeClient, metrics: Pick<ControllerMetrics, 'requested'>): KubeClient {
  const counted = async <T>(method: string, okCode: number, answer: Promise<T>): Promise<T> => {
    try {
      const value = await answer;
      metrics.requested(method, okCode);
      return value;
    } catch (error) {
      if (error instanceof KubeError) metrics.requested(method, error.code);
      throw error;
    }
  };
  return {
    server: client.server,
    // The client does not tell which 2xx it was; POST creates, the others answer 200.
    json: (request) => counted(request.method, request.method === 'POST' ? 201 : 200, client.json(request)),
    stream: (request) => counted(request.method, 200, client.stream(request)),
    close: () => client.close(),
  };
}
