/** The live view of a drain: a line per node, and under it the pods that something keeps. Pure: a report in, lines out. */
import type { DrainRunReport, NodeReport } from '../../controller/drain-report.ts';
import { explain } from '../../engine/explain.ts';
import type { Phase } from '../../engine/maintenance.ts';
import { elapsed } from '../elapsed.ts';
import type { Screen, Tone } from '../screen.ts';
import { isNotable, waitingPods } from './waits.ts';

export type LiveStyle = Pick<Screen, 'paint' | 'rows' | 'columns' | 'unicode'>;

const PODS_PER_NODE = 5;
const BAR_WIDTH = 20;
// Phase, counts, time and the spaces between: what a line needs beside the name and the bar.
const FACTS_WIDTH = 29;

const tones: Readonly<Partial<Record<Phase, Tone>>> = {
  Drained: 'good',
  Failed: 'bad',
  Cancelled: 'bad',
  Pending: 'quiet',
  Undoing: 'busy',
};

export function liveLines({ nodes, now }: DrainRunReport, style: LiveStyle): string[] {
  const shown =
    nodes.length <= style.rows - 2 ? nodes : [...nodes].sort((a, b) => rank(a) - rank(b)).slice(0, Math.max(1, style.rows - 3));
  const nameWidth = Math.max(...shown.map(({ name }) => name.length));
  const counts = shown.map(({ gone, total }) => `${gone}/${total}`);
  const countWidth = Math.max(...counts.map((count) => count.length));
  const barWidth = Math.max(0, Math.min(BAR_WIDTH, style.columns - nameWidth - FACTS_WIDTH));
  // Pods get what the lines of the nodes leave of the screen.
  let room = style.rows - 2 - shown.length;
  const lines = shown.flatMap((node, index) => {
    const { phase, startedAt, finishedAt } = node;
    const time = startedAt === null ? '' : elapsed((finishedAt ?? now) - startedAt);
    const head = `${node.name.padEnd(nameWidth)}  ${style.paint(tones[phase] ?? 'strong', phase.padEnd(8))}${barWidth > 0 ? `  ${bar(node, barWidth, style)}` : ''}`;
    const pods = podLines(node, now, Math.min(PODS_PER_NODE, room), style);
    const note = noteOf(node, now, pods.length > 0);
    const line = `${head}  ${(counts[index] ?? '').padStart(countWidth)}  ${time.padEnd(6)}  ${note}`.trimEnd();
    room -= pods.length;
    return [line, ...pods];
  });
  if (shown.length < nodes.length) lines.push(style.paint('quiet', summary(nodes, shown.length)));
  return lines;
}

/** Where something happens, then what waits for its turn, then what is done. */
function rank({ phase }: NodeReport): number {
  return phase === 'Pending' ? 1 : phase === 'Drained' ? 2 : 0;
}

function bar({ gone, total, phase }: NodeReport, width: number, { unicode, paint }: LiveStyle): string {
  const share = total > 0 ? gone / total : phase === 'Drained' ? 1 : 0;
  const full = Math.floor(share * width);
  const [filled, empty] = unicode ? ['\u2588', '\u2591'] : ['#', '.'];
  return `${paint(phase === 'Drained' ? 'good' : 'busy', filled.repeat(full))}${paint('quiet', empty.repeat(width - full))}`;
}

/** What the lines of the pods do not say already. */
function noteOf({ phase, waitingFor, message }: NodeReport, now: number, hasPods: boolean): string {
  if (phase === 'Pending') return 'waits for its turn';
  if (phase === 'Failed' || phase === 'Cancelled' || phase === 'Undoing') return message;
  return isNotable(waitingFor) && !(hasPods && 'pod' in waitingFor) ? explain(waitingFor, now).message : '';
}

/** A pod and what it waits for, on one line, or on two where one is too narrow for both. At most `most` lines. */
function podLines(node: NodeReport, now: number, most: number, { paint, columns }: LiveStyle): string[] {
  if (most < 1) return [];
  const waits = waitingPods(node, now);
  const fits = waits.every(({ pod, message }) => pod.length + message.length + 4 < columns);
  const each = !fits && most > 2 ? 2 : 1;
  const shown = waits.length * each <= most ? waits : waits.slice(0, Math.floor((most - 1) / each));
  const lines = shown.flatMap(({ pod, message }) =>
    each === 1 ? [`  ${pod}  ${paint('quiet', message)}`] : [`  ${pod}`, `    ${paint('quiet', message)}`],
  );
  if (shown.length < waits.length)
    lines.push(
      paint(
        'quiet',
        `  and ${waits.length - shown.length} more ${waits.length - shown.length === 1 ? 'pod waits' : 'pods wait'}`,
      ),
    );
  return lines;
}

function summary(nodes: readonly NodeReport[], shown: number): string {
  const of = (phase: Phase) => nodes.filter((node) => node.phase === phase).length;
  return `and ${nodes.length - shown} more of ${nodes.length} nodes (${of('Drained')} drained, ${of('Pending')} to come)`;
}
