/** A terminal that remembers what it shows: the escape sequences of the live region are carried out on a grid of lines. */
import type { Terminal } from '../screen.ts';

export interface FakeTerminal extends Terminal {
  /** Everything written, raw. */
  readonly written: string;
  /** The lines as a person sees them, without the empty one of the cursor. */
  readonly lines: readonly string[];
  readonly cursorHidden: boolean;
  resize(columns: number, rows?: number): void;
}

export function fakeTerminal(options: { isTTY?: boolean; columns?: number; rows?: number } = {}): FakeTerminal {
  const { isTTY = true } = options;
  let { columns = 80, rows = 24 } = options;
  let written = '';
  let grid = [''];
  let row = 0;
  let cursorHidden = false;
  const listeners = new Set<() => void>();

  const put = (text: string) => {
    for (const char of text) {
      if (char === '\n') grid[++row] ??= '';
      else grid[row] = (grid[row] ?? '') + char;
    }
  };

  return {
    isTTY,
    get columns() {
      return columns;
    },
    get rows() {
      return rows;
    },
    write(text) {
      written += text;
      // oxlint-disable-next-line no-control-regex -- it is about control characters
      for (const [, code, final, plain] of text.matchAll(/\u001b\[([?\d;]*)([A-Za-z])|([^\u001b]+)/g)) {
        if (plain !== undefined) {
          // The first letter of a line that is drawn again replaces what was there.
          for (const [index, part] of plain.split('\n').entries()) {
            if (index > 0) put('\n');
            if (part !== '') grid[row] = (overwriting.has(row) ? '' : (grid[row] ?? '')) + part;
            overwriting.delete(row);
          }
        } else if (final === 'F') {
          row = Math.max(0, row - Number(code));
          for (let each = row; each < grid.length; each += 1) overwriting.add(each);
        } else if (final === 'J') {
          grid = grid.slice(0, row);
          grid[row] = '';
          overwriting.clear();
        } else if (final === 'h' || final === 'l') {
          if (code === '?25') cursorHidden = final === 'l';
        }
      }
    },
    onResize(callback) {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
    get written() {
      return written;
    },
    get lines() {
      return grid.slice(0, grid.at(-1) === '' ? -1 : undefined);
    },
    get cursorHidden() {
      return cursorHidden;
    },
    resize(nextColumns, nextRows = rows) {
      columns = nextColumns;
      rows = nextRows;
      for (const callback of listeners) callback();
    },
  };
}

const overwriting = new Set<number>();
