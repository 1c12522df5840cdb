/** Only for tests of the workload controllers: an API server on a virtual clock, with nodes, a kubelet and the controllers asked for. */
import { createVirtualClock, type VirtualClock } from '../../lib/clock.ts';
import type { Api, Part } from '../apiserver/api.ts';
import { createApi } from '../apiserver/create-api.ts';
import { nodes, pods } from '../apiserver/kinds.ts';
import type { Labels, Pod, PodTemplate } from '../kubernetes.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { type InstantKubelet, type InstantKubeletOptions, startInstantKubelet } from './instant-kubelet.ts';

export const NAMESPACE = 'default';

export interface WorkloadBed {
  readonly clock: VirtualClock;
  readonly api: Api;
  readonly kubelet: InstantKubelet;
  /** Names of the pods that are not being deleted, in order. */
  podNames(): string[];
  pods(): readonly Pod[];
  pod(name: string): Pod;
  addNode(name: string, labels?: Labels): void;
}

export interface WorkloadBedOptions extends InstantKubeletOptions {
  readonly nodes?: number;
  readonly controllers: readonly ((api: Api) => Part)[];
}

export function createWorkloadBed({ nodes: count = 2, controllers, ...kubeletOptions }: WorkloadBedOptions): WorkloadBed {
  const clock = createVirtualClock(Date.parse('2026-01-05T08:00:00Z'));
  const api = createApi({ clock, random: createSeededRandom(1) });
  const list = () => api.list(pods, { namespace: NAMESPACE });
  const bed: WorkloadBed = {
    clock,
    api,
    kubelet: startInstantKubelet(api, kubeletOptions),
    pods: list,
    podNames: () => list().flatMap(({ metadata }) => (metadata.deletionTimestamp ? [] : [metadata.name])),
    pod(name) {
      const found = api.get(pods, NAMESPACE, name);
      if (!found) throw new Error(`no pod "${name}"`);
      return found;
    },
    addNode(name, labels = {}) {
      api.create(nodes, {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
        spec: {},
      });
      api.modify(nodes, '', name, (node) => ({ ...node, spec: { ...node.spec, taints: [] } }));
    },
  };
  for (let index = 1; index <= count; index += 1) bed.addNode(`node-${index}`);
  for (const start of controllers) start(api);
  return bed;
}

export function podTemplate(labels: Labels, image = 'web:1', more: Partial<PodTemplate['spec']> = {}): PodTemplate {
  return { metadata: { labels }, spec: { containers: [{ name: 'web', image }], ...more } };
}
