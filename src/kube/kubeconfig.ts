/** Finds the cluster and the credentials that the user means, as kubectl would. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isatty } from 'node:tty';
import { type Clock, createWallClock } from '../lib/clock.ts';
import { type ClusterAccess, type Credential, type CredentialSource, fixedCredential, type Impersonation } from './access.ts';
import { fileCredential } from './credential-files.ts';
import { type ExecCluster, execCredential, readExecSettings } from './exec-credential.ts';
import { inClusterAccess } from './in-cluster.ts';
import {
  AccessError,
  flagAt,
  type KubeconfigFile,
  pathAt,
  pemAt,
  readKubeconfig,
  type Section,
  subsection,
  textAt,
  textsAt,
} from './kubeconfig-file.ts';
import { proxyFor } from './proxy.ts';

export { AccessError };

export interface LoadOptions {
  /** A file; wins over $KUBECONFIG (which may name several) and ~/.kube/config. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** These replace what the context names. */
  readonly cluster?: string;
  readonly user?: string;
  readonly server?: string;
  readonly token?: string;
  readonly env: NodeJS.ProcessEnv;
  /** For files and plugins that are asked again after a time. Default: the wall clock. */
  readonly clock?: Clock;
  /** Whether a plugin may ask the user something. Default: whether our stdin is a terminal. */
  readonly terminal?: boolean;
}

function readFiles(options: LoadOptions): { files: KubeconfigFile[]; looked: string } {
  if (options.kubeconfig) {
    const file = readKubeconfig(options.kubeconfig);
    if (!file) throw new AccessError(`${options.kubeconfig}: no such file; check --kubeconfig`);
    return { files: [file], looked: options.kubeconfig };
  }
  const listed = (options.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const home = options.env['HOME'] || options.env['USERPROFILE'] || homedir();
  const paths = listed.length > 0 ? [...new Set(listed)] : [join(home, '.kube', 'config')];
  // kubectl skips what KUBECONFIG names and is not there.
  return { files: paths.flatMap((path) => readKubeconfig(path) ?? []), looked: paths.join(', ') };
}

/** The first file that has the name wins, as in kubectl. */
function find(files: readonly KubeconfigFile[], part: 'clusters' | 'contexts' | 'users', name: string): Section | undefined {
  for (const file of files) {
    const section = file[part].get(name);
    if (section) return section;
  }
  return undefined;
}

function need(files: readonly KubeconfigFile[], part: 'clusters' | 'contexts' | 'users', name: string): Section {
  const section = find(files, part, name);
  if (section) return section;
  const names = [...new Set(files.flatMap((file) => [...file[part].keys()]))].sort();
  const where = files.map(({ path }) => path).join(', ');
  throw new AccessError(
    `no ${part.slice(0, -1)} "${name}" in ${where}; there ${names.length === 0 ? 'is none' : `are: ${names.join(', ')}`}`,
  );
}

function readPem(section: Section, key: string): string | undefined {
  const { pem, file } = pemAt(section, key);
  if (file === undefined) return pem;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw section.wrong(key, `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

interface Cluster {
  readonly server: string;
  readonly tls: ClusterAccess['tls'];
  readonly proxy: string | undefined;
  readonly forPlugin: ExecCluster;
}

function checkUrl(text: string, protocols: readonly string[], wrong: (what: string) => AccessError): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !protocols.includes(url.protocol))
    throw wrong(`must be an address like ${protocols.map((each) => `${each}//host:port`).join(' or ')}`);
  return text;
}

function execExtension(section: Section): unknown {
  const extensions = section.values['extensions'];
  if (!Array.isArray(extensions)) return undefined;
  return extensions.find((each) => each?.name === 'client.authentication.k8s.io/exec')?.extension;
}

function readCluster(section: Section | undefined, name: string, options: LoadOptions): Cluster {
  const given = options.server;
  const server = given ?? (section && textAt(section, 'server'));
  if (server === undefined)
    throw section ? section.wrong('server', 'is missing') : new AccessError('no server: name one with --server, or a context');
  checkUrl(server, ['https:', 'http:'], (what) =>
    given || !section ? new AccessError(`--server ${what}`) : section.wrong('server', what),
  );
  const authority = section && readPem(section, 'certificate-authority');
  const insecure = section !== undefined && flagAt(section, 'insecure-skip-tls-verify');
  if (authority && insecure)
    throw section.wrong('insecure-skip-tls-verify', 'contradicts certificate-authority; remove one of the two');
  const serverName = section && textAt(section, 'tls-server-name');
  const ownProxy = section && textAt(section, 'proxy-url');
  if (section && ownProxy) checkUrl(ownProxy, ['http:', 'https:'], (what) => section.wrong('proxy-url', what));
  const config = section && execExtension(section);
  return {
    server,
    tls: {
      ...(authority ? { authority } : {}),
      authoritySource: authority
        ? `the certificate authority of cluster "${name}" (${section.file})`
        : 'a root that this machine knows',
      insecure,
      ...(serverName ? { serverName } : {}),
    },
    proxy: ownProxy ?? proxyFor(server, options.env),
    forPlugin: {
      server,
      ...(serverName ? { 'tls-server-name': serverName } : {}),
      ...(insecure ? { 'insecure-skip-tls-verify': true } : {}),
      ...(authority ? { 'certificate-authority-data': Buffer.from(authority).toString('base64') } : {}),
      ...(ownProxy ? { 'proxy-url': ownProxy } : {}),
      ...(config === undefined ? {} : { config }),
    },
  };
}

function readCredentials(section: Section, name: string, cluster: Cluster, options: LoadOptions, clock: Clock): CredentialSource {
  const owner = `user "${name}" of ${section.file}`;
  if (section.values['username'] !== undefined || section.values['password'] !== undefined) {
    throw section.wrong(
      'username',
      'basic authentication was removed in Kubernetes 1.19; use a token, a client certificate or an exec plugin',
    );
  }
  if (section.values['auth-provider'] !== undefined) {
    throw section.wrong(
      'auth-provider',
      'was removed in Kubernetes 1.26; use the exec plugin of your provider (gke-gcloud-auth-plugin, kubelogin)',
    );
  }
  const exec = subsection(section, 'exec');
  if (exec) {
    const terminal = options.terminal ?? isatty(0);
    return execCredential(readExecSettings(exec), { owner, cluster: cluster.forPlugin, env: options.env, clock, terminal });
  }
  const certificate = pemAt(section, 'client-certificate');
  const key = pemAt(section, 'client-key');
  const hasCertificate = certificate.pem !== undefined || certificate.file !== undefined;
  const hasKey = key.pem !== undefined || key.file !== undefined;
  if (hasCertificate !== hasKey)
    throw section.wrong(hasKey ? 'client-key' : 'client-certificate', 'needs client-certificate and client-key together');
  // tokenFile wins over token, as in client-go.
  const tokenFile = pathAt(section, 'tokenFile');
  const token = tokenFile === undefined ? textAt(section, 'token') : undefined;
  const fixed: Credential = {
    ...(token === undefined ? {} : { token }),
    ...(certificate.pem === undefined ? {} : { certificate: certificate.pem }),
    ...(key.pem === undefined ? {} : { key: key.pem }),
  };
  const files = {
    ...(tokenFile === undefined ? {} : { token: tokenFile }),
    ...(certificate.file === undefined ? {} : { certificate: certificate.file }),
    ...(key.file === undefined ? {} : { key: key.file }),
  };
  return Object.keys(files).length > 0 ? fileCredential(owner, files, fixed, clock) : fixedCredential(owner, fixed);
}

function readImpersonation(section: Section): Impersonation | undefined {
  const user = textAt(section, 'as');
  const uid = textAt(section, 'as-uid');
  const groups = textsAt(section, 'as-groups');
  const extra = subsection(section, 'as-user-extra');
  if (user === undefined) {
    if (uid !== undefined || groups.length > 0 || extra)
      throw section.wrong(undefined, 'as-uid, as-groups and as-user-extra need as');
    return undefined;
  }
  const names = Object.keys(extra?.values ?? {});
  return {
    user,
    ...(uid === undefined ? {} : { uid }),
    groups,
    extra: extra ? Object.fromEntries(names.map((key) => [key, textsAt(extra, key)])) : {},
  };
}

/**
 * Access to the cluster of a context: --kubeconfig, else the files of $KUBECONFIG merged (the first wins), else ~/.kube/config, else, when
 * there is no file at all, the service account of the pod. Sends nothing; plugins and token files are asked at the first request.
 * @throws AccessError, one line with file, line and field where there is one.
 */
export function loadAccess(options: LoadOptions): ClusterAccess {
  const clock = options.clock ?? createWallClock();
  const { files, looked } = readFiles(options);
  if (files.length === 0 && !options.server) {
    const inCluster = inClusterAccess(options.env, clock);
    if (inCluster) return inCluster;
    throw new AccessError(
      `no cluster to talk to: ${looked} does not exist, and this is not a pod; name a file with --kubeconfig or $KUBECONFIG`,
    );
  }
  const contextName = options.context ?? (files.find(({ currentContext }) => currentContext !== '')?.currentContext || undefined);
  const context = contextName === undefined ? undefined : need(files, 'contexts', contextName);
  const clusterName = options.cluster ?? (context && textAt(context, 'cluster'));
  const userName = options.user ?? (context && textAt(context, 'user'));
  if (clusterName === undefined && !options.server) {
    if (context) throw context.wrong('cluster', 'is missing');
    const names = [...new Set(files.flatMap((file) => [...file.contexts.keys()]))].sort();
    throw new AccessError(
      `${looked} has no current-context; choose one with --context: ${names.join(', ') || '(there is none)'}`,
    );
  }
  const clusterSection = clusterName === undefined ? undefined : need(files, 'clusters', clusterName);
  const cluster = readCluster(clusterSection, clusterName ?? '', options);
  const user = userName === undefined ? undefined : need(files, 'users', userName);
  const impersonate = user && readImpersonation(user);
  return {
    server: cluster.server,
    tls: cluster.tls,
    credentials: options.token
      ? fixedCredential('--token', { token: options.token })
      : user
        ? readCredentials(user, userName ?? '', cluster, options, clock)
        : fixedCredential('nobody (the context names no user)', {}),
    ...(cluster.proxy === undefined ? {} : { proxy: cluster.proxy }),
    ...(impersonate ? { impersonate } : {}),
    ...(contextName === undefined ? {} : { context: contextName }),
    namespace: (context && textAt(context, 'namespace')) ?? 'default',
  };
}
