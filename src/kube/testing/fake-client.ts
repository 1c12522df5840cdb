/** A KubeClient without a network: the test answers each request, and holds the far end of every stream. */
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type KubeClient, KubeError, type KubeRequest, type Status } from '../client.ts';

export interface OpenStream {
  readonly request: KubeRequest;
  /** Sends JSON watch events, one line each. */
  send(...events: unknown[]): void;
  bytes(bytes: Buffer): void;
  /** The server ends the answer as it should. */
  end(): void;
  /** The connection breaks. */
  cut(): void;
  readonly closed: boolean;
}

export interface FakeClient extends KubeClient {
  readonly requests: KubeRequest[];
  readonly streams: OpenStream[];
  /** The stream opened last. @throws when there is none. */
  last(): OpenStream;
}

/** What a request gets: a KubeError is thrown, 'open' leaves a stream open, 'hang' never answers, everything else is a JSON body. */
export type Answer = KubeError | 'open' | 'hang' | object;

export function refusal(code: number, status: Status = {}): KubeError {
  return new KubeError(status.message ?? `failed with ${code}`, { code, status: { code, ...status } });
}

export function fakeClient(answer: (request: KubeRequest) => Answer, contentType = 'application/json'): FakeClient {
  const requests: KubeRequest[] = [];
  const streams: OpenStream[] = [];
  const aborted = (request: KubeRequest) =>
    new Promise<never>((_, reject) =>
      request.signal?.addEventListener('abort', () => reject(request.signal?.reason), { once: true }),
    );

  return {
    server: 'https://fake',
    requests,
    streams,
    last() {
      const stream = streams.at(-1);
      if (!stream) throw new Error('no stream was opened');
      return stream;
    },
    async json<T>(request: KubeRequest): Promise<T> {
      requests.push(request);
      await nextTurn();
      request.signal?.throwIfAborted();
      const found = answer(request);
      if (found instanceof KubeError) throw found;
      if (found === 'hang') return aborted(request);
      return structuredClone(found) as T;
    },
    async stream(request) {
      requests.push(request);
      await nextTurn();
      request.signal?.throwIfAborted();
      const found = answer(request);
      if (found instanceof KubeError) throw found;
      if (found === 'hang') return aborted(request);
      const body = new PassThrough();
      body.on('error', () => undefined);
      streams.push({
        request,
        send: (...events) => events.forEach((event) => body.write(`${JSON.stringify(event)}\n`)),
        bytes: (bytes) => body.write(bytes),
        end: () => body.end(),
        cut: () => body.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })),
        get closed() {
          return body.destroyed;
        },
      });
      if (found !== 'open') body.end(JSON.stringify(found));
      return { body, contentType };
    },
    close: () => undefined,
  };
}

/** Lets streams flow and promises settle. */
export async function settle(turns = 12): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}
