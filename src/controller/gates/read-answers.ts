/** What Prometheus, Alertmanager and others answer -> a verdict. Pure. Whatever is not exactly what was asked for throws: it holds back. */
import { alertsQuery, heldBy, matcherText } from '../../engine/gates/alerts.ts';
import type { AlertChoice, Question, Verdict } from '../../engine/gates/gate.ts';
import { type GateReply, shown } from './send.ts';

type Remote = Exclude<Question, { ask: 'Workloads' }>;

export interface Asking {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const open: Verdict = { is: 'Open' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };

/** The request that asks it. */
export function requestFor(question: Remote): Asking {
  const { url } = question.endpoint;
  switch (question.ask) {
    case 'PrometheusAlerts':
    case 'PrometheusQuery': {
      const query = question.ask === 'PrometheusQuery' ? question.query : alertsQuery(question.pending, question.matchers);
      // POST: a query may be longer than an address.
      return { method: 'POST', url: under(url, 'api/v1/query'), headers: FORM, body: new URLSearchParams({ query }).toString() };
    }
    case 'Alertmanager': {
      const query = new URLSearchParams({ active: 'true', silenced: 'false', inhibited: 'false', unprocessed: 'true' });
      for (const matcher of question.matchers) query.append('filter', matcherText(matcher));
      return {
        method: 'GET',
        url: `${under(url, 'api/v2/alerts')}?${query.toString()}`,
        headers: { accept: 'application/json' },
      };
    }
    case 'Http':
      return { method: 'GET', url, headers: { accept: 'application/json, */*;q=0.5' } };
  }
}

function under(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path}`;
}

/** @throws Error in one line for an answer that is none */
export function readAnswer(question: Remote, reply: GateReply): Verdict {
  switch (question.ask) {
    case 'PrometheusAlerts':
    case 'PrometheusQuery':
      return readPrometheus(question, reply);
    case 'Alertmanager':
      return readAlertmanager(question, reply);
    case 'Http':
      return readHttp(question, reply);
  }
}

function refuse(question: Remote, what: string): never {
  throw new Error(`${shown(question.endpoint.url)} ${what}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(question: Remote, { body }: GateReply): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return refuse(question, 'answers with something that is not JSON, or not all of it');
  }
}

function statusWords({ status, location }: GateReply): string {
  const to = location === undefined ? '' : ` to ${targetOf(location)}`;
  return status >= 300 && status < 400 ? `redirects${to} (${status}), which is not followed` : `answers ${status}`;
}

/** Only where it leads: what is behind the ? may be a token. */
function targetOf(location: string): string {
  return location.replace(/[?#].*$/s, '').slice(0, 200);
}

function readPrometheus(question: Extract<Remote, { ask: `Prometheus${string}` }>, reply: GateReply): Verdict {
  // 400 and 422 say in the body what is wrong with the query.
  const said = reply.status >= 400 ? errorOf(reply.body) : '';
  if (reply.status !== 200) refuse(question, `${statusWords(reply)}${said === '' ? '' : `: ${said}`}`);
  const answer = parsed(question, reply);
  if (!isRecord(answer) || answer['status'] !== 'success' || !isRecord(answer['data']))
    return refuse(question, `does not answer like a Prometheus: ${errorOf(reply.body) || 'no status "success"'}`);
  const { resultType, result } = answer['data'];
  const verdict =
    question.ask === 'PrometheusAlerts' ? alertsIn(question, resultType, result) : resultIn(question, resultType, result);
  const warnings = Array.isArray(answer['warnings']) ? answer['warnings'].map(String) : [];
  // A store that was not reached, in Thanos or with remote read: nothing found is not nothing there.
  if (verdict.is === 'Open' && warnings.length > 0)
    refuse(question, `has only a part of the answer: ${cut(warnings.join('; '))}`);
  return verdict;
}

function errorOf(body: string): string {
  try {
    const answer: unknown = JSON.parse(body);
    return isRecord(answer) && typeof answer['error'] === 'string' ? cut(answer['error']) : '';
  } catch {
    return '';
  }
}

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
}

function samplesIn(question: Remote, type: unknown, result: unknown): Sample[] {
  if (type !== 'vector' || !Array.isArray(result)) return refuse(question, `answers with a ${String(type)} instead of a vector`);
  return result.map((each: unknown) => {
    // A native histogram instead of a value is not zero.
    if (isRecord(each) && isRecord(each['metric']) && ('histogram' in each || Array.isArray(each['value'])))
      return {
        labels: each['metric'] as Record<string, string>,
        value: Array.isArray(each['value']) ? String(each['value'][1]) : 'histogram',
      };
    return refuse(question, 'answers with a vector that cannot be read');
  });
}

// NaN is not 0 either.
const isZero = (value: string) => Number(value) === 0 && value.trim() !== '';

function alertsIn(question: Extract<Remote, { ask: 'PrometheusAlerts' }>, type: unknown, result: unknown): Verdict {
  // 0 was written where an alert ended, by Prometheus 1.
  const names = samplesIn(question, type, result).flatMap(({ labels, value }) =>
    isZero(value) ? [] : [labels['alertname'] ?? '(no name)'],
  );
  return verdictOf('Prometheus', names, question);
}

function verdictOf(from: 'Prometheus' | 'Alertmanager', names: readonly string[], choice: AlertChoice): Verdict {
  const alerts = heldBy(names, choice);
  return alerts.length === 0 ? open : { is: 'Alerts', from, alerts };
}

const SHOWN_SERIES = 3;

function resultIn(question: Extract<Remote, { ask: 'PrometheusQuery' }>, type: unknown, result: unknown): Verdict {
  if (type === 'scalar' && Array.isArray(result)) {
    const value = String(result[1]);
    return isZero(value) ? open : { is: 'Result', result: cut(value) };
  }
  const samples = samplesIn(question, type, result).filter(({ value }) => question.holdWhile === 'NonEmpty' || !isZero(value));
  if (samples.length === 0) return open;
  const more = samples.length > SHOWN_SERIES ? ` and ${samples.length - SHOWN_SERIES} more` : '';
  return { is: 'Result', result: cut(`${samples.slice(0, SHOWN_SERIES).map(seriesText).join(', ')}${more}`) };
}

function seriesText({ labels, value }: Sample): string {
  const { __name__: name = '', ...others } = labels;
  const text = Object.entries(others).map(([label, each]) => `${label}="${each}"`);
  return `${name}${text.length > 0 || name === '' ? `{${text.join(',')}}` : ''} ${value}`;
}

function readAlertmanager(question: Extract<Remote, { ask: 'Alertmanager' }>, reply: GateReply): Verdict {
  if (reply.status !== 200) refuse(question, statusWords(reply));
  const alerts = parsed(question, reply);
  if (!Array.isArray(alerts)) return refuse(question, 'does not answer like an Alertmanager: no list of alerts');
  const names = alerts.flatMap((alert: unknown) => {
    if (!isRecord(alert) || !isRecord(alert['labels']) || !isRecord(alert['status']))
      return refuse(question, 'answers with an alert that cannot be read');
    // Asked to leave them out, and looked at once more: a proxy may have lost the query.
    const { state } = alert['status'];
    const name = alert['labels']['alertname'];
    return state === 'suppressed' ? [] : [typeof name === 'string' ? name : '(no name)'];
  });
  return verdictOf('Alertmanager', names, question);
}

function readHttp(question: Extract<Remote, { ask: 'Http' }>, reply: GateReply): Verdict {
  const { statuses, json, endpoint } = question;
  const unfit = (what: string): Verdict => ({ is: 'Unfit', found: `${shown(endpoint.url)} ${what}` });
  const good = statuses ? statuses.includes(reply.status) : reply.status >= 200 && reply.status < 300;
  if (!good) return unfit(statusWords(reply));
  if (!json) return open;
  const value = json.field
    .split('.')
    .reduce<unknown>(
      (part, key) =>
        Array.isArray(part)
          ? (part as unknown[])[Number(key)]
          : isRecord(part) && Object.hasOwn(part, key)
            ? part[key]
            : undefined,
      parsed(question, reply),
    );
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  if (value !== undefined && text === json.equals) return open;
  return unfit(
    `says ${json.field} ${value === undefined ? 'is not there' : `is ${cut(text).slice(0, 100)}`}, not ${json.equals}`,
  );
}
