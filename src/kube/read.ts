/** One-off reads, where a watch would be too much. */
import type { ObjectMeta } from '../api/objects.ts';
import type { KubeClient } from './client.ts';
import { collectionPath, objectPath, type ResourceKind } from './kinds.ts';

/** @throws KubeError, code 404 when it is not there. */
export async function readOne<T extends ObjectMeta>(
  client: KubeClient,
  kind: ResourceKind<T>,
  at: { readonly namespace?: string; readonly name: string },
): Promise<T> {
  const json = await client.json({ method: 'GET', path: objectPath(kind, { namespace: at.namespace ?? '', name: at.name }) });
  const object = kind.decodeJson(json);
  if (!object) throw new Error(`${kind.kind} ${at.name} cannot be read`);
  return object;
}

export interface ListScope {
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** All objects, page by page. @throws KubeError */
export async function readList<T extends ObjectMeta>(
  client: KubeClient,
  kind: ResourceKind<T>,
  scope: ListScope = {},
): Promise<T[]> {
  const { namespace, ...selectors } = scope;
  const found: T[] = [];
  let token: string | undefined;
  do {
    const query = { limit: kind.pageSize ?? 500, ...selectors, ...(token && { continue: token }) };
    const page = await client.json<{ metadata: { continue?: string }; items?: unknown[] }>({
      method: 'GET',
      path: collectionPath(kind, namespace),
      query,
    });
    for (const item of page.items ?? []) {
      const object = kind.decodeJson(item);
      if (object) found.push(object);
    }
    token = page.metadata.continue || undefined;
  } while (token);
  return found;
}
