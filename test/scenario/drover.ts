/** The built command line (dist/drover.js, `npm run build`) as a child process, as users run it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));

let copy: string | undefined;

/** A copy of dist for this test process: commands load their chunks late, and a build meanwhile would take them away. */
function builtDrover(): string {
  if (copy === undefined) {
    if (!existsSync(join(dist, 'drover.js'))) throw new Error('dist/drover.js is missing; build it with: npm run build');
    const folder = mkdtempSync(join(tmpdir(), 'drover-dist-'));
    cpSync(dist, folder, { recursive: true });
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    copy = folder;
  }
  return join(copy, 'drover.js');
}

export interface Finished {
  /** null: ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  /** What it has written to stdout so far. */
  stdout(): string;
  stderr(): string;
  readonly finished: Promise<Finished>;
  readonly hasEnded: boolean;
  signal(signal: NodeJS.Signals): void;
}

const running = new Set<ChildProcess>();
// A test that failed may leave one behind; it must not go on draining.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Starts `drover ARGS`, without terminal, in an environment that has neither kubeconfig nor service account. */
export function startDrover(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [builtDrover(), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', USER: 'tester', ...env },
  });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let hasEnded = false;
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      hasEnded = true;
      running.delete(child);
      resolve({ code, stdout, stderr });
    });
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    finished,
    get hasEnded() {
      return hasEnded;
    },
    signal: (signal) => void child.kill(signal),
  };
}

/** Runs `drover ARGS` to its end. */
export function drover(kubeconfig: string, ...args: readonly string[]): Promise<Finished> {
  return startDrover([`--kubeconfig=${kubeconfig}`, ...args]).finished;
}
