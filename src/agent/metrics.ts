/** Every metric of the agent; docs/agent.md lists them, and a test holds the two together. */
import type { NodeSignal } from '../api/node-signal.ts';
import type { Millis } from '../lib/clock.ts';
import type { Registry } from '../lib/metrics.ts';
import { type ProcessUsage, registerProcessMetrics } from '../lib/process-metrics.ts';
import type { GuardStep } from './guard.ts';
import type { SourceHealth } from './poller.ts';

export interface AgentMetrics {
  failed(source: string): void;
  wrote(at: Millis | null): void;
  stepped(step: GuardStep): void;
  /** Where the gauges read from, from now on. */
  readFrom(state: { signals(): readonly NodeSignal[]; health(): readonly SourceHealth[] }): void;
}

export interface AgentMetricsOptions {
  readonly registry: Registry;
  readonly version: string;
  readonly startedAt: Millis;
  readonly usage: () => ProcessUsage;
}

const steps: readonly GuardStep[] = ['Cordoned', 'LetGo', 'Drained', 'NotDrained', 'HandedBack'];

export function createAgentMetrics({ registry, ...about }: AgentMetricsOptions): AgentMetrics {
  let state: Parameters<AgentMetrics['readFrom']>[0] = { signals: () => [], health: () => [] };
  registry.gauge({
    name: 'drover_agent_source_up',
    help: '1 while the last reading of the source was good, else 0.',
    labelNames: ['source'],
    collect: (gauge) =>
      state
        .health()
        .forEach(({ name, failure, lastSuccess }) =>
          gauge.set({ source: name }, failure === null && lastSuccess !== null ? 1 : 0),
        ),
  });
  registry.gauge({
    name: 'drover_agent_source_last_success_timestamp_seconds',
    help: 'When the source last gave a good reading, seconds since the epoch; 0 when it has not yet.',
    labelNames: ['source'],
    collect: (gauge) =>
      state.health().forEach(({ name, lastSuccess }) => gauge.set({ source: name }, (lastSuccess ?? 0) / 1_000)),
  });
  const failures = registry.counter({
    name: 'drover_agent_source_failures_total',
    help: 'Readings of a source that failed.',
    labelNames: ['source'],
  });
  registry.gauge({
    name: 'drover_agent_signals',
    help: 'What is known about the machine now, by kind.',
    labelNames: ['kind'],
    collect(gauge) {
      gauge.reset();
      const counts = new Map<string, number>();
      for (const { kind } of state.signals()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      for (const [kind, count] of counts) gauge.set({ kind }, count);
    },
  });
  const writes = registry.counter({
    name: 'drover_agent_node_writes_total',
    help: "Patches of the agent's own node, by result.",
    labelNames: ['result'],
  });
  const lastWrite = registry.gauge({
    name: 'drover_agent_node_last_write_timestamp_seconds',
    help: 'When the node was last written, seconds since the epoch; 0 when it has not been yet.',
  });
  const acted = registry.counter({
    name: 'drover_agent_self_drain_steps_total',
    help: 'What the agent has done with its own node because the machine was about to go.',
    labelNames: ['step'],
  });
  registerProcessMetrics(registry, about);

  // Series that exist from the start: an alert on the rate of one that is not there never fires.
  for (const result of ['Done', 'Failed']) writes.inc({ result }, 0);
  for (const step of steps) acted.inc({ step }, 0);

  return {
    failed: (source) => failures.inc({ source }),
    wrote(at) {
      writes.inc({ result: at === null ? 'Failed' : 'Done' });
      if (at !== null) lastWrite.set({}, at / 1_000);
    },
    stepped: (step) => acted.inc({ step }),
    readFrom(next) {
      state = next;
    },
  };
}
