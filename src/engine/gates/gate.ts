/** What gates ask, and what they are answered. Plain data: a question that two policies ask alike is asked once. */
import type { LabelSelector } from '../../api/objects.ts';
import type { Millis } from '../../lib/clock.ts';

/** Where something is asked over HTTP, and as whom. Secrets are named here, never held. */
export interface Endpoint {
  readonly url: string;
  readonly timeoutMs: Millis;
  readonly bearer?: KeyRef;
  readonly basic?: { readonly username: KeyRef; readonly password: KeyRef };
  readonly authority?: KeyRef & { readonly kind: 'ConfigMap' | 'Secret' };
  readonly serverName?: string;
  readonly insecure: boolean;
}

/** A key of an object in the controller's namespace. */
export interface KeyRef {
  readonly name: string;
  readonly key: string;
}

export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

export interface AlertChoice {
  /** Regular expressions of Go's. */
  readonly ignore?: string;
  readonly only?: string;
  readonly matchers: readonly Matcher[];
}

/** What is asked of the outside, again and again while somebody waits for it. */
export type Question =
  | ({ readonly ask: 'PrometheusAlerts'; readonly endpoint: Endpoint; readonly pending: boolean } & AlertChoice)
  | {
      readonly ask: 'PrometheusQuery';
      readonly endpoint: Endpoint;
      readonly query: string;
      readonly holdWhile: 'NonEmpty' | 'NonZero';
    }
  | ({ readonly ask: 'Alertmanager'; readonly endpoint: Endpoint } & AlertChoice)
  | {
      readonly ask: 'Http';
      readonly endpoint: Endpoint;
      readonly statuses?: readonly number[];
      readonly json?: { readonly field: string; readonly equals: string };
    }
  /** Have the workloads been well for so long? null: of every namespace. */
  | { readonly ask: 'Workloads'; readonly namespaces: readonly string[] | null; readonly forMs: Millis };

export interface AskedQuestion {
  /** Two questions of one key are one. */
  readonly key: string;
  readonly question: Question;
  readonly intervalMs: Millis;
  readonly timeoutMs: Millis;
}

export interface PodsQuestion {
  readonly key: string;
  readonly selector: LabelSelector;
  /** null: every namespace. */
  readonly namespaces: readonly string[] | null;
  readonly runningOnly: boolean;
}

export type GateRule =
  | { readonly gate: 'Pods'; readonly name: string; readonly scope: 'Node' | 'Cluster'; readonly pods: PodsQuestion }
  | { readonly gate: 'Asked'; readonly name: string; readonly asked: AskedQuestion }
  | { readonly gate: 'NodesReady'; readonly name: string; readonly forMs: Millis }
  | { readonly gate: 'Approval'; readonly name: string; readonly validForMs: Millis };

/** What an answer says. */
export type Verdict =
  | { readonly is: 'Open' }
  | { readonly is: 'Alerts'; readonly from: 'Prometheus' | 'Alertmanager'; readonly alerts: readonly string[] }
  | { readonly is: 'Result'; readonly result: string }
  | { readonly is: 'Unfit'; readonly found: string }
  | { readonly is: 'Unsettled'; readonly what: readonly string[] }
  | { readonly is: 'Settling'; readonly until: Millis }
  /** No answer, or one that cannot be read. */
  | { readonly is: 'Unanswered'; readonly message: string };

export interface GateAnswer {
  readonly verdict: Verdict;
  /** When it was given. */
  readonly at: Millis;
  /** Since when every answer has been of this kind. */
  readonly since: Millis;
}

/** What is known of the outside. What a pass looks at is asked for, and kept up to date until no pass does. */
export interface GateWorld {
  /** undefined: there is none yet. */
  answer(asked: AskedQuestion): GateAnswer | undefined;
  /** null: not read yet. */
  pods(question: PodsQuestion, now: Millis): GatePods | { readonly failed: string; readonly since: Millis } | null;
}

export interface GatePods {
  /** "namespace/name" of those on the node; null: on every node. */
  on(nodeName: string | null): readonly string[];
}

/** What must be asked for the engine to decide. */
export interface GateNeeds {
  readonly asked: Map<string, AskedQuestion>;
  readonly pods: Map<string, PodsQuestion>;
  /** Keys of `asked` whose answer is too old to open anything, and nothing else is waited for. */
  readonly anew: Set<string>;
}

export function noGateNeeds(): GateNeeds {
  return { asked: new Map(), pods: new Map(), anew: new Set() };
}

export interface Approval {
  readonly by: string;
  readonly at: Millis;
}

/** How old an answer may be that opens a gate: what started a minute ago may be what closes it now. */
export const FRESH_MS = 5_000;

/** For how long an answer may hold back: until the next one is due, and may be late. */
export function trustMs({ intervalMs, timeoutMs }: AskedQuestion): Millis {
  return intervalMs * 1.25 + timeoutMs + 5_000;
}
