/** Programs that are measured: how long they ran, what they used. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Usage {
  readonly rssBytes: number;
  readonly peakBytes: number;
  readonly cpuSeconds: number;
}

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux that Node runs on

/** Memory and CPU time of a process; undefined when it is gone. */
export function usageOfProcess(pid: number): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const rss = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    if (rss === undefined || peak === undefined) return undefined; // a zombie has no memory
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    return { rssBytes: Number(rss) * 1024, peakBytes: Number(peak) * 1024, cpuSeconds };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

export interface Ended {
  /** performance.now() right before it was started. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** As last seen before it ended, looked at every 50 ms. */
  readonly usage: Usage;
}

const LOOK_EVERY_MS = 50;

/** Runs a program to its end. @throws Error with the end of its output when it does not exit with 0 */
export function runProgram(command: readonly [string, ...string[]]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const startedAt = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    let usage: Usage = { rssBytes: 0, peakBytes: 0, cpuSeconds: 0 };
    const look = setInterval(() => (usage = (child.pid && usageOfProcess(child.pid)) || usage), LOOK_EVERY_MS);
    child.on('error', (error) => {
      clearInterval(look);
      reject(error);
    });
    child.on('close', (code, signal) => {
      const endedAt = performance.now();
      clearInterval(look);
      if (code === 0) return resolve({ startedAt, endedAt, usage });
      reject(
        new Error(`${command.join(' ')} ended with ${signal ?? code}:\n${output.trimEnd().split('\n').slice(-10).join('\n')}`),
      );
    });
  });
}
