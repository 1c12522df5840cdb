import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** "/api/v1/nodes?labelSelector=type%3Dkwok" */
  readonly path: string;
  readonly body?: unknown;
  /** Default application/json, and application/merge-patch+json for PATCH. */
  readonly contentType?: string;
}

export type ApiCall = <T = unknown>(call: Call) => Promise<T>;

export class ApiError extends Error {
  readonly status: number;
  constructor(call: Call, status: number, message: string) {
    super(`${call.method ?? 'GET'} ${call.path}: ${status} ${message}`);
    this.status = status;
  }
}

const agents = new Map<string, Agent>();

/** One agent per certificate file: its sockets are kept and shared, and an idle one does not keep the process alive. */
function agentFor(certificate: string): Agent {
  const found = agents.get(certificate) ?? new Agent({ keepAlive: true, maxSockets: 32, ca: readFileSync(certificate) });
  agents.set(certificate, found);
  return found;
}

/**
 * A plain client for the beds' own work (seeding, waiting), so that tests do not judge Drover's client by itself.
 * Rejects with ApiError for an answer that is not 2xx and with the socket's error for none; never retries; gives up after 60 s.
 */
export function createApiCall(server: string, token: string, certificate: string): ApiCall {
  return <T>(call: Call) =>
    new Promise<T>((resolve, reject) => {
      const method = call.method ?? 'GET';
      const contentType = call.contentType ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
      const headers = { authorization: `Bearer ${token}`, accept: 'application/json', 'content-type': contentType };
      const sent = request(
        new URL(call.path, server),
        { method, headers, agent: agentFor(certificate), timeout: 60_000 },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => (text += chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            const status = answer.statusCode ?? 0;
            if (status < 200 || status > 299) return reject(new ApiError(call, status, text.slice(0, 500)));
            resolve((answer.headers['content-type']?.includes('json') ? JSON.parse(text) : text) as T);
          });
        },
      );
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${call.path}: no answer in 60 s`)));
      sent.on('error', reject);
      sent.end(call.body === undefined ? undefined : JSON.stringify(call.body));
    });
}

/**
 * Asks `look` again and again until it gives something else than undefined, null or false.
 * @throws Error "waited N s for WHAT" when `timeoutMs` (default 60,000) pass, with what `look` threw last, if it did
 */
export async function until<T>(what: string, look: () => Promise<T | undefined | null | false>, timeoutMs = 60_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    let problem: unknown;
    try {
      const seen = await look();
      if (seen !== undefined && seen !== null && seen !== false) return seen;
    } catch (error) {
      problem = error;
    }
    if (Date.now() > end) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`, { cause: problem });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
