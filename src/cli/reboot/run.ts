/** `drover reboot`. */
import type { MaintenancePolicy, NodeMaintenance } from '../../api/resources.ts';
import { type Custom, maintenanceKind } from '../../controller/custom-kinds.ts';
import type { KubeClient } from '../../kube/client.ts';
import { collectionPath } from '../../kube/kinds.ts';
import { reflect } from '../../kube/reflector.ts';
import type { Context } from '../command.ts';
import { CommandError, exitCode, UsageError } from '../errors.ts';
import { closeMatches, namedNodes, requireNodes } from '../nodes.ts';
import { printObject } from '../print-object.ts';
import { currentOf, noResources, readMaintenances, readPolicies } from '../resources.ts';
import type { RebootFlags } from './command.ts';
import { type Asked, because, createPlainProgress, hasSucceeded, liveLines } from './progress.ts';
import { type RebootRequest, rebootRequest } from './request.ts';

const TICK_MS = 1_000;

export async function run(context: Context, args: readonly string[], flags: RebootFlags): Promise<number> {
  const { screen, program } = context;
  requireNodes(args, flags.selector);
  const client = await context.client();
  const [maintenances, policies] = await Promise.all([readMaintenances(client), readPolicies(client)]);
  if (!maintenances || !policies) throw noResources(program);
  const nodes = await namedNodes(client, args, flags.selector);
  if (!flags.wait && nodes.length > flags.parallel)
    throw new UsageError(
      `--no-wait would have ${nodes.length} nodes rebooted at once: without waiting nobody begins one after the other; raise --parallel if you mean that`,
    );
  const like = flags.like === null ? undefined : policyOf(flags.like, policies);
  for (const node of nodes) {
    const current = currentOf(node.name, maintenances);
    if (current)
      throw new CommandError(
        `node ${node.name} is under maintenance already (${current.metadata.name}, ${current.status?.phase ?? 'Pending'}); see: ${program} why ${node.name}`,
      );
    if (node.bootId === '')
      throw new CommandError(`node ${node.name} cannot be rebooted: its status has no boot id, by which a reboot is known`);
  }
  const reason = flags.reason ?? `rebooted by ${context.identity.replace(/^cli:/, '')}`;
  const requests = nodes.map((node) => rebootRequest(node.name, { reason, like, random: context.random }));
  if (flags.dryRun !== 'none') return dryRun(context, client, requests, flags);
  if (!flags.wait) {
    for (const request of requests) await create(client, request);
    if (flags.output === 'text')
      for (const { metadata, spec } of requests) screen.out(`maintenance/${metadata.name} created, node ${spec.nodeName}`);
    else await printObject(screen, flags.output, { ok: true, nodes: requests.map(named) });
    return exitCode.ok;
  }
  return follow(context, client, requests, flags);
}

const named = ({ metadata, spec }: RebootRequest) => ({ name: spec.nodeName, maintenance: metadata.name });

function policyOf(name: string, policies: readonly MaintenancePolicy[]): MaintenancePolicy {
  const found = policies.find(({ metadata }) => metadata.name === name);
  if (found) return found;
  const close = closeMatches(
    name,
    policies.map(({ metadata }) => metadata.name),
  );
  throw new CommandError(`there is no policy "${name}"${close.length > 0 ? `; did you mean ${close.join(' or ')}?` : ''}`);
}

async function create(client: KubeClient, body: RebootRequest, dryRun = false): Promise<void> {
  await client.json({
    method: 'POST',
    path: collectionPath(maintenanceKind),
    query: { fieldManager: 'drover-cli', ...(dryRun && { dryRun: 'All' }) },
    body,
  });
}

async function dryRun(
  context: Context,
  client: KubeClient,
  requests: readonly RebootRequest[],
  { dryRun: how, output }: RebootFlags,
): Promise<number> {
  if (how === 'server') for (const request of requests) await create(client, request, true);
  if (output !== 'text') await printObject(context.screen, output, { ok: true, dryRun: how, objects: requests });
  else
    for (const { spec } of requests)
      context.screen.out(
        `node ${spec.nodeName} would be drained, rebooted, verified and handed back (${how === 'server' ? 'server ' : ''}dry run)`,
      );
  return exitCode.ok;
}

/** One after the other, until all have ended; after a failure no further one is begun. */
async function follow(
  context: Context,
  client: KubeClient,
  requests: readonly RebootRequest[],
  flags: RebootFlags,
): Promise<number> {
  const { screen, clock, log, random, interrupt, program } = context;
  const seen = new Map<string, NodeMaintenance>();
  const askedAt = new Map<string, number>();
  let wake = () => {};
  const names = new Set(requests.map(({ metadata }) => metadata.name));
  const watch = reflect<Custom<NodeMaintenance>>({
    client,
    clock,
    log,
    random,
    kind: maintenanceKind,
    consistency: 'Latest',
    onChange({ type, object }) {
      if (!names.has(object.name)) return;
      if (type === 'Deleted') seen.delete(object.name);
      else seen.set(object.name, object.object);
      wake();
    },
    onError: (error) => log.warn(`cannot watch nodemaintenances: ${error.message}`),
  });
  const all = (): Asked[] =>
    requests.map(({ metadata, spec }) => ({
      node: spec.nodeName,
      maintenance: seen.get(metadata.name),
      askedAt: askedAt.get(metadata.name) ?? null,
    }));
  const silent = flags.progress === 'none' || (flags.progress === 'auto' && flags.output !== 'text');
  const region = !silent && flags.progress === 'auto' && !context.verbose ? screen.live() : null;
  const plain = createPlainProgress();
  const write = flags.output === 'text' ? screen.out : screen.err;
  const show = () => {
    if (silent) return;
    if (region) region.draw(liveLines(all(), clock.now(), screen));
    else plain(all(), clock.now()).forEach((line) => write(line));
  };

  const until = flags.timeout === 0 ? Number.POSITIVE_INFINITY : clock.now() + flags.timeout;
  const stop = () => wake();
  interrupt.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const ends = all().map(({ maintenance }) => hasSucceeded(maintenance));
      const begun = askedAt.size;
      const failed = ends.includes(false);
      if (ends.slice(0, begun).every((each) => each !== null) && (failed || begun === requests.length)) break;
      if (interrupt.aborted || clock.now() >= until) break;
      const underWay = begun - ends.filter((each) => each !== null).length;
      const next = requests[begun];
      if (!failed && next && underWay < flags.parallel) {
        await create(client, next);
        askedAt.set(next.metadata.name, clock.now());
        continue;
      }
      show();
      await new Promise<void>((resolve) => {
        const cancel = clock.after(Math.max(1, Math.min(TICK_MS, until - clock.now())), resolve);
        wake = () => {
          cancel();
          resolve();
        };
      });
    }
    show();
  } finally {
    region?.end();
    interrupt.removeEventListener('abort', stop);
    await watch.stop();
  }
  const result = all();
  const left = result.filter(({ maintenance }) => hasSucceeded(maintenance) !== true);
  if (flags.output !== 'text')
    await printObject(screen, flags.output, {
      ok: left.length === 0,
      nodes: result.map((each, index) => ({
        name: each.node,
        ...(each.askedAt !== null && { maintenance: requests[index]?.metadata.name }),
        phase: each.askedAt === null ? 'NotStarted' : (each.maintenance?.status?.phase ?? 'Pending'),
        message: because(each, clock.now()),
      })),
    });
  for (const each of left) {
    const ended = hasSucceeded(each.maintenance) === false;
    const why = because(each, clock.now());
    const how =
      each.askedAt === null
        ? 'was not begun'
        : ended
          ? 'was not rebooted and handed back'
          : 'is not back yet; its maintenance goes on';
    screen.err(`error: node ${each.node} ${how}${why ? `: ${why}` : ''}`);
    if (each.askedAt !== null) screen.err(`  see: ${program} why ${each.node}`);
  }
  if (left.length === 0) return exitCode.ok;
  return interrupt.aborted ? exitCode.interrupted : exitCode.notDrained;
}
