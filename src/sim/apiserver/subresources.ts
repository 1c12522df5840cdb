/** What each subresource takes and gives, for discovery. */
import type { Kind } from './api.ts';

export interface SubresourceFacts {
  readonly kind: string;
  /** Undefined: of the resource itself. */
  readonly groupVersion?: { readonly group: string; readonly version: string };
  readonly verbs: readonly string[];
}

const foreign: Readonly<Record<string, SubresourceFacts>> = {
  eviction: { kind: 'Eviction', groupVersion: { group: 'policy', version: 'v1' }, verbs: ['create'] },
  binding: { kind: 'Binding', verbs: ['create'] },
  scale: { kind: 'Scale', groupVersion: { group: 'autoscaling', version: 'v1' }, verbs: ['get', 'patch', 'update'] },
  token: { kind: 'TokenRequest', groupVersion: { group: 'authentication.k8s.io', version: 'v1' }, verbs: ['create'] },
};

const ownVerbs: Readonly<Record<string, readonly string[]>> = { log: ['get'], finalize: ['update'] };

export const subresourceFacts = (kind: Kind, subresource: string): SubresourceFacts =>
  foreign[subresource] ?? { kind: kind.kind, verbs: ownVerbs[subresource] ?? ['get', 'patch', 'update'] };
