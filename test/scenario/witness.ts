/** Sees pods and budgets of the whole bed by watches of its own, and keeps what a drain must never show, by namespace. */
import { readFileSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import type { Bed } from '../beds/bed.ts';
import { files, tokenOf } from '../beds/credentials.ts';
import { isReady, type PodObject } from './cluster.ts';
import { eventually } from './eventually.ts';
import type { WatchEvent } from './observer.ts';

interface BudgetObject {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
  readonly status?: { readonly currentHealthy?: number; readonly desiredHealthy?: number };
}

interface Named {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
}

const RETRY_MS = 200;

/**
 * Tells what is there, then every change, for as long as it takes: a watch that the server ends, because its client is slow, goes on
 * behind the last version that was seen, so that nothing is missed. A server that was started anew no longer knows that version; then
 * everything is read again, and what came and went while it started is not told.
 * @returns what ends it
 */
async function watchThroughout<T extends Named>(
  bed: Pick<Bed, 'api' | 'folder' | 'server'>,
  path: string,
  see: (event: WatchEvent<T>) => void,
): Promise<() => void> {
  const options = {
    headers: { authorization: `Bearer ${tokenOf(bed.folder, 'admin')}` },
    ca: readFileSync(join(bed.folder, files.certificate)),
  };
  const there = new Map<string, T>();
  let version = '';
  let sent: ClientRequest | undefined;
  let isOver = false;
  const tell = (event: WatchEvent<T>) => {
    if (event.type === 'DELETED') there.delete(event.object.metadata.uid);
    else there.set(event.object.metadata.uid, event.object);
    see(event);
  };
  const list = async () => {
    const { metadata, items } = await bed.api<{ metadata: { resourceVersion: string }; items: T[] }>({ path });
    version = metadata.resourceVersion;
    const now = new Set(items.map((object) => object.metadata.uid));
    for (const [uid, object] of there) if (!now.has(uid)) tell({ type: 'DELETED', object });
    for (const object of items) tell({ type: 'ADDED', object });
  };
  const read = (line: string) => {
    const event = JSON.parse(line) as WatchEvent<T>;
    if (event.type === 'ERROR') version = '';
    else {
      version = event.object.metadata.resourceVersion;
      tell(event);
    }
  };
  const watch = () => {
    sent = request(new URL(`${path}?watch=true&resourceVersion=${version}`, bed.server), options, (answer) => {
      let rest = '';
      answer.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        // An answer that is no watch, of a server that is not up yet, is asked for again.
        if (answer.statusCode === 200) for (const line of lines) read(line);
      });
      answer.on('error', () => {}); // 'close' follows
    });
    sent.on('error', () => {});
    sent.on('close', again);
    sent.end();
  };
  const again = () => {
    if (isOver) return;
    setTimeout(() => {
      if (version !== '') watch();
      else list().then(watch, again);
    }, RETRY_MS);
  };
  await list();
  watch();
  return () => {
    isOver = true;
    sent?.destroy();
  };
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
  /** From when it has itself seen that many Ready pods: its watch may be behind what a test has just read. */
  begin(namespace: string, ready: number): Promise<void>;
  of(namespace: string): Testimony;
  stop(): void;
}

interface Space {
  readonly pods: Set<string>;
  readonly shortages: string[];
  readonly fewest: Map<string, number>;
}

export async function openWitness(bed: Pick<Bed, 'api' | 'folder' | 'server'>): Promise<Witness> {
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
    watchThroughout<PodObject & Named>(bed, '/api/v1/pods', ({ type, object }) => seePod(type, object)),
    watchThroughout<BudgetObject>(bed, '/apis/policy/v1/poddisruptionbudgets', ({ type, object: { metadata, status } }) => {
      const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
      if (type !== 'DELETED' && currentHealthy < desiredHealthy)
        spaces.get(metadata.namespace)?.shortages.push(`${metadata.name}: ${currentHealthy} of ${desiredHealthy}`);
    }),
  ]);

  return {
    async begin(namespace, ready) {
      const readyNow = () => [...(serving.get(namespace)?.values() ?? [])].reduce((sum, uids) => sum + uids.size, 0);
      await eventually(
        `the witness sees ${ready} Ready pods in ${namespace}`,
        async () => readyNow(),
        (seen) => seen >= ready,
      );
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
