/** Credentials from a plugin (aws, gke-gcloud-auth-plugin, kubelogin): client.authentication.k8s.io/v1 and v1beta1. */
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Credential, CredentialSource } from './access.ts';
import { flagAt, type Section, textAt, textsAt } from './kubeconfig-file.ts';

const GROUP = 'client.authentication.k8s.io';
/** A login in the browser may take a while; a plugin that cannot ask has no excuse. */
const PATIENCE_MS = { interactive: 600_000, silent: 60_000 };
const MAX_OUTPUT_BYTES = 1 << 20;
/** Renewed this long before the expiry, so that a request under way does not meet it. */
const EARLY_MS = 10_000;

/** What a plugin is told of the cluster, when it asks (`provideClusterInfo`). */
export interface ExecCluster {
  readonly server: string;
  readonly 'tls-server-name'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  /** base64 of PEM */
  readonly 'certificate-authority-data'?: string;
  readonly 'proxy-url'?: string;
  /** The cluster's extension "client.authentication.k8s.io/exec". */
  readonly config?: unknown;
}

export interface ExecSettings {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly installHint: string | undefined;
  readonly provideClusterInfo: boolean;
  readonly interactiveMode: 'Never' | 'IfAvailable' | 'Always';
}

/** @throws AccessError */
export function readExecSettings(section: Section): ExecSettings {
  const apiVersion = textAt(section, 'apiVersion') ?? '';
  if (apiVersion !== `${GROUP}/v1` && apiVersion !== `${GROUP}/v1beta1`) {
    throw section.wrong(
      'apiVersion',
      `must be ${GROUP}/v1 or ${GROUP}/v1beta1; update the plugin and write its kubeconfig entry anew`,
    );
  }
  const command = textAt(section, 'command');
  if (command === undefined) throw section.wrong('command', 'is missing');
  const mode = textAt(section, 'interactiveMode') ?? (apiVersion.endsWith('beta1') ? 'IfAvailable' : '');
  if (mode !== 'Never' && mode !== 'IfAvailable' && mode !== 'Always') {
    throw section.wrong('interactiveMode', 'must be Never, IfAvailable or Always');
  }
  const env = section.values['env'] ?? [];
  if (!Array.isArray(env) || env.some((entry) => typeof entry?.name !== 'string'))
    throw section.wrong('env', 'must be a list of name and value');
  return {
    apiVersion,
    // As in client-go: a path with a slash is relative to the kubeconfig, a bare name is looked up in PATH.
    command: /[/\\]/.test(command) && !isAbsolute(command) ? resolve(dirname(section.file), command) : command,
    args: textsAt(section, 'args'),
    env: Object.fromEntries((env as { name: string; value?: string }[]).map(({ name, value }) => [name, value ?? ''])),
    installHint: textAt(section, 'installHint'),
    provideClusterInfo: flagAt(section, 'provideClusterInfo'),
    interactiveMode: mode,
  };
}

interface Run {
  readonly settings: ExecSettings;
  readonly interactive: boolean;
  readonly environment: NodeJS.ProcessEnv;
}

/** Runs the plugin; its stderr goes to ours, as it may hold a prompt ("open this page and enter the code"). */
function runPlugin({ settings, interactive, environment }: Run): Promise<string> {
  const { command, installHint } = settings;
  const hint = installHint ? `; ${installHint.trim().split('\n')[0]}` : '';
  const timeout = interactive ? PATIENCE_MS.interactive : PATIENCE_MS.silent;
  return new Promise((done, reject) => {
    const child = spawn(command, [...settings.args], {
      env: environment,
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
      timeout,
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_OUTPUT_BYTES) chunks.push(chunk);
    });
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Error(
          error.code === 'ENOENT'
            ? `the plugin ${command} is not installed${hint}`
            : `the plugin ${command} cannot be run (${error.code})${hint}`,
        ),
      ),
    );
    child.on('close', (code, signal) => {
      if (code === 0 && size <= MAX_OUTPUT_BYTES) done(Buffer.concat(chunks).toString('utf8'));
      else if (code === 0) reject(new Error(`the plugin ${command} wrote more than ${MAX_OUTPUT_BYTES} bytes`));
      else if (signal) reject(new Error(`the plugin ${command} was ended by ${signal} (its limit is ${timeout / 1000} s)`));
      else reject(new Error(`the plugin ${command} failed with exit code ${code}; run it by hand to see why`));
    });
  });
}

function expiryOf(text: string | undefined, certificate: string | undefined, command: string): Millis {
  const at = text
    ? Date.parse(text)
    : certificate
      ? Date.parse(new X509Certificate(certificate).validTo)
      : Number.POSITIVE_INFINITY;
  if (Number.isNaN(at)) throw new Error(`the plugin ${command} names an expiry that is no time`);
  return at;
}

/** Of the plugin's answer. @throws Error without any part of the answer in it. */
function readAnswer(output: string, { apiVersion, command }: ExecSettings): { credential: Credential; expiresAt: Millis } {
  interface Answer {
    apiVersion?: string;
    kind?: string;
    status?: { token?: string; clientCertificateData?: string; clientKeyData?: string; expirationTimestamp?: string };
  }
  let answer: Answer | null;
  try {
    answer = JSON.parse(output) as Answer | null;
  } catch {
    throw new Error(`the plugin ${command} did not answer with JSON`);
  }
  if (answer?.kind !== 'ExecCredential' || answer.apiVersion !== apiVersion) {
    throw new Error(`the plugin ${command} did not answer with an ExecCredential of ${apiVersion}`);
  }
  const { token, clientCertificateData: certificate, clientKeyData: key, expirationTimestamp } = answer.status ?? {};
  if (!token && !(certificate && key))
    throw new Error(`the plugin ${command} answered without a token and without a certificate with its key`);
  const credential: Credential = { ...(token ? { token } : {}), ...(certificate && key ? { certificate, key } : {}) };
  return { credential, expiresAt: expiryOf(expirationTimestamp, credential.certificate, command) };
}

export interface ExecContext {
  readonly owner: string;
  readonly cluster: ExecCluster;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** Whether a person sits at our stdin. */
  readonly terminal: boolean;
}

/** Runs the plugin when first asked, when its answer expires and after a 401; once for all requests that wait. */
export function execCredential(settings: ExecSettings, context: ExecContext): CredentialSource {
  const { owner, cluster, env, clock, terminal } = context;
  const interactive = settings.interactiveMode !== 'Never' && terminal;
  let cached: { credential: Credential; expiresAt: Millis } | undefined;
  let running: Promise<Credential> | undefined;

  const run = async (): Promise<Credential> => {
    if (settings.interactiveMode === 'Always' && !terminal) throw new Error(`the plugin ${settings.command} needs a terminal`);
    const spec = { interactive, ...(settings.provideClusterInfo ? { cluster } : {}) };
    const info = JSON.stringify({ apiVersion: settings.apiVersion, kind: 'ExecCredential', spec });
    const environment = { ...env, ...settings.env, KUBERNETES_EXEC_INFO: info };
    cached = readAnswer(await runPlugin({ settings, interactive, environment }), settings);
    return cached.credential;
  };

  return {
    owner,
    current() {
      if (cached && clock.now() + EARLY_MS < cached.expiresAt) return Promise.resolve(cached.credential);
      running ??= run().finally(() => {
        running = undefined;
      });
      return running;
    },
    renew(rejected) {
      // Many requests may be refused at once; only the first drops the credential, or each would run the plugin.
      if (cached?.credential === rejected) cached = undefined;
      return Promise.resolve(true);
    },
  };
}
