/** Which Kubernetes answers. */
import type { KubeClient } from './client.ts';

export interface ServerVersion {
  readonly major: number;
  /** 34 of "34+". */
  readonly minor: number;
  /** "v1.34.4" */
  readonly git: string;
}

/** @throws KubeError */
export async function serverVersion(client: KubeClient): Promise<ServerVersion> {
  const { major, minor, gitVersion } = await client.json<{ major: string; minor: string; gitVersion: string }>({
    method: 'GET',
    path: '/version',
  });
  return { major: Number.parseInt(major, 10), minor: Number.parseInt(minor, 10), git: gitVersion };
}
