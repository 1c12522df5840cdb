/** Everything that is known about one node's maintenance, and its words. Pure. */
import type { Node } from '../../api/objects.ts';
import type { MaintenancePolicy, NodeMaintenance, PodStatus } from '../../api/resources.ts';
import type { PodReport } from '../../engine/drain.ts';
import { explain } from '../../engine/explain.ts';
import { readJournal } from '../../engine/journal.ts';
import { podKey } from '../../engine/pods.ts';
import type { Millis } from '../../lib/clock.ts';
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
  readonly policies: readonly PolicyView[];
}

export function answerWhy(input: WhyInput): WhyAnswer {
  const { node, maintenances, policies, now } = input;
  const own = (maintenances ?? []).filter((each) => each.spec.nodeName === node.name);
  const current = currentOf(node.name, own);
  const [row] = nodeRows({ nodes: [node], maintenances: current ? [current] : [], policies: [], all: false });
  const past = own.filter(hasEnded).sort(byAge)[0];
  const { status } = past ?? {};
  return {
    node: node.name,
    cordoned: node.unschedulable,
    sentence: sentenceOf(input, current, row),
    ...(row && { current: row }),
    ifDrained: !current && input.pods !== null,
    pods: current ? podsOfStatus(current.status?.pods ?? []) : podsOfReport(input.pods ?? [], now),
    ...(past && {
      last: {
        maintenance: past.metadata.name,
        phase: status?.phase ?? '',
        message: status?.message ?? '',
        finishedAt: status?.finishedAt ?? '',
      },
    }),
    policies: (policies ?? []).map((policy) => policyView(policy, node, now)),
  };
}

function sentenceOf(
  { node, maintenances, now }: WhyInput,
  current: NodeMaintenance | undefined,
  row: NodeRow | undefined,
): string {
  if (current) {
    const { phase = 'Pending', startedAt } = current.status ?? {};
    const since = startedAt === undefined ? '' : `, for ${elapsed(now - Date.parse(startedAt))}`;
    const who = current.spec.policy === undefined ? 'asked for by hand' : `by policy ${current.spec.policy}`;
    return `node ${node.name} is in phase ${phase}${since}, because of ${current.spec.reason.message} (${who})`;
  }
  const journal = readJournal(node);
  if (journal && row) {
    const who = authorOf(journal.by, node.name);
    const orphan = journal.by.startsWith('cli:')
      ? `taken out by ${who} with drover drain`
      : `marked by ${journal.by}, a maintenance that no longer exists`;
    return `node ${node.name} was ${orphan}, ${elapsed(now - Date.parse(journal.since))} ago: ${journal.reason}`;
  }
  const closed = node.unschedulable ? '; it is cordoned, but not by drover' : '';
  if (maintenances === null)
    return `nothing is known about node ${node.name}: the cluster has no Drover resources, and no drain has left a mark on it${closed}`;
  return `nothing is being done about node ${node.name}${closed}`;
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
      const why = blocker && explain(blocker, now);
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
    lines.push(`waiting for ${ago(since)}: ${pod ? `${pod}: ` : ''}${message}`, `  unblocked by: ${unblock}`);
  } else if (current?.maintenance !== undefined) {
    lines.push('it waits for nothing');
  }
  if (pods.length > 0)
    lines.push(
      '',
      `${pods.length === 1 ? '1 pod is' : `${pods.length} pods are`} still on it${answer.ifDrained ? '; if it were drained now' : ''}:`,
    );
  for (const each of pods.slice(0, SHOWN_PODS)) {
    const owner = each.owner === undefined ? '' : ` of ${each.owner}`;
    const since = each.since === undefined ? '' : `, for ${ago(each.since)}`;
    lines.push(`  ${each.pod}${owner} (${each.state}${since})${each.message === undefined ? '' : `: ${each.message}`}`);
    if (each.unblock) lines.push(`    unblocked by: ${each.unblock}`);
    if (each.handover !== undefined) lines.push(`    handover: ${each.handover}`);
  }
  if (pods.length > SHOWN_PODS) lines.push(`  and ${pods.length - SHOWN_PODS} more`);
  if (last && !current)
    lines.push(
      `its last maintenance, ${last.maintenance}, ended ${last.phase}${last.finishedAt ? ` ${ago(last.finishedAt)} ago` : ''}${last.message ? `: ${last.message}` : ''}`,
    );
  if (policies.length > 0) lines.push('', ...policies.flatMap(policyLines));
  return lines;
}

function policyLines({ policy, selects, matches, because }: PolicyView): string[] {
  if (!selects) return [`policy ${policy} does not select it: ${because.join('; ')}`];
  return [`policy ${policy} selects it, and ${matches ? 'wants it out' : 'no reason matches'}: ${because.join('; ')}`];
}
