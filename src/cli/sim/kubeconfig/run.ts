/** `drover sim kubeconfig`. */
import type { Context } from '../../command.ts';
import { exitCode } from '../../errors.ts';
import { fileText } from '../../file-text.ts';
import { requireRunning } from '../running.ts';
import type { KubeconfigFlags } from './command.ts';

export async function run(context: Context, _args: readonly string[], { name, path }: KubeconfigFlags): Promise<number> {
  const { kubeconfig } = await requireRunning(context, name);
  context.screen.out(path ? kubeconfig : (await fileText(kubeconfig)).trimEnd());
  return exitCode.ok;
}
