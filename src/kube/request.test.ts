import type http from 'node:http';
import net from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { anonymousAccess, type ClusterAccess, fixedCredential } from './access.ts';
import { type KubeClient, KubeError, type KubeRequest, pathOf } from './client.ts';
import { connect } from './request.ts';
import { bodyOf, fakeServer, sendJson } from './testing/fake-server.ts';

const get = (path: string, more: Partial<KubeRequest> = {}): KubeRequest => ({ method: 'GET', path, ...more });

function clientOf(url: string, access: Partial<ClusterAccess> = {}): KubeClient {
  return connect({ ...anonymousAccess(url), ...access }, { userAgent: 'drover/test', log: silentLog });
}

async function errorOf(promise: Promise<unknown>): Promise<KubeError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubeError)) throw new Error(`no KubeError but ${String(error)}`);
  return error;
}

describe('a stream', () => {
  it('begins on an idle socket where there is one, keeps it for itself, and ends it', async () => {
    await using server = await fakeServer((request, response) => {
      if (request.url === '/watch') response.writeHead(200).write('{}\n');
      else sendJson(response, 200, { ok: true });
    });
    const client = clientOf(server.url);
    await client.json(get('/warm'));
    const { body } = await client.stream(get('/watch'));
    expect(server.accepted, 'the stream is on the socket of the request').toBe(1);
    await client.json(get('/beside'));
    expect(server.accepted, 'no request waits for a stream').toBe(2);
    body.destroy();
    while (server.open.size > 1) await nextTurn();
    await client.json(get('/after'));
    expect(server.accepted, 'the socket of the stream is not used again').toBe(2);
  });

  it('that the server ends leaves no socket behind', async () => {
    await using server = await fakeServer((request, response) => {
      if (request.url === '/watch') response.writeHead(200).end('{}\n');
      else sendJson(response, 200, { ok: true });
    });
    const client = clientOf(server.url);
    await client.json(get('/warm'));
    const { body } = await client.stream(get('/watch'));
    body.resume();
    while (server.open.size > 0) await nextTurn();
    await client.json(get('/after'));
    expect(server.accepted).toBe(2);
  });
});

describe('a request', () => {
  it('sends path prefix, query, body and headers, and asks for no compression', async () => {
    const seen: { url?: string | undefined; headers: http.IncomingHttpHeaders; body: unknown }[] = [];
    await using server = await fakeServer(async (request, response) => {
      seen.push({ url: request.url, headers: request.headers, body: await bodyOf(request) });
      sendJson(response, 200, { ok: true });
    });
    const client = clientOf(`${server.url}/k8s/clusters/c-1/`, {
      credentials: fixedCredential('me', { token: 'abc' }),
      impersonate: { user: 'jane', groups: ['a', 'b'], extra: { 'x.io/Why': ['because'] } },
    });
    const answer = await client.json({
      method: 'PATCH',
      path: pathOf('api', 'v1', 'nodes', 'a b'),
      query: { dryRun: 'All', labelSelector: 'a=b,c in (d)', skipped: undefined, force: true },
      body: { n: 'ü' },
      contentType: 'application/merge-patch+json',
    });
    expect(answer).toEqual({ ok: true });
    expect(client.server).toBe(`${server.url}/k8s/clusters/c-1`);
    const [{ url, headers, body } = { headers: {}, body: undefined }] = seen;
    expect(url).toBe('/k8s/clusters/c-1/api/v1/nodes/a%20b?dryRun=All&labelSelector=a%3Db%2Cc+in+%28d%29&force=true');
    expect(body).toEqual({ n: 'ü' });
    expect(headers).toMatchObject({
      authorization: 'Bearer abc',
      'user-agent': 'drover/test',
      'content-type': 'application/merge-patch+json',
      'impersonate-user': 'jane',
      'impersonate-group': 'a, b',
      'impersonate-extra-x.io%2fwhy': 'because',
    });
    expect(headers['accept-encoding']).toBeUndefined();
  });

  it('keeps its socket for the next one, and close() closes it', async () => {
    await using server = await fakeServer((_, response) => sendJson(response, 200, {}));
    const client = clientOf(server.url);
    await client.json(get('/a'));
    await client.json(get('/b'));
    expect(server.accepted).toBe(1);
    client.close();
    while (server.open.size > 0) await nextTurn();
  });

  it('answers undefined for an empty body', async () => {
    await using server = await fakeServer((_, response) => response.writeHead(200).end());
    expect(await clientOf(server.url).json(get('/a'))).toBeUndefined();
  });

  it('rejects with the reason of its signal, before and during', async () => {
    const stop = new AbortController();
    await using server = await fakeServer(() => stop.abort(new Error('enough')));
    const client = clientOf(server.url);
    await expect(client.json(get('/a', { signal: stop.signal }))).rejects.toThrow('enough');
    await expect(client.json(get('/a', { signal: stop.signal }))).rejects.toThrow('enough');
    expect(server.accepted).toBe(1);
  });
});

describe('an error', () => {
  it('names the server when nobody listens', async () => {
    const gone = await fakeServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    const error = await errorOf(clientOf(gone.url).json(get('/a')));
    expect(error).toMatchObject({
      code: 0,
      reason: 'Unreachable',
      message: `cannot reach ${gone.url}: connection refused; is the cluster up, and is the right context selected?`,
    });
  });

  it('carries the Status, the server message and Retry-After', async () => {
    const status = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'nodes is forbidden', details: { kind: 'nodes' } };
    await using server = await fakeServer((_, response) => sendJson(response, 403, status, { 'Retry-After': '7' }));
    const error = await errorOf(clientOf(server.url).json(get('/a')));
    expect(error).toMatchObject({ code: 403, reason: 'Forbidden', retryAfterMs: 7000, status });
    expect(error.message).toBe(`forbidden (403) at ${server.url}: nodes is forbidden`);
  });

  it('reads a Status that comes as protobuf', async () => {
    // Status{message=3: "gone", reason=4: "Expired", code=6: 410} in an Unknown, as kube-apiserver answers to a protobuf request.
    const status = Buffer.from('1a04676f6e65220745787069726564309a03', 'hex');
    const body = Buffer.concat([Buffer.from('k8s\0'), Buffer.from([0x12, status.length]), status]);
    await using server = await fakeServer((_, response) =>
      response.writeHead(410, { 'Content-Type': 'application/vnd.kubernetes.protobuf' }).end(body),
    );
    const error = await errorOf(clientOf(server.url).stream(get('/a')));
    expect(error).toMatchObject({ code: 410, reason: 'Expired', message: 'GET /a failed with 410: gone' });
  });

  it('tells a redirect, a text and a page that is not JSON apart', async () => {
    await using server = await fakeServer((request, response) => {
      if (request.url === '/redirect') response.writeHead(302, { Location: '/login' }).end();
      else if (request.url === '/text')
        response.writeHead(503, { 'Content-Type': 'text/plain' }).end('no healthy upstream\nmore');
      else response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>');
    });
    const client = clientOf(server.url);
    expect((await errorOf(client.json(get('/redirect')))).message).toContain(
      'redirect (302); is this the address of an API server?',
    );
    expect((await errorOf(client.json(get('/text')))).message).toBe('GET /text failed with 503: no healthy upstream');
    expect(await errorOf(client.json(get('/html')))).toMatchObject({ code: 200, reason: 'NotJson' });
  });

  it('says how long it waited when no answer comes, also when the answer stops in the middle', async () => {
    const clock = createVirtualClock();
    await using server = await fakeServer((request, response) => {
      if (request.url === '/half') response.writeHead(200).write('{"a":');
      void clock.advance(0).then(() => clock.advance(12_000));
    });
    const client = connect(anonymousAccess(server.url), { userAgent: 'x', log: silentLog, clock });
    const silent = await errorOf(client.json(get('/none', { timeoutMs: 12_000 })));
    expect(silent).toMatchObject({ code: 0, reason: 'Timeout' });
    expect(silent.message).toContain(`${server.url} did not answer GET /none within 12 s`);
    expect(await errorOf(client.json(get('/half', { timeoutMs: 12_000 })))).toMatchObject({ code: 0, reason: 'Timeout' });
    expect(clock.next()).toBeUndefined();
  });

  it('never holds a token, a password or a user of the address', async () => {
    await using server = await fakeServer((_, response) => sendJson(response, 401, {}));
    const url = server.url.replace('http://', 'http://admin:hunter2@');
    const client = clientOf(url, { credentials: fixedCredential('user "x" of config', { token: 'topsecret' }) });
    const error = await errorOf(client.json(get('/a')));
    expect(error.message).toBe(
      `${server.url} does not accept the credentials of user "x" of config (401); log in again, or choose another user or context`,
    );
    expect(JSON.stringify([error.message, error.stack, client.server])).not.toMatch(/topsecret|hunter2/);
  });

  it('says that credentials could not be had', async () => {
    await using server = await fakeServer((_, response) => sendJson(response, 200, {}));
    const credentials = {
      owner: 'x',
      current: () => Promise.reject(new Error('the plugin aws is not installed')),
      renew: async () => true,
    };
    const error = await errorOf(clientOf(server.url, { credentials }).json(get('/a')));
    expect(error).toMatchObject({
      code: 0,
      reason: 'Credentials',
      message: `no credentials for ${server.url}: the plugin aws is not installed`,
    });
    expect(server.accepted).toBe(0);
  });
});

describe('a 401', () => {
  const renewing = (tokens: string[], renews: boolean) => {
    let at = 0;
    return {
      owner: 'x',
      current: async () => ({ token: tokens[at] ?? '' }),
      renew: async () => {
        at++;
        return renews;
      },
    };
  };

  it('renews the credentials once and sends the request again', async () => {
    const seen: unknown[] = [];
    await using server = await fakeServer(async (request, response) => {
      seen.push([request.headers.authorization, await bodyOf(request)]);
      sendJson(response, request.headers.authorization === 'Bearer new' ? 200 : 401, {});
    });
    await clientOf(server.url, { credentials: renewing(['old', 'new'], true) }).json({
      method: 'POST',
      path: '/a',
      body: { n: 1 },
    });
    expect(seen).toEqual([
      ['Bearer old', { n: 1 }],
      ['Bearer new', { n: 1 }],
    ]);
  });

  it('is final when the new credentials are refused too, or there are none', async () => {
    let requests = 0;
    await using server = await fakeServer((_, response) => {
      requests++;
      sendJson(response, 401, {});
    });
    await errorOf(clientOf(server.url, { credentials: renewing(['a', 'b', 'c'], true) }).json(get('/a')));
    expect(requests).toBe(2);
    await errorOf(clientOf(server.url, { credentials: renewing(['a'], false) }).json(get('/a')));
    expect(requests).toBe(3);
  });
});

describe('a kept-alive socket that the server has closed', () => {
  /** Answers the first request of a connection; at the second it cuts the connection, as a restarted API server does. */
  async function oncePerSocket() {
    const requests: string[] = [];
    const server = net.createServer((socket) => {
      let answered = false;
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        requests.push(bytes.toString().split(' ', 2).join(' '));
        if (answered) {
          socket.resetAndDestroy();
          return;
        }
        answered = true;
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    return { url: `http://127.0.0.1:${port}`, requests, close: () => server.close() };
  }

  it.each([
    ['GET', undefined],
    ['DELETE', undefined],
    ['POST', true],
  ] as const)('is replaced and %s (idempotent: %s) sent again', async (method, idempotent) => {
    const { url, requests, close } = await oncePerSocket();
    const client = clientOf(url);
    await client.json(get('/first'));
    await client.json({ method, path: '/second', ...(idempotent ? { idempotent } : {}) });
    expect(requests).toEqual(['GET /first', `${method} /second`, `${method} /second`]);
    client.close();
    close();
  });

  it.each(['POST', 'PUT', 'PATCH'] as const)('fails a %s that nobody called idempotent', async (method) => {
    const { url, requests, close } = await oncePerSocket();
    const client = clientOf(url);
    await client.json(get('/first'));
    expect(await errorOf(client.json({ method, path: '/second', body: {} }))).toMatchObject({ code: 0, reason: 'Cut' });
    expect(requests.filter((line) => line === `${method} /second`)).toHaveLength(1);
    close();
  });
});

describe('a stream', () => {
  it('has a socket of its own, which goes with it', async () => {
    await using server = await fakeServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json;stream=watch' }).write('{"a":1}\n');
    });
    const client = clientOf(server.url);
    const { body, contentType } = await client.stream(get('/watch'));
    expect(contentType).toBe('application/json;stream=watch');
    for await (const chunk of body) {
      expect(String(chunk)).toBe('{"a":1}\n');
      break;
    }
    while (server.open.size > 0) await nextTurn();
    expect(server.accepted).toBe(1);
  });

  it('ends with an error when it is cut, and with the reason when it is aborted', async () => {
    await using server = await fakeServer((request, response) => {
      response.writeHead(200).write('x');
      if (request.url === '/cut') request.socket.resetAndDestroy();
    });
    const client = clientOf(server.url);
    const drain = async (path: string, signal?: AbortSignal, onChunk?: () => void) => {
      const { body } = await client.stream(get(path, signal ? { signal } : {}));
      for await (const _ of body) onChunk?.();
    };
    await expect(drain('/cut')).rejects.toThrow();
    const stop = new AbortController();
    await expect(drain('/stay', stop.signal, () => stop.abort(new Error('watchdog')))).rejects.toThrow('watchdog');
  });
});
