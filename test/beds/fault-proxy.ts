/**
 * A proxy in front of the API server, in the test's own process: it can hold a request at the very moment before it reaches the server
 * or after it was done, answer in the server's place, cut watches, and refuse connections. It speaks plain HTTP to its client; the
 * client's token goes through.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { files, tokenOf, writeKubeconfig } from './credentials.ts';

export interface Sent {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What becomes of a request: an answer (perhaps the server's, by `forward`), or null, which closes the connection without any. */
export type Fault = (sent: Sent, forward: () => Promise<Answer>) => Promise<Answer | null>;

export interface FaultProxy {
  /** Path of a kubeconfig for a user of the bed, through this proxy. */
  kubeconfigFor(user: string): string;
  /** The first fault that matches takes a request; watches are never asked about. @returns what removes it */
  on(matches: (sent: Sent) => boolean, fault: Fault): () => void;
  /** Breaks every watch that is open. @returns how many */
  cutWatches(): number;
  /** Breaks every connection, and each new one, until `reconnect`. */
  disconnect(): void;
  reconnect(): void;
  stop(): Promise<void>;
}

/** A metav1.Status in the API server's place. */
export function refusal(status: number, reason: string, headers: IncomingHttpHeaders = {}): Answer {
  const message = `made up by the fault proxy: ${reason}`;
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code: status };
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: Buffer.from(JSON.stringify(body)) };
}

const hopByHop: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host']);

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Listens on a free port of 127.0.0.1. */
export async function startFaultProxy(bed: Pick<Bed, 'folder' | 'server'>): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true, ca: readFileSync(join(bed.folder, files.certificate)) });
  const faults = new Set<{ matches: (sent: Sent) => boolean; fault: Fault }>();
  const sockets = new Set<Socket>();
  const watches = new Set<ServerResponse>();
  let refuses = false;

  /** Sends it on. @throws the socket's error when the server does not answer */
  const open = (incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = { ...endToEnd(incoming.headers), ...(body.length > 0 && { 'content-length': String(body.length) }) };
      const sent = request(new URL(incoming.url ?? '/', bed.server), { method: incoming.method, headers, agent }, resolve);
      sent.on('error', reject);
      // A write that has reached the server is finished by it: cancelled between the charge of a budget and the deletion of the pod,
      // an eviction would keep the budget charged for the two minutes of the disruption controller's DeletionTimeout.
      if (incoming.method === 'GET') outgoing.on('close', () => sent.destroy());
      sent.end(body);
    });

  const pass = async (incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse) => {
    const answer = await open(incoming, body, outgoing);
    outgoing.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
    outgoing.flushHeaders();
    answer.on('error', () => outgoing.destroy());
    answer.pipe(outgoing);
  };

  const answerTo = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', bed.server);
    const body = await readAll(incoming);
    if (searchParams.get('watch') === 'true' || searchParams.get('watch') === '1') {
      watches.add(outgoing);
      outgoing.on('close', () => watches.delete(outgoing));
      return pass(incoming, body, outgoing);
    }
    const sent: Sent = { method: incoming.method ?? '', path: pathname, body: body.toString('utf8') };
    const taken = [...faults].find(({ matches }) => matches(sent));
    if (!taken) return pass(incoming, body, outgoing);
    const forward = async (): Promise<Answer> => {
      const answer = await open(incoming, body, outgoing);
      return { status: answer.statusCode ?? 502, headers: answer.headers, body: await readAll(answer) };
    };
    const answer = await taken.fault(sent, forward);
    if (!answer) return void outgoing.destroy();
    outgoing.writeHead(answer.status, endToEnd(answer.headers)).end(answer.body);
  };

  const server = createServer((incoming, outgoing) => {
    // No answer from the server, or no client any more: either way the connection ends as it would without a proxy.
    answerTo(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.on('connection', (socket) => {
    if (refuses) return void socket.destroy();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const endConnections = () => sockets.forEach((socket) => socket.destroy());

  return {
    kubeconfigFor: (user) =>
      writeKubeconfig(bed.folder, `${user}-by-${port}`, `http://127.0.0.1:${port}`, tokenOf(bed.folder, user)),
    on(matches, fault) {
      const entry = { matches, fault };
      faults.add(entry);
      return () => void faults.delete(entry);
    },
    cutWatches() {
      const cut = watches.size;
      for (const watch of watches) watch.destroy();
      return cut;
    },
    disconnect() {
      refuses = true;
      endConnections();
    },
    reconnect() {
      refuses = false;
    },
    async stop() {
      endConnections();
      agent.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
