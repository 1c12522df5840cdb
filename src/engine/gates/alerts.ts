/** Which alerts hold back, and how a choice of them is written in PromQL. */
import { compileGoRegexp } from '../../api/go-regexp.ts';
import type { AlertChoice, Matcher } from './gate.ts';

/** @returns the names that hold back, sorted, each once. */
export function heldBy(names: readonly string[], { ignore, only }: AlertChoice): readonly string[] {
  const ignored = ignore === undefined ? null : compileGoRegexp(ignore);
  const chosen = only === undefined ? null : compileGoRegexp(only);
  return [...new Set(names)].filter((name) => !ignored?.test(name) && (chosen?.test(name) ?? true)).sort();
}

/** severity="critical" */
export function matcherText({ label, operator, value }: Matcher): string {
  return `${label}${operator}${quoted(value)}`;
}

/** A text as PromQL and Alertmanager's matchers quote it: the escapes of Go. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

/** The query for the alerts of a Prometheus: of the series that it keeps about them, so that it works wherever PromQL does. */
export function alertsQuery(pending: boolean, matchers: readonly Matcher[]): string {
  const state = pending ? [] : ['alertstate="firing"'];
  return `ALERTS{${[...state, ...matchers.map(matcherText)].join(',')}}`;
}
