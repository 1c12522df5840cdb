/** Only for tests of the HTTP semantics: an API server on a virtual clock, asked through `handle`. */
import { administrator, type ApiAnswer, type StreamedEvent } from '../apiserver/door.ts';
import { startCustomResources } from '../apiserver/crd/install.ts';
import { createHandle, type HandleOptions } from '../apiserver/handle.ts';
import type { Handle } from '../apiserver/door.ts';
import { type ClusterBed, createClusterBed } from './cluster-bed.ts';

type Json = any;

export interface Question {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly user?: string;
}

export interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the body, or the text. */
  readonly body: Json;
}

export interface WatchSeen {
  readonly events: StreamedEvent[];
  /** "ADDED a", "BOOKMARK" ... */
  readonly told: string[];
  ended: boolean;
  stop(): void;
}

export interface DoorBed extends ClusterBed {
  readonly handle: Handle;
  ask(method: string, path: string, question?: Question): Answer;
  watch(path: string, query?: Readonly<Record<string, string>>, accept?: string): WatchSeen;
}

export function createDoorBed(options: HandleOptions = {}): DoorBed {
  const bed = createClusterBed();
  const { facts } = startCustomResources(bed.api);
  const handle = createHandle(bed.api, { custom: facts, ...options });
  const send = (method: string, path: string, { query = {}, user, ...rest }: Question): ApiAnswer =>
    handle({
      method,
      path,
      query: new URLSearchParams(query),
      user: user === undefined ? administrator : { name: user, groups: [] },
      userAgent: 'test/1.0',
      ...rest,
    });
  return {
    ...bed,
    handle,
    ask(method, path, question = {}) {
      const answer = send(method, path, question);
      if ('watch' in answer) throw new Error(`${path} opened a watch`);
      return { code: answer.code, headers: answer.headers ?? {}, body: 'text' in answer ? answer.text : answer.body };
    },
    watch(path, query = {}, accept = 'application/json') {
      const answer = send('GET', path, { query: { watch: 'true', ...query }, accept });
      if (!('watch' in answer)) throw new Error(`${path} answered ${answer.code} instead of a watch: ${JSON.stringify(answer)}`);
      const seen: WatchSeen = { events: [], told: [], ended: false, stop: () => undefined };
      seen.stop = answer.watch.start(
        (event) => {
          const name = (event.object as { metadata?: { name?: string } }).metadata?.name;
          seen.events.push(event);
          seen.told.push(name === undefined ? event.type : `${event.type} ${name}`);
        },
        () => {
          seen.ended = true;
        },
      );
      return seen;
    },
  };
}
