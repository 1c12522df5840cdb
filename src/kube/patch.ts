/** The door for changes to one object. */
import type { KubeClient } from './client.ts';

export const MERGE_PATCH = 'application/merge-patch+json';

export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

const CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  merge: MERGE_PATCH,
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // YAML by name, but JSON is YAML.
  apply: 'application/apply-patch+yaml',
};

export interface PatchOptions {
  /** Recorded in managedFields. Required by the server for 'apply'. */
  readonly fieldManager?: string;
  /** 'apply' only: take over fields of other managers. */
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  /** Default 30 s. */
  readonly timeoutMs?: number;
}

/**
 * Patches `path` (see `objectPath`; subresources too) and answers the object after it. For a change that must not meet another version,
 * put metadata.resourceVersion into the body, or a "test" operation into a JSON patch. Custom resources know no 'strategic'.
 * @throws KubeError (409: another version, 422: a "test" failed or validation refused).
 */
export function patch<T = unknown>(
  client: KubeClient,
  path: string,
  body: unknown,
  type: PatchType,
  options: PatchOptions = {},
): Promise<T> {
  return client.json<T>({
    method: 'PATCH',
    path,
    query: {
      fieldManager: options.fieldManager,
      force: options.force,
      dryRun: options.dryRun ? 'All' : undefined,
    },
    body,
    contentType: CONTENT_TYPES[type],
    // The operations of a JSON patch may add to a list, which must not happen twice.
    idempotent: type !== 'json',
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
}
