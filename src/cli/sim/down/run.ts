/** `drover sim down`. */
import type { Context } from '../../command.ts';
import { CommandError, exitCode } from '../../errors.ts';
import { findRunning } from '../running.ts';
import { filesOf, readRecord, removeFiles } from '../state.ts';
import type { DownFlags } from './command.ts';

const LOOK_MS = 50;
const PATIENCE_MS = 10_000;

export async function run(context: Context, _args: readonly string[], { name }: DownFlags): Promise<number> {
  const files = filesOf(name, context.env);
  const running = await findRunning(context, name);
  if (!running) {
    // What a killed one has left.
    removeFiles(files.record, readRecord(files)?.kubeconfig ?? files.kubeconfig);
    context.screen.out(`no simulated cluster "${name}" is running`);
    return exitCode.ok;
  }
  context.processes.end(running.pid);
  const until = context.clock.now() + PATIENCE_MS;
  // It removes its record when it is done with everything else.
  while (context.processes.isAlive(running.pid) && readRecord(files)) {
    if (context.clock.now() > until)
      throw new CommandError(`simulated cluster "${name}" (pid ${running.pid}) does not end; its output is in ${files.log}`);
    await context.clock.sleep(LOOK_MS, context.interrupt);
  }
  removeFiles(files.record, files.log);
  context.screen.out(`simulated cluster "${name}" is down`);
  return exitCode.ok;
}
