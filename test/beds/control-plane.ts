import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachBed, type Bed } from './bed.ts';
import { clearLeftovers, createBedFolder } from './bed-folder.ts';
import { programPath } from './binaries.ts';
import { freePorts, healthy, startControlPrograms } from './control-programs.ts';
import { standardUsers, tokenOf, type User, writeCredentials, writeKubeconfig } from './credentials.ts';
import { kwokStages, type PodTimes } from './kwok-stages.ts';
import { start, waitReady } from './processes.ts';

export interface ControlPlaneOptions {
  /** Default: no audit log. "Request" also keeps the bodies of requests. */
  readonly audit?: 'Metadata' | 'Request';
  /** Default 0: a pod is Ready as soon as it is bound. */
  readonly podReadyMs?: number;
  /** Default 0: a pod is gone as soon as it is deleted, whatever its grace period. */
  readonly podStopMs?: number;
  /** Default 300,000: how often a node's status is written (leases are renewed every 10 s in any case). */
  readonly heartbeatMs?: number;
  /** Default false: etcd does not wait for the disk. */
  readonly fsync?: boolean;
  /** Default true. Without it nodes never get Ready. */
  readonly kwok?: boolean;
  /** Default true. */
  readonly scheduler?: boolean;
  /** Besides those in credentials.ts, for example a service account by its full name and groups. */
  readonly users?: readonly User[];
}

export interface ControlPlane extends Bed {
  /** Ends every process of the bed and removes its folder. */
  stop(): Promise<void>;
}

const nothingElse = () => {};

async function startKwok(folder: string, server: string, times: PodTimes): Promise<void> {
  const config = join(folder, 'kwok.yaml');
  writeFileSync(
    config,
    kwokStages(times)
      .map((stage) => `---\n${JSON.stringify(stage)}\n`)
      .join(''),
  );
  const [port] = await freePorts('127.0.0.1', 1);
  start(folder, 'kwok', [
    programPath('kwok'),
    `--kubeconfig=${writeKubeconfig(folder, 'kwok', server, tokenOf(folder, 'kwok'))}`,
    `--config=${config}`,
    '--manage-all-nodes=false',
    '--manage-nodes-with-label-selector=type=kwok',
    '--cidr=10.0.0.0/12',
    '--node-ip=192.168.0.1',
    '--node-lease-duration-seconds=40',
    `--server-address=127.0.0.1:${port}`,
  ]);
  await waitReady(folder, 'kwok', 60_000, () => healthy(`http://127.0.0.1:${port}/healthz`));
}

/**
 * Starts etcd, the API server, the controller manager, the scheduler and kwok on 127.0.0.1 (about 5 s), without nodes. The bed
 * goes when it is stopped or when this process ends; one that a killed process left behind is cleared first.
 * @throws Error naming the component that did not start, with the end of its log
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  clearLeftovers('control-plane', nothingElse);
  const { folder, stop } = createBedFolder('control-plane', nothingElse);
  try {
    writeCredentials(folder, [...standardUsers, ...(options.users ?? [])]);
    const server = await startControlPrograms(folder, {
      host: '127.0.0.1',
      audit: options.audit,
      fsync: options.fsync ?? false,
      scheduler: options.scheduler ?? true,
      // no pod runs that could use the "kubernetes" Service
      apiServerFlags: ['--endpoint-reconciler-type=none'],
    });
    const { podReadyMs = 0, podStopMs = 0, heartbeatMs = 300_000, kwok = true } = options;
    if (kwok) await startKwok(folder, server, { readyMs: podReadyMs, stopMs: podStopMs, heartbeatMs });
    return { ...attachBed(folder), stop: async () => stop() };
  } catch (error) {
    stop();
    throw error;
  }
}
