/**
 * A KubeClient over objects in memory: lists, watches, merge patches, evictions, all answered at once. It records every request, and a
 * handler may answer any of them otherwise. It checks nothing; what a real API server refuses is for the beds.
 */
import { Readable } from 'node:stream';
import { type KubeClient, KubeError, type KubeRequest } from '../src/kube/client.ts';

export interface RawObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** undefined: the objects in memory answer. A KubeError that is thrown is the answer; a promise is waited for. */
export type Handler = (request: KubeRequest) => unknown;

export interface FakeClient extends KubeClient {
  /** Everything but watches, in the order in which it was sent. */
  readonly requests: readonly KubeRequest[];
  /** "PATCH /api/v1/nodes/node-1", in order; of watches too ("WATCH /api/v1/pods?spec.nodeName=node-1"). */
  readonly log: readonly string[];
  /** As if someone else had written it: every watch that selects it hears of it. */
  put(object: RawObject): void;
  remove(path: string): void;
  get(path: string): RawObject | undefined;
  handle(handler: Handler): void;
  /** Requests whose method and path begin so: "PATCH /api/v1/nodes". */
  sent(prefix: string): KubeRequest[];
}

const plurals: Readonly<Record<string, string>> = {
  Node: 'nodes',
  Pod: 'pods',
  PodDisruptionBudget: 'poddisruptionbudgets',
  ReplicaSet: 'replicasets',
  Deployment: 'deployments',
  Service: 'services',
  EndpointSlice: 'endpointslices',
  NodeMaintenance: 'nodemaintenances',
  MaintenancePolicy: 'maintenancepolicies',
};

/** "/apis/apps/v1/namespaces/shop/replicasets/web" */
export function pathOfObject({ apiVersion, kind, metadata }: RawObject): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${scope}/${plurals[kind] ?? kind}/${metadata.name}`;
}

/** Lets promises, streams and setImmediate run until nothing is left to do at this instant of a virtual clock. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 25; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

export function refusal(code: number, reason = '', more: { message?: string; retryAfterMs?: number } = {}): KubeError {
  const status = { code, reason, message: more.message ?? `refused with ${code}` };
  return new KubeError(status.message, {
    code,
    status,
    ...(more.retryAfterMs !== undefined && { retryAfterMs: more.retryAfterMs }),
  });
}

interface Watcher {
  readonly request: KubeRequest;
  readonly body: Readable;
}

export function createFakeClient(objects: readonly RawObject[] = []): FakeClient {
  const stored = new Map<string, RawObject>();
  const requests: KubeRequest[] = [];
  const log: string[] = [];
  const watchers = new Set<Watcher>();
  let handler: Handler = () => undefined;
  let version = 1;

  const send = ({ body }: Watcher, type: string, object: unknown) => void body.push(`${JSON.stringify({ type, object })}\n`);
  const tell = (type: string, path: string, object: RawObject) => {
    for (const watcher of watchers) if (selects(watcher.request, path, object)) send(watcher, type, object);
  };
  const put = (object: RawObject) => {
    const path = pathOfObject(object);
    const before = stored.get(path);
    version += 1;
    const metadata = { uid: `uid-${object.metadata.name}`, ...object.metadata, resourceVersion: String(version) };
    const next = { ...object, metadata };
    stored.set(path, next);
    tell(before ? 'MODIFIED' : 'ADDED', path, next);
    return next;
  };
  const remove = (path: string) => {
    const object = stored.get(path);
    if (!object) throw refusal(404, 'NotFound', { message: `${path} not found` });
    stored.delete(path);
    version += 1;
    tell('DELETED', path, { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
    return object;
  };
  const list = (request: KubeRequest) =>
    [...stored].filter(([path, object]) => selects(request, path, object)).map(([, object]) => object);

  const answer = (request: KubeRequest): unknown => {
    const path = request.path.replace(/\/(status|eviction)$/, '');
    const body = request.body as RawObject;
    if (request.method === 'POST' && request.path.endsWith('/eviction')) return remove(path);
    if (request.method === 'POST') return put({ ...body, metadata: { ...body.metadata, generation: 1 } });
    if (request.method === 'DELETE') return remove(path);
    const object = stored.get(path);
    if (request.method === 'GET' && isCollection(path))
      return { metadata: { resourceVersion: String(version) }, items: list(request) };
    if (!object) throw refusal(404, 'NotFound', { message: `${path} not found` });
    if (request.method !== 'PATCH') return object;
    const given = body.metadata?.['resourceVersion'];
    if (given !== undefined && given !== object.metadata['resourceVersion']) throw refusal(409, 'Conflict');
    return put(merge(object, body) as RawObject);
  };

  for (const object of objects) put(object);
  return {
    server: 'https://fake:6443',
    requests,
    log,
    put: (object) => void put(object),
    remove: (path) => void remove(path),
    get: (path) => stored.get(path),
    handle: (next) => void (handler = next),
    sent: (prefix) => requests.filter(({ method, path }) => `${method} ${path}`.startsWith(prefix)),
    async json<T>(request: KubeRequest) {
      requests.push(request);
      log.push(`${request.method} ${request.path}`);
      return ((await handler(request)) ?? answer(request)) as T;
    },
    async stream(request) {
      log.push(`WATCH ${request.path}${request.query?.['fieldSelector'] ? `?${request.query['fieldSelector']}` : ''}`);
      await handler(request);
      const watcher: Watcher = { request, body: new Readable({ read() {} }) };
      watchers.add(watcher);
      watcher.body.once('close', () => watchers.delete(watcher));
      if (request.query?.['sendInitialEvents'] === true) {
        for (const object of list(request)) send(watcher, 'ADDED', object);
        const annotations = { 'k8s.io/initial-events-end': 'true' };
        send(watcher, 'BOOKMARK', { metadata: { resourceVersion: String(version), annotations } });
      }
      return { body: watcher.body, contentType: 'application/json' };
    },
    close() {},
  };
}

function isCollection(path: string): boolean {
  return Object.values(plurals).includes(path.slice(path.lastIndexOf('/') + 1));
}

function selects({ path: wanted, query }: KubeRequest, path: string, object: RawObject): boolean {
  const collection = path.slice(0, path.lastIndexOf('/'));
  if (wanted !== collection && wanted !== collection.replace(/\/namespaces\/[^/]+/, '')) return false;
  const { fieldSelector, labelSelector } = query ?? {};
  if (typeof labelSelector === 'string' && !(labelSelector in ((object.metadata['labels'] as object | undefined) ?? {})))
    return false;
  if (typeof fieldSelector !== 'string') return true;
  const [field = '', value] = fieldSelector.split('=');
  return field.split('.').reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], object) === value;
}

/** RFC 7396. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(typeof target === 'object' && !Array.isArray(target) ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
