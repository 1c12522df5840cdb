/** Gates against real sockets: what Prometheus, Alertmanager and others may answer, and how little of it opens a gate. */
import type http from 'node:http';
import { describe, expect, it } from 'vitest';
import { NOW } from '../../../test/builders.ts';
import { createFakeClient, refusal, settled } from '../../../test/fake-client.ts';
import { aPolicy } from '../../../test/raw-objects.ts';
import type { MaintenancePolicyInput } from '../../api/resources.ts';
import type { AskedQuestion, Verdict } from '../../engine/gates/gate.ts';
import { fakeServer, sendJson } from '../../kube/testing/fake-server.ts';
import { testCertificate } from '../../kube/testing/certificate.ts';
import { createVirtualClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { compileGates } from './compile-gates.ts';
import { createGates } from './gates.ts';
import { createGateSender } from './send.ts';

type GatesInput = NonNullable<MaintenancePolicyInput['spec']['gates']>;
type Handler = (request: http.IncomingMessage, response: http.ServerResponse, body: string) => void;

const authority = testCertificate({ common: 'test authority' });
const certificate = testCertificate({
  common: 'prometheus',
  issuer: authority,
  addresses: ['127.0.0.1'],
  dnsNames: ['prom.example'],
});
const secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'secrets/prometheus': { token: 't0p-s3cret\n', username: 'ann', password: 'p4ss:w0rd' },
  'configmaps/authority': { 'ca.crt': authority.cert },
};

function start() {
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

const answering = (handler: Handler, tls?: Parameters<typeof fakeServer>[1]) =>
  fakeServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handler(request, response, Buffer.concat(chunks).toString()));
  }, tls);

const vector = (...series: readonly [Readonly<Record<string, string>>, string][]) => ({
  status: 'success',
  data: { resultType: 'vector', result: series.map(([metric, value]) => ({ metric, value: [1, value] })) },
});
const firing = (...names: string[]) =>
  vector(...names.map((alertname) => [{ alertname }, '1'] as [Record<string, string>, string]));

describe('a Prometheus', () => {
  it('is asked for firing alerts, and its gate is open while there are none', async () => {
    const asked: string[] = [];
    await using server = await answering((request, response, body) => {
      asked.push(`${request.method} ${request.url} ${new URLSearchParams(body).get('query')}`);
      sendJson(response, 200, vector());
    });
    expect(await start().verdictOf({ prometheus: [{ url: `${server.url}/prom/`, alerts: {} }] })).toEqual({ is: 'Open' });
    expect(asked).toEqual(['POST /prom/api/v1/query ALERTS{alertstate="firing"}']);
  });

  it('closes its gate with alerts, but for the ignored', async () => {
    await using server = await answering((_, response) => sendJson(response, 200, firing('Watchdog', 'ApiDown', 'ApiDown')));
    const verdict = await start().verdictOf({ prometheus: [{ url: server.url, alerts: { ignore: '^Watch' } }] });
    expect(verdict).toEqual({ is: 'Alerts', from: 'Prometheus', alerts: ['ApiDown'] });
  });

  it.each<[string, object, 'NonEmpty' | 'NonZero', Verdict]>([
    ['an empty vector', vector(), 'NonEmpty', { is: 'Open' }],
    [
      'a series of value 0',
      vector([{ __name__: 'up', job: 'web' }, '0']),
      'NonEmpty',
      { is: 'Result', result: 'up{job="web"} 0' },
    ],
    ['a series of value 0', vector([{ __name__: 'up', job: 'web' }, '0']), 'NonZero', { is: 'Open' }],
    ['a series without labels', vector([{}, 'NaN']), 'NonZero', { is: 'Result', result: '{} NaN' }],
    ['the scalar 0', { status: 'success', data: { resultType: 'scalar', result: [1, '0'] } }, 'NonEmpty', { is: 'Open' }],
    [
      'a scalar',
      { status: 'success', data: { resultType: 'scalar', result: [1, '0.5'] } },
      'NonEmpty',
      { is: 'Result', result: '0.5' },
    ],
  ])('answers a query with %s', async (_, answer, holdWhile, expected) => {
    await using server = await answering((_request, response) => sendJson(response, 200, answer));
    expect(await start().verdictOf({ prometheus: [{ url: server.url, query: 'x', holdWhile }] })).toEqual(expected);
  });

  it.each<[string, Handler, string]>([
    ['5xx', (_, response) => response.writeHead(503).end('no'), 'answers 503'],
    [
      'a refusal of the query',
      (_, response) => sendJson(response, 400, { status: 'error', error: 'parse error: unexpected )' }),
      'answers 400: parse error: unexpected )',
    ],
    [
      'an error with 200',
      (_, response) => sendJson(response, 200, { status: 'error', error: 'busy' }),
      'like a Prometheus: busy',
    ],
    ['HTML', (_, response) => response.end('<html>log in</html>'), 'something that is not JSON'],
    ['nothing', (_, response) => response.end(), 'something that is not JSON'],
    ['JSON of something else', (_, response) => sendJson(response, 200, []), 'does not answer like a Prometheus'],
    ['null', (_, response) => response.end('null'), 'does not answer like a Prometheus'],
    ['half of its answer', (_, response) => response.end(JSON.stringify(vector()).slice(0, 40)), 'not all of it'],
    [
      'less than it announced',
      (_, response) => {
        response.writeHead(200, { 'content-length': 1_000 }).write('{"status":"success"');
        response.socket?.destroySoon();
      },
      'has not ended its answer',
    ],
    ['a cut connection', (request) => request.socket.destroy(), 'cannot be reached: socket hang up'],
    [
      'a redirect',
      (_, response) => response.writeHead(302, { location: 'https://login.example/?state=t0ken' }).end(),
      'redirects to https://login.example/ (302), which is not followed',
    ],
    [
      'a matrix',
      (_, response) => sendJson(response, 200, { status: 'success', data: { resultType: 'matrix', result: [] } }),
      'a matrix instead of a vector',
    ],
    [
      'a vector that cannot be read',
      (_, response) => sendJson(response, 200, { status: 'success', data: { resultType: 'vector', result: [7] } }),
      'a vector that cannot be read',
    ],
    [
      'a part of the answer',
      (_, response) => sendJson(response, 200, { ...vector(), warnings: ['store 2 unreachable'] }),
      'only a part of the answer: store 2 unreachable',
    ],
    [
      'more than is read',
      (_, response) => {
        for (let part = 0; part < 9; part += 1) response.write(Buffer.alloc(1 << 20, 0x20));
        response.end();
      },
      'answers with more than 8 MiB',
    ],
  ])('holds back with %s', async (_, handler, why) => {
    await using server = await answering(handler);
    const { verdictOf, results } = start();
    const verdict = await verdictOf({ prometheus: [{ url: server.url, alerts: {} }] });
    expect(verdict).toEqual({ is: 'Unanswered', message: expect.stringContaining(why) });
    expect(results).toEqual(['Unanswered']);
  });

  it('holds back when it accepts the connection and says nothing, and lets the connection go', async () => {
    let arrived = () => {};
    const request = new Promise<void>((resolve) => (arrived = resolve));
    await using server = await answering(() => arrived());
    const { clock, verdictOf } = start();
    const verdict = verdictOf({ prometheus: [{ url: server.url, alerts: {}, timeout: '3s' }] });
    await request;
    await clock.advance(3_000);
    expect(await verdict).toEqual({ is: 'Unanswered', message: `${server.url}/api/v1/query has not answered within 3s` });
    await expect.poll(() => server.open.size).toBe(0);
  });

  it('holds back when it sends a little now and then: the limit is for the whole answer', async () => {
    let begun = () => {};
    const first = new Promise<void>((resolve) => (begun = resolve));
    await using server = await answering((_, response) => {
      response.write('{"status":');
      begun();
    });
    const { clock, verdictOf } = start();
    const verdict = verdictOf({ prometheus: [{ url: server.url, alerts: {} }] });
    await first;
    await clock.advance(10_000);
    expect(await verdict).toMatchObject({ is: 'Unanswered', message: expect.stringContaining('within 10s') });
  });

  it('holds back when nobody listens', async () => {
    const { url } = await (async () => {
      await using server = await answering(() => {});
      return server;
    })();
    expect(await start().verdictOf({ prometheus: [{ url, alerts: {} }] })).toEqual({
      is: 'Unanswered',
      message: expect.stringMatching(/cannot be reached: .*ECONNREFUSED/),
    });
  });
});

describe('credentials', () => {
  const asksWith = async (auth: object) => {
    let header: string | undefined;
    await using server = await answering((request, response) => {
      header = request.headers.authorization;
      sendJson(response, 400, { status: 'error', error: `cannot use ${header}` });
    });
    return { verdict: await start().verdictOf({ prometheus: [{ url: server.url, alerts: {}, auth }] }), header };
  };

  it('are a bearer token from a Secret, which shows in no message', async () => {
    const { verdict, header } = await asksWith({ bearer: { name: 'prometheus' } });
    expect(header).toBe('Bearer t0p-s3cret');
    expect(verdict).toMatchObject({ message: expect.stringContaining('cannot use Bearer ***') });
  });

  it('are a user and a password', async () => {
    const ref = { name: 'prometheus' };
    const { verdict, header } = await asksWith({ basic: { username: ref, password: ref } });
    expect(header).toBe(`Basic ${btoa('ann:p4ss:w0rd')}`);
    expect(JSON.stringify(verdict)).not.toContain(btoa('ann:p4ss:w0rd'));
  });

  it.each([
    [{ bearer: { name: 'nothing' } }, 'Secret drover/nothing cannot be read: it does not exist'],
    [{ bearer: { name: 'prometheus', key: 'nothing' } }, 'Secret drover/prometheus has no key nothing'],
  ])('hold back when they are missing, and nothing is sent', async (auth, message) => {
    const { verdict, header } = await asksWith(auth);
    expect(verdict).toEqual({ is: 'Unanswered', message });
    expect(header).toBeUndefined();
  });
});

describe('a certificate', () => {
  const asksWith = async (tls: object | undefined) => {
    await using server = await answering((_, response) => sendJson(response, 200, vector()), certificate);
    return await start().verdictOf({ prometheus: [{ url: server.url, alerts: {}, ...(tls && { tls }) }] });
  };

  it('is checked', async () => {
    expect(await asksWith(undefined)).toMatchObject({
      is: 'Unanswered',
      message: expect.stringMatching(/UNABLE_TO_VERIFY|unable to/),
    });
  });

  it('is checked against the authority of a ConfigMap', async () => {
    const configMap = { name: 'authority' };
    expect(await asksWith({ configMap })).toEqual({ is: 'Open' });
    expect(await asksWith({ configMap, serverName: 'prom.example' })).toEqual({ is: 'Open' });
    expect(await asksWith({ configMap, serverName: 'other.example' })).toMatchObject({ is: 'Unanswered' });
  });

  it('is not checked only where that is asked for', async () => {
    expect(await asksWith({ insecureSkipVerify: true })).toEqual({ is: 'Open' });
  });
});

describe('an Alertmanager', () => {
  const alert = (alertname: string, state = 'active') => ({
    labels: { alertname },
    status: { state, silencedBy: [], inhibitedBy: [] },
  });

  it('is asked for active alerts only, with the matchers', async () => {
    let asked = new URL('http://nowhere');
    await using server = await answering((request, response) => {
      asked = new URL(request.url ?? '', 'http://nowhere');
      sendJson(response, 200, [alert('ApiDown'), alert('Fresh', 'unprocessed'), alert('Silenced', 'suppressed')]);
    });
    const matchers = [{ label: 'severity', operator: '=~' as const, value: 'critical|page' }];
    const verdict = await start().verdictOf({ alertmanager: [{ url: server.url, matchers, only: 'Down|Fresh|Silenced' }] });
    expect(verdict).toEqual({ is: 'Alerts', from: 'Alertmanager', alerts: ['ApiDown', 'Fresh'] });
    expect([asked.pathname, Object.fromEntries(asked.searchParams)]).toEqual([
      '/api/v2/alerts',
      { active: 'true', silenced: 'false', inhibited: 'false', unprocessed: 'true', filter: 'severity=~"critical|page"' },
    ]);
  });

  it.each<[string, unknown, string]>([
    ['an object', {}, 'no list of alerts'],
    ['an alert without a status', [{ labels: {} }], 'an alert that cannot be read'],
  ])('holds back with %s', async (_, answer, why) => {
    await using server = await answering((_request, response) => sendJson(response, 200, answer));
    const verdict = await start().verdictOf({ alertmanager: [{ url: server.url }] });
    expect(verdict).toMatchObject({ is: 'Unanswered', message: expect.stringContaining(why) });
  });
});

describe('a URL', () => {
  const answers = async (status: number, body: string, gate: object) => {
    await using server = await answering((_, response) => response.writeHead(status).end(body));
    const verdict = await start().verdictOf({ http: [{ url: `${server.url}/ready?key=s3cret`, ...gate }] });
    return 'found' in verdict ? verdict.found.replace(server.url, '') : verdict.is;
  };

  it('opens its gate with the status that is asked for, and is told without its query', async () => {
    expect(await answers(204, '', {})).toBe('Open');
    expect(await answers(503, '', {})).toBe('/ready answers 503');
    expect(await answers(200, '', { statuses: [204] })).toBe('/ready answers 200');
    expect(await answers(418, '', { statuses: [418] })).toBe('Open');
    expect(await answers(301, '', {})).toBe('/ready redirects (301), which is not followed');
  });

  it('opens it with the field that is asked for', async () => {
    const json = { field: 'checks.1.ok', equals: 'true' };
    expect(await answers(200, '{"checks":[{"ok":false},{"ok":true}]}', { json })).toBe('Open');
    expect(await answers(200, '{"checks":[{"ok":true},{"ok":false}]}', { json })).toBe(
      '/ready says checks.1.ok is false, not true',
    );
    expect(await answers(200, '{}', { json: { field: 'constructor', equals: 'x' } })).toBe(
      '/ready says constructor is not there, not x',
    );
    expect(await answers(200, 'ok', { json })).toBe('Unanswered');
  });
});

describe('questions', () => {
  it('are asked at once, then after each interval, and not when nobody needs the answer', async () => {
    let asked = 0;
    await using server = await answering((_, response) => {
      asked += 1;
      sendJson(response, 200, asked < 3 ? firing('ApiDown') : vector());
    });
    const { clock, gates, askedBy, need, needAnew, change, verdictOf } = start();
    const spec: GatesInput = { prometheus: [{ url: server.url, alerts: {}, interval: '1m' }] };
    expect(await verdictOf(spec)).toMatchObject({ is: 'Alerts' });
    expect([asked, clock.next()]).toEqual([1, NOW + 60_000]);

    // The same answer again changes nothing and wakes nobody, but it is known to be new.
    await clock.advance(60_000);
    await expect.poll(() => gates.answer(askedBy(spec))).toMatchObject({ at: NOW + 60_000, since: NOW });

    const opened = change();
    await clock.advance(60_000);
    await opened;
    expect(gates.answer(askedBy(spec))).toMatchObject({ verdict: { is: 'Open' }, since: NOW + 120_000 });

    need();
    expect(clock.next()).toBeUndefined();
    // A new need is a new question.
    await clock.advance(10_000);
    const again = change();
    need(askedBy(spec));
    await again;
    expect(asked).toBe(4);

    // What is to be opened by an answer that is not new any more is asked at once, and the same answer is news to who waits for it.
    await clock.advance(6_000);
    const anew = change();
    needAnew(askedBy(spec));
    needAnew(askedBy(spec));
    await anew;
    expect(asked).toBe(5);
    needAnew(askedBy(spec));
    expect(clock.next()).toBe(clock.now() + 60_000);
  });

  it('that two policies ask alike are one', async () => {
    let asked = 0;
    await using server = await answering((_, response) => {
      asked += 1;
      sendJson(response, 200, vector());
    });
    const { askedBy, need, change, gates } = start();
    const of = (name: string) => askedBy({ prometheus: [{ name, url: server.url, alerts: {} }] });
    const answered = change();
    need(of('one'), of('two'));
    await answered;
    expect(asked).toBe(1);
    expect([of('one'), of('two')].map((each) => gates.answer(each)?.verdict)).toEqual([{ is: 'Open' }, { is: 'Open' }]);
  });
});

describe('the workloads', () => {
  const lists: Record<string, unknown[]> = { deployments: [], statefulsets: [], daemonsets: [], pods: [] };
  const listing = (more: Partial<typeof lists>) => {
    const bed = start();
    let failing = false;
    const current = { ...lists, ...more };
    bed.client.handle(({ path }) => {
      if (failing) throw refusal(403, 'Forbidden', { message: 'statefulsets is forbidden' });
      return { metadata: {}, items: current[path.split('/').at(-1) ?? ''] };
    });
    return { ...bed, current, fail: (now: boolean) => (failing = now) };
  };
  const settledGate: GatesInput = { settled: { for: '1m', interval: '15s' } };
  const rule = () => {
    const found = compileGates(aPolicy({ gates: settledGate }).spec.gates).find((each) => each.gate === 'Asked');
    return found?.gate === 'Asked' ? found.asked : expect.fail('nothing is asked');
  };
  const web = (status: object) => ({
    metadata: { name: 'web', namespace: 'shop', generation: 2 },
    spec: { replicas: 3 },
    status,
  });
  const well = web({ observedGeneration: 2, updatedReplicas: 3, availableReplicas: 3 });
  const verdictAfter = async (bed: ReturnType<typeof listing>, ms: number) => {
    bed.need(rule());
    await bed.clock.advance(ms);
    await settled();
    return bed.gates.answer(rule())?.verdict;
  };

  it('must have been well for as long as is asked', async () => {
    const bed = listing({ deployments: [well] });
    expect(await verdictAfter(bed, 0)).toEqual({ is: 'Settling', until: NOW + 60_000 });
    expect(await verdictAfter(bed, 59_000)).toMatchObject({ is: 'Settling' });
    expect(await verdictAfter(bed, 1_000)).toEqual({ is: 'Open' });
  });

  it('begin anew when something is not well, or cannot be read', async () => {
    const bed = listing({ deployments: [well] });
    await verdictAfter(bed, 45_000);
    bed.current['deployments'] = [web({ observedGeneration: 2, updatedReplicas: 3, availableReplicas: 2 })];
    expect(await verdictAfter(bed, 15_000)).toEqual({ is: 'Unsettled', what: ['shop/Deployment/web (2 of 3 available)'] });
    bed.current['deployments'] = [well];
    expect(await verdictAfter(bed, 15_000)).toEqual({ is: 'Settling', until: NOW + 135_000 });
    bed.fail(true);
    expect(await verdictAfter(bed, 15_000)).toMatchObject({ is: 'Unanswered', message: 'statefulsets is forbidden' });
    bed.fail(false);
    expect(await verdictAfter(bed, 15_000)).toEqual({ is: 'Settling', until: NOW + 165_000 });
  });

  it.each<[string, Partial<typeof lists>, string]>([
    [
      'a Deployment whose change nobody has seen',
      { deployments: [web({ observedGeneration: 1, availableReplicas: 3 })] },
      'not been seen yet',
    ],
    [
      'a rollout under way',
      { deployments: [web({ observedGeneration: 2, availableReplicas: 3, updatedReplicas: 1 })] },
      'shop/Deployment/web (1 of 3 updated)',
    ],
    ['a StatefulSet', { statefulsets: [web({ availableReplicas: 2 })] }, 'shop/StatefulSet/web (2 of 3 available)'],
    ['a DaemonSet', { daemonsets: [web({ desiredNumberScheduled: 5, numberAvailable: 4 })] }, '(4 of 5 available)'],
    [
      'a pod that has been Pending for too long',
      { pods: [{ metadata: { name: 'x', namespace: 'shop', creationTimestamp: '2026-01-01T11:58:00Z' } }] },
      'shop/Pod/x (Pending)',
    ],
  ])('are not well with %s', async (_, more, what) => {
    expect(await verdictAfter(listing(more), 0)).toEqual({ is: 'Unsettled', what: [expect.stringContaining(what)] });
  });

  it('are well with a pod that has only just been created', async () => {
    const pods = [{ metadata: { name: 'x', namespace: 'shop', creationTimestamp: '2026-01-01T11:59:30Z' } }];
    expect(await verdictAfter(listing({ pods }), 0)).toMatchObject({ is: 'Settling' });
  });
});

describe('pods', () => {
  const question = {
    key: 'k',
    selector: { matchLabels: { batch: 'yes' }, matchExpressions: [] },
    namespaces: null,
    runningOnly: false,
  };
  const pod = (name: string, nodeName: string, phase = 'Running') => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { batch: 'yes' } },
    spec: { nodeName, containers: [{ name: 'main' }] },
    status: { phase },
  });

  it('are watched while they matter: on a node, or anywhere', async () => {
    const clock = createVirtualClock(NOW);
    const client = createFakeClient();
    // The fake does not read selectors with values; what is selected is for the beds.
    const queries: unknown[] = [];
    client.handle((request) => {
      queries.push(request.query);
      return undefined;
    });
    let changes = 0;
    const gates = createGates({
      client: {
        ...client,
        json: (request) => client.json({ ...request, query: {} }),
        stream: (request) => {
          queries.push(request.query);
          return client.stream({ ...request, query: { ...request.query, labelSelector: 'batch', fieldSelector: undefined } });
        },
      },
      clock,
      log: silentLog,
      random: () => 0.5,
      send: () => expect.fail('nothing is sent'),
      namespace: 'drover',
      onChange: () => (changes += 1),
      onAnswer() {},
    });
    const need = (...all: (typeof question)[]) =>
      gates.provide({ asked: new Map(), pods: new Map(all.map((each) => [each.key, each])), anew: new Set() });
    const on = (node: string | null, asked = question) => {
      const found = gates.pods(asked, clock.now());
      return found && 'on' in found ? found.on(node) : found;
    };
    client.put(pod('job-1', 'worker-1'));
    client.put(pod('job-2', 'worker-2', 'Pending'));
    client.put(pod('done', 'worker-1', 'Succeeded'));
    expect(on(null)).toBeNull();
    need(question);
    await settled();
    expect(changes).toBeGreaterThan(0);
    expect([on('worker-1'), on('worker-3'), on(null)]).toEqual([['shop/job-1'], [], ['shop/job-1', 'shop/job-2']]);
    expect(on(null, { ...question, runningOnly: true })).toEqual(['shop/job-1']);
    expect(queries).toContainEqual(
      expect.objectContaining({ labelSelector: 'batch=yes', fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' }),
    );
    client.remove('/api/v1/namespaces/shop/pods/job-1');
    await settled();
    expect(on('worker-1')).toEqual([]);
    await clock.advance(61_000);
    need();
    expect(on(null)).toBeNull();
    gates.stop();
  });
});
