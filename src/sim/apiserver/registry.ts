/** What the HTTP side needs beyond `Api`, and what the write paths share. */
import type { Clock } from '../../lib/clock.ts';
import type { KubeObject } from '../kubernetes.ts';
import type { Store } from '../store/store.ts';
import type { Api, DeleteOptions, Draft, Kind, ListOptions, WatchEvent, WriteOptions } from './api.ts';
import type { Resources, ServeOptions } from './resource.ts';
import type { Server, Strategy } from './strategies/strategy.ts';

export interface Scale {
  readonly apiVersion: 'autoscaling/v1';
  readonly kind: 'Scale';
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
  };
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly replicas: number; readonly selector?: string };
}

/** `labels` and `fields` of `ListOptions`, or ready predicates from `src/sim/store/*-selectors.ts`. */
export interface ListQuery extends ListOptions {
  readonly matches?: (object: KubeObject) => boolean;
}

export interface Registry extends Api {
  /** Of the last commit. */
  currentVersion(): number;
  /** Forgets the history up to `version` (default: all of it): older watches get 410. */
  compact(version?: number): void;
  /** In the order of keys (namespace/name), with the version that it is true for. */
  listAt<T extends KubeObject>(kind: Kind<T>, query?: ListQuery): { readonly items: readonly T[]; readonly version: number };
  /**
   * Tells everything after `version`, at first what is missed. Throws 410 Expired. What `query` excludes by an index need not be told, but
   * may be.
   */
  watchFrom<T extends KubeObject>(
    kind: Kind<T>,
    version: number,
    handler: (event: WatchEvent<T>) => void,
    query?: ListQuery,
  ): () => void;
  /** A PUT: as `update`, but creates where the kind allows it. */
  put<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): { readonly object: T; readonly created: boolean };
  /**
   * A PATCH: `change` sees the current object and gives the next (the same reference: nothing changes), or throws a Failure. It is
   * refused with 409 when the result carries another resourceVersion, with 404 when there is no such object.
   */
  patch<T extends KubeObject>(
    kind: Kind<T>,
    namespace: string,
    name: string,
    change: (object: T) => T,
    options?: WriteOptions,
  ): T;
  removeAll(kind: Kind, query?: ListQuery, options?: DeleteOptions): readonly KubeObject[];
  /** As `bind`, with what a Binding object may carry. */
  bindPod(namespace: string, name: string, binding: Binding): void;
  getScale(kind: Kind, namespace: string, name: string): Scale;
  putScale(kind: Kind, namespace: string, name: string, change: (scale: Scale) => Scale, options?: WriteOptions): Scale;
  /** The finalize subresource of a namespace: sets spec.finalizers; the last one gone removes a terminating namespace. */
  finalizeNamespace(name: string, finalizers: readonly string[]): KubeObject;
  /** Adds a kind (of a CRD) with its rules; several versions of one group and plural share their objects. */
  serve(kind: Kind, strategy: Strategy, options?: ServeOptions): void;
  withdraw(kind: Kind): void;
  readonly strategyOf: (kind: Kind) => Strategy;
}

export interface Binding {
  readonly node: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly dryRun?: boolean;
}

/** Shared by the write paths. */
export interface Core extends Server {
  readonly clock: Clock;
  readonly store: Store;
  readonly resources: Resources;
}

export type AnyDraft = Draft<KubeObject>;
