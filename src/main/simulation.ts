/** The simulated cluster of `drover sim up`: constructs clock, cluster and HTTP server. */
import { CommandError } from '../cli/errors.ts';
import type { StartSimulation } from '../cli/simulation.ts';
import { createScaledClock, createWallClock } from '../lib/clock.ts';
import { type ApiServer, startApiServer } from '../sim/apiserver/http.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../sim/cluster.ts';
import { loadScenario } from '../sim/scenario/load.ts';
import { withSimulationDoor } from '../sim/scenario/simulation-door.ts';
import { ScenarioError } from '../sim/scenario/read.ts';

export const startSimulation: StartSimulation = async ({ scenario, source, port, speed, seed }) => {
  const clock = speed === 1 ? createWallClock() : createScaledClock(speed);
  const cluster = createSimulatedCluster({ clock, seed, events: true });
  try {
    const loaded = loadScenario(cluster, scenario, source);
    const server = await listen(cluster, port);
    return {
      url: server.url,
      kubeconfig: server.kubeconfig,
      nodes: loaded.nodes,
      traffic: () => cluster.traffic.report(),
      async close() {
        cluster.stop();
        await server.close();
      },
    };
  } catch (error) {
    cluster.stop();
    if (!(error instanceof ScenarioError)) throw error;
    throw new CommandError(error.message, { details: error.details.map((line) => `error: ${line}`), cause: error });
  }
};

async function listen(cluster: SimulatedCluster, port: number): Promise<ApiServer> {
  try {
    return await startApiServer({
      handle: withSimulationDoor(cluster),
      port,
      onDefect(error, { method, path }) {
        process.stderr.write(`${method} ${path}: ${error instanceof Error ? error.stack : String(error)}\n`);
      },
    });
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
