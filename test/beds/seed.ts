import { type ApiCall, until } from './api-call.ts';
import type { Bed } from './bed.ts';
import { type KubeObject, deployment, merge, namespace, node, podDisruptionBudget } from './objects.ts';

const COLLECTIONS: Readonly<Record<string, string>> = {
  Namespace: '/api/v1/namespaces',
  Node: '/api/v1/nodes',
  Deployment: '/apis/apps/v1/namespaces/NS/deployments',
  PodDisruptionBudget: '/apis/policy/v1/namespaces/NS/poddisruptionbudgets',
};

/** Creates objects 16 at a time; kubectl would send 50 a second at most. */
async function createAll(api: ApiCall, objects: readonly KubeObject[]): Promise<void> {
  const rest = [...objects];
  const worker = async () => {
    for (let body = rest.shift(); body; body = rest.shift()) {
      const collection = COLLECTIONS[body.kind];
      if (!collection) throw new Error(`seed.ts creates no ${body.kind}`);
      await api({ method: 'POST', path: collection.replace('NS', body.metadata.namespace ?? ''), body });
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

interface NodeView {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly unschedulable?: boolean };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const listNodes = async (api: ApiCall) => (await api<{ items: NodeView[] }>({ path: '/api/v1/nodes' })).items;

const isReady = (view: NodeView) =>
  view.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** Creates kwok nodes and waits until all are Ready. */
export async function createNodes(api: ApiCall, nodes: readonly KubeObject[]): Promise<void> {
  await createAll(api, nodes);
  const names = new Set(nodes.map(({ metadata }) => metadata.name));
  await until(`${names.size} nodes to be Ready`, async () => {
    const ready = (await listNodes(api)).filter((view) => names.has(view.metadata.name) && isReady(view));
    return ready.length === names.size;
  });
}

export interface SeedOptions {
  readonly nodes: number;
  readonly podsPerNode: number;
  /** Default "seed": nodes are PREFIX-0..., namespaces PREFIX-0..., Deployments PREFIX-0... */
  readonly prefix?: string;
  /** Default 10. The number of pods must be a multiple of it. */
  readonly replicas?: number;
  /** A budget for each Deployment, for example {maxUnavailable: 1}. Default: none. */
  readonly budget?: Readonly<Record<string, unknown>>;
  /** Default 25: with thousands of budgets in one namespace the disruption controller is busy for minutes. */
  readonly deploymentsPerNamespace?: number;
  /** Merged over each Deployment. */
  readonly deployment?: Readonly<Record<string, unknown>>;
  /** Merged over each node. */
  readonly node?: Readonly<Record<string, unknown>>;
  /** Default 60 s plus 60 ms a pod. */
  readonly timeoutMs?: number;
}

export interface Seed {
  readonly nodes: readonly string[];
  readonly namespaces: readonly string[];
  readonly deployments: readonly { readonly namespace: string; readonly name: string }[];
}

interface DeploymentView {
  readonly status?: { readonly readyReplicas?: number };
}

async function readyPods(api: ApiCall, namespaces: readonly string[]): Promise<number> {
  let ready = 0;
  for (const name of namespaces) {
    const { items } = await api<{ items: DeploymentView[] }>({ path: `/apis/apps/v1/namespaces/${name}/deployments` });
    for (const { status } of items) ready += status?.readyReplicas ?? 0;
  }
  return ready;
}

/**
 * Fills new nodes with exactly `podsPerNode` pods each, through the real Deployment controller and scheduler, and leaves them
 * with room for 110. To place them exactly, the new nodes first have room for no more (a DaemonSet's pod would take a place), and
 * all other nodes are unschedulable meanwhile.
 */
export async function seed(bed: Pick<Bed, 'api'>, options: SeedOptions): Promise<Seed> {
  const { nodes, podsPerNode, prefix = 'seed', replicas = 10, budget, deploymentsPerNamespace = 25 } = options;
  const pods = nodes * podsPerNode;
  if (pods % replicas !== 0) throw new Error(`${pods} pods do not divide into Deployments of ${replicas}`);
  const { api } = bed;
  const nodeNames = Array.from({ length: nodes }, (_, index) => `${prefix}-${index}`);
  const deployments = Array.from({ length: pods / replicas }, (_, index) => ({
    namespace: `${prefix}-${Math.floor(index / deploymentsPerNamespace)}`,
    name: `${prefix}-${index}`,
  }));
  const namespaces = [...new Set(deployments.map((each) => each.namespace))];
  const budgets = budget ? deployments.map((each) => podDisruptionBudget(each.namespace, each.name, budget)) : [];
  const workloads = deployments.map((each) => deployment(each.namespace, each.name, replicas, options.deployment));
  const room = (count: number) => ({ status: { allocatable: { pods: String(count) }, capacity: { pods: String(count) } } });

  const others = (await listNodes(api)).filter((view) => !view.spec.unschedulable).map((view) => view.metadata.name);
  const setUnschedulable = (unschedulable: boolean | null) =>
    Promise.all(others.map((name) => api({ method: 'PATCH', path: `/api/v1/nodes/${name}`, body: { spec: { unschedulable } } })));
  await setUnschedulable(true);
  try {
    const full = nodeNames.map((name) => merge(node(name, options.node), room(podsPerNode)));
    await createNodes(api, full);
    await createAll(
      api,
      namespaces.map((name) => namespace(name)),
    );
    await createAll(api, budgets);
    await createAll(api, workloads);
    const timeoutMs = options.timeoutMs ?? 60_000 + 60 * pods;
    await until(`${pods} pods to be Ready`, async () => (await readyPods(api, namespaces)) === pods, timeoutMs);
    const paths = nodeNames.map((name) => `/api/v1/nodes/${name}/status`);
    await Promise.all(paths.map((path) => api({ method: 'PATCH', path, body: room(110) })));
  } finally {
    await setUnschedulable(null);
  }
  return { nodes: nodeNames, namespaces, deployments };
}
