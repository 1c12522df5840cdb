/** The autoscaler of workloads, on a signal from outside in place of metrics (pkg/controller/podautoscaler/horizontal.go). */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Kind, Part } from '../apiserver/api.ts';
import { autoscalers, deployments, replicaSets, statefulSets } from '../apiserver/kinds.ts';
import type { HorizontalPodAutoscaler, KubeObject } from '../kubernetes.ts';
import { same } from '../store/same.ts';
import { timestamp } from '../timestamp.ts';
import type { ControllerOptions } from './replica-set.ts';
import { createWorkQueue, keyOf, splitKey } from './work-queue.ts';

interface Scaled extends KubeObject {
  readonly spec: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number };
}

const SCALED: Readonly<Record<string, Kind<Scaled>>> = {
  Deployment: deployments,
  ReplicaSet: replicaSets,
  StatefulSet: statefulSets,
};
// --horizontal-pod-autoscaler-sync-period
const PERIOD_MS = 15_000;

export interface AutoscalerOptions extends ControllerOptions {
  /** How many replicas the load would need; undefined leaves them as they are. Default: undefined. */
  readonly signal?: (autoscaler: HorizontalPodAutoscaler) => number | undefined;
  /** Between two looks at one autoscaler. Default 15 s. */
  readonly period?: Millis;
}

/** What the signal comes to within the bounds. A target at 0 is switched off and stays so. */
export function desiredReplicas({ spec }: HorizontalPodAutoscaler, current: number, signal: number | undefined): number {
  if (current === 0) return 0;
  return Math.min(spec.maxReplicas, Math.max(spec.minReplicas ?? 1, signal ?? current));
}

export function startHorizontalPodAutoscalers(api: Api, options: AutoscalerOptions = {}): Part {
  const { latency, signal = () => undefined, period = PERIOD_MS } = options;
  const queue = createWorkQueue({ clock: api.clock, random: api.random, latency, process: sync });
  const stop = api.watch(
    autoscalers,
    ({ type, object, previous }) => {
      if (type !== 'DELETED' && object.spec !== previous?.spec) queue.add(keyOf(object));
    },
    { replay: true },
  );

  function sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const autoscaler = api.get(autoscalers, namespace, name);
    if (!autoscaler) return;
    queue.addAfter(key, period);
    const { kind, name: target } = autoscaler.spec.scaleTargetRef;
    const targets = SCALED[kind];
    const scaled = targets && api.get(targets, namespace, target);
    if (!targets || !scaled) return;
    const current = scaled.spec.replicas ?? 1;
    const desired = desiredReplicas(autoscaler, current, signal(autoscaler));
    if (desired !== current)
      api.modify(targets, namespace, target, (before) => ({ ...before, spec: { ...before.spec, replicas: desired } }));
    const { generation } = autoscaler.metadata;
    const status = {
      ...autoscaler.status,
      ...(generation !== undefined && { observedGeneration: generation }),
      ...(desired !== current && { lastScaleTime: timestamp(api.clock.now()) }),
      currentReplicas: scaled.status?.replicas ?? 0,
      desiredReplicas: desired,
    };
    api.modify(autoscalers, namespace, name, (before) => (same(before.status, status) ? before : { ...before, status }), {
      subresource: 'status',
    });
  }

  return {
    name: 'horizontal-pod-autoscalers',
    stop() {
      stop();
      queue.stop();
    },
  };
}
