/** WATCH: initial events, transitions of selectors, bookmarks, the 410 in the stream (apiserver pkg/storage/cacher). */
import type { KubeObject } from '../kubernetes.ts';
import type { Kind, WatchEvent } from './api.ts';
import type { OpenWatch } from './door.ts';
import { Failure } from './failure.ts';
import { type ListQuery as Options, versionOf } from './list-options.ts';
import type { ListQuery, Registry } from './registry.ts';
import { apiVersionOf } from './resource.ts';
import { statusBody, tooLargeVersion } from './status.ts';

const BOOKMARK_EVERY_MS = 60_000;
/** So long before its end a watch gets its last bookmark. */
const LAST_BOOKMARK_MS = 2_000;
/** `--min-request-timeout`: a watch without a timeout of its own lasts between one and two of them. */
const LEAST_WATCH_MS = 1_800_000;

export interface WatchTarget {
  readonly kind: Kind;
  /** Empty: all. */
  readonly namespace: string;
  readonly name?: string;
  /** Of the selectors. */
  readonly query: ListQuery;
  readonly matches: (object: KubeObject) => boolean;
  /** The form that the client accepts. */
  readonly present: (object: KubeObject) => object;
}

/** What a client with a selector is told of a change: an object that begins or stops to match comes or goes. */
export function transition(
  { type, object, previous }: WatchEvent<KubeObject>,
  matches: (object: KubeObject) => boolean,
): { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject } | undefined {
  const before = previous !== undefined && matches(previous);
  if (type === 'DELETED') return before ? { type, object } : undefined;
  const after = matches(object);
  if (after) return { type: before ? 'MODIFIED' : 'ADDED', object };
  if (!before) return undefined;
  // The client sees it as it last knew it, with the version of the change.
  const { resourceVersion } = object.metadata;
  return { type: 'DELETED', object: { ...previous, metadata: { ...previous.metadata, resourceVersion } } };
}

interface Plan {
  /** The objects there are come first. */
  readonly initial: boolean;
  readonly endOfInitial: boolean;
  /** Otherwise: events after this version; 0 from now on. */
  readonly since: number;
}

function plan(registry: Registry, options: Options): Plan {
  const since = versionOf(options.resourceVersion);
  // apimachinery meta/internalversion/defaults.go: a watch from "" or "0" is a streamed list, also for who does not ask for it.
  const initial = options.sendInitialEvents ?? since === 0;
  const current = registry.currentVersion();
  if (options.sendInitialEvents && since > current) throw tooLargeVersion(since, current);
  return { initial, endOfInitial: initial && options.allowWatchBookmarks, since };
}

/** @throws Failure 400 and 504, before the watch is open. */
export function openWatch(registry: Registry, target: WatchTarget, options: Options): OpenWatch {
  const { kind, namespace, name, present } = target;
  const { initial, endOfInitial, since } = plan(registry, options);
  const { clock } = registry;
  const matches = (object: KubeObject) =>
    (namespace === '' || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name) &&
    target.matches(object);
  const lastsMs =
    options.timeoutSeconds === undefined || options.timeoutSeconds <= 0
      ? LEAST_WATCH_MS * (1 + registry.random())
      : options.timeoutSeconds * 1000;

  return {
    start(send, end) {
      const cancels: Record<'events' | 'end' | 'last' | 'bookmark', () => void> = {
        events: () => undefined,
        end: () => undefined,
        last: () => undefined,
        bookmark: () => undefined,
      };
      let stopped = false;
      const stop = () => {
        stopped = true;
        for (const cancel of Object.values(cancels)) cancel();
      };
      const bookmark = (annotations?: Readonly<Record<string, string>>) => {
        const metadata = { resourceVersion: String(registry.currentVersion()), ...(annotations ? { annotations } : {}) };
        send({ type: 'BOOKMARK', object: { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata } });
      };
      const ahead = since > registry.currentVersion();
      const tell = (event: WatchEvent<KubeObject>) => {
        // A version of the future: what comes before it is known to the client.
        if (stopped || (ahead && Number(event.object.metadata.resourceVersion) <= since)) return;
        const told = transition(event, matches);
        if (told) send({ type: told.type, object: present(told.object) });
      };
      const bookmarkNowAndThen = () => {
        cancels.bookmark = clock.after(BOOKMARK_EVERY_MS, () => {
          bookmark();
          bookmarkNowAndThen();
        });
      };

      let from = since === 0 ? registry.currentVersion() : Math.min(since, registry.currentVersion());
      if (initial) {
        const { items, version } = registry.listAt(kind, target.query);
        from = version;
        for (const object of items) if (matches(object)) send({ type: 'ADDED', object: present(object) });
        if (endOfInitial) bookmark({ 'k8s.io/initial-events-end': 'true' });
      }
      try {
        cancels.events = registry.watchFrom(kind, from, tell, target.query);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        send({ type: 'ERROR', object: statusBody(error) });
        end();
        return stop;
      }
      cancels.end = clock.after(lastsMs, () => {
        stop();
        end();
      });
      if (options.allowWatchBookmarks) {
        if (lastsMs > LAST_BOOKMARK_MS) cancels.last = clock.after(lastsMs - LAST_BOOKMARK_MS, () => bookmark());
        bookmarkNowAndThen();
      }
      return stop;
    },
  };
}
