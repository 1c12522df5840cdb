/** spec.gates as people write it -> the rules that the engine reads. */
import { parseDuration } from '../../api/duration.ts';
import type { GatesSpec } from '../../api/resources.ts';
import type { AskedQuestion, Endpoint, GateRule, KeyRef, PodsQuestion, Question } from '../../engine/gates/gate.ts';
import type { Millis } from '../../lib/clock.ts';

type Asking = GatesSpec['http'][number];
type Choosing = GatesSpec['alertmanager'][number];

// Reading the workloads of a large cluster takes many pages.
const WORKLOADS_TIMEOUT_MS = 60_000;

/** In the order in which they are told; each name says where in spec.gates it is, unless it has one of its own. */
export function compileGates(spec: GatesSpec): GateRule[] {
  const named = (kind: string, index: number, name: string | undefined) => name ?? `${kind}[${index}]`;
  return [
    ...(spec.approval
      ? [{ gate: 'Approval' as const, name: 'approval', validForMs: parseDuration(spec.approval.validFor) }]
      : []),
    ...spec.pods.map(
      ({ name, scope, podSelector, namespaces, runningOnly }, index): GateRule => ({
        gate: 'Pods',
        name: named('pods', index, name),
        scope,
        pods: podsQuestion({ selector: podSelector, namespaces: namespaces ?? null, runningOnly }),
      }),
    ),
    ...spec.prometheus.map((each, index): GateRule => {
      const { alerts, query, holdWhile = 'NonEmpty' } = each;
      const endpoint = endpointOf(each);
      const question: Question =
        query === undefined
          ? { ask: 'PrometheusAlerts', endpoint, pending: alerts?.pending ?? false, ...choiceOf(alerts ?? { matchers: [] }) }
          : { ask: 'PrometheusQuery', endpoint, query, holdWhile };
      return { gate: 'Asked', name: named('prometheus', index, each.name), asked: asked(question, each) };
    }),
    ...spec.alertmanager.map((each, index): GateRule => {
      const question: Question = { ask: 'Alertmanager', endpoint: endpointOf(each), ...choiceOf(each) };
      return { gate: 'Asked', name: named('alertmanager', index, each.name), asked: asked(question, each) };
    }),
    ...spec.http.map((each, index): GateRule => {
      const { statuses, json } = each;
      const question: Question = {
        ask: 'Http',
        endpoint: endpointOf(each),
        ...(statuses && { statuses }),
        ...(json && { json }),
      };
      return { gate: 'Asked', name: named('http', index, each.name), asked: asked(question, each) };
    }),
    ...(spec.settled ? settledRules(spec.settled) : []),
  ];
}

function settledRules({ for: held, namespaces, interval }: NonNullable<GatesSpec['settled']>): GateRule[] {
  const forMs = parseDuration(held);
  const question: Question = { ask: 'Workloads', namespaces: namespaces ?? null, forMs };
  const intervalMs = parseDuration(interval);
  return [
    { gate: 'NodesReady', name: 'settled', forMs },
    { gate: 'Asked', name: 'settled', asked: withKey(question, intervalMs, WORKLOADS_TIMEOUT_MS) },
  ];
}

function podsQuestion(question: Omit<PodsQuestion, 'key'>): PodsQuestion {
  return { key: JSON.stringify(question), ...question };
}

function asked(question: Question, { interval, timeout }: Pick<Asking, 'interval' | 'timeout'>): AskedQuestion {
  return withKey(question, parseDuration(interval), parseDuration(timeout));
}

function withKey(question: Question, intervalMs: Millis, timeoutMs: Millis): AskedQuestion {
  return { key: JSON.stringify([question, intervalMs]), question, intervalMs, timeoutMs };
}

function choiceOf({ ignore, only, matchers }: Pick<Choosing, 'ignore' | 'only' | 'matchers'>) {
  return { ...(ignore !== undefined && { ignore }), ...(only !== undefined && { only }), matchers };
}

function endpointOf({ url, timeout, auth, tls }: Pick<Asking, 'url' | 'timeout' | 'auth' | 'tls'>): Endpoint {
  const authority = authorityOf(tls);
  return {
    url,
    timeoutMs: parseDuration(timeout),
    insecure: tls?.insecureSkipVerify ?? false,
    ...(auth?.bearer && { bearer: auth.bearer }),
    ...(auth?.basic && { basic: auth.basic }),
    ...(authority && { authority }),
    ...(tls?.serverName !== undefined && { serverName: tls.serverName }),
  };
}

function authorityOf(tls: Asking['tls']): (KeyRef & { readonly kind: 'ConfigMap' | 'Secret' }) | null {
  if (tls?.configMap) return { kind: 'ConfigMap', ...tls.configMap };
  return tls?.secret ? { kind: 'Secret', ...tls.secret } : null;
}
