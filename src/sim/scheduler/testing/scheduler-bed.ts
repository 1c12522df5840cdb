/** Only for tests: an API server, nodes and pods at will, and the scheduler on a virtual clock. */
import { createVirtualClock } from '../../../lib/clock.ts';
import { createApi } from '../../apiserver/create-api.ts';
import { nodes, pods } from '../../apiserver/kinds.ts';
import type { Labels, Node, Pod, PodSpec, Quantities, Taint } from '../../kubernetes.ts';
import { createSeededRandom } from '../../seeded-random.ts';
import { startScheduler, type SchedulerOptions } from '../scheduler.ts';

export interface NodeShape {
  readonly labels?: Labels;
  readonly taints?: readonly Taint[];
  readonly unschedulable?: boolean;
  readonly zone?: string;
  readonly allocatable?: Quantities;
}

export interface PodShape {
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly requests?: Quantities;
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid: string };
  readonly spec?: Partial<PodSpec>;
}

export const SIZE: Quantities = { cpu: '4', memory: '16Gi', 'ephemeral-storage': '100Gi', pods: '110' };

export function createSchedulerBed(options: SchedulerOptions & { readonly seed?: number } = {}) {
  const clock = createVirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const api = createApi({ clock, random: createSeededRandom(options.seed ?? 1) });
  const scheduler = startScheduler(api, options);

  function node(name: string, { labels, taints, unschedulable, zone, allocatable }: NodeShape = {}): Node {
    const created = api.create(nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name,
        labels: { 'kubernetes.io/hostname': name, ...(zone && { 'topology.kubernetes.io/zone': zone }), ...labels },
      },
      spec: {},
      status: { allocatable: { ...SIZE, ...allocatable }, capacity: { ...SIZE, ...allocatable } },
    });
    // A new node gets the not-ready taint from admission; the tests say themselves what taints it has.
    api.modify(nodes, '', name, (current) => ({
      ...current,
      spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    }));
    return created;
  }

  function pod(name: string, { namespace = 'default', labels = {}, requests, owner, spec = {} }: PodShape = {}): Pod {
    return api.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace,
        labels,
        ...(owner && { ownerReferences: [{ apiVersion: 'apps/v1', controller: true, ...owner }] }),
      },
      spec: { containers: [{ name: 'main', image: 'app', ...(requests && { resources: { requests } }) }], ...spec },
    });
  }

  const found = (name: string, namespace = 'default') => api.get(pods, namespace, name);
  return {
    api,
    clock,
    scheduler,
    node,
    pod,
    /** The node of a pod. */
    at: (name: string, namespace?: string) => found(name, namespace)?.spec.nodeName,
    condition: (name: string) => found(name)?.status?.conditions?.find(({ type }) => type === 'PodScheduled'),
    message: (name: string) => found(name)?.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message,
    remove: (name: string) => api.remove(pods, 'default', name, { gracePeriodSeconds: 0 }),
    settle: () => clock.advance(10),
  };
}
