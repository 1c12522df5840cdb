/** The state of the cluster's maintenance as data: what `drover status` prints in three forms. Pure. */
import type { MaintenancePolicy, NodeMaintenance } from '../../api/resources.ts';
import type { Node } from '../../api/objects.ts';
import { readJournal } from '../../engine/journal.ts';
import type { Millis } from '../../lib/clock.ts';
import { foldedTable } from '../table.ts';
import { elapsed } from '../elapsed.ts';
import { createdAt, hasEnded } from '../resources.ts';

export interface NodeRow {
  readonly node: string;
  /** A phase of NodeMaintenance, or, for a node that a command line has taken out, Cordoned or Marked. */
  readonly phase: string;
  /** "12/30"; empty when not known. */
  readonly pods: string;
  /** ISO time since when. */
  readonly since: string;
  readonly reason: string;
  /** The policy, or who ran the command line. */
  readonly by: string;
  /** Name of the NodeMaintenance. */
  readonly maintenance?: string;
  readonly paused: boolean;
  readonly waitingFor?: {
    readonly cause: string;
    readonly message: string;
    readonly unblock: string;
    readonly since: string;
    readonly pod?: string;
  };
}

export interface PolicyRow {
  readonly policy: string;
  readonly selected: number;
  readonly matched: number;
  readonly active: number;
  readonly waiting: number;
  readonly done: number;
  readonly paused: boolean;
  readonly waitingFor: string;
}

export interface StatusInput {
  readonly nodes: readonly Node[];
  readonly maintenances: readonly NodeMaintenance[];
  readonly policies: readonly MaintenancePolicy[];
  /** Show those that have ended, too. */
  readonly all: boolean;
}

export function nodeRows({ nodes, maintenances, all }: StatusInput): NodeRow[] {
  const known = maintenances.filter((each) => all || !hasEnded(each));
  const names = new Set(known.map((each) => each.metadata.name));
  const rows = [...known.map(maintenanceRow), ...nodes.flatMap((node) => journalRow(node, names))];
  return rows.sort((a, b) => compare(a.node, b.node) || compare(a.since, b.since));
}

function maintenanceRow(maintenance: NodeMaintenance): NodeRow {
  const { metadata, spec, status } = maintenance;
  const { waitingFor } = status ?? {};
  return {
    node: spec.nodeName,
    phase: status?.phase ?? 'Pending',
    pods: status?.progress?.summary ?? '',
    since: status?.startedAt ?? metadata.creationTimestamp ?? '',
    reason: spec.reason.message,
    by: spec.policy ?? 'by hand',
    maintenance: metadata.name,
    paused: spec.paused,
    ...(waitingFor && {
      waitingFor: {
        cause: waitingFor.cause,
        message: waitingFor.message,
        unblock: waitingFor.unblock,
        since: waitingFor.since,
        ...(waitingFor.pod !== undefined && { pod: waitingFor.pod }),
      },
    }),
  };
}

/** A node with our journal whose maintenance is not among the resources: taken out by a command line, or left behind. */
function journalRow(node: Node, maintenances: ReadonlySet<string>): NodeRow[] {
  const journal = readJournal(node);
  if (!journal || maintenances.has(journal.by)) return [];
  return [
    {
      node: node.name,
      phase: journal.stage,
      pods: '',
      since: journal.since,
      reason: journal.reason,
      by: authorOf(journal.by, node.name),
      paused: false,
    },
  ];
}

/** "cli:ann@laptop/worker-1" -> "ann@laptop": the journal's id ends with the node. */
export function authorOf(by: string, nodeName: string): string {
  const author = by.endsWith(`/${nodeName}`) ? by.slice(0, -nodeName.length - 1) : by;
  return author.replace(/^cli:/, '');
}

/** @param columns of the terminal; Infinity where there is none */
export function nodeLines(rows: readonly NodeRow[], now: Millis, columns: number): string[] {
  const cells = rows.map((row) => nodeCells(row, now));
  return foldedTable(nodeHeader, cells, columns, ['reason:', 'waits:']);
}

/** @param columns as above */
export function policyLines(rows: readonly PolicyRow[], columns: number): string[] {
  return foldedTable(policyHeader, rows.map(policyCells), columns, ['waits:']);
}

export function policyRows(policies: readonly MaintenancePolicy[]): PolicyRow[] {
  return policies.map(({ metadata, spec, status }) => ({
    policy: metadata.name,
    selected: status?.selected ?? 0,
    matched: status?.matched ?? 0,
    active: status?.active ?? 0,
    waiting: status?.waiting ?? 0,
    done: status?.done ?? 0,
    paused: spec.paused,
    waitingFor: unreadable(status) ?? status?.waitingFor ?? '',
  }));
}

/** It says nothing else then: what is counted may be about what was written before. */
function unreadable(status: MaintenancePolicy['status']): string | undefined {
  return status?.conditions?.find(({ type, status: holds }) => type === 'Ready' && holds === 'False')?.message;
}

const nodeHeader = ['NODE', 'PHASE', 'PODS', 'SINCE', 'BY', 'REASON', 'WAITING FOR'];

function nodeCells(row: NodeRow, now: Millis): string[] {
  const { waitingFor, since } = row;
  const at = Date.parse(since);
  const waits = waitingFor ? `${waitingFor.pod ? `${waitingFor.pod}: ` : ''}${waitingFor.message}` : '';
  return [
    row.node,
    row.paused ? `${row.phase} (paused)` : row.phase,
    row.pods,
    Number.isNaN(at) ? '' : elapsed(now - at),
    row.by,
    row.reason,
    waits,
  ];
}

const policyHeader = ['POLICY', 'SELECTED', 'MATCHED', 'ACTIVE', 'WAITING', 'DONE', 'WAITING FOR'];

function policyCells({ policy, selected, matched, active, waiting, done, paused, waitingFor }: PolicyRow): string[] {
  return [paused ? `${policy} (paused)` : policy, ...[selected, matched, active, waiting, done].map(String), waitingFor];
}

/** Newest first. */
export function byAge(a: NodeMaintenance, b: NodeMaintenance): number {
  return createdAt(b) - createdAt(a);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
