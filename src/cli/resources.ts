/** Our own resources, as the command line reads and patches them. */
import type { MaintenancePhase, MaintenancePolicy, NodeMaintenance } from '../api/resources.ts';
import type { ObjectMeta } from '../api/objects.ts';
import { type Custom, maintenanceKind, policyKind } from '../controller/custom-kinds.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { objectPath, type ResourceKind } from '../kube/kinds.ts';
import { patch } from '../kube/patch.ts';
import { readList } from '../kube/read.ts';
import { CommandError } from './errors.ts';

/** null: the cluster has no Drover resources. */
export async function readMaintenances(client: KubeClient): Promise<NodeMaintenance[] | null> {
  return orNull(readList(client, maintenanceKind));
}

/** null: the cluster has no Drover resources. */
export async function readPolicies(client: KubeClient): Promise<MaintenancePolicy[] | null> {
  return orNull(readList(client, policyKind));
}

async function orNull<T>(reading: Promise<Custom<T>[]>): Promise<T[] | null> {
  try {
    return (await reading).map(({ object }) => object);
  } catch (error) {
    // The list of a kind is never "not found" but when the kind is not known.
    if (error instanceof KubeError && error.code === 404) return null;
    throw error;
  }
}

export function noResources(program: string): CommandError {
  return new CommandError(`the cluster has no Drover resources; install them with: ${program} crds | kubectl apply -f -`);
}

const ended: ReadonlySet<MaintenancePhase | undefined> = new Set(['HandedBack', 'Cancelled', 'Failed']);

export function hasEnded({ status }: NodeMaintenance): boolean {
  return ended.has(status?.phase);
}

/** The newest maintenance of a node that has not ended. */
export function currentOf(nodeName: string, maintenances: readonly NodeMaintenance[]): NodeMaintenance | undefined {
  const own = maintenances.filter((each) => each.spec.nodeName === nodeName && !hasEnded(each));
  return own.sort((a, b) => createdAt(b) - createdAt(a))[0];
}

export function createdAt({ metadata }: { readonly metadata: { readonly creationTimestamp?: string } }): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

export type Target = { readonly kind: 'policy' | 'maintenance'; readonly name: string };

export interface ObjectChange {
  readonly spec?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Merges it into the object. @throws KubeError */
export async function patchObject(
  client: KubeClient,
  { kind, name }: Target,
  change: ObjectChange,
  dryRun: boolean,
): Promise<void> {
  const { spec, annotations } = change;
  const body = { ...(spec && { spec }), ...(annotations && { metadata: { annotations } }) };
  const resource: ResourceKind<ObjectMeta> = kind === 'policy' ? policyKind : maintenanceKind;
  await patch(client, objectPath(resource, { namespace: '', name }), body, 'merge', { fieldManager: 'drover-cli', dryRun });
}
