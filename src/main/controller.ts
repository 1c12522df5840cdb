/** The controller's process: constructs clock, client, log and metrics, wires them, and runs until it is told to stop. */
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { StartController } from '../cli/controller-config.ts';
import { parseLimit } from '../api/int-or-percent.ts';
import { CommandError } from '../cli/errors.ts';
import { runController } from '../controller/controller.ts';
import { createGateSender } from '../controller/gates/send.ts';
import { createEventRecorder } from '../controller/event-recorder.ts';
import { countRequests, createControllerMetrics } from '../controller/metrics.ts';
import { createNotices } from '../controller/notices.ts';
import { createObserver } from '../controller/observing.ts';
import { passCheck, startServer } from '../lib/observe-server.ts';
import { isoSeconds } from '../engine/journal.ts';
import { KubeError } from '../kube/client.ts';
import { connect } from '../kube/request.ts';
import { createWallClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { createRegistry } from '../lib/metrics.ts';
import { secretsOf, textOf } from '../notify/read-secret.ts';
import { createTextLog } from '../cli/text-log.ts';
import { accessFor } from './connect.ts';

// The loop looks up at least so often, even when nothing changes; a loop that has not for this long is stuck.
const TICK_MS = 30_000;
const STUCK_AFTER_MS = 120_000;

export const startController: StartController = async (config, { cluster, version, signal }) => {
  const clock = createWallClock();
  const log =
    config.logFormat === 'json'
      ? jsonLog(config.logLevel)
      : createTextLog((line) => process.stderr.write(`${isoSeconds(clock.now())} ${line}\n`), config.logLevel);
  const access = accessFor(cluster, clock);
  const registry = createRegistry();
  const usage = () => ({
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
  });
  const metrics = createControllerMetrics({ registry, version, startedAt: clock.now(), usage });
  const client = countRequests(connect(access, { userAgent: `drover/${version}`, log, clock }), metrics);
  // Unique also between two starts of one pod: two processes of one identity would both lead.
  const identity = `${hostname()}_${randomUUID().slice(0, 8)}`;
  const recorder = createEventRecorder({ client, clock, log, component: 'drover', instance: hostname() });
  metrics.readEvents(recorder);
  const notices = createNotices({
    client,
    clock,
    log,
    random: Math.random,
    secrets: secretsOf(() => Promise.resolve(client), clock, process.env),
    readFile: textOf,
    userAgent: `drover/${version}`,
    own: config.notify ?? [],
    clusterName: config.clusterName ?? '',
    metrics: metrics.notify,
    recorder,
  });
  const observer = notices.beside(createObserver({ client, clock, log, metrics, recorder }));

  const leaseNamespace = config.leaderElectionNamespace ?? access.namespace;
  const controller = runController({
    client,
    clock,
    log,
    random: Math.random,
    identity,
    leaderElect: config.leaderElect,
    leaseNamespace,
    ...(config.rebootNamespace !== undefined && { rebootNamespace: config.rebootNamespace }),
    observer,
    askGates: createGateSender(clock),
    limits: {
      maxNodes: config.limits.maxNodes === undefined ? null : parseLimit(config.limits.maxNodes),
      perGroup: config.limits.perGroup.map(({ label, maxNodes }) => ({ label, maxNodes: parseLimit(maxNodes) })),
    },
  });
  let isReady = false;
  const server =
    config.metricsAddress === '0'
      ? null
      : await startServer({
          address: config.metricsAddress,
          registry,
          clock,
          log,
          healthz: [passCheck(clock, () => controller.lastPassAt(), STUCK_AFTER_MS)],
          readyz: [
            { name: 'caches', failing: () => (isReady ? null : 'the caches have not been read yet') },
            {
              name: 'watches',
              failing: () => (!isReady || controller.isHealthy() ? null : 'a watch has been silent for too long'),
            },
          ],
        }).catch((error: Error) => {
          throw new CommandError(error.message, { cause: error });
        });
  let cancelTick = () => {};
  const tick = () => {
    controller.tick();
    cancelTick = clock.after(TICK_MS, tick);
  };
  try {
    await controller.ready;
    isReady = true;
    const { nodes, policies, maintenances } = controller.watched();
    const counts = [
      counted(nodes, 'node', 's'),
      counted(policies, 'polic', 'ies', 'y'),
      counted(maintenances, 'maintenance', 's'),
    ];
    const metricsAt = config.metricsAddress === '0' ? '' : `; metrics on ${config.metricsAddress}`;
    log.info(`drover ${version} watches ${client.server} as ${identity}: ${counts.join(', ')}${metricsAt}`);
    if (!controller.isLeader()) log.info(`not leading yet: waits for the Lease ${leaseNamespace}/drover-controller`);
    tick();
    await untilAborted(signal);
    return 0;
  } catch (error) {
    if (error instanceof KubeError && error.code === 404) {
      throw new KubeError('the cluster has no Drover resources; install them with: drover crds | kubectl apply -f -', {
        code: 404,
        cause: error,
      });
    }
    throw error;
  } finally {
    if (signal.aborted) log.info('stopping: nothing new is started');
    cancelTick();
    await controller.stop(() => notices.stop());
    await recorder.stop();
    await server?.close();
    client.close();
  }
};

function counted(count: number, stem: string, many: string, one = ''): string {
  return `${count} ${stem}${count === 1 ? one : many}`;
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function jsonLog(level: string): Log {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
  };
}
