/** The replicas that a pod's controller asks for, as the disruption controller finds them out. */
import type { Api, Kind } from '../apiserver/api.ts';
import { deployments, replicaSets } from '../apiserver/kinds.ts';
import type { KubeObject, OwnerReference } from '../kubernetes.ts';
import { controllerOf } from './controller-ref.ts';

interface Scale {
  readonly uid: string;
  readonly replicas: number;
}

function splitVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

// By kind, then apiVersion; as long as the same kinds are served. It is asked for every owner of every pod that comes or goes.
const found = new WeakMap<readonly Kind[], Map<string, Map<string, Kind | undefined>>>();

export function kindOfOwner(api: Api, { apiVersion, kind }: Pick<OwnerReference, 'apiVersion' | 'kind'>): Kind | undefined {
  const kinds = api.kinds();
  let byKind = found.get(kinds);
  if (!byKind) found.set(kinds, (byKind = new Map()));
  let byVersion = byKind.get(kind);
  if (!byVersion) byKind.set(kind, (byVersion = new Map()));
  if (byVersion.has(apiVersion)) return byVersion.get(apiVersion);
  const { group } = splitVersion(apiVersion);
  const served = kinds.find((each) => each.kind === kind && each.group === group);
  byVersion.set(apiVersion, served);
  return served;
}

function replicasOf(object: KubeObject): number {
  const { replicas } = object['spec'] as { replicas?: number };
  return replicas ?? 1;
}

/**
 * A ReplicaSet of a Deployment counts as the Deployment; anything else by its scale subresource. Undefined when the controller is gone or
 * another of the same name has taken its place. Throws an Error for kinds that are unknown or have no scale (DaemonSet, Job).
 */
export function scaleOfOwner(api: Api, namespace: string, owner: OwnerReference): Scale | undefined {
  const kind = kindOfOwner(api, owner);
  if (!kind) throw new Error(`no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`);
  if (!kind.subresources.includes('scale'))
    throw new Error(`${kind.plural}${kind.group ? `.${kind.group}` : ''} does not implement the scale subresource`);
  const object = api.get(kind, namespace, owner.name);
  if (object?.metadata.uid !== owner.uid) return undefined;
  const above = kind === replicaSets ? controllerOf(object) : undefined;
  if (above?.kind === 'Deployment') {
    const deployment = api.get(deployments, namespace, above.name);
    // With its Deployment gone the ReplicaSet speaks for itself, through its scale: disruption.go, getScaleController.
    if (deployment?.metadata.uid === above.uid) return { uid: above.uid, replicas: replicasOf(deployment) };
  }
  return { uid: owner.uid, replicas: replicasOf(object) };
}
