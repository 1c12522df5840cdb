/** The manifests that a workload of a scenario stands for. */
import type { Millis } from '../../lib/clock.ts';
import type { Draft } from '../apiserver/api.ts';
import type { KubeObject, Labels, PodSpec, Toleration } from '../kubernetes.ts';
import { POOL_LABEL } from '../autoscaler/node-pool.ts';
import { EXITS_AT_SIGTERM } from '../traffic/backends.ts';
import { stepText } from './nodes.ts';
import type { ScenarioPool, ScenarioWorkload } from './schema.ts';

const topologyKeys = { zone: 'topology.kubernetes.io/zone', node: 'kubernetes.io/hostname' } as const;

/** The workload, its budget and its Service, in the order in which they are made. @param pools those that it may name. */
export function workloadObjects(workload: ScenarioWorkload, pools: readonly ScenarioPool[]): Draft<KubeObject>[] {
  const { namespace, name, budget, service, labels } = workload;
  const metadata = { namespace, name, labels: { ...labels, app: name } };
  const selector = { matchLabels: { app: name } };
  const objects: Draft<KubeObject>[] = [];
  if (budget) {
    const { unhealthy, ...limit } = budget;
    const spec = { selector, ...limit, ...(unhealthy && { unhealthyPodEvictionPolicy: unhealthy }) };
    objects.push({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec });
  }
  if (service) {
    const spec = { selector: selector.matchLabels, ports: [{ port: service.port, targetPort: service.port }] };
    objects.push({ apiVersion: 'v1', kind: 'Service', metadata, spec });
  }
  return [...objects, { ...makers[workload.kind](workload, podTemplate(workload, pools), selector), metadata }];
}

type Maker = (
  workload: ScenarioWorkload,
  template: object,
  selector: object,
) => { apiVersion: string; kind: string; spec: object };

const makers: Readonly<Record<ScenarioWorkload['kind'], Maker>> = {
  Deployment: ({ replicas = 1, strategy }, template, selector) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    spec: {
      replicas,
      selector,
      template,
      ...(strategy && {
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: strategy.surge, maxUnavailable: strategy.unavailable } },
      }),
    },
  }),
  StatefulSet: ({ name, replicas = 1, storage }, template, selector) => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    spec: {
      replicas,
      selector,
      serviceName: name,
      template,
      ...(storage !== undefined && {
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
          },
        ],
      }),
    },
  }),
  DaemonSet: (_, template, selector) => ({ apiVersion: 'apps/v1', kind: 'DaemonSet', spec: { selector, template } }),
  Job: ({ replicas = 1 }, template) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    spec: { parallelism: replicas, completions: replicas, template },
  }),
};

function podTemplate(workload: ScenarioWorkload, pools: readonly ScenarioPool[]) {
  const { name, labels, annotations, start, ready, stop, runFor, kind, exitsAtSigterm } = workload;
  const steps = Object.entries({ start, ready, stop }).flatMap(([step, time]) =>
    time === undefined ? [] : [[`sim.drover.dev/${step}`, stepText(time)] as const],
  );
  return {
    metadata: {
      labels: { ...labels, app: name },
      annotations: {
        ...annotations,
        ...Object.fromEntries(steps),
        ...(kind === 'Job' && { 'sim.drover.dev/run-for': runFor ?? '1m' }),
        ...(exitsAtSigterm && { [EXITS_AT_SIGTERM]: 'true' }),
      },
    },
    spec: podSpec(workload, pools),
  };
}

function podSpec(workload: ScenarioWorkload, pools: readonly ScenarioPool[]): PodSpec {
  const { name, kind, requests, grace, preStop, service, scratch, spread, apart } = workload;
  const selector = { matchLabels: { app: name } };
  return {
    containers: [
      {
        name: 'app',
        image: `registry.example/${name}:1`,
        resources: { requests },
        ...(service && { ports: [{ containerPort: service.port }] }),
        // What runs to its end is never asked whether it is ready.
        ...(kind !== 'Job' && { readinessProbe: { tcpSocket: { port: service?.port ?? 80 }, periodSeconds: 1 } }),
        ...(preStop !== undefined && { lifecycle: { preStop: { sleep: { seconds: seconds(preStop) } } } }),
      },
    ],
    ...placement(workload, pools),
    ...(kind === 'Job' && { restartPolicy: 'Never' as const }),
    ...(grace !== undefined && { terminationGracePeriodSeconds: seconds(grace) }),
    ...(scratch && { volumes: [{ name: 'scratch', emptyDir: {} }] }),
    ...(spread && {
      topologySpreadConstraints: [
        {
          maxSkew: spread.maxSkew,
          topologyKey: topologyKeys[spread.over],
          whenUnsatisfiable: spread.required ? ('DoNotSchedule' as const) : ('ScheduleAnyway' as const),
          labelSelector: selector,
        },
      ],
    }),
    ...(apart && {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: selector, topologyKey: topologyKeys[apart] }],
        },
        ...poolAffinity(workload),
      },
    }),
  };
}

function placement(workload: ScenarioWorkload, pools: readonly ScenarioPool[]): Partial<PodSpec> {
  const chosen = poolsOf(workload);
  if (chosen.length === 0) return workload.kind === 'DaemonSet' ? { tolerations: [{ operator: 'Exists' }] } : {};
  const tolerations = pools
    .filter(({ name }) => chosen.includes(name))
    .flatMap(({ taints }) => taints)
    .map(({ key, value, effect }): Toleration => ({ key, operator: 'Equal', value: value ?? '', effect }));
  return {
    ...(chosen.length === 1 ? { nodeSelector: { [POOL_LABEL]: chosen[0] } as Labels } : { affinity: poolAffinity(workload) }),
    ...(tolerations.length > 0 && { tolerations }),
  };
}

function poolAffinity(workload: ScenarioWorkload): NonNullable<PodSpec['affinity']> {
  const values = poolsOf(workload);
  if (values.length < 2) return {};
  const nodeSelectorTerms = [{ matchExpressions: [{ key: POOL_LABEL, operator: 'In' as const, values }] }];
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
}

function poolsOf({ pool }: ScenarioWorkload): string[] {
  return pool === undefined ? [] : [pool].flat();
}

function seconds(ms: Millis): number {
  return Math.ceil(ms / 1_000);
}
