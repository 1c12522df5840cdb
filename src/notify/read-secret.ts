import { readFile } from 'node:fs/promises';
import { type KubeClient, KubeError, pathOf } from '../kube/client.ts';
import type { Clock } from '../lib/clock.ts';
import { createSecrets, type Secrets } from './secrets.ts';

/** Secrets of the cluster, of the environment and of files. @param client opened when a Secret of the cluster is first read */
export function secretsOf(
  client: () => Promise<KubeClient>,
  clock: Clock,
  env: Readonly<Record<string, string | undefined>>,
): Secrets {
  return createSecrets({
    clock,
    env,
    readFile: textOf,
    async readKey({ namespace, name, key }) {
      let secret: { data?: Record<string, string> };
      try {
        secret = await (await client()).json({ method: 'GET', path: pathOf('api/v1/namespaces', namespace, 'secrets', name) });
      } catch (error) {
        if (error instanceof KubeError && error.code === 403)
          throw new Error('may not be read; give the controller the right to get this Secret', { cause: error });
        throw new Error(error instanceof KubeError && error.code === 404 ? 'is not there' : 'cannot be read', { cause: error });
      }
      return Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
    },
  });
}

/** @throws Error with the code of the failure, not what is in it */
export async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, { cause: error });
  }
}
