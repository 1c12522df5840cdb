/** GET of an object or of a collection: consistent pages, versions (apiserver pkg/storage/interfaces.go, storage/cacher). */
import type { KubeObject } from '../kubernetes.ts';
import type { Kind } from './api.ts';
import { decodeContinue, encodeContinue, ExpiredPage } from './continue-token.ts';
import type { ListMetadata } from './door.ts';
import { Failure } from './failure.ts';
import { type ListQuery as Options, versionOf } from './list-options.ts';
import { badRequest } from './refusals.ts';
import type { ListQuery, Registry } from './registry.ts';
import { tooLargeVersion } from './status.ts';

export interface Page {
  readonly items: readonly KubeObject[];
  readonly metadata: ListMetadata;
}

const keyOf = ({ metadata: { namespace, name } }: KubeObject) => (namespace === undefined ? name : `${namespace}/${name}`);

/** The objects as they were: what happened since is taken back. @throws Failure 410 when it is not remembered. */
function objectsAt(registry: Registry, kind: Kind, query: ListQuery, version: number): readonly KubeObject[] {
  const { items, version: current } = registry.listAt(kind, query);
  if (version >= current) return items;
  const before = new Map<string, KubeObject | undefined>();
  const stop = registry.watchFrom(kind, version, ({ object, previous }) => {
    const key = keyOf(object);
    if (!before.has(key)) before.set(key, previous);
  });
  stop();
  if (before.size === 0) return items;
  const isAsked = (object: KubeObject | undefined): object is KubeObject =>
    object !== undefined &&
    (!query.namespace || object.metadata.namespace === query.namespace) &&
    (query.matches?.(object) ?? true);
  const unchanged = items.filter((object) => !before.has(keyOf(object)));
  return [...unchanged, ...[...before.values()].filter(isAsked)].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** Index of the first object whose key is not before `start`. */
function position(items: readonly KubeObject[], start: string): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyOf(items[middle] as KubeObject) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Asked {
  /** Undefined: now. */
  readonly version: number | undefined;
  readonly start: string;
  readonly limit: number;
}

function asked(registry: Registry, options: Options): Asked {
  const { limit, resourceVersion, resourceVersionMatch: match } = options;
  if (options.continue !== '') {
    if (resourceVersion !== '' && resourceVersion !== '0')
      throw badRequest('specifying resource version is not allowed when using continue');
    const { version, start } = decodeContinue(options.continue);
    return { version: version > 0 ? version : undefined, start, limit };
  }
  const wanted = versionOf(resourceVersion);
  const current = registry.currentVersion();
  if (wanted > current) throw tooLargeVersion(wanted, current);
  // With a limit a version means exactly that one, as long as nothing else is said; "0" is answered whole, from the watch cache.
  const exact = wanted > 0 && (match === 'Exact' || (match === '' && limit > 0));
  const whole = resourceVersion === '0' && match !== 'Exact';
  return { version: exact ? wanted : undefined, start: '', limit: whole ? 0 : limit };
}

/** `selective`: the list has a selector, so that nobody knows how many are left. */
export function readPage(registry: Registry, kind: Kind, query: ListQuery, selective: boolean, options: Options): Page {
  const { version: at, start, limit } = asked(registry, options);
  const version = at ?? registry.currentVersion();
  let items: readonly KubeObject[];
  try {
    items = objectsAt(registry, kind, query, version);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 410) throw error;
    if (options.continue !== '') throw new ExpiredPage(start);
    throw new Failure(410, 'Expired', 'The resourceVersion for the provided list is too old.');
  }
  const from = start === '' ? 0 : position(items, start);
  const end = limit > 0 ? Math.min(items.length, from + limit) : items.length;
  const metadata = { resourceVersion: String(version) };
  const page = from === 0 && end === items.length ? items : items.slice(from, end);
  if (end >= items.length) return { items: page, metadata };
  const last = items[end - 1] as KubeObject;
  return {
    items: page,
    metadata: {
      ...metadata,
      continue: encodeContinue({ version, start: `${keyOf(last)}\u0000` }),
      ...(selective ? {} : { remainingItemCount: items.length - end }),
    },
  };
}
