/** The simulated cluster with its doors, and Drover's own controller on it: wired as `drover controller` wires it on a real one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { noClusterLimits } from '../../engine/admission.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runController } from '../../controller/controller.ts';
import { createEventRecorder } from '../../controller/event-recorder.ts';
import { createControllerMetrics } from '../../controller/metrics.ts';
import { createObserver } from '../../controller/observing.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { createRegistry } from '../../lib/metrics.ts';
import { type ApiServer, startApiServer } from '../../sim/apiserver/http.ts';
import { createInProcessClient } from '../../sim/apiserver/in-process.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../../sim/cluster.ts';
import { loadScenario } from '../../sim/scenario/load.ts';
import { withSimulationDoor } from '../../sim/scenario/simulation-door.ts';
import { createSeededRandom } from '../../sim/seeded-random.ts';
import { type DroverKinds, installDrover } from '../drover-in-simulation.ts';
import { CommandError } from '../errors.ts';
import type { Scene } from './scene.ts';

export interface Stage {
  readonly cluster: SimulatedCluster;
  readonly url: string;
  /** Path of a file of its own. */
  readonly kubeconfig: string;
  readonly maintenances: DroverKinds['maintenances'];
  /** Drover begins to look after the cluster. Resolves when it has read it. */
  startController(): Promise<void>;
  /** Leaves nothing: no timer, port or file. */
  close(): Promise<void>;
}

export interface StageOptions {
  readonly scene: Scene;
  readonly clock: Clock;
  readonly port: number;
  /** Of the controller. */
  readonly log: Log;
}

/** @throws CommandError when the port cannot be had; nothing is left then. */
export async function setStage({ scene, clock, port, log }: StageOptions): Promise<Stage> {
  const cluster = createSimulatedCluster({ clock, seed: scene.seed });
  const handle = withSimulationDoor(cluster);
  const onDefect = (error: unknown) => log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  let server: ApiServer;
  try {
    server = await startApiServer({ handle, port, onDefect });
  } catch (error) {
    cluster.stop();
    throw new CommandError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const folder = mkdtempSync(join(tmpdir(), 'drover-demo-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, server.kubeconfig, { mode: 0o600 });

  const { policies, maintenances } = installDrover(cluster.api);
  cluster.api.create(policies, scene.policy, { fieldManager: 'demo' });
  loadScenario(cluster, scene.scenario, 'demo');

  let stopController = async () => {};

  return {
    cluster,
    url: server.url,
    kubeconfig,
    maintenances,
    async startController() {
      const client = createInProcessClient({ handle, clock, userAgent: 'drover/demo' });
      const usage = () => ({ residentBytes: 0, cpuSeconds: 0 });
      const metrics = createControllerMetrics({ registry: createRegistry(), version: 'demo', startedAt: clock.now(), usage });
      const recorder = createEventRecorder({ client, clock, log, component: 'drover', instance: 'demo' });
      const observer = createObserver({ client, clock, log, metrics, recorder });
      const controller = runController({
        client,
        clock,
        log,
        random: createSeededRandom(scene.seed),
        identity: 'demo',
        leaderElect: false,
        leaseNamespace: 'default',
        askGates: 'TakenAsOpen',
        limits: noClusterLimits,
        observer,
      });
      stopController = async () => {
        await controller.stop();
        await recorder.stop();
        client.close();
      };
      await controller.ready;
    },
    async close() {
      await stopController();
      cluster.stop();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
