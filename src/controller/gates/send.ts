/** One request to what a gate asks. Each on a connection of its own: they are a minute apart, and nothing of an earlier one may stay. */
import http from 'node:http';
import https from 'node:https';
import type { Clock, Millis } from '../../lib/clock.ts';

export interface GateRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the first byte sent to the last one read. */
  readonly timeoutMs: Millis;
  /** PEM; absent: the authorities that Node.js knows. */
  readonly authority?: string;
  readonly serverName?: string;
  readonly insecure: boolean;
}

export interface GateReply {
  readonly status: number;
  readonly body: string;
  /** Where a redirect leads. */
  readonly location?: string;
}

/** @throws Error saying in one line why there is no whole answer; without credentials. */
export type SendGateRequest = (request: GateRequest) => Promise<GateReply>;

/** More than the alerts of any cluster; what is longer is not what was asked for. */
const MAX_BYTES = 8 << 20;

export function createGateSender(clock: Clock): SendGateRequest {
  return (request) =>
    new Promise((resolve, reject) => {
      const url = new URL(request.url);
      const { authority, serverName, insecure, timeoutMs } = request;
      const secure = url.protocol === 'https:';
      const options: https.RequestOptions = {
        method: request.method,
        headers: { ...request.headers, ...(request.body !== undefined && { 'content-length': Buffer.byteLength(request.body) }) },
        agent: false,
        ...(secure && { rejectUnauthorized: !insecure, ...(authority !== undefined && { ca: authority }) }),
        ...(secure && serverName !== undefined && { servername: serverName }),
      };
      const fail = (why: string, cause?: Error) => {
        cancel();
        reject(new Error(`${shown(request.url)} ${why}`, { cause }));
        sent.destroy();
      };
      const sent = (secure ? https : http).request(url, options);
      const cancel = clock.after(timeoutMs, () => fail(`has not answered within ${timeoutMs / 1_000}s`));
      sent.on('error', (error) => fail(`cannot be reached: ${words(error)}`, error));
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > MAX_BYTES) fail(`answers with more than ${MAX_BYTES >> 20} MiB`);
        });
        response.on('error', (error) => fail(`has not ended its answer: ${words(error)}`, error));
        response.on('end', () => {
          cancel();
          const { statusCode = 0, headers } = response;
          const body = Buffer.concat(chunks).toString('utf8');
          resolve({ status: statusCode, body, ...(headers.location !== undefined && { location: headers.location }) });
        });
      });
      sent.end(request.body);
    });
}

/** The address without its query, which may hold a secret. */
export function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return pathname === '/' ? origin : `${origin}${pathname}`;
}

function words(error: NodeJS.ErrnoException): string {
  return error.code !== undefined && !error.message.includes(error.code) ? `${error.message} (${error.code})` : error.message;
}
