/** What happens to a simulated cluster in the course of a scenario. */
import { POOL_LABEL } from '../autoscaler/node-pool.ts';
import { deployments, nodes, statefulSets } from '../apiserver/kinds.ts';
import type { SimulatedCluster } from '../cluster.ts';
import type { KubeObject, Labels, Node } from '../kubernetes.ts';
import { actionNames, type ScenarioEvent } from './schema.ts';

type Action = (typeof actionNames)[number];
type Actions = { readonly [A in Action]: (cluster: SimulatedCluster, what: NonNullable<ScenarioEvent[A]>) => void };

interface Target {
  readonly node?: string | undefined;
  readonly pool?: string | undefined;
}

const change = (cluster: SimulatedCluster, target: Target, to: (node: Node) => Node): void => {
  const names =
    target.node === undefined
      ? cluster.api
          .list(nodes, { labels: { matchLabels: { [POOL_LABEL]: target.pool ?? '' } } })
          .map(({ metadata }) => metadata.name)
      : [target.node];
  // A node can be gone by now: an autoscaler or a maintenance was faster.
  for (const name of names) cluster.api.modify(nodes, '', name, to, { fieldManager: 'scenario' });
};

const setUnschedulable = (cluster: SimulatedCluster, target: Target, unschedulable: boolean): void =>
  change(cluster, target, (node) => {
    if ((node.spec.unschedulable ?? false) === unschedulable) return node;
    const { unschedulable: _, ...spec } = node.spec;
    return { ...node, spec: unschedulable ? { ...spec, unschedulable } : spec };
  });

const withLabels = (node: Node, labels: Labels): Node => ({ ...node, metadata: { ...node.metadata, labels } });

const actions: Actions = {
  cordon: (cluster, target) => setUnschedulable(cluster, target, true),
  uncordon: (cluster, target) => setUnschedulable(cluster, target, false),
  taint: (cluster, { node: name, pool, ...taint }) =>
    change(cluster, { node: name, pool }, (node) => {
      const others = (node.spec.taints ?? []).filter(({ key, effect }) => key !== taint.key || effect !== taint.effect);
      return { ...node, spec: { ...node.spec, taints: [...others, taint] } };
    }),
  untaint: (cluster, { key: removed, ...target }) =>
    change(cluster, target, (node) => {
      if (!node.spec.taints?.some(({ key }) => key === removed)) return node;
      return { ...node, spec: { ...node.spec, taints: node.spec.taints.filter(({ key }) => key !== removed) } };
    }),
  label: (cluster, { labels, ...target }) =>
    change(cluster, target, (node) => withLabels(node, { ...node.metadata.labels, ...labels })),
  unlabel: (cluster, { key, ...target }) =>
    change(cluster, target, (node) => {
      const { [key]: removed, ...labels } = node.metadata.labels ?? {};
      return removed === undefined ? node : withLabels(node, labels);
    }),
  reboot: ({ kubelets }, { node }) => kubelets?.reboot(node),
  stopKubelet: ({ kubelets }, { node }) => kubelets?.silence(node),
  startKubelet: ({ kubelets }, { node }) => kubelets?.startNode(node),
  failBoots: ({ machines }, { pool, share }) => machines.failBoots(pool, share),
  resize: ({ machines }, { pool, count }) => machines.resizePool(pool, count),
  scale(cluster, { namespace, workload, replicas }) {
    const kind = [deployments, statefulSets].find((each) => cluster.api.get<KubeObject>(each, namespace, workload));
    if (kind) cluster.api.putScale(kind, namespace, workload, (scale) => ({ ...scale, spec: { replicas } }));
  },
};

/** Has the events happen, counted from now. @returns what calls off those that have not. */
export function scheduleEvents(cluster: SimulatedCluster, events: readonly ScenarioEvent[]): () => void {
  const cancels = events.map((event) =>
    cluster.clock.after(event.at, () => {
      for (const name of actionNames) perform(cluster, name, event);
    }),
  );
  return () => {
    for (const cancel of cancels) cancel();
  };
}

function perform<A extends Action>(cluster: SimulatedCluster, name: A, event: ScenarioEvent): void {
  const what = event[name];
  if (what !== undefined) actions[name](cluster, what);
}
