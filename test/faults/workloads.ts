/** The drawn workloads as objects of Kubernetes. */
import * as kinds from '../../src/sim/apiserver/kinds.ts';
import type { DisruptionBudget, PodTemplate } from '../../src/sim/kubernetes.ts';
import type { DrawnBudget, DrawnWorkload, Readiness } from './case.ts';
import type { Stage } from './stage.ts';

const namespace = 'default';
export const FINALIZER = { released: 'example.com/released', kept: 'example.com/kept' } as const;
/** A label by which a pod that never had an owner is told from one that lost it. */
export const BARE = 'example.com/bare';

const readyAfter: Record<Readiness, string> = { quick: '1s to 3s', slow: '20s to 40s', never: 'never' };

type Share = Pick<DisruptionBudget['spec'], 'minAvailable' | 'maxUnavailable'>;

function shares(drawn: DrawnBudget, replicas: number): readonly Share[] {
  switch (drawn) {
    case 'none':
      return [];
    case 'one-out':
      return [{ maxUnavailable: 1 }];
    case 'none-out':
      return [{ maxUnavailable: 0 }];
    case 'half-out':
      return [{ maxUnavailable: '50%' }];
    case 'one-stays':
      return [{ minAvailable: 1 }];
    case 'all-stay':
      return [{ minAvailable: '100%' }];
    case 'surplus':
      return [{ minAvailable: replicas + 1 }];
    case 'two-budgets':
      return [{ maxUnavailable: 1 }, { maxUnavailable: 1 }];
  }
}

function template(name: string, drawn: DrawnWorkload): PodTemplate {
  const port = drawn.hostPort
    ? [{ containerPort: 80, hostPort: 8_080, protocol: 'TCP' }]
    : [{ containerPort: 80, protocol: 'TCP' }];
  return {
    metadata: {
      labels: { app: name, serves: name },
      annotations: { 'sim.drover.dev/ready': readyAfter[drawn.readiness] },
      ...(drawn.finalizer !== 'none' && { finalizers: [FINALIZER[drawn.finalizer]] }),
    },
    spec: {
      terminationGracePeriodSeconds: drawn.graceSeconds,
      containers: [
        {
          name: 'main',
          image: 'example.com/app:1',
          ports: port,
          readinessProbe: { httpGet: { port: 80 } },
          resources: { requests: { cpu: drawn.big ? '4' : '100m' } },
        },
      ],
      ...(drawn.emptyDir && { volumes: [{ name: 'scratch', emptyDir: {} }] }),
    },
  };
}

/** Creates it, with its budgets and its Service. */
export function createWorkload({ api }: Stage, name: string, drawn: DrawnWorkload): void {
  const pod = template(name, drawn);
  const selector = { matchLabels: { app: name } };
  const metadata = { name, namespace };
  const { replicas, minReadySeconds } = drawn;
  switch (drawn.kind) {
    case 'Deployment':
      api.create(kinds.deployments, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: {
          replicas,
          selector,
          template: pod,
          minReadySeconds,
          strategy:
            drawn.strategy === 'recreate'
              ? { type: 'Recreate' }
              : drawn.strategy === 'surge'
                ? { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
                : { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
        },
      });
      break;
    case 'StatefulSet':
      api.create(kinds.statefulSets, {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata,
        spec: { replicas, serviceName: name, selector, template: pod, minReadySeconds },
      });
      break;
    case 'DaemonSet':
      api.create(kinds.daemonSets, { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec: { selector, template: pod } });
      break;
    case 'Job': {
      const spec = { ...pod.spec, restartPolicy: 'Never' as const };
      api.create(kinds.jobs, {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata,
        spec: { parallelism: replicas, completions: replicas, template: { ...pod, spec } },
      });
      break;
    }
    case 'Bare':
      for (let index = 0; index < replicas; index += 1)
        api.create(kinds.pods, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            ...pod.metadata,
            name: `${name}-${index}`,
            namespace,
            labels: { ...pod.metadata?.labels, [BARE]: 'true' },
          },
          spec: pod.spec,
        });
  }
  shares(drawn.budget, replicas).forEach((share, index) =>
    api.create(kinds.budgets, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: index === 0 ? name : `${name}-too`, namespace },
      spec: { ...share, selector, ...(drawn.alwaysAllowUnhealthy && { unhealthyPodEvictionPolicy: 'AlwaysAllow' as const }) },
    }),
  );
  if (drawn.service)
    api.create(kinds.services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: { serves: name }, ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }] },
    });
}

/** Somebody else's controller: takes its finalizer off 10 s after the deletion of a pod. */
export function startFinalizing({ api, clock, watch }: Stage): void {
  const release = (name: string) =>
    api.modify(kinds.pods, namespace, name, (pod) => {
      const finalizers = (pod.metadata.finalizers ?? []).filter((each) => each !== FINALIZER.released);
      return { ...pod, metadata: { ...pod.metadata, finalizers } };
    });
  watch(kinds.pods, ({ type, object, previous }) => {
    const begins = object.metadata.deletionTimestamp !== undefined && previous?.metadata.deletionTimestamp === undefined;
    if (type === 'MODIFIED' && begins && object.metadata.finalizers?.includes(FINALIZER.released))
      clock.after(10_000, () => release(object.metadata.name));
  });
}
