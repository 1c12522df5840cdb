/**
 * As much of OpenAPI as kubectl needs to decide what to send: which PATCH exists and which parameters it takes. There are no schemas, so
 * that kubectl merges by the types that it was built with, and `kubectl explain` has nothing to say.
 */
import type { Kind } from './api.ts';
import type { ApiAnswer } from './door.ts';
import { apiVersionOf } from './resource.ts';

/** The real Kubernetes that this one plays; the suffix says that it is not one. */
export const SERVER_VERSION = { major: '1', minor: '34', gitVersion: 'v1.34.4+drover.sim', platform: 'linux/amd64' };

const pathOfVersion = (kind: Kind) => (kind.group === '' ? `api/${kind.version}` : `apis/${apiVersionOf(kind)}`);

/** GET /openapi/v3. The hash makes clients fetch the documents of a group anew when a CRD came or went. */
export function openApiIndex(kinds: readonly Kind[]): ApiAnswer {
  const names = (path: string) => kinds.filter((kind) => pathOfVersion(kind) === path).map((kind) => kind.plural);
  const paths = [...new Set(kinds.map(pathOfVersion))].map((path) => [
    path,
    {
      serverRelativeURL: `/openapi/v3/${path}?hash=${Buffer.from(names(path).join()).toString('hex').slice(0, 64)}${names(path).length}`,
    },
  ]);
  return { code: 200, body: { paths: Object.fromEntries(paths) as object } };
}

const queryParameter = (name: string) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } });

function patchOperation(kind: Kind): object {
  const { group, version } = kind;
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map(queryParameter);
  const types = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];
  return {
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group, version, kind: kind.kind },
    parameters,
    requestBody: { content: Object.fromEntries(types.map((type) => [type, { schema: {} }])) },
    responses: { 200: { description: 'OK' } },
  };
}

/** GET /openapi/v3/api/v1 and the like; undefined when nothing of it is served. */
export function openApiDocument(kinds: readonly Kind[], path: string): ApiAnswer | undefined {
  const served = kinds.filter((kind) => pathOfVersion(kind) === path && kind.verbs.includes('patch'));
  if (!kinds.some((kind) => pathOfVersion(kind) === path)) return undefined;
  const paths = served.map((kind) => {
    const place = kind.namespaced ? '/namespaces/{namespace}' : '';
    return [`/${path}${place}/${kind.plural}/{name}`, { patch: patchOperation(kind) }];
  });
  const info = { title: 'Kubernetes', version: SERVER_VERSION.gitVersion };
  return { code: 200, body: { openapi: '3.0.0', info, paths: Object.fromEntries(paths) as object, components: { schemas: {} } } };
}

const field = (number: number, content: Buffer) => Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);

/** GET /openapi/v2: an empty document; kubectl reads it as protobuf (gnostic openapiv2.Document). */
export function openApiV2(accept: string): ApiAnswer {
  const { gitVersion } = SERVER_VERSION;
  if (!accept.includes('protobuf'))
    return {
      code: 200,
      body: { swagger: '2.0', info: { title: 'Kubernetes', version: gitVersion }, paths: {}, definitions: {} },
    };
  const info = Buffer.concat([field(1, Buffer.from('Kubernetes')), field(2, Buffer.from(gitVersion))]);
  const document = Buffer.concat([field(1, Buffer.from('2.0')), field(2, info)]);
  return { code: 200, text: document, contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' };
}
