/** What a scenario file may say. Node pools and workloads are short forms; whatever they cannot say goes into `objects` as plain manifests. */
import * as z from 'zod';
import { duration, intOrPercent, labelValue, namespaceName, objectName, qualifiedName } from '../../api/scalars.ts';
import type { Quantities } from '../kubernetes.ts';
import { unitsOf } from '../quantity.ts';
import { span, time } from './span.ts';

const quantity = z
  .union([z.string(), z.number()])
  .refine(
    (value) => {
      try {
        return unitsOf(value) >= 0;
      } catch (error) {
        if (error instanceof RangeError) return false;
        throw error;
      }
    },
    { error: 'must be a quantity like 500m, 2 or 4Gi' },
  )
  .meta({ title: 'quantity' });
const quantities = z.record(z.string(), quantity);
const labels = z.record(qualifiedName(), labelValue());
const share = z.union([z.number().min(0).max(1)], { error: 'must be a number from 0 to 1' }).meta({ title: '0 to 1' });
const count = z.int().min(0, 'must be a whole number from 0 on').max(20_000, 'must be at most 20000');

const taint = z.strictObject({
  key: qualifiedName(),
  value: labelValue().exactOptional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).default('NoSchedule'),
});

const pool = z
  .strictObject({
    name: namespaceName().describe('Its nodes are NAME-1, NAME-2 ... and have the label sim.drover.dev/pool=NAME.'),
    count: count.describe('How many nodes there are at the start, spread over the zones.'),
    zones: z.array(labelValue().min(1)).min(1).default(['zone-a']),
    size: z
      .strictObject({
        cpu: quantity.default(4),
        memory: quantity.default('16Gi'),
        pods: quantity.default(110),
        more: quantities.prefault({}),
      })
      .prefault({})
      .transform(({ more, ...size }): Quantities => ({ ...size, ...more }))
      .describe('What pods can use of each node. `more` are other resources by name.'),
    machineType: labelValue().min(1).default('sim-4'),
    labels: labels.prefault({}),
    taints: z.array(taint).default([]),
    autoscale: z
      .strictObject({ min: count, max: count })
      .refine(({ min, max }) => min <= max, { error: 'must not be above max', path: ['min'] })
      .exactOptional()
      .describe('Pending pods grow the pool, nodes that nobody needs go. Absent: it keeps its size.'),
    boot: span.prefault('45s to 90s').describe('From asking for a machine to its node being Ready.'),
    failingBoots: share.default(0).describe('Share of the machines that never come up.'),
    capacity: z
      .record(labelValue(), count)
      .exactOptional()
      .describe('By zone: how many more machines the cloud has left there. Absent: as many as anybody asks for.'),
    kubelet: z
      .strictObject({ pull: span, start: span, ready: span, stop: span })
      .partial()
      .exactOptional()
      .describe('How long the pods of these nodes take for each step, where the workload does not say.'),
  })
  .describe('A group of like nodes.');

const budget = z
  .strictObject({
    minAvailable: intOrPercent().exactOptional(),
    maxUnavailable: intOrPercent().exactOptional(),
    unhealthy: z.enum(['IfHealthyBudget', 'AlwaysAllow']).exactOptional(),
  })
  .refine((value) => (value.minAvailable === undefined) !== (value.maxUnavailable === undefined), {
    error: 'needs one of minAvailable and maxUnavailable',
  });

const service = z
  .strictObject({
    port: z.int().min(1).max(65_535).default(80),
    rate: z
      .union([z.number().min(0).max(100_000)], { error: 'must be a number from 0 to 100000' })
      .default(0)
      .describe('Requests per second; 0: none.'),
    serviceTime: span.prefault('5ms to 25ms'),
    timeout: time.prefault('5s'),
    keepAlive: share.default(0).describe('Share of the requests that go over connections which outlive an endpoint.'),
    slowStart: z
      .strictObject({ for: time, factor: z.union([z.number().min(1)], { error: 'must be a number from 1 on' }) })
      .exactOptional()
      .describe('A pod that has just become ready is so many times slower, which wears off.'),
  })
  .describe('A Service over the pods, and traffic to it.');

const overWhat = z.enum(['zone', 'node']);

const workload = z
  .strictObject({
    name: namespaceName(),
    namespace: namespaceName().default('default'),
    kind: z.enum(['Deployment', 'StatefulSet', 'DaemonSet', 'Job']).default('Deployment'),
    replicas: count.exactOptional().describe('Default 1; not for a DaemonSet. Of a Job: how many pods run to their end.'),
    pool: z
      .union([namespaceName(), z.array(namespaceName()).min(1)])
      .exactOptional()
      .describe('Only on the nodes of these pools, whose taints it then tolerates.'),
    requests: quantities.prefault({ cpu: '100m', memory: '128Mi' }),
    budget: budget.exactOptional(),
    start: span.exactOptional().describe('From the image being there to the container running.'),
    ready: span.exactOptional().describe('From running to Ready.'),
    stop: span.exactOptional().describe('From SIGTERM to the end of its process.'),
    grace: time.exactOptional().describe('terminationGracePeriodSeconds; Kubernetes has 30s.'),
    preStop: time.exactOptional().describe('Sleeps so long before SIGTERM.'),
    runFor: duration().exactOptional().describe('Of a Job: how long each pod works. Default 1m.'),
    exitsAtSigterm: z.boolean().default(false).describe('Drops the requests that it works on.'),
    spread: z
      .strictObject({ over: overWhat, maxSkew: z.int().min(1).default(1), required: z.boolean().default(false) })
      .exactOptional(),
    apart: overWhat.exactOptional().describe('No two pods in the same one.'),
    strategy: z
      .strictObject({ surge: intOrPercent().default('25%'), unavailable: intOrPercent().default('25%') })
      .exactOptional()
      .describe('Of a Deployment’s rolling update.'),
    storage: quantity.exactOptional().describe('Of a StatefulSet: a volume of its own for each pod, tied to its zone.'),
    scratch: z.boolean().default(false).describe('An emptyDir, whose data a drain would lose.'),
    labels: labels.prefault({}),
    annotations: z.record(qualifiedName(), z.string()).prefault({}),
    service: service.exactOptional(),
  })
  .superRefine((value, context) => {
    const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message, input: value });
    const only = (field: 'runFor' | 'storage' | 'strategy', kind: string) => {
      if (value[field] !== undefined && value.kind !== kind) refuse(field, `belongs to a ${kind} only, this is a ${value.kind}`);
    };
    only('runFor', 'Job');
    only('storage', 'StatefulSet');
    only('strategy', 'Deployment');
    if (value.replicas !== undefined && value.kind === 'DaemonSet')
      refuse('replicas', 'does not belong to a DaemonSet: it has a pod on every node');
  });

const objects = z.looseObject({
  apiVersion: z.string().min(1),
  kind: z.string().min(1),
  metadata: z.looseObject({ name: z.string().min(1), namespace: namespaceName().exactOptional() }),
});

const nodes = { node: objectName().exactOptional(), pool: namespaceName().exactOptional() };
const someNodes = z.strictObject(nodes);
const oneNode = z.strictObject({ node: objectName() });

const actions = {
  cordon: someNodes,
  uncordon: someNodes,
  taint: z.strictObject({ ...nodes, ...taint.shape }),
  untaint: z.strictObject({ ...nodes, key: qualifiedName() }),
  label: z.strictObject({ ...nodes, labels }),
  unlabel: z.strictObject({ ...nodes, key: qualifiedName() }),
  reboot: oneNode,
  stopKubelet: oneNode,
  startKubelet: oneNode,
  failBoots: z.strictObject({ pool: namespaceName(), share }),
  resize: z.strictObject({ pool: namespaceName(), count }),
  scale: z.strictObject({ workload: objectName(), namespace: namespaceName().default('default'), replicas: count }),
};

export const actionNames = Object.keys(actions) as (keyof typeof actions)[];

const event = z
  .strictObject({ at: time.describe('Counted from the start.'), ...z.strictObject(actions).partial().shape })
  .superRefine((value, context) => {
    const named = actionNames.filter((name) => value[name] !== undefined);
    if (named.length !== 1)
      context.addIssue(
        `needs exactly one of ${actionNames.join(', ')}${named.length > 1 ? `; it has ${named.join(' and ')}` : ''}`,
      );
    for (const name of ['cordon', 'uncordon', 'taint', 'untaint', 'label', 'unlabel'] as const) {
      const chosen = value[name];
      if (chosen && (chosen.node === undefined) === (chosen.pool === undefined))
        context.addIssue({ code: 'custom', path: [name], message: 'needs one of node and pool', input: chosen });
    }
  });

export const scenarioSchema = z.strictObject({
  name: z.string().exactOptional(),
  description: z.string().exactOptional(),
  seed: z.int().default(1),
  pools: z.array(pool).default([]),
  workloads: z.array(workload).default([]),
  objects: z.array(objects).default([]).describe('Plain manifests of any kind.'),
  events: z.array(event).default([]),
});

export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type ScenarioPool = Scenario['pools'][number];
export type ScenarioWorkload = Scenario['workloads'][number];
export type ScenarioEvent = Scenario['events'][number];
