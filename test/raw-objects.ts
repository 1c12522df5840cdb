/** Objects as the API server writes them, for the fake client. */
import { maintenancePolicy } from '../src/api/maintenance-policy.ts';
import { nodeMaintenance } from '../src/api/node-maintenance.ts';
import type { MaintenancePolicy, MaintenancePolicyInput, NodeMaintenance, NodeMaintenanceInput } from '../src/api/resources.ts';
import { finalizers, GROUP_VERSION } from '../src/api/names.ts';
import type { RawObject } from './fake-client.ts';

interface RawNodeParts {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

export function rawNode(name = 'node-1', { labels = {}, annotations = {}, spec = {} }: RawNodeParts = {}): RawObject {
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }];
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels, annotations }, spec, status: { conditions } };
}

interface RawPodParts {
  readonly nodeName?: string;
  readonly owner?: { readonly kind: string; readonly name: string } | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A Ready pod of Job "batch", which nothing waits for when it has left. */
export function rawPod(
  name: string,
  { nodeName = 'node-1', owner = { kind: 'Job', name: 'batch' }, metadata = {} }: RawPodParts = {},
): RawObject {
  const ownerReferences = owner ? [{ apiVersion: 'batch/v1', ...owner, uid: `uid-${owner.name}`, controller: true }] : [];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app: 'web' }, ownerReferences, ...metadata },
    spec: { nodeName, terminationGracePeriodSeconds: 30, containers: [{ name: 'main' }] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  };
}

/** A whole policy with its defaults, as the API server would hand it out. */
export function aPolicy(
  spec: Partial<MaintenancePolicyInput['spec']> = {},
  metadata: Partial<MaintenancePolicy['metadata']> = {},
): MaintenancePolicy {
  return maintenancePolicy.parse({
    apiVersion: GROUP_VERSION,
    kind: 'MaintenancePolicy',
    metadata: { name: 'repair', uid: 'uid-repair', generation: 1, ...metadata },
    spec: {
      nodeSelector: { matchLabels: { pool: 'a' } },
      reasons: [{ type: 'Taint', taint: { key: 'example.com/broken' } }],
      ...spec,
    },
  });
}

/** A maintenance of node-1 that has our finalizer. */
export function aMaintenanceObject(
  spec: Partial<NodeMaintenanceInput['spec']> = {},
  metadata: Partial<NodeMaintenance['metadata']> = {},
  status?: NodeMaintenanceInput['status'],
): NodeMaintenance {
  return nodeMaintenance.parse({
    apiVersion: GROUP_VERSION,
    kind: 'NodeMaintenance',
    metadata: {
      name: 'm-1',
      uid: 'uid-m-1',
      generation: 1,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T12:00:00Z',
      finalizers: [finalizers.undo],
      ...metadata,
    },
    spec: { nodeName: 'node-1', ...spec },
    ...(status && { status }),
  });
}
