/** /metrics, /healthz and /readyz on one address. Nothing else is served, and nothing is changed from here. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock, Millis } from './clock.ts';
import type { Log } from './log.ts';
import type { Registry } from './metrics.ts';

export interface Check {
  readonly name: string;
  /** What is wrong, one line; null when it is well. */
  readonly failing: () => string | null;
}

export interface ServerOptions {
  /** ":8080", "127.0.0.1:8080", "[::1]:8080"; port 0 takes a free one. */
  readonly address: string;
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
  /** Fails: the process is to be restarted. */
  readonly healthz: readonly Check[];
  /** Fails: it works, but what it knows is not up to date. */
  readonly readyz: readonly Check[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface ObserveServer {
  readonly port: number;
  /** Answers what has been asked, for at most a second, and closes. */
  close(): Promise<void>;
}

const CLOSE_AFTER_MS = 1_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** @throws Error of one line when the address is malformed or cannot be listened on. */
export async function startServer(options: ServerOptions): Promise<ObserveServer> {
  const { address, clock, log } = options;
  const at = parseAddress(address);
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      try {
        answer(request, response, options);
      } catch (error) {
        log.error(`cannot answer ${request.url ?? ''}: ${error instanceof Error ? error.message : String(error)}`);
        send(request, response, 500, 'internal error; see the log\n');
      }
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`cannot listen on ${address}: ${listenError(error)}`, { cause: error })),
    );
    server.listen(at.port, at.host, resolve);
  });
  server.removeAllListeners('error').on('error', (error) => log.error(`metrics server: ${error.message}`));

  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const cancel = clock.after(CLOSE_AFTER_MS, () => server.closeAllConnections());
        server.close(() => {
          cancel();
          resolve();
        });
      }),
  };
}

/** Passes run when something changes; the caller sees to it that one runs at least twice in `withinMs`. null: not leading, none are due. */
export function passCheck(clock: Clock, lastPassAt: () => Millis | null, withinMs: Millis): Check {
  return {
    name: 'loop',
    failing() {
      const last = lastPassAt();
      if (last === null) return null;
      const silent = clock.now() - last;
      return silent > withinMs
        ? `no pass for ${Math.round(silent / 1_000)}s, at most ${Math.round(withinMs / 1_000)}s is well`
        : null;
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, { registry, healthz, readyz }: ServerOptions): void {
  const path = (request.url ?? '').split('?')[0];
  const checks = path === '/healthz' ? healthz : path === '/readyz' ? readyz : null;
  if (!checks && path !== '/metrics')
    return send(request, response, 404, 'not found; there are /metrics, /healthz and /readyz\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return send(request, response, 405, 'only GET and HEAD\n');
  }
  if (!checks) return send(request, response, 200, registry.metrics(), registry.contentType);
  const results = checks.map(({ name, failing }) => ({ name, failure: failing() }));
  const well = results.every(({ failure }) => failure === null);
  const lines = results.map(({ name, failure }) => (failure === null ? `[+]${name} ok\n` : `[-]${name} failed: ${failure}\n`));
  send(request, response, well ? 200 : 503, `${lines.join('')}${well ? 'ok' : 'failed'}\n`);
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(code, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** "HOST:PORT" or ":PORT"; an IPv6 host in brackets. @throws Error of one line. */
export function parseAddress(address: string): { readonly host?: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(address) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535)
    throw new Error(`"${address}" is not an address to listen on; write it like :8080, 127.0.0.1:8080 or [::1]:8080`);
  const host = bracketed ?? plain;
  return host ? { host, port } : { port };
}

function listenError(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the port is in use; choose another one, or stop what has it';
    case 'EACCES':
      return 'this user may not use the port; choose one above 1023';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address';
    default:
      return error.message;
  }
}
