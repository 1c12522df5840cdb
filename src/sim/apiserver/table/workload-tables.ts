import type { DaemonSet, Deployment, Job, KubeObject, PodTemplate, ReplicaSet, Selector, StatefulSet } from '../../kubernetes.ts';
import { age, containerCells, humanDuration, labelCell, printer, selectorCell, since } from './cell.ts';

/** A status of which only the figures are told. */
const figure = (object: KubeObject, field: string) =>
  (object.status as Readonly<Record<string, number>> | undefined)?.[field] ?? 0;

export const deploymentTable = printer<Deployment>(
  'Ready Up-to-date Available Age Containers* Images* Selector*',
  (object, now) => [
    `${figure(object, 'readyReplicas')}/${object.spec.replicas ?? 0}`,
    figure(object, 'updatedReplicas'),
    figure(object, 'availableReplicas'),
    age(object, now),
    ...containerCells(object.spec.template.spec.containers),
    selectorCell(object.spec.selector),
  ],
);

export const replicaSetTable = printer<ReplicaSet>(
  'Desired:integer Current:integer Ready:integer Age Containers* Images* Selector*',
  (object, now) => [
    object.spec.replicas ?? 0,
    figure(object, 'replicas'),
    figure(object, 'readyReplicas'),
    age(object, now),
    ...containerCells(object.spec.template.spec.containers),
    selectorCell(object.spec.selector),
  ],
);

/** A ReplicationController selects by a plain map. */
export const replicationControllerTable = printer<KubeObject>(
  'Desired:integer Current:integer Ready:integer Age Containers* Images* Selector*',
  (object, now) => {
    const spec = object.spec as { replicas?: number; template?: PodTemplate; selector?: Record<string, string> };
    return [
      spec.replicas ?? 0,
      figure(object, 'replicas'),
      figure(object, 'readyReplicas'),
      age(object, now),
      ...containerCells(spec.template?.spec.containers),
      labelCell(spec.selector),
    ];
  },
);

export const statefulSetTable = printer<StatefulSet>('Ready Age Containers* Images*', (object, now) => [
  `${figure(object, 'readyReplicas')}/${object.spec.replicas ?? 0}`,
  age(object, now),
  ...containerCells(object.spec.template.spec.containers),
]);

export const daemonSetTable = printer<DaemonSet>(
  'Desired:integer Current:integer Ready:integer Up-to-date:integer Available:integer Node_Selector Age Containers* Images* Selector*',
  (object, now) => [
    figure(object, 'desiredNumberScheduled'),
    figure(object, 'currentNumberScheduled'),
    figure(object, 'numberReady'),
    figure(object, 'updatedNumberScheduled'),
    figure(object, 'numberAvailable'),
    labelCell(object.spec.template.spec.nodeSelector),
    age(object, now),
    ...containerCells(object.spec.template.spec.containers),
    selectorCell(object.spec.selector),
  ],
);

function jobStatus(job: Job): string {
  const has = (type: string) => job.status?.conditions?.some((it) => it.type === type && it.status === 'True') === true;
  for (const type of ['Complete', 'Failed']) if (has(type)) return type;
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (has('Suspended')) return 'Suspended';
  return ['FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running';
}

function completions(job: Job): string {
  const done = figure(job, 'succeeded');
  if (job.spec.completions !== undefined) return `${done}/${job.spec.completions}`;
  const parallelism = job.spec.parallelism ?? 0;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

export const jobTable = printer<Job>('Status Completions Duration Age Containers* Images* Selector*', (job, now) => {
  const { startTime, completionTime } = (job.status ?? {}) as { startTime?: string; completionTime?: string };
  const end = completionTime === undefined ? now : Date.parse(completionTime);
  return [
    jobStatus(job),
    completions(job),
    startTime === undefined ? '' : humanDuration(end - Date.parse(startTime)),
    age(job, now),
    ...containerCells(job.spec.template.spec.containers),
    selectorCell(job.spec.selector),
  ];
});

interface CronSpec {
  readonly schedule?: string;
  readonly timeZone?: string;
  readonly suspend?: boolean;
  readonly jobTemplate?: { readonly spec?: { readonly selector?: Selector; readonly template?: PodTemplate } };
}

export const cronJobTable = printer<KubeObject>(
  'Schedule Timezone Suspend:boolean Active:integer Last_Schedule Age Containers* Images* Selector*',
  (object, now) => {
    const spec = object.spec as CronSpec;
    const status = (object.status ?? {}) as { active?: readonly unknown[]; lastScheduleTime?: string };
    return [
      spec.schedule ?? '',
      spec.timeZone ?? '<none>',
      spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False',
      status.active?.length ?? 0,
      status.lastScheduleTime ? since(status.lastScheduleTime, now) : '<none>',
      age(object, now),
      ...containerCells(spec.jobTemplate?.spec?.template?.spec.containers),
      selectorCell(spec.jobTemplate?.spec?.selector),
    ];
  },
);

interface Metric {
  readonly type: string;
  readonly resource?: {
    readonly name: string;
    readonly target?: { readonly averageUtilization?: number; readonly averageValue?: string };
  };
}
interface CurrentMetric {
  readonly resource?: { readonly current?: { readonly averageUtilization?: number; readonly averageValue?: string } };
}

/** Only the Resource metrics are spelt out; the simulated cluster knows no others. */
function metricsCell(specs: readonly Metric[], current: readonly CurrentMetric[]): string {
  if (specs.length === 0) return '<none>';
  const list = specs.map(({ type, resource }, index) => {
    if (type !== 'Resource' || !resource) return '<unknown type>';
    const now = current[index]?.resource?.current;
    const { averageValue, averageUtilization } = resource.target ?? {};
    if (averageValue !== undefined) return `${resource.name}: ${now?.averageValue ?? '<unknown>'}/${averageValue}`;
    const is = now?.averageUtilization === undefined ? '<unknown>' : `${now.averageUtilization}%`;
    return `${resource.name}: ${is}/${averageUtilization === undefined ? '<auto>' : `${averageUtilization}%`}`;
  });
  return list.length > 2 ? `${list.slice(0, 2).join(', ')} + ${list.length - 2} more...` : list.join(', ');
}

export const autoscalerTable = printer<KubeObject>('Reference Targets MinPods MaxPods Replicas Age', (object, now) => {
  const spec = object.spec as {
    scaleTargetRef: { kind: string; name: string };
    minReplicas?: number;
    maxReplicas: number;
    metrics?: readonly Metric[];
  };
  // null, not absent, until somebody has measured
  const { currentMetrics } = (object.status ?? {}) as { currentMetrics?: readonly CurrentMetric[] | null };
  return [
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    metricsCell(spec.metrics ?? [], currentMetrics ?? []),
    spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
    spec.maxReplicas,
    figure(object, 'currentReplicas'),
    age(object, now),
  ];
});
