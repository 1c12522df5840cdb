/** A control plane with Drover's resources in it, and the programs that are compared on it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { crds } from '../src/api/crd.ts';
import { API_GROUP, GROUP_VERSION } from '../src/api/names.ts';
import { until } from '../test/beds/api-call.ts';
import type { Bed } from '../test/beds/bed.ts';
import { programPath } from '../test/beds/binaries.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../test/beds/control-plane.ts';
import { apply, kubectl } from '../test/beds/kubectl.ts';
import { logPath, processesOf, signalAll, start } from '../test/beds/processes.ts';
import type { Client } from './client.ts';
import type { Context } from './result.ts';

const RBAC = fileURLToPath(new URL('../examples/rbac.yaml', import.meta.url));
const COMPONENT = 'drover-controller';
export const BENCH_TAINT = 'bench.drover.dev/out';

const binding = (kind: 'ClusterRoleBinding' | 'RoleBinding', roleKind: string, namespace?: string) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name: 'drover-bench', ...(namespace && { namespace }) },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name: 'drover-controller' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'drover' }],
});

/** Starts a bed with an audit log; user "drover" has the rights of examples/rbac.yaml and no more. */
export async function startBenchBed(options: Omit<ControlPlaneOptions, 'audit'> = {}): Promise<ControlPlane> {
  const bed = await startControlPlane({ ...options, audit: 'Metadata' });
  try {
    await apply(bed.kubeconfig, ...crds());
    await kubectl(bed.kubeconfig, 'apply', '-f', RBAC);
    await apply(bed.kubeconfig, binding('ClusterRoleBinding', 'ClusterRole'), binding('RoleBinding', 'Role', 'drover'));
    for (const plural of ['maintenancepolicies', 'nodemaintenances']) {
      await until(
        `${plural}.${API_GROUP} to be served`,
        async () => (await bed.api({ path: `/apis/${GROUP_VERSION}/${plural}` })) !== null,
      );
    }
    return bed;
  } catch (error) {
    await bed.stop();
    throw error;
  }
}

/** A policy for all nodes of the bed, with every default but the ones given, and no limit on how many go at once. */
export async function createPolicy(bed: Bed, drain: object = {}): Promise<void> {
  const spec = {
    nodeSelector: { matchLabels: { type: 'kwok' } },
    reasons: [{ type: 'Taint', taint: { key: BENCH_TAINT } }],
    disruption: { maxNodes: '100%' },
    drain,
  };
  const body = { apiVersion: GROUP_VERSION, kind: 'MaintenancePolicy', metadata: { name: 'bench' }, spec };
  await bed.api({ method: 'POST', path: `/apis/${GROUP_VERSION}/maintenancepolicies`, body });
}

/** Marks a node for maintenance. @returns performance.now() right before the request */
export async function trigger(client: Client, nodeName: string): Promise<number> {
  const body = { spec: { taints: [{ key: BENCH_TAINT, effect: 'PreferNoSchedule' }] } };
  const at = performance.now();
  const { status } = await client.send({ method: 'PATCH', path: `/api/v1/nodes/${nodeName}`, body });
  if (status !== 200) throw new Error(`cannot taint node ${nodeName}: ${status}`);
  return at;
}

interface MaintenanceView {
  readonly spec: { readonly nodeName: string };
  readonly status?: { readonly phase?: string };
}

/** Waits until the status of the maintenance of each node says Drained. */
export async function untilDrained(bed: Bed, nodeNames: readonly string[], timeoutMs: number): Promise<void> {
  await until(
    `${nodeNames.length} nodes to be Drained`,
    async () => {
      const { items } = await bed.api<{ items: MaintenanceView[] }>({ path: `/apis/${GROUP_VERSION}/nodemaintenances` });
      const drained = new Set(items.flatMap(({ spec, status }) => (status?.phase === 'Drained' ? spec.nodeName : [])));
      return nodeNames.every((name) => drained.has(name));
    },
    timeoutMs,
  );
}

export interface ControllerProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts `drover controller` as user "drover" and waits until it leads. It goes with the bed, too. */
export async function startController(bed: Bed, { drover, nodeFlags }: Context): Promise<ControllerProcess> {
  const flags = ['--leader-election-namespace', 'drover', '--metrics-address', '127.0.0.1:0'];
  start(bed.folder, COMPONENT, [
    process.execPath,
    ...nodeFlags,
    drover,
    'controller',
    '--kubeconfig',
    bed.kubeconfigFor('drover'),
    ...flags,
  ]);
  const log = () => readFileSync(logPath(bed.folder, COMPONENT), 'utf8');
  await until('the controller to lead', async () => {
    if (processesOf(bed.folder, COMPONENT).length === 0) throw new Error(`the controller ended:\n${log()}`);
    if (log().includes('"msg":"leading"')) return true;
    throw new Error(`its log:\n${log()}`);
  });
  const [pid] = processesOf(bed.folder, COMPONENT);
  if (pid === undefined) throw new Error(`the controller ended:\n${log()}`);
  return {
    pid,
    async stop() {
      signalAll([pid], 'SIGTERM');
      await until('the controller to end', async () => processesOf(bed.folder, COMPONENT).length === 0);
    },
  };
}

/** `kubectl drain` with the flags that people give it, as user "peer". */
export function kubectlDrain(bed: Bed, nodeName: string): [string, ...string[]] {
  return [programPath('kubectl'), `--kubeconfig=${bed.kubeconfigFor('peer')}`, 'drain', nodeName, ...drainFlags];
}

/** `drover drain` with the same flags, as user "drover". */
export function droverDrain(bed: Bed, { drover }: Context, ...args: readonly string[]): [string, ...string[]] {
  return [
    process.execPath,
    drover,
    'drain',
    '--kubeconfig',
    bed.kubeconfigFor('drover'),
    ...drainFlags,
    '--progress',
    'none',
    ...args,
  ];
}

const drainFlags = ['--ignore-daemonsets', '--delete-emptydir-data', '--force'];
