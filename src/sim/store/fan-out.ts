/** Tells commits to watchers: in the order of versions, each to everybody before the next one, never nested. */
import type { WatchEvent } from '../apiserver/api.ts';
import type { KubeObject } from '../kubernetes.ts';
import type { IndexBy } from './collection.ts';

export type Handler = (event: WatchEvent<KubeObject>) => void;

export interface Watcher {
  readonly handler: Handler;
  /** Told only of later versions. */
  readonly since: number;
  stopped: boolean;
}

/** Never changed, but put in another's place: who leaves or comes while an event is told does not disturb the telling. */
export type Watchers = readonly Watcher[];

/** Who watches one collection. */
export interface Audience {
  all: Watchers;
  /** Those that want only the objects of one namespace: a controller watches hundreds of them, each by a watch of its own. */
  readonly byNamespace: Map<string, Watchers>;
  /** Those that want only the objects of one value of the collection's index: hundreds watch the pods of one node each. */
  readonly byValue: Map<string, Watchers>;
  readonly indexBy: IndexBy | undefined;
}

export interface FanOut {
  /** `audience` is read when the event's turn comes. */
  tell(audience: Audience, version: number, event: WatchEvent<KubeObject>): void;
  /** Runs `body`; what is told meanwhile follows after it. */
  hold(body: () => void): void;
}

interface Pending {
  readonly audience: Audience;
  readonly version: number;
  readonly event: WatchEvent<KubeObject>;
}

/** An object that moves from one value to another is told to both. */
function interested({ byValue, indexBy }: Audience, { object, previous }: WatchEvent<KubeObject>): Watchers[] {
  const value = indexBy?.(object);
  const before = previous && indexBy?.(previous);
  const found: Watchers[] = [];
  for (const each of value === before ? [value] : [before, value]) {
    const watchers = each === undefined ? undefined : byValue.get(each);
    if (watchers) found.push(watchers);
  }
  return found;
}

export function createFanOut(): FanOut {
  let queue: Pending[] = [];
  let next = 0;
  let telling = false;

  const errors: unknown[] = [];

  const tellEach = (watchers: Watchers, version: number, event: WatchEvent<KubeObject>) => {
    for (let at = 0; at < watchers.length; at++) {
      const watcher = watchers[at] as Watcher;
      if (watcher.stopped || version <= watcher.since) continue;
      try {
        watcher.handler(event);
      } catch (error) {
        errors.push(error);
      }
    }
  };

  const tellAll = (audience: Audience, version: number, event: WatchEvent<KubeObject>) => {
    tellEach(audience.all, version, event);
    if (audience.byNamespace.size > 0) {
      const watchers = audience.byNamespace.get(event.object.metadata.namespace ?? '');
      if (watchers) tellEach(watchers, version, event);
    }
    if (audience.byValue.size > 0) for (const watchers of interested(audience, event)) tellEach(watchers, version, event);
  };

  const drain = () => {
    telling = true;
    for (; next < queue.length; next++) {
      const { audience, version, event } = queue[next] as Pending;
      tellAll(audience, version, event);
      if (next > 1024) {
        queue = queue.slice(next + 1);
        next = -1;
      }
    }
    if (queue.length > 0) queue = [];
    next = 0;
    telling = false;
    // A handler that throws is a defect of that handler: the others have been told, the writer hears of it.
    if (errors.length > 0) throw errors.splice(0)[0];
  };

  return {
    tell(audience, version, event) {
      if (telling) return void queue.push({ audience, version, event });
      telling = true;
      tellAll(audience, version, event);
      drain();
    },
    hold(body) {
      if (telling) return body();
      telling = true;
      try {
        body();
      } finally {
        drain();
      }
    },
  };
}
