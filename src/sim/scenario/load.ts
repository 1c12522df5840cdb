/** Puts a scenario, or plain manifests, into a simulated cluster: everything or nothing. */
import type { Draft, Kind } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { namespaces, storageClasses } from '../apiserver/kinds.ts';
import type { Registry } from '../apiserver/registry.ts';
import type { SimulatedCluster } from '../cluster.ts';
import type { KubeObject } from '../kubernetes.ts';
import { scheduleEvents } from './events.ts';
import { nodePool } from './nodes.ts';
import { type LoadedFile, ScenarioError } from './read.ts';
import type { Scenario, ScenarioWorkload } from './schema.ts';
import { workloadObjects } from './workload-objects.ts';

/** How much was added. */
export interface Loaded {
  readonly nodes: number;
  readonly objects: number;
  readonly events: number;
}

/** For volumes of workloads, where nobody has brought a class: in the zone of the pod's first node, as the clouds have it. */
const usualStorageClass: Draft<KubeObject> = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'csi.sim.drover.dev',
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
};

/** @param source names the file in errors. @throws ScenarioError when the API server refuses something; nothing is left of it then. */
export function loadFile(cluster: SimulatedCluster, file: LoadedFile, source: string): Loaded {
  if (file.kind === 'scenario') return loadScenario(cluster, file.scenario, source);
  return { nodes: 0, objects: createAll(cluster.api, file.objects, source), events: 0 };
}

/** Adds the pools with their nodes, makes the objects, starts the traffic, and has the events happen from now on. @throws ScenarioError */
export function loadScenario(cluster: SimulatedCluster, scenario: Scenario, source: string): Loaded {
  const { pools, workloads, events } = scenario;
  const needsClass = workloads.some(({ storage }) => storage !== undefined) && cluster.api.count(storageClasses) === 0;
  const objects: Draft<KubeObject>[] = [
    ...(needsClass ? [usualStorageClass] : []),
    ...workloads.flatMap((workload) => workloadObjects(workload, pools)),
    ...scenario.objects.map((object) => object as unknown as Draft<KubeObject>),
  ];
  const made = createAll(cluster.api, objects, source);
  for (const pool of pools) cluster.machines.add(nodePool(pool), pool.count);
  for (const workload of workloads) startTraffic(cluster, workload);
  scheduleEvents(cluster, events);
  return { nodes: pools.reduce((sum, { count }) => sum + count, 0), objects: made, events: events.length };
}

function startTraffic({ traffic }: SimulatedCluster, { namespace, name, service }: ScenarioWorkload): void {
  if (!service || service.rate === 0) return;
  const { rate, serviceTime, timeout: timeoutMs, keepAlive, slowStart } = service;
  const slow = slowStart && { slowStart: { forMs: slowStart.for, factor: slowStart.factor } };
  traffic.send({ namespace, service: name, rate, serviceTime, timeoutMs, keepAlive, ...slow });
}

/** @returns how many were made, without the namespaces that they needed. @throws ScenarioError */
function createAll(api: Registry, objects: readonly Draft<KubeObject>[], source: string): number {
  const undo: (() => void)[] = [];
  const make = (kind: Kind, object: Draft<KubeObject>): void => {
    const { namespace = '', name } = api.create(kind, object, { fieldManager: 'scenario' }).metadata;
    undo.push(() => {
      api.remove(kind, namespace, name, { gracePeriodSeconds: 0, propagation: 'Background' });
      // It is as empty as it was made: nothing has to be waited for, and the next try may use its name.
      if (kind === namespaces) api.finalizeNamespace(name, []);
    });
  };
  for (const object of objects) {
    try {
      const kind = kindOf(api, object);
      const namespace = kind.namespaced ? (object.metadata.namespace ?? 'default') : undefined;
      if (namespace !== undefined && !api.get(namespaces, '', namespace))
        make(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      make(kind, namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } });
    } catch (error) {
      for (const takeBack of undo.reverse()) takeBack();
      if (!(error instanceof Failure)) throw error;
      throw new ScenarioError([`${source}: ${String(object.kind)} ${object.metadata.name ?? ''}: ${error.message}`]);
    }
  }
  return objects.length;
}

function kindOf(api: Registry, object: Draft<KubeObject>): Kind {
  const { apiVersion, kind } = object as unknown as KubeObject;
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const found = api.kinds().find((each) => each.group === group && each.version === version && each.kind === kind);
  if (found) return found;
  throw new Failure(
    404,
    'NotFound',
    `the simulated cluster has no kind "${kind}" in ${apiVersion}; a CustomResourceDefinition must come first`,
  );
}
