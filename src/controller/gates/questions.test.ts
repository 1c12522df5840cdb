/** Alertmanager, other URLs, and when they are asked. */
import { describe, expect, it } from 'vitest';
import { NOW } from '../../../test/builders.ts';
import { sendJson } from '../../kube/testing/fake-server.ts';
import { type GatesInput, start, answering, vector, firing } from './testing/gates-bed.ts';

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
