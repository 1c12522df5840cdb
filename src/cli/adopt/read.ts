/** Where the configuration of other tools is: YAML files, or the cluster. */
import { parseAllDocuments } from 'yaml';
import type { KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/client.ts';
import { CommandError } from '../errors.ts';
import { fileText } from '../file-text.ts';
import type { RawObject } from './workload.ts';

/** @throws CommandError naming file and line */
export async function readFiles(paths: readonly string[]): Promise<RawObject[]> {
  const found: RawObject[] = [];
  for (const path of paths) {
    for (const document of parseAllDocuments(await fileText(path))) {
      const [error] = document.errors;
      if (error) throw new CommandError(`${path}: ${error.message.split('\n')[0]}`);
      const value: unknown = document.toJS();
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) found.push(value);
    }
  }
  return found;
}

interface Page {
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly RawObject[];
}

/** Workloads of all namespaces, and the ConfigMaps that those of known tools mount. @throws KubeError */
export async function readCluster(client: KubeClient, isKnown: (workload: RawObject) => boolean): Promise<RawObject[]> {
  const found: RawObject[] = [];
  for (const [plural, kind] of [
    ['daemonsets', 'DaemonSet'],
    ['deployments', 'Deployment'],
  ] as const) {
    let token: string | undefined;
    do {
      const query = { limit: 500, ...(token !== undefined && { continue: token }) };
      const page = await client.json<Page>({ method: 'GET', path: `/apis/apps/v1/${plural}`, query });
      // Items of a list do not carry their kind.
      found.push(...(page.items ?? []).map((item) => ({ ...item, kind })).filter(isKnown));
      token = page.metadata?.continue || undefined;
    } while (token !== undefined);
  }
  const maps = new Map<string, Promise<RawObject | null>>();
  for (const { metadata, spec } of found)
    for (const { configMap } of spec?.template?.spec?.volumes ?? []) {
      const path = `/api/v1/namespaces/${metadata?.namespace ?? 'default'}/configmaps/${configMap?.name ?? ''}`;
      if (configMap?.name && !maps.has(path)) maps.set(path, readMap(client, path));
    }
  const read = await Promise.all(maps.values());
  return [...found, ...read.flatMap((map) => map ?? [])];
}

async function readMap(client: KubeClient, path: string): Promise<RawObject | null> {
  try {
    return { ...(await client.json<RawObject>({ method: 'GET', path })), kind: 'ConfigMap' };
  } catch (error) {
    if (error instanceof KubeError && error.code === 404) return null; // an optional one
    throw error;
  }
}
