/** Is the simulated cluster there that a record tells of? */
import { KubeError } from '../../kube/client.ts';
import type { Context } from '../command.ts';
import { CommandError } from '../errors.ts';
import { nameArgument } from './name.ts';
import { filesOf, readRecord, type RunningCluster } from './state.ts';

const PATIENCE_MS = 3_000;

/** Undefined when its process is gone: a pid that somebody else has now answers nothing at that address. */
export async function findRunning(context: Context, name: string): Promise<RunningCluster | undefined> {
  const record = readRecord(filesOf(name, context.env));
  if (!record || !context.processes.isAlive(record.pid)) return undefined;
  const client = await context.connectTo(record.url);
  try {
    await client.json({ method: 'GET', path: '/version', timeoutMs: PATIENCE_MS });
    return record;
  } catch (error) {
    if (error instanceof KubeError) return undefined;
    throw error;
  } finally {
    client.close();
  }
}

/** @throws CommandError when it does not run */
export async function requireRunning(context: Context, name: string): Promise<RunningCluster> {
  const running = await findRunning(context, name);
  if (running) return running;
  throw new CommandError(
    `no simulated cluster "${name}" is running; start one with: ${context.program} sim up${nameArgument(name)}`,
  );
}
