/** `drover drain`. */
import type { Node } from '../../api/objects.ts';
import { runDrain } from '../../controller/run-drain.ts';
import type { DrainRunReport } from '../../controller/drain-report.ts';
import type { DrainSettings } from '../../engine/settings.ts';
import type { KubeClient } from '../../kube/client.ts';
import { pods as podKind } from '../../kube/kinds.ts';
import { readList } from '../../kube/read.ts';
import type { Context } from '../command.ts';
import { namedNodes, requireNodes } from '../nodes.ts';
import { printObject } from '../print-object.ts';
import type { DrainFlags } from './command.ts';
import { dryRun } from './dry-run.ts';
import { exitCodeOf, failureLines, resultObject } from './outcome.ts';
import { openProgress } from './progress.ts';
import { protectedPods, refusal } from './protected.ts';
import { settingsOf } from './settings.ts';

export async function run(context: Context, args: readonly string[], flags: DrainFlags): Promise<number> {
  const { screen, clock, log, random, identity, interrupt } = context;
  requireNodes(args, flags.selector);
  settingsOf(flags, args.length); // what is wrong with the flags is said before the cluster is asked
  const client = await context.client();
  const nodes = await namedNodes(client, args, flags.selector);
  const settings = settingsOf(flags, nodes.length);
  if (flags.gracePeriod === 0) screen.err('warning: --grace-period 0 counts as 1: containers that may be alive are told to stop');
  await refuseProtected(client, nodes, settings);
  if (flags.dryRun !== 'none') return dryRun(context, { client, clock, log, random, signal: interrupt, nodes, settings }, flags);

  const view = openProgress(context, flags);
  let last: DrainRunReport | null = null;
  const onInterrupt = () => screen.err('stopping: nothing new is evicted; Ctrl-C again ends at once');
  interrupt.addEventListener('abort', onInterrupt, { once: true });
  try {
    const result = await runDrain({
      client,
      clock,
      log,
      random,
      nodes: nodes.map((node) => node.name),
      settings,
      parallel: flags.parallel,
      by: identity,
      reason: flags.reason ?? 'drained by hand',
      timeoutMs: flags.timeout === 0 ? null : flags.timeout,
      signal: interrupt,
      onReport(report) {
        last = report;
        view.show(report);
      },
    });
    view.end();
    if (flags.output !== 'text') await printObject(screen, flags.output, resultObject(result, last));
    for (const line of failureLines(result, last, context.program)) screen.err(line);
    return exitCodeOf(result);
  } finally {
    view.end();
    interrupt.removeEventListener('abort', onInterrupt);
  }
}

const LISTS_AT_ONCE = 8;

/** @throws CommandError naming the pods. kubectl cordons first and errors then; here the node is untouched. */
async function refuseProtected(client: KubeClient, nodes: readonly Node[], settings: DrainSettings): Promise<void> {
  const found = [];
  for (let from = 0; from < nodes.length; from += LISTS_AT_ONCE) {
    const lists = nodes.slice(from, from + LISTS_AT_ONCE).map(async ({ name }) => {
      const pods = await readList(client, podKind, { fieldSelector: `spec.nodeName=${name}` });
      return protectedPods(name, pods, settings);
    });
    found.push(...(await Promise.all(lists)).flat());
  }
  if (found.length > 0) throw refusal(found);
}
