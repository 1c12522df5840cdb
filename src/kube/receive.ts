/** Reads one streamed answer to its end, with a watchdog that is fed by bytes: a dead TCP connection looks just like a quiet watch. */
import type { Clock, Millis } from '../lib/clock.ts';
import type { KubeClient, KubeRequest } from './client.ts';

/** No byte came for longer than the reader's patience. */
export class Silent extends Error {
  override readonly name = 'Silent';
}

export interface Reception {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly request: Pick<KubeRequest, 'path' | 'accept' | 'query'>;
  /** Asked anew whenever the wait so far is checked. Holds also while no answer has come at all. */
  readonly patience: () => Millis;
  /** Called when the head of the answer is there; gives the taker of chunks. A throw of either ends the reception. */
  readonly begin: (contentType: string) => (chunk: Buffer) => void;
  /** Called with the head and with every chunk, before it is taken. */
  readonly onHeard: () => void;
}

/**
 * `controller` ends the reception from outside; this then rejects with its reason.
 * @throws KubeError (refused), Silent, whatever `begin` and its taker throw, or the error of a cut connection.
 */
export async function receive(reception: Reception, controller: AbortController): Promise<void> {
  const { client, clock, request, patience, begin, onHeard } = reception;
  const { signal } = controller;
  let heardAt = clock.now();
  let cancel: () => void = () => undefined;
  const check = () => {
    const left = heardAt + patience() - clock.now();
    if (left > 0) cancel = clock.after(left, check);
    else controller.abort(new Silent(`no byte for ${Math.round(patience() / 1000)} s`));
  };
  const heard = () => {
    heardAt = clock.now();
    onHeard();
  };
  check();
  try {
    const { body, contentType } = await client.stream({ method: 'GET', ...request, signal });
    signal.addEventListener('abort', () => body.destroy(signal.reason), { once: true });
    heard();
    const take = begin(contentType);
    // Another patience may hold from here on.
    cancel();
    check();
    for await (const chunk of body as AsyncIterable<Buffer>) {
      heard();
      take(chunk);
    }
    // A body that was destroyed while nobody was reading ends without an error.
    signal.throwIfAborted();
  } finally {
    cancel();
  }
}
