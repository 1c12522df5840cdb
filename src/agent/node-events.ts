/** Events on the node for what temporary checks find, as node-problem-detector has them. */
import { type KubeClient, KubeError } from '../kube/client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TemporaryProblem } from './checks/checks.ts';
import { oneLine, timeText } from './source.ts';

export interface NodeEventOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
}

/** Sends one, and does not wait: an Event that is lost is told again with the next look that finds the problem after five minutes. */
export function createNodeEvents({ client, clock, log, nodeName }: NodeEventOptions): (problem: TemporaryProblem) => void {
  // As everybody else does for nodes: the kubelet's uid is the node's name, and they are in "default".
  const involvedObject = { kind: 'Node', name: nodeName, uid: nodeName, apiVersion: 'v1' };
  return ({ from, reason, message }) => {
    const at = clock.now();
    const body = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${nodeName}.${Math.trunc(at).toString(16)}${reason.toLowerCase().replaceAll(/[^a-z0-9]/g, '')}`,
        namespace: 'default',
      },
      involvedObject,
      type: 'Warning',
      reason,
      message: oneLine(message, 1_000) || reason,
      source: { component: from, host: nodeName },
      firstTimestamp: timeText(at),
      lastTimestamp: timeText(at),
      count: 1,
    };
    client
      .json({ method: 'POST', path: '/api/v1/namespaces/default/events', body, timeoutMs: 10_000 })
      .catch((error: unknown) => {
        const what = error instanceof KubeError ? error.message : String(error);
        log.warn(`an event about ${reason} was not written: ${what}`, { node: nodeName });
      });
  };
}
