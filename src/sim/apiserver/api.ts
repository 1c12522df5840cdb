/**
 * The simulated API server as its own controllers see it: synchronous, typed, with the semantics of the real one (validation, defaults,
 * versions, finalizers, grace). HTTP and the in-process client are doors onto the same functions.
 */
import type { Clock, Millis } from '../../lib/clock.ts';
import type { KubeObject, Selector } from '../kubernetes.ts';

/** A served resource; `T` is its wire shape. Built-in ones are constants in `kinds.ts`, others come from CustomResourceDefinitions. */
export interface Kind<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** "status", "eviction", "binding", "scale", "token" ... */
  readonly subresources: readonly string[];
  readonly verbs: readonly string[];
  /** Only for the type. */
  readonly shape?: T;
}

/** What a writer hands in: the server sets uid, resourceVersion and creationTimestamp; `name` may be left to generateName. */
export type Draft<T extends KubeObject> = Omit<T, 'metadata'> & { readonly metadata: Partial<T['metadata']> };

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

export interface DeleteOptions {
  /** Default: what the kind says; for a pod its terminationGracePeriodSeconds. 0 removes at once. */
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagation?: Propagation;
  readonly dryRun?: boolean;
}

export interface WriteOptions {
  readonly dryRun?: boolean;
  /** For managedFields and server-side apply. Default: the controller's name, or "unknown". */
  readonly fieldManager?: string;
  /** 'status' changes only the status, 'main' (default) everything but it, for kinds that have the subresource. */
  readonly subresource?: 'main' | 'status';
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labels?: Selector;
  /** Field path to value, as in a field selector with "=": {"spec.nodeName": "node-1"}. */
  readonly fields?: Readonly<Record<string, string>>;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED'; readonly object: T; readonly previous?: undefined }
  /** `previous`: the object before, for index upkeep and transition checks. */
  | { readonly type: 'MODIFIED'; readonly object: T; readonly previous: T }
  /** `object` is its last state with the version of the deletion. */
  | { readonly type: 'DELETED'; readonly object: T; readonly previous: T };

/** Every write throws `Failure` when it is refused. Objects handed out are shared and must not be changed. */
export interface Api {
  readonly clock: Clock;
  /** Seeded: 0 <= x < 1. */
  readonly random: () => number;
  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): T | undefined;
  byUid<T extends KubeObject>(kind: Kind<T>, uid: string): T | undefined;
  list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): readonly T[];
  count(kind: Kind): number;
  /** Objects of a kind whose ownerReferences name this uid; from an index. */
  dependents<T extends KubeObject>(kind: Kind<T>, ownerUid: string): readonly T[];
  create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): T;
  /** Replaces; refused with 409 when metadata.resourceVersion is set and not the current one. A write that changes nothing keeps the version. */
  update<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): T;
  /**
   * Reads, changes and writes in one go: never a conflict. `change` returns the same reference to leave it as it is.
   * Undefined when there is no such object.
   */
  modify<T extends KubeObject>(
    kind: Kind<T>,
    namespace: string,
    name: string,
    change: (object: T) => T,
    options?: WriteOptions,
  ): T | undefined;
  /** The object after: with a deletionTimestamp while it waits for grace or finalizers, or its last state. */
  remove<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string, options?: DeleteOptions): T;
  /** The eviction subresource. */
  evict(namespace: string, name: string, options?: DeleteOptions): void;
  /** The binding subresource: sets spec.nodeName and PodScheduled=True. */
  bind(namespace: string, name: string, nodeName: string): void;
  /**
   * Calls back after each commit, in the order of versions, before the write returns; with `replay` first an ADDED for each object there is.
   * A handler that writes does not nest: its events follow after the current one has been told to everybody. Returns the stop function.
   */
  watch<T extends KubeObject>(
    kind: Kind<T>,
    handler: (event: WatchEvent<T>) => void,
    options?: { readonly replay?: boolean },
  ): () => void;
  /** Built-in kinds and those of installed CRDs. */
  kinds(): readonly Kind[];
  findKind(group: string, version: string, plural: string): Kind | undefined;
  /** Puts objects in as they are (uid, status, times kept; versions given anew), without admission: a snapshot. Owners' uids must fit. */
  load(objects: Iterable<KubeObject>, options?: LoadOptions): void;
}

export interface LoadOptions {
  /**
   * The objects are the cluster's from then on: they are stored as they are, not copied, and the versions are written into their metadata.
   * Whoever goes on reading them sees how they were, and keeps them in memory. Default false.
   */
  readonly adopt?: boolean;
}

/** One part of the cluster that reacts: a controller, the scheduler, the kubelets. */
export interface Part {
  readonly name: string;
  stop(): void;
}

/** How long a part takes from seeing a change to acting on it. */
export interface Latency {
  readonly least: Millis;
  readonly spread: Millis;
}
