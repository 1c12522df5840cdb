/** What is known of running simulated clusters: a record, a kubeconfig and a log for each, in the user's state directory. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from '../errors.ts';

export interface RunningCluster {
  readonly pid: number;
  readonly url: string;
  /** Of the file. */
  readonly kubeconfig: string;
}

export interface ClusterFiles {
  readonly record: string;
  readonly kubeconfig: string;
  readonly log: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** As the XDG base directories and Windows have it. */
function stateDirectory(env: Env): string {
  if (env['XDG_STATE_HOME']) return join(env['XDG_STATE_HOME'], 'drover', 'sim');
  if (env['LOCALAPPDATA']) return join(env['LOCALAPPDATA'], 'drover', 'sim');
  return join(env['HOME'] || homedir(), '.local', 'state', 'drover', 'sim');
}

export function filesOf(name: string, env: Env): ClusterFiles {
  const at = (ending: string) => join(stateDirectory(env), `${name}.${ending}`);
  return { record: at('json'), kubeconfig: at('kubeconfig'), log: at('log') };
}

/** Undefined: none was started, or it ended as it should. */
export function readRecord(files: ClusterFiles): RunningCluster | undefined {
  let text: string;
  try {
    text = readFileSync(files.record, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(files.record, error);
  }
  try {
    return JSON.parse(text) as RunningCluster;
  } catch {
    // Written in one go when the cluster was up; half a file is left by a machine that went down, and so did the cluster.
    return undefined;
  }
}

export function writeRecord(files: ClusterFiles, running: RunningCluster): void {
  write(files.record, `${JSON.stringify(running)}\n`);
}

export function removeFiles(...paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true });
}

/** Only for the user's own eyes: a kubeconfig may carry credentials. @throws CommandError */
export function write(path: string, text: string): void {
  try {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): CommandError {
  const why = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
  return new CommandError(`${path} cannot be used: ${why}`, { cause: error });
}
