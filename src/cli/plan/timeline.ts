/** One row for each node on a common axis of time: what it does when. */
import type { Phase } from '../../engine/maintenance.ts';
import type { Millis } from '../../lib/clock.ts';
import { elapsed } from '../elapsed.ts';
import type { Tone } from '../screen.ts';
import type { NodeOutcome } from './simulate.ts';

interface Brush {
  readonly unicode: string;
  readonly ascii: string;
  readonly tone: Tone;
  readonly means: string;
}

const brushes = {
  waiting: { unicode: '·', ascii: '.', tone: 'quiet', means: 'waits for its turn' },
  draining: { unicode: '█', ascii: '#', tone: 'busy', means: 'its pods leave' },
  settling: { unicode: '▒', ascii: '+', tone: 'busy', means: 'their replacements get Ready' },
  acting: { unicode: '░', ascii: '=', tone: 'busy', means: 'it is rebooted and verified, or its hooks run' },
  stuck: { unicode: '✗', ascii: 'x', tone: 'bad', means: 'cannot go on' },
  done: { unicode: ' ', ascii: ' ', tone: 'good', means: '' },
} as const satisfies Record<string, Brush>;

const brushOf: Readonly<Record<Phase, Brush>> = {
  Pending: brushes.waiting,
  Draining: brushes.draining,
  Settling: brushes.settling,
  BeforeHook: brushes.acting,
  Rebooting: brushes.acting,
  Deleting: brushes.acting,
  Verifying: brushes.acting,
  AfterHook: brushes.acting,
  ActionFailed: brushes.stuck,
  Drained: brushes.done,
  BackOff: brushes.stuck,
  Undoing: brushes.stuck,
  HandedBack: brushes.done,
  Cancelled: brushes.done,
  Failed: brushes.stuck,
};

export interface Canvas {
  readonly columns: number;
  readonly unicode: boolean;
  paint(tone: Tone, text: string): string;
}

/** @param untilMs where the axis ends; phases that go on longer are cut there */
export function timeline(nodes: readonly NodeOutcome[], untilMs: Millis, canvas: Canvas): string[] {
  const widest = Math.max(...nodes.map(({ node }) => node.length));
  const names = Math.min(widest, 32);
  const width = Math.max(20, Math.min(100, canvas.columns - names - 12));
  const draw = (brush: Brush, count: number) =>
    count > 0 ? canvas.paint(brush.tone, (canvas.unicode ? brush.unicode : brush.ascii).repeat(count)) : '';
  const column = (ms: Millis) => Math.min(width, Math.round((ms / Math.max(1, untilMs)) * width));
  const rows = nodes.map(({ node, phases, drainedMs, stuck }) => {
    let text = '';
    let at = 0;
    phases.forEach(({ phase, atMs }, index) => {
      const brush = brushOf[phase];
      const isLast = index === phases.length - 1;
      let end = isLast ? (brush === brushes.done ? at : width) : column(phases[index + 1]?.atMs ?? atMs);
      // What has happened is seen, however short it was.
      if (!isLast && brush === brushes.draining) end = Math.max(end, at + 1);
      end = Math.min(width, end);
      text += draw(brush, end - at);
      at = Math.max(at, end);
    });
    const result = stuck ? canvas.paint('bad', 'stuck') : drainedMs === null ? '' : elapsed(drainedMs);
    return `${cut(node, names).padEnd(names)}  ${text}${' '.repeat(width - at)}  ${result}`.trimEnd();
  });
  const half = elapsed(untilMs / 2);
  const whole = elapsed(untilMs);
  const axis = `0${half.padStart(Math.floor(width / 2) + Math.floor(half.length / 2) - 1)}`;
  const legend = [
    brushes.waiting,
    brushes.draining,
    brushes.settling,
    ...(nodes.some(({ stuck }) => stuck) ? [brushes.stuck] : []),
  ]
    .map((brush) => `${draw(brush, 1)} ${brush.means}`)
    .join('   ');
  return [...rows, `${' '.repeat(names)}  ${canvas.paint('quiet', `${axis}${whole.padStart(width - axis.length)}`)}`, legend];
}

function cut(name: string, width: number): string {
  return name.length <= width ? name : `${name.slice(0, width - 1)}~`;
}
