/** The node side: wires sources -> book -> node, and the guard beside them. src/main constructs what it is given. */
import type { NodeSignal } from '../api/node-signal.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { fullJitter, type Random } from '../lib/backoff.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { createChecks } from './checks/checks.ts';
import type { CheckConfig } from './checks/plugin-config.ts';
import type { Cloud } from './cloud.ts';
import type { RunCommand } from './command.ts';
import { wantedConditions } from './conditions.ts';
import { createGuard, type DrainOwnNode, type SelfDrainMode } from './guard.ts';
import type { AgentMetrics } from './metrics.ts';
import { createNodeEvents } from './node-events.ts';
import { type OwnNode, readOwnNode } from './own-node.ts';
import { type Poller, type SourceHealth, startPoller } from './poller.ts';
import { createReporter } from './reporter.ts';
import { createSignalBook } from './signal-book.ts';
import type { Source } from './source.ts';

export interface AgentOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly nodeName: string;
  readonly run: RunCommand;
  /** Sentinels: what does not depend on the cloud. */
  readonly sources: readonly Source[];
  /** The sources of the machine's cloud; null while it is not known, and then asked again. */
  readonly cloudSources: (own: OwnNode) => { readonly cloud: Cloud; readonly sources: readonly Source[] } | null;
  readonly checks: readonly CheckConfig[];
  readonly checkHoldMs: Millis;
  readonly heartbeatMs: Millis;
  readonly selfDrain: {
    readonly mode: SelfDrainMode;
    readonly kinds: readonly string[];
    readonly withinMs: Millis;
    readonly patienceMs: Millis;
  };
  readonly drain: DrainOwnNode;
  readonly metrics: AgentMetrics;
}

export interface Agent {
  /** Resolves when its node has been read; rejects only when it is stopped before. */
  readonly ready: Promise<void>;
  /** When it last looked over all it has; null before it is ready. */
  lastLookAt(): Millis | null;
  /** Why the node does not say what the agent knows, one line; null when it does. */
  unwritten(): string | null;
  stop(): Promise<void>;
}

/** So often it looks at what changes by time alone: sources that have been silent for too long, a providerID that was not there yet. */
const LOOK_MS = 5_000;
/** Before the first write every source gets so long to answer: one patch then says it all. */
const FIRST_WRITE_MS = 2_000;
const READ_RETRY_MS = { base: 1_000, cap: 15_000 };

export function runAgent(options: AgentOptions): Agent {
  const { client, clock, log, random, nodeName, metrics } = options;
  const stopping = new AbortController();
  let running: { stop(): Promise<void>; lastLookAt: () => Millis; unwritten: () => string | null } | null = null;

  const ready = readNode().then((own) => {
    stopping.signal.throwIfAborted();
    running = begin(options, own);
  });
  // Whoever does not wait for it is not told either.
  ready.catch(() => {});

  async function readNode(): Promise<OwnNode> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await readOwnNode(client, nodeName);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        // An agent may be there before its kubelet has registered the node; and API servers are restarted.
        log.warn(`cannot read node ${nodeName}, tries again: ${error.message}`);
        metrics.failed('node');
        await clock.sleep(
          READ_RETRY_MS.base + fullJitter(attempt, random, READ_RETRY_MS.base, READ_RETRY_MS.cap),
          stopping.signal,
        );
      }
    }
  }

  return {
    ready,
    lastLookAt: () => running?.lastLookAt() ?? null,
    unwritten: () => (running ? running.unwritten() : `node ${nodeName} has not been read yet`),
    async stop() {
      stopping.abort(new Error('stopped'));
      await ready.catch(() => {});
      await running?.stop();
    },
  };
}

function begin(options: AgentOptions, own: OwnNode) {
  const { client, clock, log, random, nodeName, run, metrics, selfDrain } = options;
  if (own.signalsError !== null)
    log.warn(`the signals on node ${nodeName} are malformed and are written anew: ${own.signalsError}`);
  const book = createSignalBook(own.signals);
  const pollers: Poller[] = [];
  let lastLookAt = clock.now();
  let mayWrite = false;
  let cloudPoller: Poller | null = null;

  // A condition that another agent has written, or the one before this start; what was never the agent's is not believed.
  const before = (type: string) => (own.owned.includes(type) ? (own.conditions.get(type) ?? null) : null);
  const checks = createChecks({
    configs: options.checks,
    run,
    clock,
    holdMs: options.checkHoldMs,
    before,
    onProblem: createNodeEvents({ client, clock, log, nodeName }),
  });
  const reporter = createReporter({
    client,
    clock,
    log,
    random,
    nodeName,
    own,
    heartbeatMs: options.heartbeatMs,
    onWrite: (at) => metrics.wrote(at),
  });
  const guard = createGuard({
    client,
    clock,
    log,
    nodeName,
    node: own.node,
    ...selfDrain,
    drain: options.drain,
    onStep: (step) => metrics.stepped(step),
  });

  const health = (): SourceHealth[] => pollers.flatMap((poller) => poller.health());
  const signals = (): NodeSignal[] => [...book.signals(), ...checks.signals()];
  metrics.readFrom({ health, signals });

  const look = () => {
    lastLookAt = clock.now();
    const now = { signals: signals(), health: health() };
    const everyoneSpoke =
      cloudPoller !== null && now.health.every(({ lastSuccess, failure }) => lastSuccess !== null || failure !== null);
    mayWrite ||= everyoneSpoke;
    // The guard goes first: its patch is the one that is in a hurry.
    // What ends a machine is told by its cloud alone: a sentinel that fails must not keep a node closed.
    guard.review(book.confirmed(), cloudPoller?.health().every(({ lastSuccess }) => lastSuccess !== null) ?? false);
    if (mayWrite)
      reporter.tell({ signals: now.signals, conditions: wantedConditions({ ...now, verdicts: checks.verdicts(), before }) });
  };

  const told = new Map<string, string>();
  const poll = (sources: readonly Source[]): Poller => {
    for (const source of sources) book.add(source);
    const poller = startPoller({
      sources,
      clock,
      random,
      earlier: (source) => book.earlier(source),
      onReading(source, reading) {
        if (told.delete(source.name)) log.info(`source ${source.name} answers again`);
        const known = new Set(book.earlier(source).map(({ id }) => id));
        book.record(source, reading);
        for (const { kind, id, message } of reading.signals)
          if (!known.has(id)) log.info(`${kind}: ${message}`, { source: source.name, id });
        look();
      },
      onFailure(source, message) {
        metrics.failed(source.name);
        // Once per kind of failure, not at each poll.
        if (told.get(source.name) !== message) log.warn(`source ${source.name} fails, its last good state is kept: ${message}`);
        told.set(source.name, message);
        look();
      },
    });
    pollers.push(poller);
    return poller;
  };

  const findCloud = (now: OwnNode): boolean => {
    const found = options.cloudSources(now);
    if (!found) return false;
    log.info(`cloud: ${found.cloud}`, { node: nodeName, providerID: now.providerId });
    cloudPoller = poll(found.sources);
    return true;
  };

  let cancelTick = () => {};
  const tick = () => {
    cancelTick = clock.after(LOOK_MS, () => {
      look();
      if (!cloudPoller) void askForCloud();
      tick();
    });
  };
  const askForCloud = async () => {
    try {
      findCloud(await readOwnNode(client, nodeName));
    } catch (error) {
      log.debug(`cannot read node ${nodeName}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  poll([...options.sources, ...checks.sources]);
  if (!findCloud(own)) log.info('the node has no providerID yet, so its cloud is not known', { node: nodeName });
  const cancelFirst = clock.after(FIRST_WRITE_MS, () => {
    mayWrite = true;
    look();
  });
  tick();
  look();

  return {
    lastLookAt: () => lastLookAt,
    unwritten: () => reporter.failure() ?? (reporter.writtenAt() === null ? 'the node has not been written yet' : null),
    async stop() {
      cancelTick();
      cancelFirst();
      for (const poller of pollers) poller.stop();
      await guard.stop();
      await reporter.stop();
    },
  };
}
