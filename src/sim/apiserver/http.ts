/** The door for kubectl: the API server on HTTP/1.1, on this machine. */
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { stringify } from 'yaml';
import { MAX_BODY_BYTES, parseBody } from './body.ts';
import type { ApiAnswer, ApiRequest, Handle, OpenWatch, StreamedEvent } from './door.ts';
import { createEventText } from './event-text.ts';
import { Failure } from './failure.ts';
import { refusal } from './status.ts';
import { userOf } from './token.ts';

/** A watcher that is so many bytes behind is cut off; it comes back from where it was. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;

export interface ServeOptions {
  readonly handle: Handle;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** PEM. Default: plain HTTP. `authority` (default: the certificate itself) is written into the kubeconfig. */
  readonly tls?: { readonly key: string; readonly certificate: string; readonly authority?: string };
  /** Hears of defects: what a request threw that is no refusal. The client gets 500. */
  readonly onDefect?: (error: unknown, request: ApiRequest) => void;
}

export interface ApiServer {
  /** "http://127.0.0.1:34567" */
  readonly url: string;
  readonly port: number;
  /** The text of a kubeconfig file with one context, "drover-sim". */
  readonly kubeconfig: string;
  /** Ends the open watches too. */
  close(): Promise<void>;
}

const first = (value: string | readonly string[] | undefined) => (typeof value === 'string' ? value : value?.[0]);

async function bodyOf(incoming: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (size > MAX_BODY_BYTES) {
    throw new Failure(413, 'RequestEntityTooLarge', `Request entity is too large: limit is ${MAX_BODY_BYTES}`);
  }
  return Buffer.concat(chunks);
}

function requestOf(incoming: http.IncomingMessage): Omit<ApiRequest, 'body'> {
  const { headers, method = 'GET', url = '/' } = incoming;
  const at = url.indexOf('?');
  const groups = headers['impersonate-group'];
  const accept = headers.accept;
  const contentType = headers['content-type'];
  const userAgent = headers['user-agent'];
  return {
    method,
    path: at < 0 ? url : url.slice(0, at),
    query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)),
    user: userOf(
      headers.authorization,
      first(headers['impersonate-user']),
      typeof groups === 'string' ? [groups] : (groups ?? []),
    ),
    ...(accept === undefined ? {} : { accept }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}

function streamWatch(watch: OpenWatch, response: http.ServerResponse, textOf: (event: StreamedEvent) => string): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' });
  response.flushHeaders();
  let closed = false;
  let stop: () => void = () => undefined;
  response.on('close', () => {
    closed = true;
    stop();
  });
  stop = watch.start(
    (event) => {
      if (closed) return;
      response.write(textOf(event));
      if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy();
    },
    () => response.end(),
  );
  if (closed) stop();
}

function send(answer: ApiAnswer, response: http.ServerResponse, textOf: (event: StreamedEvent) => string): void {
  if ('watch' in answer) return streamWatch(answer.watch, response, textOf);
  const isText = 'text' in answer;
  const content = isText ? answer.text : `${JSON.stringify(answer.body)}\n`;
  response.writeHead(answer.code, {
    'Content-Type': isText ? answer.contentType : 'application/json',
    'Content-Length': Buffer.byteLength(content),
    'Cache-Control': 'no-cache, private',
    ...answer.headers,
  });
  response.end(content);
}

const internal = (error: unknown) =>
  refusal(
    new Failure(500, 'InternalError', `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`),
  );

function kubeconfigText(url: string, tls: ServeOptions['tls']): string {
  const name = 'drover-sim';
  const authority = tls ? { 'certificate-authority-data': Buffer.from(tls.authority ?? tls.certificate).toString('base64') } : {};
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, ...authority } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

function listen(server: http.Server | https.Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES' && error.code !== 'EADDRNOTAVAIL') return reject(error);
      const why =
        error.code === 'EADDRINUSE'
          ? 'is in use'
          : error.code === 'EACCES'
            ? 'may not be opened by this user'
            : 'is not an address of this machine';
      reject(new Error(`cannot serve the simulated cluster: ${host}:${port} ${why}; choose another one, or 0 for any free port`));
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** Resolves when it listens. @throws Error with one line when the address cannot be had */
export async function startApiServer(options: ServeOptions): Promise<ApiServer> {
  const { handle, host = '127.0.0.1', port = 0, tls, onDefect } = options;
  const textOf = createEventText();

  const respond = async (incoming: http.IncomingMessage, response: http.ServerResponse) => {
    const request = requestOf(incoming);
    try {
      const body = parseBody(await bodyOf(incoming), request.contentType ?? '');
      send(handle({ ...request, body }), response, textOf);
    } catch (error) {
      const answer = error instanceof Failure ? refusal(error) : internal(error);
      if (!(error instanceof Failure)) onDefect?.(error, request);
      if (response.headersSent) response.destroy();
      else send(answer, response, textOf);
    }
  };
  const listener: http.RequestListener = (incoming, response) => {
    // A client that goes away while it sends: nobody is left to answer.
    incoming.on('error', () => response.destroy());
    void respond(incoming, response);
  };

  const server = tls ? https.createServer({ key: tls.key, cert: tls.certificate }, listener) : http.createServer(listener);
  // Go clients keep idle connections for 90 s; a server that closes them earlier makes them try again.
  server.keepAliveTimeout = 120_000;
  server.requestTimeout = 0;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const address = await listen(server, host, port);
  const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const url = `${tls ? 'https' : 'http'}://${shownHost}:${address.port}`;
  return {
    url,
    port: address.port,
    kubeconfig: kubeconfigText(url, tls),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        for (const socket of sockets) socket.destroy();
      }),
  };
}
