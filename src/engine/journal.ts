/**
 * What Drover writes on a node and on a pod, and how it is taken back. The journal travels in the same patch as the change, so
 * there is no instant at which something is changed and its undo is not written down. Patches are JSON merge patches that carry
 * the resourceVersion (node) or the uid (pod): a stale or a foreign object is refused by the API server.
 */
import { annotations, labels, taints } from '../api/names.ts';
import type { Node, Pod, StringMap, Taint } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import { type HandoverJournal, readHandover } from './handover.ts';

/** What the node's annotation `drover.dev/maintenance` holds. */
export interface NodeJournal {
  /** Name of the NodeMaintenance, `cli:user@host/NODE` for a run of the command line, or `agent:drover/NODE` for the node's agent. */
  readonly by: string;
  readonly reason: string;
  readonly since: string;
  /** Marked: soft taint only, so that pods do not hop onto the next node to go. Cordoned: closed. */
  readonly stage: 'Marked' | 'Cordoned';
  /** The values before; what is not named was not changed. */
  readonly undo: {
    readonly unschedulable?: boolean;
    readonly loadBalancerLabel?: string | null;
    /** The annotation by which the cluster autoscaler lets a node stand. */
    readonly scaleDownDisabled?: string | null;
  };
}

/** What a journal names where the node's own agent took it out: with the node, `agent:drover/NODE`, as a run of the command line does. */
export const AGENT = 'agent:drover';

/** Was it a run of the command line, or the node's own agent, that wrote this journal? The controller takes such a node over, and they let go. */
export function isCommandLine(by: string): boolean {
  return by.startsWith('cli:') || by.startsWith('agent:');
}

export type MergePatch = Readonly<Record<string, unknown>>;

// Asked several times in every pass, of nodes that rarely change.
const parsedJournals = new WeakMap<Node, NodeJournal>();

export function readJournal(node: Node): NodeJournal | null {
  const text = node.annotations[annotations.maintenance];
  if (text === undefined) return null;
  let journal = parsedJournals.get(node);
  if (!journal) {
    journal = parseJournal(text);
    parsedJournals.set(node, journal);
  }
  return journal;
}

function parseJournal(text: string): NodeJournal {
  try {
    const journal = JSON.parse(text) as Partial<NodeJournal>;
    return { by: '', reason: '', since: '', stage: 'Cordoned', undo: {}, ...journal };
  } catch {
    // Someone edited it. It is still ours by its name; what the node was before is lost, so nothing but our marks is taken back.
    return { by: '', reason: '', since: '', stage: 'Cordoned', undo: {} };
  }
}

const foreignTaints = (node: Node): Taint[] => node.taints.filter((taint) => taint.key !== taints.maintenance.key);

function taintBody(taint: Taint): MergePatch {
  return {
    key: taint.key,
    effect: taint.effect,
    ...(taint.value !== '' && { value: taint.value }),
    ...(taint.timeAdded !== undefined && { timeAdded: new Date(taint.timeAdded).toISOString().replace(/\.\d+Z$/, 'Z') }),
  };
}

export interface MarkRequest {
  readonly by: string;
  readonly reason: string;
  readonly reasonType: string;
  readonly now: Millis;
  readonly excludeFromLoadBalancers: boolean;
  /** An empty node is what the cluster autoscaler removes first. */
  readonly keepFromAutoscaler?: boolean;
}

/** Closes the node (or only marks it) in one patch. An earlier journal keeps its undo: it saw the node before any of us. */
export function cordonPatch(node: Node, stage: NodeJournal['stage'], request: MarkRequest): MergePatch {
  const earlier = readJournal(node);
  const closes = stage === 'Cordoned';
  const label = closes && request.excludeFromLoadBalancers;
  const keep = closes && request.keepFromAutoscaler === true;
  const undo: NodeJournal['undo'] = {
    ...(closes && { unschedulable: node.unschedulable }),
    ...(label && { loadBalancerLabel: node.labels[labels.excludeFromLoadBalancers] ?? null }),
    ...(keep && { scaleDownDisabled: node.annotations[annotations.scaleDownDisabled] ?? null }),
    ...earlier?.undo,
  };
  const journal: NodeJournal = { by: request.by, reason: request.reason, since: isoSeconds(request.now), stage, undo };
  return {
    metadata: {
      resourceVersion: node.resourceVersion,
      annotations: {
        [annotations.maintenance]: JSON.stringify(journal),
        ...(keep && { [annotations.scaleDownDisabled]: 'true' }),
      },
      ...(label && { labels: { [labels.excludeFromLoadBalancers]: 'drover' } }),
    },
    spec: {
      ...(closes && { unschedulable: true }),
      // PreferNoSchedule: the cordon is what closes the node, and DaemonSets tolerate a cordon. A hard taint would keep them from
      // replacing their pods here, and would outlive a `kubectl uncordon` that nobody of ours is there to see.
      taints: [
        ...foreignTaints(node).map(taintBody),
        { ...taints.maintenance, value: request.reasonType, timeAdded: isoSeconds(request.now) },
      ],
    },
  };
}

/** Takes back what the journal says, and nothing else. A cordon that was there before stays. */
export function undoNodePatch(node: Node): MergePatch | null {
  const journal = readJournal(node);
  const tainted = node.taints.some((taint) => taint.key === taints.maintenance.key);
  if (!journal && !tainted) return null;
  const undo = journal?.undo ?? {};
  // Someone who removed or changed the label since has the last word.
  const labelIsOurs = undo.loadBalancerLabel !== undefined && node.labels[labels.excludeFromLoadBalancers] === 'drover';
  const keptIsOurs = undo.scaleDownDisabled !== undefined && node.annotations[annotations.scaleDownDisabled] === 'true';
  const rest = foreignTaints(node).map(taintBody);
  return {
    metadata: {
      resourceVersion: node.resourceVersion,
      annotations: {
        [annotations.maintenance]: null,
        ...(keptIsOurs && { [annotations.scaleDownDisabled]: undo.scaleDownDisabled }),
      },
      ...(labelIsOurs && { labels: { [labels.excludeFromLoadBalancers]: undo.loadBalancerLabel } }),
    },
    spec: {
      ...(undo.unschedulable === false && node.unschedulable && { unschedulable: null }),
      ...(tainted && { taints: rest.length > 0 ? rest : null }),
    },
  };
}

export function detachPatch(pod: Pod, take: StringMap, by: string, readyAtStart: number, now: Millis): MergePatch {
  const journal: HandoverJournal = {
    by,
    at: now,
    owner: { name: pod.owner?.name ?? '', uid: pod.owner?.uid ?? '' },
    labels: take,
    readyAtStart,
  };
  return {
    metadata: {
      uid: pod.uid,
      annotations: { [annotations.handover]: JSON.stringify(journal) },
      labels: { ...nulls(take), [labels.handedOver]: 'true' },
    },
  };
}

export function unlistPatch(pod: Pod, take: StringMap, now: Millis): MergePatch | null {
  const journal = readHandover(pod);
  if (!journal) return null;
  const next: HandoverJournal = { ...journal, unlisted: take, unlistedAt: now };
  return { metadata: { uid: pod.uid, annotations: { [annotations.handover]: JSON.stringify(next) }, labels: nulls(take) } };
}

/** Gives every label back; the ReplicaSet adopts the pod again and removes its newest one, the replacement. */
export function giveBackPatch(pod: Pod, refusedBecause: string | undefined): MergePatch | null {
  const journal = readHandover(pod);
  const refused = { [annotations.handoverRefused]: refusedBecause ?? null };
  if (!journal)
    return pod.annotations[annotations.handoverRefused] === undefined
      ? null
      : { metadata: { uid: pod.uid, annotations: refused } };
  const given: Record<string, string | null> = { [labels.handedOver]: null };
  for (const [key, value] of Object.entries({ ...journal.labels, ...journal.unlisted })) {
    // A label that someone set meanwhile is theirs.
    if (pod.labels[key] === undefined) given[key] = value;
  }
  return {
    metadata: {
      uid: pod.uid,
      annotations: { [annotations.handover]: null, ...refused },
      labels: given,
    },
  };
}

function nulls(map: StringMap): Record<string, null> {
  return Object.fromEntries(Object.keys(map).map((key) => [key, null]));
}

export function isoSeconds(at: Millis): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}
