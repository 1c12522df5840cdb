/** `drover uncordon`. */
import type { Node } from '../../api/objects.ts';
import { undoDrain, type Undone } from '../../controller/undo-drain.ts';
import { isCommandLine, readJournal } from '../../engine/journal.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Context } from '../command.ts';
import { CommandError, exitCode } from '../errors.ts';
import { namedNodes, requireNodes } from '../nodes.ts';
import { printObject } from '../print-object.ts';
import { hasEnded, readMaintenances } from '../resources.ts';
import type { UncordonFlags } from './command.ts';

export async function run(
  context: Context,
  args: readonly string[],
  { selector, dryRun, output }: UncordonFlags,
): Promise<number> {
  requireNodes(args, selector);
  const client = await context.client();
  const nodes = await namedNodes(client, args, selector);
  await refuseManaged(client, nodes, context.program);
  const undone = await undoDrain({
    client: dryRun === 'client' ? readOnly(client) : client,
    nodes: nodes.map((node) => node.name),
    dryRun: dryRun === 'server',
  });
  if (output !== 'text')
    await printObject(context.screen, output, { ok: true, dryRun, nodes: undone.map(({ node, did }) => ({ name: node, did })) });
  else
    for (const each of undone)
      for (const line of linesOf(each, dryRun === 'none' ? '' : ` (${dryRun === 'server' ? 'server ' : ''}dry run)`))
        context.screen.out(line);
  return exitCode.ok;
}

function linesOf({ node, did }: Undone, note: string): string[] {
  return did.length === 0
    ? [`node ${node} is in service already; nothing to do${note}`]
    : did.map((what) => `node ${node}: ${what}${note}`);
}

/** The controller would cordon it again: who gives it back must end its maintenance. @throws CommandError before anything is changed. */
async function refuseManaged(client: KubeClient, nodes: readonly Node[], program: string): Promise<void> {
  const managed = nodes.flatMap((node) => {
    const by = readJournal(node)?.by ?? '';
    return by === '' || isCommandLine(by) ? [] : [{ node: node.name, by }];
  });
  if (managed.length === 0) return;
  const maintenances = (await readMaintenances(client)) ?? [];
  const live = managed.find(({ by }) => maintenances.some((each) => each.metadata.name === by && !hasEnded(each)));
  if (!live) return; // left over from a controller that is gone
  throw new CommandError(
    `node ${live.node} is under maintenance (${live.by}), and the controller would cordon it again; end it with: ${program} cancel ${live.node}`,
  );
}

/** Reads pass, changes are answered as if they had been made: the same code tells what it would do. */
function readOnly(client: KubeClient): KubeClient {
  return {
    server: client.server,
    json: <T>(request: Parameters<KubeClient['json']>[0]) =>
      request.method === 'GET' ? client.json<T>(request) : Promise.resolve({} as T),
    stream: (request) => client.stream(request),
    close: () => client.close(),
  };
}
