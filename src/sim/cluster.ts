/** The simulated cluster: the API server and all that works on it, wired once for the demo, the plan, the tests and `drover sim`. */
import type { Clock } from '../lib/clock.ts';
import type { Api, Latency, Part } from './apiserver/api.ts';
import { createApi } from './apiserver/create-api.ts';
import { createCelEvaluator } from './apiserver/crd/cel.ts';
import { startCustomResources } from './apiserver/crd/install.ts';
import type { EvaluateRule } from './apiserver/crd/rules.ts';
import type { AccessRule, Handle } from './apiserver/door.ts';
import { createHandle } from './apiserver/handle.ts';
import type { Registry } from './apiserver/registry.ts';
import { type AutoscalerOptions, startAutoscaler } from './autoscaler/autoscaler.ts';
import { createMachines, type Machines } from './autoscaler/machines.ts';
import { startAttachDetach } from './controllers/attach-detach.ts';
import { startDaemonSets } from './controllers/daemon-set.ts';
import { startDeployments } from './controllers/deployment.ts';
import { startDisruption } from './controllers/disruption.ts';
import { startEndpointSlices } from './controllers/endpoint-slices.ts';
import { startGarbageCollector } from './controllers/garbage.ts';
import {
  type AutoscalerOptions as HorizontalOptions,
  startHorizontalPodAutoscalers,
} from './controllers/horizontal-pod-autoscaler.ts';
import { startJobs } from './controllers/job.ts';
import { startNamespaces } from './controllers/namespaces.ts';
import { startNodeLifecycle } from './controllers/node-lifecycle.ts';
import { startPodGc } from './controllers/pod-gc.ts';
import { startReplicaSets } from './controllers/replica-set.ts';
import { startStatefulSets } from './controllers/stateful-set.ts';
import { startTaintEviction } from './controllers/taint-eviction.ts';
import { startVolumeBinding } from './controllers/volume-binding.ts';
import { type KubeletOptions, type Kubelets, startKubelets } from './kubelet/kubelets.ts';
import { type SchedulerOptions, startScheduler } from './scheduler/scheduler.ts';
import { createSeededRandom } from './seeded-random.ts';
import { startTraffic, type Traffic, type TrafficOptions } from './traffic/traffic.ts';

type Start = (api: Api, options: { readonly latency: Latency; readonly events: boolean }) => Part;

/** Those that only react. In the order in which they are told of a change. */
const controllers = {
  deployments: startDeployments,
  'replica-sets': startReplicaSets,
  'stateful-sets': startStatefulSets,
  'daemon-sets': startDaemonSets,
  jobs: startJobs,
  disruption: startDisruption,
  'endpoint-slices': startEndpointSlices,
  'node-lifecycle': startNodeLifecycle,
  'taint-eviction': startTaintEviction,
  'garbage-collector': startGarbageCollector,
  'attach-detach': startAttachDetach,
  'volume-binding': startVolumeBinding,
} as const satisfies Readonly<Record<string, Start>>;

/** Those that have a rhythm of their own. */
type Periodic = 'autoscaler' | 'namespaces' | 'pod-gc';

type Reacting = keyof typeof controllers | 'horizontal-pod-autoscalers' | 'scheduler' | 'kubelets';

export type PartName = Periodic | Reacting;

const ms = (least: number, most: number): Latency => ({ least, spread: most - least });

/** From a change to what a part makes of it: watch, queue and the write, as seen on an unloaded control plane. */
export const usualLatencies: Readonly<Record<Reacting, Latency>> = {
  deployments: ms(5, 20),
  'replica-sets': ms(5, 20),
  'stateful-sets': ms(5, 20),
  'daemon-sets': ms(5, 20),
  jobs: ms(5, 20),
  disruption: ms(5, 20),
  'endpoint-slices': ms(5, 20),
  'node-lifecycle': ms(5, 20),
  'taint-eviction': ms(5, 20),
  'garbage-collector': ms(20, 200),
  'attach-detach': ms(50, 150),
  'volume-binding': ms(20, 100),
  'horizontal-pod-autoscalers': ms(5, 20),
  scheduler: ms(2, 8),
  kubelets: ms(5, 30),
};

const NONE: Latency = { least: 0, spread: 0 };

export interface ClusterOptions {
  readonly clock: Clock;
  /** Default 1. */
  readonly seed?: number;
  /** Parts that do not run. Default: all do. */
  readonly without?: readonly PartName[];
  /** 'none': everything reacts at the same instant. Default: the usual ones, some of which can be named. */
  readonly latencies?: 'none' | Partial<Record<Reacting, Latency>>;
  readonly kubelets?: Omit<KubeletOptions, 'latency'>;
  readonly scheduler?: Omit<SchedulerOptions, 'latency'>;
  readonly autoscaler?: Omit<AutoscalerOptions, 'machines' | 'scheduler'>;
  /** What a HorizontalPodAutoscaler scales by. Default: nothing moves it. */
  readonly scaleSignal?: NonNullable<HorizontalOptions['signal']>;
  readonly traffic?: Omit<TrafficOptions, 'isNodeUp'>;
  /** For the x-kubernetes-validations of CustomResourceDefinitions. Default: the Common Expression Language. */
  readonly evaluateRule?: EvaluateRule;
  /** Whether the workload controllers tell what they do in Events. Default false: a write each. */
  readonly events?: boolean;
  /** Default: everybody may everything. */
  readonly allows?: AccessRule;
  /** Events kept of each kind for watches that come back. Default: see `createApi`. */
  readonly history?: number;
}

export interface SimulatedCluster {
  readonly clock: Clock;
  readonly api: Registry;
  /** Answers requests; for the doors of `apiserver/http.ts` and `apiserver/in-process.ts`. */
  readonly handle: Handle;
  /** Undefined when they are left out. */
  readonly kubelets: Kubelets | undefined;
  readonly traffic: Traffic;
  /** The cloud: node pools and their machines. */
  readonly machines: Machines;
  stop(): void;
}

/** Empty but for the namespaces that every cluster has. */
export function createSimulatedCluster(options: ClusterOptions): SimulatedCluster {
  const { clock, without = [], latencies = {} } = options;
  const random = createSeededRandom(options.seed ?? 1);
  const api = createApi({ clock, random, ...(options.history !== undefined && { history: options.history }) });
  const latency = (name: Reacting): Latency => (latencies === 'none' ? NONE : (latencies[name] ?? usualLatencies[name]));
  const runs = (name: PartName): boolean => !without.includes(name);

  const kubeletOptions = (): KubeletOptions => ({
    waitForAttachments: runs('attach-detach'),
    ...options.kubelets,
    latency: latency('kubelets'),
  });

  const parts: Part[] = [];
  const custom = startCustomResources(api, { evaluateRule: options.evaluateRule ?? createCelEvaluator() });
  parts.push(custom);
  for (const [name, start] of Object.entries(controllers) as [keyof typeof controllers, Start][])
    if (runs(name)) parts.push(start(api, { latency: latency(name), events: options.events ?? false }));
  if (runs('namespaces')) parts.push(startNamespaces(api));
  if (runs('pod-gc')) parts.push(startPodGc(api));
  if (runs('horizontal-pod-autoscalers')) {
    const signal = options.scaleSignal && { signal: options.scaleSignal };
    parts.push(startHorizontalPodAutoscalers(api, { ...signal, latency: latency('horizontal-pod-autoscalers') }));
  }
  const machines = createMachines(api);
  if (runs('scheduler')) {
    const scheduler = startScheduler(api, { ...options.scheduler, latency: latency('scheduler') });
    parts.push(scheduler);
    if (runs('autoscaler')) parts.push(startAutoscaler(api, { ...options.autoscaler, machines, scheduler }));
  }
  const kubelets = runs('kubelets') ? startKubelets(api, kubeletOptions()) : undefined;
  if (kubelets) parts.push(kubelets);
  const isNodeUp = (name: string): boolean => {
    const power = kubelets?.powerOf(name);
    return power !== undefined && power !== 'off';
  };
  const traffic = startTraffic(api, { ...options.traffic, ...(kubelets && { isNodeUp }) });
  parts.push(traffic);

  return {
    clock,
    api,
    handle: createHandle(api, { custom: custom.facts, ...(options.allows && { allows: options.allows }) }),
    kubelets,
    traffic,
    machines,
    stop() {
      // The other way round: nothing reacts any more to what another one does when it stops.
      for (const part of parts.reverse()) part.stop();
      machines.stop();
    },
  };
}
