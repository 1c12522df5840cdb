import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiCall, createApiCall } from './api-call.ts';
import { type AuditFilter, type AuditLine, auditMark, readAuditLog } from './audit-log.ts';
import { apiServerReady } from './control-programs.ts';
import { files, tokenOf, writeKubeconfig } from './credentials.ts';
import { killProcessesOf, processesOf, signalAll, startAgain, type Usage, usageOf, waitReady } from './processes.ts';

export type Component = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok';

/** What a test can do with a running bed, whichever process started it. */
export interface Bed {
  readonly folder: string;
  /** "https://127.0.0.1:port" */
  readonly server: string;
  /** Path of the admin's kubeconfig (system:masters). */
  readonly kubeconfig: string;
  /** Path of the kubeconfig of a user made at start (credentials.ts and the option `users`). @throws Error for any other */
  kubeconfigFor(user: string): string;
  /** Path of a kubeconfig with a real token of a service account, good for an hour; `node` binds the token to that node. */
  kubeconfigForServiceAccount(namespace: string, name: string, node?: { name: string; uid: string }): Promise<string>;
  /** The bed's own client, as user "admin". */
  readonly api: ApiCall;
  /** What was logged so far and fits the filter. @throws Error when the bed was started without audit */
  auditLog(filter?: AuditFilter): Promise<AuditLine[]>;
  /** A place in the audit log to read on from: `auditLog({from: mark})`. */
  auditMark(): number;
  /** Kills the API server; its address refuses connections until it is started again, on the same port. */
  stopApiServer(): void;
  startApiServer(): Promise<void>;
  restartApiServer(): Promise<void>;
  /** Freezes a component (SIGSTOP) or lets it go on. @throws Error when it does not run */
  pauseComponent(component: Component): void;
  resumeComponent(component: Component): void;
  /** Memory and CPU time of each component that runs. */
  usage(): Partial<Record<Component, Usage>>;
}

const components: readonly Component[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok'];

function signalComponent(folder: string, component: Component, signal: NodeJS.Signals): void {
  const pids = processesOf(folder, component);
  if (pids.length === 0) throw new Error(`${component} does not run on this bed`);
  signalAll(pids, signal);
}

interface TokenRequest {
  readonly status: { readonly token: string };
}

/** A handle on the running bed in `folder`. */
export function attachBed(folder: string): Bed {
  const server = readFileSync(join(folder, 'server'), 'utf8');
  const kubeconfigFor = (user: string) => writeKubeconfig(folder, user, server, tokenOf(folder, user));
  const api = createApiCall(server, tokenOf(folder, 'admin'), join(folder, files.certificate));
  const stopApiServer = () => killProcessesOf(folder, 'kube-apiserver');
  const startApiServer = async () => {
    startAgain(folder, 'kube-apiserver');
    await waitReady(folder, 'kube-apiserver', 90_000, () => apiServerReady(folder, server));
  };
  return {
    folder,
    server,
    kubeconfig: kubeconfigFor('admin'),
    kubeconfigFor,
    api,
    async kubeconfigForServiceAccount(namespace, name, node) {
      const boundObjectRef = node && { apiVersion: 'v1', kind: 'Node', ...node };
      const body = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3600, boundObjectRef },
      };
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
      const { status } = await api<TokenRequest>({ method: 'POST', path, body });
      return writeKubeconfig(
        folder,
        `${namespace}-${name}-${Date.now()}-${Math.random().toString(36).slice(2)}`,
        server,
        status.token,
      );
    },
    async auditLog(filter) {
      const lines: AuditLine[] = [];
      for await (const line of readAuditLog(folder, filter)) lines.push(line);
      return lines;
    },
    auditMark: () => auditMark(folder),
    stopApiServer,
    startApiServer,
    async restartApiServer() {
      stopApiServer();
      await startApiServer();
    },
    pauseComponent: (component) => signalComponent(folder, component, 'SIGSTOP'),
    resumeComponent: (component) => signalComponent(folder, component, 'SIGCONT'),
    usage: () =>
      Object.fromEntries(
        components.flatMap((component) => {
          const usage = usageOf(folder, component);
          return usage ? [[component, usage]] : [];
        }),
      ),
  };
}
