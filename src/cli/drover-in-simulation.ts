/** Drover's resources in a simulated cluster, as `drover crds | kubectl apply -f -` brings them into a real one. */
import { crds } from '../api/crd.ts';
import { API_GROUP, API_VERSION } from '../api/names.ts';
import type { NodeMaintenance } from '../api/resources.ts';
import type { Api, Kind } from '../sim/apiserver/api.ts';
import { customResourceDefinitions } from '../sim/apiserver/kinds.ts';
import type { KubeObject } from '../sim/kubernetes.ts';

export interface DroverKinds {
  readonly policies: Kind;
  readonly maintenances: Kind<KubeObject & NodeMaintenance>;
}

export function installDrover(api: Api): DroverKinds {
  for (const crd of crds()) api.create(customResourceDefinitions, crd as KubeObject);
  return {
    policies: served(api, 'maintenancepolicies'),
    maintenances: served(api, 'nodemaintenances') as Kind<KubeObject & NodeMaintenance>,
  };
}

function served(api: Api, plural: string): Kind {
  const kind = api.findKind(API_GROUP, API_VERSION, plural);
  if (!kind) throw new Error(`the simulated cluster does not serve ${plural}`);
  return kind;
}
