/** Each channel at the wire. It is long because the nine are read side by side. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testCertificate } from '../../kube/testing/certificate.ts';
import { aNotice, anAlert, AT, open } from '../testing/channels.ts';
import { type MailServer, type Receiver, startMailServer, startReceiver } from '../testing/receiver.ts';
import { testNotice } from '../test-notice.ts';

let receiver: Receiver;
beforeEach(async () => void (receiver = await startReceiver()));
afterEach(() => receiver.close());

const bodyOf = ({ body }: { body: string }) => JSON.parse(body) as Record<string, unknown>;
const STARTED = '[prod] node worker-1: draining, 2 pods to move: planned: label maintenance=planned (policy nightly)';

describe('Slack by an incoming webhook', () => {
  const webhook = () => ({
    channel: { type: 'Slack', slack: { webhook: { env: 'HOOK' }, channel: '#ops', username: 'drover', iconEmoji: ':cow:' } },
  });

  it('is told as JSON', async () => {
    await open(webhook(), { HOOK: `${receiver.url}/services/T0/B0/xyz` }).deliver(aNotice(), null);
    const request = await receiver.next();
    expect([request.method, request.path, request.headers['content-type']]).toEqual([
      'POST',
      '/services/T0/B0/xyz',
      'application/json; charset=utf-8',
    ]);
    expect(bodyOf(request)).toEqual({ text: STARTED, channel: '#ops', username: 'drover', icon_emoji: ':cow:' });
  });

  it('reads no markup in what nodes and pods are called, but in the template', async () => {
    const entry = { ...webhook(), message: '<!here> {{ .Message }} & more' };
    await open(entry, { HOOK: receiver.url }).deliver(aNotice({ message: '<b> & "c"' }), null);
    expect(bodyOf(await receiver.next())['text']).toBe('<!here> &lt;b&gt; &amp; "c" & more');
  });

  it('takes a message of kured', async () => {
    await open({ ...webhook(), message: 'Draining node %s' }, { HOOK: receiver.url }).deliver(aNotice(), null);
    expect(bodyOf(await receiver.next())['text']).toBe('Draining node worker-1');
  });
});

describe('Slack by a bot', () => {
  const bot = () => ({ channel: { type: 'Slack', slack: { token: { env: 'TOKEN' }, channel: 'C1', apiUrl: receiver.url } } });
  const slack = (reply: object) => receiver.answer({ body: reply });

  it('posts, edits what it has posted, and answers in its thread what is to be noticed', async () => {
    const channel = open(bot(), { TOKEN: 'xoxb-1' });
    slack({ ok: true, channel: 'C1', ts: '1.5' });
    const message = await channel.deliver(aNotice(), null);
    expect(message).toBe('C1/1.5');
    expect(await channel.deliver(anAlert(), message)).toBe('C1/1.5');
    expect(await channel.deliver(aNotice({ topic: 'Drained', at: AT + 180_000 }), message)).toBe('C1/1.5');
    const [posted, answered, edited] = receiver.received.map((each) => [each.path, bodyOf(each)] as const);
    expect(posted).toEqual(['/chat.postMessage', { channel: 'C1', text: STARTED }]);
    expect(answered?.[0]).toBe('/chat.postMessage');
    expect(answered?.[1]).toMatchObject({ thread_ts: '1.5', reply_broadcast: true });
    expect(edited?.[0]).toBe('/chat.update');
    expect(edited?.[1]).toMatchObject({
      channel: 'C1',
      ts: '1.5',
      text: expect.stringContaining('node worker-1: drained in 3m'),
    });
    expect(receiver.received.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer xoxb-1',
      'Bearer xoxb-1',
      'Bearer xoxb-1',
    ]);
  });

  it('begins a new message when somebody has deleted the old one', async () => {
    receiver.answer(({ path }) => ({
      body: path === '/chat.update' ? { ok: false, error: 'message_not_found' } : { ok: true, channel: 'C1', ts: '9.9' },
    }));
    expect(await open(bot(), { TOKEN: 'x' }).deliver(aNotice(), 'C1/1.5')).toBe('C1/9.9');
  });

  it('never edits away what was to be noticed', async () => {
    slack({ ok: true, channel: 'C1', ts: '2.0' });
    expect(await open(bot(), { TOKEN: 'x' }).deliver(anAlert(), null)).toBeNull();
  });

  it.each([
    ['invalid_auth', false],
    ['channel_not_found', false],
    ['internal_error', true],
  ])('answers %s with ok: false, which is told', async (error, again) => {
    slack({ ok: false, error });
    await expect(open(bot(), { TOKEN: 'x' }).deliver(aNotice(), null)).rejects.toMatchObject({
      message: `Slack refused: ${error}`,
      again,
    });
  });
});

describe('Teams', () => {
  it('is told by an adaptive card', async () => {
    const entry = { channel: { type: 'Teams', teams: { webhook: { env: 'HOOK' } } } };
    receiver.answer({ status: 202, body: '' });
    await open(entry, { HOOK: `${receiver.url}/workflows/1?sig=s` }).deliver(aNotice(), null);
    const request = await receiver.next();
    expect(request.path).toBe('/workflows/1?sig=s');
    expect(bodyOf(request)).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: { type: 'AdaptiveCard', version: '1.4', body: [{ type: 'TextBlock', text: STARTED, wrap: true }] },
        },
      ],
    });
  });
});

describe('Telegram', () => {
  const entry = () => ({
    channel: { type: 'Telegram', telegram: { token: { env: 'TOKEN' }, chatId: '-100123', topicId: 7, apiUrl: receiver.url } },
  });

  it('sends, edits what it has sent, and replies to it', async () => {
    receiver.answer({ body: { ok: true, result: { message_id: 42 } } });
    const channel = open(entry(), { TOKEN: '123:abc' });
    expect(await channel.deliver(aNotice(), null)).toBe('42');
    expect(await channel.deliver(aNotice({ topic: 'Drained' }), '42')).toBe('42');
    expect(await channel.deliver(anAlert(), '42')).toBe('42');
    const [sent, edited, replied] = receiver.received.map((each) => [each.path, bodyOf(each)] as const);
    expect(sent).toEqual([
      '/bot123:abc/sendMessage',
      { chat_id: '-100123', text: STARTED, link_preview_options: { is_disabled: true }, message_thread_id: 7 },
    ]);
    expect(edited?.[0]).toBe('/bot123:abc/editMessageText');
    expect(edited?.[1]).toMatchObject({ chat_id: '-100123', message_id: 42 });
    expect(replied?.[1]).toMatchObject({ reply_parameters: { message_id: 42, allow_sending_without_reply: true } });
  });

  it('is content with a message that is as it should be, and sends a new one where the old has gone', async () => {
    const answers = (description: string) =>
      receiver.answer(({ path }) =>
        path.endsWith('editMessageText')
          ? { status: 400, body: { ok: false, error_code: 400, description } }
          : { body: { ok: true, result: { message_id: 43 } } },
      );
    const channel = open(entry(), { TOKEN: 't' });
    answers('Bad Request: message is not modified');
    expect(await channel.deliver(aNotice(), '42')).toBe('42');
    answers('Bad Request: message to edit not found');
    expect(await channel.deliver(aNotice(), '42')).toBe('43');
  });

  it('waits as long as it is asked to', async () => {
    receiver.answer({
      status: 429,
      body: { ok: false, error_code: 429, description: 'Too Many Requests', parameters: { retry_after: 17 } },
    });
    await expect(open(entry(), { TOKEN: 't' }).deliver(aNotice(), null)).rejects.toMatchObject({
      again: true,
      retryAfterMs: 17_000,
    });
  });
});

describe('Discord', () => {
  const entry = { channel: { type: 'Discord', discord: { webhook: { env: 'HOOK' }, username: 'drover' } } };

  it('posts, then edits, and calls nobody', async () => {
    receiver.answer({ body: { id: '77' } });
    const channel = open(entry, { HOOK: `${receiver.url}/api/webhooks/1/tok?thread_id=5` });
    expect(await channel.deliver(aNotice({ message: '@everyone' }), null)).toBe('77');
    expect(await channel.deliver(aNotice({ topic: 'Drained' }), '77')).toBe('77');
    expect(receiver.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /api/webhooks/1/tok?thread_id=5&wait=true',
      'PATCH /api/webhooks/1/tok/messages/77?thread_id=5',
    ]);
    expect(receiver.received.map((each) => bodyOf(each)['allowed_mentions'])).toEqual([{ parse: [] }, { parse: [] }]);
  });

  it('posts anew when the message was deleted', async () => {
    receiver.answer(({ method }) =>
      method === 'PATCH' ? { status: 404, body: { code: 10_008, message: 'Unknown Message' } } : { body: { id: '78' } },
    );
    expect(await open(entry, { HOOK: receiver.url }).deliver(aNotice(), '77')).toBe('78');
  });

  it('takes the time to wait from the body', async () => {
    receiver.answer({ status: 429, body: { message: 'You are being rate limited.', retry_after: 1.5 } });
    await expect(open(entry, { HOOK: receiver.url }).deliver(aNotice(), null)).rejects.toMatchObject({
      again: true,
      retryAfterMs: 1_500,
    });
  });
});

describe('a webhook', () => {
  const entry = (more: object = {}) => ({ channel: { type: 'Webhook', webhook: { url: `${receiver.url}/hook?a=1`, ...more } } });

  it('is told everything as JSON where it has no template', async () => {
    await open(entry()).deliver(aNotice(), null);
    const request = await receiver.next();
    expect([request.method, request.path, request.headers['content-type'], request.headers['user-agent']]).toEqual([
      'POST',
      '/hook?a=1',
      'application/json',
      'drover/test',
    ]);
    expect(bodyOf(request)).toMatchObject({
      NodeName: 'worker-1',
      Topic: 'Started',
      NodePods: ['web-1', 'web-2'],
      NodeZone: 'eu-1',
      Pods: 2,
    });
  });

  it('gets the template of aks-node-termination-handler, its method, type and headers', async () => {
    const body = '{"text":"Draining node={{ .NodeName }}, type={{ .Event.EventType }}", "labels": {{ .NodeLabels | toJson }}}';
    const headers = [
      { name: 'X-Team', value: 'platform' },
      { name: 'Authorization', valueFrom: { env: 'TOKEN' } },
    ];
    await open(entry({ method: 'PUT', contentType: 'application/json; charset=utf-8', body, headers }), {
      TOKEN: 'Bearer t',
    }).deliver(aNotice(), null);
    const request = await receiver.next();
    expect([request.method, request.headers['x-team'], request.headers.authorization]).toEqual(['PUT', 'platform', 'Bearer t']);
    expect(request.body.endsWith('\n')).toBe(true);
    expect(bodyOf(request)).toEqual({
      text: 'Draining node=worker-1, type=Label',
      labels: { 'topology.kubernetes.io/zone': 'eu-1', 'kubernetes.io/arch': 'amd64' },
    });
  });

  it('gets no JSON that is broken', async () => {
    await expect(open(entry({ body: '{"node": {{ .NodeName }}}' })).deliver(aNotice(), null)).rejects.toMatchObject({
      again: false,
      message: expect.stringContaining('is not JSON'),
    });
    expect(receiver.received).toEqual([]);
  });

  it('is asked without a body by GET', async () => {
    await open(entry({ method: 'GET' })).deliver(aNotice(), null);
    const { method, body } = await receiver.next();
    expect([method, body]).toEqual(['GET', '']);
  });

  it('reads its template from a file, anew each time', async () => {
    let text = 'one {{ .NodeName }}';
    const channel = open(entry({ bodyFile: '/files/body', contentType: 'text/plain' }), {}, undefined, () =>
      Promise.resolve(text),
    );
    await channel.deliver(aNotice(), null);
    text = 'two {{ .NodeName }}\n';
    await channel.deliver(aNotice(), null);
    text = 'three\n{{ .Oops }}';
    await expect(channel.deliver(aNotice(), null)).rejects.toThrow('/files/body: line 2, column 4: there is no .Oops');
    expect(receiver.received.map(({ body }) => body)).toEqual(['one worker-1\n', 'two worker-1\n']);
  });
});

describe('a Pushgateway', () => {
  const entry = (more: object = {}) => ({
    channel: { type: 'Pushgateway', pushgateway: { url: receiver.url, job: 'node/drain', ...more } },
  });

  it('is put one group per node, with a login', async () => {
    await open(entry({ username: 'push', password: { env: 'PASS' } }), { PASS: 'p' }).deliver(
      aNotice({ reason: 'a "b"\\c' }),
      null,
    );
    const { method, path, headers, body } = await receiver.next();
    expect([method, path, headers.authorization]).toEqual([
      'PUT',
      '/metrics/job@base64/bm9kZS9kcmFpbg/node/worker-1',
      `Basic ${Buffer.from('push:p').toString('base64')}`,
    ]);
    expect(body).toContain('drover_node_phase{topic="Started",policy="nightly",reason="a \\"b\\"\\\\c"} 1\n');
    expect(body.endsWith(`${AT / 1_000}\n`)).toBe(true);
  });

  it('gets the metrics of a template, values escaped, the last line ended', async () => {
    await open(entry({ body: 'node_scheduled{node="{{ .NodeName }}",why="{{ .Reason }}"} 1' })).deliver(
      aNotice({ reason: 'x"\ny' }),
      null,
    );
    expect((await receiver.next()).body).toBe('node_scheduled{node="worker-1",why="x\\"\\ny"} 1\n');
  });
});

describe('PagerDuty', () => {
  const entry = () => ({ channel: { type: 'PagerDuty', pagerDuty: { routingKey: { env: 'KEY' }, apiUrl: receiver.url } } });
  const events = () => receiver.received.map((each) => bodyOf(each));

  it('opens an incident for what waits and resolves it when the node is drained', async () => {
    const channel = open(entry(), { KEY: 'k' });
    expect(channel.resolves).toBe(true);
    for (const notice of [aNotice(), anAlert(), aNotice({ topic: 'Drained' })]) await channel.deliver(notice, null);
    expect(receiver.received.map(({ path }) => path)).toEqual(['/v2/enqueue', '/v2/enqueue']);
    const dedup_key = 'drover/prod/nightly/worker-1';
    expect(events()[0]).toMatchObject({
      routing_key: 'k',
      event_action: 'trigger',
      dedup_key,
      payload: {
        source: 'worker-1',
        severity: 'warning',
        timestamp: '2026-01-01T12:00:00.000Z',
        custom_details: { NodeName: 'worker-1' },
      },
    });
    expect(events()[1]).toEqual({ routing_key: 'k', event_action: 'resolve', dedup_key });
  });

  it('leaves no incident open after a test', async () => {
    await open(entry(), { KEY: 'k' }).deliver(testNotice('ann', AT, { clusterName: '' }), null);
    expect(events().map((each) => each['event_action'])).toEqual(['trigger', 'resolve']);
  });
});

describe('CloudEvents', () => {
  const entry = (mode: string) => ({
    channel: { type: 'CloudEvents', cloudEvents: { url: receiver.url, mode, source: '/clusters/prod' } },
  });

  it('go out structured', async () => {
    await open(entry('Structured')).deliver(aNotice(), null);
    const request = await receiver.next();
    expect(request.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(bodyOf(request)).toMatchObject({
      specversion: '1.0',
      id: `worker-1-x3k9q/Started@${AT / 1_000}`,
      source: '/clusters/prod',
      type: 'dev.drover.node.started',
      subject: 'worker-1',
      time: '2026-01-01T12:00:00.000Z',
      datacontenttype: 'application/json',
      data: { NodeName: 'worker-1' },
    });
  });

  it('go out binary, attributes as headers of ASCII', async () => {
    await open(entry('Binary')).deliver({ ...aNotice(), subject: 'n\u00f8de "1"' }, null);
    const { headers, body } = await receiver.next();
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-type': 'dev.drover.node.started',
      'ce-subject': 'n%C3%B8de%20%221%22',
    });
    expect(JSON.parse(body)).toMatchObject({ NodeName: 'worker-1' });
  });
});

describe('e-mail', () => {
  let mail: MailServer;
  beforeEach(async () => void (mail = await startMailServer()));
  afterEach(() => mail.close());
  const entry = (more: object = {}) => ({
    channel: {
      type: 'Email',
      email: {
        host: '127.0.0.1',
        port: mail.port,
        security: 'None',
        from: 'drover@example.com',
        to: ['ops@example.com', 'b@example.com'],
        ...more,
      },
    },
  });
  const header = (name: string, index = 0) =>
    new RegExp(`^${name}: (.*(?:\\n .*)*)`, 'mi').exec(mail.mails[index]?.text ?? '')?.[1]?.replaceAll(/\n\s/g, ' ');

  it('arrives, and what follows belongs to its thread', async () => {
    const channel = open(entry({ subject: 'drover:\n{{ .NodeName }} {{ .Topic | lower }}' }));
    const message = await channel.deliver(aNotice(), null);
    await channel.deliver(aNotice({ topic: 'Drained' }), message);
    expect(mail.mails[0]).toMatchObject({ from: '<drover@example.com>', to: ['<ops@example.com>', '<b@example.com>'] });
    expect(header('Subject')).toBe('drover: worker-1 started');
    expect(header('Message-ID')).toBe(message);
    expect(header('References', 1)).toBe(message);
    expect(header('Auto-Submitted')).toBe('auto-generated');
    expect(mail.mails[0]?.text).toContain('node worker-1: draining, 2 pods to move');
  });

  it.each([
    ['tried again when the server is busy', { MAIL: '451 later' }, true, 'the mail server answered 451'],
    ['given up when the server does not want it', { RCPT: '550 no such user' }, false, 'the mail server answered 550'],
    ['given up when the server closes at once', { GREETING: '554 go away' }, false, 'the mail server answered 554'],
  ])('is %s', async (_, replies, again, message) => {
    mail.answer(replies);
    await expect(open(entry()).deliver(aNotice(), null)).rejects.toMatchObject({ again, message });
  });

  it('logs in where the line is encrypted, and says that the login is refused', async () => {
    const authority = testCertificate({ common: 'authority' });
    const server = await startMailServer(testCertificate({ common: 'mail', issuer: authority, addresses: ['127.0.0.1'] }));
    try {
      const more = { port: server.port, security: 'Tls', ca: authority.cert, username: 'drover', password: { env: 'PASS' } };
      const channel = open(entry(more), { PASS: 'p w' });
      await channel.deliver(aNotice(), null);
      expect([server.logins, server.mails.length]).toEqual([['drover p w'], 1]);
      server.answer({ AUTH: '535 no' });
      await expect(channel.deliver(aNotice(), null)).rejects.toMatchObject({
        again: false,
        message: 'the mail server refused the login',
      });
      const { ca: _, ...untrusted } = more;
      await expect(open(entry(untrusted), { PASS: 'p' }).deliver(aNotice(), null)).rejects.toMatchObject({ again: false });
      expect(server.mails).toHaveLength(1);
    } finally {
      await server.close();
    }
  });

  it('is not sent at all where encryption is asked for and not offered', async () => {
    const channel = open(entry({ security: 'StartTls', username: 'u', password: { env: 'PASS' } }), { PASS: 'secret-password' });
    await expect(channel.deliver(aNotice(), null)).rejects.toMatchObject({ again: false });
    expect([mail.mails, mail.logins]).toEqual([[], []]);
  });
});
