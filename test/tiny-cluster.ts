/**
 * A cluster of a few objects for property tests of the engine: the eviction endpoint, the ReplicaSet and disruption controllers, a
 * scheduler and kubelets, as far as a drain can tell. A tick is a second. Everything that happens is drawn from one random source.
 */
import { matchesSelector } from '../src/api/label-selector.ts';
import type { Budget, EndpointSlice, Node, Pod, ReplicaSet, Service } from '../src/api/objects.ts';
import type { MergePatch } from '../src/engine/journal.ts';
import type { Attempt } from '../src/engine/world.ts';
import {
  aBarePod,
  aBudget,
  aNode,
  aPod,
  aReplicaSet,
  aService,
  NOW,
  ownedBy,
  patchedNode,
  patchedPod,
  SECOND,
  selecting,
} from './builders.ts';

export interface AppPlan {
  readonly replicas: number;
  readonly budget: 'None' | 'MaxUnavailable0' | 'MaxUnavailable1' | 'MinAvailableHalf' | 'Two';
  readonly readyAfter: number;
  /** New pods of it never get Ready. */
  readonly broken: boolean;
  /** How many of its first pods are not Ready. */
  readonly unready: number;
  readonly minReadySeconds: number;
  /** none; selecting on the budget's label, or on one of its own. */
  readonly service: 'None' | 'Shared' | 'Own';
}

export interface ClusterPlan {
  readonly nodes: number;
  /** Nodes whose index is here were cordoned or tainted by someone before. */
  readonly cordoned: readonly number[];
  readonly tainted: readonly number[];
  /** Pods that a node has room for. */
  readonly room: number;
  readonly apps: readonly AppPlan[];
  /** Index of a node with a pod that nothing creates again. */
  readonly bare: number | null;
}

export interface Snapshot {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly pods: readonly Pod[];
  readonly budgets: readonly Budget[];
  readonly replicaSets: readonly ReplicaSet[];
  readonly slices: readonly EndpointSlice[];
}

type Answer = Pick<Attempt, 'answer' | 'retryAt'>;

export interface TinyCluster {
  readonly now: number;
  readonly services: readonly Service[];
  /** A second passes: controllers, scheduler and kubelets do what they may. */
  tick(): void;
  snapshot(): Snapshot;
  pods(): readonly Pod[];
  nodes(): readonly Node[];
  replicaSets(): readonly ReplicaSet[];
  node(name: string): Node;
  evict(pod: Pod, graceSeconds?: number): Answer;
  remove(pod: Pod, graceSeconds?: number): Answer;
  patchPod(pod: Pod, patch: MergePatch | null): Answer;
  /** False: the node has changed since that resourceVersion. */
  patchNode(name: string, patch: MergePatch | null): boolean;
  uncordon(name: string): void;
  scale(uid: string, replicas: number): void;
  deleteOwner(uid: string): void;
}

export const FOREIGN_TAINT = { key: 'gpu', value: 'yes', effect: 'NoSchedule' } as const;
const GRACE_SECONDS = 3;

export function createTinyCluster(plan: ClusterPlan, random: () => number): TinyCluster {
  let now = NOW;
  let version = 1;
  let born = 0;
  const next = () => String(++version);
  const nodes = new Map<string, Node>();
  const pods = new Map<string, Pod>();
  const replicaSets = new Map<string, ReplicaSet>();
  const budgets = new Map<string, Budget>();
  const services: Service[] = [];
  const apps = new Map<string, AppPlan>();
  const readyFrom = new Map<string, number>();

  const put = (pod: Pod) => void pods.set(pod.uid, { ...pod, resourceVersion: next() });
  const nodeNames = Array.from({ length: plan.nodes }, (_, index) => `n-${index}`);

  for (const [index, name] of nodeNames.entries()) {
    nodes.set(
      name,
      aNode({ name, unschedulable: plan.cordoned.includes(index), taints: plan.tainted.includes(index) ? [FOREIGN_TAINT] : [] }),
    );
  }
  for (const [index, app] of plan.apps.entries()) {
    const name = `app-${index}`;
    apps.set(`uid-${name}`, app);
    const selector = selecting({ app: name, 'pod-template-hash': 'h1' });
    const { minReadySeconds, replicas } = app;
    const { owner: _, ...replicaSet } = aReplicaSet({ name, replicas, minReadySeconds, selector });
    replicaSets.set(replicaSet.uid, replicaSet);
    const count = { None: 0, Two: 2, MaxUnavailable0: 1, MaxUnavailable1: 1, MinAvailableHalf: 1 }[app.budget];
    for (let each = 0; each < count; each += 1)
      budgets.set(`${name}-${each}`, aBudget({ name: `${name}-${each}`, selector: selecting({ app: name }) }));
    if (app.service !== 'None')
      services.push(aService({ name, selector: app.service === 'Own' ? { app: name, lb: 'on' } : { app: name } }));
    for (let each = 0; each < replicas; each += 1) {
      const nodeName = nodeNames[(index + each) % nodeNames.length] ?? '';
      const pod = newPod(name);
      const ready = each >= app.unready;
      readyFrom.set(pod.uid, Number.POSITIVE_INFINITY);
      put({ ...pod, nodeName, phase: 'Running', ready, readyAt: 0, createdAt: 0 });
    }
  }
  if (plan.bare !== null) put(aBarePod({ name: 'bare', labels: {}, nodeName: nodeNames[plan.bare % nodeNames.length] ?? '' }));

  function newPod(app: string): Pod {
    born += 1;
    return aPod({
      name: `${app}-${born}`,
      labels: { app, lb: 'on', 'pod-template-hash': 'h1' },
      owner: ownedBy('ReplicaSet', app),
      nodeName: '',
      phase: 'Pending',
      ready: false,
      createdAt: now,
      graceSeconds: GRACE_SECONDS,
    });
  }

  const owned = (replicaSet: ReplicaSet) =>
    [...pods.values()].filter((pod) => pod.owner?.uid === replicaSet.uid && pod.deletedAt === undefined);
  const terminate = (pod: Pod, graceSeconds: number) =>
    put({ ...pod, deletedAt: now + graceSeconds * SECOND, deletionGraceSeconds: graceSeconds });

  function replicaSetController(): void {
    for (const replicaSet of replicaSets.values()) {
      for (const pod of pods.values()) {
        const matches = matchesSelector(replicaSet.selector, pod.labels);
        const { owner, ...free } = pod;
        if (owner?.uid === replicaSet.uid && !matches) put(free);
        else if (!owner && matches && pod.deletedAt === undefined) put({ ...pod, owner: ownedBy('ReplicaSet', replicaSet.name) });
      }
      const have = owned(replicaSet);
      for (let missing = replicaSet.replicas - have.length; missing > 0; missing -= 1) put(newPod(replicaSet.name));
      // Not Ready before Ready, newest before oldest: pkg/controller/controller_utils.go, ActivePodsWithRanks.
      const surplus = have
        .sort((a, b) => Number(a.ready) - Number(b.ready) || b.createdAt - a.createdAt)
        .slice(0, Math.max(0, have.length - replicaSet.replicas));
      for (const pod of surplus) terminate(pod, GRACE_SECONDS);
    }
  }

  function schedulerAndKubelets(): void {
    for (const pod of pods.values()) {
      if (pod.deletedAt !== undefined) {
        if (now >= pod.deletedAt || random() < 0.3) pods.delete(pod.uid);
        continue;
      }
      if (pod.nodeName === '') {
        const used = (name: string) => [...pods.values()].filter((other) => other.nodeName === name).length;
        const node = [...nodes.values()].find((each) => !each.unschedulable && used(each.name) < plan.room);
        if (node) {
          const app = pod.owner && apps.get(pod.owner.uid);
          const slow = Math.floor(random() * 8);
          readyFrom.set(pod.uid, !app || app.broken ? Number.POSITIVE_INFINITY : now + (app.readyAfter + slow) * SECOND);
          const { unschedulable: _, ...bound } = pod;
          put({ ...bound, nodeName: node.name, phase: 'Running' });
        } else if (pod.unschedulable === undefined) put({ ...pod, unschedulable: 'no node has room' });
        continue;
      }
      if (!pod.ready && now >= (readyFrom.get(pod.uid) ?? 0)) put({ ...pod, ready: true, readyAt: now });
    }
  }

  function disruptionController(): void {
    for (const [key, budget] of budgets) {
      const app = apps.get(`uid-${key.slice(0, key.lastIndexOf('-'))}`);
      const matching = [...pods.values()].filter(
        (pod) => budget.selector && matchesSelector(budget.selector, pod.labels) && pod.deletedAt === undefined,
      );
      const disruptedPods = budget.disruptedPods.filter((name) => matching.some((pod) => pod.name === name));
      const currentHealthy = matching.filter((pod) => pod.ready && !disruptedPods.includes(pod.name)).length;
      const replicas = replicaSets.get(`uid-${key.slice(0, key.lastIndexOf('-'))}`)?.replicas ?? 0;
      const desired = {
        MaxUnavailable0: replicas,
        MaxUnavailable1: replicas - 1,
        MinAvailableHalf: Math.ceil(replicas / 2),
        None: 0,
        Two: replicas - 1,
      };
      const desiredHealthy = Math.max(0, desired[app?.budget ?? 'None']);
      const status = {
        currentHealthy,
        desiredHealthy,
        expectedPods: matching.length,
        disruptionsAllowed: Math.max(0, currentHealthy - desiredHealthy),
        disruptedPods,
      };
      if (JSON.stringify({ ...budget, ...status }) !== JSON.stringify(budget))
        budgets.set(key, { ...budget, ...status, resourceVersion: next() });
    }
  }
  disruptionController();

  const changing = (pod: Pod, change: (found: Pod) => Answer): Answer => {
    const found = pods.get(pod.uid);
    return found ? change(found) : { answer: 'Done' };
  };

  return {
    get now() {
      return now;
    },
    services,
    tick() {
      now += SECOND;
      for (const controller of [replicaSetController, schedulerAndKubelets, disruptionController])
        if (random() < 0.8) controller();
    },
    snapshot: () => ({
      nodes: new Map(nodes),
      pods: [...pods.values()],
      budgets: [...budgets.values()],
      replicaSets: [...replicaSets.values()],
      slices: services.map((service) => ({
        ...service,
        service: service.name,
        readyPods: [...pods.values()]
          .filter(
            (pod) => pod.ready && pod.deletedAt === undefined && matchesSelector(selecting(service.selector ?? {}), pod.labels),
          )
          .map((pod) => pod.uid),
      })),
    }),
    pods: () => [...pods.values()],
    nodes: () => [...nodes.values()],
    replicaSets: () => [...replicaSets.values()],
    node(name) {
      const node = nodes.get(name);
      if (!node) throw new Error(`no node ${name}`);
      return node;
    },
    evict: (pod, graceSeconds) =>
      changing(pod, (found) => {
        const gone = (): Answer => {
          if (found.deletedAt === undefined) terminate(found, graceSeconds ?? found.graceSeconds);
          return { answer: 'Done' };
        };
        if (found.deletedAt !== undefined || found.phase === 'Pending') return gone();
        const matching = [...budgets.entries()].filter(
          ([, budget]) => budget.selector && matchesSelector(budget.selector, found.labels),
        );
        const [entry] = matching;
        if (matching.length > 1) return { answer: 'SeveralBudgets', retryAt: now + 10 * SECOND };
        if (!entry) return gone();
        const [key, budget] = entry;
        if (!found.ready && budget.currentHealthy >= budget.desiredHealthy && budget.desiredHealthy > 0) return gone();
        if (budget.disruptionsAllowed <= 0) return { answer: 'BudgetRefused', retryAt: now + 5 * SECOND };
        const charged = {
          disruptionsAllowed: budget.disruptionsAllowed - 1,
          disruptedPods: [...budget.disruptedPods, found.name],
        };
        budgets.set(key, { ...budget, ...charged, resourceVersion: next() });
        return gone();
      }),
    remove: (pod, graceSeconds) =>
      changing(pod, (found) => {
        terminate(found, graceSeconds ?? found.graceSeconds);
        return { answer: 'Done' };
      }),
    patchPod: (pod, patch) =>
      changing(pod, (found) => {
        put(patchedPod(found, patch));
        return { answer: 'Done' };
      }),
    patchNode(name, patch) {
      const node = nodes.get(name);
      const metadata = patch?.['metadata'] as { readonly resourceVersion: string } | undefined;
      if (!node || !metadata || metadata.resourceVersion !== node.resourceVersion) return false;
      nodes.set(name, { ...patchedNode(node, patch), resourceVersion: next() });
      return true;
    },
    uncordon(name) {
      const node = nodes.get(name);
      if (node?.unschedulable) nodes.set(name, { ...node, unschedulable: false, resourceVersion: next() });
    },
    scale(uid, replicas) {
      const replicaSet = replicaSets.get(uid);
      if (replicaSet) replicaSets.set(uid, { ...replicaSet, replicas, resourceVersion: next() });
    },
    deleteOwner(uid) {
      replicaSets.delete(uid);
      for (const pod of pods.values()) if (pod.owner?.uid === uid && pod.deletedAt === undefined) terminate(pod, GRACE_SECONDS);
    },
  };
}

/** "app-1" of "app-1-17": a pod may have lost its labels and its owner. */
export function appOf(pod: Pod): string {
  return pod.name.slice(0, pod.name.lastIndexOf('-'));
}

/** Pods of the application that are Ready and not being stopped, whoever owns them at the moment. */
export function servingPods(cluster: TinyCluster, replicaSet: ReplicaSet): number {
  return cluster.pods().filter((pod) => pod.ready && pod.deletedAt === undefined && appOf(pod) === replicaSet.name).length;
}
