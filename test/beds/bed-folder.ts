/**
 * A bed lives in one folder, and everything that can be known about it is there or in /proc: any process can work on a bed
 * of which it knows the folder, and a bed whose owner was killed can be taken down by the next one that starts.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killProcessesOf, startTime } from './processes.ts';

export type Kind = 'control-plane' | 'real-nodes';

/** Takes down what a bed has besides processes and its folder. Must bear being called on a half-made bed, and twice. */
export type Destroy = (folder: string) => void;

function parentFolder(kind: Kind): string {
  const parent = join(tmpdir(), `drover-beds-${process.getuid?.() ?? 'nobody'}`, kind);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  return parent;
}

/**
 * A folder's name says whose it is: pid and start time, which tells the owner from a later process with its pid. In the name, not
 * in a file, so that there is no moment in which another start could take a bed just being made for one that was left behind.
 */
function ownerPrefix(): string {
  return `bed-${process.pid}-${startTime(process.pid)}-`;
}

function livingOwner(name: string): number | undefined {
  const [, pid, ticks] = name.split('-');
  return startTime(Number(pid)) === ticks ? Number(pid) : undefined;
}

/** Processes first, then the rest, then the folder: while the folder is there the next start finds what is left. */
export function destroyBed(folder: string, destroy: Destroy): void {
  killProcessesOf(folder);
  destroy(folder);
  rmSync(folder, { recursive: true, force: true });
}

/** Takes down every bed of this kind whose owner is gone. @returns the pids of owners that live */
export function clearLeftovers(kind: Kind, destroy: Destroy): number[] {
  const living: number[] = [];
  const parent = parentFolder(kind);
  for (const name of readdirSync(parent)) {
    const owner = livingOwner(name);
    if (owner === undefined) destroyBed(join(parent, name), destroy);
    else living.push(owner);
  }
  return living;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Makes a bed's folder, owned by this process: when it ends in any way but SIGKILL, the bed is taken down.
 * @returns the folder, and `stop`, which takes the bed down now
 */
export function createBedFolder(kind: Kind, destroy: Destroy): { folder: string; stop: () => void } {
  const folder = mkdtempSync(join(parentFolder(kind), ownerPrefix()));
  const stop = () => {
    process.off('exit', stop);
    for (const signal of SIGNALS) process.off(signal, onSignal);
    destroyBed(folder, destroy);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    stop();
    // the handler has displaced Node's own; without anybody else's, end as if it had not been there
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  process.on('exit', stop);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return { folder, stop };
}
