/** The rehearsal as people read it, and as programs do. */
import type { BlockerCause } from '../../engine/blocker.ts';
import { counted } from '../counted.ts';
import { elapsed } from '../elapsed.ts';
import { table } from '../table.ts';
import type { Blink } from './owners.ts';
import type { Rehearsal, Rehearsed } from './simulate.ts';
import { type Canvas, timeline } from './timeline.ts';

const SHOWN_NODES = 30;
const SHOWN_ROWS = 15;

const seconds = (ms: number | null) => (ms === null ? null : Math.round(ms / 100) / 10);

/** True when something never comes to its end. */
export function isStuck({ nodes, unfinished }: Rehearsed): boolean {
  return unfinished || nodes.some(({ stuck }) => stuck !== null);
}

export function textReport(plan: Rehearsal, result: Rehearsed, canvas: Canvas): string[] {
  const { nodes, blocked, blinks, waits, pending } = result;
  const drained = nodes.filter(({ drainedMs }) => drainedMs !== null);
  const stuck = nodes.filter(({ stuck: because }) => because !== null);
  if (nodes.length === 0) return ['nothing to do: no node has a reason'];
  const head =
    stuck.length === 0
      ? `${counted(nodes.length, 'node')} in ${elapsed(result.makespanMs)}; nothing stands in the way`
      : `${drained.length} of ${counted(nodes.length, 'node')} in ${elapsed(result.makespanMs)}; ${stuckWords(result)}`;
  const interesting = nodes.length <= SHOWN_NODES ? nodes : [...stuck, ...drained].slice(0, SHOWN_NODES);
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', canvas.paint('strong', title), ...lines];
  const more = (all: readonly unknown[], shown: number) =>
    all.length > shown ? [`... and ${all.length - shown} more; -o json has all`] : [];
  return [
    canvas.paint(stuck.length === 0 ? 'good' : 'bad', head),
    ...result.windows.map(
      ({ policy, opens, opensMs }) => `Policy ${policy} starts nothing before ${opens}, ${elapsed(opensMs)} after the snapshot.`,
    ),
    ...result.gates.map(
      ({ policy, gates }) => `Policy ${policy} has gates (${gates.join(', ')}), which a plan cannot ask: it takes them as open.`,
    ),
    ...section('Timeline', [...timeline(interesting, result.makespanMs, canvas), ...more(nodes, interesting.length)]),
    ...section('Can never move', [
      ...blocked
        .slice(0, SHOWN_ROWS)
        .flatMap(({ pod, node, message, unblock }) => [
          `${pod} on ${node}: ${message}`,
          ...(unblock ? [canvas.paint('quiet', `  unblocked by ${unblock}`)] : []),
        ]),
      ...more(blocked, SHOWN_ROWS),
      ...stuck
        .filter(({ node, stuck: because }) => !passing.has(because?.cause ?? '') && !blocked.some((each) => each.node === node))
        .slice(0, SHOWN_ROWS)
        .map(({ node, stuck: because }) => `${node}: ${because?.message ?? ''}`),
    ]),
    ...section('Fewer pods than before', [
      ...(blinks.length === 0
        ? ['none: no application is ever a pod short']
        : table(['APPLICATION', 'READY', 'FEWEST', 'SHORT FOR', 'NONE FOR'], blinks.slice(0, SHOWN_ROWS).map(blinkRow))),
      ...more(blinks, SHOWN_ROWS),
    ]),
    ...section(
      'Where it waits',
      waits
        .filter(({ totalMs }) => totalMs >= 1_000)
        .slice(0, SHOWN_ROWS)
        .map(
          ({ cause, totalMs, nodes: on, longestMs, longestNode, message }) =>
            `${cause}: ${elapsed(totalMs)} on ${counted(on, 'node')}, at most ${elapsed(longestMs)} on ${longestNode}: ${message}`,
        ),
    ),
    ...section('Room', [
      pending.most === 0
        ? 'every pod finds a place at once: no extra node is needed'
        : `${counted(pending.most, 'pod')} at once without a place: ${pending.message}`,
    ]),
    '',
    `${counted(result.evictions, 'eviction')}, ${counted(result.handovers, 'handover')}, ${counted(result.deletions, 'deletion')} around a budget, budgets violated ${counted(result.violations, 'time')}.`,
    canvas.paint('quiet', assumptions(plan)),
    ...plan.snapshot.missing.map(({ kind, why }) =>
      canvas.paint('quiet', `Not seen: ${kind} (${why}); planned as if there were none.`),
    ),
  ];
}

/** Causes of nodes that only need more time. */
const passing: ReadonlySet<string> = new Set<BlockerCause>(['OutsideWindow', 'WindowTooShort']);

/** One that waits for a window when the plan is given up would be drained later. */
function stuckWords({ nodes }: Rehearsed): string {
  const stuck = nodes.flatMap(({ stuck: because }) => (because ? [because.cause] : []));
  const later = stuck.filter((cause) => passing.has(cause)).length;
  const never = stuck.length - later;
  return [
    ...(later > 0 ? [`${counted(later, 'node')} still waiting for a window when the plan was given up (--limit)`] : []),
    ...(never > 0 ? [`${counted(never, 'node')} can never be drained as things are`] : []),
  ].join(', ');
}

function blinkRow({ owner, before, fewest, shortMs, noneMs }: Blink): string[] {
  return [owner, String(before), String(fewest), elapsed(shortMs), noneMs > 0 ? elapsed(noneMs) : '-'];
}

function assumptions({ timings: { readyMs, stopMs, learnedOwners }, snapshot }: Rehearsal): string {
  const learned =
    learnedOwners > 0
      ? `as long to get Ready as their like did (learned from ${counted(learnedOwners, 'owner')}; else ${elapsed(readyMs)})`
      : `${elapsed(readyMs)} to get Ready`;
  return `Assumed: pods take ${learned} and ${elapsed(stopMs)} to stop, nothing else changes, and no node is added. As of ${new Date(snapshot.takenAt).toISOString()}.`;
}

/** Seconds everywhere; documented in docs/plan.md. */
export function jsonReport({ snapshot, timings }: Rehearsal, result: Rehearsed): object {
  return {
    takenAt: new Date(snapshot.takenAt).toISOString(),
    seconds: seconds(result.makespanMs),
    canFinish: !isStuck(result),
    assumed: {
      readySeconds: seconds(timings.readyMs),
      stopSeconds: seconds(timings.stopMs),
      learnedOwners: timings.learnedOwners,
    },
    missing: snapshot.missing,
    nodes: result.nodes.map(({ startedMs, drainedMs, phases, ...node }) => ({
      ...node,
      startedAt: seconds(startedMs),
      drainedAt: seconds(drainedMs),
      phases: phases.map(({ phase, atMs }) => ({ phase, at: seconds(atMs) })),
    })),
    windows: result.windows.map(({ policy, opens, opensMs }) => ({ policy, opens, opensAt: seconds(opensMs) })),
    gatesTakenAsOpen: result.gates,
    blocked: result.blocked,
    blinks: result.blinks.map(({ shortMs, noneMs, ...blink }) => ({
      ...blink,
      shortSeconds: seconds(shortMs),
      noneSeconds: seconds(noneMs),
    })),
    waits: result.waits.map(({ totalMs, longestMs, ...wait }) => ({
      ...wait,
      totalSeconds: seconds(totalMs),
      longestSeconds: seconds(longestMs),
    })),
    pending: result.pending,
    evictions: result.evictions,
    handovers: result.handovers,
    deletions: result.deletions,
    violations: result.violations,
    unfinished: result.unfinished,
  };
}
