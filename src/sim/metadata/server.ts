/** Serves metadata services on real HTTP, and lets them misbehave in every way that the real ones have been seen to. */
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { MetadataCall, MetadataReply, MetadataService } from './service.ts';

export type Fault =
  /** Answers this instead; a body that is not given is that of the real answer. */
  | {
      readonly do: 'Answer';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Takes the request and never answers. */
  | { readonly do: 'Hang' }
  /** Half of the answer, then the connection is cut. */
  | { readonly do: 'CutShort' }
  /** A body without end. */
  | { readonly do: 'Flood' };

export interface MetadataServer {
  /** "http://127.0.0.1:34567" */
  readonly url: string;
  /** Every call since the start, "GET /path?query". */
  readonly calls: readonly string[];
  /** Connections accepted since the start. */
  readonly connections: number;
  /** For every call from now on whose path begins so; null makes it well again. */
  fail(fault: Fault | null, prefix?: string): void;
  close(): Promise<void>;
}

/** @param port default 0: a free one of 127.0.0.1 */
export async function startMetadataServer(services: readonly MetadataService[], port = 0): Promise<MetadataServer> {
  const sockets = new Set<Socket>();
  const calls: string[] = [];
  let connections = 0;
  let failing: { readonly fault: Fault; readonly prefix: string } | null = null;

  const server = http.createServer((request, response) => {
    void serve(request, response).catch((error: unknown) => {
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    });
  });

  async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const call = await callOf(request);
    calls.push(`${call.method} ${request.url ?? ''}`);
    const service = services.find(({ prefix }) => call.path.startsWith(prefix));
    const fault = failing && call.path.startsWith(failing.prefix) ? failing.fault : null;
    if (fault?.do === 'Hang') return;
    const closed = new AbortController();
    response.on('close', () => closed.abort());
    const reply = fault?.do === 'Answer' && fault.body !== undefined ? null : await service?.answer(call, closed.signal);
    if (response.destroyed) return;
    if (fault) return misbehave(response, fault, reply ?? { status: 200, body: '' });
    const { status, headers, body } = reply ?? { status: 404, headers: {}, body: 'Not Found' };
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body);
  }

  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    get connections() {
      return connections;
    },
    fail(fault, prefix = '/') {
      failing = fault && { fault, prefix };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function callOf(request: http.IncomingMessage): Promise<MetadataCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const url = new URL(request.url ?? '/', 'http://metadata');
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([key, value]) => [key, Array.isArray(value) ? value.join(', ') : value]),
    ),
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

function misbehave(response: http.ServerResponse, fault: Exclude<Fault, { do: 'Hang' }>, reply: MetadataReply): void {
  switch (fault.do) {
    case 'Answer':
      response.writeHead(fault.status, { ...reply.headers, ...fault.headers }).end(fault.body ?? reply.body);
      break;
    case 'CutShort': {
      const half = reply.body.slice(0, Math.ceil(reply.body.length / 2));
      response.writeHead(reply.status, { ...reply.headers, 'Content-Length': Buffer.byteLength(reply.body) + 1 });
      response.write(half, () => response.destroy());
      break;
    }
    case 'Flood': {
      response.writeHead(200, reply.headers);
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', pour);
      pour();
    }
  }
}
