import { appImage } from './image.ts';

/** Small complete objects to start a test from. `overrides` is merged over them: objects key by key, anything else replaced. */

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

type Overrides = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `overrides` over `base`: objects key by key, anything else (also a list) replaced. */
export function merge<T>(base: T, overrides: Overrides): T {
  const merged: Record<string, unknown> = { ...(base as Record<string, unknown>) };
  for (const [key, value] of Object.entries(overrides)) {
    const old = merged[key];
    merged[key] = isObject(old) && isObject(value) ? merge(old, value) : value;
  }
  return merged as T;
}

const GROUPS: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  PodDisruptionBudget: 'policy/v1',
};

function object(kind: string, name: string, namespace: string | undefined, rest: Overrides, overrides: Overrides): KubeObject {
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return merge({ apiVersion: GROUPS[kind] ?? 'v1', kind, metadata, ...rest }, overrides);
}

/** On kwok's nodes no image is ever pulled. */
const podSpec = { terminationGracePeriodSeconds: 30, containers: [{ name: 'app', image: 'app' }] };

const podTemplate = (name: string, spec: Overrides = {}) => ({
  metadata: { labels: { app: name } },
  spec: { ...podSpec, ...spec },
});
const selector = (name: string) => ({ matchLabels: { app: name } });

export const namespace = (name: string, overrides: Overrides = {}) => object('Namespace', name, undefined, {}, overrides);

/** Pods carry the label app=NAME. */
export function deployment(namespace: string, name: string, replicas: number, overrides: Overrides = {}): KubeObject {
  return object(
    'Deployment',
    name,
    namespace,
    { spec: { replicas, selector: selector(name), template: podTemplate(name) } },
    overrides,
  );
}

export function statefulSet(namespace: string, name: string, replicas: number, overrides: Overrides = {}): KubeObject {
  const spec = { replicas, serviceName: name, selector: selector(name), template: podTemplate(name) };
  return object('StatefulSet', name, namespace, { spec }, overrides);
}

/** Tolerates everything, as node agents do. */
export function daemonSet(namespace: string, name: string, overrides: Overrides = {}): KubeObject {
  const template = podTemplate(name, { tolerations: [{ operator: 'Exists' }] });
  return object('DaemonSet', name, namespace, { spec: { selector: selector(name), template } }, overrides);
}

/** With kwok its pod never ends, unless the template carries bed.drover.dev/complete-ms. */
export function job(namespace: string, name: string, overrides: Overrides = {}): KubeObject {
  return object('Job', name, namespace, { spec: { template: podTemplate(name, { restartPolicy: 'Never' }) } }, overrides);
}

/** A pod without an owner. */
export function pod(namespace: string, name: string, overrides: Overrides = {}): KubeObject {
  return object(
    'Pod',
    name,
    namespace,
    { ...podTemplate(name), metadata: { name, namespace, labels: { app: name } } },
    overrides,
  );
}

/** `budget` is {minAvailable} or {maxUnavailable}; it selects the pods with app=NAME. */
export function podDisruptionBudget(namespace: string, name: string, budget: Overrides, overrides: Overrides = {}): KubeObject {
  return object('PodDisruptionBudget', name, namespace, { spec: { selector: selector(name), ...budget } }, overrides);
}

export interface AppBehaviour {
  /** Default 0: from start until its readiness probe (every second) says yes. */
  readonly readyAfterMs?: number;
  /** Default 0: what each request takes. */
  readonly workMs?: number;
  /** Default "exit": at SIGTERM it is gone at once. "drain": it goes on serving for `graceMs` (default 5,000), then ends in order. */
  readonly onTerm?: 'exit' | 'drain';
  readonly graceMs?: number;
}

/** The pod spec of the test app (app/main.go) on the real-nodes bed: overrides for `deployment` and the like. Serves on 8080. */
export function appTemplate({ readyAfterMs = 0, workMs = 0, onTerm = 'exit', graceMs = 5000 }: AppBehaviour = {}): Overrides {
  const settings = { READY_AFTER: readyAfterMs, WORK: workMs, ON_TERM: onTerm, GRACE: graceMs };
  const env = Object.entries(settings).map(([name, value]) => ({ name, value: String(value) }));
  const readinessProbe = { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 };
  const app = { name: 'app', image: appImage, imagePullPolicy: 'Never', ports: [{ containerPort: 8080 }], env, readinessProbe };
  // the bed has no DNS, and a kubelet writes a warning event for each pod that asks for it
  return { spec: { template: { spec: { dnsPolicy: 'Default', containers: [app] } } } };
}

/** Port 80 to 8080 of the pods with app=NAME. */
export function service(namespace: string, name: string, overrides: Overrides = {}): KubeObject {
  return object(
    'Service',
    name,
    namespace,
    { spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] } },
    overrides,
  );
}

/** A node that kwok plays (label type=kwok): 32 cores, 256 GiB, 110 pods; Ready within a second. */
export function node(name: string, overrides: Overrides = {}): KubeObject {
  const size = { cpu: '32', memory: '256Gi', pods: '110' };
  const nodeInfo = {
    machineID: name,
    systemUUID: name,
    bootID: `${name}-boot-1`,
    kernelVersion: '6.1.0',
    osImage: 'kwok',
    containerRuntimeVersion: 'kwok://0',
    kubeletVersion: 'v1.34.4',
    kubeProxyVersion: '',
    operatingSystem: 'linux',
    architecture: 'amd64',
  };
  const labels = { type: 'kwok', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
  return object(
    'Node',
    name,
    undefined,
    { metadata: { name, labels }, status: { capacity: size, allocatable: size, nodeInfo } },
    overrides,
  );
}
