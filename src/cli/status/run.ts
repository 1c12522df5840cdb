/** `drover status`. */
import { nodes as nodeKind } from '../../kube/kinds.ts';
import { readList } from '../../kube/read.ts';
import type { Context } from '../command.ts';
import { exitCode } from '../errors.ts';
import { nodeName, readNode } from '../nodes.ts';
import { printObject } from '../print-object.ts';
import { readMaintenances, readPolicies } from '../resources.ts';
import type { StatusFlags } from './command.ts';
import { nodeLines, nodeRows, policyLines, policyRows } from './rows.ts';

export async function run(context: Context, args: readonly string[], { all, output }: StatusFlags): Promise<number> {
  const { screen, clock } = context;
  const client = await context.client();
  const names = new Set(args.map(nodeName));
  const [nodes, maintenances, policies] = await Promise.all([
    names.size > 0 ? Promise.all([...names].map((name) => readNode(client, name))) : readList(client, nodeKind),
    readMaintenances(client),
    readPolicies(client),
  ]);
  const wanted = (maintenances ?? []).filter(({ spec }) => names.size === 0 || names.has(spec.nodeName));
  const rows = nodeRows({ nodes, maintenances: wanted, policies: policies ?? [], all });
  const policyList = names.size === 0 ? policyRows(policies ?? []) : [];
  if (output !== 'text') {
    await printObject(screen, output, { installed: maintenances !== null, nodes: rows, policies: policyList });
    return exitCode.ok;
  }
  const columns = screen.isTTY ? screen.columns : Number.POSITIVE_INFINITY;
  if (rows.length > 0) for (const line of nodeLines(rows, clock.now(), columns)) screen.out(line);
  else screen.out(names.size > 0 ? `nothing is done about ${[...names].join(', ')}` : 'no node is under maintenance');
  if (policyList.length > 0) for (const line of ['', ...policyLines(policyList, columns)]) screen.out(line);
  if (maintenances === null)
    screen.err(`the controller's resources are not installed: only nodes taken out by ${context.program} drain are shown`);
  return exitCode.ok;
}
