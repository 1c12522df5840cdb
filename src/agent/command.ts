/** Runs a program of the machine's owner: bounded in time, in output and in what it leaves behind. */
import { spawn } from 'node:child_process';
import type { Clock, Millis } from '../lib/clock.ts';

export interface CommandResult {
  /** null: it did not end by itself (`why` says what happened), or could not be started. */
  readonly code: number | null;
  /** The first 4 KiB of what it said, as node-problem-detector reads (pkg/custompluginmonitor/plugin/plugin.go, readFromReader). */
  readonly stdout: string;
  readonly stderr: string;
  readonly why: string;
}

export interface CommandOptions {
  readonly path: string;
  readonly args: readonly string[];
  readonly timeoutMs: Millis;
  readonly signal?: AbortSignal;
}

/** Never rejects. */
export type RunCommand = (options: CommandOptions) => Promise<CommandResult>;

const MAX_OUTPUT_BYTES = 4_096;

/** @param platform process.platform: on Windows there are no process groups, and only the program itself is killed */
export function createRunCommand(clock: Clock, platform: NodeJS.Platform): RunCommand {
  return ({ path, args, timeoutMs, signal }) =>
    new Promise((resolve) => {
      const grouped = platform !== 'win32';
      const outputs = { stdout: '', stderr: '' };
      let why = '';
      const finish = (code: number | null) => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
        resolve({ code: why === '' ? code : null, ...outputs, why });
      };
      const kill = (because: string) => {
        why ||= because;
        try {
          // What it has started dies with it: a check that hangs in a child would otherwise leave one behind each time.
          if (grouped && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
          else child.kill('SIGKILL');
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') why += ` and cannot be killed: ${(error as Error).message}`;
        }
        // A grandchild that left the group may hold the pipes open; what it says is not waited for.
        child.stdout.destroy();
        child.stderr.destroy();
      };
      const onAbort = () => kill('was stopped');
      const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: grouped, windowsHide: true });
      const cancel = clock.after(timeoutMs, () => kill(`did not end within ${timeoutMs / 1_000} s`));
      signal?.addEventListener('abort', onAbort, { once: true });
      for (const name of ['stdout', 'stderr'] as const) {
        const kept: Buffer[] = [];
        let size = 0;
        child[name].on('data', (chunk: Buffer) => {
          if (size >= MAX_OUTPUT_BYTES) return; // read on, or the program would stand still on a full pipe
          const part = chunk.subarray(0, MAX_OUTPUT_BYTES - size);
          kept.push(part);
          size += part.length;
          outputs[name] = Buffer.concat(kept).toString('utf8');
        });
      }
      child.on('error', (error: NodeJS.ErrnoException) => {
        why ||= `cannot be started: ${error.code ?? error.message}`;
        finish(null);
      });
      child.on('close', (code, killedBy) => {
        if (code === null) why ||= `was ended by ${killedBy ?? 'a signal'}`;
        finish(code);
      });
    });
}
