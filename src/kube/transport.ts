/** Sockets to the API server: a bounded pool that is kept alive for requests, one socket each for streams, TLS, and the way through a proxy. */
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { ClusterAccess, Credential } from './access.ts';

/** Requests in flight at once; more wait for a socket. */
export const MAX_SOCKETS = 64;
/** Idle sockets that are kept. They are used in turn, so the renewals of the Lease alone keep this many from being closed as idle. */
const MAX_FREE_SOCKETS = 16;
/** The API server and the load balancers before it close idle connections after some minutes; we are first. */
const IDLE_MS = 60_000;
/** First TCP keep-alive probe: a dead peer is noticed in minutes, not in the two hours of the kernel's default. */
export const KEEP_ALIVE_MS = 30_000;
const PROXY_TIMEOUT_MS = 30_000;

export interface Transport {
  readonly request: typeof http.request;
  readonly pool: http.Agent;
  readonly single: http.Agent;
}

/** The proxy's answer to CONNECT was not 200, or it could not be reached. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
}

/** Opens a tunnel to `host:port`. The password in `proxy` goes into its header and into no message. */
function openTunnel(proxy: URL, host: string, port: number): Promise<Duplex> {
  const shown = `${proxy.protocol}//${proxy.host}`;
  const send = proxy.protocol === 'https:' ? https.request : http.request;
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const login = proxy.username ? `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}` : undefined;
  return new Promise((resolve, reject) => {
    const request = send({
      method: 'CONNECT',
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      path: target,
      agent: false,
      timeout: PROXY_TIMEOUT_MS,
      headers: { host: target, ...(login ? { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` } : {}) },
    });
    const refuse = (why: string, cause?: Error) => reject(new ProxyError(`the proxy ${shown} ${why}`, { cause }));
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', (error: NodeJS.ErrnoException) => refuse(`cannot be reached (${error.code ?? error.message})`, error));
    request.on('response', (response) => {
      response.destroy();
      refuse(`answered ${response.statusCode} to CONNECT`);
    });
    request.on('connect', (response, socket) => {
      if (response.statusCode === 200) {
        socket.setTimeout(0);
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        resolve(socket);
      } else {
        socket.destroy();
        refuse(`answered ${response.statusCode} to CONNECT ${target}`);
      }
    });
    request.end();
  });
}

type Connect = http.Agent['createConnection'];

function throughProxy(proxy: URL, secure: boolean): Connect {
  return (options, callback) => {
    openTunnel(proxy, options.host ?? '', Number(options.port)).then(
      (socket) =>
        callback?.(null, secure ? tls.connect({ ...(options as tls.ConnectionOptions), path: undefined, socket }) : socket),
      (error: Error) => callback?.(error, undefined as never),
    );
    return undefined;
  };
}

function createTransport(access: ClusterAccess, credential: Credential): Transport {
  const secure = new URL(access.server).protocol === 'https:';
  // One context for all sockets: parsing the authority again for each costs a millisecond and 50 kB.
  const tlsOptions: https.AgentOptions = secure
    ? {
        secureContext: tls.createSecureContext({ ca: access.tls.authority, cert: credential.certificate, key: credential.key }),
        rejectUnauthorized: !access.tls.insecure,
        ...(access.tls.serverName ? { servername: access.tls.serverName } : {}),
      }
    : {};
  const Agent = secure ? https.Agent : http.Agent;
  const pool = new Agent({
    ...tlsOptions,
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    maxSockets: MAX_SOCKETS,
    maxFreeSockets: MAX_FREE_SOCKETS,
    scheduling: 'fifo',
    timeout: IDLE_MS,
  });
  const single = new Agent({ ...tlsOptions, keepAlive: false });
  if (access.proxy) pool.createConnection = single.createConnection = throughProxy(new URL(access.proxy), secure);
  return { request: secure ? https.request : http.request, pool, single };
}

/** True when a request would be sent at once on a socket that is open already. */
export function hasIdle(agent: http.Agent): boolean {
  return Object.values(agent.freeSockets).some((sockets) => (sockets?.length ?? 0) > 0);
}

/**
 * A stream keeps its socket for itself, out of the pool and its limits, and the socket ends with it. One taken from the pool saves the
 * TLS handshake, which is most of the time between a taint and the pods of its node.
 */
export function keepForStream(request: http.ClientRequest): void {
  request.on('socket', (socket) => {
    socket.emit('agentRemove'); // the documented way out of an agent
    socket.setTimeout(0);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    request.on('close', () => socket.destroy());
  });
}

function closeIdle(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

/** The transport for a credential; a new one only when the client certificate changes (rotated, or renewed by an exec plugin). */
export function createTransports(access: ClusterAccess): { of(credential: Credential): Transport; closeIdle(): void } {
  let current:
    | { readonly certificate: string | undefined; readonly key: string | undefined; readonly transport: Transport }
    | undefined;
  return {
    of(credential) {
      const { certificate, key } = credential;
      if (!current || current.certificate !== certificate || current.key !== key) {
        if (current) closeIdle(current.transport.pool);
        current = { certificate, key, transport: createTransport(access, credential) };
      }
      return current.transport;
    },
    closeIdle() {
      if (current) closeIdle(current.transport.pool);
    },
  };
}
