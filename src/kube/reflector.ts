/**
 * Keeps a copy of a collection: one request lists and watches it (or pages and a watch, where the server cannot stream a list), every end
 * leads back to a watch or a list, and every difference is told once.
 */
import type { ObjectMeta } from '../api/objects.ts';
import { fullJitter, type Random } from '../lib/backoff.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type KubeClient, KubeError, type KubeRequest, type ServerEvent } from './client.ts';
import { collectionPath, type ResourceKind } from './kinds.ts';
import { BrokenFrame } from './proto-reader.ts';
import { type Reception, receive, receiveEvents, Silent } from './receive.ts';
import { type Change, createStore } from './store.ts';
import { createFrameCutter, decodeEvent, decodePage, decodeSharedEvent, PROTOBUF, type WatchEvent } from './watch-frames.ts';

export interface ReflectOptions<T extends ObjectMeta> {
  readonly client: KubeClient;
  readonly kind: ResourceKind<T>;
  /** Default: all namespaces. */
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /**
   * Of the first read. 'Any' (default) takes what the server's watch cache holds, at once; 'Latest' waits until it has caught up with
   * etcd. Later reads are never older than what was seen.
   */
  readonly consistency?: 'Any' | 'Latest';
  /** Key for `indexed`, such as the node name of a pod. */
  readonly indexBy?: (object: T) => string;
  /** Called synchronously after the store has changed. Must not throw: a throw is logged and the change is not told again. */
  readonly onChange?: (change: Change<T>) => void;
  /** Every refusal of a list or a watch (no rights, no such resource, server down); tried again by itself. */
  readonly onError?: (error: KubeError) => void;
  /** `synced` rejects when the first answer is 401, 403 or 404, and nothing is tried again. */
  readonly failFast?: boolean;
}

export interface Reflector<T extends ObjectMeta> {
  /** Resolves when the first list is complete; rejects when stopped before (or see `failFast`). */
  readonly synced: Promise<void>;
  readonly size: number;
  items(): IterableIterator<T>;
  get(namespace: string, name: string): T | undefined;
  byUid(uid: string): T | undefined;
  indexed(key: string): readonly T[];
  /** Opaque; empty before the first list. */
  readonly resourceVersion: string;
  /** Synced, and the server was heard within the last three minutes (it sends a bookmark each minute). */
  healthy(now: Millis): boolean;
  readonly counters: Readonly<ReflectorCounters>;
  /** Ends the watch and all timers. The store stays readable. */
  stop(): Promise<void>;
}

export interface ReflectorCounters {
  lists: number;
  watches: number;
  brokenFrames: number;
  /** Watches that went silent and were given up. */
  silences: number;
}

const PAGE_SIZE = 500;
const HEALTHY_WINDOW_MS = 180_000;
/** A watch that lasted so long was a healthy one: the next reconnect is the first again. */
const HEALTHY_WATCH_MS = 60_000;
const FIRST_RECONNECT_MS = 100;
/** How long a stream may pause inside the initial events. A server that does not know `sendInitialEvents` never ends them. */
const INITIAL_SILENCE_MS = 20_000;
const MAX_CUT_LISTS = 3;
const REFUSALS_BEFORE_LIST = 8;
/** No byte for so long, although bookmarks come every minute: the connection is dead. Drawn per watch, so that they do not all return at once. */
const SILENCE_MS = { least: 90_000, spread: 60_000 };
/** The server ends a watch after this many seconds; drawn per watch. */
const WATCH_SECONDS = { least: 290, spread: 291 };

/** What the next turn starts with: a watch from where we are, or a read that is at least so fresh. */
type Start = 'Watch' | 'Any' | 'NotOlder' | 'Latest';

/** Collections of a client whose server cannot stream a list. Per path: an aggregated API server may be older than the main one. */
const unstreamable = new WeakMap<KubeClient, Set<string>>();

/** The server answers a request for a streamed list as if it were a plain watch. `certain`: not just silent. */
class NotStreamed extends Error {
  override readonly name = 'NotStreamed';
  readonly certain: boolean;

  constructor(certain: boolean) {
    super('the server does not end the initial events');
    this.certain = certain;
  }
}

function startAfter(error: unknown, start: Start, inRow: number): Start {
  // Inside a list nothing can be resumed: its objects come in the order of their keys, not of their versions.
  if (start !== 'Watch') {
    const tooNew = error instanceof KubeError && (error.code === 410 || isTooNew(error));
    return tooNew ? 'Latest' : start;
  }
  // The same frame may be broken each time it is sent: the second time, go around it by a list.
  if (error instanceof BrokenFrame) return inRow > 0 ? 'NotOlder' : 'Watch';
  if (!(error instanceof KubeError)) return 'Watch';
  if (error.code === 410 || isTooNew(error)) return 'Latest';
  // A server that has answered 5xx for minutes may be unable to serve just this version: ask for what it has.
  if (error.code >= 500 && inRow >= REFUSALS_BEFORE_LIST) return 'Latest';
  const wait = error.code === 0 || error.code === 429 || error.code >= 500 || [401, 403, 404, 408].includes(error.code);
  return wait ? 'Watch' : 'Latest';
}

/** 504 "Too large resource version": this server is behind the one we saw, or etcd was restored from a backup. */
function isTooNew(error: KubeError): boolean {
  return error.status?.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge') === true;
}

/** Starts at once; the first request is made before this returns to the event loop. */
export function reflect<T extends ObjectMeta>(options: ReflectOptions<T>): Reflector<T> {
  const { client, kind, clock, log, random, fieldSelector, labelSelector } = options;
  const path = collectionPath(kind, options.namespace);
  const store = createStore<T>(options.indexBy);
  const counters: ReflectorCounters = { lists: 0, watches: 0, brokenFrames: 0, silences: 0 };
  const stopping = new AbortController();
  let resolveSynced: () => void = () => undefined;
  let rejectSynced: (reason: Error) => void = () => undefined;
  const synced = new Promise<void>((resolve, reject) => {
    resolveSynced = resolve;
    rejectSynced = reject;
  });
  // Whoever does not await `synced` must not be ended by its rejection.
  synced.catch(() => undefined);
  let isSynced = false;
  let version = '';
  let heardAt = Number.NEGATIVE_INFINITY;
  let start: Start = options.consistency === 'Latest' ? 'Latest' : 'Any';
  let connection: AbortController | undefined;
  /** Streamed lists in a row that did not come to their end. */
  let cutLists = 0;
  /** Uids of a list in progress, when there is an older copy to compare with. */
  let seen: Set<string> | undefined;

  const isListing = () => start !== 'Watch';

  const tell = (changes: Change<T>[]) => {
    for (const change of changes) {
      try {
        options.onChange?.(change);
      } catch (error) {
        log.error('change handler failed', {
          path,
          name: change.object.name,
          error: error instanceof Error ? error.message : String(error),
        });
      }
    }
  };

  const put = (object: T) => {
    seen?.add(object.uid);
    tell(store.put(object));
  };

  const beginList = () => {
    seen = store.size > 0 ? new Set() : undefined;
  };

  const endList = (listVersion: string) => {
    version = listVersion;
    start = 'Watch';
    counters.lists++;
    cutLists = 0;
    const before = seen;
    seen = undefined;
    if (before) for (const object of store.items()) if (!before.has(object.uid)) tell(store.remove(object.uid));
    isSynced = true;
    resolveSynced();
  };

  const apply = (event: WatchEvent<T>) => {
    const listing = isListing();
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        put(event.object);
        if (!listing) version = event.object.resourceVersion;
        return;
      case 'DELETED':
        tell(store.remove(event.object.uid, event.object));
        if (!listing) version = event.object.resourceVersion;
        return;
      case 'LEFT_OUT':
        tell(store.remove(event.uid));
        if (!listing && event.resourceVersion) version = event.resourceVersion;
        return;
      case 'BOOKMARK':
        if (!listing) version = event.resourceVersion;
        else if (event.endsInitialEvents) endList(event.resourceVersion);
        else throw new NotStreamed(true);
        return;
      case 'ERROR': {
        const { code = 500, message = 'no message' } = event.status;
        throw new KubeError(`watch of ${path} failed with ${code}: ${message}`, { code, status: event.status });
      }
    }
  };

  const connect = (query: KubeRequest['query'], accept: string, patience: () => Millis) => {
    // Stopped between two requests: nobody would end the next one.
    stopping.signal.throwIfAborted();
    connection = new AbortController();
    const onHeard = () => {
      heardAt = clock.now();
    };
    const request = { path, query: { fieldSelector, labelSelector, ...query }, accept };
    return { by: connection, asked: { clock, patience, onHeard, request } };
  };
  const read = async (query: KubeRequest['query'], accept: string, patience: () => Millis, begin: Reception['begin']) => {
    const { by, asked } = connect(query, accept, patience);
    await receive({ client, begin, ...asked }, by);
  };

  const accept = (suffix: string) => (kind.decodeProto ? `${PROTOBUF}${suffix},application/json` : 'application/json');

  const watch = async (initial: Record<string, string | boolean | undefined>) => {
    const silence = SILENCE_MS.least + random() * SILENCE_MS.spread;
    let answered = false;
    const patience = () => (answered && isListing() ? INITIAL_SILENCE_MS : silence);
    counters.watches++;
    const query = {
      watch: true,
      allowWatchBookmarks: true,
      timeoutSeconds: WATCH_SECONDS.least + Math.floor(random() * WATCH_SECONDS.spread),
      ...initial,
    };
    const begin = () => {
      answered = true;
      if (isListing()) cutLists++;
    };
    try {
      if (client.events) {
        const { by, asked } = connect(query, 'application/json', patience);
        const take = (event: ServerEvent) => apply(decodeSharedEvent(kind, event, !isListing()));
        await receiveEvents({ events: client.events.bind(client), begin: () => (begin(), take), ...asked }, by);
        return;
      }
      await read(query, accept(';stream=watch'), patience, (contentType) => {
        begin();
        return createFrameCutter(contentType, (frame) => apply(decodeEvent(kind, contentType, frame)));
      });
    } catch (error) {
      if (error instanceof Silent && answered && isListing()) throw new NotStreamed(false);
      throw error;
    }
  };

  /** One read in pages. Any refusal, also 410 between two pages, starts again at the first. */
  const list = async () => {
    const silence = SILENCE_MS.least;
    // With version 0 the watch cache answers and ignores `limit`: fine for the pods of one node, but not for all pods in one body. Without
    // it a list with a selector makes the server read the whole collection.
    const fromCache = start === 'Any' && (fieldSelector !== undefined || labelSelector !== undefined);
    beginList();
    let next: string | undefined;
    let listVersion = '';
    do {
      const chunks: Buffer[] = [];
      let contentType = '';
      const query = fromCache ? { resourceVersion: '0' } : { limit: kind.pageSize ?? PAGE_SIZE, continue: next };
      await read(
        query,
        accept(''),
        () => silence,
        (type) => {
          contentType = type;
          return (chunk) => void chunks.push(chunk);
        },
      );
      const page = decodePage(kind, contentType, Buffer.concat(chunks));
      for (const object of page.items) put(object);
      listVersion = page.resourceVersion;
      next = page.continue || undefined;
    } while (next !== undefined);
    endList(listVersion);
  };

  const canStream = () => unstreamable.get(client)?.has(path) !== true;
  const rememberUnstreamable = () => {
    const paths = unstreamable.get(client) ?? new Set<string>();
    unstreamable.set(client, paths.add(path));
    log.info('the server cannot stream lists of this kind, reading pages', { path });
  };

  const listInStream = async (): Promise<'Ended' | 'Refused'> => {
    beginList();
    const resourceVersion = start === 'Any' ? '0' : start === 'NotOlder' ? version : undefined;
    try {
      await watch({ sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', resourceVersion });
      return 'Ended';
    } catch (error) {
      if (!isListing()) throw error;
      // 1.26 and older refuse resourceVersionMatch on a watch, newer ones without the feature refuse sendInitialEvents; others stay silent.
      const refused = error instanceof KubeError && (error.code === 400 || error.code === 422);
      if (!refused && !(error instanceof NotStreamed)) throw error;
      if (refused || (error instanceof NotStreamed && error.certain)) rememberUnstreamable();
      return 'Refused';
    }
  };

  const turn = async () => {
    // A proxy that cuts every answer after some seconds would never let a streamed list of a large cluster come to its end.
    if (isListing() && canStream() && cutLists < MAX_CUT_LISTS && (await listInStream()) === 'Ended') return;
    if (isListing()) await list();
    await watch({ resourceVersion: version });
  };

  const onFailure = (error: unknown, failures: number) => {
    if (error instanceof BrokenFrame) {
      counters.brokenFrames++;
      log.error('broken watch frame, connection given up', { path, error: error.message });
    } else if (error instanceof Silent) {
      counters.silences++;
      log.warn('watch went silent, connecting again', { path });
    } else if (error instanceof KubeError) {
      // Whoever listens says it in its own words; twice is once too often.
      const facts = { path, code: error.code, reason: error.reason, error: error.message };
      if (options.onError) log.debug('list or watch refused', facts);
      else log.warn('list or watch refused', facts);
      options.onError?.(error);
    } else {
      log.debug('watch cut', { path, error: error instanceof Error ? error.message : String(error) });
    }
    start = startAfter(error, start, failures);
  };

  const giveUp = (reason: Error) => {
    stopping.abort(reason);
    connection?.abort(reason);
    if (!isSynced) rejectSynced(reason);
  };

  const run = async () => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const begunAt = clock.now();
      let quick = true;
      let waitAtLeast = 0;
      try {
        await turn();
      } catch (error) {
        if (stopping.signal.aborted) return;
        // `synced` says it.
        if (options.failFast && !isSynced && error instanceof KubeError && [401, 403, 404].includes(error.code))
          return giveUp(error);
        onFailure(error, failures);
        if (error instanceof KubeError) {
          quick = error.code === 410;
          waitAtLeast = error.retryAfterMs ?? 0;
        }
      }
      if (clock.now() - begunAt >= HEALTHY_WATCH_MS) failures = 0;
      const delay = quick && failures === 0 ? random() * FIRST_RECONNECT_MS : fullJitter(failures, random);
      failures++;
      try {
        await clock.sleep(Math.max(delay, waitAtLeast), stopping.signal);
      } catch {
        return; // stopped
      }
    }
  };
  const running = run();

  return {
    synced,
    get size() {
      return store.size;
    },
    items: () => store.items(),
    get: (namespace, name) => store.get(namespace, name),
    byUid: (uid) => store.byUid(uid),
    indexed: (key) => store.indexed(key),
    get resourceVersion() {
      return version;
    },
    healthy: (now) => isSynced && now - heardAt <= HEALTHY_WINDOW_MS,
    counters,
    async stop() {
      giveUp(new Error(`the reflector of ${path} was stopped`));
      await running;
    },
  };
}
