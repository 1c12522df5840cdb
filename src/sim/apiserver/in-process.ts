/**
 * The door for clients in this very process: Drover's controller and commands on a simulated cluster, as fast as it computes. Answers of
 * `json` are the server's own objects: shared, and not to be changed.
 */
import { Readable } from 'node:stream';
import { anonymousAccess } from '../../kube/access.ts';
import { type KubeClient, KubeError, type KubeRequest } from '../../kube/client.ts';
import { answerError, connectionError, TimedOut } from '../../kube/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import {
  administrator,
  type ApiAnswer,
  type ApiRequest,
  type Handle,
  type OpenWatch,
  type StreamedEvent,
  type User,
} from './door.ts';
import { createEventText } from './event-text.ts';
import { Failure } from './failure.ts';
import { refusal } from './status.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
/** How much text of a watch is made ahead of its reader. */
const CHUNK_BYTES = 64 * 1024;

export interface InProcessOptions {
  readonly handle: Handle;
  /** Of the simulation; for the limits of requests. */
  readonly clock: Clock;
  readonly userAgent: string;
  /** Default: an administrator. */
  readonly user?: User;
  /**
   * Called with each request before the server sees it; a promise delays it. What it throws is what the client gets: a Failure as the
   * server's refusal, a KubeError as it is, anything else as a cut connection.
   */
  readonly before?: (request: KubeRequest) => void | Promise<void>;
  /** Called when the server has done its part: a throw loses the answer, not the write. */
  readonly after?: (request: KubeRequest) => void | Promise<void>;
}

/** An open watch as `cut` finds it. */
export interface OpenStream {
  readonly request: KubeRequest;
  /** Ends it as a connection that breaks does. */
  cut(): void;
}

export interface InProcessClient extends KubeClient {
  readonly openStreams: ReadonlySet<OpenStream>;
  /**
   * A watch without text: the events with the server's own objects, never before this has resolved. Returns what ends it; `onEnd` is
   * called when the server does. @throws KubeError as `stream`
   */
  events(request: KubeRequest, onEvent: (event: StreamedEvent) => void, onEnd: (error?: Error) => void): Promise<() => void>;
}

const cutError = () => Object.assign(new Error('aborted'), { code: 'ECONNRESET' });

/** What JSON makes of a body: own objects, and no fields that are undefined (a merge patch would see them). */
const asSent = (body: unknown): unknown => (body === undefined ? undefined : JSON.parse(JSON.stringify(body)));

function queryOf(query: KubeRequest['query']): URLSearchParams {
  const result = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) result.set(name, String(value));
  return result;
}

/** Text is made as it is read: a list of 150,000 pods must not stand in memory as text. */
function textStream(watch: OpenWatch, textOf: (event: StreamedEvent) => string, onGone: () => void): Readable {
  const waiting: StreamedEvent[] = [];
  let next = 0;
  let wanted = false;
  let ended = false;
  let stop: () => void = () => undefined;
  const body = new Readable({
    read() {
      wanted = true;
      pump();
    },
    destroy(error, done) {
      stop();
      onGone();
      done(error);
    },
  });
  function pump() {
    while (wanted && next < waiting.length) {
      let text = '';
      while (next < waiting.length && text.length < CHUNK_BYTES) text += textOf(waiting[next++] as StreamedEvent);
      wanted = body.push(text);
    }
    if (next === waiting.length) {
      waiting.length = 0;
      next = 0;
      if (ended) {
        ended = false;
        body.push(null);
      }
    }
  }
  stop = watch.start(
    (event) => {
      waiting.push(event);
      // Not from within the write that caused it: what is told is read when the writer is done.
      if (wanted && waiting.length === next + 1) queueMicrotask(pump);
    },
    () => {
      ended = true;
      queueMicrotask(pump);
    },
  );
  return body;
}

/** A client that talks to `handle`. Nothing happens before the caller has let go: no answer is given synchronously. */
export function createInProcessClient(options: InProcessOptions): InProcessClient {
  const { handle, clock, userAgent, user = administrator, before, after } = options;
  const access = anonymousAccess('http://simulated.cluster');
  const textOf = createEventText();
  const openStreams = new Set<OpenStream>();

  const whole = ({ method, path, query, body, contentType, accept }: KubeRequest): ApiRequest => ({
    method,
    path,
    query: queryOf(query),
    body: asSent(body),
    user,
    userAgent,
    ...(contentType === undefined ? {} : { contentType }),
    ...(accept === undefined ? {} : { accept }),
  });

  const refused = (request: KubeRequest, answer: ApiAnswer): KubeError => {
    if ('watch' in answer) throw new TypeError('an open watch is no refusal');
    const text = 'text' in answer ? answer.text : JSON.stringify(answer.body);
    const retryAfter = answer.headers?.['Retry-After'];
    const headers = { 'content-type': 'application/json', ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }) };
    return answerError(access, request, answer.code, headers, Buffer.from(text));
  };

  const errorOf = (request: KubeRequest, error: unknown): unknown => {
    if (error instanceof KubeError || error === request.signal?.reason) return error;
    if (error instanceof Failure) return refused(request, refusal(error));
    return connectionError(access, request, error);
  };

  /** The hook, within the limit of the request and until it is aborted. */
  const pass = async (request: KubeRequest, limitMs: number | undefined, hook: InProcessOptions['before']): Promise<void> => {
    const { signal } = request;
    signal?.throwIfAborted();
    let release: () => void = () => undefined;
    try {
      const passed = hook?.(request);
      if (!passed) return;
      const ended = new Promise<never>((_, reject) => {
        const onAbort = () => reject(signal?.reason);
        const cancel = limitMs === undefined ? () => undefined : clock.after(limitMs, () => reject(new TimedOut(limitMs)));
        signal?.addEventListener('abort', onAbort, { once: true });
        release = () => {
          cancel();
          signal?.removeEventListener('abort', onAbort);
        };
      });
      await Promise.race([passed, ended]);
      signal?.throwIfAborted();
    } catch (error) {
      throw errorOf(request, error);
    } finally {
      release();
    }
  };

  /** A successful answer. */
  const answered = async (request: KubeRequest, limitMs: number | undefined): Promise<ApiAnswer> => {
    await Promise.resolve();
    await pass(request, limitMs, before);
    const answer = handle(whole(request));
    await pass(request, limitMs, after);
    if (answer.code < 200 || answer.code > 299) throw refused(request, answer);
    return answer;
  };

  const enlist = (request: KubeRequest, cut: () => void): OpenStream => {
    const stream = { request, cut };
    openStreams.add(stream);
    return stream;
  };

  return {
    server: access.server,
    openStreams,
    async json<T>(request: KubeRequest): Promise<T> {
      const answer = await answered(request, request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      if ('body' in answer) return answer.body as T;
      const message = `${access.server} answered ${request.method} ${request.path} with something instead of JSON; is this an API server?`;
      throw new KubeError(message, { code: answer.code, reason: 'NotJson' });
    },
    async stream(request) {
      const answer = await answered(request, undefined);
      if (!('watch' in answer)) {
        const isText = 'text' in answer;
        const text = isText ? answer.text : JSON.stringify(answer.body);
        return { body: Readable.from([Buffer.from(text)]), contentType: isText ? answer.contentType : 'application/json' };
      }
      const { signal } = request;
      const onAbort = () => body.destroy(signal?.reason instanceof Error ? signal.reason : new Error(String(signal?.reason)));
      const body: Readable = textStream(answer.watch, textOf, () => {
        openStreams.delete(stream);
        signal?.removeEventListener('abort', onAbort);
      });
      const stream = enlist(request, () => body.destroy(cutError()));
      signal?.addEventListener('abort', onAbort, { once: true });
      // The reader sees the error too; without this one, an error between two reads would end the process.
      body.on('error', () => undefined);
      return { body, contentType: 'application/json' };
    },
    async events(request, onEvent, onEnd) {
      const answer = await answered(request, undefined);
      if (!('watch' in answer)) throw new TypeError(`${request.path} is asked for events, but not for a watch`);
      let stop: () => void = () => undefined;
      let over = false;
      const finish = (error?: Error) => {
        if (over) return;
        over = true;
        stop();
        openStreams.delete(stream);
        onEnd(error);
      };
      const stream = enlist(request, () => finish(cutError()));
      request.signal?.addEventListener('abort', () => finish(request.signal?.reason as Error), { once: true });
      queueMicrotask(() => {
        if (!over) stop = answer.watch.start(onEvent, finish);
      });
      return () => {
        over = true;
        stop();
        openStreams.delete(stream);
      };
    },
    close: () => undefined,
  };
}
