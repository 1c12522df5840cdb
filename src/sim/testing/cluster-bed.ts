/** Only for tests of controllers and kubelets: an API server on a virtual clock, and short ways to put objects in and to see what happens. */
import { createVirtualClock, type VirtualClock } from '../../lib/clock.ts';
import type { Draft } from '../apiserver/api.ts';
import { createApi } from '../apiserver/create-api.ts';
import * as kinds from '../apiserver/kinds.ts';
import type { Registry } from '../apiserver/registry.ts';
import { conditionOf } from '../conditions.ts';
import type * as k from '../kubernetes.ts';
import { createSeededRandom } from '../seeded-random.ts';

export const START = Date.parse('2030-01-01T00:00:00Z');

export type PodChanges = Partial<Omit<k.Pod['metadata'], 'name'>> & { readonly spec?: Partial<k.PodSpec> };

export interface ClusterBed {
  readonly clock: VirtualClock;
  readonly api: Registry;
  node(name: string, more?: Partial<Draft<k.Node>>): k.Node;
  /** In "default" unless said otherwise, with one container "app". */
  pod(name: string, more?: PodChanges): k.Pod;
  budget(name: string, spec: k.DisruptionBudget['spec']): k.DisruptionBudget;
  replicaSet(name: string, replicas: number, owner?: k.OwnerReference): k.ReplicaSet;
  /** Sets the pod's phase and Ready as a kubelet would, for tests without one. */
  report(name: string, ready: boolean, phase?: NonNullable<k.Pod['status']>['phase']): void;
  readPod(name: string): k.Pod | undefined;
  readNode(name: string): k.Node;
  /** Seconds. */
  pass(seconds: number): Promise<void>;
  /** "phase Ready" of a pod after each of its changes. */
  history(name: string): readonly string[];
}

export function createClusterBed(seed = 1): ClusterBed {
  const clock = createVirtualClock(START);
  const api = createApi({ clock, random: createSeededRandom(seed) });
  const seen = new Map<string, string[]>();
  api.watch(kinds.pods, ({ type, object }) => {
    const list = seen.get(object.metadata.name) ?? [];
    seen.set(object.metadata.name, list);
    const ready = conditionOf(object.status?.conditions, 'Ready')?.status ?? '-';
    list.push(type === 'DELETED' ? 'gone' : `${object.status?.phase} ${ready}`);
  });
  return {
    clock,
    api,
    node: (name, more = {}) =>
      api.create(kinds.nodes, { apiVersion: 'v1', kind: 'Node', spec: {}, ...more, metadata: { ...more.metadata, name } }),
    pod: (name, { spec, ...metadata } = {}) =>
      api.create(kinds.pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace: 'default', ...metadata, name },
        spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec },
      }),
    budget: (name, spec) =>
      api.create(kinds.budgets, {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name, namespace: 'default' },
        spec,
      }),
    replicaSet: (name, replicas, owner) =>
      api.create(kinds.replicaSets, {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { name, namespace: 'default', ...(owner && { ownerReferences: [owner] }) },
        spec: {
          replicas,
          selector: { matchLabels: { app: name } },
          template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'app', image: 'app:1' }] } },
        },
      }),
    report(name, ready, phase = 'Running') {
      const set = (pod: k.Pod): k.Pod => ({
        ...pod,
        status: { ...pod.status, phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
      });
      api.modify(kinds.pods, 'default', name, set, { subresource: 'status' });
    },
    readPod: (name) => api.get(kinds.pods, 'default', name),
    readNode(name) {
      const node = api.get(kinds.nodes, '', name);
      if (!node) throw new Error(`no node ${name}`);
      return node;
    },
    pass: (seconds) => clock.advance(seconds * 1000),
    history: (name) => seen.get(name) ?? [],
  };
}

export function ownedBy(owner: k.KubeObject, more: Partial<k.OwnerReference> = {}): k.OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true, ...more };
}
