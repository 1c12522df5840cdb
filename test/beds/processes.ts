/**
 * The processes of a bed. Each carries the bed's folder and its own name in its environment, and so do its children
 * (containerd's shims): they are found through /proc at any later time, by any process, without a pid file that could
 * have been lost in a crash or name a stranger that was given the same pid since.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BED = 'DROVER_BED';
const COMPONENT = 'DROVER_BED_COMPONENT';

/** Blocks this thread. Taking a bed down happens in exit handlers, where nothing asynchronous runs any more. */
export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined; // gone, going, or another user's
    throw error;
  }
}

/** Fields of /proc/PID/stat from the third on; the second, the name, may hold blanks and brackets. */
function stat(pid: number): string[] | undefined {
  const line = readProc(pid, 'stat');
  return line?.slice(line.lastIndexOf(')') + 2).split(' ');
}

/** When the process started, in ticks since boot; undefined when there is no such process. */
export function startTime(pid: number): string | undefined {
  return stat(pid)?.[19];
}

/** Living processes of the bed in `folder`, of one component if named. Zombies have no environment and do not count. */
export function processesOf(folder: string, component?: string): number[] {
  const wanted = component === undefined ? [`${BED}=${folder}`] : [`${BED}=${folder}`, `${COMPONENT}=${component}`];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    const environment = readProc(pid, 'environ')?.split('\0') ?? [];
    return wanted.every((entry) => environment.includes(entry));
  });
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Kills what `find` finds, again and again, until it finds nothing: a process may fork while it is being looked for. */
export function killUntilNone(find: () => number[], what: string): void {
  for (let attempt = 0; attempt < 500; attempt++) {
    const pids = find();
    if (pids.length === 0) return;
    signalAll(pids, 'SIGKILL');
    pause(20);
  }
  throw new Error(`${what}: processes ${find().join(', ')} do not die`);
}

export function killProcessesOf(folder: string, component?: string): void {
  killUntilNone(() => processesOf(folder, component), `bed ${folder}`);
}

export function logPath(folder: string, component: string): string {
  return join(folder, `${component}.log`);
}

const commandPath = (folder: string, component: string) => join(folder, `${component}.command.json`);

/** Starts a program of the bed, detached, with its output appended to COMPONENT.log; the command is kept for `startAgain`. */
export function start(folder: string, component: string, command: readonly [string, ...string[]]): void {
  writeFileSync(commandPath(folder, component), JSON.stringify(command));
  const log = openSync(logPath(folder, component), 'a', 0o600);
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd: folder,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, [BED]: folder, [COMPONENT]: component },
  });
  closeSync(log);
  child.on('error', (error) => writeFileSync(logPath(folder, component), `${error.message}\n`, { flag: 'a' }));
  child.unref();
}

export function startAgain(folder: string, component: string): void {
  start(folder, component, JSON.parse(readFileSync(commandPath(folder, component), 'utf8')) as [string, ...string[]]);
}

function logTail(folder: string, component: string): string {
  return readFileSync(logPath(folder, component), 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}

/** Polls until `ready` gives true. @throws with the end of the component's log when it dies or `timeoutMs` pass */
export async function waitReady(
  folder: string,
  component: string,
  timeoutMs: number,
  ready: () => Promise<boolean>,
): Promise<void> {
  const until = Date.now() + timeoutMs;
  while (!(await ready())) {
    const late = Date.now() > until;
    if (late || processesOf(folder, component).length === 0) {
      throw new Error(
        `${component} ${late ? `is not ready after ${timeoutMs / 1000} s` : 'died'}; its log ends:\n${logTail(folder, component)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export interface Usage {
  readonly rssBytes: number;
  readonly peakBytes: number;
  readonly cpuSeconds: number;
}

/** Memory and CPU time of the component's first process; undefined when it does not run. */
export function usageOf(folder: string, component: string): Usage | undefined {
  const [pid] = processesOf(folder, component);
  const status = pid === undefined ? undefined : readProc(pid, 'status');
  const fields = pid === undefined ? undefined : stat(pid);
  if (!status || !fields) return undefined;
  const bytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  const ticksPerSecond = 100; // USER_HZ, the same on every Linux that Node runs on
  return {
    rssBytes: bytes('VmRSS'),
    peakBytes: bytes('VmHWM'),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
  };
}
