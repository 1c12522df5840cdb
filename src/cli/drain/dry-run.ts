/** `drover drain --dry-run`: says, pod by pod, what would happen; with `server` the API server is asked about each change. */
import { createEffects } from '../../controller/effects.ts';
import { createLedger } from '../../controller/ledger.ts';
import type { PodReport } from '../../engine/drain.ts';
import { explain } from '../../engine/explain.ts';
import { readJournal } from '../../engine/journal.ts';
import type { Maintenance } from '../../engine/maintenance.ts';
import { podKey, type SkipBecause } from '../../engine/pods.ts';
import type { DrainSettings } from '../../engine/settings.ts';
import type { Context } from '../command.ts';
import { exitCode } from '../errors.ts';
import { printObject } from '../print-object.ts';
import { table } from '../table.ts';
import type { DrainFlags } from './command.ts';
import { type NodePlan, type Outlook, outlookOf, type PlanOptions, planDrain } from './plan.ts';
import { commandLine, leftOver } from './waits.ts';

const words: Readonly<Record<Outlook, string>> = {
  Stays: 'stays',
  Leaves: 'is evicted',
  HandedOver: 'is handed over',
  Waits: 'waits',
  Never: 'CANNOT LEAVE',
  Going: 'is going already',
};

const staysBecause: Readonly<Record<SkipBecause, string>> = {
  MirrorPod: 'a static pod of the kubelet',
  DaemonSet: 'its DaemonSet would put it back',
  Rule: 'not selected by --pod-selector',
  LongDeleted: 'should have been gone long ago (--skip-wait-for-delete-timeout)',
};

/** What the API server said to a change, by pod uid; the node's own under its name. */
type Answers = ReadonlyMap<string, string>;

/** @returns the exit code: not drained when some pod can never leave (a drain would refuse to begin, or never end), or the server refuses a change. */
export async function dryRun(context: Context, options: PlanOptions, flags: DrainFlags): Promise<number> {
  const plans = await planDrain(options);
  const now = options.clock.now();
  const answers: Answers = flags.dryRun === 'server' ? await askServer(options, plans, flags.reason ?? '') : new Map();
  const never = plans.flatMap(({ pods }) => pods.filter((report) => outlookOf(report, now) === 'Never'));
  const isRefused = [...answers.values()].some((answer) => answer !== accepted);
  const ok = never.length === 0 && !isRefused;
  if (flags.output === 'text') {
    for (const plan of plans) for (const line of planLines(plan, answers, now)) context.screen.out(line);
    for (const line of hints(never, now)) context.screen.err(line);
  } else await printObject(context.screen, flags.output, planObject(plans, answers, flags, ok, now));
  return ok ? exitCode.ok : exitCode.notDrained;
}

/** What would let the pods go that cannot: one line each, told once for pods that wait for the same. */
function hints(never: readonly PodReport[], now: number): string[] {
  const pods = new Map<string, string[]>();
  for (const { pod, blocker } of never) {
    const unblock = blocker ? explain(blocker, now, commandLine).unblock : '';
    if (unblock !== '') pods.set(unblock, [...(pods.get(unblock) ?? []), podKey(pod)]);
  }
  return [...pods].map(
    ([unblock, [first, ...more]]) =>
      `what would let ${first}${more.length > 0 ? ` and ${more.length} more` : ''} leave: ${unblock}`,
  );
}

function planLines({ node, pods }: NodePlan, answers: Answers, now: number): string[] {
  const outlooks = pods.map((report) => ({ report, outlook: outlookOf(report, now) }));
  const leaving = outlooks.filter(({ outlook }) => outlook !== 'Stays').length;
  const answer = answers.get(node.name);
  const cordon = node.unschedulable
    ? 'is cordoned already'
    : `would be cordoned${answer === undefined ? '' : ` (server: ${answer})`}`;
  const rows = outlooks
    .sort((a, b) => order.indexOf(a.outlook) - order.indexOf(b.outlook) || (podKey(a.report.pod) < podKey(b.report.pod) ? -1 : 1))
    .map(({ report, outlook }) => {
      const { pod, blocker, skipped, handover } = report;
      const why = skipped
        ? staysBecause[skipped]
        : outlook === 'HandedOver' || !blocker
          ? (handover ?? '')
          : explain(blocker, now).message;
      const said = answers.get(pod.uid);
      return [`  ${podKey(pod)}`, words[outlook], [why, said === undefined ? '' : `server: ${said}`].filter(Boolean).join('; ')];
    });
  const list = rows.length === 0 ? [] : table(['  POD', 'THEN', 'BECAUSE'], rows);
  return [`node ${node.name} ${cordon}; ${leaving} of its ${pods.length} pods would leave (dry run)`, ...list];
}

const order: readonly Outlook[] = ['Never', 'Waits', 'HandedOver', 'Leaves', 'Going', 'Stays'];

function planObject(plans: readonly NodePlan[], answers: Answers, flags: DrainFlags, ok: boolean, now: number): object {
  const nodes = plans.map(({ node, pods }) => ({
    name: node.name,
    alreadyCordoned: node.unschedulable,
    ...(answers.has(node.name) && { server: answers.get(node.name) }),
    pods: pods.map((report) => ({
      ...leftOver(report, now),
      outlook: outlookOf(report, now),
      ...(answers.has(report.pod.uid) && { server: answers.get(report.pod.uid) }),
    })),
  }));
  return { ok, dryRun: flags.dryRun, nodes };
}

const accepted = 'accepted';

/** Sends what the drain would send first, for the server to check and not to keep. A pod that would be refused now may pass later. */
async function askServer(options: PlanOptions, plans: readonly NodePlan[], reason: string): Promise<Answers> {
  const answers = new Map<string, string>();
  const { clock, settings } = options;
  const effects = createEffects({
    ...options,
    ledger: createLedger(clock),
    dryRun: true,
    mayAct: () => !options.signal.aborted,
    onAnswer: (_maintenance, effect, answer, message) => {
      const key = 'pod' in effect ? effect.pod.uid : 'node' in effect ? effect.node.name : undefined;
      if (key !== undefined) answers.set(key, answer === 'Done' ? accepted : message || answer);
    },
  });
  for (const { node, effects: podEffects } of plans) {
    const maintenance = standIn(node.name, reason, settings, clock.now());
    if (!node.unschedulable || !readJournal(node)) await effects.node(maintenance, { do: 'Cordon', node });
    for (const effect of podEffects) await effects.pod(maintenance, effect);
  }
  return answers;
}

function standIn(nodeName: string, reason: string, settings: DrainSettings, now: number): Maintenance {
  return {
    id: `dry-run/${nodeName}`,
    nodeName,
    policy: null,
    reasonType: 'Manual',
    reason,
    priority: 0,
    settings,
    handBack: 'Never',
    paused: false,
    pausedBecause: '',
    cancelled: false,
    runNow: false,
    createdAt: now,
    state: { phase: 'Draining', phaseSince: now, attempts: 0 },
    memory: { progressAt: null, moved: [], movedClaims: null },
  };
}
