import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVirtualClock, type VirtualClock } from '../lib/clock.ts';
import type { CredentialSource } from './access.ts';
import { loadAccess } from './kubeconfig.ts';
import { testCertificate } from './testing/certificate.ts';

const V1 = 'client.authentication.k8s.io/v1';
const V1BETA1 = 'client.authentication.k8s.io/v1beta1';

let folder: string;
let clock: VirtualClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-exec-'));
  clock = createVirtualClock(Date.parse('2026-01-01T00:00:00Z'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A plugin: notes what it was told in runs.jsonl, then does what `script` says. */
function plugin(script: string, settings: object = {}, terminal = false): CredentialSource {
  const note = `require('fs').appendFileSync('${join(folder, 'runs.jsonl')}', JSON.stringify({ info: process.env.KUBERNETES_EXEC_INFO, own: process.env.OWN, args: process.argv.slice(2) }) + '\\n');`;
  writeFileSync(join(folder, 'plugin.cjs'), `${note}\n${script}`);
  const exec = {
    apiVersion: V1,
    command: process.execPath,
    args: [join(folder, 'plugin.cjs'), 'get-token'],
    interactiveMode: 'IfAvailable',
    ...settings,
  };
  const config = {
    'current-context': 'c',
    clusters: [
      {
        name: 'c',
        cluster: {
          server: 'https://x:1',
          'tls-server-name': 'k',
          extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }],
        },
      },
    ],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user: { exec } }],
  };
  writeFileSync(join(folder, 'config'), JSON.stringify(config));
  return loadAccess({ kubeconfig: join(folder, 'config'), env: { ...process.env }, clock, terminal }).credentials;
}

const answer = (status: object, apiVersion = V1) =>
  `console.log(${JSON.stringify(JSON.stringify({ apiVersion, kind: 'ExecCredential', status }))})`;
const runs = () =>
  readFileSync(join(folder, 'runs.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { info: string; own?: string; args: string[] });

describe('an exec plugin', { timeout: 60_000 }, () => {
  it('is run once for all who wait, and again only shortly before its credential expires', async () => {
    const source = plugin(answer({ token: 't-1', expirationTimestamp: '2026-01-01T01:00:00Z' }));
    const all = await Promise.all([source.current(), source.current(), source.current()]);
    expect(all).toEqual([{ token: 't-1' }, { token: 't-1' }, { token: 't-1' }]);
    await clock.advance(3_580_000);
    await source.current();
    expect(runs()).toHaveLength(1);
    await clock.advance(15_000);
    await source.current();
    expect(runs()).toHaveLength(2);
  });

  it('is run again after a 401, once however many requests were refused', async () => {
    const source = plugin(answer({ token: 't-1' }));
    const rejected = await source.current();
    expect(await Promise.all([source.renew(rejected), source.renew(rejected)])).toEqual([true, true]);
    const fresh = await source.current();
    await source.renew(rejected);
    expect(await source.current()).toBe(fresh);
    expect(runs()).toHaveLength(2);
  });

  it('is told its arguments, its environment and, when it wants it, the cluster', async () => {
    await plugin(answer({ token: 't' }), { env: [{ name: 'OWN', value: 'yes' }] }).current();
    await plugin(answer({ token: 't' }), { provideClusterInfo: true }).current();
    const [plain, informed] = runs();
    expect(plain).toMatchObject({ own: 'yes', args: ['get-token'] });
    expect(JSON.parse(plain?.info ?? '')).toEqual({ apiVersion: V1, kind: 'ExecCredential', spec: { interactive: false } });
    expect(JSON.parse(informed?.info ?? '')).toMatchObject({
      spec: { cluster: { server: 'https://x:1', 'tls-server-name': 'k', config: { audience: 'a' } } },
    });
  });

  it('may speak v1beta1 and answer with a certificate, whose own end is its expiry', async () => {
    const { cert, key } = testCertificate({ common: 'me', expires: new Date('2026-01-01T02:00:00Z') });
    const status = { clientCertificateData: cert, clientKeyData: key };
    const source = plugin(answer(status, V1BETA1), { apiVersion: V1BETA1, interactiveMode: undefined });
    expect(await source.current()).toEqual({ certificate: cert, key });
    await clock.advance(7_195_000);
    await source.current();
    expect(runs()).toHaveLength(2);
  });

  it('may be asked again after it failed', async () => {
    const flag = join(folder, 'ok');
    const source = plugin(`if (!require('fs').existsSync('${flag}')) process.exit(3);\n${answer({ token: 't' })}`);
    await expect(source.current()).rejects.toThrow('failed with exit code 3; run it by hand to see why');
    writeFileSync(flag, '');
    expect(await source.current()).toEqual({ token: 't' });
  });

  it.each([
    ['console.log("secret?")', 'did not answer with JSON'],
    [answer({ token: 't' }, V1BETA1), `did not answer with an ExecCredential of ${V1}`],
    [answer({}), 'answered without a token and without a certificate with its key'],
    [answer({ clientCertificateData: 'secret' }), 'answered without a token and without a certificate with its key'],
    [answer({ token: 'secret', expirationTimestamp: 'soon' }), 'names an expiry that is no time'],
    ['process.kill(process.pid, "SIGKILL"); setInterval(() => 0, 1000)', 'was ended by SIGKILL'],
    ['console.log("x".repeat(2 << 20))', 'wrote more than 1048576 bytes'],
  ])('that answers wrongly is named, its answer is not: %s', async (script, expected) => {
    const error = await plugin(script)
      .current()
      .catch((reason: unknown) => reason as Error);
    expect((error as Error).message).toContain(expected);
    expect((error as Error).message).not.toContain('secret');
  });

  it('that is not installed, or needs a terminal where there is none, says what to do', async () => {
    const missing = plugin('', { command: 'no-such-plugin', installHint: 'install it from example.com\nmore' });
    await expect(missing.current()).rejects.toThrow('the plugin no-such-plugin is not installed; install it from example.com');
    await expect(plugin('', { interactiveMode: 'Always' }).current()).rejects.toThrow('needs a terminal');
  });

  it('with a path is looked for beside the kubeconfig', async () => {
    await expect(plugin('', { command: './bin/none' }).current()).rejects.toThrow(
      `the plugin ${join(folder, 'bin/none')} is not installed`,
    );
  });
});
