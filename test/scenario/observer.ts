/** An observer that shares no code with what it observes: its own watches, straight from the API server. */
import { readFileSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { createApiCall } from '../beds/api-call.ts';
import type { Bed } from '../beds/bed.ts';
import { files, tokenOf } from '../beds/credentials.ts';

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'ERROR';
  readonly object: T;
}

interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

interface Versioned {
  readonly metadata: { readonly resourceVersion: string };
}

const AGAIN_MS = 100;

/**
 * Tells what is in a collection now, then every change. Resolves when all that is there has been told. A watch that the server ends (it
 * does so with slow ones) goes on behind the last change that was told, so that none is missed.
 * @returns a function that ends it. @throws Error there when something was missed: the server no longer had the changes in between
 */
export async function observe<T>(
  bed: Pick<Bed, 'folder' | 'server'>,
  path: string,
  see: (event: WatchEvent<T>) => void,
): Promise<() => void> {
  const [token, certificate] = [tokenOf(bed.folder, 'admin'), join(bed.folder, files.certificate)];
  const { metadata, items } = await createApiCall(bed.server, token, certificate)<List<T>>({ path });
  for (const object of items) see({ type: 'ADDED', object });

  let version = metadata.resourceVersion;
  let missed: Error | undefined;
  let isOver = false;
  let sent: ClientRequest | undefined;
  const ca = readFileSync(certificate);

  const tell = (line: string) => {
    const event = JSON.parse(line) as WatchEvent<T & Versioned>;
    if (event.type === 'ERROR') {
      missed = new Error(`the watch of ${path} cannot go on behind ${version}: ${line}`);
      isOver = true;
      return;
    }
    version = event.object.metadata.resourceVersion;
    see(event);
  };
  const open = () => {
    if (isOver) return;
    let closed = false;
    const again = () => {
      if (!closed) setTimeout(open, AGAIN_MS);
      closed = true;
    };
    const url = new URL(`${path}?watch=true&timeoutSeconds=900&resourceVersion=${version}`, bed.server);
    sent = request(url, { headers: { authorization: `Bearer ${token}` }, ca }, (answer) => {
      let rest = '';
      answer.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        // An answer that is no stream of events is a refusal: a Status.
        if (answer.statusCode === 200) for (const line of lines) tell(line);
      });
      answer.on('error', again).on('end', again);
    });
    sent.on('error', again).end();
  };
  open();
  return () => {
    isOver = true;
    sent?.destroy();
    if (missed) throw missed;
  };
}
