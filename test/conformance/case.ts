/** A case of the conformance suite: the same few requests to any cluster, and a plain observation of what it answered. */
import type { Clock } from '../../src/lib/clock.ts';
import type { KubeObject } from '../beds/objects.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Without the query. */
  readonly path: string;
  readonly query?: Query | undefined;
  readonly body?: unknown;
  /** Default application/json. */
  readonly contentType?: string | undefined;
  /** Default application/json. */
  readonly accept?: string | undefined;
}

export type Query = Readonly<Record<string, string>>;

export interface Answer {
  readonly code: number;
  /** Of the Retry-After header, as it stands. */
  readonly retryAfter?: string | undefined;
  readonly contentType?: string | undefined;
  /** Of the Warning headers. */
  readonly warnings?: readonly string[];
  /** Parsed JSON, or the text of an answer that is none. */
  readonly body: unknown;
}

/** The texts of a Warning header, of which several are sent as one. */
export const warningsOf = (header: string | undefined): readonly string[] =>
  [...(header ?? '').matchAll(/299 \S+ ("(?:[^"\\]|\\.)*")/g)].map(([, text = '']) => JSON.parse(text) as string);

export interface Frame {
  readonly type: string;
  readonly object: unknown;
}

export interface Watching {
  /** 200, or the code of the refusal. */
  readonly code: number;
  readonly refusal?: Answer;
  /** Grows while the watch is open. */
  readonly frames: readonly Frame[];
  /** True when the server has closed it. */
  ended(): boolean;
  close(): void;
}

/** A cluster's API, whatever plays it. */
export interface Door {
  readonly clock: Clock;
  /** Answers of any code resolve; only no answer at all rejects. */
  send(call: Call): Promise<Answer>;
  watch(call: Call): Promise<Watching>;
}

export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

/**
 * What a case gets: a door, a namespace of its own and short forms of requests. A kind is a plural that `collections.ts` knows or the path
 * of a collection; a name may carry a subresource ("web/status").
 */
export interface Subject extends Door {
  /** Also the prefix for names of nodes and other cluster-scoped objects of this case. Observations show it as NS. */
  readonly namespace: string;
  collection(kind: string): string;
  list(kind: string, query?: Query): Promise<Answer>;
  get(kind: string, name: string, query?: Query): Promise<Answer>;
  create(kind: string, body: object, query?: Query): Promise<Answer>;
  put(kind: string, name: string, body: unknown, query?: Query): Promise<Answer>;
  patch(kind: string, name: string, body: unknown, type?: PatchType, query?: Query): Promise<Answer>;
  remove(kind: string, name: string, options?: object, query?: Query): Promise<Answer>;
  evict(pod: string, deleteOptions?: object, query?: Query): Promise<Answer>;
  /** @throws Error unless every one is created */
  make(...objects: readonly KubeObject[]): Promise<void>;
  /** Nodes NS-1, NS-2 ... with the label case=NS, Ready; each of `overrides` is one node. */
  nodes(...overrides: readonly Readonly<Record<string, unknown>>[]): Promise<readonly string[]>;
  /** The same workload or pod, only on the nodes of this case. */
  pin(object: KubeObject): KubeObject;
  /** Looks until it is good. @throws Error naming what was seen last, after `seconds` (default 60) */
  eventually<T>(what: string, look: () => Promise<T>, good: (seen: T) => boolean, seconds?: number): Promise<T>;
}

/** How many changes of a kind the simulated cluster of the suite keeps for watches that come back. */
export const REMEMBERED = 50;

export interface Case {
  /** A sentence; the key of its recording. */
  readonly name: string;
  /** What was observed, as JSON; whatever differs from run to run is normalised away afterwards. */
  run(cluster: Subject): Promise<unknown>;
  /** Takes long on a real cluster: begun before the others. */
  readonly slow?: true;
}
