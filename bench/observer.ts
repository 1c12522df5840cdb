/** Sees with watches of its own what a rotation does to nodes, owners and budgets. Knows nothing of who drains. */
import type { Client, Meta } from './client.ts';

export interface Observed {
  /** performance.now() when the node last became empty. */
  readonly emptyAt: ReadonlyMap<string, number>;
  /** Fewest pods of any owner that were Ready and not being deleted, at any moment. */
  readonly fewestReady: number;
  /** Most pods that were missing to all owners together, at any moment. */
  readonly mostDown: number;
  /** Versions of a budget's status with fewer healthy pods than it demands. */
  readonly violations: number;
  readonly budgetVersions: number;
}

export interface Observer {
  /** Resolves when no pod is left on the nodes; false when `timeoutMs` pass before. */
  allEmpty(timeoutMs: number): Promise<boolean>;
  /** @throws Error when a watch was lost: then what was seen is not all. */
  stop(): Observed;
}

interface PodView {
  readonly metadata: Meta;
  readonly spec: { readonly nodeName?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface BudgetView {
  readonly metadata: Meta;
  readonly status?: { readonly currentHealthy?: number; readonly desiredHealthy?: number };
}

interface Seen {
  readonly owner: string;
  readonly node: string;
  readonly serves: boolean;
}

/** @param replicas of each owner; an owner is the pods of a namespace with one label `app`. All must be Ready now. */
export async function observe(client: Client, nodeNames: readonly string[], replicas: number): Promise<Observer> {
  const pods = new Map<string, Seen>();
  const ready = new Map<string, number>(); // by owner
  const onNode = new Map(nodeNames.map((name) => [name, 0]));
  const emptyAt = new Map<string, number>();
  let [fewestReady, mostDown, down, violations, budgetVersions] = [replicas, 0, 0, 0, 0];
  let begun = false;
  let onEmpty: () => void = () => {};

  const missing = (owner: string) => Math.max(0, replicas - (ready.get(owner) ?? 0));
  const count = ({ owner, node, serves }: Seen, by: 1 | -1, at: number) => {
    if (serves) {
      down -= missing(owner);
      ready.set(owner, (ready.get(owner) ?? 0) + by);
      down += missing(owner);
    }
    const left = onNode.get(node);
    if (left === undefined) return;
    onNode.set(node, left + by);
    if (left + by > 0) emptyAt.delete(node);
    else emptyAt.set(node, at);
  };
  const see = (uid: string, next: Seen | undefined, at: number) => {
    const last = pods.get(uid);
    if (last) count(last, -1, at);
    if (next) {
      count(next, 1, at);
      pods.set(uid, next);
    } else pods.delete(uid);
    if (!begun) return;
    const owner = (next ?? last)?.owner ?? '';
    fewestReady = Math.min(fewestReady, ready.get(owner) ?? 0);
    mostDown = Math.max(mostDown, down);
    if (emptyAt.size === nodeNames.length) onEmpty();
  };

  const podWatch = await client.watch<PodView>('/api/v1/pods', ({ type, object, at }) => {
    const { metadata, spec, status } = object;
    const isReady = status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false;
    const owner = `${metadata.namespace}/${metadata.labels?.app ?? metadata.name}`;
    // A pod that is being deleted has left its Services, whatever its conditions say.
    const serves = isReady && metadata.deletionTimestamp === undefined;
    see(metadata.uid, type === 'DELETED' ? undefined : { owner, node: spec.nodeName ?? '', serves }, at);
  });
  const budgetWatch = await client.watch<BudgetView>('/apis/policy/v1/poddisruptionbudgets', ({ type, object: { status } }) => {
    if (type === 'DELETED') return;
    budgetVersions += 1;
    if ((status?.currentHealthy ?? 0) < (status?.desiredHealthy ?? 0)) violations += 1;
  });
  // Until here the pods were told one by one.
  down = [...ready.keys()].reduce((sum, owner) => sum + missing(owner), 0);
  if (down > 0 || violations > 0)
    throw new Error(`the rotation begins with ${down} pods down and ${violations} violated budgets`);
  begun = true;

  return {
    async allEmpty(timeoutMs) {
      if (emptyAt.size === nodeNames.length) return true;
      return await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), timeoutMs);
        onEmpty = () => {
          clearTimeout(timer);
          resolve(true);
        };
      });
    },
    stop() {
      podWatch.stop();
      budgetWatch.stop();
      return { emptyAt, fewestReady, mostDown, violations, budgetVersions };
    },
  };
}
