/** What a Prometheus may answer, and how little of it opens a gate. */
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../engine/gates/gate.ts';
import { sendJson } from '../../kube/testing/fake-server.ts';
import { type Handler, certificate, start, answering, vector, firing } from './testing/gates-bed.ts';

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
