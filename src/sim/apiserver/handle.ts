/** Answers requests as the API server does, whatever door they come through. */
import type { KubeObject, Pod } from '../kubernetes.ts';
import { checkFields, matchesFields, parseFieldSelector, selectableFields } from '../store/field-selectors.ts';
import { matchesSelector, parseLabelSelector } from '../store/label-selectors.ts';
import { answerReview, refuseAccess, reviewKinds } from './access.ts';
import { type Form, negotiate } from './accept.ts';
import type { Kind } from './api.ts';
import type { CustomFacts } from './crd/custom-resource.ts';
import type { WriteParts } from './decoding.ts';
import { coreVersions, groupList, groupOf, resourceList } from './discovery.ts';
import type { AccessQuestion, AccessRule, ApiAnswer, ApiRequest, Handle } from './door.ts';
import { Failure } from './failure.ts';
import { checkListQuery, type ListQuery as ListOptions, listQuery, versionOf } from './list-options.ts';
import { openApiDocument, openApiIndex, openApiV2, SERVER_VERSION } from './openapi.ts';
import { type Page, readPage } from './reading.ts';
import { notFound } from './refusals.ts';
import type { ListQuery, Registry } from './registry.ts';
import { apiVersionOf } from './resource.ts';
import { type ResourceRoute, type Route, routeOf } from './routes.ts';
import { methodNotAllowed, noSuchResource, refusal, tooLargeVersion } from './status.ts';
import { answerSubresource } from './subresource-answers.ts';
import { builtInPrinter, includeObject, partialMetadata, tableOf } from './table/table.ts';
import { openWatch } from './watch-stream.ts';
import { deleteOptions } from './write-options.ts';
import { create, patch, remove, update } from './writing.ts';

export interface HandleOptions {
  /** Undefined for a built-in kind. Default: there are no custom kinds. */
  readonly custom?: (kind: Kind) => CustomFacts | undefined;
  /** Default: everybody may everything. */
  readonly allows?: AccessRule;
  /** Default: one line saying since when the container runs. */
  readonly logOf?: (pod: Pod, container: string) => string;
}

const STATUSES = ['containerStatuses', 'initContainerStatuses'] as const;

function startLine(pod: Pod, container: string): string {
  const status = STATUSES.flatMap((field) => pod.status?.[field] ?? []).find(({ name }) => name === container);
  const since = status?.state?.running?.startedAt ?? status?.state?.terminated?.startedAt;
  return since ? `${since} ${container} started\n` : '';
}

const text = (code: number, content: string): ApiAnswer => ({ code, text: content, contentType: 'text/plain; charset=utf-8' });

/** The items of a list of a built-in kind do not repeat what they are. */
function withoutType(object: KubeObject): object {
  const { kind: _, apiVersion: __, ...rest } = object;
  return rest;
}

const VERBS: Readonly<Record<string, readonly [one: string, collection: string]>> = {
  GET: ['get', 'list'],
  POST: ['create', 'create'],
  PUT: ['update', 'update'],
  PATCH: ['patch', 'patch'],
  DELETE: ['delete', 'deletecollection'],
};

function questionOf(route: ResourceRoute, request: ApiRequest, watching: boolean): AccessQuestion {
  const { kind, namespace, name, subresource } = route;
  const [one = '', collection = ''] = VERBS[request.method] ?? [];
  return {
    user: request.user,
    verb: watching ? 'watch' : name === undefined ? collection : one,
    group: kind.group,
    resource: kind.plural,
    ...(namespace ? { namespace } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

export function createHandle(registry: Registry, options: HandleOptions = {}): Handle {
  const { custom = () => undefined, allows = () => true, logOf = startLine } = options;
  const kindsNow = () => [...registry.kinds(), ...reviewKinds];
  let versionsOf: readonly Kind[] | undefined;
  let versions = new Set<string>();
  /** "apps" and "apps/v1"; made anew when a kind has come or gone. */
  const isServed = (groupOrVersion: string) => {
    if (versionsOf !== registry.kinds()) {
      versionsOf = registry.kinds();
      versions = new Set(kindsNow().flatMap(({ group, version }) => [group, `${group}/${version}`]));
    }
    return versions.has(groupOrVersion);
  };
  const served = {
    findKind: (group: string, version: string, plural: string) =>
      registry.findKind(group, version, plural) ??
      reviewKinds.find((kind) => kind.plural === plural && kind.group === group && kind.version === version),
    hasVersion: (group: string, version: string) => isServed(`${group}/${version}`),
    hasGroup: isServed,
  };

  const presenter = (kind: Kind, form: Form, request: ApiRequest): ((object: KubeObject) => object) => {
    if (form === 'Object') return (object) => object;
    if (form === 'PartialObjectMetadata') return partialMetadata;
    const include = includeObject(request.query.get('includeObject'));
    const printer = custom(kind)?.printer ?? builtInPrinter(kind);
    return (object) => {
      const { resourceVersion } = object.metadata;
      return tableOf(printer, [object], { resourceVersion }, include, registry.clock.now());
    };
  };

  const selectors = ({ kind, namespace, name }: ResourceRoute, asked: ListOptions) => {
    const labels = asked.labelSelector === '' ? undefined : parseLabelSelector(asked.labelSelector);
    const fields = asked.fieldSelector === '' ? [] : parseFieldSelector(asked.fieldSelector);
    const known = selectableFields(`${kind.group}/${kind.plural}`, kind.namespaced, custom(kind)?.selectableFields);
    checkFields(fields, known);
    const exact = fields.filter(({ equals }) => equals).map(({ field, value }) => [field, value] as const);
    const matches = (object: KubeObject) =>
      (!labels || matchesSelector(labels, object.metadata.labels)) && matchesFields(fields, object);
    const query: ListQuery = {
      ...(namespace ? { namespace } : {}),
      fields: { ...Object.fromEntries(exact), ...(name === undefined ? {} : { 'metadata.name': name }) },
      matches,
    };
    return { query, matches, selective: labels !== undefined || fields.length > 0 };
  };

  const listBody = (kind: Kind, page: Page, form: Form, request: ApiRequest): object => {
    const { items, metadata } = page;
    if (form === 'Object') {
      const facts = custom(kind);
      const listed = facts ? items : items.map(withoutType);
      return { kind: facts?.listKind ?? `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata, items: listed };
    }
    if (form === 'PartialObjectMetadata') {
      return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: items.map(partialMetadata) };
    }
    const include = includeObject(request.query.get('includeObject'));
    const printer = custom(kind)?.printer ?? builtInPrinter(kind);
    return tableOf(printer, items, metadata, include, registry.clock.now());
  };

  const watch = (route: ResourceRoute, request: ApiRequest, asked: ListOptions): ApiAnswer => {
    const form = negotiate(request.accept, true);
    const { query, matches } = selectors(route, asked);
    const whole = presenter(route.kind, form, request);
    let first = true;
    const present = (object: KubeObject): object => {
      const shown = whole(object);
      if (form !== 'Table' || first) {
        first = false;
        return shown;
      }
      return { ...shown, columnDefinitions: null };
    };
    const { kind, namespace, name } = route;
    const target = { kind, namespace, query, matches, present, ...(name === undefined ? {} : { name }) };
    return { code: 200, watch: openWatch(registry, target, asked) };
  };

  const list = (route: ResourceRoute, request: ApiRequest, asked: ListOptions): ApiAnswer => {
    const form = negotiate(request.accept);
    const { query, selective } = selectors(route, asked);
    return { code: 200, body: listBody(route.kind, readPage(registry, route.kind, query, selective, asked), form, request) };
  };

  const read = (route: ResourceRoute, request: ApiRequest): ApiAnswer => {
    const { kind, namespace, name = '' } = route;
    const version = versionOf(request.query.get('resourceVersion') ?? '');
    const current = registry.currentVersion();
    if (version > current) throw tooLargeVersion(version, current);
    const object = registry.get(kind, namespace, name);
    if (!object) throw notFound(kind, name);
    return { code: 200, body: presenter(kind, negotiate(request.accept), request)(object) };
  };

  const removeAll = (route: ResourceRoute, request: ApiRequest): ApiAnswer => {
    const form = negotiate(request.accept);
    const asked = listQuery(request.query);
    checkListQuery(asked);
    const items = registry.removeAll(route.kind, selectors(route, asked).query, deleteOptions(request.body, request.query));
    const metadata = { resourceVersion: String(registry.currentVersion()) };
    return { code: 200, body: listBody(route.kind, { items, metadata }, form, request) };
  };

  const collection = (route: ResourceRoute, request: ApiRequest, parts: WriteParts): ApiAnswer => {
    const { kind, namespace } = route;
    // Of all namespaces a collection can only be read.
    if (kind.namespaced && namespace === '' && request.method !== 'GET') throw methodNotAllowed();
    if (request.method === 'POST') return create(parts, route, request);
    if (request.method === 'DELETE' && kind.verbs.includes('deletecollection')) return removeAll(route, request);
    throw methodNotAllowed();
  };

  const object = (route: ResourceRoute, request: ApiRequest, parts: WriteParts): ApiAnswer => {
    switch (request.method) {
      case 'GET':
        return read(route, request);
      case 'PUT':
        return update(parts, route, request);
      case 'PATCH':
        return patch(parts, route, request);
      case 'DELETE':
        if (route.subresource !== undefined) throw methodNotAllowed();
        return remove(parts, route, request);
      default:
        throw methodNotAllowed();
    }
  };

  const resource = (route: ResourceRoute, request: ApiRequest): ApiAnswer => {
    const { kind, name, subresource } = route;
    if (route.beyond || (subresource !== undefined && !kind.subresources.includes(subresource))) throw noSuchResource();
    const asked = request.method === 'GET' && subresource === undefined ? listQuery(request.query) : undefined;
    const watching = asked !== undefined && (route.watching === true || (name === undefined && asked.watch));
    const question = questionOf(route, request, watching);
    if (!allows(question)) throw refuseAccess(question);
    if (reviewKinds.includes(kind)) {
      if (request.method !== 'POST' || name !== undefined) throw methodNotAllowed();
      return answerReview(kind, request, allows);
    }
    if (asked && (watching || name === undefined)) {
      const options = { ...asked, watch: watching };
      checkListQuery(options);
      return watching ? watch(route, request, options) : list(route, request, options);
    }
    const form = negotiate(request.accept);
    const parts: WriteParts = {
      registry,
      custom,
      present: presenter(kind, form, request),
    };
    if (name === undefined) return collection(route, request, parts);
    if (subresource !== undefined && subresource !== 'status') return answerSubresource({ registry, logOf }, route, request);
    return object(route, request, parts);
  };

  const outside = (path: string, accept: string): ApiAnswer => {
    if (path === '/version' || path === '/version/') return { code: 200, body: SERVER_VERSION };
    if (/^\/(healthz|livez|readyz)(\/|$)/.test(path)) return text(200, 'ok');
    if (path === '/openapi/v2') return openApiV2(accept);
    if (path === '/openapi/v3') return openApiIndex(kindsNow());
    const found = path.startsWith('/openapi/v3/') ? openApiDocument(kindsNow(), path.slice('/openapi/v3/'.length)) : undefined;
    return found ?? text(404, '404 page not found\n');
  };

  const answer = (route: Route, request: ApiRequest): ApiAnswer => {
    if (route.to === 'resource') return resource(route, request);
    if (route.to === 'nothing') throw noSuchResource();
    if (request.method !== 'GET') {
      if (route.to === 'outside') return text(404, '404 page not found\n');
      throw methodNotAllowed();
    }
    const accept = request.accept ?? '';
    switch (route.to) {
      case 'versions':
        return coreVersions(kindsNow(), accept);
      case 'groups':
        return groupList(kindsNow(), accept);
      case 'group':
        return groupOf(kindsNow(), route.group);
      case 'resources':
        return resourceList(kindsNow(), route.group, route.version);
      case 'outside':
        return outside(route.path, accept);
    }
  };

  return (request) => {
    try {
      return answer(routeOf(served, request.path), request);
    } catch (error) {
      if (error instanceof Failure) return refusal(error);
      throw error;
    }
  };
}
