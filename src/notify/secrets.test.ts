import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../lib/clock.ts';
import { createSecrets } from './secrets.ts';
import { aNotice, anEntry, AT } from './testing/channels.ts';
import { startReceiver } from './testing/receiver.ts';
import { openChannel } from './open-channel.ts';

const source = { secretRef: { namespace: 'ops', name: 'slack', key: 'url' } };

function bench(values: () => string | Error) {
  const clock = createVirtualClock(AT);
  let reads = 0;
  const secrets = createSecrets({
    clock,
    env: { SET: 'from-env', EMPTY: '' },
    readFile: (path) => Promise.resolve(`${path}-content\n`),
    readKey() {
      reads += 1;
      const value = values();
      return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
    },
  });
  return { clock, secrets, reads: () => reads };
}

describe('a secret', () => {
  it('is read when it is needed, kept for a minute, and read again', async () => {
    const { clock, secrets, reads } = bench(() => 'value\n');
    expect(await Promise.all([secrets.read(source), secrets.read(source)])).toEqual(['value', 'value']);
    expect(reads()).toBe(1);
    await clock.advance(61_000);
    await secrets.read(source);
    expect(reads()).toBe(2);
    secrets.forget(source);
    await secrets.read(source);
    expect(reads()).toBe(3);
  });

  it('is asked for again at once when it could not be read', async () => {
    let value: string | Error = new Error('is not there');
    const { secrets } = bench(() => value);
    await expect(secrets.read(source)).rejects.toMatchObject({ again: true, message: 'Secret ops/slack, key url: is not there' });
    value = 'now';
    expect(await secrets.read(source)).toBe('now');
  });

  it('comes from the environment and from files, too', async () => {
    const { secrets } = bench(() => '');
    expect([await secrets.read({ env: 'SET' }), await secrets.read({ file: '/etc/x' })]).toEqual(['from-env', '/etc/x-content']);
    await expect(secrets.read({ env: 'EMPTY' })).rejects.toThrow('environment variable EMPTY is not set or empty');
    await expect(secrets.read(source)).rejects.toThrow('Secret ops/slack, key url is not set or empty');
  });

  it('is taken out of texts in every form in which it may come back', async () => {
    const value = 'p"ss wörd/+=';
    const { secrets } = bench(() => value);
    await secrets.read(source);
    const forms = [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), Buffer.from(value).toString('base64')];
    expect(secrets.redact(forms.join(' and '))).toBe('[secret] and [secret] and [secret] and [secret]');
  });

  it('that is an address is taken out by its parts, too', async () => {
    const { secrets } = bench(() => 'https://hooks.example/services/T0/B0/abcdefghijklmnop?sig=qrstuvwx');
    await secrets.read(source);
    expect(secrets.redact('no route for /services/T0/B0/abcdefghijklmnop')).toBe('no route for [secret]');
    expect(secrets.redact('abcdefghijklmnop, qrstuvwx')).not.toMatch(/abcdefghijklmnop|qrstuvwx/);
  });

  it('that was changed is read anew when the old one is refused', async () => {
    const receiver = await startReceiver();
    try {
      let value = 'old-token';
      const { secrets, clock } = bench(() => value);
      receiver.answer(({ headers }) => ({ status: headers.authorization === 'new-token' ? 200 : 401 }));
      const entry = anEntry({
        channel: { type: 'Webhook', webhook: { url: receiver.url, headers: [{ name: 'Authorization', valueFrom: source }] } },
      });
      const channel = openChannel(entry, { clock, secrets, userAgent: 'test', readFile: () => Promise.reject(new Error('no')) });
      await secrets.read(source);
      value = 'new-token';
      await channel.deliver(aNotice(), null);
      expect(receiver.received.map(({ headers }) => headers.authorization)).toEqual(['old-token', 'new-token']);
      receiver.answer({ status: 401 });
      await expect(channel.deliver(aNotice(), null)).rejects.toMatchObject({ again: false });
      expect(receiver.received).toHaveLength(3);
      await channel.close();
    } finally {
      await receiver.close();
    }
  });
});
