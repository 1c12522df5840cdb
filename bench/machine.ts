/** Where and with what a bench ran: without it a figure says little. */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { versions } from '../test/beds/versions.ts';

export interface Machine {
  readonly date: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly processor: string;
  /** One-minute load average when the bench began. */
  readonly load: number;
  readonly node: string;
  readonly kubernetes: string;
  readonly etcd: string;
  readonly kwok: string;
  /** The commit of Drover, with "+" when files differ from it; empty outside a git checkout. */
  readonly commit: string;
}

function git(...args: readonly string[]): string {
  try {
    return execFileSync('git', [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

export function describeMachine(): Machine {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    processor: first?.model.trim() ?? 'unknown',
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    node: process.versions.node,
    ...versions,
    commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src') === '' ? '' : '+'),
  };
}

/** One line for people. */
export function machineInWords(machine: Machine): string {
  const { date, cores, memoryGiB, processor, load, node, kubernetes, etcd, kwok, commit } = machine;
  const at = commit === '' ? '' : ` at ${commit}`;
  return `${date}, ${cores} cores (${processor}), ${memoryGiB} GiB, load ${load} at the start; Drover${at}, Node ${node}, Kubernetes ${kubernetes}, etcd ${etcd}, kwok ${kwok}.`;
}
