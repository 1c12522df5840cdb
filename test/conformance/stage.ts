/** Objects and waits that many cases begin with. */
import { podAnnotations } from '../beds/kwok-stages.ts';
import { type KubeObject, merge, node, pod, podDisruptionBudget } from '../beds/objects.ts';
import type { Subject } from './case.ts';
import { at, by, items, must, pick } from './look.ts';

type Overrides = Readonly<Record<string, unknown>>;

/** Bound to a node that is not there, so that no kubelet touches it: it changes only by what the case does. */
export const nowhere = { spec: { nodeName: 'nowhere' } };

/** A pod that no kubelet touches, with the label app=web. */
export function still(name: string, overrides: Overrides = {}): KubeObject {
  const labelled = merge(pod('', name, nowhere), { metadata: { labels: { app: 'web' } } });
  return merge(withoutNamespace(labelled), overrides);
}

/** Objects of the beds name their namespace; a case's requests do that by their path. */
export function withoutNamespace(object: KubeObject): KubeObject {
  const { namespace: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** A budget named web over the pods with app=web. */
export function budget(spec: Overrides, overrides: Overrides = {}): KubeObject {
  return merge(withoutNamespace(podDisruptionBudget('', 'web', spec)), overrides);
}

export function configMap(name: string, overrides: Overrides = {}): KubeObject {
  return merge({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }, overrides);
}

/** Writes a status as a kubelet would: Running, and Ready or not. */
export async function setReady(cluster: Subject, name: string, ready = true): Promise<void> {
  const status = ready ? 'True' : 'False';
  const lastTransitionTime = new Date(cluster.clock.now()).toISOString();
  const conditions = [{ type: 'Ready', status, lastTransitionTime }];
  must(await cluster.patch('pods', `${name}/status`, { status: { phase: 'Running', conditions } }, 'strategic'));
}

export async function setPhase(cluster: Subject, name: string, phase: string): Promise<void> {
  must(await cluster.patch('pods', `${name}/status`, { status: { phase } }));
}

/** Pods that no kubelet touches, Running and Ready. */
export async function readyPods(cluster: Subject, ...podNames: readonly string[]): Promise<void> {
  for (const name of podNames) {
    await cluster.make(still(name));
    await setReady(cluster, name);
  }
}

export interface Numbers {
  readonly currentHealthy?: number;
  readonly desiredHealthy?: number;
  readonly expectedPods?: number;
  readonly disruptionsAllowed?: number;
}

/** The status of the budget as soon as it has these numbers for its present generation. */
export async function counted(cluster: Subject, numbers: Numbers, name = 'web'): Promise<unknown> {
  const seen = await cluster.eventually(
    `budget ${name} to have ${JSON.stringify(numbers)}`,
    async () => must(await cluster.get('poddisruptionbudgets', name)),
    (object) =>
      at(object, 'status.observedGeneration') === at(object, 'metadata.generation') &&
      Object.entries(numbers).every(([key, value]) => at(object, `status.${key}`) === value),
  );
  return at(seen, 'status');
}

/**
 * A node that no kubelet plays: kwok takes those of type=kwok, a simulated one never boots with this annotation. In a zone of its own,
 * since the node lifecycle controller taints one node of a zone in 10 s.
 */
export function deserted(name: string, overrides: Overrides = {}): KubeObject {
  const labels = { type: 'none', 'topology.kubernetes.io/zone': name };
  const untouched = { labels, annotations: { 'sim.drover.dev/boot': 'never' } };
  return merge(merge(node(name), { metadata: untouched }), overrides);
}

/** A kubelet that never lets go of a deleted pod, whatever its grace: on kwok and in the simulation. */
export const slowToStop = {
  metadata: { annotations: { [podAnnotations.stopMs]: '3600000', 'sim.drover.dev/stop': '3600000' } },
};

/** A kubelet that starts the pod but never finds it ready. */
export const neverReady = { metadata: { annotations: { [podAnnotations.ready]: 'never', 'sim.drover.dev/ready': 'never' } } };

export const completesAfter = (ms: number) => ({
  metadata: { annotations: { [podAnnotations.completeMs]: String(ms), 'sim.drover.dev/run-for': String(ms) } },
});

export const isReady = (object: unknown): boolean => at(object, 'status.conditions[type=Ready].status') === 'True';

/** The pods with this label selector as soon as there are exactly so many and all are good. */
export async function pods(
  cluster: Subject,
  labelSelector: string,
  count: number,
  good: (object: unknown) => boolean = isReady,
): Promise<readonly unknown[]> {
  return cluster.eventually(
    `${count} pods with ${labelSelector}`,
    async () => items(await cluster.list('pods', { labelSelector })),
    (seen) => seen.length === count && seen.every(good),
  );
}

/** Reads one object until it is good. */
export async function until(
  cluster: Subject,
  kind: string,
  name: string,
  what: string,
  good: (object: unknown) => boolean,
): Promise<unknown> {
  return cluster.eventually(`${kind} ${name} ${what}`, async () => (await cluster.get(kind, name)).body, good);
}

/** Waits until it is not there any more. */
export async function gone(cluster: Subject, kind: string, name: string): Promise<void> {
  await cluster.eventually(
    `${kind} ${name} to be gone`,
    async () => (await cluster.get(kind, name)).code,
    (code) => code === 404,
  );
}

/** Its first owner, without the uid. */
export const ownerOf = (object: unknown): unknown => {
  const [owner] = (at(object, 'metadata.ownerReferences') ?? []) as object[];
  return owner ? pick(owner, 'kind', 'name', 'controller', 'blockOwnerDeletion') : 'none';
};

/** The conditions without their times and messages, by type. */
export const conditions = (object: unknown): readonly unknown[] =>
  ((at(object, 'status.conditions') ?? []) as object[]).map((each) => pick(each, 'type', 'status', 'reason')).sort(by('type'));
