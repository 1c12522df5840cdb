/** The simulated API server: the store, the rules of the kinds, and the ways to write, wired into one `Api`. */
import type { Clock } from '../../lib/clock.ts';
import type { KubeObject } from '../kubernetes.ts';
import { byKey, type Entry } from '../store/collection.ts';
import { matchesFields, type FieldRequirement } from '../store/field-selectors.ts';
import { matchesSelector } from '../store/label-selectors.ts';
import { createStore } from '../store/store.ts';
import { timestamp } from '../timestamp.ts';
import type { Kind, WatchEvent } from './api.ts';
import { bindPod } from './bind.ts';
import { convertedEvents } from './convert.ts';
import { createObject } from './create.ts';
import { evictPod } from './evict.ts';
import { builtInKinds, namespaces, priorityClasses } from './kinds.ts';
import { loadObjects } from './load.ts';
import { expired, notFound } from './refusals.ts';
import { type Core, type ListQuery, type Registry } from './registry.ts';
import { finalizeNamespace, removeNamespace } from './remove-namespace.ts';
import { removeEntry } from './remove.ts';
import { createResources, isNamespace, type Resource } from './resource.ts';
import { changeScale, scaleOf } from './scale.ts';
import { SYSTEM_PRIORITIES } from './strategies/plain.ts';
import { optionsOf, strategyFor } from './strategies/table.ts';
import { replaceObject, type ReplaceOptions } from './update.ts';

export interface ApiOptions {
  readonly clock: Clock;
  /** Seeded: 0 <= x < 1. */
  readonly random: () => number;
  /** Events kept of each kind for watches that come back from an old version. Default 4096. */
  readonly history?: number;
  /** Made at the start. Default: default, kube-system, kube-public, kube-node-lease. */
  readonly namespaces?: readonly string[];
}

export function createApi(options: ApiOptions): Registry {
  const { clock, random } = options;
  const store = createStore(options.history === undefined ? {} : { history: options.history });
  const resources = createResources(store);
  const core: Core = {
    clock,
    random,
    store,
    resources,
    now: () => timestamp(clock.now()),
    get: (kind, namespace, name) => entryOf(resources.of(kind), namespace, name)?.object as never,
    list: (kind) =>
      resources
        .of(kind)
        .shelf.objects.ordered()
        .map(({ object }) => object) as never,
    taken: (kind, value) => !isEmpty(resources.of(kind).shelf.objects.indexed(value)),
  };
  for (const kind of builtInKinds) resources.serve(kind, strategyFor(kind), optionsOf(kind));

  const served = (resource: Resource, object: KubeObject): never =>
    (resource.conversion ? resource.conversion.fromStored(object) : object) as never;
  const stored = (resource: Resource, object: KubeObject): KubeObject =>
    resource.conversion ? resource.conversion.toStored(object) : object;
  const find = (resource: Resource, namespace: string, name: string): Entry => {
    const entry = entryOf(resource, namespace, name);
    if (!entry) throw notFound(resource.kind, name);
    return entry;
  };
  const select = (resource: Resource, query: ListQuery): readonly KubeObject[] => {
    const items: KubeObject[] = [];
    const matches = matcher(query);
    for (const { object } of candidates(resource, query)) {
      const item: KubeObject = resource.conversion ? resource.conversion.fromStored(object) : object;
      if (!matches || matches(item)) items.push(item);
    }
    return items;
  };
  const change = (entry: Entry, resource: Resource, to: (object: never) => KubeObject, write?: ReplaceOptions): never => {
    const current = resource.conversion ? resource.conversion.fromStored(entry.object) : entry.object;
    const next = to(current as never);
    if (next === current) return current as never;
    return served(resource, replaceObject(core, resource, entry, stored(resource, next), write));
  };
  const remove = (resource: Resource, entry: Entry, how = {}) =>
    (isNamespace(resource.kind) ? removeNamespace : removeEntry)(core, resource, entry, how);

  const api: Registry = {
    clock,
    random,
    get: (kind, namespace, name) => {
      const resource = resources.of(kind);
      const entry = entryOf(resource, namespace, name);
      return entry && served(resource, entry.object);
    },
    byUid: (kind, uid) => {
      const resource = resources.of(kind);
      const entry = resource.shelf.objects.byUid(uid);
      return entry && served(resource, entry.object);
    },
    list: (kind, query = {}) => select(resources.of(kind), query) as never,
    listAt: (kind, query = {}) => ({ items: select(resources.of(kind), query) as never, version: store.version() }),
    count: (kind) => resources.of(kind).shelf.objects.size(),
    dependents: (kind, uid) => {
      const resource = resources.of(kind);
      return Array.from(resource.shelf.objects.ownedBy(uid), ({ object }) => served(resource, object));
    },
    create: (kind, object, write = {}) => {
      const resource = resources.of(kind);
      return served(resource, createObject(core, resource, object, write));
    },
    update: (kind, object, write) => api.put(kind, object, write).object,
    put: (kind, object, write) => {
      const resource = resources.of(kind);
      const { namespace = '', name } = object.metadata;
      const entry = entryOf(resource, namespace, name);
      if (entry) return { object: change(entry, resource, () => object, { ...write, put: true }), created: false };
      if (!resource.strategy.createOnUpdate || write?.subresource === 'status') throw notFound(kind, name);
      return { object: served(resource, createObject(core, resource, object, write ?? {})), created: true };
    },
    modify: (kind, namespace, name, to, write) => {
      const resource = resources.of(kind);
      const entry = entryOf(resource, namespace, name);
      return entry && change(entry, resource, to, write);
    },
    patch: (kind, namespace, name, to, write) => {
      const resource = resources.of(kind);
      return change(find(resource, namespace, name), resource, to, write);
    },
    remove: (kind, namespace, name, how) => {
      const resource = resources.of(kind);
      return served(resource, remove(resource, find(resource, namespace, name), how).object);
    },
    removeAll: (kind, query = {}, how = {}) => {
      const resource = resources.of(kind);
      return select(resource, query).map((object) => {
        const entry = entryOf(resource, object.metadata.namespace ?? '', object.metadata.name);
        return entry ? served(resource, remove(resource, entry, how).object) : object;
      });
    },
    evict: (namespace, name, how = {}) => evictPod(core, namespace, name, how),
    bind: (namespace, name, node) => bindPod(core, namespace, name, { node }),
    bindPod: (namespace, name, binding) => bindPod(core, namespace, name, binding),
    getScale: (kind, namespace, name) => {
      const resource = resources.of(kind);
      return scaleOf(resource, find(resource, namespace, name).object);
    },
    putScale: (kind, namespace, name, to, write = {}) => {
      const resource = resources.of(kind);
      return changeScale(core, resource, find(resource, namespace, name), to, write);
    },
    finalizeNamespace: (name, finalizers) => {
      const resource = resources.of(namespaces);
      return finalizeNamespace(core, resource, find(resource, '', name), finalizers);
    },
    watch: (kind, handler, { replay = false } = {}) => {
      const resource = resources.of(kind);
      return store.watch(resource.shelf, told(resource, handler as never), replay);
    },
    watchFrom: (kind, version, handler, query = {}) => {
      const resource = resources.of(kind);
      const { shelf } = resource;
      const scope = { value: nodeIn(kind, query), namespace: (kind.namespaced && query.namespace) || undefined };
      const stop = store.watchSince(shelf, version, told(resource, handler as never), scope);
      if (!stop) throw expired(`too old resource version: ${version} (${shelf.history.oldest()})`);
      return stop;
    },
    currentVersion: () => store.version(),
    compact: (version) => store.compact(version),
    kinds: () => resources.all(),
    findKind: (group, version, plural) => resources.find(group, version, plural),
    serve: (kind, strategy, how) => resources.serve(kind, strategy, how),
    withdraw: (kind) => resources.withdraw(kind),
    strategyOf: (kind) => resources.of(kind).strategy,
    load: (objects, how) => loadObjects(core, objects, how),
  };

  for (const name of options.namespaces ?? ['default', 'kube-system', 'kube-public', 'kube-node-lease'])
    api.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  for (const [name, value] of Object.entries(SYSTEM_PRIORITIES))
    api.create(priorityClasses, { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value });
  return api;
}

const isEmpty = (entries: Iterable<unknown>) => {
  for (const _ of entries) return false;
  return true;
};

const entryOf = ({ kind, shelf }: Resource, namespace: string, name: string): Entry | undefined =>
  shelf.objects.find(kind.namespaced ? namespace : '', name);

/** Pods are indexed by their node. */
const nodeIn = (kind: Kind, { fields }: ListQuery): string | undefined =>
  (kind.plural === 'pods' && kind.group === '' && fields?.['spec.nodeName']) || undefined;

/** The narrowest index that answers the query. */
function candidates({ kind, shelf }: Resource, query: ListQuery): Iterable<Entry> {
  const { namespace, fields } = query;
  const node = nodeIn(kind, query);
  if (node) {
    const found = [...shelf.objects.indexed(node)].sort(byKey);
    return namespace ? found.filter(({ object }) => object.metadata.namespace === namespace) : found;
  }
  const name = fields?.['metadata.name'];
  if (name !== undefined && (namespace || !kind.namespaced)) {
    const entry = shelf.objects.find(kind.namespaced ? (namespace ?? '') : '', name);
    return entry ? [entry] : [];
  }
  return shelf.objects.ordered(kind.namespaced && namespace ? namespace : undefined);
}

function matcher({ labels, fields, matches }: ListQuery): ((object: KubeObject) => boolean) | undefined {
  if (!labels && !fields) return matches;
  const required: readonly FieldRequirement[] = Object.entries(fields ?? {}).map(([field, value]) => ({
    field,
    equals: true,
    value,
  }));
  return (object) =>
    (!labels || matchesSelector(labels, object.metadata.labels)) &&
    matchesFields(required, object) &&
    (!matches || matches(object));
}

const told = (resource: Resource, handler: (event: WatchEvent<KubeObject>) => void) =>
  resource.conversion ? convertedEvents(resource.conversion, handler) : handler;
