import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createVirtualClock } from '../lib/clock.ts';
import { aNotice, AT, open } from './testing/channels.ts';
import { type Receiver, type Reply, startProxy, startReceiver } from './testing/receiver.ts';

const toClose: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of toClose.splice(0)) await each.close();
});
async function receiver(...tls: Parameters<typeof startReceiver>): Promise<Receiver> {
  const started = await startReceiver(...tls);
  toClose.push(started);
  return started;
}

/** An authority and a certificate for 127.0.0.1 that it has signed, by openssl. */
let tls = { ca: '', cert: '', key: '' };
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-tls-'));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  try {
    openssl(
      'req',
      '-x509',
      ...ec,
      '-keyout',
      file('ca.key'),
      '-out',
      file('ca.pem'),
      '-days',
      '2',
      '-subj',
      '/CN=test authority',
    );
    openssl('req', ...ec, '-keyout', file('key.pem'), '-out', file('request.pem'), '-subj', '/CN=127.0.0.1');
    writeFileSync(file('names'), 'subjectAltName=IP:127.0.0.1\n');
    openssl(
      'x509',
      '-req',
      '-in',
      file('request.pem'),
      '-CA',
      file('ca.pem'),
      '-CAkey',
      file('ca.key'),
      '-days',
      '2',
      '-out',
      file('cert.pem'),
      '-extfile',
      file('names'),
    );
    const read = (name: string) => readFileSync(file(name), 'utf8');
    tls = { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  } finally {
    rmSync(folder, { recursive: true });
  }
});
afterAll(() => void (tls = { ca: '', cert: '', key: '' }));

const webhook = (url: string, http: object = {}) => ({ channel: { type: 'Webhook', webhook: { url }, http } });

describe('a request', () => {
  it('trusts an authority of its own, beside the usual ones', async () => {
    const { url, received } = await receiver(tls);
    const channel = open(webhook(url, { ca: tls.ca }));
    toClose.push(channel);
    await channel.deliver(aNotice(), null);
    expect(received).toHaveLength(1);
  });

  it('does not go to a server that nobody vouches for, and is not tried again', async () => {
    const { url, received } = await receiver(tls);
    const channel = open(webhook(url));
    toClose.push(channel);
    await expect(channel.deliver(aNotice(), null)).rejects.toMatchObject({
      again: false,
      message: expect.stringMatching(
        /^the certificate of the server is not trusted \([A-Z_]+\); name its authority in http\.ca$/,
      ),
    });
    expect(received).toEqual([]);
  });

  it('does so only when that is asked for', async () => {
    const { url, received } = await receiver(tls);
    const channel = open(webhook(url, { insecureSkipVerify: true }));
    toClose.push(channel);
    await channel.deliver(aNotice(), null);
    expect(received).toHaveLength(1);
  });

  it.each(['http', 'https'])('goes through a proxy with a login to %s', async (scheme) => {
    const { url, received, port } = await receiver(...(scheme === 'https' ? [tls] : []));
    const proxy = await startProxy('user:pa:ss');
    toClose.push(proxy);
    const http = { proxy: { url: proxy.url, username: 'user', password: { env: 'PASS' } }, ca: tls.ca };
    const channel = open(webhook(url, http), { PASS: 'pa:ss' });
    toClose.push(channel);
    await channel.deliver(aNotice(), null);
    expect(received).toHaveLength(1);
    expect(received[0]?.headers['proxy-authorization']).toBeUndefined();
    expect(proxy.asked).toEqual([`127.0.0.1:${port} Basic ${Buffer.from('user:pa:ss').toString('base64')}`]);
  });

  it('says that the proxy does not take the login', async () => {
    const { url, received } = await receiver();
    const proxy = await startProxy('user:right');
    toClose.push(proxy);
    const channel = open(webhook(url, { proxy: { url: proxy.url, username: 'user', password: { env: 'PASS' } } }), {
      PASS: 'wrong',
    });
    toClose.push(channel);
    await expect(channel.deliver(aNotice(), null)).rejects.toMatchObject({
      again: false,
      message: 'the proxy answered 407: check its username and password',
    });
    expect(received).toEqual([]);
  });

  it('ends after its timeout', async () => {
    const clock = createVirtualClock(AT);
    const { url, answer, next } = await receiver();
    answer({ silent: true });
    const channel = open(webhook(url, { timeout: '3s' }), {}, clock);
    toClose.push(channel);
    const delivered = channel.deliver(aNotice(), null);
    const ended = expect(delivered).rejects.toMatchObject({ again: true, message: 'no answer within 3s' });
    await next();
    await clock.advance(3_000);
    await ended;
  });

  it('tells where nobody listens', async () => {
    const { url, close } = await startReceiver();
    await close();
    const channel = open(webhook(url));
    toClose.push(channel);
    await expect(channel.deliver(aNotice(), null)).rejects.toMatchObject({
      again: true,
      message: 'no connection (ECONNREFUSED)',
    });
  });

  it('follows no redirection: it would carry what is secret elsewhere', async () => {
    const { url, answer, received } = await receiver();
    answer({ status: 302, headers: { location: `${url}/other` }, body: '' });
    const channel = open(webhook(url));
    toClose.push(channel);
    await expect(channel.deliver(aNotice(), null)).rejects.toMatchObject({ again: false, message: 'the service answered 302' });
    expect(received).toHaveLength(1);
  });

  it.each<[Reply, object]>([
    [
      { status: 500, body: 'oops' },
      { again: true, message: 'the service answered 500: oops' },
    ],
    [
      { status: 503, headers: { 'retry-after': '7' }, body: '' },
      { again: true, retryAfterMs: 7_000 },
    ],
    [
      { status: 429, headers: { 'retry-after': new Date(AT + 9_000).toUTCString() }, body: '' },
      { again: true, retryAfterMs: 9_000 },
    ],
    [
      { status: 400, body: '<html><b>no\nway</b></html>' },
      { again: false, message: 'the service answered 400: no way' },
    ],
    [
      { status: 404, body: '' },
      { again: false, unauthorized: true },
    ],
  ])('knows what %o means', async (reply, expected) => {
    const { url, answer } = await receiver();
    answer(reply);
    const channel = open(webhook(url));
    toClose.push(channel);
    await expect(channel.deliver(aNotice(), null)).rejects.toMatchObject(expected);
  });
});
