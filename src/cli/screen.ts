/** Where a command writes: lines on stdout and stderr, colours where they are seen, and the live region of a terminal. */
import { styleText } from 'node:util';
import { createLiveRegion, type LiveRegion } from './live-region.ts';

/** One of the two standard streams, as far as we need it. */
export interface Terminal {
  readonly isTTY: boolean;
  /** 0 when unknown. */
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
  /** Returns what stops listening. */
  onResize(callback: () => void): () => void;
}

export interface ScreenOptions {
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** False: --no-color. */
  readonly color: boolean;
  /** Called when the process ends, however it does. Returns what forgets the callback. */
  readonly atExit: (callback: () => void) => () => void;
}

export type Tone = 'good' | 'bad' | 'busy' | 'quiet' | 'strong';

export interface Screen {
  /** One or more whole lines on stdout. */
  out(text: string): void;
  err(text: string): void;
  /** Colours for stdout; the same text without. */
  paint(tone: Tone, text: string): string;
  /** A region that is redrawn in place, or null where that is not possible: no terminal, TERM=dumb, or a CI's log. */
  live(): LiveRegion | null;
  /** Of stdout. Without one, `columns` is a guess. */
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
  /** May other characters than ASCII be drawn? */
  readonly unicode: boolean;
}

const formats = { good: 'green', bad: 'red', busy: 'yellow', quiet: 'gray', strong: 'bold' } as const satisfies Record<
  Tone,
  string
>;

export function createScreen({ stdout, stderr, env, color, atExit }: ScreenOptions): Screen {
  const isSmart = stdout.isTTY && env['TERM'] !== 'dumb';
  const isColored = color && isSmart && !env['NO_COLOR'];
  const unicode = /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');
  let region: LiveRegion | null = null;
  const write = (terminal: Terminal, text: string) => {
    const line = text.endsWith('\n') ? text : `${text}\n`;
    // What is written while the region stands goes above it.
    if (region && terminal.isTTY) region.aside(() => terminal.write(line));
    else terminal.write(line);
  };
  return {
    out: (text) => write(stdout, text),
    err: (text) => write(stderr, text),
    paint: (tone, text) => (isColored ? styleText(formats[tone], text, { validateStream: false }) : text),
    live() {
      if (!isSmart || env['CI'] || stdout.columns < 20) return null;
      const opened = createLiveRegion(stdout);
      region = opened;
      const forget = atExit(() => opened.end());
      return {
        ...opened,
        end() {
          opened.end();
          region = null;
          forget();
        },
      };
    },
    isTTY: stdout.isTTY,
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
    unicode,
  };
}
