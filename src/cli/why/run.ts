/** `drover why`. */
import { readJournal } from '../../engine/journal.ts';
import { defaultDrainSettings } from '../../engine/settings.ts';
import { nodes as nodeKind } from '../../kube/kinds.ts';
import { readList } from '../../kube/read.ts';
import type { Context } from '../command.ts';
import { planDrain } from '../drain/plan.ts';
import { exitCode, UsageError } from '../errors.ts';
import { nodeName, readNode } from '../nodes.ts';
import { printObject } from '../print-object.ts';
import { currentOf, readMaintenances, readPolicies } from '../resources.ts';
import { answerWhy, whyLines } from './answer.ts';
import type { WhyFlags } from './command.ts';

export async function run(context: Context, args: readonly string[], { output }: WhyFlags): Promise<number> {
  const [word, ...more] = args;
  if (word === undefined || more.length > 0) throw new UsageError('name one node');
  const { screen, clock, log, random, interrupt } = context;
  const client = await context.client();
  const [node, maintenances, policies] = await Promise.all([
    readNode(client, nodeName(word)),
    readMaintenances(client),
    readPolicies(client),
  ]);
  // Where no controller keeps a status, the engine is asked here and now, with the defaults of the command line.
  const isOurs = readJournal(node) !== null && !currentOf(node.name, maintenances ?? []);
  const plans = isOurs
    ? await planDrain({ client, clock, log, random, signal: interrupt, nodes: [node], settings: defaultDrainSettings })
    : null;
  const compares = (policies ?? []).some(({ spec }) =>
    spec.reasons.some((each) => each.type === 'Drift' && each.drift.version?.newestOf !== undefined),
  );
  const peers = compares ? await readList(client, nodeKind) : [node];
  const now = clock.now();
  const answer = answerWhy({ node, maintenances, policies, pods: plans?.[0]?.pods ?? null, peers, now });
  if (output === 'text') for (const line of whyLines(answer, now)) screen.out(line);
  else await printObject(screen, output, answer);
  return exitCode.ok;
}
