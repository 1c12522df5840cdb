/** Reads one streamed answer to its end, with a watchdog that is fed by bytes: a dead TCP connection looks just like a quiet watch. */
import type { Clock, Millis } from '../lib/clock.ts';
import type { KubeClient, KubeRequest, ServerEvent } from './client.ts';

/** No byte came for longer than the reader's patience. */
export class Silent extends Error {
  override readonly name = 'Silent';
}

interface Watched {
  readonly clock: Clock;
  readonly request: Pick<KubeRequest, 'path' | 'accept' | 'query'>;
  /** Asked anew whenever the wait so far is checked. Holds also while no answer has come at all. */
  readonly patience: () => Millis;
  /** Called with the head and with everything that comes, before it is taken. */
  readonly onHeard: () => void;
}

export interface Reception extends Watched {
  readonly client: Pick<KubeClient, 'stream'>;
  /** Called when the head of the answer is there; gives the taker of chunks. A throw of either ends the reception. */
  readonly begin: (contentType: string) => (chunk: Buffer) => void;
}

export interface EventReception extends Watched {
  readonly events: NonNullable<KubeClient['events']>;
  /** Called when the watch is open; gives the taker of events. A throw of either ends the reception. */
  readonly begin: () => (event: ServerEvent) => void;
}

/** Aborts the connection when it has been silent for too long. */
function startWatchdog({ clock, patience, onHeard }: Watched, controller: AbortController) {
  let heardAt = clock.now();
  let cancel: () => void = () => undefined;
  const check = () => {
    const left = heardAt + patience() - clock.now();
    if (left > 0) cancel = clock.after(left, check);
    else controller.abort(new Silent(`no byte for ${Math.round(patience() / 1000)} s`));
  };
  check();
  return {
    heard() {
      heardAt = clock.now();
      onHeard();
    },
    /** Another patience may hold from here on. */
    again() {
      cancel();
      check();
    },
    stop: () => cancel(),
  };
}

/**
 * `controller` ends the reception from outside; this then rejects with its reason.
 * @throws KubeError (refused), Silent, whatever `begin` and its taker throw, or the error of a cut connection.
 */
export async function receive(reception: Reception, controller: AbortController): Promise<void> {
  const { client, request, begin } = reception;
  const { signal } = controller;
  const watchdog = startWatchdog(reception, controller);
  try {
    const { body, contentType } = await client.stream({ method: 'GET', ...request, signal });
    signal.addEventListener('abort', () => body.destroy(signal.reason), { once: true });
    watchdog.heard();
    const take = begin(contentType);
    watchdog.again();
    for await (const chunk of body as AsyncIterable<Buffer>) {
      watchdog.heard();
      take(chunk);
    }
    // A body that was destroyed while nobody was reading ends without an error.
    signal.throwIfAborted();
  } finally {
    watchdog.stop();
  }
}

/** `receive` for a watch without text. Events are taken when the writer that caused them is done. */
export async function receiveEvents(reception: EventReception, controller: AbortController): Promise<void> {
  const { events, request, begin } = reception;
  const { signal } = controller;
  const watchdog = startWatchdog(reception, controller);
  let waiting: ServerEvent[] = [];
  let wake = () => {};
  let end: { readonly error: Error | undefined } | undefined;
  let close = () => {};
  try {
    close = await events(
      { method: 'GET', ...request, signal },
      (event) => {
        waiting.push(event);
        wake();
      },
      (error) => {
        end = { error };
        wake();
      },
    );
    watchdog.heard();
    const take = begin();
    watchdog.again();
    for (;;) {
      signal.throwIfAborted();
      const batch = waiting;
      waiting = [];
      if (batch.length > 0) watchdog.heard();
      for (const event of batch) take(event);
      if (waiting.length > 0) continue;
      if (end?.error) throw end.error;
      if (end) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    watchdog.stop();
    close();
  }
}
