/** Subresources that are not just a part of the object. */
import type { KubeObject, Pod } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import type { ApiAnswer, ApiRequest } from './door.ts';
import { pods } from './kinds.ts';
import { scaleChange } from './patching.ts';
import { badRequest, notFound } from './refusals.ts';
import type { Registry, Scale } from './registry.ts';
import type { ResourceRoute } from './routes.ts';
import { methodNotAllowed, success } from './status.ts';
import { tokenFor } from './token.ts';
import { deleteOptions, writeQuery } from './write-options.ts';
import { checkContentType } from './writing.ts';

export interface SubresourceParts {
  readonly registry: Registry;
  /** What a container has written so far. */
  readonly logOf: (pod: Pod, container: string) => string;
}

type Answerer = (parts: SubresourceParts, route: ResourceRoute, request: ApiRequest) => ApiAnswer;

const metadataOf = (request: ApiRequest) =>
  (request.body as { readonly metadata?: Partial<KubeObject['metadata']> } | undefined)?.metadata ?? {};

function evict({ registry }: SubresourceParts, { namespace, name = '' }: ResourceRoute, request: ApiRequest): ApiAnswer {
  checkContentType(request);
  const given = metadataOf(request).name;
  if (given && given !== name) throw badRequest('name in URL does not match name in Eviction object');
  const inBody = (request.body as { readonly deleteOptions?: object } | undefined)?.deleteOptions;
  registry.evict(namespace, name, deleteOptions(inBody, request.query));
  return success(201);
}

function bind({ registry }: SubresourceParts, { namespace, name = '' }: ResourceRoute, request: ApiRequest): ApiAnswer {
  checkContentType(request);
  const { target } = (request.body ?? {}) as { readonly target?: { readonly kind?: string; readonly name?: string } };
  if (!target?.name) throw badRequest('target.name: Required value');
  const { uid, resourceVersion, labels, annotations } = metadataOf(request);
  const { dryRun } = writeQuery(request, 'CreateOptions');
  registry.bindPod(namespace, name, {
    node: target.name,
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(labels ? { labels } : {}),
    ...(annotations ? { annotations } : {}),
    ...(dryRun ? { dryRun } : {}),
  });
  return success(201);
}

const readScale: Answerer = ({ registry }, { kind, namespace, name = '' }) => ({
  code: 200,
  body: registry.getScale(kind, namespace, name),
});

const writeScale =
  (change: (route: ResourceRoute, request: ApiRequest) => (scale: Scale) => Scale, optionsKind: string): Answerer =>
  ({ registry }, route, request) => {
    const { dryRun, fieldManager } = writeQuery(request, optionsKind);
    const { kind, namespace, name = '' } = route;
    return { code: 200, body: registry.putScale(kind, namespace, name, change(route, request), { dryRun, fieldManager }) };
  };

function givenScale(_: ResourceRoute, request: ApiRequest): () => Scale {
  checkContentType(request);
  if (typeof request.body !== 'object' || request.body === null)
    throw badRequest('the object provided is unrecognized (must be of type Scale)');
  return () => request.body as Scale;
}

function token({ registry }: SubresourceParts, { kind, namespace, name = '' }: ResourceRoute, request: ApiRequest): ApiAnswer {
  if (!registry.get(kind, namespace, name)) throw notFound(kind, name);
  const spec = ((request.body ?? {}) as { readonly spec?: { readonly expirationSeconds?: number } }).spec ?? {};
  const seconds = spec.expirationSeconds ?? 3600;
  const expirationTimestamp = timestamp(registry.clock.now() + seconds * 1000);
  const body = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace },
    spec: { audiences: ['https://kubernetes.default.svc'], boundObjectRef: null, ...spec, expirationSeconds: seconds },
    status: { token: tokenFor({ namespace, name }), expirationTimestamp },
  };
  return { code: 201, body };
}

function containerOf(pod: Pod, asked: string | null): string {
  const names = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((container) => container.name);
  const [only] = pod.spec.containers;
  if (!asked) {
    if (names.length === 1 && only) return only.name;
    throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`);
  }
  if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  return asked;
}

function log({ registry, logOf }: SubresourceParts, { namespace, name = '' }: ResourceRoute, request: ApiRequest): ApiAnswer {
  const pod = registry.get(pods, namespace, name);
  if (!pod) throw notFound(pods, name);
  const container = containerOf(pod, request.query.get('container'));
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const state = statuses.find((status) => status.name === container)?.state;
  if (!state?.running && !state?.terminated) {
    const reason = state?.waiting?.reason;
    throw badRequest(
      `container ${JSON.stringify(container)} in pod ${JSON.stringify(name)} is waiting to start: ${reason ?? 'ContainerCreating'}`,
    );
  }
  const lines = logOf(pod, container)
    .split('\n')
    .filter((line) => line !== '');
  const tail = request.query.get('tailLines');
  const shown = tail === null ? lines : lines.slice(Math.max(0, lines.length - Number(tail)));
  return { code: 200, text: shown.map((line) => `${line}\n`).join(''), contentType: 'text/plain' };
}

function finalize({ registry }: SubresourceParts, { name = '' }: ResourceRoute, request: ApiRequest): ApiAnswer {
  checkContentType(request);
  const { spec } = (request.body ?? {}) as { readonly spec?: { readonly finalizers?: readonly string[] } };
  return { code: 200, body: registry.finalizeNamespace(name, spec?.finalizers ?? []) };
}

/** By subresource and method; "status" is not among them, it is the object itself. */
const answerers: Readonly<Record<string, Readonly<Record<string, Answerer>>>> = {
  eviction: { POST: evict },
  binding: { POST: bind },
  scale: {
    GET: readScale,
    PUT: writeScale(givenScale, 'UpdateOptions'),
    PATCH: writeScale(scaleChange, 'PatchOptions'),
  },
  token: { POST: token },
  log: { GET: log },
  finalize: { PUT: finalize },
};

/** @throws Failure 405 for a method that the subresource has not. */
export function answerSubresource(parts: SubresourceParts, route: ResourceRoute, request: ApiRequest): ApiAnswer {
  const answerer = answerers[route.subresource ?? '']?.[request.method];
  if (!answerer) throw methodNotAllowed();
  return answerer(parts, route, request);
}
