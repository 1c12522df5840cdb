/** Gates with everything around them for tests: a fake API server with Secrets, a virtual clock, real sockets. */
import type http from 'node:http';
import { expect } from 'vitest';
import { NOW } from '../../../../test/builders.ts';
import { createFakeClient, refusal } from '../../../../test/fake-client.ts';
import { aPolicy } from '../../../../test/raw-objects.ts';
import type { MaintenancePolicyInput } from '../../../api/resources.ts';
import type { AskedQuestion, Verdict } from '../../../engine/gates/gate.ts';
import { fakeServer } from '../../../kube/testing/fake-server.ts';
import { testCertificate } from '../../../kube/testing/certificate.ts';
import { createVirtualClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { compileGates } from '../compile-gates.ts';
import { createGates } from '../gates.ts';
import { createGateSender } from '../send.ts';

export type GatesInput = NonNullable<MaintenancePolicyInput['spec']['gates']>;
export type Handler = (request: http.IncomingMessage, response: http.ServerResponse, body: string) => void;

export const authority = testCertificate({ common: 'test authority' });
export const certificate = testCertificate({
  common: 'prometheus',
  issuer: authority,
  addresses: ['127.0.0.1'],
  dnsNames: ['prom.example'],
});
export const secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'secrets/prometheus': { token: 't0p-s3cret\n', username: 'ann', password: 'p4ss:w0rd' },
  'configmaps/authority': { 'ca.crt': authority.cert },
};

export function start() {
  const clock = createVirtualClock(NOW);
  const client = createFakeClient();
  client.handle(({ path }) => {
    const [, kind = '', name = ''] = /\/namespaces\/drover\/(\w+)\/(.+)$/.exec(path) ?? [];
    const data = secrets[`${kind}/${name}`];
    if (!data) throw refusal(404, 'NotFound');
    const encoded = Object.entries(data).map(([key, value]) => [key, kind === 'secrets' ? btoa(value) : value]);
    return { metadata: { name }, data: Object.fromEntries(encoded) };
  });
  let wake = () => {};
  const results: string[] = [];
  const gates = createGates({
    client,
    clock,
    log: silentLog,
    random: () => 0.5,
    send: createGateSender(clock),
    namespace: 'drover',
    onChange: () => wake(),
    onAnswer: (_, result) => void results.push(result),
  });
  const askedBy = (spec: GatesInput): AskedQuestion => {
    const [rule] = compileGates(aPolicy({ gates: spec }).spec.gates);
    return rule?.gate === 'Asked' ? rule.asked : expect.fail('nothing is asked');
  };
  const provide = (asked: readonly AskedQuestion[], anew: readonly string[]) =>
    gates.provide({ asked: new Map(asked.map((each) => [each.key, each])), pods: new Map(), anew: new Set(anew) });
  const need = (...asked: AskedQuestion[]) => provide(asked, []);
  const needAnew = (asked: AskedQuestion) => provide([asked], [asked.key]);
  const change = () => new Promise<void>((resolve) => (wake = resolve));
  const verdictOf = async (spec: GatesInput): Promise<Verdict> => {
    const asked = askedBy(spec);
    const answered = change();
    need(asked);
    await answered;
    return gates.answer(asked)?.verdict ?? expect.fail('no answer');
  };
  return { clock, client, gates, results, askedBy, need, needAnew, change, verdictOf };
}

export const answering = (handler: Handler, tls?: Parameters<typeof fakeServer>[1]) =>
  fakeServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handler(request, response, Buffer.concat(chunks).toString()));
  }, tls);

export const vector = (...series: readonly [Readonly<Record<string, string>>, string][]) => ({
  status: 'success',
  data: { resultType: 'vector', result: series.map(([metric, value]) => ({ metric, value: [1, value] })) },
});
export const firing = (...names: string[]) =>
  vector(...names.map((alertname) => [{ alertname }, '1'] as [Record<string, string>, string]));
