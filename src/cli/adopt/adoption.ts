/** What a tool's configuration becomes: policies, values for the Helm chart, and a line for each setting. */
import { GROUP_VERSION } from '../../api/names.ts';
import { formatDuration } from '../../api/duration.ts';
import type { FlagTable } from './flag-table.ts';
import type { Settings, Workload } from './workload.ts';

/** A policy as a person would write it. It may hold fields that this version does not know: see `fit.ts`. */
export interface DraftPolicy {
  readonly apiVersion: string;
  readonly kind: 'MaintenancePolicy';
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface Row {
  readonly setting: string;
  readonly value: string;
  /** Empty: nothing. */
  readonly becomes: string;
  readonly note: string;
}

export interface Adoption {
  readonly tool: string;
  readonly title: string;
  readonly policies: readonly DraftPolicy[];
  /** Under `agent` of the chart's values. */
  readonly agent: Readonly<Record<string, unknown>> | null;
  readonly rows: readonly Row[];
  /** What a person has to do. */
  readonly toDo: readonly string[];
}

export function draftPolicy(name: string, spec: Readonly<Record<string, unknown>>): DraftPolicy {
  return { apiVersion: GROUP_VERSION, kind: 'MaintenancePolicy', metadata: { name }, spec };
}

/** What a flag may let somebody else do must not be shown. */
const secrets = /url$|^slack|token|proxy|headers|sentry/i;
const harmless = new Set(['prometheus-url', 'queue-url', 'metadata-url']);

/** A row for each setting that is there. */
export function rowsOf(settings: Settings, table: FlagTable): Row[] {
  const given = Object.entries(table).flatMap(([flag, { becomes, note }]): Row[] => {
    const values = settings.of.get(flag);
    if (!values && !settings.hidden.has(flag)) return [];
    const isSecret = settings.hidden.has(flag) || (secrets.test(flag) && !harmless.has(flag));
    return [{ setting: flag, value: isSecret ? '(not shown)' : (values ?? []).join(', '), becomes: becomes.join(', '), note }];
  });
  const unknown = settings.unknown.map((flag) => ({
    setting: flag,
    value: '',
    becomes: '',
    note: 'not a setting that is known here',
  }));
  return [...given, ...unknown];
}

/** Where the nodes of the tool are: its own node selector, else all Linux nodes. */
export function selectorOf({ pod }: Workload): { readonly matchLabels: Readonly<Record<string, string>> } {
  const own = pod.nodeSelector ?? {};
  return { matchLabels: Object.keys(own).length > 0 ? own : { 'kubernetes.io/os': 'linux' } };
}

/** Where the agent runs: as the tool does. */
export function placeOf({ pod }: Workload): Record<string, unknown> {
  return {
    ...(pod.nodeSelector && { nodeSelector: pod.nodeSelector }),
    ...(pod.tolerations && { tolerations: pod.tolerations }),
    ...(pod.affinity !== undefined && { affinity: pod.affinity }),
    ...(pod.priorityClassName && { priorityClassName: pod.priorityClassName }),
  };
}

export function selectionToDo({ pod }: Workload): string[] {
  return pod.affinity === undefined ? [] : ['the pods have an affinity: write what it says about nodes into spec.nodeSelector'];
}

/** Go's durations, as Drover writes them: "1h0m0s" -> "1h"; null for none, zero and what cannot be read. */
export function spanOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  let ms = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/([\d.]+)(ms|h|m|s)/g))
    ms += Number(amount) * ({ h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }[unit] ?? 0);
  return Number.isFinite(ms) && ms >= 1_000 ? formatDuration(Math.round(ms / 1_000) * 1_000) : null;
}

/** A grace in seconds: -1 is the pod's own. */
export function graceOf(text: string | undefined): { readonly gracePeriodSeconds?: number } {
  const seconds = Number(text ?? '-1');
  return Number.isInteger(seconds) && seconds >= 0 ? { gracePeriodSeconds: Math.max(1, seconds) } : {};
}

/** ":8080" for a port. */
export const portAddress = (port: string | undefined, host = ''): string | null =>
  port === undefined ? null : `${host}:${port}`;

/** Without what is null or undefined. */
export function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}
