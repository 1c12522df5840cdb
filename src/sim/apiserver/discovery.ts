/** What is served, in both forms: aggregated (apidiscovery.k8s.io/v2), which kubectl asks for first, and one list per group version. */
import type { Kind } from './api.ts';
import type { ApiAnswer } from './door.ts';
import { apiVersionOf } from './resource.ts';
import { subresourceFacts } from './subresources.ts';

const AGGREGATED = /g=apidiscovery\.k8s\.io;v=(v2(?:beta1)?);as=APIGroupDiscoveryList/;

const versionsOf = (kinds: readonly Kind[], group: string) => [
  ...new Set(kinds.filter((kind) => kind.group === group).map((kind) => kind.version)),
];

/** In the order of names, as upstream's lists are. */
const servedBy = (kinds: readonly Kind[], group: string, version: string) =>
  sorted(
    kinds.filter((kind) => kind.group === group && kind.version === version),
    ({ plural }) => plural,
  );

const groupsOf = (kinds: readonly Kind[]) => [...new Set(kinds.map((kind) => kind.group))];

const sorted = <T>(list: readonly T[], nameOf: (item: T) => string): T[] =>
  [...list].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));

/** Group and version of what a resource answers with; empty where they are those of the list. */
const NO_VERSION = { group: '', version: '' };

function aggregatedResource(kind: Kind): object {
  const { plural, singular, shortNames, categories, verbs, namespaced, subresources } = kind;
  return {
    resource: plural,
    responseKind: { ...NO_VERSION, kind: kind.kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0
      ? {
          subresources: [...subresources].sort().map((subresource) => {
            const facts = subresourceFacts(kind, subresource);
            const responseKind = { ...NO_VERSION, ...facts.groupVersion, kind: facts.kind };
            return { subresource, responseKind, verbs: facts.verbs };
          }),
        }
      : {}),
  };
}

function aggregated(kinds: readonly Kind[], groups: readonly string[], version: string): ApiAnswer {
  const items = groups.map((group) => ({
    metadata: group === '' ? {} : { name: group },
    versions: versionsOf(kinds, group).map((it) => ({
      version: it,
      resources: servedBy(kinds, group, it).map(aggregatedResource),
      freshness: 'Current',
    })),
  }));
  return {
    code: 200,
    // The client tells by the type which form it got.
    headers: { 'Content-Type': `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList` },
    body: { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items },
  };
}

function groupBody(kinds: readonly Kind[], group: string) {
  const versions = versionsOf(kinds, group).map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

/** GET /api */
export function coreVersions(kinds: readonly Kind[], accept: string): ApiAnswer {
  const [, version] = AGGREGATED.exec(accept) ?? [];
  if (version) return aggregated(kinds, [''], version);
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1' }];
  return { code: 200, body: { kind: 'APIVersions', versions: versionsOf(kinds, ''), serverAddressByClientCIDRs } };
}

/** GET /apis */
export function groupList(kinds: readonly Kind[], accept: string): ApiAnswer {
  const groups = groupsOf(kinds).filter((group) => group !== '');
  const [, version] = AGGREGATED.exec(accept) ?? [];
  if (version) return aggregated(kinds, groups, version);
  const body = { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => groupBody(kinds, group)) };
  return { code: 200, body };
}

/** GET /apis/GROUP */
export const groupOf = (kinds: readonly Kind[], group: string): ApiAnswer => ({
  code: 200,
  body: { kind: 'APIGroup', apiVersion: 'v1', ...groupBody(kinds, group) },
});

function resourceEntries(kind: Kind): object[] {
  const { plural, singular, namespaced, verbs, shortNames, categories } = kind;
  const own = {
    name: plural,
    singularName: singular,
    namespaced,
    kind: kind.kind,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
  const subresources = [...kind.subresources].sort().map((subresource) => {
    const facts = subresourceFacts(kind, subresource);
    return {
      name: `${plural}/${subresource}`,
      singularName: '',
      namespaced,
      ...facts.groupVersion,
      kind: facts.kind,
      verbs: facts.verbs,
    };
  });
  return [own, ...subresources];
}

/** GET /api/v1 and /apis/GROUP/VERSION */
export function resourceList(kinds: readonly Kind[], group: string, version: string): ApiAnswer {
  const served = servedBy(kinds, group, version);
  const groupVersion = served[0] ? apiVersionOf(served[0]) : version;
  const body = {
    kind: 'APIResourceList',
    // The core list is older than the field.
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion,
    resources: served.flatMap(resourceEntries),
  };
  return { code: 200, body };
}
