/** Every channel, with a marked secret, through all that can go wrong: what it says holds no piece of it. */
import { afterEach, describe, expect, it } from 'vitest';
import { testCertificate } from '../kube/testing/certificate.ts';
import { createRegistry } from '../lib/metrics.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { createNotifyMetrics } from '../controller/notify-metrics.ts';
import { createNotifier } from './notifier.ts';
import { createSecrets } from './secrets.ts';
import { ownNotifyList } from '../api/notify.ts';
import { aNotice, AT } from './testing/channels.ts';
import { type MailServer, type Receiver, startMailServer, startProxy, startReceiver } from './testing/receiver.ts';

const authority = testCertificate({ common: 'authority' });
const certificate = testCertificate({ common: 'mail', issuer: authority, addresses: ['127.0.0.1'] });

const MARK = 'm4rk3dS3cr3tV4lue';
const secret = (name: string) => ({ secretRef: { namespace: 'ops', name, key: 'value' } });

interface World {
  readonly receiver: Receiver;
  readonly mail: MailServer;
  readonly proxyUrl: string;
}

/** Channel -> its block; each takes what is secret in it from the Secrets `url` and `token`. */
const channels: Readonly<Record<string, (world: World) => object>> = {
  'Slack webhook': () => ({ type: 'Slack', slack: { webhook: secret('url') } }),
  'Slack bot': ({ receiver }) => ({ type: 'Slack', slack: { token: secret('token'), channel: 'C1', apiUrl: receiver.url } }),
  Teams: () => ({ type: 'Teams', teams: { webhook: secret('url') } }),
  Telegram: ({ receiver }) => ({ type: 'Telegram', telegram: { token: secret('token'), chatId: '-1', apiUrl: receiver.url } }),
  Discord: () => ({ type: 'Discord', discord: { webhook: secret('url') } }),
  Webhook: () => ({
    type: 'Webhook',
    webhook: { urlFrom: secret('url'), headers: [{ name: 'Authorization', valueFrom: secret('token') }] },
  }),
  Pushgateway: ({ receiver }) => ({
    type: 'Pushgateway',
    pushgateway: { url: receiver.url, username: 'push', password: secret('token') },
  }),
  PagerDuty: ({ receiver }) => ({ type: 'PagerDuty', pagerDuty: { routingKey: secret('token'), apiUrl: receiver.url } }),
  CloudEvents: () => ({
    type: 'CloudEvents',
    cloudEvents: { urlFrom: secret('url'), headers: [{ name: 'X-Key', valueFrom: secret('token') }] },
  }),
  'a proxy': ({ receiver, proxyUrl }) => ({
    type: 'Webhook',
    webhook: { url: receiver.url },
    http: { proxy: { url: proxyUrl, username: 'user', password: secret('token') } },
  }),
  'e-mail': ({ mail }) => ({
    type: 'Email',
    email: {
      host: '127.0.0.1',
      port: mail.port,
      security: 'Tls',
      ca: authority.cert,
      from: 'a@b.c',
      to: ['a@b.c'],
      username: 'u',
      password: secret('token'),
    },
  }),
};

/** What the other side does -> the Secrets, where they matter. */
const misfortunes = {
  success: {
    url: (base: string) => `${base}/hook/${MARK}?sig=${MARK}`,
    reply: { body: { ok: true, channel: 'C1', ts: '1', id: '1', result: { message_id: 1 } } },
  },
  'a refusal that repeats what it was sent': { url: (base: string) => `${base}/hook/${MARK}`, reply: 'echo' },
  'an error of the server that repeats what it was sent': { url: (base: string) => `${base}/hook/${MARK}`, reply: 'echo-500' },
  silence: { url: (base: string) => `${base}/hook/${MARK}`, reply: { silent: true } },
  'an address that is none': { url: () => `not an address ${MARK}`, reply: {} },
  'an address of a host that is secret': { url: () => `http://${MARK}.invalid/`, reply: {} },
  'an address with a password': { url: (base: string) => base.replace('://', `://${MARK}:${MARK}@`), reply: 'echo' },
  'a token that no header may hold': { url: (base: string) => base, reply: {}, token: `${MARK}\n${MARK}\u0000` },
} as const;

const toClose: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of toClose.splice(0)) await each.close();
});

async function tellThrough(block: (world: World) => object, name: keyof typeof misfortunes) {
  const misfortune = misfortunes[name];
  const receiver = await startReceiver();
  const mail = await startMailServer(certificate);
  const proxy = await startProxy('user:somethingElse');
  toClose.push(receiver, mail, proxy);
  const { reply } = misfortune;
  receiver.answer((request) => {
    if (typeof reply !== 'string') return reply;
    // All that it got, and the login in the clear.
    const login = Buffer.from(request.headers.authorization?.split(' ')[1] ?? '', 'base64').toString();
    return {
      status: reply === 'echo' ? 400 : 500,
      body: `${login} ${JSON.stringify(request)} ${encodeURIComponent(request.path)}`,
    };
  });
  if (reply !== misfortunes.success.reply) mail.answer(name === 'silence' ? { AUTH: '' } : { AUTH: `535 no such login ${MARK}` });

  const clock = createVirtualClock(AT);
  const said: string[] = [];
  const registry = createRegistry();
  const metrics = createNotifyMetrics(registry);
  const values: Readonly<Record<string, string>> = {
    url: misfortune.url(receiver.url),
    token: 'token' in misfortune ? misfortune.token : MARK,
  };
  const secrets = createSecrets({
    clock,
    env: {},
    readFile: () => Promise.reject(new Error('no')),
    readKey: ({ name: key }) => Promise.resolve(values[key] ?? ''),
  });
  let settle = () => {};
  const ended = new Promise<void>((resolve) => (settle = resolve));
  const notifier = createNotifier({
    clock,
    random: () => 0.5,
    secrets,
    readFile: () => Promise.reject(new Error('no')),
    userAgent: 'drover/test',
    own: ownNotifyList.parse([{ name: 'ops', channel: block({ receiver, mail, proxyUrl: proxy.url }), retries: 1 }]),
    messageOf: () => null,
    onDelivered: (_, notice, message) => void said.push(JSON.stringify([notice, message])),
    onAnswer(lane, notice, answer, why) {
      metrics.answered(lane, answer, clock.now());
      said.push(`${answer}: ${why}`, JSON.stringify(notice));
      settle();
    },
    onTry: (_, __, why) => void said.push(`again: ${why}`),
  });
  metrics.readLanes(() => notifier.lanes);
  notifier.lanes[0]?.put(aNotice({ topic: 'Failed' }));
  // Time passes in steps until there is an answer: a silent server needs its time-out twice.
  const turn = () => new Promise<'on'>((resolve) => setImmediate(() => resolve('on')));
  while ((await Promise.race([ended, turn()])) === 'on') {
    if (name === 'silence' || said.length > 0) await clock.advance(100);
  }
  await notifier.stop(0);
  return { said, everything: [...said, registry.metrics()].join('\n') };
}

describe.each(Object.keys(misfortunes) as (keyof typeof misfortunes)[])('after %s', (misfortune) => {
  it.each(Object.keys(channels))('%s says nothing of its secret', async (name) => {
    const block = channels[name];
    if (!block) throw new Error(name);
    const { said, everything } = await tellThrough(block, misfortune);
    const ends = said.filter((line) => /^(Delivered|Refused|Failed): /.test(line));
    const reached = misfortune === 'success' && name !== 'a proxy';
    expect(ends).toEqual([reached ? 'Delivered: ' : expect.stringMatching(/^(Delivered: $|Refused: .|Failed: .)/)]);
    const pieces = [
      MARK,
      MARK.toLowerCase(),
      MARK.slice(0, 10),
      Buffer.from(MARK).toString('base64').slice(0, 12),
      Buffer.from(`push:${MARK}`).toString('base64').slice(8, 20),
    ];
    expect(pieces.filter((piece) => everything.includes(piece))).toEqual([]);
  });
});
