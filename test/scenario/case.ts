/** A case has a namespace and nodes of its own, so that many run at once on one bed. */
import { type KubeObject, namespace, node } from '../beds/objects.ts';
import { type Cluster, maintenanceObject } from './cluster.ts';
import { eventually } from './eventually.ts';

export interface Case {
  readonly name: string;
  readonly namespace: string;
  /** The node that the pods of the case run on when it begins. */
  readonly old: string;
  /** A node that takes them afterwards. */
  readonly spare: string;
}

/** Settings for drains that are not about waiting at their end. */
export const brisk = { emptyFor: '0s', settle: { enabled: false } } as const;

interface WithSpec {
  spec: { nodeName?: string; nodeSelector?: object; template?: { spec: { nodeSelector?: object } } };
}

/** The same workload or pod, only on nodes with the label case=NAME. */
export function pinned(name: string, object: KubeObject): KubeObject {
  const copy = structuredClone(object) as unknown as WithSpec;
  const target = copy.spec.template ? copy.spec.template.spec : copy.spec;
  if (!copy.spec.nodeName) target.nodeSelector = { ...target.nodeSelector, case: name };
  return copy as unknown as KubeObject;
}

const runsPods: ReadonlySet<string> = new Set(['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job']);

export interface Stage {
  /** Made in the case's namespace; those that run pods are pinned to its nodes. */
  readonly objects?: (namespace: string) => readonly KubeObject[];
  /** Waited for on the old node, in any phase but without a node. */
  readonly pods: number;
  /** Merged over both nodes. */
  readonly node?: Readonly<Record<string, unknown>>;
}

/** The old node with everything on it, then the spare one. */
export async function setStage(
  cluster: Cluster,
  name: string,
  { objects = () => [], pods, node: overrides = {} }: Stage,
): Promise<Case> {
  const made: Case = { name, namespace: name, old: `${name}-old`, spare: `${name}-spare` };
  const labelled = (nodeName: string) => {
    const body = node(nodeName, overrides);
    const labels = { ...(body.metadata['labels'] as object), case: name };
    return { ...body, metadata: { ...body.metadata, labels } };
  };
  await cluster.create(namespace(made.namespace), labelled(made.old));
  await cluster.create(...objects(made.namespace).map((object) => (runsPods.has(object.kind) ? pinned(name, object) : object)));
  await eventually(
    `${pods} pods on ${made.old}`,
    () => cluster.podsOn(made.old),
    (seen) => seen.length === pods && seen.every(({ status }) => status.phase !== undefined),
  );
  await cluster.quietNode(made.old);
  await cluster.create(labelled(made.spare));
  return made;
}

/** A NodeMaintenance without policy, as a person would write it. */
export async function maintain({ name, old }: Case, cluster: Cluster, drain: object = {}): Promise<KubeObject> {
  const object = maintenanceObject(name, { nodeName: old, drain: { ...brisk, ...drain } });
  await cluster.create(object);
  return object;
}
