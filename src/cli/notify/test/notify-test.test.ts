import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../../../notify/testing/receiver.ts';
import { cli, type FakeApi, fakeApi } from '../../testing/run-cli.ts';

let folder = '';
let receiver: Receiver;
let api: FakeApi;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'drover-notify-'))));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  receiver = await startReceiver();
  api = await fakeApi({
    '/apis/drover.dev/v1alpha1/maintenancepolicies': {
      metadata: {},
      items: [policy('nightly', [hook('good', '/good'), slack('ops')]), policy('quiet', [])],
    },
    '/api/v1/namespaces/drover/secrets/slack': {
      metadata: { name: 'slack' },
      data: { url: Buffer.from(`${receiver.url}/services/s3cr3tPath\n`).toString('base64') },
    },
  });
});
afterEach(async () => {
  await receiver.close();
  await api.stop();
});

const hook = (name: string, path: string) => ({ name, channel: { type: 'Webhook', webhook: { url: receiver.url + path } } });
const slack = (name: string) => ({
  name,
  channel: { type: 'Slack', slack: { webhook: { secretRef: { namespace: 'drover', name: 'slack', key: 'url' } } } },
});

function policy(name: string, notify: object[]) {
  return {
    apiVersion: 'drover.dev/v1alpha1',
    kind: 'MaintenancePolicy',
    metadata: { name },
    spec: { nodeSelector: { matchLabels: { a: 'b' } }, reasons: [{ type: 'Label', label: { key: 'x' } }], notify },
  };
}

function config(content: object): string {
  const path = join(folder, 'drover.yaml');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

describe('drover notify test', () => {
  it('sends a test through every channel of every policy', async () => {
    const { code, out, err } = await cli(['notify', 'test'], api);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(
      ['CHANNEL        TYPE      ANSWER', 'nightly/good   Webhook   delivered', 'nightly/ops    Slack     delivered', ''].join(
        '\n',
      ),
    );
    const bodies = Object.fromEntries(
      receiver.received.map(({ path, body }) => [path, JSON.parse(body) as Record<string, unknown>]),
    );
    expect(bodies['/services/s3cr3tPath']).toEqual({
      text: 'test message of drover, sent by cli:ann@laptop: nothing is drained',
    });
    expect(bodies['/good']).toMatchObject({ Topic: 'Test', NodeName: 'drover-test' });
    expect(api.changes).toEqual([]);
  });

  it('fails when one was not delivered, and shows its answer without what is secret', async () => {
    receiver.answer(({ path }) => (path === '/good' ? {} : { status: 404, body: `no ${path}` }));
    const { code, out } = await cli(['notify', 'test', '--policy', 'nightly', '-o', 'json'], api);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      channels: [
        { channel: 'nightly/good', type: 'Webhook', delivered: true, answer: 'delivered' },
        { channel: 'nightly/ops', type: 'Slack', delivered: false, answer: 'the service answered 404: no [secret]' },
      ],
    });
  });

  it('tries one channel, once', async () => {
    receiver.answer({ status: 503, body: '' });
    const { code, out } = await cli(['notify', 'test', '--channel', 'good'], api);
    expect([code, receiver.received.length]).toEqual([1, 1]);
    expect(out).toContain('nightly/good   Webhook   the service answered 503');
  });

  it('tries what the configuration says, without a cluster', async () => {
    const file = config({
      clusterName: 'prod',
      notify: [{ ...hook('own', '/own'), channel: { type: 'Slack', slack: { webhook: { env: 'HOOK' } } } }],
    });
    const { code, out } = await cli(['notify', 'test', '--config', file], undefined, { env: { HOOK: `${receiver.url}/own` } });
    expect([code, out]).toEqual([0, 'CHANNEL   TYPE    ANSWER\nown       Slack   delivered\n']);
    expect(receiver.received[0]?.body).toContain('[prod] test message');
  });

  it('says which Secret is not there', async () => {
    const missing = await fakeApi({
      '/apis/drover.dev/v1alpha1/maintenancepolicies': { metadata: {}, items: [policy('p', [slack('ops')])] },
    });
    try {
      const { code, out } = await cli(['notify', 'test'], missing);
      expect(code).toBe(1);
      expect(out).toContain('p/ops     Slack   Secret drover/slack, key url: is not there');
    } finally {
      await missing.stop();
    }
  });

  it.each([
    [
      'a channel that is not there',
      ['--channel', 'nope'],
      1,
      'no channel of any policy is called "nope"; there are: nightly/good, nightly/ops',
    ],
    ['a policy that is not there', ['--policy', 'nope'], 1, 'policy "nope" is not there'],
    ['a policy that tells nobody', ['--policy', 'quiet'], 1, 'policy quiet has no notify: there is nothing to test'],
  ])('refuses %s', async (_, argv, code, message) => {
    const result = await cli(['notify', 'test', ...argv], api);
    expect([result.code, result.err.split('\n')[0]]).toEqual([code, `error: ${message}`]);
  });

  it('refuses a configuration with a bad template, with line and column', async () => {
    const file = config({ notify: [{ ...hook('own', '/'), message: 'one\ntwo {{ .NodeNaem }}' }] });
    const { code, err } = await cli(['notify', 'test', '--config', file]);
    expect(code).toBe(1);
    expect(err).toMatch(/drover\.yaml: notify\[0\]\.message: line 2, column 8: there is no \.NodeNaem; there are /);
  });
});
