/** Access from inside a pod, by its service account. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { ClusterAccess } from './access.ts';
import { fileCredential } from './credential-files.ts';
import { AccessError } from './kubeconfig-file.ts';
import { proxyFor } from './proxy.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Undefined outside of a pod. @throws AccessError when the pod's service account is not mounted. */
export function inClusterAccess(env: NodeJS.ProcessEnv, clock: Clock, directory?: string): ClusterAccess | undefined {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) return undefined;
  // In a Windows HostProcess container the mounts lie below this folder.
  const mounted = directory ?? join(env['CONTAINER_SANDBOX_MOUNT_POINT'] ?? '', SERVICE_ACCOUNT);
  const read = (name: string): string => {
    try {
      return readFileSync(join(mounted, name), 'utf8');
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      throw new AccessError(
        `${join(mounted, name)} cannot be read (${code}); is automountServiceAccountToken off for this pod?`,
        { cause: error },
      );
    }
  };
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const proxy = proxyFor(server, env);
  const authoritySource = join(mounted, 'ca.crt');
  return {
    server,
    tls: { authority: read('ca.crt'), authoritySource, insecure: false },
    credentials: fileCredential('the service account of this pod', { token: join(mounted, 'token') }, {}, clock),
    namespace: read('namespace').trim() || 'default',
    ...(proxy ? { proxy } : {}),
  };
}
