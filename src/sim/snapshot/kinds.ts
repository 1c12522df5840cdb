/** The kinds of which a snapshot consists. */
import { API_GROUP, API_VERSION } from '../../api/names.ts';
import type { Kind } from '../apiserver/api.ts';
import * as served from '../apiserver/kinds.ts';

export type KindAddress = Pick<Kind, 'group' | 'version' | 'kind' | 'plural' | 'namespaced'>;

const own = (kind: string, plural: string): KindAddress => ({
  group: API_GROUP,
  version: API_VERSION,
  kind,
  plural,
  namespaced: false,
});

export const ownKinds: readonly KindAddress[] = [
  own('MaintenancePolicy', 'maintenancepolicies'),
  own('NodeMaintenance', 'nodemaintenances'),
];

/** In the order in which they are loaded. */
export const snapshotKinds: readonly KindAddress[] = [
  served.namespaces,
  served.priorityClasses,
  served.storageClasses,
  served.nodes,
  served.volumes,
  served.cronJobs,
  served.jobs,
  served.deployments,
  served.replicaSets,
  served.replicationControllers,
  served.statefulSets,
  served.daemonSets,
  served.controllerRevisions,
  served.claims,
  served.pods,
  served.budgets,
  served.services,
  served.endpointSlices,
  served.networkPolicies,
  served.volumeAttachments,
  served.autoscalers,
  ...ownKinds,
];

/** Without these there is nothing to plan. */
export const essential: ReadonlySet<string> = new Set(['nodes', 'pods']);

const unowned = 'their pods count as pods without an owner, which nobody makes anew';

/** What holds in a plan where a kind could not be read, by its plural name. */
export const withoutKind: Readonly<Record<string, string>> = {
  namespaces: 'namespaces have no labels',
  priorityclasses: 'pods keep their numbers',
  storageclasses: 'claims that are not bound stay so',
  persistentvolumes: 'pods with claims cannot move',
  cronjobs: 'Jobs stand for themselves',
  jobs: unowned,
  deployments: 'ReplicaSets stand for themselves',
  replicasets: `Deployments are left out, and ${unowned}`,
  replicationcontrollers: unowned,
  statefulsets: unowned,
  daemonsets: unowned,
  controllerrevisions: 'a StatefulSet or DaemonSet that is rolling has its new template only',
  persistentvolumeclaims: 'pods with claims cannot move',
  poddisruptionbudgets: 'no budget holds a pod back',
  services: 'nothing is spread by Service, and no pod is an endpoint',
  endpointslices: 'they are made anew from Services and pods',
  networkpolicies: 'no label is held by one',
  volumeattachments: 'volumes are attached anew',
  horizontalpodautoscalers: 'nothing scales',
  maintenancepolicies: 'none is under way',
  nodemaintenances: 'none is under way',
};
