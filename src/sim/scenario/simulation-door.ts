/** Paths of the API server that Kubernetes does not have: to add to the running cluster, and to see its traffic. */
import type { ApiAnswer, Handle } from '../apiserver/door.ts';
import { Failure } from '../apiserver/failure.ts';
import { refusal } from '../apiserver/status.ts';
import type { SimulatedCluster } from '../cluster.ts';
import { loadFile } from './load.ts';
import { readFileText, ScenarioError } from './read.ts';

export type { Loaded } from './load.ts';

/** POST {file, text} here; the answer is a `Loaded`, or a Status whose causes are further lines for the user. */
export const LOAD_PATH = '/simulation/load';

/** GET: {items: ServiceTraffic[]}, until now. */
export const TRAFFIC_PATH = '/simulation/traffic';

export function withSimulationDoor(cluster: SimulatedCluster): Handle {
  return (request) => {
    const { path, method } = request;
    if (path !== LOAD_PATH && path !== TRAFFIC_PATH) return cluster.handle(request);
    const takes = path === LOAD_PATH ? 'POST' : 'GET';
    if (method !== takes) return refusal(new Failure(405, 'MethodNotAllowed', `${path} takes ${takes} only`));
    return path === LOAD_PATH ? load(cluster, request.body) : { code: 200, body: { items: cluster.traffic.report() } };
  };
}

function load(cluster: SimulatedCluster, body: unknown): ApiAnswer {
  const { file, text } = (body ?? {}) as { file?: unknown; text?: unknown };
  if (typeof file !== 'string' || typeof text !== 'string')
    return refusal(new Failure(400, 'BadRequest', `${LOAD_PATH} takes {"file": name, "text": YAML}`));
  try {
    return {
      code: 201,
      body: loadFile(
        cluster,
        readFileText(
          text,
          file,
          cluster.machines.pools().map(({ name }) => name),
        ),
        file,
      ),
    };
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    const causes = error.details.map((message) => ({ message }));
    return refusal(new Failure(422, 'Invalid', error.message, { causes }));
  }
}
