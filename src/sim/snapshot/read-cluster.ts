/** Reads a live cluster page by page; at no time more than one page of whole objects is in memory. */
import type { Clock } from '../../lib/clock.ts';
import { type KubeClient, KubeError, pathOf } from '../../kube/client.ts';
import type { KubeObject } from '../kubernetes.ts';
import { essential, type KindAddress, ownKinds, snapshotKinds, withoutKind } from './kinds.ts';
import { createReducer } from './reduce.ts';
import { latestTime, settle } from './settle.ts';
import type { MissingKind, Snapshot } from './snapshot.ts';

const PAGE = 500;
const RESTARTS = 3;

export interface ReadProgress {
  /** Plural name. */
  readonly kind: string;
  /** Objects of it that have been read. */
  readonly read: number;
  /** Objects of it that are still to come, as far as the server says. */
  readonly remaining: number;
}

export interface ReadClusterOptions {
  readonly clock: Clock;
  /** Called after each page. */
  readonly onProgress?: (progress: ReadProgress) => void;
  readonly signal?: AbortSignal;
}

interface Page {
  readonly metadata?: { readonly continue?: string; readonly remainingItemCount?: number };
  readonly items?: readonly unknown[] | null;
}

const collection = ({ group, version, plural }: KindAddress) =>
  group === '' ? pathOf('api', version, plural) : pathOf('apis', group, version, plural);

function whyMissing({ plural }: KindAddress, { code }: KubeError): MissingKind {
  const happened = code === 403 ? 'you may not list them' : 'the server does not serve them';
  return { kind: plural, why: `${happened}; ${withoutKind[plural] ?? 'the plan goes on without them'}` };
}

/**
 * Everything that a plan needs. A kind that may not be listed, or is not served, is among `missing`; Drover's own are not missed where it is
 * not installed. @throws KubeError where nodes or pods cannot be read, or the server fails
 */
export async function readCluster(client: KubeClient, options: ReadClusterOptions): Promise<Snapshot> {
  const { clock, onProgress, signal } = options;
  const reduce = createReducer();

  async function readKind(kind: KindAddress): Promise<KubeObject[]> {
    for (let restarts = 0; ; restarts++) {
      try {
        return await readPages(kind);
      } catch (error) {
        // The server has forgotten the version of the first page: from the start, with a new one.
        if (!(error instanceof KubeError) || error.code !== 410 || restarts >= RESTARTS) throw error;
      }
    }
  }

  async function readPages(kind: KindAddress): Promise<KubeObject[]> {
    const found: KubeObject[] = [];
    let token: string | undefined;
    do {
      const query = { limit: PAGE, ...(token && { continue: token }) };
      const page: Page = await client.json<Page>({ method: 'GET', path: collection(kind), query, ...(signal && { signal }) });
      for (const item of page.items ?? []) {
        const object = reduce(item, kind);
        if (object) found.push(object);
      }
      token = page.metadata?.continue || undefined;
      onProgress?.({ kind: kind.plural, read: found.length, remaining: page.metadata?.remainingItemCount ?? 0 });
    } while (token);
    return found;
  }

  const byKind = new Map<KindAddress, readonly KubeObject[]>();
  const missing: MissingKind[] = [];
  // What is owned before its owners: one that is made between the two lists then has no pods yet, instead of pods that have no owner.
  for (const kind of snapshotKinds.toReversed()) {
    try {
      byKind.set(kind, await readKind(kind));
    } catch (error) {
      if (!(error instanceof KubeError) || (error.code !== 403 && error.code !== 404) || essential.has(kind.plural)) throw error;
      if (error.code !== 404 || !ownKinds.includes(kind)) missing.push(whyMissing(kind, error));
    }
  }
  const objects = snapshotKinds.flatMap((kind) => byKind.get(kind) ?? []);
  const read = new Set(Array.from(byKind.keys(), ({ group, kind }) => `${group}/${kind}`));
  return {
    takenAt: Math.max(clock.now(), latestTime(objects)),
    server: client.server,
    objects: settle(objects, read),
    missing: missing.toReversed(),
  };
}
