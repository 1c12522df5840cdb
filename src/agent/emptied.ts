/** Has the controller drained every node that an announced event touches? Each agent knows its own machine only, so the API server is asked. */
import { annotations } from '../api/names.ts';
import { readSignals } from '../api/node-signal.ts';
import type { Node } from '../api/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import { nodes } from '../kube/kinds.ts';
import { readList, readOne } from '../kube/read.ts';
import type { Clock, Millis } from '../lib/clock.ts';

/** An event of the cloud, by its id, and how many machines it is about. */
export interface TouchedMachines {
  readonly id: string;
  readonly machines: number;
}

/** @throws KubeError when the nodes cannot be read */
export type Emptied = (event: TouchedMachines) => Promise<boolean>;

// Metadata is polled every second; a drain takes longer, and a list of all nodes costs the API server something.
const ASK_EVERY_MS = 5_000;

/** Asks at most every 5 s, and says no in between. */
export function createEmptied(client: KubeClient, nodeName: string, clock: Clock): Emptied {
  let askedAt: Millis = Number.NEGATIVE_INFINITY;
  return async ({ id, machines }) => {
    if (Math.abs(clock.now() - askedAt) < ASK_EVERY_MS) return false;
    askedAt = clock.now();
    const own = await readOne(client, nodes, { name: nodeName });
    if (!isDrained(own)) return false;
    if (machines === 1) return true;
    // A machine of the event without an agent, or in another cluster, is never counted: the event then begins when it was announced for.
    const touched = (await readList(client, nodes)).filter((node) => announces(node, id));
    return touched.length >= machines && touched.every(isDrained);
  };
}

function announces({ annotations: notes }: Node, id: string): boolean {
  return readSignals(notes[annotations.signals]).signals.some((signal) => signal.source === 'azure' && signal.id === id);
}

/** Drained by Drover, as its condition says (controller/conditions.ts), and still closed. */
function isDrained({ conditions, unschedulable }: Node): boolean {
  return (
    unschedulable &&
    conditions.some(({ type, status, reason }) => type === 'Drained' && status === 'True' && reason.startsWith('Drover'))
  );
}
