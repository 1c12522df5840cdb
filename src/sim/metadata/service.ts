/** A cloud's metadata service as the machine sees it: requests in, answers out, and a state that tests and people change. */

export interface MetadataCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface MetadataReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface MetadataService {
  /** What its paths begin with. */
  readonly prefix: string;
  /** @param closed aborts when the client has gone: whoever waits for a change stops */
  answer(call: MetadataCall, closed: AbortSignal): MetadataReply | Promise<MetadataReply>;
}

export const jsonReply = (value: unknown, status = 200): MetadataReply => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=utf-8' },
  body: JSON.stringify(value),
});

export const textReply = (body: string, status = 200, headers: Readonly<Record<string, string>> = {}): MetadataReply => ({
  status,
  headers: { 'Content-Type': 'text/plain', ...headers },
  body,
});
