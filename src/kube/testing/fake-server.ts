/** A real HTTP(S) server on a free port of 127.0.0.1, for tests of what happens on the wire. */
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface FakeServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Connections open now, and since the start. */
  readonly open: ReadonlySet<Socket>;
  readonly accepted: number;
}

/** Closes itself, and every connection, when disposed of. */
export async function fakeServer(
  handler: (...of: Parameters<http.RequestListener>) => unknown,
  tls?: https.ServerOptions,
): Promise<FakeServer> {
  const listener: http.RequestListener = (request, response) => void handler(request, response);
  const server = tls ? https.createServer(tls, listener) : http.createServer(listener);
  // Idle sockets stay open: tests decide when they die.
  server.keepAliveTimeout = 0;
  const open = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted++;
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    open,
    get accepted() {
      return accepted;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function sendJson(
  response: http.ServerResponse,
  code: number,
  body: unknown,
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(code, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export async function bodyOf(request: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return chunks.length === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown);
}
