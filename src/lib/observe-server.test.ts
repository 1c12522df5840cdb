import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualClock, createWallClock } from './clock.ts';
import { type Log, silentLog } from './log.ts';
import { createRegistry } from './metrics.ts';
import { type ObserveServer, parseAddress, passCheck, type ServerOptions, startServer } from './observe-server.ts';

const servers: ObserveServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function start(
  overrides: Partial<ServerOptions> = {},
): Promise<{ server: ObserveServer; get: (path: string, method?: string) => ReturnType<typeof ask> }> {
  const server = await startServer({
    address: '127.0.0.1:0',
    registry: createRegistry(),
    healthz: [],
    readyz: [],
    clock: createWallClock(),
    log: silentLog,
    ...overrides,
  });
  servers.push(server);
  return { server, get: (path, method = 'GET') => ask(server.port, path, method) };
}

// The default agent keeps its connections; `false` opens a new one.
function ask(port: number, path: string, method: string, agent?: false): Promise<{ code: number; type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, ...(agent === false && { agent }) }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ code: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body }));
    });
    asked.on('error', reject).end();
  });
}

describe('the observation server', () => {
  it('answers /metrics with the exposition and its content type', async () => {
    const registry = createRegistry();
    registry.gauge({ name: 'g', help: 'G.' }).set({}, 7);
    const { get } = await start({ registry });
    expect(await get('/metrics')).toEqual({
      code: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: '# HELP g G.\n# TYPE g gauge\ng 7\n',
    });
  });

  it('answers health line by line, 503 when one check fails', async () => {
    let wrong: string | null = null;
    const checks = [
      { name: 'loop', failing: () => null },
      { name: 'watches', failing: () => wrong },
    ];
    const { get } = await start({ healthz: [], readyz: checks });
    expect(await get('/readyz?verbose')).toMatchObject({ code: 200, body: '[+]loop ok\n[+]watches ok\nok\n' });
    wrong = 'nodes have not been read';
    expect(await get('/readyz')).toMatchObject({
      code: 503,
      body: '[+]loop ok\n[-]watches failed: nodes have not been read\nfailed\n',
    });
    expect(await get('/healthz')).toMatchObject({ code: 200, body: 'ok\n' });
  });

  it('serves nothing else and takes nothing', async () => {
    const { get } = await start();
    expect(await get('/')).toMatchObject({ code: 404, body: 'not found; there are /metrics, /healthz and /readyz\n' });
    expect(await get('/metrics', 'POST')).toMatchObject({ code: 405 });
    expect(await get('/healthz', 'HEAD')).toMatchObject({ code: 200, body: '' });
  });

  it('answers 500 and goes on when a check breaks, and tells the log but not the caller why', async () => {
    const errors: string[] = [];
    const log: Log = { ...silentLog, error: (message) => errors.push(message) };
    const broken = () => {
      throw new Error('secret detail');
    };
    const { get } = await start({ healthz: [{ name: 'a', failing: broken }], log });
    expect(await get('/healthz')).toMatchObject({ code: 500, body: 'internal error; see the log\n' });
    expect(errors).toEqual(['cannot answer /healthz: secret detail']);
    expect(await get('/readyz')).toMatchObject({ code: 200 });
  });

  it('says in one line that the port is taken', async () => {
    const { server } = await start();
    await expect(start({ address: `127.0.0.1:${server.port}` })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${server.port}: the port is in use; choose another one, or stop what has it`,
    );
  });

  it('says in one line that the address is not one of this machine', async () => {
    await expect(start({ address: '192.0.2.1:0' })).rejects.toThrow(
      'cannot listen on 192.0.2.1:0: this machine has no such address',
    );
  });

  it('closes although a caller keeps its connection', async () => {
    const { server, get } = await start();
    await get('/healthz');
    await servers.splice(0)[0]?.close();
    await expect(ask(server.port, '/healthz', 'GET', false)).rejects.toThrow('ECONNREFUSED');
  });

  it('does not wait for a caller that never finishes its question', async () => {
    const clock = createVirtualClock();
    const { server } = await start({ clock });
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {}); // a reset is as good as an end
    await once(socket, 'connect');
    socket.write('GET /metrics HTTP/1.1\r\nHost:');
    // Another exchange, so that the server has surely read what came before it.
    await ask(server.port, '/healthz', 'GET', false);
    const ended = once(socket, 'close');
    const closed = servers.splice(0)[0]?.close();
    await clock.advance(1_000);
    await Promise.all([closed, ended]);
    expect(clock.next()).toBeUndefined();
  });
});

describe('parseAddress', () => {
  it.each([
    [':8080', { port: 8080 }],
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
  ])('reads %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  it.each(['', '8080', 'host', 'host:', 'host:http', ':65536', '::1:8080', '[::1]'])('refuses "%s"', (text) => {
    expect(() => parseAddress(text)).toThrow('is not an address to listen on; write it like :8080, 127.0.0.1:8080 or [::1]:8080');
  });
});

describe('passCheck', () => {
  it('fails when the loop has not come round in time, and is well while there is none to come', async () => {
    const clock = createVirtualClock(1_000_000);
    let last: number | null = null;
    const check = passCheck(clock, () => last, 60_000);
    expect(check.failing()).toBeNull();
    last = clock.now();
    await clock.advance(60_000);
    expect(check.failing()).toBeNull();
    await clock.advance(1_000);
    expect(check.failing()).toBe('no pass for 61s, at most 60s is well');
  });
});
