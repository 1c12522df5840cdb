/** `drover sim event`. */
import { KubeError } from '../../../kube/client.ts';
import { SIMULATE_PATH, simulatedEvents } from '../../../sim/metadata/control.ts';
import type { Context } from '../../command.ts';
import { CommandError, exitCode, UsageError } from '../../errors.ts';
import { METADATA_PORT } from '../metadata/command.ts';
import type { EventFlags } from './command.ts';

export async function run(context: Context, args: readonly string[], flags: EventFlags): Promise<number> {
  const [cloud, kind, ...more] = args;
  if (cloud === undefined || kind === undefined || more.length > 0)
    throw new UsageError('name a cloud and a kind, like: aws Spot');
  const kinds = Object.entries(simulatedEvents).find(([name]) => name === cloud)?.[1];
  if (!kinds) throw new UsageError(`the cloud must be one of ${Object.keys(simulatedEvents).join(', ')}, not "${cloud}"`);
  const known = Object.keys(kinds).find((name) => name.toLowerCase() === kind.toLowerCase());
  if (known === undefined) throw new UsageError(`${cloud} has no "${kind}"; there are: ${Object.keys(kinds).join(', ')}`);
  const needsNode = cloud === 'azure' && known !== 'Clear' && known !== 'Start';
  if (needsNode && flags.node === null) throw new UsageError('an event of azure names its machines: give --node');
  const url = flags.url ?? `http://127.0.0.1:${METADATA_PORT}`;
  const client = await context.connectTo(url);
  try {
    const body = { cloud, kind: known, node: flags.node ?? '', inSeconds: flags.in };
    await client.json({ method: 'POST', path: SIMULATE_PATH, body });
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== 0) throw error;
    throw new CommandError(`nothing serves at ${url}; start it with: ${context.program} sim metadata`, { cause: error });
  } finally {
    client.close();
  }
  context.screen.out(known === 'Clear' ? `${cloud}: nothing happens any more` : `${cloud}: ${known}`);
  return exitCode.ok;
}
