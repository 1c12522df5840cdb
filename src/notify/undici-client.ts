/** All that is used of undici; loaded with the first request. Its names are imported here, since a bundle has none of them on `import()`. */
import { rootCertificates } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici';
import type { HttpSpec } from '../api/notify-channel.ts';

/** @param login the header of the proxy; empty: none */
export function openDispatcher({ proxy, ca, insecureSkipVerify }: HttpSpec, login: string): Dispatcher {
  const tls = {
    ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
    ...(insecureSkipVerify && { rejectUnauthorized: false }),
  };
  return proxy
    ? new ProxyAgent({ uri: proxy.url, requestTls: tls, proxyTls: tls, ...(login !== '' && { token: login }) })
    : new Agent({ connect: tls });
}

export interface RawRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly headers: Record<string, string>;
  readonly body: string | null;
  readonly signal: AbortSignal;
  readonly dispatcher: Dispatcher;
}

/** @throws whatever undici has */
export function sendRaw(url: string, options: RawRequest): Promise<Dispatcher.ResponseData> {
  return request(url, options);
}
