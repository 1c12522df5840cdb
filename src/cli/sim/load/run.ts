/** `drover sim load`: the server reads and checks the file, because only it knows which pools there are. */
import { KubeError } from '../../../kube/client.ts';
import { type Loaded, LOAD_PATH } from '../../../sim/scenario/simulation-door.ts';
import type { Context } from '../../command.ts';
import { CommandError, exitCode, UsageError } from '../../errors.ts';
import { fileText } from '../../file-text.ts';
import { requireRunning } from '../running.ts';
import type { LoadFlags } from './command.ts';

export async function run(context: Context, args: readonly string[], { name, output }: LoadFlags): Promise<number> {
  const [file, ...more] = args;
  if (file === undefined || more.length > 0) throw new UsageError('name one file');
  const text = await fileText(file);
  const { url } = await requireRunning(context, name);
  const client = await context.connectTo(url);
  let loaded: Loaded;
  try {
    loaded = await client.json<Loaded>({ method: 'POST', path: LOAD_PATH, body: { file, text } });
  } catch (error) {
    if (!(error instanceof KubeError) || !error.status?.message) throw error;
    const details = (error.status.details?.causes ?? []).map(({ message }) => `error: ${message ?? ''}`);
    throw new CommandError(error.status.message, { details, cause: error });
  } finally {
    client.close();
  }
  if (output === 'json') context.screen.out(JSON.stringify(loaded, null, 2));
  else context.screen.out(`loaded ${file}: ${told(loaded)}`);
  return exitCode.ok;
}

function told({ nodes, objects, events }: Loaded): string {
  const counted = (count: number, what: string) => (count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'}`]);
  return [...counted(nodes, 'node'), ...counted(objects, 'object'), ...counted(events, 'event')].join(', ') || 'nothing';
}
