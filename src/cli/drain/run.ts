/** `drover drain`. */
import { runDrain, UnknownNode } from '../../controller/run-drain.ts';
import type { DrainRunReport } from '../../controller/drain-report.ts';
import type { DrainSettings } from '../../engine/settings.ts';
import type { KubeClient } from '../../kube/client.ts';
import { pods as podKind } from '../../kube/kinds.ts';
import { readList } from '../../kube/read.ts';
import type { Millis } from '../../lib/clock.ts';
import type { Context } from '../command.ts';
import { namedNodes, nodeName, readNode, requireNodes } from '../nodes.ts';
import { printObject } from '../print-object.ts';
import type { DrainFlags } from './command.ts';
import { dryRun } from './dry-run.ts';
import { exitCodeOf, failureLines, resultObject } from './outcome.ts';
import { openProgress } from './progress.ts';
import { type ProtectedPod, protectedPods, refusal } from './protected.ts';
import { settingsOf } from './settings.ts';

export async function run(context: Context, args: readonly string[], flags: DrainFlags): Promise<number> {
  const { screen, clock, log, random, identity, interrupt } = context;
  requireNodes(args, flags.selector);
  settingsOf(flags, args.length); // what is wrong with the flags is said before the cluster is asked
  const client = await context.client();
  if (flags.gracePeriod === 0) screen.err('warning: --grace-period 0 counts as 1: containers that may be alive are told to stop');
  const only = flags.dryRun === 'none' && args.length === 1 ? nodeName(args[0] ?? '') : null;
  // The drain of one node looks at its pods before it changes anything; for several, all are looked at before the first is changed.
  const named = only === null ? await namedNodes(client, args, flags.selector) : [];
  const names = only === null ? named.map((node) => node.name) : [only];
  const settings = settingsOf(flags, names.length);
  if (flags.dryRun !== 'none')
    return dryRun(context, { client, clock, log, random, signal: interrupt, nodes: named, settings }, flags);
  await refuseProtected(client, named, settings, clock.now());

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
      nodes: names,
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
      ...(only !== null && { lookFirst: (pods) => refuse(protectedPods(only, pods, settings, clock.now())) }),
    }).catch(async (error: unknown) => {
      // Says which names come close.
      if (error instanceof UnknownNode) await readNode(client, error.node);
      throw error;
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
async function refuseProtected(
  client: KubeClient,
  nodes: readonly { readonly name: string }[],
  settings: DrainSettings,
  now: Millis,
): Promise<void> {
  const found = [];
  for (let from = 0; from < nodes.length; from += LISTS_AT_ONCE) {
    const lists = nodes.slice(from, from + LISTS_AT_ONCE).map(async ({ name }) => {
      const pods = await readList(client, podKind, { fieldSelector: `spec.nodeName=${name}` });
      return protectedPods(name, pods, settings, now);
    });
    found.push(...(await Promise.all(lists)).flat());
  }
  refuse(found);
}

function refuse(found: readonly ProtectedPod[]): void {
  if (found.length > 0) throw refusal(found);
}
