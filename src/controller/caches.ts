/**
 * What is watched for the engine, opened when it asks and closed when it no longer does: the pods of the nodes being worked on,
 * the workloads of the namespaces where something is handed over, volume attachments. Nodes and budgets are watched all the time.
 */
import type { Budget, Claim, Deployment, LabelUse, OneShot, Pod, VolumeAttachment } from '../api/objects.ts';
import { type BudgetIndex, createBudgetIndex } from '../engine/budget-index.ts';
import { createPodIndex } from '../engine/pod-index.ts';
import { labels } from '../api/names.ts';
import type { NamespaceView, Needs, RunKind, Workloads } from '../engine/world.ts';
import type { KubeClient } from '../kube/client.ts';
import * as kinds from '../kube/kinds.ts';
import type { ResourceKind } from '../kube/kinds.ts';
import { reflect, type Reflector, type ReflectOptions } from '../kube/reflector.ts';
import type { ObjectMeta } from '../api/objects.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

type Change<T extends ObjectMeta> = Parameters<NonNullable<ReflectOptions<T>['onChange']>>[0];

export interface CacheOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Any: the initial pods of a node may be a moment old (served without asking etcd). */
  readonly consistency: 'Any' | 'Latest';
  readonly onChange: () => void;
  readonly onPod: (nodeName: string, change: Change<Pod>) => void;
  readonly onBudget: (budget: Budget) => void;
  /** Something may not be read; it is asked for again, but a person may not want to wait for rights. */
  readonly onForbidden?: (message: string) => void;
}

export interface Caches {
  readonly budgets: BudgetIndex | null;
  podsOn(nodeName: string): readonly Pod[] | null;
  namespace(name: string): NamespaceView | null;
  workloads(name: string): Workloads | null;
  attachmentsOf(nodeName: string): readonly VolumeAttachment[] | null;
  /** Pods or Jobs that act on nodes, by name. */
  runs(kind: RunKind, namespace: string): ReadonlyMap<string, OneShot> | null;
  /** Opens what is asked for, and closes what nobody has asked for in a while. */
  provide(needs: Needs): void;
  /** False when a watch has been silent for too long. */
  healthy(now: Millis): boolean;
  readonly open: number;
  stop(): void;
}

// A namespace or node that was just worked on is likely to be asked for again.
const LINGER_MS = 30_000;
// Deployments' strategies, NetworkPolicies and claims change rarely: they are listed again, not watched, to save sockets.
const RELIST_MS = 60_000;

export function openCaches(options: CacheOptions): Caches {
  const { client, clock, log, random, consistency, onChange } = options;

  const watch = <T extends ObjectMeta>(
    kind: ResourceKind<T>,
    scope: Scope,
    seen: (change: Change<T>) => void = () => {},
  ): Watched<T> => {
    let snapshot: readonly T[] | null = null;
    let ready = false;
    const reflector = reflect<T>({
      client,
      kind,
      clock,
      log,
      random,
      ...scope,
      onChange(change) {
        snapshot = null;
        seen(change);
        if (ready) onChange();
      },
      onError(error) {
        log.warn(`cannot watch ${kind.plural}: ${error.message}`);
        if (error.code === 401 || error.code === 403) options.onForbidden?.(error.message);
      },
    });
    reflector.synced.then(
      () => {
        ready = true;
        onChange();
      },
      () => {}, // stopped before it was read: nobody waits for it
    );
    return {
      reflector,
      isReady: () => ready,
      items: () => (ready ? (snapshot ??= [...reflector.items()]) : null),
      stop: () => void reflector.stop(),
    };
  };

  const index = createBudgetIndex();
  const budgets = watch(kinds.budgets, { consistency: 'Any' }, ({ type, object }) => {
    if (type === 'Deleted') index.drop(object);
    else index.put(object);
    options.onBudget(object);
  });
  const pods = new Map<string, Timed<Watched<Pod>>>();
  const spaces = new Map<string, Timed<Space>>();
  let attachments: Timed<Watched<VolumeAttachment>> | undefined;
  const runs = new Map<string, Timed<Watched<OneShot>>>(); // "Pod namespace"
  const byName = new WeakMap<readonly OneShot[], ReadonlyMap<string, OneShot>>();
  const provideRuns = (kind: RunKind, namespaces: ReadonlySet<string>, now: Millis) => {
    for (const namespace of namespaces) {
      const key = `${kind} ${namespace}`;
      let entry = runs.get(key);
      if (!entry) {
        const scope = { namespace, labelSelector: labels.action, consistency: 'Latest' } as const;
        entry = { value: watch(kind === 'Pod' ? kinds.rebootPods : kinds.hookJobs, scope), askedAt: now };
        runs.set(key, entry);
      }
      entry.askedAt = now;
    }
  };

  const closeIdle = <T extends { stop(): void }>(map: Map<string, Timed<T>>, now: Millis) => {
    for (const [key, entry] of map) {
      if (now - entry.askedAt <= LINGER_MS) continue;
      map.delete(key);
      entry.value.stop();
    }
  };

  return {
    get budgets() {
      return budgets.isReady() ? index : null;
    },
    podsOn: (nodeName) => pods.get(nodeName)?.value.items() ?? null,
    namespace: (name) => spaces.get(name)?.value.view() ?? null,
    workloads: (name) => spaces.get(name)?.value.workloads() ?? null,
    attachmentsOf: (nodeName) => attachments?.value.items()?.filter((each) => each.nodeName === nodeName) ?? null,
    runs(kind, namespace) {
      const items = runs.get(`${kind} ${namespace}`)?.value.items();
      if (!items) return null;
      let found = byName.get(items);
      if (!found) byName.set(items, (found = new Map(items.map((each) => [each.name, each]))));
      return found;
    },
    provide(needs) {
      const now = clock.now();
      provideRuns('Pod', needs.rebootPods, now);
      provideRuns('Job', needs.hookJobs, now);
      for (const nodeName of needs.podsOf) {
        let entry = pods.get(nodeName);
        if (!entry) {
          const scope = { fieldSelector: `spec.nodeName=${nodeName}`, consistency };
          entry = { value: watch(kinds.pods, scope, (change) => options.onPod(nodeName, change)), askedAt: now };
          pods.set(nodeName, entry);
        }
        entry.askedAt = now;
      }
      for (const name of new Set([...needs.workloads, ...needs.namespaces])) {
        let entry = spaces.get(name);
        if (!entry) spaces.set(name, (entry = { value: openSpace(name, watch, options), askedAt: now }));
        entry.askedAt = now;
        if (needs.namespaces.has(name)) entry.value.widen();
      }
      if (needs.attachments) {
        attachments ??= { value: watch(kinds.volumeAttachments, { consistency: 'Latest' }), askedAt: now };
        attachments.askedAt = now;
      } else if (attachments && now - attachments.askedAt > LINGER_MS) {
        attachments.value.stop();
        attachments = undefined;
      }
      closeIdle(pods, now);
      closeIdle(spaces, now);
      closeIdle(runs, now);
    },
    healthy: (now) => [budgets, ...[...pods.values()].map((entry) => entry.value)].every((each) => each.reflector.healthy(now)),
    get open() {
      return (
        1 + pods.size + runs.size + [...spaces.values()].reduce((sum, entry) => sum + entry.value.open, 0) + (attachments ? 1 : 0)
      );
    },
    stop() {
      budgets.stop();
      for (const entry of [...pods.values(), ...spaces.values(), ...runs.values()]) entry.value.stop();
      attachments?.value.stop();
    },
  };
}

interface Scope {
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  readonly consistency: 'Any' | 'Latest';
}

interface Watched<T extends ObjectMeta> {
  readonly reflector: Reflector<T>;
  /** False before the first read. */
  isReady(): boolean;
  /** A stable array until the next change; null before the first read. */
  items(): readonly T[] | null;
  stop(): void;
}

interface Timed<T> {
  readonly value: T;
  askedAt: Millis;
}

interface Space {
  readonly open: number;
  /** Watches what a handover needs, too. */
  widen(): void;
  workloads(): Workloads | null;
  view(): NamespaceView | null;
  stop(): void;
}

type Watch = <T extends ObjectMeta>(kind: ResourceKind<T>, scope: Scope, seen?: (change: Change<T>) => void) => Watched<T>;

/** One namespace: pods and ReplicaSets from the start; Services, endpoints and the slow-changing rest when something is handed over. */
function openSpace(namespace: string, watch: Watch, { clock, onChange }: CacheOptions): Space {
  const scope: Scope = { namespace, consistency: 'Latest' };
  const index = createPodIndex();
  const pods = watch(kinds.pods, scope, ({ type, object }) => {
    if (type === 'Deleted') index.drop(object);
    else index.put(object, clock.now());
  });
  const replicaSets = watch(kinds.replicaSets, scope);
  let wide: { services: ReturnType<typeof services>; slices: ReturnType<typeof slices>; slow: Slow } | undefined;
  const services = () => watch(kinds.services, scope);
  const slices = () => watch(kinds.endpointSlices, scope);

  const { reflector } = replicaSets;
  const workloads: Workloads = {
    pods: index,
    replicaSets: { get: (uid) => reflector.byUid(uid), values: () => reflector.items() },
  };
  const view = remember(
    (serviceItems: NamespaceView['services'], sliceItems: NamespaceView['endpointSlices'], slow: SlowItems): NamespaceView => ({
      ...workloads,
      services: serviceItems,
      endpointSlices: sliceItems,
      ...slow,
    }),
  );
  const readWorkloads = () => (pods.isReady() && replicaSets.isReady() ? workloads : null);

  return {
    get open() {
      return wide ? 4 : 2;
    },
    widen() {
      wide ??= { services: services(), slices: slices(), slow: readSlow(scope, watch, onChange) };
      wide.slow.refresh(clock.now());
    },
    workloads: readWorkloads,
    view() {
      const [serviceItems, sliceItems, slow] = [wide?.services.items(), wide?.slices.items(), wide?.slow.items()];
      return readWorkloads() && serviceItems && sliceItems && slow ? view(serviceItems, sliceItems, slow) : null;
    },
    stop() {
      for (const each of [pods, replicaSets, wide?.services, wide?.slices, wide?.slow]) each?.stop();
    },
  };
}

type SlowItems = Pick<NamespaceView, 'deployments' | 'labelUses' | 'claims'>;

interface Slow {
  items(): SlowItems | null;
  refresh(now: Millis): void;
  stop(): void;
}

function readSlow(scope: Scope, watch: Watch, onChange: () => void): Slow {
  let items: SlowItems | null = null;
  let readAt: Millis | null = null;
  let reading: readonly { stop(): void }[] = [];
  return {
    items: () => items,
    refresh(now) {
      // One that is refused goes on trying by itself; a second one beside it would be one more every minute.
      if (reading.length > 0 || (readAt !== null && now - readAt < RELIST_MS)) return;
      readAt = now;
      const deployments: Watched<Deployment> = watch(kinds.deployments, scope);
      const claims: Watched<Claim> = watch(kinds.claims, scope);
      const uses: Watched<LabelUse>[] = [kinds.networkPolicies, kinds.daemonSets, kinds.replicationControllers].map((kind) =>
        watch(kind, scope),
      );
      const all = [deployments, claims, ...uses];
      reading = all;
      Promise.all(all.map((each) => each.reflector.synced)).then(
        () => {
          items = {
            deployments: new Map((deployments.items() ?? []).map((each) => [each.uid, each])),
            claims: new Map((claims.items() ?? []).map((each) => [each.name, each])),
            labelUses: uses.flatMap((each) => [...(each.items() ?? [])]),
          };
          for (const each of all) each.stop();
          reading = [];
          onChange();
        },
        () => {}, // stopped
      );
    },
    stop() {
      for (const each of reading) each.stop();
    },
  };
}

/** Returns the same result while the arguments are the same objects. */
function remember<A extends readonly unknown[], R>(make: (...args: A) => R): (...args: A) => R {
  let last: { args: A; result: R } | undefined;
  return (...args) => {
    if (!last || args.some((arg, index) => arg !== last?.args[index])) last = { args, result: make(...args) };
    return last.result;
  };
}
