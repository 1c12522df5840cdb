/**
 * Requests to services outside of the cluster, by undici, which is loaded with the first of them. No error names an address: where it is
 * secret its host may be, too.
 */
import type { Dispatcher } from 'undici';
import { parseDuration } from '../api/duration.ts';
import type { HttpSpec, SecretSource } from '../api/notify-channel.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import { DeliveryError } from './channel.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** At most 64 KiB of it. */
  readonly text: string;
  readonly retryAfterMs: Millis | undefined;
}

/** Any answer, whatever its status. @throws DeliveryError when there was none */
export type SendHttp = (request: HttpRequest) => Promise<HttpAnswer>;

export interface HttpOptions {
  readonly spec: HttpSpec;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly secret: (source: SecretSource) => Promise<string>;
}

const MAX_ANSWER = 65_536;

export function createHttp({ spec, clock, userAgent, secret }: HttpOptions): { send: SendHttp; close(): Promise<void> } {
  const timeoutMs = parseDuration(spec.timeout);
  let open: { readonly login: string; readonly dispatcher: Dispatcher } | undefined;

  const dispatcher = async (): Promise<Dispatcher> => {
    const { proxy } = spec;
    const login =
      proxy?.username === undefined || !proxy.password
        ? ''
        : `Basic ${Buffer.from(`${proxy.username}:${await secret(proxy.password)}`).toString('base64')}`;
    if (open?.login === login) return open.dispatcher;
    const { openDispatcher } = await import('./undici-client.ts');
    const next = openDispatcher(spec, login);
    void open?.dispatcher.close();
    open = { login, dispatcher: next };
    return next;
  };

  return {
    async send({ method, url, headers = {}, body }) {
      if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
        throw new DeliveryError('the address is not an http or https address', { again: false });
      const through = await dispatcher();
      const { sendRaw } = await import('./undici-client.ts');
      const aborter = new AbortController();
      const cancel = clock.after(timeoutMs, () => aborter.abort());
      try {
        const answer = await sendRaw(url, {
          method,
          headers: { 'user-agent': userAgent, ...headers },
          body: body ?? null,
          signal: aborter.signal,
          dispatcher: through,
        });
        const text = await beginning(answer.body);
        return { status: answer.statusCode, text, retryAfterMs: retryAfter(answer.headers['retry-after'], clock.now()) };
      } catch (error) {
        if (aborter.signal.aborted) throw new DeliveryError(`no answer within ${spec.timeout}`, { again: true });
        throw connectionError(error);
      } finally {
        cancel();
      }
    },
    async close() {
      await open?.dispatcher.destroy();
      open = undefined;
    },
  };
}

async function beginning(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_ANSWER) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER).toString();
}

/** Seconds or a date, as RFC 9110 has it. */
function retryAfter(header: string | string[] | undefined, now: Millis): Millis | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS/;

function connectionError(error: unknown): DeliveryError {
  const { code = '', message = '' } = innermost(error);
  const proxy = /Proxy response \((\d+)\)/i.exec(message)?.[1];
  if (proxy !== undefined) {
    const unauthorized = proxy === '407';
    return new DeliveryError(`the proxy answered ${proxy}${unauthorized ? ': check its username and password' : ''}`, {
      again: !unauthorized && proxy !== '403',
      unauthorized,
    });
  }
  if (untrusted.test(code))
    return new DeliveryError(`the certificate of the server is not trusted (${code}); name its authority in http.ca`, {
      again: false,
    });
  return new DeliveryError(`no connection (${/^[A-Z][A-Z0-9_]*$/.test(code) ? code : 'broken'})`, { again: true });
}

function innermost(error: unknown): { code?: string; message?: string } {
  let found = error as { code?: string; message?: string; cause?: unknown; errors?: unknown[] };
  for (let depth = 0; depth < 5; depth += 1) {
    const next = found.cause ?? (found.code === undefined ? found.errors?.[0] : undefined);
    if (typeof next !== 'object' || next === null) break;
    found = next;
  }
  return found;
}

/** Throws what an answer that is not 2xx means: again after 5xx, 429 and 408, not after another 4xx. @param why words of the service */
export function expectOk({ status, retryAfterMs }: HttpAnswer, why = ''): void {
  if (status >= 200 && status < 300) return;
  throw new DeliveryError(`the service answered ${status}${why === '' ? '' : `: ${why}`}`, {
    again: status >= 500 || status === 429 || status === 408,
    retryAfterMs,
    unauthorized: status === 401 || status === 403 || status === 404,
  });
}

/** The answer as JSON, or an empty object: a service that is behind a broken load balancer answers HTML. */
export function jsonOf({ text }: HttpAnswer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
