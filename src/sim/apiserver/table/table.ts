/** The Table form of objects, as `kubectl get` asks for it: apiserver pkg/endpoints/handlers/response.go. */
import { controllerOf } from '../../controllers/controller-ref.ts';
import type { Millis } from '../../../lib/clock.ts';
import type { KubeObject } from '../../kubernetes.ts';
import type { Kind } from '../api.ts';
import type { ListMetadata } from '../door.ts';
import { badRequest } from '../refusals.ts';
import { age, type Cell, type Column, type Printer, printer, textOf } from './cell.ts';
import {
  eventTable,
  leaseTable,
  namespaceTable,
  nodeTable,
  plainTable,
  priorityClassTable,
  roleBindingTable,
  volumeAttachmentTable,
} from './cluster-tables.ts';
import {
  budgetTable,
  claimTable,
  endpointSliceTable,
  endpointsTable,
  ingressTable,
  networkPolicyTable,
  serviceTable,
  storageClassTable,
  volumeTable,
} from './network-tables.ts';
import { podTable } from './pod-table.ts';
import {
  autoscalerTable,
  cronJobTable,
  daemonSetTable,
  deploymentTable,
  jobTable,
  replicaSetTable,
  replicationControllerTable,
  statefulSetTable,
} from './workload-tables.ts';

const countOf = (value: unknown) => (typeof value === 'object' && value !== null ? Object.keys(value).length : 0);

const printers = {
  pods: podTable,
  nodes: nodeTable,
  namespaces: namespaceTable,
  services: serviceTable,
  endpoints: endpointsTable,
  events: eventTable,
  persistentvolumes: volumeTable,
  persistentvolumeclaims: claimTable,
  replicationcontrollers: replicationControllerTable,
  configmaps: printer('Data Age', (object, now) => [countOf(object.data) + countOf(object.binaryData), age(object, now)]),
  secrets: printer('Type Data Age', (object, now) => [textOf(object.type), countOf(object.data), age(object, now)]),
  serviceaccounts: printer('Secrets Age', (object, now) => [countOf(object.secrets), age(object, now)]),
  'deployments.apps': deploymentTable,
  'replicasets.apps': replicaSetTable,
  'statefulsets.apps': statefulSetTable,
  'daemonsets.apps': daemonSetTable,
  'controllerrevisions.apps': printer('Controller Revision Age', (object, now) => {
    const owner = controllerOf(object);
    const group = owner?.apiVersion.split('/').slice(0, -1).join('') ?? '';
    const shown = owner ? `${owner.kind.toLowerCase()}${group ? `.${group}` : ''}/${owner.name}` : '<none>';
    return [shown, textOf(object.revision, '0'), age(object, now)];
  }),
  'jobs.batch': jobTable,
  'cronjobs.batch': cronJobTable,
  'poddisruptionbudgets.policy': budgetTable,
  'endpointslices.discovery.k8s.io': endpointSliceTable,
  'networkpolicies.networking.k8s.io': networkPolicyTable,
  'ingresses.networking.k8s.io': ingressTable,
  'storageclasses.storage.k8s.io': storageClassTable,
  'csinodes.storage.k8s.io': printer('Drivers:integer Age', (object, now) => [
    countOf((object.spec as { drivers?: readonly unknown[] } | undefined)?.drivers),
    age(object, now),
  ]),
  'volumeattachments.storage.k8s.io': volumeAttachmentTable,
  'leases.coordination.k8s.io': leaseTable,
  'events.events.k8s.io': eventTable,
  'horizontalpodautoscalers.autoscaling': autoscalerTable,
  'priorityclasses.scheduling.k8s.io': priorityClassTable,
  'rolebindings.rbac.authorization.k8s.io': roleBindingTable,
  'clusterrolebindings.rbac.authorization.k8s.io': roleBindingTable,
} as unknown as Readonly<Record<string, Printer>>;

/** The printer of a built-in kind. */
export const builtInPrinter = (kind: Kind): Printer =>
  printers[kind.group ? `${kind.plural}.${kind.group}` : kind.plural] ?? plainTable;

export interface Row {
  readonly cells: readonly Cell[];
  readonly object?: object;
}

export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: 'meta.k8s.io/v1';
  readonly metadata: ListMetadata;
  /** Null from the second event of a watch on. */
  readonly columnDefinitions: readonly Column[] | null;
  readonly rows: readonly Row[];
}

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** @throws Failure 400 */
export function includeObject(text: string | null): IncludeObject {
  if (text === null || text === '') return 'Metadata';
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(text)}`);
}

export const partialMetadata = (object: KubeObject) => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
});

export function tableOf(
  { columns, cells }: Printer,
  objects: readonly KubeObject[],
  metadata: ListMetadata,
  include: IncludeObject,
  now: Millis,
): Table {
  const row = (object: KubeObject): Row => {
    const shown = cells(object, now);
    if (include === 'None') return { cells: shown };
    return { cells: shown, object: include === 'Object' ? object : partialMetadata(object) };
  };
  return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: columns, rows: objects.map(row) };
}
