/** The programs of a control plane, started one after the other: both beds have the same. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createApiCall } from './api-call.ts';
import { auditPath } from './audit-log.ts';
import { programPath } from './binaries.ts';
import { files, tokenOf, writeKubeconfig } from './credentials.ts';
import { start, waitReady } from './processes.ts';

export interface ControlOptions {
  /** Address that the API server listens on: 127.0.0.1 or a bridge of this machine. */
  readonly host: string;
  readonly audit?: 'Metadata' | 'Request' | undefined;
  readonly fsync: boolean;
  readonly scheduler: boolean;
  readonly apiServerFlags?: readonly string[];
}

/** Below the kernel's range for outgoing connections (32768 and up): such a port stays free while an API server restarts on it. */
async function freePort(host: string): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen({ port, host, exclusive: true }, () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error(`found no free port on ${host} between 20000 and 30000`);
}

/** Distinct free ports. */
export async function freePorts(host: string, count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort(host));
  return [...ports];
}

/** True when the address answers 200; false for anything else, as a component that is starting does. */
export async function healthy(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}

/** One of the API server's own checks, as admin. The certificate is there once the server has started for the first time. */
export async function apiServerReady(folder: string, server: string): Promise<boolean> {
  try {
    await createApiCall(server, tokenOf(folder, 'admin'), join(folder, files.certificate))({ path: '/readyz' });
    return true;
  } catch {
    return false;
  }
}

async function startEtcd(folder: string, fsync: boolean): Promise<string> {
  const [client = 0, peer = 0] = await freePorts('127.0.0.1', 2);
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  start(folder, 'etcd', [
    programPath('etcd'),
    `--data-dir=${join(folder, 'etcd')}`,
    '--name=bed',
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=bed=${peerUrl}`,
    `--quota-backend-bytes=${8 * 2 ** 30}`,
    '--auto-compaction-mode=periodic',
    '--auto-compaction-retention=5m',
    '--log-level=warn',
    ...(fsync ? [] : ['--unsafe-no-fsync']),
  ]);
  await waitReady(folder, 'etcd', 30_000, () => healthy(`${clientUrl}/health`));
  return clientUrl;
}

function auditFlags(folder: string, level: string | undefined): string[] {
  if (!level) return [];
  const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules: [{ level }] };
  const path = join(folder, 'audit-policy.json');
  writeFileSync(path, JSON.stringify(policy));
  const log = ['--audit-log-mode=blocking', '--audit-log-maxsize=4000', `--audit-log-path=${auditPath(folder)}`];
  return [`--audit-policy-file=${path}`, ...log];
}

async function startApiServer(folder: string, etcd: string, options: ControlOptions): Promise<string> {
  const [port = 0] = await freePorts(options.host, 1);
  const server = `https://${options.host}:${port}`;
  const at = (name: keyof typeof files) => join(folder, files[name]);
  start(folder, 'kube-apiserver', [
    programPath('kube-apiserver'),
    `--etcd-servers=${etcd}`,
    `--bind-address=${options.host}`,
    `--advertise-address=${options.host}`,
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'pki')}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${at('serviceAccountPublicKey')}`,
    `--service-account-signing-key-file=${at('serviceAccountKey')}`,
    '--authorization-mode=Node,RBAC',
    `--token-auth-file=${at('tokens')}`,
    '--allow-privileged=true',
    '--max-requests-inflight=4000',
    '--max-mutating-requests-inflight=2000',
    '--profiling=false',
    ...auditFlags(folder, options.audit),
    ...(options.apiServerFlags ?? []),
  ]);
  await waitReady(folder, 'kube-apiserver', 90_000, () => apiServerReady(folder, server));
  return server;
}

/** Flags by which a component that serves itself finds the API server and keeps to this machine. */
async function componentFlags(folder: string, server: string, component: string): Promise<string[]> {
  const user = `system:${component}`;
  const kubeconfig = writeKubeconfig(folder, user, server, tokenOf(folder, user));
  const [port] = await freePorts('127.0.0.1', 1);
  return [
    ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map((flag) => `--${flag}=${kubeconfig}`),
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'pki', component)}`,
    '--leader-elect=false',
    '--profiling=false',
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
  ];
}

async function startControllerManager(folder: string, server: string): Promise<void> {
  const concurrency = { deployment: 20, replicaset: 20, gc: 30, 'serviceaccount-token': 10, endpoint: 10 };
  start(folder, 'kube-controller-manager', [
    programPath('kube-controller-manager'),
    ...(await componentFlags(folder, server, 'kube-controller-manager')),
    '--controllers=*',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${join(folder, files.serviceAccountKey)}`,
    `--root-ca-file=${join(folder, files.certificate)}`,
    ...Object.entries(concurrency).map(([name, syncs]) => `--concurrent-${name}-syncs=${syncs}`),
  ]);
  // its /healthz is true before it does anything; this object is the work of two of its controllers
  const api = createApiCall(server, tokenOf(folder, 'admin'), join(folder, files.certificate));
  const works = () =>
    api({ path: '/api/v1/namespaces/default/serviceaccounts/default' }).then(
      () => true,
      () => false,
    );
  await waitReady(folder, 'kube-controller-manager', 60_000, works);
}

/** Starts etcd, kube-apiserver, kube-controller-manager and, if wanted, kube-scheduler. @returns the API server's address */
export async function startControlPrograms(folder: string, options: ControlOptions): Promise<string> {
  const server = await startApiServer(folder, await startEtcd(folder, options.fsync), options);
  writeFileSync(join(folder, 'server'), server);
  await startControllerManager(folder, server);
  if (options.scheduler) {
    const flags = await componentFlags(folder, server, 'kube-scheduler');
    start(folder, 'kube-scheduler', [programPath('kube-scheduler'), ...flags]);
  }
  return server;
}
