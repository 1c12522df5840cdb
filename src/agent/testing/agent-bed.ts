/** The agent on a simulated cluster in virtual time, with sources that say what the test says. */
import type { NodeSignal } from '../../api/node-signal.ts';
import type { KubeRequest } from '../../kube/client.ts';
import { createVirtualClock, type VirtualClock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { createRegistry } from '../../lib/metrics.ts';
import { createInProcessClient } from '../../sim/apiserver/in-process.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../../sim/cluster.ts';
import { administrator } from '../../sim/apiserver/door.ts';
import { loadScenario } from '../../sim/scenario/load.ts';
import { readScenario } from '../../sim/scenario/read.ts';
import type { ScenarioInput } from '../../sim/scenario/schema.ts';
import { type Agent, type AgentOptions, runAgent } from '../agent.ts';
import { createAgentMetrics } from '../metrics.ts';
import type { Source } from '../source.ts';

export const NOW = Date.parse('2026-01-01T12:00:00Z');
export const NODE = 'web-1';

export interface SettableSource extends Source {
  signals: readonly NodeSignal[];
  /** It fails with this. */
  failure: string | null;
}

export function settable(name: string, owns: (signal: NodeSignal) => boolean, everyMs = 1_000): SettableSource {
  const source: SettableSource = {
    name,
    everyMs,
    timeoutMs: 5_000,
    owns,
    signals: [],
    failure: null,
    async read() {
      if (source.failure !== null) throw new Error(source.failure);
      return { signals: source.signals };
    },
  };
  return source;
}

// The simulated cluster's objects, as they come.
type Json = any;

export interface AgentBed {
  readonly clock: VirtualClock;
  readonly cluster: SimulatedCluster;
  readonly sentinel: SettableSource;
  readonly cloud: SettableSource;
  /** Requests of the agent, "PATCH /api/v1/nodes/web-1/status". */
  readonly requests: readonly string[];
  readonly log: readonly string[];
  /** What the agent's requests are answered with instead; undefined: the truth. */
  refuse: ((request: KubeRequest) => Error | undefined) | null;
  start(more?: Partial<AgentOptions>): Agent;
  metrics(): string;
  ask(method: string, path: string, body?: unknown): Json;
  node(name?: string): Json;
  condition(type: string): Json;
  podsOn(name?: string): string[];
}

export function openAgentBed(scenario: Omit<ScenarioInput, 'pools'> = {}): AgentBed {
  const clock = createVirtualClock(NOW);
  const cluster = createSimulatedCluster({ clock, seed: 1, kubelets: { heartbeats: false } });
  loadScenario(cluster, readScenario({ pools: [{ name: 'web', count: 3 }], ...scenario }, 'test'), 'test');
  const requests: string[] = [];
  const log: string[] = [];
  const write = (message: string) => void log.push(message);
  const logger: Log = { debug: () => {}, info: write, warn: write, error: write };
  const sentinel = settable('sentinel-file', ({ source }) => source === 'sentinel');
  const cloud = settable('azure', ({ source }) => source === 'azure');
  const registry = createRegistry();
  const ask = (method: string, path: string, body?: unknown): Json => {
    const answer = cluster.handle({
      method,
      path: path.split('?')[0] ?? '',
      query: new URLSearchParams(path.split('?')[1]),
      body,
      contentType: method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      user: administrator,
      userAgent: 'test',
    });
    if (!('body' in answer) || answer.code > 299) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  };
  const metrics = createAgentMetrics({
    registry,
    version: 'test',
    startedAt: NOW,
    usage: () => ({ residentBytes: 0, cpuSeconds: 0 }),
  });
  const bed: AgentBed = {
    clock,
    cluster,
    sentinel,
    cloud,
    requests,
    log,
    refuse: null,
    start(more = {}) {
      const client = createInProcessClient({
        handle: cluster.handle,
        clock,
        userAgent: 'drover-agent/test',
        before(request) {
          requests.push(`${request.method} ${request.path}`);
          const error = bed.refuse?.(request);
          if (error) throw error;
        },
      });
      return runAgent({
        client,
        clock,
        log: logger,
        random: () => 0.5,
        nodeName: NODE,
        run: () => Promise.reject(new Error('this test runs no command')),
        sources: [sentinel],
        cloudSources: () => ({ cloud: 'azure', sources: [cloud] }),
        checks: [],
        checkHoldMs: 0,
        heartbeatMs: 300_000,
        selfDrain: { mode: 'Drain', kinds: ['SpotInterruption', 'Terminate'], withinMs: 60_000, patienceMs: 2_000 },
        drain: () => Promise.reject(new Error('this test drains nothing')),
        metrics,
        ...more,
      });
    },
    metrics: () => registry.metrics(),
    ask,
    node: (name = NODE) => ask('GET', `/api/v1/nodes/${name}`),
    condition: (type) => bed.node().status.conditions?.find((each: { type: string }) => each.type === type),
    podsOn: (name = NODE) =>
      ask('GET', '/api/v1/pods').items.flatMap((pod: Json) => (pod.spec.nodeName === name ? [pod.metadata.name] : [])),
  };
  return bed;
}

export const reboot: NodeSignal = {
  kind: 'RebootRequired',
  source: 'sentinel',
  id: 'file:/run/reboot-required',
  since: '2026-01-01T11:00:00Z',
  revocable: true,
  message: 'it is there',
};

/** A spot notice that leaves so much time. */
export function preempt(leftMs: number, more: Partial<NodeSignal> = {}): NodeSignal {
  return {
    kind: 'SpotInterruption',
    source: 'azure',
    id: 'preempt-1',
    since: new Date(NOW).toISOString().replace('.000', ''),
    goneAt: new Date(NOW + leftMs).toISOString().replace('.000', ''),
    revocable: false,
    message: 'Preempt scheduled by the platform',
    ...more,
  };
}
