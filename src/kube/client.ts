/** The contract between the Kubernetes layer and everything above it. `request.ts` implements it on node:https. */
import type { Readable } from 'node:stream';

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** "/api/v1/nodes/worker-1"; path segments already encoded (see `pathOf`). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Default application/json; patches name theirs: application/merge-patch+json, application/json-patch+json, ... */
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Whole-request limit, default 30 s; never applies to `stream`. */
  readonly timeoutMs?: number;
  /**
   * May be sent twice: a kept-alive socket can die under a request that the server perhaps has seen. GET and DELETE always may;
   * the others only when this says so.
   */
  readonly idempotent?: boolean;
}

/** One event of a watch, as JSON would say it. */
export interface ServerEvent {
  readonly type: string;
  readonly object: unknown;
}

export interface KubeClient {
  /** "https://host:port", for messages. */
  readonly server: string;
  /** Sends one request and parses the JSON answer. @throws KubeError for any answer that is not 2xx or no answer at all. */
  json<T = unknown>(request: KubeRequest): Promise<T>;
  /** Opens a streaming answer (watch, log). The caller destroys the stream. @throws KubeError as `json`. */
  stream(request: KubeRequest): Promise<{ body: Readable; contentType: string }>;
  /**
   * A watch without text, where the server is in this very process: its own objects, which are not to be changed. Never calls back before
   * this has resolved, and may do so while the server is writing: who reads them does it later. Returns what ends the watch; `onEnd` is
   * called when the server ends it, or a connection that broke. @throws KubeError as `stream`
   */
  events?(request: KubeRequest, onEvent: (event: ServerEvent) => void, onEnd: (error?: Error) => void): Promise<() => void>;
  /** Closes idle sockets. */
  close(): void;
}

/** metav1.Status as far as we read it. */
export interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  };
}

/** Code `0` means that no answer came (connection refused, TLS, timeout, DNS); `cause` then holds the node error. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: number;
  readonly reason: string;
  readonly status: Status | undefined;
  /** From the Retry-After header, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    facts: { code: number; reason?: string; status?: Status; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = facts.code;
    this.reason = facts.reason ?? facts.status?.reason ?? '';
    this.status = facts.status;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/**
 * Every answer of the eviction subresource, told apart (research: what kube-apiserver 1.34.4 really answers).
 * `retryAfterMs` is present only where the server named it.
 */
export type EvictionAnswer =
  | { readonly kind: 'Evicted' } // 201
  | { readonly kind: 'Gone' } // 404
  | { readonly kind: 'OtherPod'; readonly message: string } // 409, the name now belongs to another uid
  | { readonly kind: 'BudgetRefused'; readonly message: string } // 429, cause DisruptionBudget, no Retry-After
  | { readonly kind: 'BudgetStale'; readonly retryAfterMs: number; readonly message: string } // 429, "still being processed"
  | { readonly kind: 'Throttled'; readonly retryAfterMs: number; readonly message: string } // 429 without that cause
  | { readonly kind: 'SeveralBudgets'; readonly message: string } // 500, two or more budgets match
  | { readonly kind: 'NamespaceTerminating'; readonly message: string } // 403 with cause
  | { readonly kind: 'Forbidden'; readonly message: string } // 403 (rights), 401
  | { readonly kind: 'Refused'; readonly code: number; readonly message: string } // a webhook, or a 4xx we do not know
  | { readonly kind: 'Unavailable'; readonly message: string; readonly retryAfterMs?: number }; // 5xx, timeout, no connection

/** "/api/v1/namespaces/{ns}/pods/{name}": joins and encodes. */
export function pathOf(...segments: string[]): string {
  return `/${segments.map((segment) => segment.split('/').map(encodeURIComponent).join('/')).join('/')}`;
}
