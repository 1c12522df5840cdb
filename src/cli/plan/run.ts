/** `drover plan`. */
import { setFlagsFromString } from 'node:v8';
import type { DrainSpec } from '../../api/resources.ts';
import type { Node } from '../../sim/kubernetes.ts';
import { readSnapshot, SnapshotError } from '../../sim/snapshot/file.ts';
import { readCluster } from '../../sim/snapshot/read-cluster.ts';
import type { Snapshot } from '../../sim/snapshot/snapshot.ts';
import type { Context } from '../command.ts';
import { CommandError, exitCode, UsageError } from '../errors.ts';
import { fileText } from '../file-text.ts';
import { handoverModes } from '../handover-modes.ts';
import { requireNodes } from '../nodes.ts';
import { printObject } from '../print-object.ts';
import type { PlanFlags } from './command.ts';
import { type Proposal, proposeNodes, proposePolicies } from './proposal.ts';
import { isStuck, jsonReport, textReport } from './report.ts';
import { type Rehearsal, rehearse } from './simulate.ts';
import { learnTimings } from './timings.ts';

/**
 * How far the heap may grow beyond what was alive in it before V8 looks through it again. By its own reckoning it lets a plan of 150,000 pods
 * grow to more than twice of what is alive: 1.2 GiB, with this 0.8 to 0.9. At 25 % the processor time would be a tenth more, here that cannot be told
 * from chance.
 */
const HEAP_GROWTH_PERCENT = 50;

export async function run(context: Context, args: readonly string[], flags: PlanFlags): Promise<number> {
  const { screen } = context;
  // Read by V8 after each collection, so that it holds from here on.
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  if (flags.policy === null) requireNodes(args, flags.selector);
  else if (args.length > 0 || flags.selector !== null)
    throw new UsageError('with --policy its nodeSelector says which nodes; leave out names and --selector');
  if (flags.allSelected && flags.policy === null) throw new UsageError('--all-selected goes with --policy');
  // Read before the cluster: a wrong file is told at once.
  const texts = flags.policy === null ? [] : [{ file: flags.policy, text: await fileText(flags.policy) }];
  const snapshot = await snapshotOf(context, flags);
  const nodes = snapshot.objects.filter((object): object is Node => object.kind === 'Node');
  const proposal: Proposal =
    flags.policy === null
      ? proposeNodes(nodes, args, flags.selector, { maxNodes: flags.maxNodes, drain: drainOf(flags) })
      : proposePolicies(nodes, texts, flags.allSelected);
  const plan: Rehearsal = {
    snapshot,
    proposal,
    timings: learnTimings(snapshot.objects, { readyMs: flags.readyTime, stopMs: flags.stopTime }),
    afterwards: flags.drained,
    seed: flags.seed,
    limitMs: flags.limit,
  };
  const result = await rehearse(plan);
  if (flags.output === 'text') {
    const columns = screen.isTTY ? screen.columns : 120;
    const canvas = { columns, unicode: screen.unicode, paint: screen.paint };
    for (const line of textReport(plan, result, canvas)) screen.out(line);
  } else await printObject(screen, flags.output, jsonReport(plan, result));
  return isStuck(result) ? exitCode.notDrained : exitCode.ok;
}

function drainOf({ handover, deleteEmptydirData, force, gracePeriod }: PlanFlags): Partial<DrainSpec> {
  return {
    handover: handoverModes[handover],
    emptyDir: deleteEmptydirData ? 'Evict' : 'Protect',
    barePods: force ? 'Evict' : 'Protect',
    ...(gracePeriod >= 0 && { gracePeriodSeconds: Math.max(1, gracePeriod) }),
  };
}

async function snapshotOf({ client, clock }: Context, { snapshot }: PlanFlags): Promise<Snapshot> {
  if (snapshot === null) return readCluster(await client(), { clock });
  try {
    return await readSnapshot(snapshot);
  } catch (error) {
    if (error instanceof SnapshotError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}
