/** Everything that is known about one node's maintenance, and its words. Pure. */
import type { Node } from '../../api/objects.ts';
import type { MaintenancePhase, MaintenancePolicy, NodeMaintenance, PodStatus } from '../../api/resources.ts';
import type { PodReport } from '../../engine/drain.ts';
import { explain } from '../../engine/explain.ts';
import { AGENT, isCommandLine, readJournal } from '../../engine/journal.ts';
import { podKey } from '../../engine/pods.ts';
import type { Millis } from '../../lib/clock.ts';
import { causeHeld } from '../../controller/ended.ts';
import { commandLine, helps } from '../drain/waits.ts';
import { elapsed } from '../elapsed.ts';
import { currentOf, hasEnded } from '../resources.ts';
import { authorOf, byAge, type NodeRow, nodeRows } from '../status/rows.ts';
import { type PolicyView, policyView } from './policy-view.ts';

export interface WhyInput {
  readonly node: Node;
  /** null: the resources are not installed. */
  readonly maintenances: readonly NodeMaintenance[] | null;
  readonly policies: readonly MaintenancePolicy[] | null;
  /** For a node that a command line has taken out: how its pods look now. */
  readonly pods: readonly PodReport[] | null;
  /** The nodes of the cluster, where a policy compares them; absent: only this one. */
  readonly peers?: readonly Node[];
  readonly now: Millis;
}

export interface WaitingPod {
  readonly pod: string;
  readonly state: string;
  readonly owner?: string;
  readonly message?: string;
  readonly unblock?: string;
  readonly since?: string;
  readonly handover?: string;
}

export interface WhyAnswer {
  readonly node: string;
  readonly cordoned: boolean;
  readonly sentence: string;
  readonly current?: NodeRow;
  readonly pods: readonly WaitingPod[];
  /** Nobody is draining the node now: `pods` tells how they would fare if someone did, with default flags. */
  readonly ifDrained: boolean;
  readonly last?: { readonly maintenance: string; readonly phase: string; readonly message: string; readonly finishedAt: string };
  /** What a person may do next, where it is not `current.waitingFor.unblock`. */
  readonly next?: string;
  readonly policies: readonly PolicyView[];
}

export function answerWhy(input: WhyInput): WhyAnswer {
  const { node, maintenances, policies, now } = input;
  const own = (maintenances ?? []).filter((each) => each.spec.nodeName === node.name);
  const current = currentOf(node.name, own);
  const [row] = nodeRows({ nodes: [node], maintenances: current ? [current] : [], policies: [], all: false });
  const past = own.filter(hasEnded).sort(byAge)[0];
  const { status } = past ?? {};
  const pods = current ? podsOfStatus(current.status?.pods ?? []) : podsOfReport(input.pods ?? [], now);
  const next = nextOf(input, current, past, pods.length);
  return {
    node: node.name,
    cordoned: node.unschedulable,
    sentence: sentenceOf(input, current, row),
    ...(row && { current: row }),
    ifDrained: !current && input.pods !== null,
    pods,
    ...(past && {
      last: {
        maintenance: past.metadata.name,
        phase: status?.phase ?? '',
        message: status?.message ?? '',
        finishedAt: status?.finishedAt ?? '',
      },
    }),
    ...(next !== undefined && { next }),
    policies: (policies ?? []).map((policy) => policyView(policy, node, now, input.peers ?? [node])),
  };
}

function sentenceOf(
  { node, maintenances, now }: WhyInput,
  current: NodeMaintenance | undefined,
  row: NodeRow | undefined,
): string {
  if (current) {
    const { phase = 'Pending', phaseSince, startedAt, progress } = current.status ?? {};
    const since = (phase === 'Draining' ? startedAt : phaseSince) ?? startedAt;
    const gone = phase === 'Draining' && progress ? `${progress.summary} pods gone` : '';
    const time = since === undefined ? '' : `for ${elapsed(now - Date.parse(since))}`;
    const who = current.spec.policy === undefined ? 'asked for by hand' : `policy ${current.spec.policy}`;
    return `node ${node.name} ${says[phase]} (${[phase, gone, time].filter(Boolean).join(', ')}) because of ${current.spec.reason.message} (${who})`;
  }
  const journal = readJournal(node);
  if (journal && row) {
    const who = authorOf(journal.by, node.name);
    const orphan = isCommandLine(journal.by)
      ? journal.by.startsWith(AGENT)
        ? 'taken out by its own agent'
        : `taken out by ${who} with drover drain`
      : `marked by ${journal.by}, a maintenance that no longer exists`;
    return `node ${node.name} was ${orphan}, ${elapsed(now - Date.parse(journal.since))} ago: ${journal.reason}`;
  }
  const closed = node.unschedulable ? '; it is cordoned, but not by drover' : '';
  if (maintenances === null)
    return `nothing is known about node ${node.name}: the cluster has no Drover resources, and no drain has left a mark on it${closed}`;
  return `nothing is being done about node ${node.name}${closed}`;
}

const says: Readonly<Record<MaintenancePhase, string>> = {
  Pending: 'waits to be drained',
  Draining: 'is being drained',
  Settling: 'is empty, and what left it is waited for',
  BeforeHook: 'is empty, and the Job before its maintenance runs',
  Rebooting: 'is being rebooted',
  Deleting: 'is being deleted',
  Verifying: 'is looked over before it is handed back',
  AfterHook: 'is verified, and the Job after its maintenance runs',
  ActionFailed: 'stays out of service, because what was done to it failed',
  Drained: 'is drained',
  BackOff: 'was handed back for a while, and is tried again',
  Undoing: 'is being handed back',
  HandedBack: 'was handed back',
  Cancelled: 'was not drained',
  Failed: 'could not be drained',
};

/** What a person may do next where nothing is waited for. */
function nextOf(
  { node }: WhyInput,
  current: NodeMaintenance | undefined,
  past: NodeMaintenance | undefined,
  left: number,
): string | undefined {
  const { name } = node;
  if (current?.status?.phase === 'Drained') {
    const when =
      current.spec.handBack === 'Never'
        ? 'it stays cordoned; to hand it back'
        : 'it is handed back when the reason is gone; at once';
    return `${when}: drover cancel ${name}`;
  }
  if (current) return current.status?.waitingFor ? undefined : 'nothing keeps it: what can be done is under way';
  if (readJournal(node)) {
    const stand = left > 0 ? 'to go on, run the same drover drain again' : 'no pod is left that has to leave it';
    return `${stand}; to give it back: drover uncordon ${name}`;
  }
  // Otherwise what a person stopped would begin anew at once (controller/ended.ts).
  if (past && causeHeld(past.status))
    return `it is left alone while the reason lasts; to have it drained again: kubectl delete nodemaintenance ${past.metadata.name}`;
  return undefined;
}

function podsOfStatus(pods: readonly PodStatus[]): WaitingPod[] {
  return pods
    .filter((pod) => pod.state !== 'Skipped' && pod.state !== 'Gone')
    .map(({ namespace, name, state, owner, because, handover }) => ({
      pod: `${namespace}/${name}`,
      state,
      ...(owner !== undefined && { owner }),
      ...(because && { message: because.message, unblock: because.unblock, since: because.since }),
      ...(handover !== undefined && { handover }),
    }));
}

function podsOfReport(reports: readonly PodReport[], now: Millis): WaitingPod[] {
  return reports
    .filter(({ state }) => state !== 'Skipped')
    .map(({ pod, state, blocker, handover }) => {
      const why = blocker && explain(blocker, now, commandLine);
      return {
        pod: podKey(pod),
        state,
        ...(pod.owner && { owner: `${pod.owner.kind}/${pod.owner.name}` }),
        ...(why && { message: why.message, unblock: why.unblock }),
        ...(handover !== undefined && { handover }),
      };
    });
}

const SHOWN_PODS = 50;

export function whyLines(answer: WhyAnswer, now: Millis): string[] {
  const { current, pods, last, policies, sentence } = answer;
  const lines = [sentence];
  const ago = (since: string) => elapsed(now - Date.parse(since));
  if (current?.waitingFor) {
    const { message, unblock, since, pod } = current.waitingFor;
    lines.push(`waiting for ${ago(since)}: ${pod ? `${pod}: ` : ''}${message}`);
    if (helps(unblock)) lines.push(`  what would help: ${unblock}`);
  }
  // What has just been said is not said again.
  const others = pods.filter(
    ({ pod, message, handover }) =>
      pod !== current?.waitingFor?.pod || message !== current.waitingFor.message || handover !== undefined,
  );
  if (others.length > 0) {
    const more = others.length < pods.length ? ' more' : '';
    const counted = others.length === 1 ? `1${more} pod is` : `${others.length}${more} pods are`;
    lines.push('', `${counted} still on it${answer.ifDrained ? '; if it were drained now' : ''}:`);
  }
  for (const each of others.slice(0, SHOWN_PODS)) {
    const owner = each.owner === undefined ? '' : ` of ${each.owner}`;
    const since = each.since === undefined ? '' : `, for ${ago(each.since)}`;
    lines.push(`  ${each.pod}${owner} (${each.state}${since})${each.message === undefined ? '' : `: ${each.message}`}`);
    if (each.unblock && helps(each.unblock)) lines.push(`    what would help: ${each.unblock}`);
    if (each.handover !== undefined) lines.push(`    handover: ${each.handover}`);
  }
  if (others.length > SHOWN_PODS) lines.push(`  and ${others.length - SHOWN_PODS} more`);
  if (last && !current)
    lines.push(
      `its last maintenance, ${last.maintenance}, ended ${last.phase}${last.finishedAt ? ` ${ago(last.finishedAt)} ago` : ''}${last.message && last.message !== last.phase.toLowerCase() ? `: ${last.message}` : ''}`,
    );
  if (answer.next !== undefined) lines.push(answer.next);
  if (policies.length > 0) lines.push('', ...policies.flatMap(policyLines));
  return lines;
}

function policyLines({ policy, selects, matches, because }: PolicyView): string[] {
  if (!selects) return [`policy ${policy} does not select it: ${because.join('; ')}`];
  return [`policy ${policy} selects it, and ${matches ? 'wants it out' : 'no reason matches'}: ${because.join('; ')}`];
}
