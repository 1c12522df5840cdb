/** Our own resources as the reflector reads them: the whole object behind the few fields that a store needs. */
import { API_GROUP, API_VERSION } from '../api/names.ts';
import type { ObjectMeta } from '../api/objects.ts';
import type { MaintenancePolicy, NodeMaintenance } from '../api/resources.ts';
import { objectPath, type ResourceKind } from '../kube/kinds.ts';

/** Not validated yet: see `admit.ts`. */
export interface Custom<T> extends ObjectMeta {
  readonly object: T;
}

function customKind<T extends { metadata: { name: string; uid?: string; resourceVersion?: string } }>(
  kind: string,
  plural: string,
): ResourceKind<Custom<T>> {
  return {
    kind,
    group: API_GROUP,
    version: API_VERSION,
    plural,
    namespaced: false,
    decodeJson(json) {
      const object = json as T;
      const { name, uid = '', resourceVersion = '' } = object.metadata;
      return { namespace: '', name, uid, resourceVersion, object };
    },
  };
}

export const policyKind = customKind<MaintenancePolicy>('MaintenancePolicy', 'maintenancepolicies');
export const maintenanceKind = customKind<NodeMaintenance>('NodeMaintenance', 'nodemaintenances');

/** Of one NodeMaintenance, or a subresource of it. */
export const maintenancePath = (name: string, subresource?: string): string =>
  objectPath(maintenanceKind, { namespace: '', name }, subresource);
