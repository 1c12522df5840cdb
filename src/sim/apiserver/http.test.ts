import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { anonymousAccess } from '../../kube/access.ts';
import { KubeError } from '../../kube/client.ts';
import { loadAccess } from '../../kube/kubeconfig.ts';
import { connect } from '../../kube/request.ts';
import { testCertificate } from '../../kube/testing/certificate.ts';
import { silentLog } from '../../lib/log.ts';
import { createDoorBed, type DoorBed } from '../testing/door-bed.ts';
import type { AccessRule } from './door.ts';
import { type ApiServer, startApiServer, type ServeOptions } from './http.ts';

const PODS = '/api/v1/namespaces/default/pods';
const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function serve(bed: DoorBed, more: Partial<ServeOptions> = {}): Promise<ApiServer> {
  const server = await startApiServer({ handle: bed.handle, ...more });
  open.push(() => server.close());
  return server;
}

function clientOf(url: string) {
  const client = connect(anonymousAccess(url), { userAgent: 'drover/1', log: silentLog });
  open.push(() => client.close());
  return client;
}

function raw(url: string, options: http.RequestOptions, body?: string | Buffer) {
  return new Promise<{ code: number; headers: http.IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const request = http.request(url, { agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ code: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

describe('the API server on HTTP', () => {
  it('answers Drover’s own client: reading, writing, refusing', async () => {
    const bed = createDoorBed();
    const client = clientOf((await serve(bed)).url);
    const body = { metadata: { name: 'a' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    expect(await client.json({ method: 'POST', path: PODS, body })).toMatchObject({ metadata: { name: 'a' } });
    const patch = { method: 'PATCH', path: `${PODS}/a`, contentType: 'application/merge-patch+json' } as const;
    await client.json({ ...patch, body: { metadata: { labels: { x: 'y' } } } });
    expect(bed.readPod('a')?.metadata.labels).toEqual({ x: 'y' });
    await expect(client.json({ method: 'GET', path: `${PODS}/b` })).rejects.toBeInstanceOf(KubeError);
  });

  it('streams a watch in chunks, and lets go of it when the client goes', async () => {
    const bed = createDoorBed();
    const quiet = bed.clock.next();
    const client = clientOf((await serve(bed)).url);
    const { body } = await client.stream({ method: 'GET', path: PODS, query: { watch: true } });
    bed.pod('a');
    for await (const chunk of body as AsyncIterable<Buffer>) {
      expect(JSON.parse(chunk.toString())).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
      break;
    }
    await expect.poll(() => bed.clock.next()).toBe(quiet);
  });

  it('reads YAML where the content type says so', async () => {
    const bed = createDoorBed();
    const { url } = await serve(bed);
    const headers = { 'Content-Type': 'application/yaml' };
    const yaml = 'metadata:\n  name: a\nspec:\n  containers:\n  - name: c\n    image: i\n';
    expect((await raw(url + PODS, { method: 'POST', headers }, yaml)).code).toBe(201);
  });

  it.each([
    ['application/json', '{"metadata":'],
    ['application/yaml', 'a: [1'],
    ['application/vnd.kubernetes.protobuf', 'none'],
  ])('answers 400 to %s that cannot be read', async (type, body) => {
    const { url } = await serve(createDoorBed());
    const { code, text } = await raw(url + PODS, { method: 'POST', headers: { 'Content-Type': type } }, body);
    expect([code, JSON.parse(text).reason]).toEqual([400, 'BadRequest']);
  });

  it('answers 413 to a body of more than three megabytes', async () => {
    const { url } = await serve(createDoorBed());
    expect((await raw(url + PODS, { method: 'POST' }, Buffer.alloc(3 * 1024 * 1024 + 1, ' '))).code).toBe(413);
  });

  it('sends warnings of unknown fields in a header', async () => {
    const { url } = await serve(createDoorBed());
    const pod = { metadata: { name: 'a' }, spec: { colour: 'red', containers: [{ name: 'c', image: 'i' }] } };
    const { headers } = await raw(url + PODS, { method: 'POST' }, JSON.stringify(pod));
    expect(headers.warning).toBe('299 - "unknown field \\"spec.colour\\""');
  });

  it('answers 500 to a defect and tells whoever listens', async () => {
    const defects: unknown[] = [];
    const broken = createDoorBed();
    const handle = () => {
      throw new TypeError('broken');
    };
    const { url } = await serve(broken, { handle, onDefect: (error) => void defects.push(error) });
    const { code, text } = await raw(url + PODS, {});
    expect([code, JSON.parse(text).message, defects.length]).toEqual([500, 'Internal error occurred: broken', 1]);
  });

  it('knows who asks by the token of a service account or by impersonation', async () => {
    const allows: AccessRule = ({ user, verb }) => user.name === 'kubernetes-admin' || verb === 'get';
    const bed = createDoorBed({ allows });
    const client = clientOf((await serve(bed)).url);
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await client.json({ method: 'POST', path: accounts, body: { metadata: { name: 'robot' } } });
    const made = await client.json<{ status: { token: string } }>({ method: 'POST', path: `${accounts}/robot/token`, body: {} });
    const as = (headers: Record<string, string>) => raw(client.server + PODS, { headers });
    expect((await as({ Authorization: `Bearer ${made.status.token}` })).text).toContain('system:serviceaccount:default:robot');
    expect((await as({ 'Impersonate-User': 'jane' })).text).toContain('User \\"jane\\" cannot list');
    expect((await as({})).code).toBe(200);
  });

  it('says in one line that its port is in use', async () => {
    const { port } = await serve(createDoorBed());
    await expect(startApiServer({ handle: createDoorBed().handle, port })).rejects.toThrow(
      `cannot serve the simulated cluster: 127.0.0.1:${port} is in use; choose another one, or 0 for any free port`,
    );
  });

  it('gives a kubeconfig that Drover’s client follows, with TLS too', async () => {
    const bed = createDoorBed();
    bed.pod('a');
    const authority = testCertificate({ common: 'authority' });
    const leaf = testCertificate({ common: 'server', issuer: authority, addresses: ['127.0.0.1'] });
    const server = await serve(bed, { tls: { key: leaf.key, certificate: leaf.cert, authority: authority.cert } });
    const folder = mkdtempSync(join(tmpdir(), 'drover-sim-'));
    open.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'config');
    writeFileSync(file, server.kubeconfig);
    const client = connect(loadAccess({ kubeconfig: file, env: {} }), { userAgent: 'drover/1', log: silentLog });
    open.push(() => client.close());
    expect(server.url).toMatch(/^https:/);
    expect(await client.json({ method: 'GET', path: `${PODS}/a` })).toMatchObject({ metadata: { name: 'a' } });
  });

  it('ends open watches when it closes', async () => {
    const server = await startApiServer({ handle: createDoorBed().handle });
    const { body } = await clientOf(server.url).stream({ method: 'GET', path: PODS, query: { watch: true } });
    await server.close();
    await expect(body[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
