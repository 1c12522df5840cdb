/** What passes through the doors of the API server (HTTP, in-process), independent of either. */

export interface ApiRequest {
  readonly method: string;
  /** Without the query; segments still encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Default: any JSON. */
  readonly accept?: string;
  /** Default: application/json. */
  readonly contentType?: string;
  /** Parsed; undefined when the request has none. */
  readonly body?: unknown;
  readonly user: User;
  readonly userAgent?: string;
}

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Whoever shows no credentials: nobody is refused unless an access rule says so. */
export const administrator: User = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

export interface StreamedEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: object;
}

/** An open watch: `start` is called once, gives the events there are at once, and returns what stops it. */
export interface OpenWatch {
  start(send: (event: StreamedEvent) => void, end: () => void): () => void;
}

export type ApiAnswer =
  | { readonly code: number; readonly headers?: Readonly<Record<string, string>>; readonly body: object }
  | {
      readonly code: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly text: string | Uint8Array;
      readonly contentType: string;
    }
  | { readonly code: 200; readonly watch: OpenWatch };

/** Answers one request. What it throws is a defect of the server, or a body of a shape that nobody foresaw: 500. */
export type Handle = (request: ApiRequest) => ApiAnswer;

/** What a rule on access is asked; `verb` as in RBAC ("get", "list", "deletecollection"). */
export interface AccessQuestion {
  readonly user: User;
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Of a request that is not for a resource. */
  readonly path?: string;
}

/** True allows. */
export type AccessRule = (question: AccessQuestion) => boolean;

export interface ListMetadata {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}
