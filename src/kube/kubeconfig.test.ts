import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createVirtualClock } from '../lib/clock.ts';
import type { ClusterAccess } from './access.ts';
import { inClusterAccess } from './in-cluster.ts';
import { type LoadOptions, loadAccess } from './kubeconfig.ts';
import { AccessError } from './kubeconfig-file.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const base64 = (text: string) => Buffer.from(text).toString('base64');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-kubeconfig-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function load(text: string, options: Partial<LoadOptions> = {}): ClusterAccess {
  return loadAccess({ kubeconfig: file('config', text), env: {}, ...options });
}

function errorOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof AccessError) return error.message.replaceAll(folder, '<folder>');
    throw error;
  }
  throw new Error('did not throw');
}

const TWO = `
apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: dev
  cluster: {server: "https://dev.example:6443", insecure-skip-tls-verify: true}
- name: prod
  cluster: {server: "https://prod.example:6443/path", certificate-authority-data: ${base64(PEM)}, tls-server-name: kubernetes}
contexts:
- {name: dev, context: {cluster: dev, user: joe}}
- {name: prod, context: {cluster: prod, user: ann, namespace: shop}}
users:
- {name: joe, user: {token: t-joe}}
- {name: ann, user: {client-certificate-data: ${base64(PEM)}, client-key-data: ${base64(PEM)}, as: root, as-uid: "7", as-groups: [ops], as-user-extra: {why: [drill]}}}
`;

describe('a kubeconfig', () => {
  it('gives the current context', async () => {
    const access = load(TWO);
    expect(access).toMatchObject({
      server: 'https://dev.example:6443',
      namespace: 'default',
      context: 'dev',
      tls: { insecure: true },
    });
    expect(access.tls).not.toHaveProperty('authority');
    expect(await access.credentials.current()).toEqual({ token: 't-joe' });
    expect(access.credentials.owner).toBe(`user "joe" of ${join(folder, 'config')}`);
  });

  it('gives a named context with certificates, namespace and impersonation', async () => {
    const access = load(TWO, { context: 'prod' });
    expect(access).toMatchObject({
      server: 'https://prod.example:6443/path',
      namespace: 'shop',
      tls: { authority: PEM, insecure: false, serverName: 'kubernetes' },
      impersonate: { user: 'root', uid: '7', groups: ['ops'], extra: { why: ['drill'] } },
    });
    expect(await access.credentials.current()).toEqual({ certificate: PEM, key: PEM });
  });

  it('lets cluster, user, server and token be replaced', async () => {
    const access = load(TWO, { cluster: 'prod', user: 'ann' });
    expect(access).toMatchObject({
      server: 'https://prod.example:6443/path',
      credentials: { owner: expect.stringContaining('"ann"') as string },
    });
    const other = load(TWO, { server: 'https://other:1', token: 't-mine' });
    expect(other.server).toBe('https://other:1');
    expect(await other.credentials.current()).toEqual({ token: 't-mine' });
    const bare = loadAccess({ server: 'http://127.0.0.1:8001', env: { HOME: folder } });
    expect(bare).toMatchObject({ server: 'http://127.0.0.1:8001', namespace: 'default' });
  });

  it('is merged from the files of KUBECONFIG: the first wins, what is missing is skipped, paths are relative to their file', () => {
    const first = file(
      'one/config',
      'current-context: c\nclusters: [{name: x, cluster: {server: "https://first:1", certificate-authority: ca.crt}}]\n',
    );
    file('one/ca.crt', PEM);
    const second = file(
      'two/config',
      'current-context: other\nclusters: [{name: x, cluster: {server: "https://second:1"}}]\ncontexts: [{name: c, context: {cluster: x}}]\n',
    );
    const access = loadAccess({ env: { KUBECONFIG: [join(folder, 'none'), first, '', second].join(delimiter) } });
    expect(access).toMatchObject({ server: 'https://first:1', context: 'c', tls: { authority: PEM } });
  });

  it('is found in the home folder', () => {
    file('home/.kube/config', TWO);
    expect(loadAccess({ env: { HOME: join(folder, 'home') } }).context).toBe('dev');
  });

  it('names the proxy of the cluster, else that of the environment', () => {
    const env = { HTTPS_PROXY: 'http://env:1', NO_PROXY: 'dev.example' };
    expect(load(TWO, { env })).not.toHaveProperty('proxy');
    expect(load(TWO, { env, context: 'prod' }).proxy).toBe('http://env:1');
    expect(load(TWO.replace('{server: "https://dev', '{proxy-url: "http://own:1", server: "https://dev'), { env }).proxy).toBe(
      'http://own:1',
    );
  });

  it('reads a token file again after a minute and after a 401, and keeps the old token while the file is being replaced', async () => {
    const clock = createVirtualClock();
    const token = file('token', 'one\n');
    const text = TWO.replace('{token: t-joe}', '{token: ignored, tokenFile: token}');
    const { credentials } = load(text, { clock });
    expect(await credentials.current()).toEqual({ token: 'one' });
    file('token', 'two');
    expect(await credentials.current()).toEqual({ token: 'one' });
    await clock.advance(60_000);
    expect(await credentials.current()).toEqual({ token: 'two' });
    rmSync(token);
    await clock.advance(60_000);
    expect(await credentials.current()).toEqual({ token: 'two' });
    file('token', 'three');
    expect(await credentials.renew({ token: 'two' })).toBe(true);
    expect(await credentials.current()).toEqual({ token: 'three' });
    expect(await credentials.renew({ token: 'three' })).toBe(false);
    file('token', '');
    await expect(load(text).credentials.current()).rejects.toThrow('token is empty');
  });
});

describe('a kubeconfig error', () => {
  const cluster =
    'clusters: [{name: c, cluster: {server: "https://x:1"}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n';
  const withUser = (user: string) => `${cluster}users:\n- name: u\n  user: ${user}\n`;

  it.each([
    ['a: [1\nb: 2', '<folder>/config:2: not valid YAML (bad indent)'],
    ['- a', '<folder>/config:1: must be a mapping (key: value)'],
    ['kind: Pod', '<folder>/config:1: kind: is not Config; is this a kubeconfig?'],
    ['clusters: 5', '<folder>/config:1: clusters: must be a list'],
    ['clusters:\n- cluster: {}', '<folder>/config:2: clusters[0].name: is missing'],
    ['clusters:\n- name: a\n  cluster: 7', '<folder>/config:3: clusters[0].cluster: must be a mapping (key: value)'],
    ['a: 1', '<folder>/config has no current-context; choose one with --context: (there is none)'],
    [
      'contexts: [{name: b, context: {}}, {name: a, context: {}}]',
      '<folder>/config has no current-context; choose one with --context: a, b',
    ],
    ['current-context: x\ncontexts: [{name: a, context: {}}]', 'no context "x" in <folder>/config; there are: a'],
    ['current-context: a\ncontexts:\n- name: a\n  context: {}', '<folder>/config:4: contexts[0].context.cluster: is missing'],
    ['current-context: a\ncontexts: [{name: a, context: {cluster: k}}]', 'no cluster "k" in <folder>/config; there is none'],
    [cluster.replace('server: "https://x:1"', ''), '<folder>/config:1: clusters[0].cluster.server: is missing'],
    [
      cluster.replace('https://x:1', 'x:1'),
      '<folder>/config:1: clusters[0].cluster.server: must be an address like https://host:port or http://host:port',
    ],
    [
      cluster.replace('server:', 'proxy-url: "socks5://p:1", server:'),
      '<folder>/config:1: clusters[0].cluster.proxy-url: must be an address like http://host:port or https://host:port',
    ],
    [
      cluster.replace('server:', 'certificate-authority-data: "@@", server:'),
      '<folder>/config:1: clusters[0].cluster.certificate-authority-data: is not base64 of a PEM block',
    ],
    [
      cluster.replace('server:', 'certificate-authority: none.crt, server:'),
      '<folder>/config:1: clusters[0].cluster.certificate-authority: <folder>/none.crt cannot be read (ENOENT)',
    ],
    [
      cluster.replace('server:', `certificate-authority-data: ${base64(PEM)}, insecure-skip-tls-verify: true, server:`),
      '<folder>/config:1: clusters[0].cluster.insecure-skip-tls-verify: contradicts certificate-authority; remove one of the two',
    ],
    [
      cluster.replace('server:', 'insecure-skip-tls-verify: "yes", server:'),
      '<folder>/config:1: clusters[0].cluster.insecure-skip-tls-verify: must be true or false',
    ],
    [cluster, 'no user "u" in <folder>/config; there is none'],
    [withUser('{token: 12345}'), '<folder>/config:6: users[0].user.token: must be text (put it in quotes)'],
    [withUser('{client-key-data: eA==}'), '<folder>/config:6: users[0].user.client-key-data: is not base64 of a PEM block'],
    [
      withUser('{client-key: k.pem}'),
      '<folder>/config:6: users[0].user.client-key: needs client-certificate and client-key together',
    ],
    [withUser('{as-groups: [a]}'), '<folder>/config:6: users[0].user: as-uid, as-groups and as-user-extra need as'],
    [
      withUser('{exec: {apiVersion: client.authentication.k8s.io/v1alpha1}}'),
      '<folder>/config:6: users[0].user.exec: apiVersion must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1; update the plugin and write its kubeconfig entry anew',
    ],
  ])('names file, line and field: %s', (text, expected) => {
    expect(errorOf(() => load(text))).toBe(expected);
  });

  it('tells what to use instead of basic authentication and auth providers', () => {
    expect(errorOf(() => load(withUser('{username: a, password: hunter2}')))).toContain(
      'basic authentication was removed in Kubernetes 1.19; use',
    );
    expect(errorOf(() => load(withUser('{auth-provider: {name: gcp}}')))).toContain(
      'was removed in Kubernetes 1.26; use the exec plugin',
    );
  });

  it('quotes no value of the file', () => {
    const secrets = withUser('{username: a, password: hunter2, token: [hunter2]}');
    expect(errorOf(() => load(secrets))).not.toContain('hunter2');
    expect(errorOf(() => load('users: [{name: u, user: {token: hunter2}}\n  x: ]'))).not.toContain('hunter2');
  });

  it('says where it looked when there is nothing', () => {
    expect(errorOf(() => loadAccess({ env: { HOME: folder } }))).toBe(
      'no cluster to talk to: <folder>/.kube/config does not exist, and this is not a pod; name a file with --kubeconfig or $KUBECONFIG',
    );
    expect(errorOf(() => loadAccess({ kubeconfig: join(folder, 'none'), env: {} }))).toBe(
      '<folder>/none: no such file; check --kubeconfig',
    );
    expect(errorOf(() => loadAccess({ kubeconfig: folder, env: {} }))).toContain('cannot be read (EISDIR)');
  });
});

describe('access from inside a pod', () => {
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  it('uses the service account', async () => {
    for (const [name, text] of Object.entries({ token: 't-1', 'ca.crt': PEM, namespace: 'drover\n' }))
      file(`account/${name}`, text);
    const access = inClusterAccess(env, createVirtualClock(), join(folder, 'account'));
    expect(access).toMatchObject({
      server: 'https://[fd00::1]:443',
      namespace: 'drover',
      tls: { authority: PEM, insecure: false },
    });
    expect(await access?.credentials.current()).toEqual({ token: 't-1' });
  });

  it('is not there elsewhere, and says so when the account is not mounted', () => {
    expect(inClusterAccess({}, createVirtualClock())).toBeUndefined();
    expect(errorOf(() => inClusterAccess(env, createVirtualClock(), join(folder, 'missing')))).toContain(
      'ca.crt cannot be read (ENOENT); is automountServiceAccountToken off for this pod?',
    );
  });
});
