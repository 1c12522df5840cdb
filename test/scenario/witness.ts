/** Sees pods and budgets of the whole bed by watches of its own, and keeps what a drain must never show, by namespace. */
import type { Bed } from '../beds/bed.ts';
import { isReady, type PodObject } from './cluster.ts';
import { observe } from './observer.ts';

interface BudgetObject {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly status?: { readonly currentHealthy?: number; readonly desiredHealthy?: number };
}

export interface Testimony {
  /** uids of all pods seen since `begin`, those that were there included. */
  readonly pods: ReadonlySet<string>;
  /** "web: 2 of 3" for each moment in which a budget had fewer healthy pods than it wants. */
  readonly shortages: readonly string[];
  /** The least number of pods of an app (label `app`) that were Ready and not told to end, at any moment since `begin`. */
  fewestReady(app: string): number;
}

export interface Witness {
  /** From now on; before it, its pods may be on their way to be Ready. */
  begin(namespace: string): void;
  of(namespace: string): Testimony;
  /** @throws Error when a watch ended meanwhile: something may have been missed */
  stop(): void;
}

interface Space {
  readonly pods: Set<string>;
  readonly shortages: string[];
  readonly fewest: Map<string, number>;
}

export async function openWitness(bed: Pick<Bed, 'folder' | 'server'>): Promise<Witness> {
  const serving = new Map<string, Map<string, Set<string>>>(); // namespace -> app -> uids
  const living = new Map<string, Set<string>>(); // namespace -> uids
  const spaces = new Map<string, Space>();

  const count = (namespace: string) => {
    const space = spaces.get(namespace);
    if (!space) return;
    for (const [app, uids] of serving.get(namespace) ?? []) {
      space.fewest.set(app, Math.min(uids.size, space.fewest.get(app) ?? Number.POSITIVE_INFINITY));
    }
  };
  const seePod = (type: string, pod: PodObject) => {
    const { namespace, uid, labels } = pod.metadata;
    const alive = living.get(namespace) ?? new Set();
    living.set(namespace, alive);
    if (type === 'DELETED') alive.delete(uid);
    else alive.add(uid);
    spaces.get(namespace)?.pods.add(uid);
    const app = labels?.['app'];
    if (app === undefined) return;
    const apps = serving.get(namespace) ?? new Map<string, Set<string>>();
    serving.set(namespace, apps);
    const uids = apps.get(app) ?? new Set();
    apps.set(app, uids);
    if (type !== 'DELETED' && isReady(pod) && pod.metadata.deletionTimestamp === undefined) uids.add(uid);
    else uids.delete(uid);
    count(namespace);
  };
  const stops = await Promise.all([
    observe<PodObject>(bed, '/api/v1/pods', ({ type, object }) => seePod(type, object)),
    observe<BudgetObject>(bed, '/apis/policy/v1/poddisruptionbudgets', ({ type, object: { metadata, status } }) => {
      const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
      if (type !== 'DELETED' && currentHealthy < desiredHealthy)
        spaces.get(metadata.namespace)?.shortages.push(`${metadata.name}: ${currentHealthy} of ${desiredHealthy}`);
    }),
  ]);

  return {
    begin(namespace) {
      spaces.set(namespace, { pods: new Set(living.get(namespace)), shortages: [], fewest: new Map() });
      count(namespace);
    },
    of(namespace) {
      const { pods, shortages, fewest } = spaces.get(namespace) ?? { pods: new Set<string>(), shortages: [], fewest: new Map() };
      return { pods, shortages, fewestReady: (app) => fewest.get(app) ?? 0 };
    },
    stop() {
      for (const stop of stops) stop();
    },
  };
}
