/** The agent's process: constructs clock, client, log and metrics, wires them, and runs until it is told to stop. */
import { readFile, stat } from 'node:fs/promises';
import { type Agent, runAgent } from '../agent/agent.ts';
import { awsSources } from '../agent/aws.ts';
import { azureResourceOf, azureSource } from '../agent/azure.ts';
import { createEmptied } from '../agent/emptied.ts';
import { type CheckConfig, CheckConfigError, readCheckConfig } from '../agent/checks/plugin-config.ts';
import { type Cloud, cloudOf } from '../agent/cloud.ts';
import { createRunCommand } from '../agent/command.ts';
import { gcpSources } from '../agent/gcp.ts';
import type { DrainOwnNode } from '../agent/guard.ts';
import { createMetadataClient } from '../agent/metadata-client.ts';
import { createAgentMetrics } from '../agent/metrics.ts';
import type { OwnNode } from '../agent/own-node.ts';
import { registryByCommand } from '../agent/pending-reboot.ts';
import { commandSentinel, fileSentinel, type ReadSentinelFile, registrySentinel } from '../agent/sentinel.ts';
import type { Source } from '../agent/source.ts';
import type { AgentConfig, StartAgent } from '../cli/agent-config.ts';
import { CommandError } from '../cli/errors.ts';
import { createTextLog } from '../cli/text-log.ts';
import { connect } from '../kube/request.ts';
import { type Clock, createWallClock } from '../lib/clock.ts';
import type { Log, LogFields } from '../lib/log.ts';
import { createRegistry } from '../lib/metrics.ts';
import { passCheck, startServer } from '../lib/observe-server.ts';
import { accessFor } from './connect.ts';

/** The loop looks every five seconds; one that has not for so long is stuck. */
const STUCK_AFTER_MS = 60_000;

export const startAgent: StartAgent = async (config, { cluster, version, signal }) => {
  const { nodeName = '' } = config;
  const clock = createWallClock();
  const write = (line: string) => process.stderr.write(`${line}\n`);
  const stamp = () => new Date(clock.now()).toISOString();
  const log =
    config.logFormat === 'json'
      ? jsonLog(write, stamp, config.logLevel)
      : createTextLog((line) => write(`${stamp()} ${line}`), config.logLevel);
  const checks = await Promise.all(config.checks.map(readChecks));
  const client = connect(accessFor(cluster, clock), { userAgent: `drover-agent/${version}`, log, clock });
  const registry = createRegistry();
  const usage = () => ({
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
  });
  const metrics = createAgentMetrics({ registry, version, startedAt: clock.now(), usage });
  const metadata = createMetadataClient(config.metadataUrl);
  const run = createRunCommand(clock, process.platform);
  const { pollInterval: everyMs, sourceTimeout: timeoutMs } = config;

  const emptied = config.acknowledge ? createEmptied(client, nodeName, clock) : null;
  const cloudSources = (own: OwnNode) => {
    const cloud = config.cloud === 'auto' ? cloudOf(own.providerId) : config.cloud;
    if (cloud === null) return null;
    const common = { client: metadata, clock, everyMs, timeoutMs };
    const resource = config.azureResource ?? azureResourceOf(own.providerId);
    const make: Readonly<Record<Cloud, () => readonly Source[] | null>> = {
      azure: () => (resource === null ? null : [azureSource({ ...common, resource, log, emptied })]),
      aws: () => awsSources(common),
      gcp: () => gcpSources(common),
      none: () => [],
    };
    const sources = make[cloud]();
    return sources && { cloud, sources };
  };

  const agent = runAgent({
    client,
    clock,
    log,
    random: Math.random,
    nodeName,
    run,
    sources: sentinels(config, clock, run),
    cloudSources,
    checks,
    checkHoldMs: config.checkHold,
    heartbeatMs: config.heartbeat,
    selfDrain: {
      mode: config.selfDrain,
      kinds: config.selfDrainKinds,
      withinMs: config.selfDrainWithin,
      patienceMs: config.controllerPatience,
    },
    drain: drainWith({ client, clock, log, nodeName, deleteAfterMs: config.selfDrainDeleteAfter ?? null }),
    metrics,
  });
  try {
    const server = config.metricsAddress === '0' ? null : await serve(config.metricsAddress, agent, { registry, clock, log });
    try {
      const metricsAt = server ? `; metrics on ${config.metricsAddress}` : '';
      log.info(`drover agent ${version} of node ${nodeName}, at ${client.server}${metricsAt}`);
      await untilAborted(signal);
      return 0;
    } finally {
      await server?.close();
    }
  } finally {
    await agent.stop();
    metadata.close();
    client.close();
  }
};

function serve(address: string, agent: Agent, common: { registry: ReturnType<typeof createRegistry>; clock: Clock; log: Log }) {
  const written = { name: 'node', failing: () => agent.unwritten() };
  return startServer({
    ...common,
    address,
    healthz: [passCheck(common.clock, () => agent.lastLookAt(), STUCK_AFTER_MS)],
    readyz: [written],
  }).catch((error: Error) => {
    throw new CommandError(error.message, { cause: error });
  });
}

function sentinels(config: AgentConfig, clock: Clock, run: ReturnType<typeof createRunCommand>): Source[] {
  const common = { clock, everyMs: config.sentinelInterval, timeoutMs: config.sourceTimeout };
  const sources: Source[] = [];
  const windows = process.platform === 'win32';
  if (config.sentinelFile !== '' && !windows)
    sources.push(fileSentinel({ ...common, path: config.sentinelFile, read: readSentinel }));
  if (config.sentinelCommand.length > 0) sources.push(commandSentinel({ ...common, command: config.sentinelCommand, run }));
  if (process.platform === 'win32' && config.windowsRegistry)
    sources.push(registrySentinel({ ...common, registry: registryByCommand(run, config.sourceTimeout) }));
  return sources;
}

const readSentinel: ReadSentinelFile = async (path) => {
  try {
    const { mtimeMs } = await stat(path);
    return { modifiedAt: mtimeMs, packages: await packagesOf(path) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENOTDIR: a folder on the way is none, so the file is not there either.
    if (code === 'ENOENT' || code === 'ENOTDIR') return { modifiedAt: null, packages: [] };
    throw new Error(`${path} cannot be looked at: ${code ?? String(error)}`, { cause: error });
  }
};

async function packagesOf(path: string): Promise<string[]> {
  // Beside it, and nothing is lost without it.
  const text = await readFile(`${path}.pkgs`, 'utf8').catch(() => '');
  return [...new Set(text.split('\n').map((line) => line.trim()))].filter((line) => line !== '');
}

/** @throws CommandError of one line: a check that cannot be read must not be missing silently. */
async function readChecks(file: string): Promise<CheckConfig> {
  try {
    return readCheckConfig(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof CheckConfigError) throw new CommandError(error.message, { cause: error });
    throw new CommandError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

interface DrainDeps {
  readonly client: ReturnType<typeof connect>;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  readonly deleteAfterMs: number | null;
}

/** The engine is loaded when it is needed: an idle agent stays small. */
function drainWith({ client, clock, log, nodeName, deleteAfterMs }: DrainDeps): DrainOwnNode {
  return async ({ by, reason, goneAt, signal }) => {
    const [{ runDrain }, { defaultDrainSettings }] = await Promise.all([
      import('../controller/run-drain.ts'),
      import('../engine/settings.ts'),
    ]);
    const left = Math.max(0, goneAt - clock.now());
    const { ok, nodes } = await runDrain({
      client,
      clock,
      log,
      random: Math.random,
      nodes: [nodeName],
      settings: {
        ...defaultDrainSettings,
        // They end with the machine in any case; told to, they end in order.
        barePods: 'Evict',
        // A replacement gets half of the time; after that the old pod needs the rest to end.
        handoverTimeoutMs: Math.max(1_000, left / 2),
        emptyForMs: 0,
        settleTimeoutMs: null,
        waitForVolumes: false,
        ...(deleteAfterMs !== null && { ladder: [{ afterMs: deleteAfterMs, do: 'Delete' }] }),
      },
      parallel: 1,
      by,
      reason,
      goneAt,
      timeoutMs: null,
      signal,
      onReport: () => {},
    });
    return { ok, message: nodes[0]?.message ?? '' };
  };
}

/** Small on purpose: the log of a process that is on every node. */
function jsonLog(write: (line: string) => void, stamp: () => string, least: AgentConfig['logLevel']): Log {
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  // The numbers are pino's, so that both processes of Drover are read alike.
  const at = (level: (typeof levels)[number]) => (message: string, fields?: LogFields) => {
    const place = levels.indexOf(level);
    if (place < levels.indexOf(least)) return;
    write(JSON.stringify({ level: 20 + 10 * place, time: stamp(), ...fields, msg: message }));
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
