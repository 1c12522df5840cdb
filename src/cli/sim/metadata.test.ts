import { describe, expect, it } from 'vitest';
import { createMetadataClient } from '../../agent/metadata-client.ts';
import { createWallClock } from '../../lib/clock.ts';
import { cli } from '../testing/run-cli.ts';
import { fakeTerminal } from '../testing/fake-terminal.ts';

const signal = new AbortController().signal;

/** A `drover sim metadata` of this test, until it is stopped. */
async function serve() {
  const stop = new AbortController();
  const stdout = fakeTerminal({ isTTY: false, columns: 0 });
  const ended = cli(['sim', 'metadata', '--port=0'], undefined, {
    stdout,
    interrupts: () => stop.signal,
    clock: createWallClock(),
  });
  while (!stdout.written.includes('Ctrl-C')) await new Promise((resolve) => setImmediate(resolve));
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(stdout.written)?.[0] ?? '';
  const client = createMetadataClient(url);
  const get = async (path: string, headers: Readonly<Record<string, string>>) =>
    (await client.ask({ path, headers, signal })).body;
  return {
    url,
    azure: () => get('/metadata/scheduledevents?api-version=2020-07-01', { Metadata: 'true' }),
    gcp: () => get('/computeMetadata/v1/instance/preempted', { 'Metadata-Flavor': 'Google' }),
    async stop() {
      client.close();
      stop.abort();
      return (await ended).code;
    },
  };
}

describe('drover sim metadata', () => {
  it('serves the clouds, and sim event lets things happen in them and end', async () => {
    const { url, azure, gcp, stop } = await serve();
    const event = (...args: readonly string[]) => cli(['sim', 'event', ...args, `--url=${url}`]);
    expect(await event('azure', 'preempt', '--node=pool_1')).toMatchObject({ code: 0, out: 'azure: Preempt\n' });
    expect(JSON.parse(await azure())).toMatchObject({
      Events: [{ EventType: 'Preempt', Resources: ['pool_1'], EventStatus: 'Scheduled' }],
    });
    await event('azure', 'Start');
    expect(JSON.parse(await azure())).toMatchObject({ Events: [{ EventStatus: 'Started', NotBefore: '' }] });
    await event('azure', 'Clear');
    expect(JSON.parse(await azure())).toMatchObject({ Events: [] });
    await event('gcp', 'Preempt');
    expect(await gcp()).toBe('TRUE');
    expect(await event('gcp', 'Clear')).toMatchObject({ out: 'gcp: nothing happens any more\n' });
    expect(await gcp()).toBe('FALSE');
    expect((await event('aws', 'Spot')).code).toBe(0);
    expect(await stop()).toBe(0);
    expect((await event('aws', 'Spot')).err).toMatch(/^error: nothing serves at http:\S+; start it with: drover sim metadata\n$/);
  });

  it.each([
    [['aws'], 'name a cloud and a kind'],
    [['ibm', 'Spot'], 'the cloud must be one of azure, aws, gcp, not "ibm"'],
    [['aws', 'Explode'], 'aws has no "Explode"; there are: Spot, Rebalance'],
    [['azure', 'Reboot'], 'give --node'],
  ])('refuses sim event %j', async (args, message) => {
    const { code, err } = await cli(['sim', 'event', ...args]);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});
