/** Progress for logs and pipes: one line per change; what is waited for when it lasts, with a reminder at most every 30 s. */
import type { DrainRunReport, NodeReport } from '../../controller/drain-report.ts';
import type { Blocker } from '../../engine/blocker.ts';
import { explain } from '../../engine/explain.ts';
import { podKey } from '../../engine/pods.ts';
import type { Millis } from '../../lib/clock.ts';
import { elapsed } from '../elapsed.ts';
import { isNotable, waitingPods } from './waits.ts';

const REMIND_MS = 30_000;
// A wait that passes by itself within moments, like a replacement on its way, is not worth a line.
const LASTS_MS = 3_000;

interface Wait {
  readonly since: Millis;
  toldAt: Millis | null;
}

interface Seen {
  phase: NodeReport['phase'];
  announced: boolean;
  /** By pod uid: its name, and what was told of it. */
  cordoned: boolean;
  readonly pods: Map<string, { readonly name: string; handingOver: boolean; evicted: boolean }>;
  /** By pod (or none) and cause. */
  readonly waits: Map<string, Wait>;
}

/** Feed it every report, and the last one again as time passes; it answers with the new lines. */
export function createPlainProgress(): (report: DrainRunReport) => string[] {
  const nodes = new Map<string, Seen>();
  return ({ nodes: reports, now }) =>
    reports.flatMap((node) => {
      let seen = nodes.get(node.name);
      if (!seen)
        nodes.set(node.name, (seen = { phase: 'Pending', announced: false, cordoned: false, pods: new Map(), waits: new Map() }));
      return linesOf(node, seen, now).map((line) => `${node.name}: ${line}`);
    });
}

function linesOf(node: NodeReport, seen: Seen, now: Millis): string[] {
  const lines: string[] = [];
  if (node.cordoned && !seen.cordoned && node.phase === 'Draining') {
    seen.cordoned = true;
    lines.push('cordoned');
  }
  if (!seen.announced && seen.cordoned && node.phase === 'Draining' && node.pods.length > 0) {
    seen.announced = true;
    lines.push(`draining, ${counted(node.total)} to move`);
  }
  lines.push(...podLines(node, seen));
  // Until it is cordoned nothing can leave; what waits beside that is not the news.
  if (node.cordoned || node.waitingFor?.cause === 'CordonFailed') lines.push(...waitLines(node, seen, now));
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
function podLines({ pods, gone, total }: NodeReport, seen: Seen): string[] {
  const lines: string[] = [];
  const present = new Set<string>();
  for (const { pod, state, skipped } of pods) {
    present.add(pod.uid);
    if (state === 'Skipped') {
      if (seen.pods.delete(pod.uid) && skipped === 'LongDeleted')
        lines.push(`pod ${podKey(pod)} should have been gone; no longer waited for`);
      continue;
    }
    let known = seen.pods.get(pod.uid);
    if (!known) seen.pods.set(pod.uid, (known = { name: podKey(pod), handingOver: false, evicted: false }));
    if (state === 'HandingOver' && !known.handingOver) {
      known.handingOver = true;
      lines.push(`pod ${known.name} handed over: its replacement comes first`);
    }
    if (pod.deletedAt !== undefined && !known.evicted) {
      known.evicted = true;
      lines.push(`pod ${known.name} evicted`);
    }
  }
  const left = [...seen.pods].filter(([uid]) => !present.has(uid));
  for (const [index, [uid, { name }]] of left.entries()) {
    seen.pods.delete(uid);
    lines.push(`pod ${name} gone (${gone - left.length + index + 1}/${total})`);
  }
  return lines;
}

function waitLines(node: NodeReport, seen: Seen, now: Millis): string[] {
  const current = new Map<string, { readonly blocker: Blocker; readonly line: string }>();
  for (const { pod, blocker, message } of waitingPods(node, now))
    current.set(`${pod} ${blocker.cause}`, { blocker, line: `pod ${pod} waits: ${message}` });
  // What a node as a whole waits for, but its turn: volumes, replacements, the right to cordon it.
  const { waitingFor } = node;
  if (isNotable(waitingFor) && !('pod' in waitingFor) && waitingFor.cause !== 'MaxNodes') {
    current.set(waitingFor.cause, { blocker: waitingFor, line: `waits: ${explain(waitingFor, now).message}` });
  }
  for (const key of seen.waits.keys()) if (!current.has(key)) seen.waits.delete(key);
  return [...current].flatMap(([key, { blocker, line }]) => {
    let wait = seen.waits.get(key);
    if (!wait) seen.waits.set(key, (wait = { since: now, toldAt: null }));
    const isDue =
      wait.toldAt === null ? now - wait.since >= LASTS_MS || !explain(blocker, now).passes : now - wait.toldAt >= REMIND_MS;
    if (!isDue) return [];
    wait.toldAt = now;
    return [line];
  });
}

function counted(pods: number): string {
  return pods === 1 ? '1 pod' : `${pods} pods`;
}
