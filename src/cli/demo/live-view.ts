/** The picture as lines of a terminal: a row of tiles for each zone, then what is counted, what is waited for, and what was said. Pure. */
import type { Millis } from '../../lib/clock.ts';
import { elapsed } from '../elapsed.ts';
import { widthOf } from '../live-region.ts';
import type { Screen, Tone } from '../screen.ts';
import { grouped } from './grouped.ts';
import type { NodeState, NodeView, Picture } from './picture.ts';
import { causes } from './report.ts';
import { NEW_POOL, OLD_POOL } from './scene.ts';

export interface Said {
  readonly at: Millis;
  readonly line: string;
  readonly level: 'info' | 'warning' | 'error';
}

export interface LiveStyle {
  readonly screen: Pick<Screen, 'paint' | 'columns' | 'rows' | 'unicode'>;
}

interface Look {
  readonly tone: Tone | null;
  readonly word: string;
  readonly sign: readonly [unicode: string, ascii: string];
}

const looks: Readonly<Record<NodeState, Look>> = {
  booting: { tone: 'quiet', word: 'boots', sign: ['\u25cc', '.'] },
  starting: { tone: 'quiet', word: 'starts', sign: ['\u25cc', '.'] },
  serving: { tone: null, word: 'serves', sign: ['\u25cf', 'o'] },
  marked: { tone: 'strong', word: 'its turn comes', sign: ['\u25cb', '-'] },
  draining: { tone: 'busy', word: 'drains', sign: ['\u25bc', 'v'] },
  settling: { tone: 'busy', word: 'empty, settles', sign: ['\u25bd', 'w'] },
  drained: { tone: 'good', word: 'drained', sign: ['\u2713', '+'] },
  back: { tone: 'good', word: 'back', sign: ['\u25cf', 'O'] },
  stopped: { tone: 'bad', word: 'stopped', sign: ['\u2717', 'x'] },
  gone: { tone: 'quiet', word: 'gone', sign: ['\u00b7', ' '] },
};

const GUTTER = '  ';
const SAID_LINES = 8;

export function liveLines(picture: Picture, said: readonly Said[], style: LiveStyle): string[] {
  const { screen } = style;
  const top = [...headLines(picture, style), ''];
  const counts = countLines(picture, style);
  const waits = waitLines(picture, style);
  // What is waited for comes and goes; the tiles must not change their size with it.
  const room = screen.rows - 1 - top.length - counts.length - mostWaits(screen.rows) - 1;
  const tiles = [...tileLines(picture.nodes, screen, room - 2), legend(picture.nodes, screen), ''];
  const left = Math.max(0, Math.min(SAID_LINES, room + mostWaits(screen.rows) - waits.length - tiles.length));
  const spoken = left > 0 ? ['', ...said.slice(-left).map((each) => saidLine(each, screen))] : [];
  return [...top, ...tiles, ...counts, ...waits, ...spoken];
}

function headLines({ now, startedAt, markedAt, endedAt, drained, done, old, boundMs }: Picture, { screen }: LiveStyle): string[] {
  const { paint, columns } = screen;
  if (markedAt === null) return [`${paint('strong', 'the application starts')}, for ${elapsed(now - startedAt)}`];
  const took = (endedAt ?? now) - markedAt;
  const bound = boundMs === null ? '' : paint('quiet', ` (the least possible: ${elapsed(boundMs)})`);
  const text = `${drained} of ${old} nodes drained, ${done} all done, ${elapsed(took)}`;
  const width = Math.max(0, Math.min(30, columns - widthOf(text) - widthOf(bound) - 4));
  return [`${bar(old === 0 ? 1 : drained / old, width, screen)}  ${paint('strong', text)}${bound}`];
}

function bar(share: number, width: number, { unicode, paint }: LiveStyle['screen']): string {
  const [full, empty] = unicode ? ['\u2588', '\u2591'] : ['#', '.'];
  const filled = Math.floor(share * width);
  return `${paint('good', full.repeat(filled))}${paint('quiet', empty.repeat(width - filled))}`;
}

/** The signs that are to be seen now. */
function legend(nodes: readonly NodeView[], { paint, unicode }: LiveStyle['screen']): string {
  const seen = new Set(nodes.map(({ state }) => state));
  const signs = (Object.keys(looks) as NodeState[])
    .filter((state) => seen.has(state) && state !== 'gone')
    .map((state) => `${looks[state].sign[unicode ? 0 : 1]} ${looks[state].word}`);
  return paint('quiet', `${signs.join('   ')}   ${unicode ? '\u25a0' : '#'} a pod`);
}

/** Tiles of two lines, or of one sign where there are too many nodes for the terminal. */
function tileLines(nodes: readonly NodeView[], screen: LiveStyle['screen'], room: number): string[] {
  const sorted = [...nodes].sort((a, b) => poolOrder(a) - poolOrder(b) || byNumber.compare(a.name, b.name));
  const zones = [...grouped(sorted, ({ zone }) => zone)].sort(([a], [b]) => byNumber.compare(a, b));
  const large = zones.flatMap(([zone, of]) => largeTiles(zone, of, screen));
  return large.length <= room ? large : [...zones.flatMap(([zone, of]) => smallTiles(zone, of, screen)), ''];
}

function largeTiles(zone: string, nodes: readonly NodeView[], screen: LiveStyle['screen']): string[] {
  const { columns, paint, unicode } = screen;
  const width = 3 + Math.max(...nodes.map(({ name }) => name.length));
  const head = zone.length + GUTTER.length;
  const perRow = Math.max(1, Math.floor((columns - 1 - head) / width));
  const rows: string[] = [];
  for (let at = 0; at < nodes.length; at += perRow) {
    const row = nodes.slice(at, at + perRow);
    const tile = (text: (node: NodeView) => string) =>
      row.map((node) => tint(screen, node.state, text(node).padEnd(width))).join('');
    const names = tile(({ name, state }) => `${looks[state].sign[unicode ? 0 : 1]} ${name}`);
    rows.push(`${at === 0 ? paint('strong', zone) : ' '.repeat(zone.length)}${GUTTER}${names}`);
    rows.push(`${' '.repeat(head)}${tile((node) => podsText(node, width - 1, unicode))}`);
  }
  return [...rows, ''];
}

/** A square for each pod, or as many as fit and the number. */
function podsText({ pods, state }: NodeView, width: number, unicode: boolean): string {
  if (state === 'gone' || state === 'booting' || state === 'starting') return looks[state].word;
  const square = unicode ? '\u25a0' : '#';
  if (pods <= width) return square.repeat(pods);
  const number = ` ${pods}`;
  return `${square.repeat(Math.max(1, width - number.length))}${number}`;
}

function smallTiles(zone: string, nodes: readonly NodeView[], screen: LiveStyle['screen']): string[] {
  const { columns, paint, unicode } = screen;
  const head = zone.length + 2;
  const perRow = Math.max(1, columns - 1 - head);
  const rows: string[] = [];
  for (let at = 0; at < nodes.length; at += perRow) {
    const signs = nodes.slice(at, at + perRow).map(({ state }) => tint(screen, state, looks[state].sign[unicode ? 0 : 1]));
    rows.push(`${at === 0 ? paint('strong', zone) : ' '.repeat(zone.length)}${GUTTER}${signs.join('')}`);
  }
  return rows;
}

function tint({ paint }: LiveStyle['screen'], state: NodeState, text: string): string {
  const { tone } = looks[state];
  return tone === null ? text : paint(tone, text);
}

const byNumber = new Intl.Collator('en', { numeric: true });

/** What goes at the left, what comes at the right. */
function poolOrder({ pool }: NodeView): number {
  return pool === OLD_POOL ? 0 : pool === NEW_POOL ? 2 : 1;
}

const heights = ['\u2581', '\u2582', '\u2583', '\u2584', '\u2585', '\u2586', '\u2587', '\u2588'];

function countLines({ requests, budgets }: Picture, { screen }: LiveStyle): string[] {
  const { paint, unicode } = screen;
  const { seconds, sent, failed, failures } = requests;
  const most = Math.max(1, ...seconds.map((each) => each.sent));
  const curve = unicode
    ? seconds
        .map((each) => {
          const height = heights[Math.min(7, Math.floor((each.sent / most) * 7.99))] ?? '';
          return each.failed > 0 ? paint('bad', height) : each.sent === 0 ? ' ' : paint('good', height);
        })
        .join('')
    : '';
  const rate = seconds.at(-1)?.sent ?? 0;
  const lost = paint(failed === 0 ? 'good' : 'bad', `${failed.toLocaleString('en')} failed`);
  const violations = budgets.reduce((sum, each) => sum + each.violations, 0);
  const kept = paint(violations === 0 ? 'good' : 'bad', `${violations} violated`);
  const ready = budgets.map(({ name, ready: now, replicas }) => {
    const text = `${name} ${now}/${replicas}`;
    return now < replicas ? paint('busy', text) : text;
  });
  return [
    `requests  ${curve}${curve === '' ? '' : '  '}${String(rate).padStart(3)}/s  ${sent.toLocaleString('en')} sent, ${lost}${causes(failures)}`,
    `budgets   ${kept}; pods Ready: ${ready.join('  ')}`,
  ];
}

function mostWaits(rows: number): number {
  return Math.max(3, Math.floor(rows / 8));
}

function waitLines({ waits }: Picture, { screen }: LiveStyle): string[] {
  const shown = waits.slice(0, mostWaits(screen.rows));
  if (shown.length === 0) return [];
  const width = Math.max(...shown.map(({ node }) => node.length));
  return [
    '',
    ...shown.map(({ node, progress, message, pod }) => {
      const what = message === '' ? '' : `${pod === '' ? '' : `${pod}: `}${message}`;
      return `${screen.paint('busy', node.padEnd(width))}  ${progress.padStart(5)}  ${what}`;
    }),
  ];
}

function saidLine({ at, line, level }: Said, { paint }: LiveStyle['screen']): string {
  const text = `${elapsed(at).padStart(6)}  ${line}`;
  return level === 'info' ? paint('quiet', text) : paint(level === 'error' ? 'bad' : 'busy', text);
}
