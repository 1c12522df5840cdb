/** The door to the API server: HTTP/1.1 on node:https. (h2 of Node and undici has a record of leaks on streams that live for days.) */
import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { type Clock, createWallClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type ClusterAccess, type Credential, shownServer } from './access.ts';
import { type KubeClient, KubeError, type KubeRequest } from './client.ts';
import { answerError, connectionError, TimedOut } from './errors.ts';
import { createTransports, hasIdle, keepForStream, type Transport } from './transport.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
/** How much of an error's body is read. */
const MAX_ERROR_BYTES = 1 << 20;

export interface ConnectOptions {
  readonly userAgent: string;
  readonly log: Log;
  /** For the limits of requests. Default: the wall clock, since sockets live in real time even when a simulation does not. */
  readonly clock?: Clock;
}

/** The socket died before a byte of the answer; `reused` when it had served an earlier request. */
class Lost extends Error {
  readonly reused: boolean;

  constructor(cause: unknown, reused: boolean) {
    super('lost', { cause });
    this.reused = reused;
  }
}

function queryOf(query: KubeRequest['query']): string {
  const text = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) text.set(key, String(value));
  const joined = text.toString();
  return joined === '' ? '' : `?${joined}`;
}

function impersonation(access: ClusterAccess): OutgoingHttpHeaders {
  const { impersonate } = access;
  if (!impersonate) return {};
  const extra = Object.entries(impersonate.extra).map(([key, values]) => [
    `Impersonate-Extra-${encodeURIComponent(key)}`,
    [...values],
  ]);
  return {
    'Impersonate-User': impersonate.user,
    ...(impersonate.uid ? { 'Impersonate-Uid': impersonate.uid } : {}),
    ...(impersonate.groups.length > 0 ? { 'Impersonate-Group': [...impersonate.groups] } : {}),
    ...Object.fromEntries(extra),
  };
}

/** @throws whatever ended the body: TimedOut, an abort reason, a socket error. */
async function readAll(body: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limit) break;
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/**
 * A client of one cluster. No request is made yet.
 * @throws Error (one line) from its methods' promises as KubeError; an aborted request rejects with the signal's reason.
 */
export function connect(access: ClusterAccess, options: ConnectOptions): KubeClient {
  const { log, clock = createWallClock() } = options;
  const server = shownServer(access.server);
  const base = new URL(access.server);
  const prefix = base.pathname.replace(/\/+$/, '');
  const transports = createTransports(access);
  const fixedHeaders: OutgoingHttpHeaders = { 'User-Agent': options.userAgent, ...impersonation(access) };

  const send = (request: KubeRequest, transport: Transport, agent: Agent, token: string | undefined): ClientRequest => {
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const outgoing = transport.request({
      method: request.method,
      protocol: base.protocol,
      host: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port || (base.protocol === 'https:' ? 443 : 80),
      path: `${prefix}${request.path}${queryOf(request.query)}`,
      agent,
      headers: {
        ...fixedHeaders,
        Host: base.host,
        Accept: request.accept ?? 'application/json',
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...(body ? { 'Content-Type': request.contentType ?? 'application/json', 'Content-Length': body.length } : {}),
      },
    });
    outgoing.end(body);
    return outgoing;
  };

  /** Resolves when the head of the answer is there. The limit and the signal hold until the body has been read or destroyed. */
  const open = (request: KubeRequest, outgoing: ClientRequest, limitMs: number | undefined): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      let response: IncomingMessage | undefined;
      const end = (reason: unknown) =>
        (response ?? outgoing).destroy(reason instanceof Error ? reason : new Error(String(reason)));
      const onAbort = () => end(request.signal?.reason);
      const cancelLimit = limitMs === undefined ? undefined : clock.after(limitMs, () => end(new TimedOut(limitMs)));
      const release = () => {
        cancelLimit?.();
        request.signal?.removeEventListener('abort', onAbort);
      };
      request.signal?.addEventListener('abort', onAbort, { once: true });
      outgoing.on('error', (error) => {
        if (!response) release();
        reject(new Lost(error, outgoing.reusedSocket));
      });
      outgoing.on('response', (incoming) => {
        response = incoming;
        // The reader sees the error too; without this one, an error between two reads would end the process.
        incoming.on('error', (error) => log.debug('answer cut', { path: request.path, error: error.message }));
        incoming.on('close', release);
        resolve(incoming);
      });
    });

  const credentialNow = async (): Promise<Credential> => {
    try {
      return await access.credentials.current();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new KubeError(`no credentials for ${server}: ${message}`, { code: 0, reason: 'Credentials', cause: error });
    }
  };

  /** One answer, after at most one renewal of the credentials and one replacement of a stale socket. */
  const answer = async (request: KubeRequest, use: 'pool' | 'stream', limitMs: number | undefined): Promise<IncomingMessage> => {
    const repeatable = request.idempotent ?? (request.method === 'GET' || request.method === 'DELETE');
    let fresh = false;
    let renewed = false;
    for (;;) {
      const credential = await credentialNow();
      request.signal?.throwIfAborted();
      const transport = transports.of(credential);
      const pooled = !fresh && (use === 'pool' || hasIdle(transport.pool));
      try {
        const outgoing = send(request, transport, pooled ? transport.pool : transport.single, credential.token);
        if (use === 'stream') keepForStream(outgoing);
        const incoming = await open(request, outgoing, limitMs);
        if (incoming.statusCode !== 401 || renewed || !(await access.credentials.renew(credential))) return incoming;
        log.info('credentials refused, renewed', { server, user: access.credentials.owner });
        incoming.resume();
        renewed = true;
      } catch (error) {
        if (request.signal?.aborted) throw request.signal.reason;
        const cause = error instanceof Lost ? error.cause : error;
        const code = (cause as NodeJS.ErrnoException | undefined)?.code;
        const stale = error instanceof Lost && error.reused && (code === 'ECONNRESET' || code === 'EPIPE');
        if (!stale || !repeatable || !pooled) throw connectionError(access, request, cause);
        // The server closed the idle socket just as we wrote to it. After a restart of the server all of the pool is stale, so not from there.
        log.debug('stale socket, sent again on a new one', { method: request.method, path: request.path });
        fresh = true;
      }
    }
  };

  const bodyOf = async (request: KubeRequest, incoming: IncomingMessage, limit: number): Promise<Buffer> => {
    try {
      return await readAll(incoming, limit);
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      throw connectionError(access, request, error);
    }
  };

  const failure = async (request: KubeRequest, incoming: IncomingMessage): Promise<KubeError> =>
    answerError(access, request, incoming.statusCode ?? 0, incoming.headers, await bodyOf(request, incoming, MAX_ERROR_BYTES));

  const isSuccess = ({ statusCode = 0 }: IncomingMessage) => statusCode >= 200 && statusCode < 300;

  return {
    server,
    async json<T>(request: KubeRequest): Promise<T> {
      const incoming = await answer(request, 'pool', request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      if (!isSuccess(incoming)) throw await failure(request, incoming);
      const body = await bodyOf(request, incoming, Number.POSITIVE_INFINITY);
      if (body.length === 0) return undefined as T;
      try {
        return JSON.parse(body.toString('utf8')) as T;
      } catch (cause) {
        const type = incoming.headers['content-type'] ?? 'something';
        throw new KubeError(
          `${server} answered ${request.method} ${request.path} with ${type} instead of JSON; is this an API server?`,
          {
            code: incoming.statusCode ?? 0,
            reason: 'NotJson',
            cause,
          },
        );
      }
    },
    async stream(request) {
      const incoming = await answer(request, 'stream', undefined);
      if (!isSuccess(incoming)) {
        const cancel = clock.after(DEFAULT_TIMEOUT_MS, () => incoming.destroy(new TimedOut(DEFAULT_TIMEOUT_MS)));
        try {
          throw await failure(request, incoming);
        } finally {
          cancel();
        }
      }
      return { body: incoming, contentType: incoming.headers['content-type'] ?? '' };
    },
    close: () => transports.closeIdle(),
  };
}
