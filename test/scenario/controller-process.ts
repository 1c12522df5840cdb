/** The real controller as a process of its own, to be stopped, killed and started again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../beds/bed.ts';
import { freePorts } from '../beds/control-programs.ts';
import { kubectl } from '../beds/kubectl.ts';
import { drover, startDrover } from './drover.ts';
import { eventually } from './eventually.ts';

export interface ControllerOptions {
  /** Default: the bed's admin. */
  readonly kubeconfig?: string;
  /** Default false: it acts at once. */
  readonly leaderElect?: boolean;
  /** Further arguments of `drover controller`. */
  readonly args?: readonly string[];
}

export interface ControllerProcess {
  readonly pid: number;
  readonly hasEnded: boolean;
  /** What it has logged so far, a JSON object a line. */
  log(): string;
  metrics(): Promise<string>;
  /** SIGTERM, and waits. @returns the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL, and waits. */
  kill(): Promise<void>;
}

/** Starts `drover controller` and waits until it has read what it watches. @throws Error with its log when it does not come up */
export async function startController(bed: Pick<Bed, 'kubeconfig'>, options: ControllerOptions = {}): Promise<ControllerProcess> {
  const [port = 0] = await freePorts('127.0.0.1', 1);
  const child = startDrover([
    'controller',
    `--kubeconfig=${options.kubeconfig ?? bed.kubeconfig}`,
    `--metrics-address=127.0.0.1:${port}`,
    `--leader-elect=${options.leaderElect ?? false}`,
    ...(options.args ?? []),
  ]);
  const get = async (path: string) =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5_000) })).text();
  const isReady = async () => child.hasEnded || (await get('/readyz').catch(() => '')).endsWith('ok\n');
  await eventually('the controller to be ready', isReady, (ready) => ready, { timeoutMs: 30_000, also: child.stderr });
  if (child.hasEnded) throw new Error(`the controller ended at once; its log:\n${child.stderr()}`);
  const end = async (signal: NodeJS.Signals) => {
    child.signal(signal);
    return (await child.finished).code;
  };
  return {
    pid: child.pid,
    get hasEnded() {
      return child.hasEnded;
    },
    log: child.stderr,
    metrics: () => get('/metrics'),
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL');
    },
  };
}

/** `drover crds | kubectl apply -f -`, and waits until the API server serves them. */
export async function installResources(bed: Pick<Bed, 'folder' | 'kubeconfig'>): Promise<void> {
  const { stdout } = await drover(bed.kubeconfig, 'crds');
  const file = join(bed.folder, 'crds.yaml');
  writeFileSync(file, stdout);
  await kubectl(bed.kubeconfig, 'apply', '-f', file);
  await kubectl(bed.kubeconfig, 'wait', '--for=condition=Established', '--timeout=30s', '-f', file);
}
