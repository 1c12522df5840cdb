/** The two beds as the truth test needs them. */
import { createWallClock } from '../../../src/lib/clock.ts';
import type { Bed } from '../../beds/bed.ts';
import { startControlPlane } from '../../beds/control-plane.ts';
import type { KubeObject } from '../../beds/objects.ts';
import { startRealNodes } from '../../beds/real-nodes.ts';
import { createNodes } from '../../beds/seed.ts';
import type { Cluster, PodObject } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { observe } from '../observer.ts';
import { NS, type TruthBed, type TruthCase } from './case.ts';

/** A case whose pods do as kwok is told, unless their annotations say otherwise. */
export interface KwokCase extends TruthCase {
  readonly readyMs: number;
  readonly stopMs: number;
}

export const controlPlaneBed: TruthBed<KwokCase> = {
  name: 'control plane',
  // Pods that begin together would all be Ready at the same part of a second, and the times of their conditions, whole seconds, then
  // all lie in the same direction. Those of a cluster that has been there for a while do not.
  stepMs: 618,
  async start({ readyMs, stopMs }) {
    const bed = await startControlPlane({ podReadyMs: readyMs, podStopMs: stopMs });
    return { ...bed, addNodes: (nodes) => createNodes(bed.api, nodes), stopTime: async () => stopMs };
  },
};

export const realNodesBed: TruthBed = {
  name: 'real nodes',
  // On two cores pods that start together take longer than each does by itself, as most do in a rotation.
  stepMs: 5_180,
  async start() {
    const bed = await startRealNodes({ nodes: 0 });
    return {
      ...bed,
      async addNodes(nodes) {
        for (const { metadata } of nodes) await bed.nodeUp(indexOf(metadata.name), metadata['labels'] as Record<string, string>);
      },
      stopTime: (cluster, settled) => timeStops(bed, cluster, settled),
    };
  },
};

/** 3 of "node3". */
const indexOf = (name: string) => Number(name.replace('node', ''));

const SAMPLES = 4;
const clock = createWallClock();

const ownersOf = ({ metadata }: PodObject) =>
  (metadata as { readonly ownerReferences?: readonly object[] }).ownerReferences ?? [];

/** Deletes some pods, one after the other, and takes the mean of the time until they are gone. */
async function timeStops(bed: Bed, cluster: Cluster, settled: () => Promise<void>): Promise<number> {
  const goneAt = new Map<string, number>();
  const stop = await observe<PodObject>(bed, `/api/v1/namespaces/${NS}/pods`, ({ type, object }) => {
    if (type === 'DELETED') goneAt.set(object.metadata.uid, clock.now());
  });
  try {
    const owned = (await cluster.podsIn(NS)).filter((pod) => ownersOf(pod).length > 0);
    let sum = 0;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const pod = owned[Math.floor((sample * owned.length) / SAMPLES)];
      if (!pod) throw new Error('no pod of an owner to delete');
      const { name, uid } = pod.metadata;
      const object: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: NS } };
      const deletedAt = clock.now();
      await cluster.remove(object);
      await eventually(
        `${name} to be gone`,
        async () => goneAt.get(uid),
        (at) => at !== undefined,
      );
      sum += (goneAt.get(uid) ?? NaN) - deletedAt;
      await settled();
    }
    return sum / SAMPLES;
  } finally {
    stop();
  }
}
