/** From a path to what it names. */
import type { Kind } from './api.ts';

export interface ResourceRoute {
  readonly to: 'resource';
  readonly kind: Kind;
  /** Empty: all namespaces, or a cluster-scoped kind. */
  readonly namespace: string;
  readonly name?: string;
  readonly subresource?: string;
  /** What follows a subresource; nothing here answers it. */
  readonly beyond?: true;
  /** "/api/v1/watch/pods", as old clients ask. */
  readonly watching?: true;
}

export type Route =
  | ResourceRoute
  | { readonly to: 'groups' }
  | { readonly to: 'versions' }
  | { readonly to: 'group'; readonly group: string }
  | { readonly to: 'resources'; readonly group: string; readonly version: string }
  /** Inside a served group and version, but no resource of it. */
  | { readonly to: 'nothing' }
  | { readonly to: 'outside'; readonly path: string };

export interface Served {
  findKind(group: string, version: string, plural: string): Kind | undefined;
  /** Virtual resources (reviews) and stored ones alike. */
  hasVersion(group: string, version: string): boolean;
  hasGroup(group: string): boolean;
}

/** Subresources of a Namespace: "/namespaces/a/status" is not a collection "status" in namespace a. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a lone "%": names no object
  }
}

function resourceRoute(served: Served, group: string, version: string, given: readonly string[]): Route {
  const watching = given[0] === 'watch';
  const segments = watching ? given.slice(1) : given;
  const inNamespace = segments[0] === 'namespaces' && segments.length > 2 && !NAMESPACE_SUBRESOURCES.has(segments[2] as string);
  const [plural = '', name, subresource, ...beyond] = inNamespace ? segments.slice(2) : segments;
  const kind = served.findKind(group, version, plural);
  if (!kind || inNamespace !== (kind.namespaced && inNamespace)) return { to: 'nothing' };
  // An object of a namespaced kind has no path without its namespace.
  if (kind.namespaced && !inNamespace && name !== undefined) return { to: 'nothing' };
  return {
    to: 'resource',
    kind,
    namespace: inNamespace ? (segments[1] as string) : '',
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(beyond.length > 0 ? { beyond: true } : {}),
    ...(watching ? { watching } : {}),
  };
}

export function routeOf(served: Served, path: string): Route {
  const segments = path.split('/').slice(1).map(decode);
  if (segments.at(-1) === '') segments.pop();
  const [root, ...rest] = segments;
  if (root === 'api') {
    const [version, ...more] = rest;
    if (version === undefined) return { to: 'versions' };
    if (version !== 'v1') return { to: 'outside', path };
    return more.length === 0 ? { to: 'resources', group: '', version } : resourceRoute(served, '', version, more);
  }
  if (root === 'apis') {
    const [group, version, ...more] = rest;
    if (group === undefined) return { to: 'groups' };
    if (version === undefined) return served.hasGroup(group) ? { to: 'group', group } : { to: 'outside', path };
    if (!served.hasVersion(group, version)) return { to: 'outside', path };
    return more.length === 0 ? { to: 'resources', group, version } : resourceRoute(served, group, version, more);
  }
  return { to: 'outside', path };
}
