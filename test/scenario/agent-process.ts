/** The real agent as a process of its own, to be stopped, killed and started again. */
import { freePorts } from '../beds/control-programs.ts';
import { startDrover } from './drover.ts';
import { eventually } from './eventually.ts';

export interface AgentProcess {
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

export interface AgentProcessOptions {
  readonly kubeconfig: string;
  readonly nodeName: string;
  /** Further arguments of `drover agent`. */
  readonly args?: readonly string[];
}

/** Starts `drover agent` and waits until its node says what it knows. @throws Error with its log when it does not come up */
export async function startAgent({ kubeconfig, nodeName, args = [] }: AgentProcessOptions): Promise<AgentProcess> {
  const [port = 0] = await freePorts('127.0.0.1', 1);
  const child = startDrover(
    ['agent', `--kubeconfig=${kubeconfig}`, `--node-name=${nodeName}`, `--metrics-address=127.0.0.1:${port}`, ...args],
    { NODE_OPTIONS: '--max-semi-space-size=1' },
  );
  const get = async (path: string) =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5_000) })).text();
  const isReady = async () => child.hasEnded || (await get('/readyz').catch(() => '')).endsWith('ok\n');
  await eventually('the agent to be ready', isReady, (ready) => ready, { timeoutMs: 30_000, also: child.stderr });
  if (child.hasEnded) throw new Error(`the agent ended at once; its log:\n${child.stderr()}`);
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
