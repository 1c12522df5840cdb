/**
 * The measuring client. Its own, without Drover's client and without retries: the judge does not know the accused, and a request is
 * on the wire as soon as it is asked for.
 */
import { readFileSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Bed } from '../test/beds/bed.ts';
import { files, tokenOf } from '../test/beds/credentials.ts';

export interface Meta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
  /** performance.now() when it arrived. */
  readonly at: number;
}

export interface Watch {
  /** @throws Error when the watch was lost on the way: what was seen is not all that happened. */
  stop(): void;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
}

export interface Client {
  /** Any answer, whatever its status. Rejects only when there is none. */
  send<T = unknown>(call: Call): Promise<{ readonly status: number; readonly body: T }>;
  /** Lists and watches a collection; resolves when the list has been told as ADDED events. */
  watch<T extends { readonly metadata: Meta }>(path: string, onEvent: (event: WatchEvent<T>) => void): Promise<Watch>;
}

/** A client of the bed as `user`, one connection per request that is under way. */
export function openClient(bed: Pick<Bed, 'folder' | 'server'>, user: string): Client {
  const agent = new Agent({ keepAlive: true, ca: readFileSync(join(bed.folder, files.certificate)) });
  const authorization = `Bearer ${tokenOf(bed.folder, user)}`;

  const open = (call: Call, options: RequestOptions = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const method = call.method ?? 'GET';
      const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const headers = { authorization, accept: 'application/json', 'content-type': contentType };
      const sent = request(new URL(call.path, bed.server), { method, headers, agent, ...options }, resolve);
      sent.on('error', reject);
      sent.end(call.body === undefined ? undefined : JSON.stringify(call.body));
    });

  const read = async (answer: IncomingMessage) => {
    let text = '';
    answer.setEncoding('utf8');
    for await (const chunk of answer) text += chunk as string;
    return text;
  };

  const send: Client['send'] = async <T>(call: Call) => {
    const answer = await open(call);
    return { status: answer.statusCode ?? 0, body: JSON.parse(await read(answer)) as T };
  };

  return {
    send,
    async watch<T extends { readonly metadata: Meta }>(path: string, onEvent: (event: WatchEvent<T>) => void) {
      interface List {
        readonly metadata: { readonly resourceVersion: string };
        readonly items: readonly T[];
      }
      const list = await send<List>({ path });
      if (list.status !== 200) throw new Error(`cannot list ${path}: ${list.status}`);
      for (const object of list.body.items) onEvent({ type: 'ADDED', object, at: performance.now() });

      const stopping = new AbortController();
      let version = list.body.metadata.resourceVersion;
      let lost: Error | undefined;
      const turn = async () => {
        const from = `${path}${path.includes('?') ? '&' : '?'}watch=1&allowWatchBookmarks=true&resourceVersion=${version}`;
        const answer = await open({ path: from }, { signal: stopping.signal });
        if (answer.statusCode !== 200) throw new Error(`cannot watch ${path}: ${answer.statusCode} ${await read(answer)}`);
        answer.setEncoding('utf8');
        let rest = '';
        for await (const chunk of answer) {
          const at = performance.now();
          const lines = `${rest}${chunk as string}`.split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            const event = JSON.parse(line) as { type: string; object: T };
            if (event.type === 'ERROR') throw new Error(`watch of ${path} lost: ${line}`);
            version = event.object.metadata.resourceVersion;
            if (event.type !== 'BOOKMARK') onEvent({ type: event.type as WatchEvent<T>['type'], object: event.object, at });
          }
        }
      };
      // The server closes a watch that does not read fast enough, and any watch after some time: it goes on where it was.
      const turns = async () => {
        while (!stopping.signal.aborted) await turn();
      };
      turns().catch((error: unknown) => {
        if (!stopping.signal.aborted) lost = error instanceof Error ? error : new Error(String(error));
      });
      return {
        stop() {
          stopping.abort();
          if (lost) throw lost;
        },
      };
    },
  };
}
