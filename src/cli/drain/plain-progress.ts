/** Progress for logs and pipes: one line per change, and a reminder of what is waited for at most every 30 s. */
import type { DrainRunReport, NodeReport } from '../../controller/drain-report.ts';
import { explain } from '../../engine/explain.ts';
import { podKey } from '../../engine/pods.ts';
import type { Millis } from '../../lib/clock.ts';
import { elapsed } from '../elapsed.ts';
import { isNotable, waitingPods } from './waits.ts';

const REMIND_MS = 30_000;

interface Seen {
  phase: NodeReport['phase'];
  announced: boolean;
  /** By pod uid: its name and whether its eviction was told. */
  readonly pods: Map<string, { readonly name: string; told: boolean }>;
  /** When a wait was last told, by pod and cause. */
  readonly waits: Map<string, Millis>;
}

/** Feed it every report; it answers with the new lines. */
export function createPlainProgress(): (report: DrainRunReport) => string[] {
  const nodes = new Map<string, Seen>();
  return ({ nodes: reports, now }) =>
    reports.flatMap((node) => {
      let seen = nodes.get(node.name);
      if (!seen) nodes.set(node.name, (seen = { phase: 'Pending', announced: false, pods: new Map(), waits: new Map() }));
      return linesOf(node, seen, now).map((line) => `${node.name}: ${line}`);
    });
}

function linesOf(node: NodeReport, seen: Seen, now: Millis): string[] {
  const lines: string[] = [];
  if (!seen.announced && node.phase === 'Draining' && node.pods.length > 0) {
    seen.announced = true;
    lines.push(`draining, ${counted(node.total)} to move`);
  }
  lines.push(...podLines(node, seen), ...waitLines(node, seen, now));
  if (node.phase !== seen.phase) {
    seen.phase = node.phase;
    if (node.phase === 'Settling') lines.push('empty');
    if (node.phase === 'Drained')
      lines.push(`drained in ${elapsed((node.finishedAt ?? now) - (node.startedAt ?? now))}, ${counted(node.gone)} moved`);
    if (node.phase === 'Undoing') lines.push(`handing it back: ${node.message}`);
    if (node.phase === 'Failed' || node.phase === 'Cancelled' || node.phase === 'HandedBack')
      lines.push(`not drained: ${node.message}`);
  }
  return lines;
}

/** A pod counts as evicted when it is seen stopping, and as gone when it is no longer there. */
function podLines(node: NodeReport, seen: Seen): string[] {
  const lines: string[] = [];
  const present = new Set<string>();
  for (const { pod, state } of node.pods) {
    present.add(pod.uid);
    if (state === 'Skipped') continue;
    let known = seen.pods.get(pod.uid);
    if (!known) seen.pods.set(pod.uid, (known = { name: podKey(pod), told: false }));
    if (pod.deletedAt !== undefined && !known.told) {
      known.told = true;
      lines.push(`pod ${known.name} evicted`);
    }
  }
  for (const [uid, { name, told }] of seen.pods) {
    if (present.has(uid)) continue;
    seen.pods.delete(uid);
    lines.push(told ? `pod ${name} gone` : `pod ${name} evicted and gone`);
  }
  if (lines.length > 0) lines.push(`${node.gone}/${node.total} pods gone`);
  return lines;
}

function waitLines(node: NodeReport, seen: Seen, now: Millis): string[] {
  const lines: string[] = [];
  const tell = (key: string, line: string) => {
    const last = seen.waits.get(key);
    if (last !== undefined && now - last < REMIND_MS) return;
    seen.waits.set(key, now);
    lines.push(line);
  };
  for (const { pod, blocker, message } of waitingPods(node, now))
    tell(`${pod} ${blocker.cause}`, `pod ${pod} waiting: ${message}`);
  // What a node as a whole waits for: its turn, volumes, replacements.
  const { waitingFor } = node;
  if (isNotable(waitingFor) && !('pod' in waitingFor) && waitingFor.cause !== 'MaxNodes') {
    tell(waitingFor.cause, `waiting: ${explain(waitingFor, now).message}`);
  }
  return lines;
}

function counted(pods: number): string {
  return pods === 1 ? '1 pod' : `${pods} pods`;
}
