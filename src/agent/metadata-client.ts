/** HTTP to the cloud's metadata service: plain, on kept-alive connections, never through a proxy, and never more than it should answer. */
import http from 'node:http';

export interface MetadataRequest {
  readonly method?: 'GET' | 'PUT' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface MetadataAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface MetadataClient {
  /** Any status is an answer. @throws Error of one line when none comes, or it is cut short, or longer than 256 KiB. */
  ask(request: MetadataRequest): Promise<MetadataAnswer>;
  close(): void;
}

const MAX_BODY_BYTES = 256 * 1024;
const IDLE_MS = 60_000;

/** @param base "http://169.254.169.254" */
export function createMetadataClient(base: string): MetadataClient {
  const url = new URL(base);
  const prefix = url.pathname.replace(/\/+$/, '');
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 2, timeout: IDLE_MS });

  const send = ({ method = 'GET', path, headers, body = '', signal }: MetadataRequest, fresh: boolean): Promise<MetadataAnswer> =>
    new Promise((resolve, reject) => {
      const outgoing = http.request({
        method,
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port || 80,
        path: `${prefix}${path}`,
        // Some services refuse a body of unknown length, also where there is none.
        headers: { ...headers, Host: url.host, ...(method !== 'GET' && { 'Content-Length': String(Buffer.byteLength(body)) }) },
        agent: fresh ? false : agent,
        signal,
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        if (!fresh && outgoing.reusedSocket && error.code === 'ECONNRESET')
          return resolve(send({ method, path, headers, body, signal }, true));
        reject(reasonOf(signal) ?? new Error(`${base} cannot be reached: ${error.code ?? error.message}`, { cause: error }));
      });
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BODY_BYTES) incoming.destroy(new Error(`answered more than ${MAX_BODY_BYTES / 1_024} KiB`));
          else chunks.push(chunk);
        });
        incoming.on('error', (error: NodeJS.ErrnoException) =>
          reject(
            reasonOf(signal) ??
              new Error(error.code === 'ECONNRESET' ? 'the answer was cut short' : error.message, { cause: error }),
          ),
        );
        incoming.on('end', () => {
          const headers = Object.fromEntries(
            Object.entries(incoming.headers).map(([key, value]) => [key, Array.isArray(value) ? value[0] : value]),
          );
          resolve({ status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks).toString('utf8') });
        });
      });
      outgoing.end(body);
    });

  return { ask: (request) => send(request, false), close: () => agent.destroy() };
}

function reasonOf(signal: AbortSignal): Error | null {
  return signal.aborted && signal.reason instanceof Error ? signal.reason : null;
}

/** What is wrong with an answer that is not 200. Bodies of metadata services hold no secret in their errors, but may be long. */
export function refused(what: string, { status, body }: MetadataAnswer): Error {
  const said = body
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 100);
  return new Error(`${what} answered ${status}${said === '' ? '' : `: ${said}`}`);
}

/** @throws Error of one line when the text is not JSON. */
export function parseAnswer(what: string, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new Error(`${what} answered something that is not JSON`, { cause });
  }
}
